"""Giving."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose


def give(
    session: Session, *, giver: int, receiver: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Give credits to another person. Raises what `ledger.post` raises, and `ledger.KindDiffers`."""
    ledger.require_kind(session, receiver, Kind.PERSON)
    return ledger.post(
        session, purpose=Purpose.GIVE, source=giver, target=receiver, amount=credits,
        reference=reference, business_date=business_date,
    )
