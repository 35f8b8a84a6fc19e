"""What one member of staff asks and another answers; the record of both stays."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from carbonhui.approvals.refusals import AskedAlready, CountersignatureUnknown, OwnCountersignature
from carbonhui.core.database import connection_of


@dataclass(frozen=True)
class Countersignature:
    """What was asked about a subject (a row of the asking room), in which words, and the answer; None while it waits."""

    id: int
    kind: str
    subject: int
    words: dict[str, Any]
    reason: str
    asked_by: int
    asked_on: date
    answered_by: int | None
    agreed: bool | None
    answered_on: date | None


_COLUMNS = "id, kind, subject, words, reason, asked_by, asked_on, answered_by, agreed, answered_on"


def ask(
    session: Session, *, kind: str, subject: int, words: Mapping[str, Any], reason: str, by: int, on: date
) -> Countersignature:
    """Ask for a second signature; ``by`` is the number of the member of staff, whose role the room has looked at.

    Raises `AskedAlready` while the same subject waits for an answer of this kind.
    """
    connection = connection_of(session)
    try:
        with connection.transaction():
            row = connection.execute(
                f"""INSERT INTO countersignature (kind, subject, words, reason, asked_by, asked_on)
                    VALUES (%s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}""",
                (kind, subject, json.dumps(words, ensure_ascii=False), reason, by, on),
            ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise AskedAlready(kind=kind) from None
    assert row is not None
    return Countersignature(*row)


def answer(session: Session, number: int, *, kind: str, agreed: bool, by: int, on: date) -> Countersignature:
    """Agree or not, once. Raises `CountersignatureUnknown` for one that does not wait, `OwnCountersignature`."""
    connection = connection_of(session)
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM countersignature WHERE id = %s AND kind = %s AND answered_by IS NULL FOR UPDATE", (number, kind)
    ).fetchone()
    if row is None:
        raise CountersignatureUnknown(number=number)
    if Countersignature(*row).asked_by == by:
        raise OwnCountersignature(number=number)
    row = connection.execute(
        f"""UPDATE countersignature SET answered_by = %s, agreed = %s, answered_on = greatest(asked_on, %s)
            WHERE id = %s RETURNING {_COLUMNS}""",
        (by, agreed, on, number),
    ).fetchone()
    assert row is not None
    return Countersignature(*row)


def countersignature(session: Session, number: int) -> Countersignature:
    """What was asked under a number, and the answer. Raises `CountersignatureUnknown`."""
    row = connection_of(session).execute(f"SELECT {_COLUMNS} FROM countersignature WHERE id = %s", (number,)).fetchone()
    if row is None:
        raise CountersignatureUnknown(number=number)
    return Countersignature(*row)


def waiting_countersignatures(
    session: Session, *, kind: str | None = None, after: int = 0, limit: int = 50
) -> list[Countersignature]:
    """What waits for a second signature, oldest first."""
    rows = connection_of(session).execute(
        f"""SELECT {_COLUMNS} FROM countersignature
            WHERE answered_by IS NULL AND id > %s AND (%s::text IS NULL OR kind = %s) ORDER BY id LIMIT %s""",
        (after, kind, kind, limit),
    )
    return [Countersignature(*row) for row in rows]
