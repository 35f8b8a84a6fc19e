"""Identifiers that count for a person, each with proof of control (Articles 11-12)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from carbonhui import participants, privacy
from carbonhui.api.fields import Choice, Day, Handle, Pattern, Strict, Text, page_of, refuse
from carbonhui.api.operation import Blueprint, Call, Refused, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import ForWard, acted_for, hidden, tell, whole_list

blueprint = Blueprint("links", __name__, description="Cards, meters and bicycle accounts that count for a person.")


class Scheme(Pattern):
    """A kind of identifier. The scheme "person" names handles, which nobody claims."""

    def __init__(self, **options: Any) -> None:
        about = {"description": "What kind of identifier it is.", "example": "transit-card", "not": {"const": "person"}}
        super().__init__(r"[a-z0-9][a-z0-9_.:-]{0,59}", longest=60, metadata=about, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        scheme = super()._deserialize(value, attr, data)
        if scheme == "person":
            raise refuse("Nobody claims a handle.", "任何人都不能申请关联用户标识。")
        return scheme


_IDENTIFIER = {"description": "As it stands on the card, on the bill or in the account.", "example": "6217000012345678"}


class LinkProven(Strict):
    scheme = Scheme(required=True)
    identifier = Text(100, required=True, metadata=_IDENTIFIER)
    code = Pattern(r"[0-9A-Za-z -]{1,40}", longest=40, required=True, metadata={
        "description": "The code that the institution delivered to the holder of the identifier.", "example": "7KQ2-M8XR-4TZW",
    })  # fmt: skip


class LinkAskedFor(Strict):
    scheme = Scheme(required=True)
    identifier = Text(100, required=True, metadata=_IDENTIFIER)
    organisation = Handle(required=True, metadata={"description": "The institution that is asked."})


class LinkSchema(Strict):
    link = Handle(required=True)
    scheme = Scheme(required=True)
    tail = Text(4, shortest=0, required=True, metadata={"description": "Its last characters, at most a third of it."})
    since = Day(required=True)
    until = Day(required=True, allow_none=True, metadata={"description": "The first day on which it no longer counts for you."})


class LinkMadeSchema(Strict):
    link = Handle(required=True)
    state = Choice("confirmed", "asked", required=True, metadata={"description": "`asked`: the institution has yet to answer."})


@operation(
    blueprint, "GET", "/v1/me/links", "listLinks", query=ForWard, answer=page_of(LinkSchema),
    summary="The identifiers that count or counted for you", refuses=(participants.NotGuardian,),
)  # fmt: skip
def list_links(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    found = participants.links_of(call.session, call.services.vault, person, call.reader("own_links"))
    return whole_list(
        [{"link": one.handle, "scheme": one.scheme, "tail": one.tail, "since": one.since, "until": one.until} for one in found]
    )


_REFUSED = (
    participants.IdentifierLinked, participants.NotGuardian, participants.PersonErased, participants.PersonRestricted,
    privacy.TextRefused, privacy.IdentifierEmpty,
)  # fmt: skip


@operation(
    blueprint, "POST", "/v1/me/links", "linkIdentifier", query=ForWard, body=LinkProven, answer=LinkMadeSchema, status=201,
    summary="Let an identifier count for you, by the code that its institution delivered",
    description="The code is looked at first, so nobody without one learns whether the identifier has a holder. A code bears five tries.",
    refuses=(participants.LinkCodeWrong, *_REFUSED),
)  # fmt: skip
def link_identifier(call: Call, body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any] | Refused:
    proof = participants.CodeProof(body.pop("code"))
    claimed = _claimed(call, query["ward"], body, proof)
    if claimed.refusal is not None:
        return Refused(claimed.refusal)
    tell(call, acted_for(call, query["ward"]), "link.begun", scheme=body["scheme"])
    return {"link": claimed.handle, "state": "confirmed"}


@operation(
    blueprint, "POST", "/v1/me/link-claims", "askForLink", query=ForWard, body=LinkAskedFor, answer=LinkMadeSchema, status=201,
    summary="Ask an institution to confirm that your proven name and an identifier belong together",
    refuses=(
        participants.RealNameNeeded, participants.SchemeNotKept, participants.ClaimAlreadyAsked,
        participants.OrganisationNotApproved, NotFound, *_REFUSED,
    ),
)  # fmt: skip
def ask_for_link(call: Call, body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    with hidden(participants.OrganisationUnknown):
        organisation = participants.organisation_by_handle(call.session, body.pop("organisation"))
    claimed = _claimed(call, query["ward"], body, participants.ConfirmationProof(organisation))
    return {"link": claimed.handle, "state": "asked"}


def _claimed(
    call: Call, ward: UUID | None, body: dict[str, Any], proof: participants.CodeProof | participants.ConfirmationProof
) -> participants.Claimed:
    services = call.services
    return participants.claim_link(
        call.session, services.vault, services.settings, acted_for(call, ward), proof=proof, on=call.today,
        now=services.clock.now(), **body,
    )  # fmt: skip


@operation(
    blueprint, "DELETE", "/v1/me/links/<uuid:link>", "endLink", query=ForWard, status=204,
    summary="An identifier counts for you today for the last time", refuses=(participants.NotGuardian,),
)  # fmt: skip
def end_link(call: Call, link: UUID, query: dict[str, Any]) -> None:
    person = acted_for(call, query["ward"])
    with hidden(participants.LinkUnknown):
        participants.end_link(call.session, person, link, on=call.today)


@operation(
    blueprint, "DELETE", "/v1/me/link-claims/<uuid:link>", "withdrawLinkClaim", query=ForWard, status=204,
    summary="Ask for an identifier no longer", refuses=(participants.NotGuardian,),
)  # fmt: skip
def withdraw_link_claim(call: Call, link: UUID, query: dict[str, Any]) -> None:
    person = acted_for(call, query["ward"])
    with hidden(participants.ClaimUnknown):
        participants.withdraw_claim(call.session, call.services.vault, person, link)
