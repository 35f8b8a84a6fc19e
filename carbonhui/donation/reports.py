"""What charities did with what they were given, for everybody to read."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import policy
from carbonhui.core.database import connection_of
from carbonhui.donation.campaigns import Campaign
from carbonhui.donation.refusals import CampaignUnknown, CampaignUsesMore, UseAlreadyRecorded, UseDiffers
from carbonhui.donation.rules import PURPOSE_OF, RULE_OF, left_after
from carbonhui.ledger import Kind, Purpose


@dataclass(frozen=True)
class Received:
    """What a campaign received from one kind of givers: how many gifts, how many credits."""

    kind: Kind
    gifts: int
    credits: int


@dataclass(frozen=True)
class Use:
    """A movement of the charity's that used what a campaign received; refunded ones came back."""

    transfer_id: int
    what: str
    credits: int
    business_date: date


@dataclass(frozen=True)
class Report:
    """What a campaign received and what became of it; ``left`` is not accounted for yet."""

    received: tuple[Received, ...]
    used: dict[str, int]
    left: int

    @property
    def credits(self) -> int:
        """All that was received."""
        return sum(one.credits for one in self.received)


@dataclass(frozen=True)
class Movement:
    """A transfer out of a charity's account, or a refund into it, and the campaign for which it is recorded."""

    id: int
    purpose: Purpose
    credits: int
    business_date: date
    campaign_id: int | None


# A gift that was taken back by a correction was none.
_RECEIVED = """
SELECT g.giver_kind, count(*), sum(g.credits)::bigint FROM donation_gift g
WHERE g.campaign_id = %s AND NOT EXISTS (SELECT FROM transfer r WHERE r.reverses = g.transfer_id)
GROUP BY g.giver_kind ORDER BY g.giver_kind
"""


def report_of(session: Session, campaign: Campaign) -> Report:
    """What a campaign received, by kind of givers, and what became of it; never who gave."""
    connection = connection_of(session)
    received = tuple(Received(Kind(kind), gifts, credits) for kind, gifts, credits in connection.execute(_RECEIVED, (campaign.id,)))
    used = dict(
        connection.execute(
            "SELECT what, sum(credits)::bigint FROM donation_use WHERE campaign_id = %s GROUP BY what ORDER BY what", (campaign.id,)
        ).fetchall()
    )
    return Report(received, used, left_after(sum(one.credits for one in received), used))


def campaign_uses(session: Session, campaign: Campaign, *, after: int = 0, limit: int = 100) -> list[Use]:
    """Each recorded use of a campaign, oldest first, from the one after a transfer on."""
    rows = connection_of(session).execute(
        """SELECT transfer_id, what, credits, business_date FROM donation_use
           WHERE campaign_id = %s AND transfer_id > %s ORDER BY transfer_id LIMIT %s""",
        (campaign.id, after, limit),
    )
    return [Use(*row) for row in rows]


def record_use(session: Session, charity: int, campaign: Campaign, transfer: int, what: str) -> Use:
    """Enter a transfer out of the charity's account as a use of what a campaign received; once, and never more than that.

    ``what`` is ``redeemed``, ``retired``, ``sold``, or ``refunded`` for what a merchant gave back. Nothing is a use that
    happened before the campaign's first gift. The refusals are tried in this order: `CampaignUnknown` for another's,
    the city's rule (`policy.NotPermitted`, `policy.RuleNotFound`), `UseDiffers`, `UseAlreadyRecorded`, `CampaignUsesMore`.
    """
    if campaign.charity != charity:
        raise CampaignUnknown()
    connection = connection_of(session)
    connection.execute("SELECT FROM donation_campaign WHERE id = %s FOR NO KEY UPDATE", (campaign.id,))
    found = _movement(session, charity, transfer)
    if found is not None and what in RULE_OF:
        policy.require(session, RULE_OF[what], found.business_date)
    if found is None or found.purpose != PURPOSE_OF[what] or not _given_before(session, campaign, transfer):
        raise UseDiffers(what=what)
    if found.campaign_id is not None:
        raise UseAlreadyRecorded()
    report = report_of(session, campaign)
    left = report.used.get("redeemed", 0) - report.used.get("refunded", 0) if what == "refunded" else report.left
    if found.credits > left:
        raise CampaignUsesMore(asked=found.credits, left=left)
    entered = connection.execute(
        """INSERT INTO donation_use (transfer_id, campaign_id, what, credits, business_date)
           VALUES (%s, %s, %s, %s, %s) ON CONFLICT (transfer_id) DO NOTHING""",
        (transfer, campaign.id, what, found.credits, found.business_date),
    ).rowcount
    if not entered:
        raise UseAlreadyRecorded()
    return Use(transfer, what, found.credits, found.business_date)


def _given_before(session: Session, campaign: Campaign, transfer: int) -> bool:
    """Whether anything had been given for a campaign when a movement was made."""
    row = connection_of(session).execute(
        "SELECT FROM donation_gift WHERE campaign_id = %s AND transfer_id < %s LIMIT 1", (campaign.id, transfer)
    ).fetchone()
    return row is not None


_MOVEMENT = """
SELECT t.id, t.purpose, t.amount, t.business_date, u.campaign_id
FROM transfer t LEFT JOIN donation_use u ON u.transfer_id = t.id
"""


def _movement(session: Session, charity: int, transfer: int) -> Movement | None:
    row = connection_of(session).execute(
        f"""{_MOVEMENT} WHERE t.id = %(transfer)s AND %(charity)s = CASE WHEN t.purpose = %(refund)s THEN t.credit ELSE t.debit END
            AND NOT EXISTS (SELECT FROM transfer r WHERE r.reverses = t.id)""",
        {"transfer": transfer, "charity": charity, "refund": int(Purpose.REFUND)},
    ).fetchone()
    return None if row is None else Movement(row[0], Purpose(row[1]), *row[2:])


def movements_of(session: Session, charity: int, *, before: int | None = None, limit: int = 50) -> list[Movement]:
    """What left a charity's account and what was refunded to it, newest first, each with the campaign that it is recorded for."""
    rows = connection_of(session).execute(
        f"""(({_MOVEMENT} WHERE t.debit = %(charity)s AND t.id < %(before)s ORDER BY t.id DESC LIMIT %(limit)s)
            UNION ALL ({_MOVEMENT} WHERE t.credit = %(charity)s AND t.purpose = %(refund)s AND t.id < %(before)s
                       ORDER BY t.id DESC LIMIT %(limit)s)) ORDER BY 1 DESC LIMIT %(limit)s""",
        {"charity": charity, "refund": int(Purpose.REFUND), "before": before or 2**63 - 1, "limit": limit},
    )
    return [Movement(row[0], Purpose(row[1]), *row[2:]) for row in rows]
