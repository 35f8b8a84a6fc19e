"""Offsetting a bill: by hand over what the caller says it is, or as its department presented it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, participants, policy
from carbonhui.core.amounts import Credits, Fen, checked_amount
from carbonhui.core.database import connection_of
from carbonhui.ledger import Kind, Purpose
from carbonhui.publicfees.bills import Bill, bill_shown_to, checked_number, one_at_a_time, presented_bill
from carbonhui.publicfees.refusals import (
    BillDiffers,
    BillOffsetBefore,
    BillTakenBack,
    OffsetAboveCap,
    OffsetWorthNothing,
)
from carbonhui.publicfees.rules import offset_cap, useful_credits, worth

#: Whose credits pay a bill. A merchant's received ones are settled, a charity's were given for its campaigns.
PAYERS = (Kind.PERSON, Kind.ORGANISATION)


def offset_bill(
    session: Session,
    *,
    resident: int,
    department: int,
    bill: str,
    bill_fen: Fen,
    credits: Credits,
    reference: str,
    business_date: date,
) -> ledger.Posted:
    """Pay part of a bill with ``credits`` at par; the resident is told, and the department's endpoints are.

    The refusals are tried in this order, and only the first is told: the words
    (`AmountNotWhole`, `AmountOutOfRange`, `BillInvalid`, `ledger.KindDiffers`), a
    suspended department (`participants.OrganisationNotApproved`), a presented bill of
    this number (`BillDiffers`, `BillTakenBack`), the cap (`OffsetWorthNothing`,
    `OffsetAboveCap`), then the resident's balance and the rest that `ledger.post`
    refuses, then a bill that was offset before (`BillOffsetBefore`).
    """
    checked_amount(bill_fen)
    checked_amount(credits)
    checked_number(bill)
    ledger.require_kind(session, department, Kind.DEPARTMENT)
    participants.require_standing(session, department, unless_done=reference)
    one_at_a_time(session, department, bill)
    presented = _as_presented(session, department, bill, bill_fen, unless_done=reference)
    offset_fen = _checked_worth(session, credits, bill_fen, business_date)
    posted = ledger.post(
        session, purpose=Purpose.OFFSET, source=resident, target=department, amount=credits,
        reference=reference, business_date=business_date,
    )
    words = (department, bill, bill_fen, offset_fen, credits, posted.id, business_date, presented.id if presented else None)
    _remember(session, posted, words, reference)
    participants.announce_received(session, posted, account=department, credits=credits, purpose=Purpose.OFFSET, on=business_date)
    if not posted.again:
        _tell(session, resident, presented, {"credits": credits, "offset_fen": offset_fen})
    return posted


def _as_presented(session: Session, department: int, number: str, bill_fen: Fen, *, unless_done: str) -> Bill | None:
    """The bill that the department presented under this number; None for one that it never did."""
    found = presented_bill(session, department, number)
    if found is None:
        return None
    if found.total_fen != bill_fen:
        raise BillDiffers(bill=number, total_fen=found.total_fen, given_fen=bill_fen)
    if found.state != "open" and ledger.transfer_under(session, unless_done) is None:
        raise BillTakenBack(bill=number, state=found.state)
    return found


def _checked_worth(session: Session, credits: Credits, bill_fen: Fen, day: date) -> Fen:
    par = policy.number_on(session, policy.PAR, day)
    cap_fen = offset_cap(bill_fen, percent=policy.number_on(session, policy.OFFSET_CAP, day))
    offset_fen = worth(credits, par_fen_per_1000=par)
    if offset_fen > cap_fen:
        raise OffsetAboveCap(credits=credits, asked_fen=offset_fen, bill_fen=bill_fen, cap_fen=cap_fen)
    if offset_fen < 1:
        raise OffsetWorthNothing(credits=credits)
    return offset_fen


def _remember(session: Session, posted: ledger.Posted, words: tuple[Any, ...], reference: str) -> None:
    connection = connection_of(session)
    added = connection.execute(
        """INSERT INTO bill_offset (department, bill, total_fen, offset_fen, credits, transfer_id, day, bill_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id""",
        words,
    ).fetchone()
    if added is not None:
        return
    department, bill, bill_fen = words[:3]
    found = connection.execute(
        "SELECT transfer_id, total_fen, credits FROM bill_offset WHERE department = %s AND bill = %s", (department, bill)
    ).fetchone()
    if found is None or (posted.again and found[0] == posted.id and found[1] != bill_fen):
        raise ledger.ReferenceReused(reference=reference)
    if found[0] != posted.id:
        raise BillOffsetBefore(bill=bill, credits=found[2])


def _tell(session: Session, resident: int, presented: Bill | None, facts: dict[str, Any]) -> None:
    if presented is not None:
        facts = {**facts, "bill": str(presented.handle)}
        notifications.announce(
            session, "bill.offset", payload=facts, organisation=presented.organisation_id, key=f"bill-{presented.id}"
        )
    tell_person(session, resident, "bill.offset", facts)


def tell_person(session: Session, account: int, topic: str, facts: dict[str, Any]) -> None:
    """Put a message into the inbox of the person whose account this is; accounts of nobody known are told nothing."""
    with suppress(participants.PersonUnknown):
        if participants.person_of_account(session, account).state != "erased":
            notifications.announce(session, topic, payload=facts, account=account)


# As the department presented it -------------------------------------------------------------------


@dataclass(frozen=True)
class Terms:
    """How much of a bill credits may pay on a day, and how many of the payer's own are of use for it."""

    total_fen: Fen
    cap_percent: int
    cap_fen: Fen
    par_fen_per_1000: int
    most_credits: Credits
    available: Credits
    useful: Credits
    useful_fen: Fen


def offset_terms(session: Session, handle: UUID, *, payer: int, on: date) -> Terms:
    """What an offset would be, before it is made.

    Raises `BillUnknown`, `ledger.KindDiffers`, `BillTakenBack`, `BillOffsetBefore`, `participants.OrganisationNotApproved`,
    and `policy.NotInForce` before par or cap is.
    """
    _require_payer(session, payer)
    bill = bill_shown_to(session, payer, handle)
    _require_open(bill)
    participants.require_standing(session, bill.department)
    par, percent = policy.number_on(session, policy.PAR, on), policy.number_on(session, policy.OFFSET_CAP, on)
    cap_fen = offset_cap(bill.total_fen, percent=percent)
    available = Credits(ledger.balance_of(session, payer).available)
    most = useful_credits(Credits((cap_fen + 1) * 1000), cap_fen, par_fen_per_1000=par)
    useful = useful_credits(available, cap_fen, par_fen_per_1000=par)
    return Terms(bill.total_fen, percent, cap_fen, par, most, available, useful, worth(useful, par_fen_per_1000=par))


def offset_presented_bill(session: Session, handle: UUID, *, payer: int, credits: Credits, business_date: date) -> Bill:
    """Pay part of a bill of one's own list; the same payer with the same credits again is the same offset.

    Raises `BillUnknown`, `BillOffsetBefore`, and what `offset_bill` raises.
    """
    checked_amount(credits)
    _require_payer(session, payer)
    bill = bill_shown_to(session, payer, handle)
    one_at_a_time(session, bill.department, bill.number)
    bill = bill_shown_to(session, payer, handle)
    if bill.used is not None and bill.used.undone_on is None and _is_by(session, bill, payer, credits):
        return bill
    _require_open(bill)
    offset_bill(
        session, resident=payer, department=bill.department, bill=bill.number, bill_fen=bill.total_fen, credits=credits,
        reference=f"bill-offset-{bill.handle}", business_date=business_date,
    )  # fmt: skip
    return bill_shown_to(session, payer, handle)


def _require_payer(session: Session, payer: int) -> None:
    kind = ledger.balance_of(session, payer).kind
    if kind not in PAYERS:
        raise ledger.KindDiffers(account=payer, kind=kind.name.lower(), wanted=Kind.PERSON.name.lower())


def _require_open(bill: Bill) -> None:
    if bill.state != "open":
        raise BillTakenBack(bill=bill.number, state=bill.state)
    if bill.used is not None:
        raise BillOffsetBefore(bill=bill.number, credits=bill.used.credits)


def _is_by(session: Session, bill: Bill, payer: int, credits: Credits) -> bool:
    row = connection_of(session).execute(
        """SELECT FROM bill_offset s JOIN transfer t ON t.id = s.transfer_id
           WHERE s.department = %s AND s.bill = %s AND t.debit = %s AND t.amount = %s""",
        (bill.department, bill.number, payer, credits),
    ).fetchone()
    return row is not None
