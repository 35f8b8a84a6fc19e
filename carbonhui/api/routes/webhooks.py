"""Where an organisation wants to be told what happens (Standard Webhooks 1.0.0)."""

from typing import Any
from uuid import UUID

from carbonhui import notifications
from carbonhui.api.fields import Choice, Handle, Instant, Many, Page, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, named, numbered, paged, whole_list
from carbonhui.api.routes.organisations import MANAGERS, own_organisation
from carbonhui.api.routes.refusals import OrganisationRoleMissing

blueprint = Blueprint("webhooks", __name__, description="Where an organisation wants to be told what happens.")

_ENDPOINT, _DELIVERY = "endpoint", "delivery"
_PATH = "/v1/organisations/<uuid:organisation>/webhooks"


class WebhookAsked(Strict):
    url = Text(2000, required=True, metadata={"description": "An https address on the public internet.", "example": "https://shop.example.org/hook"})
    topics = Many(Text(60), fewest=1, most=50, required=True, metadata={"example": ["credit.received"]})


class WebhookMadeSchema(Strict):
    webhook = Handle(required=True)
    secret = Text(100, required=True, metadata={"description": "`whsec_...`, which verifies the signatures; it is told this once."})


class WebhookSecretSchema(Strict):
    secret = Text(100, required=True, metadata={"description": "For a day the one before it signs too."})


class WebhookSchema(Strict):
    webhook = Handle(required=True)
    url = Text(2000, required=True)
    state = Choice("active", "disabled", required=True)
    topics = Many(Text(60), most=50, required=True)
    added_at = Instant(required=True)


class DeadLetterSchema(Strict):
    delivery = Handle(required=True)
    webhook = Handle(required=True)
    topic = Text(60, required=True)
    announced_at = Instant(required=True)
    attempts = Whole(0, required=True)
    attempted_at = Instant(required=True, allow_none=True)
    outcome = Text(200, required=True)
    status = Whole(100, 599, required=True, allow_none=True, metadata={"description": "Of the last HTTP answer."})


@operation(
    blueprint, "GET", _PATH, "listWebhooks", answer=page_of(WebhookSchema), refuses=(OrganisationRoleMissing,),
    summary="The addresses that are told what happens",
)  # fmt: skip
def list_webhooks(call: Call, organisation: UUID) -> dict[str, Any]:
    found = own_organisation(call, organisation, MANAGERS)
    endpoints = notifications.endpoints_of(call.session, found.id)
    return whole_list([{**vars(one), "webhook": named(call, _ENDPOINT, one.id)} for one in endpoints])


@operation(
    blueprint, "POST", _PATH, "addWebhook", body=WebhookAsked, answer=WebhookMadeSchema, status=201,
    summary="Have an address told of some topics from now on",
    refuses=(
        notifications.EndpointInvalid, notifications.HostRefused, notifications.TopicUnknown, notifications.EndpointsTooMany,
        OrganisationRoleMissing,
    ),
)  # fmt: skip
def add_webhook(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation, MANAGERS)
    number, secret = notifications.add_endpoint(call.session, call.services.vault, organisation=found.id, **body)
    return {"webhook": named(call, _ENDPOINT, number), "secret": secret}


@operation(
    blueprint, "POST", _PATH + "/<uuid:webhook>/secret", "rotateWebhookSecret", answer=WebhookSecretSchema, status=201,
    summary="A new secret for an address", refuses=(OrganisationRoleMissing,),
)  # fmt: skip
def rotate_webhook_secret(call: Call, organisation: UUID, webhook: UUID) -> dict[str, Any]:
    found, services = own_organisation(call, organisation, MANAGERS), call.services
    number = numbered(call, _ENDPOINT, webhook)
    with hidden(notifications.EndpointUnknown):
        secret = notifications.rotate_secret(call.session, services.vault, number, clock=services.clock, organisation=found.id)
    return {"secret": secret}


@operation(
    blueprint, "POST", _PATH + "/<uuid:webhook>/ping", "pingWebhook", status=202,
    summary="Send a trial notice to an address", refuses=(notifications.EndpointNotActive, OrganisationRoleMissing),
)  # fmt: skip
def ping_webhook(call: Call, organisation: UUID, webhook: UUID) -> None:
    found = own_organisation(call, organisation, MANAGERS)
    with hidden(notifications.EndpointUnknown):
        notifications.ping(call.session, numbered(call, _ENDPOINT, webhook), organisation=found.id)


@operation(
    blueprint, "POST", _PATH + "/<uuid:webhook>/resumption", "resumeWebhook", status=204,
    summary="Tell an address again that was disabled", refuses=(OrganisationRoleMissing,),
)  # fmt: skip
def resume_webhook(call: Call, organisation: UUID, webhook: UUID) -> None:
    found = own_organisation(call, organisation, MANAGERS)
    with hidden(notifications.EndpointUnknown):
        notifications.resume_endpoint(call.session, numbered(call, _ENDPOINT, webhook), organisation=found.id)


@operation(
    blueprint, "DELETE", _PATH + "/<uuid:webhook>", "removeWebhook", status=204,
    summary="Tell an address nothing more; what waits for it is given up", refuses=(OrganisationRoleMissing,),
)  # fmt: skip
def remove_webhook(call: Call, organisation: UUID, webhook: UUID) -> None:
    found = own_organisation(call, organisation, MANAGERS)
    with hidden(notifications.EndpointUnknown):
        notifications.remove_endpoint(call.session, numbered(call, _ENDPOINT, webhook), organisation=found.id)


@operation(
    blueprint, "GET", "/v1/organisations/<uuid:organisation>/dead-letters", "listDeadLetters", query=Page,
    answer=page_of(DeadLetterSchema), summary="Notices that were given up, newest first", refuses=(OrganisationRoleMissing,),
)  # fmt: skip
def list_dead_letters(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation, MANAGERS)
    letters = notifications.dead_letters(
        call.session, organisation=found.id, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1
    )
    return paged(call, letters, query["limit"], lambda letter: _letter(call, letter), at="delivery")


def _letter(call: Call, letter: notifications.DeadLetter) -> dict[str, Any]:
    return {
        **vars(letter), "delivery": named(call, _DELIVERY, letter.delivery), "webhook": named(call, _ENDPOINT, letter.endpoint),
        "announced_at": letter.at,
    }  # fmt: skip


@operation(
    blueprint, "POST", "/v1/organisations/<uuid:organisation>/dead-letters/<uuid:delivery>/replay", "replayDeadLetter", status=202,
    summary="Send a notice that was given up again, from the first attempt on",
    refuses=(notifications.DeliveryNotDead, notifications.EndpointNotActive, OrganisationRoleMissing),
)  # fmt: skip
def replay_dead_letter(call: Call, organisation: UUID, delivery: UUID) -> None:
    found = own_organisation(call, organisation, MANAGERS)
    with hidden(notifications.DeliveryUnknown):
        notifications.replay(call.session, numbered(call, _DELIVERY, delivery), organisation=found.id)
