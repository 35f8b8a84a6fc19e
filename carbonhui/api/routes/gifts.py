"""Giving credits to another person, and the code that a receiver shows (Article 18)."""

from typing import Any
from uuid import UUID, uuid4

from carbonhui import circulation, ledger, participants, policy, privacy
from carbonhui.api.fields import (
    Choice,
    Day,
    Flag,
    Handle,
    Instant,
    Mobile,
    Page,
    Part,
    Pattern,
    Strict,
    Text,
    Whole,
    page_of,
)
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import ForWard, acted_for, hidden, named, paged
from carbonhui.api.routes.refusals import NotOneOfThese, exactly_one
from carbonhui.circulation import Gift
from carbonhui.core.amounts import Credits

blueprint = Blueprint("gifts", __name__, description="Giving credits to another person.")

MOBILE = {"description": "The other's mobile number; a number that nobody has registered is answered alike.", "example": "13800138000"}
CODE = {"description": "What the other's app shows (`makeReceiveCode`), instead of a number."}
CREDITS = {"description": "Credits."}
REFUSED = (
    policy.NotPermitted, policy.RuleNotFound, ledger.SelfTransfer, circulation.TooManyWaiting, circulation.TooManyTakenBack,
    circulation.ReceiveCodeInvalid, privacy.MobileInvalid, participants.NotGuardian, participants.PersonRestricted, NotOneOfThese,
)  # fmt: skip


class PageOfOneSide(Page):
    ward = ForWard._declared_fields["ward"]
    side = Choice("received", "sent", load_default="received", metadata={
        "description": "`received`: what others gave you, or ask you for. `sent`: what you gave, or ask for.",
    })  # fmt: skip


class Addressed(Strict):
    """A body that names another person, by one of two ways."""

    mobile = Mobile(load_default=None, allow_none=True, metadata=MOBILE)
    receive_code = Pattern(circulation.RECEIVE_CODE, longest=36, load_default=None, allow_none=True, metadata=CODE)


class GiftMade(Addressed):
    credits = Whole(1, required=True, metadata=CREDITS)
    greeting = Choice(*circulation.GREETINGS, load_default="none")


class GiftSchema(Strict):
    gift = Handle(required=True)
    side = Choice("received", "sent", required=True, metadata={"description": "Whether you are given it, or gave it."})
    credits = Whole(1, required=True, metadata=CREDITS)
    greeting = Choice(*circulation.GREETINGS, required=True)
    state = Choice(*circulation.STATES, required=True)
    given_on = Day(required=True)
    until = Day(required=True, metadata={"description": "The last day on which it can be accepted."})
    ended_on = Day(required=True, allow_none=True)
    transfer = Handle(required=True, allow_none=True, metadata={"description": "The movement in the statement, once it was accepted."})


class SenderSchema(Strict):
    name = Text(60, required=True, allow_none=True, metadata={"description": "All but the last character hidden; null unless proven."})
    mobile = Text(11, required=True, allow_none=True, metadata={"description": "The middle four digits hidden.", "example": "138****8000"})


OTHER = {"description": "Who gives or asks, masked, so that you know them; null for what you sent. The reading is on their record."}


class GiftReadSchema(GiftSchema):
    other = Part(SenderSchema, required=True, allow_none=True, metadata=OTHER)


class GiftAnswered(Strict):
    accepted = Flag(required=True)


class ReceiveCodeSchema(Strict):
    receive_code = Pattern(circulation.RECEIVE_CODE, longest=36, required=True, metadata={
        "description": "36 digits to be shown as a QR code. Whoever reads it can give you credits or ask you for some, and learns nothing.",
    })  # fmt: skip
    expires_at = Instant(required=True)


def _told(call: Call, gift: Gift, account: int) -> dict[str, Any]:
    return {
        "gift": gift.handle, "side": "sent" if gift.giver == account else "received", "credits": gift.credits,
        "greeting": gift.greeting, "state": gift.state, "given_on": gift.given_on, "until": gift.until, "ended_on": gift.ended_on,
        "transfer": None if gift.transfer is None else named(call, "transfer", gift.transfer),
    }  # fmt: skip


def other_of(call: Call, sender: int, account: int) -> dict[str, Any] | None:
    """Who sent it, as its receiver may see them."""
    if sender == account:
        return None
    return vars(circulation.seen_as(call.session, call.services.vault, sender, call.reader("gift_or_request")))


