"""Bills as departments present them and residents find them; who pays one is known by a digest under a key only."""

import hmac
import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import notifications, privacy
from carbonhui.core.amounts import Fen, checked_amount
from carbonhui.core.database import connection_of
from carbonhui.participants import Organisation, Person
from carbonhui.publicfees.fee_items import approved_department, billable
from carbonhui.publicfees.refusals import (
    BillInvalid,
    BillNumberReused,
    BillOffsetBefore,
    BillTriedTooOften,
    BillUnknown,
    NotDepartment,
)

#: A household has a handful of bills, and makes slips.
TRIES_A_DAY = 20
_NUMBER = re.compile(r"[!-~]{1,100}", re.ASCII)
_PAYER = "bill-payer"
_PAYER_LONGEST = 100


@dataclass(frozen=True)
class UsedCredits:
    """What credits paid of a bill; ``undone_on`` is the day on which they went back, or None."""

    credits: int
    offset_fen: int
    on: date
    undone_on: date | None


@dataclass(frozen=True)
class Bill:
    """A presented bill with its department and fee item. ``state`` is ``open``, ``cancelled`` or ``refunded``."""

    id: int
    handle: UUID
    department: int
    number: str
    total_fen: Fen
    due_on: date
    presented_on: date
    state: str
    organisation_id: int
    organisation: UUID
    organisation_name: str
    item_code: str
    item_zh: str
    item_en: str
    legal_basis: str
    used: UsedCredits | None

    @property
    def payable_fen(self) -> int:
        """What is to be paid in money: the total less what credits paid; nothing of a bill that was taken back."""
        if self.state != "open":
            return 0
        return self.total_fen - (self.used.offset_fen if self.used and self.used.undone_on is None else 0)


@dataclass(frozen=True)
class Presented:
    """A bill that was presented; ``again`` when it had been before."""

    bill: Bill
    again: bool


_SELECT = """
SELECT b.id, b.handle, b.department, b.number, b.total_fen, b.due_on, b.presented_on, b.state,
       o.id, o.handle, o.name, f.code, f.title_zh, f.title_en, f.legal_basis, s.credits, s.offset_fen, s.day, s.undone_on
FROM bill b JOIN organisation o ON o.account_id = b.department JOIN fee_item f ON f.id = b.fee_item
LEFT JOIN bill_offset s ON s.department = b.department AND s.bill = b.number
"""


def _bill(row: Any) -> Bill:
    used = UsedCredits(*row[15:]) if row[15] is not None else None
    return Bill(*(*row[:15], used))


def _one(session: Session, condition: str, *words: Any) -> Bill | None:
    row = connection_of(session).execute(f"{_SELECT} WHERE {condition}", words).fetchone()
    return _bill(row) if row else None


def checked_number(number: str) -> str:
    """The same number of a bill. Raises `BillInvalid`."""
    if not isinstance(number, str) or _NUMBER.fullmatch(number) is None:
        raise BillInvalid(bill=ascii(number)[:40])
    return number


def one_at_a_time(session: Session, department: int, number: str) -> None:
    """Let nobody else present, offset or take back this bill until the transaction ends."""
    connection_of(session).execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 440127))", (f"{department} {number}",))


# Presenting ---------------------------------------------------------------------------------------


def present_bill(
    session: Session, vault: privacy.Vault, organisation: Organisation, *, number: str, fee_item: str, total_fen: Fen,
    payer_reference: str, due_on: date, on: date, addressee: Person | None = None,
) -> Presented:  # fmt: skip
    """A department presents a bill for one of its approved fee items; whom it is addressed to finds it in the inbox.

    ``payer_reference`` is what the payer is called in the department's own books (a
    contract, a meter): only its digest is kept. The same number with the same words is
    the same bill, now also addressed to ``addressee`` unless it was taken back.

    Raises `NotDepartment`, `BillInvalid`, `AmountNotWhole`, `AmountOutOfRange`, `privacy.TextRefused`, `BillNumberReused`,
    `participants.OrganisationNotApproved`, `FeeItemUnknown`, `FeeItemNotApproved`, and `BillOffsetBefore` for a number
    that was offset by hand.
    """
    checked_amount(total_fen)
    checked_number(number)
    payer = _digests(vault, organisation.handle, payer_reference)
    if organisation.kind != "department":
        raise NotDepartment(kind=organisation.kind)
    if organisation.account_id is not None:
        one_at_a_time(session, organisation.account_id, number)
    found = _presented_before(session, organisation, number, (fee_item, total_fen, due_on), payer)
    bill = found or _entered(session, organisation, number, fee_item, (total_fen, payer[0], due_on, on))
    to = addressee if bill.state == "open" and addressee is not None and addressee.state != "erased" else None
    if to is not None and _show(session, bill, to.account_id, addressed=True, on=on):
        facts = {"bill": str(bill.handle), "total_fen": bill.total_fen, "due_on": bill.due_on.isoformat()}
        notifications.announce(session, "bill.presented", payload=facts, account=to.account_id)
    return Presented(bill, again=found is not None)


def _presented_before(
    session: Session, organisation: Organisation, number: str, words: tuple[str, int, date], payer: list[bytes]
) -> Bill | None:
    found = _one(session, "b.department = %s AND b.number = %s", organisation.account_id, number)
    if found is not None and ((found.item_code, found.total_fen, found.due_on) != words or not _is_payer(session, found.id, payer)):
        raise BillNumberReused(bill=number)
    return found


