"""Charges and refunds, by a merchant's server or a member at the till (Articles 18, 20).

``sandbox=true`` in the query is the same in the merchant's sandbox, where nothing is real.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from carbonhui import ledger, merchants, policy
from carbonhui.api.fields import Choice, Day, Flag, Handle, Instant, Page, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, Refused, operation
from carbonhui.api.routes.acting import paged, whole_list
from carbonhui.api.routes.organisations import MANAGERS, MEMBERS, own_organisation
from carbonhui.api.routes.refusals import OrganisationRoleMissing
from carbonhui.merchants import Charge

blueprint = Blueprint("charges", __name__, description="Charges and refunds of a merchant.")

NUMBER = r"[0-9A-Za-z_|*-]{1,64}"
PAYMENT_CODE, TILL_CODE = r"4[79][0-9]{22}", r"48[0-9]{22}"
STATES = ("awaiting", "authorised", "captured", "voided", "closed")
_PATH = "/v1/merchants/<uuid:organisation>/charges"
_ONE = _PATH + "/<string(maxlength=64):out_trade_no>"
_SANDBOX = {"description": "Whether this is tried in your sandbox, where nothing is real."}
OFFERS = (
    merchants.OfferUnknown, merchants.OfferNotOpen, merchants.OfferNotHere, merchants.OfferLimitPerPerson, merchants.OfferLimitPerDay,
    merchants.OfferSoldOut,
)  # fmt: skip
RULES = (policy.NotPermitted, policy.RuleNotFound)


class InSandbox(Strict):
    sandbox = Flag(load_default=False, metadata=_SANDBOX)


class ChargeMade(Strict):
    out_trade_no = Pattern(NUMBER, longest=64, required=True, metadata={"description": "Your own number of this sale, used once."})
    payment_code = Pattern(PAYMENT_CODE, longest=24, load_default=None, metadata={
        "description": "What you scanned from the payer's app. Without it the charge waits, and your till shows its `till_code`.",
    })  # fmt: skip
    credits = Whole(1, load_default=None, metadata={"description": "The price in credits, unless an offer says it."})
    money_fen = Whole(0, load_default=0, metadata={"description": "What the payer pays beside it in money, for your own books."})
    offer = Handle(load_default=None, metadata={"description": "An offer of yours; it says credits and money."})
    quantity = Whole(1, 9_999, load_default=None, metadata={"description": "How many of the offer."})
    shop = Handle(load_default=None)
    till = Handle(load_default=None, metadata={"description": "A till of the shop."})
    capture = Flag(load_default=True, metadata={"description": "False only promises the credits, for a week; capture later."})
    waits_seconds = Whole(30, merchants.WAITS_SECONDS_MAX, load_default=merchants.WAITS_SECONDS, metadata={
        "description": "How long a charge without a payment code waits.",
    })  # fmt: skip


class ChargeSchema(Strict):
    trade = Handle(required=True, metadata={"description": "Our number of this charge, by which webhooks name it."})
    out_trade_no = Text(64, required=True)
    sandbox = Flag(required=True)
    state = Choice(*STATES, required=True)
    credits = Whole(1, required=True)
    money_fen = Whole(0, required=True)
    captured = Whole(0, required=True, metadata={"description": "Credits that you received."})
    refunded = Whole(0, required=True, metadata={"description": "Of these, credits that you gave back."})
    offer = Handle(required=True, allow_none=True)
    quantity = Whole(1, required=True, allow_none=True)
    shop = Handle(required=True, allow_none=True)
    till = Handle(required=True, allow_none=True)
    till_code = Pattern(TILL_CODE, required=True, allow_none=True, metadata={"description": "What your till shows while it waits."})
    business_date = Day(required=True)
    made_at = Instant(required=True)
    authorised_at = Instant(required=True, allow_none=True)
    captured_at = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)
    expires_at = Instant(required=True, allow_none=True, metadata={"description": "When waiting or promised credits end."})


class ChargesAsked(Page):
    sandbox = Flag(load_default=False, metadata=_SANDBOX)
    state = Choice(*STATES, load_default=None)
    day = Day(load_default=None, metadata={"description": "Only charges of this business date."})
    trade = Handle(load_default=None, metadata={"description": "Only the charge that a webhook named."})


class Captured(Strict):
    credits = Whole(1, load_default=None, metadata={"description": "How much of what was authorised; all of it unless said."})


class RefundMade(Strict):
    out_refund_no = Pattern(NUMBER, longest=64, required=True, metadata={"description": "Your own number of this refund, used once."})
    credits = Whole(1, required=True)
    after_settlement = Flag(load_default=False, metadata={
        "description": "The decision of an owner or manager to refund what was settled, out of credits received since.",
    })  # fmt: skip


class RefundSchema(Strict):
    out_refund_no = Text(64, required=True)
    credits = Whole(1, required=True)
    after_settlement = Flag(required=True)
    business_date = Day(required=True)
    at = Instant(required=True)


def charges_told(call: Call, charges: list[Charge]) -> list[dict[str, Any]]:
    handles = merchants.handles_in(call.session, charges)
    vault = call.services.vault
    return [
        {
            **vars(one), "trade": one.handle, "sandbox": one.sandbox, "made_at": one.at,
            "offer": handles.get(("offer", one.offer or 0)), "shop": handles.get(("shop", one.shop or 0)),
            "till": handles.get(("till", one.till or 0)),
            "till_code": merchants.till_code(vault, one.id) if one.state == "awaiting" else None,
        }
        for one in charges
    ]  # fmt: skip


def charge_told(call: Call, charge: Charge) -> dict[str, Any]:
    return charges_told(call, [charge])[0]


def _own(call: Call, organisation: UUID, number: str, sandbox: bool, roles: Collection[str] = MEMBERS) -> Charge:
    found = own_organisation(call, organisation, roles)
    return merchants.query(call.session, found.id, number, sandbox=sandbox)


@operation(
    blueprint, "POST", _PATH, "makeCharge", query=InSandbox, body=ChargeMade, answer=ChargeSchema, status=201,
    summary="Charge a payer by the payment code, or let a charge wait for whoever scans your till's code",
    description="The same number with the same words gives the first charge again. When an answer is lost, read the charge by its "
    "number: `charge_unknown` means that it did not come about and may be sent again. A declined payment spends the payment code.",
    refuses=(
        *OFFERS, *RULES, merchants.MerchantNotTrading, merchants.OutTradeNoReused, merchants.PayerCannotPay,
        merchants.PaymentAboveCityLimit, merchants.PaymentCodeExpired, merchants.PaymentCodeInvalid, merchants.PaymentCodeUsed, merchants.PriceInvalid,
        merchants.ShopClosed, merchants.ShopUnknown, merchants.TillClosed, merchants.TillUnknown,
    ),
)  # fmt: skip
def make_charge(call: Call, organisation: UUID, query: dict[str, Any], body: dict[str, Any]) -> Any:
    found = own_organisation(call, organisation)
    shop, till, offer = body.pop("shop"), body.pop("till"), body.pop("offer")
    if till is not None and shop is None:
        raise merchants.ShopUnknown()
    done = {"out_trade_no": body["out_trade_no"], "sandbox": query["sandbox"]}
    place = merchants.counter(call.session, organisation=found.id, shop=shop, till=till, **done) if shop else None
    outcome = merchants.authorise(
        call.session, call.services.vault, organisation=found.id, on=call.today, now=call.services.clock.now(),
        shop=place.shop if place else None, till=place.till if place else None,
        offer=merchants.offer_of(call.session, found, offer).id if offer else None, sandbox=query["sandbox"], **body,
    )  # fmt: skip
    if outcome.declined is not None:
        return Refused(outcome.declined)
    assert outcome.charge is not None
    return charge_told(call, outcome.charge)


@operation(
    blueprint, "GET", _PATH, "listCharges", query=ChargesAsked, answer=page_of(ChargeSchema),
    summary="A merchant's charges, newest first",
)  # fmt: skip
def list_charges(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation)
    rows = merchants.charges_of(
        call.session, found.id, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1, sandbox=query["sandbox"],
        state=query["state"], day=query["day"], trade=query["trade"],
    )  # fmt: skip
    told = {one["id"]: one for one in charges_told(call, rows[: query["limit"]])}
    return paged(call, rows, query["limit"], lambda one: told[one.id])


@operation(
    blueprint, "GET", _ONE, "readCharge", query=InSandbox, answer=ChargeSchema, refuses=(merchants.ChargeUnknown,),
    summary="What became of a charge, by your own number of it",
)  # fmt: skip
def read_charge(call: Call, organisation: UUID, out_trade_no: str, query: dict[str, Any]) -> dict[str, Any]:
    return charge_told(call, _own(call, organisation, out_trade_no, query["sandbox"]))


@operation(
    blueprint, "POST", _ONE + "/capture", "captureCharge", query=InSandbox, body=Captured, answer=ChargeSchema,
    summary="Take what was authorised, wholly or in part, once; the rest is free again",
    refuses=(
        merchants.ChargeUnknown, merchants.ChargeStateDiffers, merchants.CaptureAboveAuthorisation, merchants.MerchantNotTrading,
    ),
)  # fmt: skip
def capture_charge(call: Call, organisation: UUID, out_trade_no: str, query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    charge = _own(call, organisation, out_trade_no, query["sandbox"])
    return charge_told(call, merchants.capture(call.session, charge, credits=body["credits"], on=call.today))


@operation(
    blueprint, "POST", _ONE + "/void", "voidCharge", query=InSandbox, answer=ChargeSchema,
    summary="Let go of what was authorised and not captured", refuses=(merchants.ChargeUnknown, merchants.ChargeStateDiffers),
)  # fmt: skip
def void_charge(call: Call, organisation: UUID, out_trade_no: str, query: dict[str, Any]) -> dict[str, Any]:
    charge = _own(call, organisation, out_trade_no, query["sandbox"])
    return charge_told(call, merchants.void(call.session, charge))


@operation(
    blueprint, "POST", _ONE + "/close", "closeCharge", query=InSandbox, answer=ChargeSchema,
    summary="Let a charge wait for nobody any more", refuses=(merchants.ChargeUnknown, merchants.ChargeStateDiffers),
)  # fmt: skip
def close_charge(call: Call, organisation: UUID, out_trade_no: str, query: dict[str, Any]) -> dict[str, Any]:
    charge = _own(call, organisation, out_trade_no, query["sandbox"])
    return charge_told(call, merchants.close(call.session, charge))


@operation(
    blueprint, "POST", _ONE + "/refunds", "refundCharge", query=InSandbox, body=RefundMade, answer=RefundSchema, status=201,
    summary="Give back part or all of what was captured",
    description="By your server, or by an owner or manager. After settlement only by an owner or manager, with `after_settlement`.",
    refuses=(
        OrganisationRoleMissing, merchants.ChargeUnknown, merchants.ChargeStateDiffers, merchants.RefundAboveCapture,
        merchants.RefundTooLate, merchants.ChargeSettled, merchants.OutRefundNoReused, merchants.PayerCannotReceive,
        policy.RuleNotFound, ledger.NotEnough,
    ),
)  # fmt: skip
def refund_charge(call: Call, organisation: UUID, out_trade_no: str, query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    charge = _own(call, organisation, out_trade_no, query["sandbox"], MANAGERS)
    if body["after_settlement"] and call.caller.kind == "organisation":
        raise OrganisationRoleMissing(roles=", ".join(MANAGERS))
    return vars(merchants.refund(call.session, charge, on=call.today, **body)[0])


@operation(
    blueprint, "GET", _ONE + "/refunds", "listRefunds", query=InSandbox, answer=page_of(RefundSchema),
    summary="The refunds of a charge, oldest first", refuses=(merchants.ChargeUnknown,),
)  # fmt: skip
def list_refunds(call: Call, organisation: UUID, out_trade_no: str, query: dict[str, Any]) -> dict[str, Any]:
    charge = _own(call, organisation, out_trade_no, query["sandbox"])
    return whole_list([vars(one) for one in merchants.refunds_of(call.session, charge)])