def address_of(body: dict[str, Any]) -> dict[str, Any]:
    """Whom a body names: a number or a receive code. Raises `NotOneOfThese`."""
    given = {name: body.pop(name) for name in ("mobile", "receive_code")}
    said = {name: value for name, value in given.items() if value is not None}
    if len(said) != 1:
        raise exactly_one(*given)
    return said


@operation(
    blueprint, "POST", "/v1/me/receive-codes", "makeReceiveCode", query=ForWard, answer=ReceiveCodeSchema, keyed=False,
    summary="A code for the next five minutes, by which others give you credits or ask you for some",
    description="For a QR code on your screen. It begins with 40, as no wallet's payment code does, and it pays nothing.",
    refuses=(participants.NotGuardian,),
)  # fmt: skip
def make_receive_code(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    account = acted_for(call, query["ward"]).account_id
    code, until = circulation.receive_code(call.services.vault, account, now=call.services.clock.now())
    return {"receive_code": code, "expires_at": until}


@operation(
    blueprint, "POST", "/v1/me/gifts", "giveCredits", query=ForWard, body=GiftMade, answer=GiftSchema, status=201,
    summary="Give credits to whoever holds a mobile number, or shows a receive code",
    description=(
        "By a number the gift waits: the credits are kept aside until the receiver accepts, also a receiver who registers only then."
        " By a receive code they are given at once. A number that nobody has registered is answered like any other."
    ),
    refuses=(*REFUSED, circulation.ReceiverFull, ledger.NotEnough),
)  # fmt: skip
def give_credits(call: Call, body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    giver, services = acted_for(call, query["ward"]), call.services
    said = address_of(body)
    words = {**body, "credits": Credits(body["credits"]), "giver": giver, "reference": own_reference(), "on": call.today}
    if "mobile" in said:
        gift = circulation.give_to_mobile(call.session, services.vault, **said, **words)
    else:
        gift = circulation.give_by_code(call.session, services.vault, **said, **words, now=services.clock.now())
    return _told(call, gift, giver.account_id)


def own_reference() -> str:
    """A name of our own: whoever repeats a request does it by its Idempotency-Key, and nobody's words come into the journal."""
    return f"api-{uuid4()}"


@operation(
    blueprint, "GET", "/v1/me/gifts", "listGifts", query=PageOfOneSide, answer=page_of(GiftSchema),
    summary="Gifts to you, or from you, newest first", refuses=(participants.NotGuardian,),
)  # fmt: skip
def list_gifts(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    found = circulation.gifts_of(
        call.session, person, given=query["side"] == "sent", on=call.today, before=call.cursor.read(query["cursor"]),
        limit=query["limit"] + 1,
    )  # fmt: skip
    return paged(call, found, query["limit"], lambda gift: _told(call, gift, person.account_id))


@operation(
    blueprint, "GET", "/v1/me/gifts/<uuid:gift>", "readGift", query=ForWard, answer=GiftReadSchema,
    summary="One gift, and from whom, masked", refuses=(participants.NotGuardian,),
)  # fmt: skip
def read_gift(call: Call, gift: UUID, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    with hidden(circulation.GiftUnknown):
        found = circulation.gift_of(call.session, gift, person)
    return {**_told(call, found, person.account_id), "other": other_of(call, found.giver, person.account_id)}


@operation(
    blueprint, "POST", "/v1/me/gifts/<uuid:gift>/decision", "decideGift", query=ForWard, body=GiftAnswered, answer=GiftSchema,
    summary="Accept a gift, or decline it",
    refuses=(
        circulation.GiftNotWaiting, circulation.ReceiverFull, policy.NotPermitted, policy.RuleNotFound, participants.NotGuardian,
    ),
)  # fmt: skip
def decide_gift(call: Call, gift: UUID, body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    decide = circulation.accept_gift if body["accepted"] else circulation.decline_gift
    with hidden(circulation.GiftUnknown):
        found = decide(call.session, gift, receiver=person, on=call.today)
    return _told(call, found, person.account_id)


@operation(
    blueprint, "DELETE", "/v1/me/gifts/<uuid:gift>", "cancelGift", query=ForWard, status=204,
    summary="Take back a gift that still waits", refuses=(circulation.GiftNotWaiting, participants.NotGuardian),
)  # fmt: skip
def cancel_gift(call: Call, gift: UUID, query: dict[str, Any]) -> None:
    person = acted_for(call, query["ward"])
    with hidden(circulation.GiftUnknown):
        circulation.cancel_gift(call.session, gift, giver=person, on=call.today)
