"""Refunds: what was captured goes back to who paid, in parts if the merchant likes (Articles 18, 20).

Before settlement a refund comes out of what the merchant still has. After it, those
credits are cancelled and never come out of the pool: a refund is then a fresh decision
of an owner or manager, and is paid out of what the merchant received since.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, policy
from carbonhui.core.amounts import checked_amount
from carbonhui.core.clock import CITY_TIME
from carbonhui.core.database import BeginAgain, connection_of
from carbonhui.ledger import Purpose
from carbonhui.merchants import charge_refusals as refusals
from carbonhui.merchants.charge_records import Charge, checked_number, locked
from carbonhui.merchants.charge_steps import give_back_offer, tells_payer
from carbonhui.merchants.settlements import settled


@dataclass(frozen=True)
class Refund:
    """One refund of a charge, under the merchant's own number of it."""

    id: int
    charge_id: int
    out_refund_no: str
    credits: int
    transfer_id: int
    after_settlement: bool
    at: datetime
    business_date: date


_COLUMNS = ", ".join(Refund.__dataclass_fields__)


def refund(
    session: Session, charge: Charge, *, out_refund_no: str, credits: int, on: date, after_settlement: bool = False
) -> tuple[Refund, bool]:
    """Give back part or all of a capture; the refund, and whether it was there already.

    A suspended merchant may refund too. ``after_settlement`` is for an owner or manager
    alone, which the face sees to. Raises, in this order: `OutTradeNoInvalid`,
    `AmountOutOfRange`, `OutRefundNoReused`, `ChargeStateDiffers`, `RefundAboveCapture`,
    `RefundTooLate`, `ChargeSettled`, `ledger.NotEnough` (of the merchant), `PayerCannotReceive`.
    """
    checked_number(out_refund_no)
    checked_amount(credits)
    found = locked(session, charge)
    before = _under_number(session, found, out_refund_no)
    if before is not None:
        if (before.charge_id, before.credits) != (found.id, credits):
            raise refusals.OutRefundNoReused(out_refund_no=out_refund_no)
        return before, True
    _require_refundable(session, found, credits, on)
    assert found.payer is not None and found.transfer_id is not None
    whole = found.refunded + credits == found.captured
    if whole:
        give_back_offer(session, found)
    # A settlement locks the merchant's account too: it lists the capture wholly before or wholly after this.
    ledger.lock_accounts(session, found.merchant, found.payer)
    is_settled = settled(session, found.transfer_id)
    if is_settled and not after_settlement:
        raise refusals.ChargeSettled()
    made = _entered(session, found, out_refund_no, credits, on, is_settled)
    told = found.told(credits)
    notifications.announce(session, "charge.refunded", payload=told, organisation=found.organisation, key=str(found.handle))
    if tells_payer(session, found):
        notifications.announce(session, "payment.refunded", payload=told, account=found.payer)
    return made, False


def _require_refundable(session: Session, found: Charge, credits: int, on: date) -> None:
    if found.state != "captured":
        raise refusals.ChargeStateDiffers(state=found.state, wanted="captured")
    remaining = found.captured - found.refunded
    if credits > remaining:
        raise refusals.RefundAboveCapture(asked=credits, remaining=remaining, captured=found.captured)
    assert found.captured_at is not None
    days = policy.rule_on(session, policy.REFUND_DAYS, on)
    captured_on = max(found.captured_at.astimezone(CITY_TIME).date(), found.business_date)
    if on > captured_on + timedelta(days=days):
        raise refusals.RefundTooLate(captured_on=captured_on, days=days)


def _entered(session: Session, found: Charge, out_refund_no: str, credits: int, on: date, is_settled: bool) -> Refund:
    assert found.payer is not None
    connection = connection_of(session)
    try:
        posted = ledger.post(
            session, purpose=Purpose.REFUND, source=found.merchant, target=found.payer, amount=credits, asset=found.asset,
            reference=f"refund:{found.handle}:{out_refund_no}", business_date=on,
        )  # fmt: skip
    except (ledger.AccountClosed, ledger.AboveHoldingLimit):
        raise refusals.PayerCannotReceive() from None
    row = connection.execute(
        f"""INSERT INTO charge_refund (charge_id, organisation, asset, out_refund_no, credits, transfer_id, after_settlement, business_date)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (organisation, asset, out_refund_no) DO NOTHING RETURNING {_COLUMNS}""",
        (found.id, found.organisation, found.asset, out_refund_no, credits, posted.id, is_settled, on), prepare=True,
    ).fetchone()  # fmt: skip
    if row is None:
        raise BeginAgain
    taken = connection.execute(
        "UPDATE charge SET refunded = refunded + %s WHERE id = %s AND refunded + %s <= captured", (credits, found.id, credits), prepare=True
    )
    assert taken.rowcount == 1, "the charge is locked"
    return Refund(*row)


def _under_number(session: Session, charge: Charge, out_refund_no: str) -> Refund | None:
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM charge_refund WHERE organisation = %s AND asset = %s AND out_refund_no = %s",
        (charge.organisation, charge.asset, out_refund_no), prepare=True,
    ).fetchone()  # fmt: skip
    return Refund(*row) if row else None


def refunds_of(session: Session, charge: Charge) -> list[Refund]:
    """A charge's refunds, oldest first."""
    rows = connection_of(session).execute(f"SELECT {_COLUMNS} FROM charge_refund WHERE charge_id = %s ORDER BY id", (charge.id,))
    return [Refund(*row) for row in rows]
