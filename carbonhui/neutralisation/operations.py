"""Retiring."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose


def retire(
    session: Session, *, owner: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Retire credits: they never move again. Raises what `ledger.post` raises."""
    retirement = ledger.system_account(session, Kind.RETIREMENT)
    return ledger.post(
        session, purpose=Purpose.RETIRE, source=owner, target=retirement, amount=credits,
        reference=reference, business_date=business_date,
    )
