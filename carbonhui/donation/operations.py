"""Donating."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, participants
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose


def donate(
    session: Session, *, donor: int, charity: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Give credits to a charity; its endpoints are told.

    Raises what `ledger.post` raises, `ledger.KindDiffers`, and
    `participants.OrganisationNotApproved` while it is suspended.
    """
    ledger.require_kind(session, charity, Kind.CHARITY)
    participants.require_standing(session, charity, unless_done=reference)
    posted = ledger.post(
        session, purpose=Purpose.DONATE, source=donor, target=charity, amount=credits,
        reference=reference, business_date=business_date,
    )
    participants.announce_received(session, posted, account=charity, credits=credits, purpose=Purpose.DONATE, on=business_date)
    return posted
