"""Donating."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, participants
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose


def donate(
    session: Session, *, donor: int, charity: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Give credits to a charity.

    Raises what `ledger.post` raises, `ledger.KindDiffers`, and
    `participants.OrganisationNotApproved` while it is suspended.
    """
    ledger.require_kind(session, charity, Kind.CHARITY)
    participants.require_standing(session, charity, unless_done=reference)
    return ledger.post(
        session, purpose=Purpose.DONATE, source=donor, target=charity, amount=credits,
        reference=reference, business_date=business_date,
    )
