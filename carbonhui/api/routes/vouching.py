"""Institutions vouch for who holds an identifier, each request signed (Article 11)."""

from typing import Any
from uuid import UUID

from carbonhui import participants, privacy
from carbonhui.api.fields import Day, Flag, Handle, Instant, Strict, Text, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, whole_list
from carbonhui.api.routes.entrusted import signing_organisation
from carbonhui.api.routes.links import Scheme

blueprint = Blueprint("vouching", __name__, description="What service institutions confirm.")


class LinkCodeAsked(Strict):
    scheme = Scheme(required=True)
    identifier = Text(100, required=True, metadata={"description": "Whose holder the code is delivered to."})


class LinkCodeSchema(Strict):
    code = Text(40, required=True, metadata={"description": "To be delivered to the holder; it is told this once."})
    expires_at = Instant(required=True)


@operation(
    blueprint, "POST", "/v1/link-codes", "issueLinkCode", body=LinkCodeAsked, answer=LinkCodeSchema, status=201,
    summary="A code by which the holder of an identifier proves it; the code before it is worth nothing any more",
    refuses=(participants.SchemeNotKept, participants.OrganisationNotApproved, privacy.IdentifierEmpty),
)  # fmt: skip
def issue_link_code(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    services = call.services
    issued = participants.issue_link_code(
        call.session, services.vault, services.settings, organisation=signing_organisation(call), on=call.today,
        now=services.clock.now(), **body,
    )  # fmt: skip
    return {"code": issued.code, "expires_at": issued.expires_at}


class OpenClaimSchema(Strict):
    claim = Handle(required=True)
    scheme = Scheme(required=True)
    name = Text(60, required=True, metadata={"description": "The person's proven name."})
    identifier = Text(100, required=True)
    asked_on = Day(required=True)


class ClaimDecided(Strict):
    confirmed = Flag(required=True, metadata={"description": "Whether name and identifier belong together."})


@operation(
    blueprint, "GET", "/v1/link-claims", "listLinkClaims", answer=page_of(OpenClaimSchema),
    summary="The claims that wait for your confirmation, oldest first; at most a hundred",
    description="Each person sees that you read their name and identifier.",
    refuses=(participants.OrganisationNotApproved,),
)  # fmt: skip
def list_link_claims(call: Call) -> dict[str, Any]:
    claims = participants.claims_for(
        call.session, call.services.vault, signing_organisation(call), call.reader("link_confirmation"), limit=100
    )
    return whole_list([{**vars(claim), "claim": claim.handle} for claim in claims])


@operation(
    blueprint, "POST", "/v1/link-claims/<uuid:claim>/decision", "decideLinkClaim", body=ClaimDecided, status=204,
    summary="Confirm that a name and an identifier belong together, or do not",
    refuses=(
        participants.SchemeNotKept, participants.OrganisationNotApproved, participants.IdentifierLinked,
        participants.PersonErased, participants.PersonRestricted,
    ),
)  # fmt: skip
def decide_link_claim(call: Call, claim: UUID, body: dict[str, Any]) -> None:
    with hidden(participants.ClaimUnknown):
        participants.decide_claim(
            call.session, call.services.vault, signing_organisation(call), claim, confirmed=body["confirmed"],
            reader=call.reader("link_confirmation"), on=call.today,
        )  # fmt: skip
