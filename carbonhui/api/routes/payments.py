"""Paying at merchants, as the payer's app does it: payment codes, charges that wait at a till, limits (Article 18)."""

from typing import Any

from carbonhui import ledger, merchants, participants
from carbonhui.api.fields import Choice, Day, Handle, Instant, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import ForWard, acted_for, paged
from carbonhui.api.routes.charges import OFFERS, PAYMENT_CODE, RULES, STATES
from carbonhui.api.routes.credits import PageForWard
from carbonhui.api.routes.paying import POOL_REFUSALS, payer_of, payer_part
from carbonhui.api.routes.refusals import OrganisationRoleMissing
from carbonhui.merchants import Charge, PaymentLimits

blueprint = Blueprint("payments", __name__, description="Paying at merchants.")

_TILL = "/v1/payments/<string(maxlength=64):till_code>"
_LIMIT = {"description": "Credits; null for no limit, 0 lets nothing be paid."}


class PaymentCodeAsked(Strict):
    ward = ForWard._declared_fields["ward"]


class PaymentCodeSchema(Strict):
    code = Pattern(PAYMENT_CODE, required=True, metadata={"description": "Show it as digits and as a QR code of these digits."})
    expires_at = Instant(required=True)


class PaymentSchema(Strict):
    trade = Handle(required=True)
    merchant = Text(200, required=True)
    shop = Text(100, required=True, allow_none=True)
    offer_zh = Text(100, required=True, allow_none=True)
    offer_en = Text(100, required=True, allow_none=True)
    quantity = Whole(1, required=True, allow_none=True)
    credits = Whole(1, required=True)
    money_fen = Whole(0, required=True, metadata={"description": "What is paid beside it in money, at the till."})
    state = Choice(*STATES, required=True)
    captured = Whole(0, required=True)
    refunded = Whole(0, required=True)
    business_date = Day(required=True)
    made_at = Instant(required=True)
    authorised_at = Instant(required=True, allow_none=True)
    expires_at = Instant(required=True, allow_none=True)


class PaymentMade(Strict):
    payer = payer_part()


class LimitsSchema(Strict):
    per_payment_max = Whole(0, required=True, allow_none=True, metadata=_LIMIT)
    per_day_max = Whole(0, required=True, allow_none=True, metadata=_LIMIT)


def payment_told(payment: merchants.Payment) -> dict[str, Any]:
    return {**vars(payment), "made_at": payment.at}


@operation(
    blueprint, "POST", "/v1/me/payment-codes", "issuePaymentCode", body=PaymentCodeAsked, answer=PaymentCodeSchema, status=201, keyed=False,
    summary="A code that pays from your credits, once and for a minute", refuses=(participants.NotGuardian,),
)  # fmt: skip
def issue_payment_code(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, body["ward"])
    return vars(merchants.payment_code(call.services.vault, account=person.account_id, now=call.services.clock.now()))


@operation(
    blueprint, "GET", _TILL, "readPayment", query=ForWard, answer=PaymentSchema, refuses=(participants.NotGuardian,),
    summary="What a till asks for, by the code that it shows",
)  # fmt: skip
def read_payment(call: Call, till_code: str, query: dict[str, Any]) -> dict[str, Any]:
    person = acted_for(call, query["ward"])
    charge = _shown(call, till_code)
    if charge.state != "awaiting" and charge.payer != person.account_id:
        raise NotFound
    return payment_told(merchants.payment(call.session, charge))


@operation(
    blueprint, "POST", _TILL, "payCharge", body=PaymentMade, answer=PaymentSchema,
    summary="Pay what a till asks for", description="The same payer again gets the first outcome.",
    refuses=(
        *OFFERS, *RULES, *POOL_REFUSALS, OrganisationRoleMissing, participants.NotGuardian, participants.OrganisationNotApproved,
        participants.PersonRestricted, merchants.ChargeNotAwaiting, merchants.MerchantNotTrading, merchants.PayerKindRefused,
        merchants.PaymentAboveCityLimit, merchants.PaymentAboveOwnLimit, merchants.PaymentsAboveDayLimit, ledger.NotEnough,
        ledger.AccountClosed,
    ),
)  # fmt: skip
def pay_charge(call: Call, till_code: str, body: dict[str, Any]) -> dict[str, Any]:
    charge = _shown(call, till_code)
    payer = payer_of(call, body["payer"], use="purchase", target=charge.merchant)
    outcome = merchants.pay(call.session, charge, payer=payer.account, on=call.today)
    assert outcome.charge is not None
    return payment_told(merchants.payment(call.session, outcome.charge))


def _shown(call: Call, till_code: str) -> Charge:
    """The charge behind a till's code. The sandbox's are paid in the sandbox only."""
    number = merchants.charge_of_till_code(call.services.vault, till_code)
    if number is None:
        raise NotFound
    charge = merchants.charge_numbered(call.session, number)
    if charge.sandbox:
        raise NotFound
    return charge


@operation(
    blueprint, "GET", "/v1/me/payments", "listPayments", query=PageForWard, answer=page_of(PaymentSchema),
    summary="What you paid at merchants, newest first", refuses=(participants.NotGuardian,),
)  # fmt: skip
def list_payments(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    account = acted_for(call, query["ward"]).account_id
    rows = merchants.payments_of(call.session, account, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1)
    return paged(call, rows, query["limit"], payment_told)


@operation(
    blueprint, "GET", "/v1/me/payment-limits", "readPaymentLimits", query=ForWard, answer=LimitsSchema,
    summary="What you let one payment and one day take", refuses=(participants.NotGuardian,),
)  # fmt: skip
def read_payment_limits(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    return vars(merchants.payment_limits(call.session, acted_for(call, query["ward"]).account_id))


@operation(
    blueprint, "PUT", "/v1/me/payment-limits", "changePaymentLimits", query=ForWard, body=LimitsSchema, answer=LimitsSchema,
    summary="Let one payment and one day take at most so much", refuses=(participants.NotGuardian,),
)  # fmt: skip
def change_payment_limits(call: Call, query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    merchants.limit_payments(call.session, acted_for(call, query["ward"]).account_id, PaymentLimits(**body))
    return body
