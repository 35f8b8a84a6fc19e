"""Redeeming."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, participants
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose


def redeem(
    session: Session, *, payer: int, merchant: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Pay a merchant in credits; its endpoints are told, and the payer.

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
    participants.announce_spent(session, posted, account=payer, credits=credits, purpose=Purpose.REDEEM, on=business_date)
    return posted
