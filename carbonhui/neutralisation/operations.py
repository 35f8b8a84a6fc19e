"""Retiring."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, participants
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose


def retire(
    session: Session, *, owner: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Retire credits: they never move again; their owner is told. Raises what `ledger.post` raises."""
    posted = take_out(session, owner=owner, credits=credits, reference=reference, business_date=business_date)
    participants.announce_spent(session, posted, account=owner, credits=credits, purpose=Purpose.RETIRE, on=business_date)
    return posted


def take_out(
    session: Session, *, owner: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """The movement alone: whoever retires for a certificate is told of the certificate."""
    retirement = ledger.system_account(session, Kind.RETIREMENT)
    return ledger.post(
        session, purpose=Purpose.RETIRE, source=owner, target=retirement, amount=credits,
        reference=reference, business_date=business_date,
    )
