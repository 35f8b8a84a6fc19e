"""A merchant's sandbox: payment codes of its own payers, and paying as they would (Article 20)."""

from typing import Any
from uuid import UUID, uuid4

from carbonhui import ledger, merchants
from carbonhui.api.fields import Choice, Instant, Pattern, Strict, Whole
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.charges import OFFERS, PAYMENT_CODE, TILL_CODE, ChargeSchema, charge_told
from carbonhui.api.routes.organisations import MANAGERS, own_organisation
from carbonhui.api.routes.refusals import OrganisationRoleMissing

blueprint = Blueprint("sandbox", __name__, description="Trying charges without moving a credit.")

_PATH = "/v1/merchants/<uuid:organisation>/sandbox"


class SandboxSchema(Strict):
    received = Whole(0, required=True, metadata={"description": "Sandbox credits that your sandbox holds."})
    payer_credits = Whole(0, required=True, metadata={"description": "Sandbox credits that its payer can still spend."})


class SandboxCodeAsked(Strict):
    payer = Choice("paying", "lacking", "expired", load_default="paying", metadata={
        "description": "A code that pays, one whose payer lacks credits, one whose minute is over.",
    })  # fmt: skip


class SandboxCodeSchema(Strict):
    code = Pattern(PAYMENT_CODE, required=True)
    expires_at = Instant(required=True)


class SandboxPayment(Strict):
    till_code = Pattern(TILL_CODE, longest=24, required=True)
    payer = Choice("paying", "lacking", load_default="paying")


def _told(call: Call, sandbox: merchants.Sandbox) -> dict[str, int]:
    merchant, payer = (ledger.balance_of(call.session, account) for account in (sandbox.merchant, sandbox.payer))
    return {"received": merchant.posted, "payer_credits": payer.available}


@operation(
    blueprint, "POST", _PATH, "openSandbox", answer=SandboxSchema, refuses=(OrganisationRoleMissing, merchants.NotAMerchant),
    summary="Your sandbox, made when first asked for, even before you are approved",
)  # fmt: skip
def open_sandbox(call: Call, organisation: UUID) -> dict[str, int]:
    return _told(call, merchants.sandbox_of(call.session, own_organisation(call, organisation), on=call.today))


@operation(
    blueprint, "POST", _PATH + "/credits", "refillSandbox", answer=SandboxSchema, status=201,
    refuses=(OrganisationRoleMissing, merchants.NotAMerchant), summary="Give your sandbox's payer as much to spend as it began with",
)  # fmt: skip
def refill_sandbox(call: Call, organisation: UUID) -> dict[str, int]:
    found = own_organisation(call, organisation, MANAGERS)
    sandbox = merchants.sandbox_of(call.session, found, on=call.today)
    merchants.refill(call.session, sandbox, reference=f"sandbox:{uuid4()}", on=call.today)
    return _told(call, sandbox)


@operation(
    blueprint, "POST", _PATH + "/payment-codes", "issueSandboxCode", body=SandboxCodeAsked, answer=SandboxCodeSchema, status=201,
    refuses=(merchants.NotAMerchant,), summary="A payment code of your sandbox, to charge with `sandbox=true`",
)  # fmt: skip
def issue_sandbox_code(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    sandbox = merchants.sandbox_of(call.session, own_organisation(call, organisation), on=call.today)
    services = call.services
    return vars(merchants.sandbox_code(services.vault, sandbox, body["payer"], now=services.clock.now()))


@operation(
    blueprint, "POST", _PATH + "/payments", "payInSandbox", body=SandboxPayment, answer=ChargeSchema,
    summary="Pay a charge of your sandbox that waits, as its payer's app would",
    refuses=(
        *OFFERS, merchants.NotAMerchant, merchants.SandboxPayerUnknown, merchants.ChargeNotAwaiting, merchants.MerchantNotTrading,
        ledger.NotEnough,
    ),
)  # fmt: skip
def pay_in_sandbox(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation)
    sandbox = merchants.sandbox_of(call.session, found, on=call.today)
    number = merchants.charge_of_till_code(call.services.vault, body["till_code"])
    charge = None if number is None else merchants.charge_numbered(call.session, number)
    if charge is None or charge.organisation != found.id or not charge.sandbox:
        raise merchants.SandboxPayerUnknown()
    payer = sandbox.payer if body["payer"] == "paying" else sandbox.poor_payer
    outcome = merchants.pay(call.session, charge, payer=payer, on=call.today)
    assert outcome.charge is not None
    return charge_told(call, outcome.charge)
