"""How low-carbon a merchant is, A to D, as two of the staff agreed; and the alliance (Article 20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from carbonhui import approvals, notifications, participants, privacy
from carbonhui.core.database import connection_of
from carbonhui.merchants.shop_refusals import AllianceUnchanged, GradeSheetInvalid
from carbonhui.merchants.shops import require_merchant
from carbonhui.participants import Organisation, Staff

GRADES = ("A", "B", "C", "D")
KIND = "merchant_grade"
SHEET_LINES_MAX, POINTS_MAX = 20, 1_000
CRITERION_LONGEST, SOURCE_LONGEST, REASON_LONGEST = 60, 300, 500


@dataclass(frozen=True)
class Score:
    """One line of a score sheet: what was looked at, the points for it, and the most it could have."""

    criterion: str
    points: int
    most: int


@dataclass(frozen=True)
class Grade:
    """A merchant's grade from a day on, the sheet that it rests on, and the paper that says so."""

    id: int
    organisation_id: int
    grade: str
    from_day: date
    sheet: tuple[Score, ...]
    source: str


_COLUMNS = "id, organisation_id, grade, from_day, sheet, source"


def propose_grade(
    session: Session, organisation: Organisation, *, grade: str, sheet: Sequence[Score], source: str, reason: str,
    from_day: date, by: Staff, on: date,
) -> approvals.Countersignature:  # fmt: skip
    """A registrar asks for a grade from a day on; another of the staff answers.

    No rule computes the grade from the points: no approved one is known.
    Raises `participants.RoleMissing`, `NotAMerchant`, `participants.OrganisationNotApproved`, `GradeSheetInvalid`,
    `privacy.TextRefused`, `approvals.AskedAlready`.
    """
    assert grade in GRADES
    participants.require_role(session, by, "registrar")
    require_merchant(organisation)
    participants.require_approved(session, organisation.id)
    words = {
        "grade": grade, "from_day": from_day.isoformat(), "sheet": _checked(sheet),
        "source": privacy.clean_text(source, field="source", longest=SOURCE_LONGEST),
    }  # fmt: skip
    why = privacy.clean_text(reason, field="reason", longest=REASON_LONGEST)
    return approvals.ask(session, kind=KIND, subject=organisation.id, words=words, reason=why, by=by.id, on=on)


def _checked(sheet: Sequence[Score]) -> list[dict[str, Any]]:
    if not 1 <= len(sheet) <= SHEET_LINES_MAX or not all(0 <= one.points <= one.most <= POINTS_MAX and one.most for one in sheet):
        raise GradeSheetInvalid(most=SHEET_LINES_MAX, points_most=POINTS_MAX)
    return [
        {
            "criterion": privacy.clean_text(one.criterion, field="criterion", longest=CRITERION_LONGEST),
            "points": one.points, "most": one.most,
        }
        for one in sheet
    ]  # fmt: skip


def decide_grade(session: Session, number: int, *, agreed: bool, by: Staff, on: date) -> approvals.Countersignature:
    """An approver answers; an agreed grade is in force from its day on, but never from before the answer.

    Raises `participants.RoleMissing`, `approvals.CountersignatureUnknown`, `approvals.OwnCountersignature`, and when it is
    agreed `participants.OrganisationNotApproved`.
    """
    participants.require_role(session, by, "approver")
    answered = approvals.answer(session, number, kind=KIND, agreed=agreed, by=by.id, on=on)
    if agreed:
        participants.require_approved(session, answered.subject)
        _enter(session, answered)
    return answered


def _enter(session: Session, answered: approvals.Countersignature) -> None:
    words = answered.words
    assert answered.answered_on is not None
    from_day = max(date.fromisoformat(words["from_day"]), answered.answered_on)
    connection_of(session).execute(
        """INSERT INTO merchant_grade (organisation_id, grade, from_day, sheet, source, countersignature)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        (answered.subject, words["grade"], from_day, Jsonb(words["sheet"]), words["source"], answered.id),
    )
    notifications.announce(
        session, "merchant.graded", payload={"grade": words["grade"], "from_day": from_day.isoformat()},
        organisation=answered.subject, key=f"organisation-{answered.subject}",
    )  # fmt: skip


def grades_of(session: Session, organisation: Organisation) -> list[Grade]:
    """Every grade that a merchant was given, the newest first."""
    rows = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM merchant_grade WHERE organisation_id = %s ORDER BY from_day DESC, id DESC", (organisation.id,)
    )
    return [
        Grade(number, owner, grade, from_day, tuple(Score(**one) for one in sheet), source)
        for number, owner, grade, from_day, sheet, source in rows
    ]


def grade_on(session: Session, organisation: int, day: date) -> str | None:
    """The grade in force on a day; None before the first."""
    row = connection_of(session).execute("SELECT merchant_grade_on(%s, %s)", (organisation, day)).fetchone()
    return row[0] if row else None


# The alliance ---------------------------------------------------------------------------------------


def join_alliance(session: Session, organisation: Organisation, *, on: date) -> None:
    """An approved merchant joins the low-carbon business alliance.

    Raises `NotAMerchant`, `participants.OrganisationNotApproved`, `AllianceUnchanged`.
    """
    require_merchant(organisation)
    participants.require_approved(session, organisation.id)
    connection = connection_of(session)
    try:
        with connection.transaction():
            connection.execute("INSERT INTO alliance_membership (organisation_id, since) VALUES (%s, %s)", (organisation.id, on))
    except psycopg.errors.UniqueViolation:
        raise AllianceUnchanged(standing="in", standing_zh="已为") from None


def leave_alliance(session: Session, organisation: Organisation, *, on: date) -> None:
    """A merchant leaves the alliance. Raises `AllianceUnchanged`."""
    left = connection_of(session).execute(
        "UPDATE alliance_membership SET until = greatest(since, %s) WHERE organisation_id = %s AND until IS NULL", (on, organisation.id)
    ).rowcount
    if not left:
        raise AllianceUnchanged(standing="not in", standing_zh="不是")
