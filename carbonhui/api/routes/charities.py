"""What a charity does here: proposing campaigns and telling what became of gifts; and what the staff asks about them (Article 21)."""

from typing import Any
from uuid import UUID

from carbonhui import approvals, donation, ledger, participants, policy, privacy
from carbonhui.api.fields import Choice, Day, Handle, Page, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import hidden, named, numbered, paged
from carbonhui.api.routes.credits import PURPOSES
from carbonhui.api.routes.donations import CAMPAIGN_PAGE, CampaignSchema, CampaignUseSchema, campaign_told
from carbonhui.api.routes.organisations import MANAGERS, MEMBERS, own_organisation
from carbonhui.api.routes.refusals import OrganisationRoleMissing
from carbonhui.donation import Campaign
from carbonhui.participants import Organisation

blueprint = Blueprint("charities", __name__, description="What charities do here.")

_ALL = ("proposed", "approved", "refused", "ended")


class CampaignProposed(Strict):
    title = Text(120, required=True, metadata={"example": "净滩行动"})
    title_en = Text(120, load_default=None)
    purpose = Text(2000, required=True, metadata={"description": "What the credits are asked for. It is published."})
    purpose_en = Text(2000, load_default=None)
    goal_credits = Whole(1, load_default=None, metadata={"description": "An aim; gifts above it are welcome."})
    first_day = Day(required=True)
    last_day = Day(required=True)


class UseRecorded(Strict):
    transfer = Handle(required=True, metadata={"description": "A movement of yours (`listCharityMovements`)."})
    what = Choice(*donation.USES, required=True)


class CharityMovementSchema(Strict):
    transfer = Handle(required=True)
    purpose = Choice(*PURPOSES, required=True)
    credits = Whole(1, required=True)
    on = Day(required=True)
    campaign = Handle(required=True, allow_none=True, metadata={"description": "The campaign that it is recorded for; null for none."})


class CampaignAsked(Strict):
    reason = Text(500, required=True, metadata={"description": "Why, without anything personal."})


class CampaignSignatureSchema(Strict):
    countersignature = Handle(required=True)
    campaign = Handle(required=True)
    asked_on = Day(required=True)


def _charity(call: Call, handle: UUID, roles: tuple[str, ...] = MEMBERS) -> Organisation:
    found = own_organisation(call, handle, roles)
    if found.kind != "charity":
        raise NotFound
    return found


def _campaign(call: Call, charity: Organisation, handle: UUID) -> Campaign:
    with hidden(donation.CampaignUnknown):
        found = donation.campaign_by_handle(call.session, handle)
    if found.organisation != charity.id:
        raise NotFound
    return found


_CAMPAIGNS = "/v1/charities/<uuid:organisation>/campaigns"


