"""Linking identifiers to accounts, one or a million at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core.database import connection_of
from carbonhui.participants.refusals import EnrolmentForDemoOnly, IdentifierLinked, LinkEndsTooEarly, LinkMissing


@dataclass(frozen=True)
class Link:
    """One identifier's holder from ``valid_from`` until before ``valid_to`` (None: still)."""

    subject: bytes
    account_id: int
    valid_from: date
    valid_to: date | None


def link(session: Session, *, scheme: str, subject: bytes, account_id: int, valid_from: date) -> None:
    """This account answers to the identifier from a day on. Raises `IdentifierLinked`."""
    connection = connection_of(session)
    try:
        with connection.transaction():
            connection.execute(
                "INSERT INTO link (scheme, subject, account_id, valid_from) VALUES (%s, %s, %s, %s)",
                (scheme, subject, account_id, valid_from),
            )
    except (psycopg.errors.ExclusionViolation, psycopg.errors.UniqueViolation):
        # Not "from error": the driver's message holds the blind index.
        raise IdentifierLinked(scheme=scheme, valid_from=valid_from) from None


def unlink(session: Session, scheme: str, subject: bytes, *, on: date) -> None:
    """The open link of an identifier holds no longer from a day on.

    A link that ends on the day it began never held.

    Raises `LinkMissing`, `LinkEndsTooEarly`.
    """
    connection = connection_of(session)
    words = {"scheme": scheme, "subject": subject, "on": on}
    row = connection.execute(_OPEN_LINK, words).fetchone()
    if row is None:
        raise LinkMissing(scheme=scheme)
    if on < row[0]:
        raise LinkEndsTooEarly(valid_from=row[0], on=on)
    connection.execute(_END, words | {"valid_from": row[0]})


_OPEN_LINK = (
    "SELECT valid_from FROM link WHERE scheme = %(scheme)s AND subject = %(subject)s AND valid_to IS NULL FOR UPDATE"
)
_END = """
UPDATE link SET valid_to = %(on)s
WHERE scheme = %(scheme)s AND subject = %(subject)s AND valid_from = %(valid_from)s
"""


def enrol(session: Session, scheme: str, subjects: Sequence[bytes], valid_from: date) -> int:
    """Open a person's account for each identifier that never had a holder, and link it; the number opened.

    Only the demonstration may do this: a real person is linked when they ask for it
    (Article 11). An identifier whose link has ended stays without one.

    Raises `EnrolmentForDemoOnly`.
    """
    connection = connection_of(session)
    row = connection.execute("SELECT profile FROM deployment").fetchone()
    assert row is not None
    if row[0] != "demo":
        raise EnrolmentForDemoOnly(profile=row[0])
    # Two enrolments at once would both see the same strangers.
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 440119))", (scheme,))
    strangers = [found for (found,) in connection.execute(_STRANGERS, (list(subjects), scheme))]
    if not strangers:
        return 0
    accounts = ledger.open_accounts(session, "person", count=len(strangers))
    connection.execute(_LINK_MANY, (scheme, valid_from, strangers, accounts))
    return len(strangers)


_STRANGERS = """
SELECT DISTINCT given.subject FROM unnest(%s::bytea[]) AS given (subject)
WHERE NOT EXISTS (SELECT FROM link WHERE link.scheme = %s AND link.subject = given.subject)
ORDER BY given.subject
"""
_LINK_MANY = """
INSERT INTO link (scheme, subject, account_id, valid_from)
SELECT %s, given.subject, given.account_id, %s FROM unnest(%s::bytea[], %s::bigint[]) AS given (subject, account_id)
"""


def accounts_of(session: Session, scheme: str) -> list[Link]:
    """Every link of a scheme, ended ones too, in the order of identifiers and days."""
    rows = connection_of(session).execute(
        "SELECT subject, account_id, valid_from, valid_to FROM link WHERE scheme = %s ORDER BY subject, valid_from",
        (scheme,),
    )
    return [Link(*row) for row in rows]


def write_links(session: Session, *, scheme: str, to: Path) -> None:
    """Write every link of a scheme to a CSV file without header, for an engine to join with.

    Columns: subject in hexadecimal, account, first day, first day after (empty: still
    holds). Streamed, so that a city's fifteen million links need no memory here.
    """
    statement = """
        COPY (SELECT encode(subject, 'hex'), account_id, valid_from, valid_to FROM link WHERE scheme = {}) TO STDOUT (FORMAT csv)
    """
    query = psycopg.sql.SQL(statement).format(psycopg.sql.Literal(scheme))
    with to.open("wb") as file, connection_of(session).cursor().copy(query) as rows:
        for block in rows:
            file.write(block)
