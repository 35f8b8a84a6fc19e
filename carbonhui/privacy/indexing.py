"""From a mobile number or an identity number to its subject, without keeping the number."""

import psycopg
from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.privacy.refusals import IndexTaken, SubjectErased
from carbonhui.privacy.subjects import lock_subject
from carbonhui.privacy.vault import SCHEME, Vault


def index_subject(session: Session, vault: Vault, subject: int, scheme: str, text: str) -> None:
    """From now on this text of a scheme leads to this subject, in the place of what did before.

    Every live key of the scheme gets its row, so that two of one number are refused
    even while the key is being changed.

    Raises `IndexTaken` if somebody else has it, `SubjectErased`, `SubjectUnknown`.
    """
    connection = connection_of(session)
    if lock_subject(session, subject) is not None:
        raise SubjectErased(subject=subject)
    rows = [
        (scheme, digest, key.version, key.algorithm, subject) for key, digest in vault.versioned_digests(scheme, text)
    ]
    try:
        with connection.transaction():
            unindex_subject(session, subject, scheme)
            connection.cursor().executemany(_INSERT, rows)
    except psycopg.errors.UniqueViolation:
        # Not "from error": the driver's message holds the digest.
        raise IndexTaken(scheme=scheme) from None


_INSERT = "INSERT INTO personal_index (scheme, digest, key_version, algorithm, subject) VALUES (%s, %s, %s, %s, %s)"


def unindex_subject(session: Session, subject: int, scheme: str) -> None:
    """Nothing of this scheme leads to the subject any more."""
    assert SCHEME.fullmatch(scheme)
    connection_of(session).execute("DELETE FROM personal_index WHERE subject = %s AND scheme = %s", (subject, scheme))


def subject_with(session: Session, vault: Vault, scheme: str, text: str) -> int | None:
    """Whom this text of a scheme leads to, by any live key."""
    found = vault.versioned_digests(scheme, text)
    row = connection_of(session).execute(
        _FIND, ([key.version for key, _ in found], [digest for _, digest in found], scheme)
    ).fetchone()
    return None if row is None else int(row[0])


_FIND = """
SELECT i.subject FROM unnest(%s::integer[], %s::bytea[]) AS given (version, digest)
JOIN personal_index i ON i.scheme = %s AND i.key_version = given.version AND i.digest = given.digest
LIMIT 1
"""
