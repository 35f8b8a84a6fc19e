"""Giving to charities, and what they did with it, for everybody to read (Article 21)."""

from typing import Any
from uuid import UUID, uuid4

from carbonhui import donation, ledger, participants, policy
from carbonhui.api.fields import Choice, Day, Handle, Many, Page, Part, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import hidden, named, paged
from carbonhui.api.routes.credits import PageForWard
from carbonhui.api.routes.paying import POOL_REFUSALS, payer_of, payer_part
from carbonhui.api.routes.refusals import OrganisationRoleMissing
from carbonhui.donation import Campaign

blueprint = Blueprint("donations", __name__, description="Charities, their campaigns, gifts to them, and what became of them.")

PUBLIC = ("approved", "ended")
STATES = ("proposed", "approved", "refused", "ended")
GIVERS = ("person", "merchant", "department", "organisation", "campaign")


class CharitySchema(Strict):
    charity = Handle(required=True)
    name = Text(200, required=True)


class CampaignSchema(Strict):
    campaign = Handle(required=True)
    charity = Handle(required=True)
    charity_name = Text(200, required=True)
    title = Text(120, required=True)
    title_en = Text(120, required=True, allow_none=True)
    purpose = Text(2000, required=True, metadata={"description": "What the credits are asked for."})
    purpose_en = Text(2000, required=True, allow_none=True)
    goal_credits = Whole(1, required=True, allow_none=True, metadata={"description": "An aim; gifts above it are welcome."})
    first_day = Day(required=True)
    last_day = Day(required=True, metadata={"description": "The last day on which it takes gifts."})
    state = Choice(*STATES, required=True)
    ended_on = Day(required=True, allow_none=True)


CAMPAIGN_PAGE = page_of(CampaignSchema)


class CampaignsAsked(Page):
    charity = Handle(load_default=None, metadata={"description": "Only of this charity."})


class ReceivedSchema(Strict):
    givers = Choice(*GIVERS, required=True, metadata={"description": "Who gave, by kind; `campaign` is a pool."})
    gifts = Whole(1, required=True)
    credits = Whole(1, required=True)


class SpentSchema(Strict):
    what = Choice(*donation.USES, required=True, metadata={"description": "`refunded` credits came back."})
    credits = Whole(1, required=True)


class CampaignUseSchema(Strict):
    transfer = Handle(required=True)
    what = Choice(*donation.USES, required=True)
    credits = Whole(1, required=True)
    on = Day(required=True)


class ReportSchema(Strict):
    campaign = Part(CampaignSchema, required=True)
    credits = Whole(0, required=True, metadata={"description": "All that was received."})
    received = Many(Part(ReceivedSchema), most=10, required=True)
    used = Many(Part(SpentSchema), most=10, required=True)
    left = Whole(0, required=True, metadata={"description": "Credits that the charity has not accounted for yet."})
    uses = Many(
        Part(CampaignUseSchema),
        most=100,
        required=True,
        metadata={"description": "The first hundred, oldest first; the rest by its own list."},
    )


class Donated(Strict):
    charity = Handle(required=True)
    campaign = Handle(load_default=None, metadata={"description": "Without it, for anything the charity does."})
    credits = Whole(1, required=True)
    payer = payer_part()


class DonationSchema(Strict):
    transfer = Handle(required=True)
    charity = Handle(required=True)
    charity_name = Text(200, required=True)
    campaign = Handle(required=True, allow_none=True)
    credits = Whole(1, required=True)
    on = Day(required=True)


def campaign_told(call: Call, campaign: Campaign) -> dict[str, Any]:
    charity = participants.organisation(call.session, campaign.organisation)
    return {**vars(campaign), "campaign": campaign.handle, "charity": charity.handle, "charity_name": charity.name}


def _public(call: Call, handle: UUID) -> Campaign:
    with hidden(donation.CampaignUnknown):
        found = donation.campaign_by_handle(call.session, handle)
        if found.state not in PUBLIC:
            raise donation.CampaignUnknown()
    return found


def _use(call: Call, use: donation.Use) -> dict[str, Any]:
    return {**vars(use), "transfer": named(call, "transfer", use.transfer_id), "on": use.business_date}


