"""Redeeming and settling."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, participants
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose
from carbonhui.merchants.refusals import NothingToSettle


def redeem(
    session: Session, *, payer: int, merchant: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Pay a merchant in credits; its endpoints are told.

    Raises what `ledger.post` raises, `ledger.KindDiffers`, and
    `participants.OrganisationNotApproved` while it is suspended.
    """
    ledger.require_kind(session, merchant, Kind.MERCHANT)
    participants.require_standing(session, merchant, unless_done=reference)
    posted = ledger.post(
        session, purpose=Purpose.REDEEM, source=payer, target=merchant, amount=credits,
        reference=reference, business_date=business_date,
    )
    participants.announce_received(session, posted, account=merchant, credits=credits, purpose=Purpose.REDEEM, on=business_date)
    return posted


def settle(session: Session, *, merchant: int, reference: str, business_date: date) -> ledger.Posted:
    """Move what a merchant has received, and has not promised, to the cancellation pool (Article 20).

    The same reference again returns the first settlement, whatever the merchant
    holds by then. Raises `NothingToSettle`, `ledger.KindDiffers`, and what `ledger.post` raises.
    """
    ledger.require_kind(session, merchant, Kind.MERCHANT)
    pool = ledger.system_account(session, Kind.CANCELLATION_POOL)
    before = ledger.transfer_under(session, reference)
    amount = before.amount if before else ledger.balance_of(session, merchant).available
    if amount < 1:
        raise NothingToSettle(merchant=merchant)
    return ledger.post(
        session, purpose=Purpose.SETTLE, source=merchant, target=pool, amount=amount,
        reference=reference, business_date=business_date,
    )