@operation(
    blueprint, "POST", _CAMPAIGNS, "proposeCampaign", body=CampaignProposed, answer=CampaignSchema, status=201,
    summary="Propose a campaign of your charity", description="Two members of the staff decide. Until then it takes nothing.",
    refuses=(OrganisationRoleMissing, participants.OrganisationNotApproved, donation.CampaignDaysWrong, privacy.TextRefused),
)  # fmt: skip
def propose_campaign(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    charity = _charity(call, organisation, MANAGERS)
    by = call.caller.person.id if call.caller.person else None
    return campaign_told(call, donation.propose_campaign(call.session, charity, by=by, on=call.today, **body))


@operation(
    blueprint, "GET", _CAMPAIGNS, "listOwnCampaigns", query=Page, answer=CAMPAIGN_PAGE,
    summary="Your charity's campaigns, proposed and refused ones too, newest first",
)  # fmt: skip
def list_own_campaigns(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    found = donation.campaigns(
        call.session, states=_ALL, organisation=_charity(call, organisation).id, before=call.cursor.read(query["cursor"]),
        limit=query["limit"] + 1,
    )  # fmt: skip
    return paged(call, found, query["limit"], lambda one: campaign_told(call, one))


@operation(
    blueprint, "POST", f"{_CAMPAIGNS}/<uuid:campaign>/end", "endCampaign", answer=CampaignSchema,
    summary="Let a campaign of your charity take nothing more", refuses=(OrganisationRoleMissing, donation.CampaignDecided),
)  # fmt: skip
def end_campaign(call: Call, organisation: UUID, campaign: UUID) -> dict[str, Any]:
    charity = _charity(call, organisation, MANAGERS)
    found = _campaign(call, charity, campaign)
    return campaign_told(call, donation.end_campaign(call.session, found.id, charity=charity, on=call.today))


@operation(
    blueprint, "POST", f"{_CAMPAIGNS}/<uuid:campaign>/uses", "recordCampaignUse", body=UseRecorded, answer=CampaignUseSchema, status=201,
    summary="Tell that a movement of your charity used what a campaign received",
    description="Once for each movement, and never more than the campaign received. It is published in the campaign's report.",
    refuses=(
        OrganisationRoleMissing, policy.NotPermitted, policy.RuleNotFound, donation.UseDiffers, donation.UseAlreadyRecorded,
        donation.CampaignUsesMore,
    ),
)  # fmt: skip
def record_campaign_use(call: Call, organisation: UUID, campaign: UUID, body: dict[str, Any]) -> dict[str, Any]:
    charity = _charity(call, organisation, MANAGERS)
    found = _campaign(call, charity, campaign)
    use = donation.record_use(call.session, found.charity, found, numbered(call, "transfer", body["transfer"]), body["what"])
    return {**vars(use), "transfer": body["transfer"], "on": use.business_date}


@operation(
    blueprint, "GET", "/v1/charities/<uuid:organisation>/movements", "listCharityMovements", query=Page,
    answer=page_of(CharityMovementSchema),
    summary="What left your charity's account and what was refunded to it, newest first",
)  # fmt: skip
def list_charity_movements(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    account = _charity(call, organisation).account_id
    if account is None:
        return {"items": [], "next": None}
    found = donation.movements_of(call.session, account, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1)
    return paged(call, found, query["limit"], lambda one: _movement(call, one))


def _movement(call: Call, one: donation.Movement) -> dict[str, Any]:
    campaign = None if one.campaign_id is None else donation.campaign_numbered(call.session, one.campaign_id).handle
    return {
        "transfer": named(call, "transfer", one.id), "purpose": one.purpose.name.lower(), "credits": one.credits,
        "on": one.business_date, "campaign": campaign,
    }  # fmt: skip


class CharityBalanceSchema(Strict):
    credits = Whole(0, required=True, metadata={"description": "Credits that your charity holds."})
    available = Whole(0, required=True, metadata={"description": "Credits that it may use now."})


@operation(
    blueprint, "GET", "/v1/charities/<uuid:organisation>/balance", "readCharityBalance", answer=CharityBalanceSchema,
    summary="How many credits your charity holds",
)  # fmt: skip
def read_charity_balance(call: Call, organisation: UUID) -> dict[str, Any]:
    account = _charity(call, organisation).account_id
    if account is None:
        return {"credits": 0, "available": 0}
    found = ledger.balance_of(call.session, account)
    return {"credits": found.posted, "available": found.available}


# Staff --------------------------------------------------------------------------------------------


@operation(
    blueprint, "GET", "/v1/staff/donation-campaigns", "listProposedCampaigns", query=Page, answer=CAMPAIGN_PAGE,
    summary="Campaigns that charities proposed and nobody decided, newest first",
)  # fmt: skip
def list_proposed_campaigns(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    found = donation.campaigns(call.session, states=("proposed",), before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1)
    return paged(call, found, query["limit"], lambda one: campaign_told(call, one))


@operation(
    blueprint, "POST", "/v1/staff/donation-campaigns/<uuid:campaign>/countersignature", "askForCampaign", body=CampaignAsked,
    answer=CampaignSignatureSchema, status=201, summary="Ask for the second signature under a charity's campaign",
    description="Somebody else answers (`answerCountersignature`).",
    refuses=(
        participants.RoleMissing, donation.CampaignReasonMissing, donation.CampaignDecided, approvals.AskedAlready, privacy.TextRefused,
    ),
)  # fmt: skip
def ask_for_campaign(call: Call, campaign: UUID, body: dict[str, Any]) -> dict[str, Any]:
    assert call.caller.staff_id is not None
    by = participants.staff_member(call.session, call.caller.staff_id)
    with hidden(donation.CampaignUnknown):
        found = donation.campaign_by_handle(call.session, campaign)
        asked = donation.ask_campaign(call.session, found.id, reason=body["reason"], by=by, on=call.today)
    return {"countersignature": named(call, "countersignature", asked.id), "campaign": found.handle, "asked_on": asked.asked_on}
