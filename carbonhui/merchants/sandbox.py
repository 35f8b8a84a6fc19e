"""What merchants' developers try with: accounts of an asset of its own, which is no credit and has no serials.

A sandbox has the merchant's account, a payer with credits to spend and a payer without.
Charges, refunds, webhooks and settlements work as they do for real, and touch nothing real.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy.orm import Session

from carbonhui import ledger, privacy
from carbonhui.core.database import connection_of
from carbonhui.ledger import SANDBOX, Kind, Purpose
from carbonhui.merchants import payment_codes
from carbonhui.merchants.payment_codes import PaymentCode
from carbonhui.merchants.shops import require_merchant
from carbonhui.participants import Organisation

#: What a sandbox's payer begins with.
GRANT_CREDITS = 10_000
PayerKind = Literal["paying", "lacking", "expired"]


@dataclass(frozen=True)
class Sandbox:
    """The accounts of a merchant's sandbox; ``poor_payer`` holds nothing."""

    merchant: int
    payer: int
    poor_payer: int


def sandbox_of(session: Session, organisation: Organisation, *, on: date) -> Sandbox:
    """A merchant's sandbox, made when first asked for, even before the merchant is approved. Raises `NotAMerchant`."""
    found = _found(session, organisation)
    if found is not None:
        return found
    require_merchant(organisation)
    # Two first askers must not make it twice.
    connection_of(session).execute("SELECT pg_advisory_xact_lock(440125, hashint8(%s))", (organisation.id,))
    return _found(session, organisation) or _made(session, organisation, on)


def _found(session: Session, organisation: Organisation) -> Sandbox | None:
    row = connection_of(session).execute(
        "SELECT merchant, payer, poor_payer FROM merchant_sandbox WHERE organisation = %s", (organisation.id,), prepare=True
    ).fetchone()
    return Sandbox(*row) if row else None


def sandbox_pays(session: Session, organisation: int, payer: int) -> bool:
    """Whether an account pays in this merchant's sandbox; another merchant's developers have payers of their own."""
    row = connection_of(session).execute(
        "SELECT FROM merchant_sandbox WHERE organisation = %s AND %s IN (payer, poor_payer)", (organisation, payer), prepare=True
    ).fetchone()
    return row is not None


def _made(session: Session, organisation: Organisation, on: date) -> Sandbox:
    merchant = ledger.open_account(session, Kind.MERCHANT, asset=SANDBOX, beside=organisation.account_id)
    payer, poor_payer = (ledger.open_account(session, Kind.PERSON, asset=SANDBOX) for _ in range(2))
    made = Sandbox(merchant, payer, poor_payer)
    connection_of(session).execute(
        "INSERT INTO merchant_sandbox VALUES (%s, %s, %s, %s)", (organisation.id, merchant, payer, poor_payer)
    )
    refill(session, made, reference=f"sandbox:{organisation.handle}", on=on)
    return made


def refill(session: Session, sandbox: Sandbox, *, reference: str, on: date) -> None:
    """Give a sandbox's payer as much to spend as it began with. Raises what `ledger.post` raises."""
    ledger.post(
        session, purpose=Purpose.SANDBOX_GRANT, source=ledger.system_account(session, Kind.SANDBOX_SOURCE, asset=SANDBOX),
        target=sandbox.payer, amount=GRANT_CREDITS, asset=SANDBOX, reference=reference, business_date=on,
    )  # fmt: skip


def sandbox_code(vault: privacy.Vault, sandbox: Sandbox, payer: PayerKind, *, now: datetime) -> PaymentCode:
    """A sandbox's payment code: one that pays, one whose payer lacks credits, one that is over."""
    if payer == "expired":
        code = payment_codes.expired_code(vault, account=sandbox.payer, now=now)
        return PaymentCode(code, now)
    account = sandbox.payer if payer == "paying" else sandbox.poor_payer
    return payment_codes.payment_code(vault, account=account, now=now, sandbox=True)