@operation(
    blueprint, "GET", "/v1/donation/charities", "listCharities", query=Page, answer=page_of(CharitySchema),
    summary="The charities to which credits may be given",
)  # fmt: skip
def list_charities(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    found = participants.organisations(
        call.session, kind="charity", state="approved", after=call.cursor.read(query["cursor"]) or 0, limit=query["limit"] + 1
    )
    return paged(call, found, query["limit"], lambda one: {"charity": one.handle, "name": one.name})


@operation(
    blueprint, "GET", "/v1/donation/campaigns", "listCampaigns", query=CampaignsAsked, answer=CAMPAIGN_PAGE,
    summary="Charities' campaigns that were opened, newest first", refuses=(NotFound,),
)  # fmt: skip
def list_campaigns(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    organisation = None
    if query["charity"] is not None:
        with hidden(participants.OrganisationUnknown):
            organisation = participants.organisation_by_handle(call.session, query["charity"]).id
    found = donation.campaigns(
        call.session, states=PUBLIC, organisation=organisation, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1
    )
    return paged(call, found, query["limit"], lambda one: campaign_told(call, one))


@operation(
    blueprint, "GET", "/v1/donation/campaigns/<uuid:campaign>", "readCampaign", answer=CampaignSchema, summary="One campaign",
)  # fmt: skip
def read_campaign(call: Call, campaign: UUID) -> dict[str, Any]:
    return campaign_told(call, _public(call, campaign))


@operation(
    blueprint, "GET", "/v1/donation/campaigns/<uuid:campaign>/report", "readCampaignReport", answer=ReportSchema,
    summary="What a campaign received, by kind of givers, and what became of it; never who gave",
)  # fmt: skip
def read_campaign_report(call: Call, campaign: UUID) -> dict[str, Any]:
    found = _public(call, campaign)
    report = donation.report_of(call.session, found)
    return {
        "campaign": campaign_told(call, found), "credits": report.credits, "left": report.left,
        "received": [{"givers": one.kind.name.lower(), "gifts": one.gifts, "credits": one.credits} for one in report.received],
        "used": [{"what": what, "credits": credits} for what, credits in report.used.items()],
        "uses": [_use(call, use) for use in donation.campaign_uses(call.session, found)],
    }  # fmt: skip


@operation(
    blueprint, "GET", "/v1/donation/campaigns/<uuid:campaign>/uses", "listCampaignUses", query=Page, answer=page_of(CampaignUseSchema),
    summary="Each recorded use of a campaign, oldest first",
)  # fmt: skip
def list_campaign_uses(call: Call, campaign: UUID, query: dict[str, Any]) -> dict[str, Any]:
    after = call.cursor.read(query["cursor"]) or 0
    found = donation.campaign_uses(call.session, _public(call, campaign), after=after, limit=query["limit"] + 1)
    return paged(call, found, query["limit"], lambda use: _use(call, use), at="transfer_id")


# Giving -------------------------------------------------------------------------------------------


@operation(
    blueprint, "POST", "/v1/donation/gifts", "donate", body=Donated, answer=DonationSchema, status=201,
    summary="Give credits to a charity",
    description="Persons give their own, merchants and departments what they received and have not settled; a pool for this charity is "
    "given by its owner.",
    refuses=(
        *POOL_REFUSALS, participants.NotGuardian, participants.PersonRestricted, participants.OrganisationNotApproved,
        OrganisationRoleMissing, policy.NotPermitted, policy.RuleNotFound, donation.DonorNotTaken, donation.CampaignNotOpen,
        ledger.KindDiffers, ledger.NotEnough,
    ),
)  # fmt: skip
def donate(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    with hidden(participants.OrganisationUnknown):
        charity = participants.organisation_by_handle(call.session, body["charity"])
    participants.require_approved(call.session, charity.id)
    if charity.account_id is None:
        raise participants.OrganisationNotApproved(organisation=charity.id, state=charity.state)
    campaign = _public(call, body["campaign"]) if body["campaign"] else None
    payer = payer_of(call, body["payer"], use="donation", target=charity.account_id)
    with hidden(donation.CampaignUnknown):
        posted = donation.donate(
            call.session, donor=payer.account, charity=charity.account_id, credits=body["credits"], reference=f"donate-{uuid4()}",
            business_date=call.today, campaign=campaign.id if campaign else None,
        )  # fmt: skip
    return {
        "transfer": named(call, "transfer", posted.id), "charity": charity.handle, "charity_name": charity.name,
        "campaign": campaign.handle if campaign else None, "credits": body["credits"], "on": call.today,
    }  # fmt: skip


@operation(
    blueprint, "GET", "/v1/me/donations", "listMyDonations", query=PageForWard, answer=page_of(DonationSchema),
    summary="What you gave to charities, newest first", refuses=(participants.NotGuardian, participants.OrganisationNotApproved),
)  # fmt: skip
def list_my_donations(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    giver = payer_of(call, {"ward": query["ward"]}).account
    found = donation.gifts_of(call.session, giver, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1)
    return paged(call, found, query["limit"], lambda gift: _gift(call, gift), at="transfer_id")


def _gift(call: Call, gift: donation.Gift) -> dict[str, Any]:
    charity = participants.organisation_of_account(call.session, gift.charity)
    campaign = None if gift.campaign_id is None else donation.campaign_numbered(call.session, gift.campaign_id).handle
    return {
        **vars(gift), "transfer": named(call, "transfer", gift.transfer_id), "charity": charity.handle, "charity_name": charity.name,
        "campaign": campaign, "on": gift.business_date,
    }  # fmt: skip
