"""Giving."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, participants
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose


def give(
    session: Session, *, giver: int, receiver: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Give credits to another person, who is told. Raises what `ledger.post` raises, and `ledger.KindDiffers`."""
    ledger.require_kind(session, receiver, Kind.PERSON)
    posted = ledger.post(
        session, purpose=Purpose.GIVE, source=giver, target=receiver, amount=credits,
        reference=reference, business_date=business_date,
    )
    participants.announce_received(session, posted, account=receiver, credits=credits, purpose=Purpose.GIVE, on=business_date)
    return posted
