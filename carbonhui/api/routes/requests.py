"""Asking another person for credits (Article 18)."""

from typing import Any
from uuid import UUID

from carbonhui import circulation, ledger, participants, policy
from carbonhui.api.fields import Choice, Day, Handle, Part, Strict, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import ForWard, acted_for, hidden, named, paged
from carbonhui.api.routes.gifts import (
    CREDITS,
    OTHER,
    REFUSED,
    Addressed,
    GiftAnswered,
    PageOfOneSide,
    SenderSchema,
    address_of,
    other_of,
    own_reference,
)
from carbonhui.circulation import Request
from carbonhui.core.amounts import Credits

blueprint = Blueprint("requests", __name__, description="Asking another person for credits.")


class RequestMade(Addressed):
    credits = Whole(1, required=True, metadata=CREDITS)
    reason = Choice(*circulation.REASONS, load_default="none")


class RequestSchema(Strict):
    request = Handle(required=True)
    side = Choice("received", "sent", required=True, metadata={"description": "Whether you are asked, or ask."})
    credits = Whole(1, required=True, metadata=CREDITS)
    reason = Choice(*circulation.REASONS, required=True)
    state = Choice(*circulation.STATES, required=True)
    asked_on = Day(required=True)
    until = Day(required=True, metadata={"description": "The last day on which it can be answered."})
    ended_on = Day(required=True, allow_none=True)
    transfer = Handle(required=True, allow_none=True, metadata={"description": "The movement in the statement, once it was accepted."})


class RequestReadSchema(RequestSchema):
    other = Part(SenderSchema, required=True, allow_none=True, metadata=OTHER)


def _told(call: Call, request: Request, account: int) -> dict[str, Any]:
    return {
        "request": request.handle, "side": "sent" if request.asker == account else "received", "credits": request.credits,
        "reason": request.reason, "state": request.state, "asked_on": request.asked_on, "until": request.until,
        "ended_on": request.ended_on,
        "transfer": None if request.transfer is None else named(call, "transfer", request.transfer),
    }  # fmt: skip


@operation(
    blueprint, "POST", "/v1/me/requests", "askForCredits", query=ForWard, body=RequestMade, answer=RequestSchema, status=201,
    summary="Ask whoever holds a mobile number, or shows a receive code, for credits",
    description="A number that nobody has registered is answered like any other. Nobody is asked again before they answered.",
    refuses=(*REFUSED, circulation.RequestWaitsAlready),
)  # fmt: skip
def ask_for_credits(call: Call, body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    asker, services = acted_for(call, query["ward"]), call.services
    said = address_of(body)
    words = {**body, "credits": Credits(body["credits"]), "asker": asker, "reference": own_reference(), "on": call.today}
    if "mobile" in said:
        request = circulation.ask_mobile(call.session, services.vault, **said, **words)
    else:
        request = circulation.ask_by_code(call.session, services.vault, **said, **words, now=services.clock.now())
    return _told(call, request, asker.account_id)


@operation(
    blueprint, "GET", "/v1/me/requests", "listRequests", query=PageOfOneSide, answer=page_of(RequestSchema),
    summary="Requests to you, or from you, newest first", refuses=(participants.NotGuardian,),
)  # fmt: skip
def list_requests(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    found = circulation.requests_of(
        call.session, person, made=query["side"] == "sent", on=call.today, before=call.cursor.read(query["cursor"]),
        limit=query["limit"] + 1,
    )  # fmt: skip
    return paged(call, found, query["limit"], lambda request: _told(call, request, person.account_id))


@operation(
    blueprint, "GET", "/v1/me/requests/<uuid:request>", "readRequest", query=ForWard, answer=RequestReadSchema,
    summary="One request, and from whom, masked", refuses=(participants.NotGuardian,),
)  # fmt: skip
def read_request(call: Call, request: UUID, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    with hidden(circulation.RequestUnknown):
        found = circulation.request_of(call.session, request, person)
    return {**_told(call, found, person.account_id), "other": other_of(call, found.asker, person.account_id)}


@operation(
    blueprint, "POST", "/v1/me/requests/<uuid:request>/decision", "decideRequest", query=ForWard, body=GiftAnswered, answer=RequestSchema,
    summary="Give what you are asked for, at once, or decline",
    refuses=(
        circulation.RequestNotWaiting, circulation.ReceiverFull, ledger.NotEnough, policy.NotPermitted, policy.RuleNotFound,
        participants.NotGuardian,
    ),
)  # fmt: skip
def decide_request(call: Call, request: UUID, body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    decide = circulation.accept_request if body["accepted"] else circulation.decline_request
    with hidden(circulation.RequestUnknown):
        found = decide(call.session, request, asked=person, on=call.today)
    return _told(call, found, person.account_id)


@operation(
    blueprint, "DELETE", "/v1/me/requests/<uuid:request>", "cancelRequest", query=ForWard, status=204,
    summary="Take back a request that still waits", refuses=(circulation.RequestNotWaiting, participants.NotGuardian),
)  # fmt: skip
def cancel_request(call: Call, request: UUID, query: dict[str, Any]) -> None:
    person = acted_for(call, query["ward"])
    with hidden(circulation.RequestUnknown):
        circulation.cancel_request(call.session, request, asker=person, on=call.today)
