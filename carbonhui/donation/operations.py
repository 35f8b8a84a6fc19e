"""Donating."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, participants, policy
from carbonhui.core.amounts import Credits
from carbonhui.core.database import connection_of
from carbonhui.donation.campaigns import require_open
from carbonhui.donation.refusals import DonorNotTaken
from carbonhui.donation.rules import DONORS
from carbonhui.ledger import Kind, Purpose


@dataclass(frozen=True)
class Gift:
    """What somebody gave to a charity, for a campaign or for anything it does (``campaign_id`` None)."""

    transfer_id: int
    charity: int
    campaign_id: int | None
    credits: int
    business_date: date


def donate(
    session: Session, *, donor: int, charity: int, credits: Credits, reference: str, business_date: date, campaign: int | None = None
) -> ledger.Posted:
    """Give credits to a charity, for one of its campaigns or for anything it does; its endpoints are told.

    A merchant or department gives what it received and has not settled. The refusals are tried in this order:
    `ledger.KindDiffers` for what is no charity, `DonorNotTaken`, `participants.PersonRestricted`,
    `participants.OrganisationNotApproved` while the charity is suspended, the city's rule (`policy.NotPermitted`,
    `policy.RuleNotFound`), `CampaignUnknown`, `CampaignNotOpen`, and last what `ledger.post` raises. What was done under
    the same reference before is only told again.
    """
    ledger.require_kind(session, charity, Kind.CHARITY)
    kind = ledger.balance_of(session, donor).kind
    if kind not in DONORS:
        raise DonorNotTaken(kind=kind.name.lower())
    if ledger.transfer_under(session, reference) is None:
        _require_may(session, donor, kind, charity, campaign, business_date)
    posted = ledger.post(
        session, purpose=Purpose.DONATE, source=donor, target=charity, amount=credits,
        reference=reference, business_date=business_date,
    )
    _enter(session, posted, Gift(posted.id, charity, campaign, credits, business_date), donor, kind, reference)
    participants.announce_received(session, posted, account=charity, credits=credits, purpose=Purpose.DONATE, on=business_date)
    return posted


def _require_may(session: Session, donor: int, kind: Kind, charity: int, campaign: int | None, on: date) -> None:
    if kind == Kind.PERSON:
        _require_free(session, donor, on)
    participants.require_standing(session, charity)
    policy.require(session, policy.CREDITS_DONATABLE, on)
    if campaign is not None:
        require_open(session, campaign, charity=charity, on=on)


def _require_free(session: Session, account: int, on: date) -> None:
    try:
        person = participants.person_of_account(session, account)
    except participants.PersonUnknown:
        return
    participants.require_free(person, on)


def _enter(session: Session, posted: ledger.Posted, gift: Gift, donor: int, kind: Kind, reference: str) -> None:
    connection = connection_of(session)
    if posted.again:
        row = connection.execute("SELECT campaign_id FROM donation_gift WHERE transfer_id = %s", (posted.id,)).fetchone()
        if row != (gift.campaign_id,):
            raise ledger.ReferenceReused(reference=reference)
        return
    connection.execute(
        """INSERT INTO donation_gift (transfer_id, charity, campaign_id, giver, giver_kind, credits, business_date)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        (posted.id, gift.charity, gift.campaign_id, donor, int(kind), gift.credits, gift.business_date),
        prepare=True,
    )
    _tell(session, donor, kind, gift.credits)


def _tell(session: Session, donor: int, kind: Kind, credits: int) -> None:
    facts = {"credits": credits}
    if kind == Kind.PERSON:
        notifications.announce(session, "donation.made", payload=facts, account=donor)
        return
    row = connection_of(session).execute("SELECT id FROM organisation WHERE account_id = %s", (donor,)).fetchone()
    if row is not None:
        notifications.announce(session, "donation.made", payload=facts, organisation=row[0])


def gifts_of(session: Session, giver: int, *, before: int | None = None, limit: int = 50) -> list[Gift]:
    """What an account gave to charities, newest first; ``before`` is the last one's transfer of the page before."""
    rows = connection_of(session).execute(
        """SELECT transfer_id, charity, campaign_id, credits, business_date FROM donation_gift
           WHERE giver = %s AND transfer_id < coalesce(%s, 9223372036854775807) ORDER BY transfer_id DESC LIMIT %s""",
        (giver, before, limit),
    )
    return [Gift(*row) for row in rows]
