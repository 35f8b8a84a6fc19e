"""Offsetting a bill, and what the fund owes for it."""

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, participants, policy
from carbonhui.core.amounts import Credits, Fen, checked_amount
from carbonhui.core.database import connection_of
from carbonhui.ledger import Kind, Purpose
from carbonhui.publicfees.refusals import BillInvalid, BillOffsetBefore, OffsetAboveCap, OffsetWorthNothing
from carbonhui.publicfees.rules import offset_cap, worth

_BILL = re.compile(r"[!-~]{1,100}", re.ASCII)


@dataclass(frozen=True)
class Owed:
    """What the fund owes a department for offsets: the credits to take back, and their fen."""

    department: int
    credits: Credits
    fen: Fen
    bills: int


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
    """Pay part of a bill with ``credits`` at par; the department's endpoints are told.

    The refusals are tried in this order, and only the first is told: the words
    (`AmountNotWhole`, `AmountOutOfRange`, `BillInvalid`, `ledger.KindDiffers`), a
    suspended department (`participants.OrganisationNotApproved`), the cap
    (`OffsetWorthNothing`, `OffsetAboveCap`), then the resident's balance and the rest
    that `ledger.post` refuses, then a bill that was offset before (`BillOffsetBefore`).
    """
    checked_amount(bill_fen)
    checked_amount(credits)
    if _BILL.fullmatch(bill) is None:
        raise BillInvalid(bill=ascii(bill)[:40])
    ledger.require_kind(session, department, Kind.DEPARTMENT)
    participants.require_standing(session, department, unless_done=reference)
    offset_fen = _checked_worth(session, credits, bill_fen, business_date)
    posted = ledger.post(
        session, purpose=Purpose.OFFSET, source=resident, target=department, amount=credits,
        reference=reference, business_date=business_date,
    )
    _remember(session, posted, department, bill, bill_fen, offset_fen, credits, business_date, reference)
    participants.announce_received(session, posted, account=department, credits=credits, purpose=Purpose.OFFSET, on=business_date)
    return posted


def _checked_worth(session: Session, credits: Credits, bill_fen: Fen, day: date) -> Fen:
    par = policy.number_on(session, policy.PAR, day)
    cap_fen = offset_cap(bill_fen, percent=policy.number_on(session, policy.OFFSET_CAP, day))
    offset_fen = worth(credits, par_fen_per_1000=par)
    if offset_fen > cap_fen:
        raise OffsetAboveCap(credits=credits, asked_fen=offset_fen, bill_fen=bill_fen, cap_fen=cap_fen)
    if offset_fen < 1:
        raise OffsetWorthNothing(credits=credits)
    return offset_fen


def _remember(
    session: Session, posted: ledger.Posted, department: int, bill: str, bill_fen: Fen, offset_fen: Fen,
    credits: Credits, day: date, reference: str,
) -> None:
    connection = connection_of(session)
    added = connection.execute(
        """INSERT INTO bill_offset (department, bill, total_fen, offset_fen, credits, transfer_id, day)
           VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id""",
        (department, bill, bill_fen, offset_fen, credits, posted.id, day),
    ).fetchone()
    if added is not None:
        return
    found = connection.execute(
        "SELECT transfer_id, total_fen, credits FROM bill_offset WHERE department = %s AND bill = %s", (department, bill)
    ).fetchone()
    if found is None or (posted.again and found[0] == posted.id and found[1] != bill_fen):
        raise ledger.ReferenceReused(reference=reference)
    if found[0] != posted.id:
        raise BillOffsetBefore(bill=bill, credits=found[2])


def owed(session: Session, department: int, *, through: date) -> Owed:
    """What the fund owes a department for offsets up to a day that no purchase has paid."""
    row = connection_of(session).execute(
        """SELECT coalesce(sum(credits), 0)::bigint, coalesce(sum(offset_fen), 0)::bigint, count(*) FROM bill_offset
           WHERE department = %s AND day <= %s AND purchase_id IS NULL""",
        (department, through),
    ).fetchone()
    assert row is not None
    return Owed(department, Credits(row[0]), Fen(row[1]), row[2])


def mark_purchased(session: Session, department: int, *, through: date, purchase: int) -> int:
    """Remember which purchase paid the offsets up to a day; how many."""
    return connection_of(session).execute(
        "UPDATE bill_offset SET purchase_id = %s WHERE department = %s AND day <= %s AND purchase_id IS NULL",
        (purchase, department, through),
    ).rowcount
