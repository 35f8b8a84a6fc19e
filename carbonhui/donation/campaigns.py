"""Charities' campaigns: proposed by the charity, opened by two of the staff."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import approvals, notifications, participants, privacy
from carbonhui.core.amounts import checked_amount
from carbonhui.core.database import connection_of
from carbonhui.donation.refusals import (
    CampaignDaysWrong,
    CampaignDecided,
    CampaignNotOpen,
    CampaignReasonMissing,
    CampaignUnknown,
)
from carbonhui.donation.rules import DAYS_LONGEST, PURPOSE_LONGEST, REASON_LONGEST, TITLE_LONGEST
from carbonhui.participants import Organisation, Staff

KIND = "donation_campaign"


@dataclass(frozen=True)
class Campaign:
    """What a charity asks credits for; ``charity`` is its account, ``goal_credits`` an aim that gifts may pass."""

    id: int
    handle: UUID
    organisation: int
    charity: int
    title: str
    title_en: str | None
    purpose: str
    purpose_en: str | None
    goal_credits: int | None
    first_day: date
    last_day: date
    state: str
    proposed_on: date
    ended_on: date | None

    def is_open(self, on: date) -> bool:
        """Whether it takes gifts on a day."""
        return self.state == "approved" and self.first_day <= on <= self.last_day


_COLUMNS = (
    "id, handle, organisation, charity, title, title_en, purpose, purpose_en, goal_credits, first_day, last_day, state, "
    "proposed_on, ended_on"
)


def propose_campaign(
    session: Session, charity: Organisation, *, title: str, purpose: str, first_day: date, last_day: date, on: date,
    title_en: str | None = None, purpose_en: str | None = None, goal_credits: int | None = None, by: int | None = None,
) -> Campaign:  # fmt: skip
    """A charity asks for credits for something; nothing is taken before two of the staff agreed.

    ``by`` is the number of the member who proposes it. Raises `participants.OrganisationNotApproved`,
    `CampaignDaysWrong`, `AmountOutOfRange`, `privacy.TextRefused`, and `CampaignUnknown` for an organisation that is no charity.
    """
    found = participants.require_approved(session, charity.id)
    if found.kind != "charity":
        raise CampaignUnknown()
    latest = on + timedelta(days=DAYS_LONGEST)
    if not on <= first_day <= last_day <= latest:
        raise CampaignDaysWrong(proposed_on=on, latest=latest)
    if goal_credits is not None:
        checked_amount(goal_credits)
    texts = (
        privacy.clean_text(title, field="title", longest=TITLE_LONGEST), _clean(title_en, "title_en", TITLE_LONGEST),
        privacy.clean_text(purpose, field="purpose", longest=PURPOSE_LONGEST), _clean(purpose_en, "purpose_en", PURPOSE_LONGEST),
    )  # fmt: skip
    row = (
        connection_of(session)
        .execute(
            f"""INSERT INTO donation_campaign (organisation, charity, proposed_by, title, title_en, purpose, purpose_en, goal_credits,
                                           first_day, last_day, proposed_on)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}""",
            (found.id, found.account_id, by, *texts, goal_credits, first_day, last_day, on),
        )
        .fetchone()
    )
    assert row is not None
    return Campaign(*row)


def _clean(text: str | None, field: str, longest: int) -> str | None:
    return None if text is None else privacy.clean_text(text, field=field, longest=longest)


def ask_campaign(session: Session, campaign: int, *, reason: str, by: Staff, on: date) -> approvals.Countersignature:
    """A registrar asks for the second signature under a proposed campaign.

    Raises `participants.RoleMissing`, `CampaignReasonMissing`, `CampaignUnknown`, `CampaignDecided`, `approvals.AskedAlready`.
    """
    participants.require_role(session, by, "registrar")
    if not 1 <= len(reason.strip()) <= REASON_LONGEST:
        raise CampaignReasonMissing(longest=REASON_LONGEST)
    found = _where(session, "id = %s FOR NO KEY UPDATE", campaign)
    if found.state != "proposed":
        raise CampaignDecided(state=found.state)
    words = {
        "organisation": found.organisation, "title": found.title, "title_en": found.title_en, "purpose": found.purpose,
        "purpose_en": found.purpose_en, "goal_credits": found.goal_credits, "first_day": found.first_day.isoformat(),
        "last_day": found.last_day.isoformat(),
    }  # fmt: skip
    why = privacy.clean_text(reason, field="reason", longest=REASON_LONGEST)
    return approvals.ask(session, kind=KIND, subject=found.id, words=words, reason=why, by=by.id, on=on)


def decide_campaign(session: Session, number: int, *, agreed: bool, by: Staff, on: date) -> Campaign:
    """An approver answers what a registrar asked under this number; what is agreed takes effect at once.

    Raises `participants.RoleMissing`, `approvals.CountersignatureUnknown`, `approvals.OwnCountersignature`, and
    `participants.OrganisationNotApproved` where the charity is suspended meanwhile.
    """
    participants.require_role(session, by, "approver")
    answered = approvals.answer(session, number, kind=KIND, agreed=agreed, by=by.id, on=on)
    found = _where(session, "id = %s FOR NO KEY UPDATE", answered.subject)
    if agreed:
        participants.require_approved(session, found.organisation)
    row = (
        connection_of(session)
        .execute(
            f"""UPDATE donation_campaign SET state = %s, decided_on = greatest(proposed_on, %s)
            WHERE id = %s AND state = 'proposed' RETURNING {_COLUMNS}""",
            ("approved" if agreed else "refused", on, found.id),
        )
        .fetchone()
    )
    assert row is not None, "a campaign is asked for only while it is proposed"
    notifications.announce(
        session, "donation.campaign_decided", payload={"campaign": str(found.handle), "outcome": "approved" if agreed else "refused"},
        organisation=found.organisation,
    )  # fmt: skip
    return Campaign(*row)


def end_campaign(session: Session, campaign: int, *, charity: Organisation, on: date) -> Campaign:
    """The charity ends its campaign before its last day; what it received may still be used and reported.

    Raises `CampaignUnknown`, also for another's, and `CampaignDecided` for one that is not approved.
    """
    found = _where(session, "id = %s FOR NO KEY UPDATE", campaign)
    if found.organisation != charity.id:
        raise CampaignUnknown()
    if found.state != "approved":
        raise CampaignDecided(state=found.state)
    row = (
        connection_of(session)
        .execute(f"UPDATE donation_campaign SET state = 'ended', ended_on = %s WHERE id = %s RETURNING {_COLUMNS}", (on, campaign))
        .fetchone()
    )
    assert row is not None
    return Campaign(*row)


def require_open(session: Session, campaign: int, *, charity: int, on: date) -> None:
    """Refuse a gift for what this charity does not collect for on a day. Raises `CampaignUnknown`, `CampaignNotOpen`."""
    found = _where(session, "id = %s", campaign)
    if found.charity != charity:
        raise CampaignUnknown()
    if not found.is_open(on):
        raise CampaignNotOpen(state=found.state, first_day=found.first_day, last_day=found.last_day)


def campaign_numbered(session: Session, number: int) -> Campaign:
    """The campaign with this number. Raises `CampaignUnknown`."""
    return _where(session, "id = %s", number)


def campaign_by_handle(session: Session, handle: UUID) -> Campaign:
    """The campaign with this handle. Raises `CampaignUnknown`."""
    return _where(session, "handle = %s", handle)


def _where(session: Session, condition: str, value: int | UUID) -> Campaign:
    row = connection_of(session).execute(f"SELECT {_COLUMNS} FROM donation_campaign WHERE {condition}", (value,)).fetchone()
    if row is None:
        raise CampaignUnknown()
    return Campaign(*row)


def campaigns(
    session: Session, *, states: tuple[str, ...], organisation: int | None = None, before: int | None = None, limit: int = 50
) -> list[Campaign]:
    """Campaigns in these states, the newest first; ``before`` is the number of the last one of the page before."""
    rows = connection_of(session).execute(
        f"""SELECT {_COLUMNS} FROM donation_campaign WHERE state = ANY (%s) AND (%s::bigint IS NULL OR organisation = %s)
            AND id < coalesce(%s, 9223372036854775807) ORDER BY id DESC LIMIT %s""",
        (list(states), organisation, organisation, before, limit),
    )
    return [Campaign(*row) for row in rows]
