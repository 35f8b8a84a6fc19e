"""Reading personal fields; nobody reads without leaving a trace that the person can see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.privacy.keepers import Wrapped
from carbonhui.privacy.subjects import why_closed
from carbonhui.privacy.vault import Vault


@dataclass(frozen=True)
class Reader:
    """Who reads (a pseudonym, never a name), as what, what for, and in which request."""

    actor: str
    role: str
    purpose: str
    request: str | None = None


@dataclass(frozen=True)
class Read:
    """One reading of one subject's fields."""

    id: int
    subject: int
    fields: tuple[str, ...]
    actor: str
    role: str
    purpose: str
    request: str | None
    at: datetime


def read(session: Session, vault: Vault, subject: int, fields: Collection[str], reader: Reader) -> dict[str, str]:
    """These fields of a subject, without those that were never kept.

    The record of the reading is written in the same transaction. Where nothing was
    there to be read, nothing is recorded.

    Raises `SubjectErased`, `SubjectUnknown`, `DataKeyMissing`, `SealBroken`, `KeyMissing`.
    """
    found = read_many(session, vault, [subject], fields, reader)
    if subject not in found:
        raise why_closed(session, subject)
    return found[subject]


def read_many(
    session: Session, vault: Vault, subjects: Collection[int], fields: Collection[str], reader: Reader
) -> dict[int, dict[str, str]]:
    """These fields of many subjects, one record of reading for each.

    Who was erased, is unknown or has no data key is left out.

    Raises `SealBroken`, `KeyMissing`.
    """
    assert not isinstance(fields, str)
    connection = connection_of(session)
    rows = connection.execute(_FIELDS, (list(fields), list(subjects))).fetchall()
    found: dict[int, dict[str, str]] = {}
    keys: dict[int, bytes] = {}
    for subject, wrapped, kek, cipher, field, sealed, sealed_with in rows:
        texts = found.setdefault(subject, {})
        if field is None:
            continue
        if subject not in keys:
            keys[subject] = vault.open_key(subject, Wrapped(kek=kek, algorithm=cipher, sealed=wrapped))
        texts[field] = vault.open_field(subject, field, keys[subject], sealed_with, sealed)
    _record(session, {subject: texts for subject, texts in found.items() if texts}, reader)
    return found


_FIELDS = """
SELECT k.subject, k.wrapped, k.kek, k.algorithm, f.field, f.sealed, f.algorithm
FROM data_key k LEFT JOIN personal_field f ON f.subject = k.subject AND f.field = ANY(%s)
WHERE k.subject = ANY(%s) ORDER BY k.subject, f.field
"""


def _record(session: Session, found: dict[int, dict[str, str]], reader: Reader) -> None:
    words = (reader.actor, reader.role, reader.purpose, reader.request)
    rows = [(subject, sorted(texts), *words) for subject, texts in found.items()]
    if rows:
        connection_of(session).cursor().executemany(_RECORD, rows)


_RECORD = """
INSERT INTO personal_read (subject, fields, actor, role, purpose, request) VALUES (%s, %s, %s, %s, %s, %s)
"""


def reads_of(session: Session, subject: int, *, before: int | None = None, limit: int = 50) -> list[Read]:
    """Who read a subject's fields, newest first; ``before`` is the last id of the page before."""
    assert 1 <= limit <= 1000
    rows = connection_of(session).execute(_READS, {"subject": subject, "before": before, "limit": limit})
    return [Read(row[0], row[1], tuple(row[2]), *row[3:]) for row in rows]


_READS = """
SELECT id, subject, fields, actor, role, purpose, request, at FROM personal_read
WHERE subject = %(subject)s AND (%(before)s::bigint IS NULL OR id < %(before)s) ORDER BY id DESC LIMIT %(limit)s
"""
