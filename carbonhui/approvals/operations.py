"""Proposing a matter, deciding it, reading the record."""

import json
from dataclasses import dataclass
from datetime import datetime

import psycopg
from sqlalchemy.orm import Session

from carbonhui.approvals.refusals import (
    AlreadyDecided,
    BodyUnknown,
    DecisionIncomplete,
    DecisionOutOfOrder,
    MatterUnknown,
    OwnMatter,
    TwoBodies,
)
from carbonhui.core.database import connection_of

BODIES = ("expert_committee", "city", "province")


@dataclass(frozen=True)
class Decision:
    """What one body said, through whom, in which document."""

    body: str
    approved: bool
    decided_by: str
    document_number: str
    decided_at: datetime


@dataclass(frozen=True)
class Matter:
    """What was proposed, by whom, and what the bodies have said so far."""

    id: int
    kind: str
    title: str
    proposed_by: str
    proposed_at: datetime
    decisions: tuple[Decision, ...]

    @property
    def is_approved(self) -> bool:
        return len(self.decisions) == len(BODIES) and all(decision.approved for decision in self.decisions)


def propose(session: Session, *, kind: str, title: str, proposed_by: str) -> int:
    """Put a matter on the record; its number. Raises `DecisionIncomplete`."""
    _refuse_missing(proposer=proposed_by)
    row = connection_of(session).execute(
        "INSERT INTO matter (kind, title, proposed_by) VALUES (%s, %s, %s) RETURNING id", (kind, title, proposed_by)
    ).fetchone()
    assert row is not None
    return int(row[0])


def decide(
    session: Session, matter: int, *, body: str, approved: bool, decided_by: str, document_number: str
) -> None:
    """Record what one body decides.

    Raises `BodyUnknown`, `DecisionIncomplete`, `MatterUnknown`, `OwnMatter`, `TwoBodies`, `AlreadyDecided`,
    `DecisionOutOfOrder`.
    """
    if body not in BODIES:
        raise BodyUnknown(body=ascii(body)[:40])
    _refuse_missing(person=decided_by, document=document_number)
    found = _matter(session, matter)
    if decided_by == found.proposed_by:
        raise OwnMatter(person=decided_by, matter=matter)
    if any(decision.body == body for decision in found.decisions):
        raise AlreadyDecided(body=body, matter=matter)
    if any(decision.decided_by == decided_by for decision in found.decisions):
        raise TwoBodies(person=decided_by, matter=matter)
    try:
        connection_of(session).execute(
            """INSERT INTO decision (matter_id, body, approved, decided_by, document_number, proposed_by)
               VALUES (%s, %s, %s, %s, %s, %s)""",
            (matter, body, approved, decided_by, document_number, found.proposed_by),
        )
    except psycopg.Error as error:
        if error.diag.message_hint == DecisionOutOfOrder.code:
            raise DecisionOutOfOrder(**json.loads(error.diag.message_primary or "{}")) from error
        raise


def _refuse_missing(**texts: str) -> None:
    for field, text in texts.items():
        if not text.strip():
            raise DecisionIncomplete(field=field)


def matters(session: Session, *, kind: str | None = None) -> list[Matter]:
    """The record, oldest first; of one kind when asked."""
    ids = connection_of(session).execute(
        "SELECT id FROM matter WHERE %(kind)s::text IS NULL OR kind = %(kind)s ORDER BY id", {"kind": kind}
    ).fetchall()
    return [_matter(session, row[0]) for row in ids]


def _matter(session: Session, number: int) -> Matter:
    connection = connection_of(session)
    row = connection.execute(
        "SELECT id, kind, title, proposed_by, proposed_at FROM matter WHERE id = %s", (number,)
    ).fetchone()
    if row is None:
        raise MatterUnknown(matter=number)
    decisions = connection.execute(
        """SELECT body, approved, decided_by, document_number, decided_at FROM decision
           WHERE matter_id = %s ORDER BY decided_at""",
        (number,),
    )
    return Matter(
        id=row[0], kind=row[1], title=row[2], proposed_by=row[3], proposed_at=row[4],
        decisions=tuple(Decision(*decision) for decision in decisions),
    )
