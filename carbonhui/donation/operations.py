"""Donating."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose


def donate(
    session: Session, *, donor: int, charity: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Give credits to a charity. Raises what `ledger.post` raises, and `ledger.KindDiffers`."""
    ledger.require_kind(session, charity, Kind.CHARITY)
    return ledger.post(
        session, purpose=Purpose.DONATE, source=donor, target=charity, amount=credits,
        reference=reference, business_date=business_date,
    )