def _entered(session: Session, organisation: Organisation, number: str, code: str, words: tuple[int, bytes, date, date]) -> Bill:
    department = approved_department(session, organisation)
    item = billable(session, department, code)
    connection = connection_of(session)
    by_hand = connection.execute(
        "SELECT credits FROM bill_offset WHERE department = %s AND bill = %s", (department.account_id, number)
    ).fetchone()
    if by_hand is not None:
        raise BillOffsetBefore(bill=number, credits=by_hand[0])
    connection.execute(
        """INSERT INTO bill (department, number, fee_item, total_fen, payer_digest, due_on, presented_on)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        (department.account_id, number, item.id, *words),
    )
    entered = _one(session, "b.department = %s AND b.number = %s", department.account_id, number)
    assert entered is not None
    return entered


def _show(session: Session, bill: Bill, account: int, *, addressed: bool, on: date) -> bool:
    """Put a bill into somebody's list; whether it was not there before."""
    return bool(connection_of(session).execute(
        "INSERT INTO bill_shown (account_id, bill_id, addressed, since) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (account, bill.id, addressed, on),
    ).rowcount)  # fmt: skip


# Who pays it --------------------------------------------------------------------------------------


def _digests(vault: privacy.Vault, department: UUID, payer_reference: str) -> list[bytes]:
    """What stands for a payer of a department, by every live key, newest first; spaces and small letters are no difference."""
    plain = privacy.clean_text(payer_reference, field="payer_reference", longest=_PAYER_LONGEST)
    return vault.digests(_PAYER, f"{department} {''.join(plain.split()).upper()}")


def _is_payer(session: Session, bill: int, payer: list[bytes]) -> bool:
    row = connection_of(session).execute("SELECT payer_digest FROM bill WHERE id = %s", (bill,)).fetchone()
    kept = bytes(row[0]) if row else b""
    # Every digest is compared, so that the time does not tell which one it was.
    right = [hmac.compare_digest(kept, one) for one in payer]
    return True in right


def look_up_bill(
    session: Session, vault: privacy.Vault, *, account: int, department: UUID, number: str, payer_reference: str, on: date
) -> Bill | BillUnknown | BillTriedTooOften:
    """Find a bill by what stands on its paper; from then on it is in the account's list.

    Each look-up is counted, so the refusals are returned and the face commits: `BillTriedTooOften`
    from the twenty-first of a day on, `BillUnknown` whichever of the three words is wrong.
    Raises `privacy.TextRefused`.
    """
    row = connection_of(session).execute(
        """INSERT INTO bill_try AS t (account_id, day, tries) VALUES (%s, %s, 1)
           ON CONFLICT (account_id, day) DO UPDATE SET tries = t.tries + 1 RETURNING tries""",
        (account, on),
    ).fetchone()
    assert row is not None
    if row[0] > TRIES_A_DAY:
        return BillTriedTooOften(tries=TRIES_A_DAY)
    found = _one(session, "o.handle = %s AND b.number = %s", department, number)
    if not _is_payer(session, found.id if found else 0, _digests(vault, department, payer_reference)) or found is None:
        return BillUnknown()
    _show(session, found, account, addressed=False, on=on)
    return found


# Reading ------------------------------------------------------------------------------------------


def bill_by_handle(session: Session, handle: UUID, *, department: int) -> Bill:
    """A department's own bill. Raises `BillUnknown`."""
    found = _one(session, "b.handle = %s AND b.department = %s", handle, department)
    if found is None:
        raise BillUnknown()
    return found


def presented_bill(session: Session, department: int, number: str) -> Bill | None:
    """The bill that a department presented under a number, if it did."""
    return _one(session, "b.department = %s AND b.number = %s", department, number)


def bills_of(
    session: Session, department: int, *, state: str | None = None, before: int | None = None, limit: int = 50
) -> list[Bill]:
    """What a department presented, newest first."""
    rows = connection_of(session).execute(
        f"""{_SELECT} WHERE b.department = %s AND b.id < coalesce(%s, 9223372036854775807) AND (%s::text IS NULL OR b.state = %s)
            ORDER BY b.id DESC LIMIT %s""",
        (department, before, state, state, limit),
    )
    return [_bill(row) for row in rows]


_SHOWN = "b.id IN (SELECT bill_id FROM bill_shown WHERE account_id = %s)"


def bills_shown_to(session: Session, account: int, *, before: int | None = None, limit: int = 50) -> list[Bill]:
    """The bills that were addressed to somebody or looked up by them, newest first."""
    rows = connection_of(session).execute(
        f"{_SELECT} WHERE {_SHOWN} AND b.id < coalesce(%s, 9223372036854775807) ORDER BY b.id DESC LIMIT %s", (account, before, limit)
    )
    return [_bill(row) for row in rows]


def bill_shown_to(session: Session, account: int, handle: UUID) -> Bill:
    """One bill of somebody's list. Raises `BillUnknown`, also for a bill that is there and stands in others' lists only."""
    found = _one(session, f"b.handle = %s AND {_SHOWN}", handle, account)
    if found is None:
        raise BillUnknown()
    return found


def forget_bills(session: Session, account: int) -> int:
    """Empty somebody's list, as an erasure does; what was offset stays in the books. How many bills stood in it."""
    connection = connection_of(session)
    connection.execute("DELETE FROM bill_try WHERE account_id = %s", (account,))
    return connection.execute("DELETE FROM bill_shown WHERE account_id = %s", (account,)).rowcount
