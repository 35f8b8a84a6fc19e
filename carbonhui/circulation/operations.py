"""Giving, account to account."""

from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, participants, policy
from carbonhui.circulation.waiting import require_room, tell
from carbonhui.core.amounts import Credits
from carbonhui.ledger import Kind, Purpose


def give(
    session: Session, *, giver: int, receiver: int, credits: Credits, reference: str, business_date: date
) -> ledger.Posted:
    """Give credits to another person; both are told.

    The refusals are tried in this order: the city's rule (`policy.NotPermitted`,
    `policy.RuleNotFound`), `ledger.KindDiffers` for two that are not both persons, the holding
    limit (`ReceiverFull`), what `ledger.post` raises.
    """
    policy.require(session, policy.CREDITS_TRANSFERABLE, business_date)
    for account in (receiver, giver):
        ledger.require_kind(session, account, Kind.PERSON)
    require_room(session, giver, receiver, credits=credits, reference=reference, on=business_date)
    posted = ledger.post(
        session, purpose=Purpose.GIVE, source=giver, target=receiver, amount=credits,
        reference=reference, business_date=business_date,
    )
    participants.announce_received(session, posted, account=receiver, credits=credits, purpose=Purpose.GIVE, on=business_date)
    if not posted.again:
        tell(session, "gift.made", {giver: {"credits": credits, "on": business_date.isoformat()}})
    return posted
