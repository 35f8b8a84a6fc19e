"""Taking a bill back: whoever used credits on it gets back exactly those that were used (Article 19)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications
from carbonhui.core.amounts import Credits
from carbonhui.core.database import connection_of
from carbonhui.ledger import Kind, Purpose
from carbonhui.participants import Organisation
from carbonhui.publicfees.bills import Bill, bill_by_handle, checked_number, one_at_a_time
from carbonhui.publicfees.operations import tell_person
from carbonhui.publicfees.refusals import (
    BillTakenBack,
    NotDepartment,
    OffsetPurchased,
    OffsetUndoneBefore,
    OffsetUnknown,
)

#: Issued wrongly, or paid and given back.
CAUSES = ("cancelled", "refunded")


@dataclass(frozen=True)
class Undone:
    """The credits of an undone offset and where they went; ``again`` when it had been undone before."""

    transfer: int
    credits: Credits
    returned: bool
    again: bool


@dataclass(frozen=True)
class _Offset:
    id: int
    credits: Credits
    offset_fen: int
    resident: int
    bill_id: int | None
    purchase_id: int | None
    undone_transfer: int | None
    undone_because: str | None


def undo_offset(
    session: Session, *, department: int, bill: str, because: str, reference: str, business_date: date
) -> Undone:
    """Give back the credits that were used on a bill; the bill, if it was presented, is taken back with that.

    As many credits come back as were used. An account that was closed meanwhile gets
    nothing back: then the credits go to the cancellation pool, because nobody can ask
    for them. A bill whose offset was undone is never offset again. What the year-end
    purchase paid for stays: the credits are cancelled and the department gives the fen
    back in money.

    The refusals are tried in this order: `BillInvalid`, `OffsetUnknown`, `OffsetUndoneBefore`, `OffsetPurchased`, then
    `ledger.NotEnough` when the department gave its credits away, and the rest that `ledger.post` refuses.
    """
    assert because in CAUSES
    checked_number(bill)
    one_at_a_time(session, department, bill)
    found = _locked(session, department, bill)
    if found.undone_transfer is not None:
        return _undone_before(session, found, bill, because, reference)
    if found.purchase_id is not None:
        raise OffsetPurchased(bill=bill, credits=found.credits, offset_fen=found.offset_fen)
    posted, returned = _given_back(session, found, department, reference, business_date)
    if posted.again:
        raise ledger.ReferenceReused(reference=reference)
    connection = connection_of(session)
    connection.execute(
        "UPDATE bill_offset SET undone_transfer = %s, undone_on = %s, undone_because = %s WHERE id = %s",
        (posted.id, business_date, because, found.id),
    )
    if found.bill_id is not None:
        _close(session, found.bill_id, because, business_date)
    if returned:
        tell_person(session, found.resident, "bill.undone", {"credits": found.credits, **_of_bill(session, found.bill_id)})
    return Undone(posted.id, found.credits, returned, again=False)


def _locked(session: Session, department: int, bill: str) -> _Offset:
    # The row is locked, so that a purchase that comes at the same time sees it undone or has bought it.
    row = connection_of(session).execute(
        """SELECT s.id, s.credits, s.offset_fen, t.debit, s.bill_id, s.purchase_id, s.undone_transfer, s.undone_because
           FROM bill_offset s JOIN transfer t ON t.id = s.transfer_id
           WHERE s.department = %s AND s.bill = %s FOR NO KEY UPDATE OF s""",
        (department, bill),
    ).fetchone()
    if row is None:
        raise OffsetUnknown(bill=bill)
    return _Offset(*row)


def _undone_before(session: Session, found: _Offset, bill: str, because: str, reference: str) -> Undone:
    made = ledger.transfer_under(session, reference)
    if made is None or made.id != found.undone_transfer or found.undone_because != because:
        raise OffsetUndoneBefore(bill=bill, because=found.undone_because)
    return Undone(made.id, found.credits, made.target == found.resident, again=True)


def _given_back(
    session: Session, found: _Offset, department: int, reference: str, on: date
) -> tuple[ledger.Posted, bool]:
    """Back to whoever used them; to the cancellation pool when that account is closed, which is not done meanwhile."""
    ledger.lock_accounts(session, department, found.resident)
    closed = ledger.balance_of(session, found.resident).closed
    target = ledger.system_account(session, Kind.CANCELLATION_POOL) if closed else found.resident
    posted = ledger.post(
        session, purpose=Purpose.ABANDON if closed else Purpose.REFUND, source=department, target=target,
        amount=found.credits, reference=reference, business_date=on,
    )  # fmt: skip
    return posted, not closed


def _of_bill(session: Session, number: int | None) -> dict[str, str]:
    row = connection_of(session).execute("SELECT handle FROM bill WHERE id = %s", (number,)).fetchone()
    return {"bill": str(row[0])} if row else {}


def _close(session: Session, number: int, because: str, on: date) -> None:
    connection_of(session).execute(
        "UPDATE bill SET state = %s, taken_back_on = greatest(presented_on, %s) WHERE id = %s AND state = 'open'", (because, on, number)
    )


def take_back_bill(session: Session, organisation: Organisation, handle: UUID, *, because: str, on: date) -> Bill:
    """A department cancels a bill, or gave its payer the money back; credits that were used on it go back with that.

    Once; for the same reason again it changes nothing. Whoever has it in the list is
    told. Part of a bill is not taken back: cancel it and present another number.
    A suspended department may.

    Raises `NotDepartment`, `BillUnknown`, `BillTakenBack`, and what `undo_offset` raises.
    """
    assert because in CAUSES
    if organisation.kind != "department" or organisation.account_id is None:
        raise NotDepartment(kind=organisation.kind)
    found = bill_by_handle(session, handle, department=organisation.account_id)
    one_at_a_time(session, found.department, found.number)
    found = bill_by_handle(session, handle, department=organisation.account_id)
    if found.state == because:
        return found
    if found.state != "open":
        raise BillTakenBack(bill=found.number, state=found.state)
    if found.used is None:
        _close(session, found.id, because, on)
    else:
        undo_offset(
            session, department=found.department, bill=found.number, because=because,
            reference=f"bill-undone-{found.handle}", business_date=on,
        )  # fmt: skip
    _tell_all(session, found, organisation.id)
    return bill_by_handle(session, handle, department=organisation.account_id)


_WHOM = """
SELECT account_id FROM bill_shown WHERE bill_id = %(bill)s
AND account_id NOT IN (SELECT t.debit FROM bill_offset s JOIN transfer t ON t.id = s.transfer_id WHERE s.bill_id = %(bill)s)
ORDER BY account_id
"""


def _tell_all(session: Session, bill: Bill, organisation: int) -> None:
    """Everybody in whose list it stands and who was not told of credits that came back, and the department's endpoints."""
    facts = {"bill": str(bill.handle), "total_fen": bill.total_fen}
    for (account,) in connection_of(session).execute(_WHOM, {"bill": bill.id}).fetchall():
        tell_person(session, account, "bill.taken_back", facts)
    notifications.announce(session, "bill.taken_back", payload=facts, organisation=organisation, key=f"bill-{bill.id}")
