"""Subjects and their personal fields: sealed one by one, and erased by destroying one key."""

import re
import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.privacy import ciphers
from carbonhui.privacy.keepers import Wrapped
from carbonhui.privacy.refusals import DataKeyMissing, SubjectErased, SubjectUnknown, TextRefused
from carbonhui.privacy.vault import Vault

_FIELD = re.compile(r"[a-z0-9_.:-]{1,60}")
#: No personal field is longer; what is longer is a document and belongs elsewhere.
LONGEST_FIELD = 10_000


def begin_subject(session: Session, vault: Vault) -> int:
    """A new subject with a data key of its own, and nothing known about it yet."""
    connection = connection_of(session)
    row = connection.execute("INSERT INTO data_subject DEFAULT VALUES RETURNING id").fetchone()
    assert row is not None
    subject = int(row[0])
    wrapped = vault.seal_key(subject, secrets.token_bytes(ciphers.ROOT_BYTES))
    connection.execute(
        "INSERT INTO data_key (subject, wrapped, kek, algorithm) VALUES (%s, %s, %s, %s)",
        (subject, wrapped.sealed, wrapped.kek, wrapped.algorithm),
    )
    return subject


def keep(session: Session, vault: Vault, subject: int, **fields: str | None) -> None:
    """These fields are from now on as given; None takes one away.

    Raises `SubjectErased`, `SubjectUnknown`, `DataKeyMissing`, `TextRefused`.
    """
    key = _key_for_writing(session, vault, subject)
    sealed = {name: _sealed(vault, subject, name, key, text) for name, text in fields.items() if text is not None}
    connection = connection_of(session)
    gone = [name for name, text in fields.items() if text is None]
    if gone:
        connection.execute("DELETE FROM personal_field WHERE subject = %s AND field = ANY(%s)", (subject, gone))
    if sealed:
        connection.execute(_KEEP, (subject, vault.suite.cipher, list(sealed), list(sealed.values())))


_KEEP = """
INSERT INTO personal_field (subject, field, sealed, algorithm)
SELECT %s, given.field, given.sealed, %s FROM unnest(%s::text[], %s::bytea[]) AS given (field, sealed)
ON CONFLICT (subject, field)
DO UPDATE SET sealed = excluded.sealed, algorithm = excluded.algorithm, at = clock_timestamp()
"""


def _sealed(vault: Vault, subject: int, name: str, key: bytes, text: str) -> bytes:
    assert _FIELD.fullmatch(name)
    if len(text) > LONGEST_FIELD:
        raise TextRefused(
            field=name, reason=f"it is longer than {LONGEST_FIELD} characters", reason_zh=f"超过 {LONGEST_FIELD} 个字符"
        )
    try:
        return vault.seal_field(subject, name, key, text)
    except UnicodeEncodeError:
        # Not "from error": it repeats the text.
        raise TextRefused(field=name, reason="it holds half a character", reason_zh="含有不完整的字符") from None


def _key_for_writing(session: Session, vault: Vault, subject: int) -> bytes:
    """The data key; whoever else writes of this subject, or erases it, waits until this transaction is done."""
    row = connection_of(session).execute(_LOCKED_KEY, (subject,)).fetchone()
    if row is None or row[0] is not None or row[1] is None:
        raise why_closed(session, subject)
    return vault.open_key(subject, Wrapped(kek=row[2], algorithm=row[3], sealed=row[1]))


_LOCKED_KEY = """
SELECT s.erased_at, k.wrapped, k.kek, k.algorithm
FROM data_subject s LEFT JOIN data_key k ON k.subject = s.id WHERE s.id = %s FOR NO KEY UPDATE OF s
"""


def why_closed(session: Session, subject: int) -> SubjectErased | SubjectUnknown | DataKeyMissing:
    """What to tell about a subject without a data key."""
    row = connection_of(session).execute("SELECT erased_at FROM data_subject WHERE id = %s", (subject,)).fetchone()
    if row is None:
        return SubjectUnknown(subject=subject)
    return DataKeyMissing(subject=subject) if row[0] is None else SubjectErased(subject=subject)


def erase(session: Session, subject: int) -> None:
    """Destroy a subject's data key, fields and indexes for good (PIPL, article 47).

    The number and the record of reads stay, and with them the time of erasure, which
    keeps an old dump of keys from bringing the person back. To erase twice does nothing.

    Raises `SubjectUnknown`.
    """
    connection, erased_at = connection_of(session), lock_subject(session, subject)
    for statement in _DESTROY:
        connection.execute(statement, (subject,))
    if erased_at is None:
        connection.execute("UPDATE data_subject SET erased_at = clock_timestamp() WHERE id = %s", (subject,))


def lock_subject(session: Session, subject: int) -> datetime | None:
    """When the subject was erased; nobody else writes of it until this transaction is done.

    Raises `SubjectUnknown`.
    """
    row = connection_of(session).execute(_LOCKED, (subject,)).fetchone()
    if row is None:
        raise SubjectUnknown(subject=subject)
    erased_at: datetime | None = row[0]
    return erased_at


_LOCKED = "SELECT erased_at FROM data_subject WHERE id = %s FOR NO KEY UPDATE"
_DESTROY = (
    "DELETE FROM data_key WHERE subject = %s",
    "DELETE FROM personal_field WHERE subject = %s",
    "DELETE FROM personal_index WHERE subject = %s",
)


def is_erased(session: Session, subject: int) -> bool:
    """Whether a subject was erased. Raises `SubjectUnknown`."""
    row = connection_of(session).execute("SELECT erased_at FROM data_subject WHERE id = %s", (subject,)).fetchone()
    if row is None:
        raise SubjectUnknown(subject=subject)
    return row[0] is not None
