"""Charges: one sale each, under the merchant's own number (Articles 18, 20).

A charge by a payment code is authorised at once, and usually captured with it. A charge
without one waits until a payer scans the till's code. Price and credits are locked when
it is made. What became of a charge is always known by its number.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, participants, policy, privacy
from carbonhui.core.amounts import LARGEST_AMOUNT, AmountOutOfRange, checked_amount
from carbonhui.core.database import connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.ledger import CREDIT, SANDBOX, Kind
from carbonhui.merchants import charge_refusals as refusals
from carbonhui.merchants import offers, payment_codes
from carbonhui.merchants.charge_records import COLUMNS, Charge, charge_under, checked_number, locked
from carbonhui.merchants.payment_codes import LIFE_SECONDS, Reading
from carbonhui.merchants.sandbox import sandbox_pays
from carbonhui.merchants.shop_refusals import OfferNotOpen, OfferUnknown

#: How long a charge waits for its payer at most, and unless the merchant says otherwise.
WAITS_SECONDS_MAX, WAITS_SECONDS = 7_200, 900
#: How long credits stay promised to a merchant that captures later.
AUTHORISED_SECONDS = 7 * 86_400

#: Refusals of the stored functions that are the merchant's matter.
_MERCHANTS: dict[str, type[Refusal]] = {
    kind.code: kind for kind in (refusals.MerchantNotTrading, refusals.PaymentCodeUsed, refusals.PaymentAboveCityLimit)
}
#: Refusals that are the payer's matter: a payer reads them, a merchant does not.
_PAYERS: dict[str, type[Refusal]] = {
    kind.code: kind
    for kind in (
        refusals.ChargeNotAwaiting, refusals.PaymentAboveOwnLimit, refusals.PaymentsAboveDayLimit, participants.PersonRestricted,
        ledger.NotEnough, ledger.AccountClosed, ledger.AccountUnknown, ledger.AccountNeverSends, ledger.AssetDiffers,
        ledger.SelfTransfer,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """A charge, or the refusal of its payer; ``again`` when the charge was there already.

    A refusal of the payer is committed, because the payment code is spent by it.
    """

    charge: Charge | None
    again: bool = False
    declined: Refusal | None = None


@dataclass(frozen=True)
class _Words:
    """What a merchant said of a charge."""

    organisation: int
    asset: int
    out_trade_no: str
    shop: int | None
    till: int | None
    offer: int | None
    quantity: int | None
    credits: int
    money_fen: int
    captures: bool

    def are_of(self, charge: Charge) -> bool:
        return all(getattr(charge, name) == value for name, value in vars(self).items())


_MADE = "SELECT outcome, facts, " + ", ".join(f"(made).{name}" for name in Charge.__dataclass_fields__)
_BY_CODE = f"{_MADE} FROM charge_by_code({', '.join(['%s'] * 15)})"
_ACCEPT = f"{_MADE} FROM charge_accept({', '.join(['%s'] * 5)})"


def authorise(
    session: Session,
    vault: privacy.Vault,
    *,
    organisation: int,
    out_trade_no: str,
    on: date,
    now: datetime,
    payment_code: str | None = None,
    credits: int | None = None,
    money_fen: int = 0,
    offer: int | None = None,
    quantity: int | None = None,
    shop: int | None = None,
    till: int | None = None,
    capture: bool = True,
    sandbox: bool = False,
    waits_seconds: int = WAITS_SECONDS,
) -> Outcome:
    """Charge a payer by the payment code, or let a charge wait for whoever scans the till's code.

    With ``capture`` the credits move at once; without, they are promised for a week. The
    same number and the same words (the code among them) give the first outcome. A payer
    who cannot pay is an `Outcome` that declines with `PayerCannotPay`; the caller commits
    it, because it spends the payment code, so that nobody sounds out what somebody holds.

    The refusals, in the order in which they are tried: `OutTradeNoInvalid`, `PriceInvalid`,
    `AmountOutOfRange`, `OutTradeNoReused`, `PaymentCodeInvalid`, `PaymentCodeExpired`,
    `policy.NotPermitted`, `policy.RuleNotFound`, what `offers.take` refuses,
    `PaymentCodeUsed`, `MerchantNotTrading`, `PaymentAboveCityLimit`.
    """
    checked_number(out_trade_no)
    assert 1 <= waits_seconds <= WAITS_SECONDS_MAX
    credits, money_fen = _price(session, organisation, offer, quantity, credits, money_fen)
    words = _Words(
        organisation, SANDBOX if sandbox else CREDIT, out_trade_no, shop, till, offer, quantity, credits, money_fen, capture
    )  # fmt: skip
    if payment_code is None:
        return _awaiting(session, words, on, waits_seconds)
    reading = payment_codes.read(vault, payment_code, now=now)
    if reading.state == "valid" and reading.sandbox and sandbox and not sandbox_pays(session, organisation, reading.account):
        reading = Reading("invalid")
    if reading.state != "valid" or reading.sandbox != sandbox:
        return _late(session, vault, words, payment_code, reading)
    if offer is None:
        return _by_code(session, words, reading, on)
    before = _under_number(session, words)
    return _again(words, before, reading.digest) if before else _of_offer(session, words, reading, on)


def pay(session: Session, charge: Charge, *, payer: int, on: date) -> Outcome:
    """Pay a charge that waits; the same payer again gets the first outcome.

    The face reads the charge by the till's code, shows it, and says who pays. Raises
    `PayerKindRefused`, `policy.NotPermitted`, `policy.RuleNotFound`, what `offers.take`
    refuses, `MerchantNotTrading`, `ChargeNotAwaiting`, `PaymentAboveCityLimit`,
    `PaymentAboveOwnLimit`, `PaymentsAboveDayLimit`, `participants.PersonRestricted`, and
    what `ledger.post` refuses.
    """
    account = ledger.balance_of(session, payer)
    limit = 0 if charge.sandbox else _city_limit(session, on)
    if account.asset != charge.asset:
        raise refusals.SandboxPayerUnknown()
    if account.kind not in (Kind.PERSON, Kind.CAMPAIGN, Kind.CHARITY):
        raise refusals.PayerKindRefused(kind=account.kind.name.lower())
    if account.kind == Kind.CHARITY:
        policy.require(session, policy.CHARITY_MAY_REDEEM, on)
    if charge.offer is not None and locked(session, charge).state == "awaiting":
        assert charge.quantity is not None
        offers.take(
            session, charge.offer, payer=payer, quantity=charge.quantity, on=on, sandbox=charge.sandbox, shop=charge.shop
        )  # fmt: skip
    outcome, facts, made = _called(session, _ACCEPT, (charge.id, payer, on, AUTHORISED_SECONDS, limit))
    if outcome not in ("made", "again"):
        raise {**_MERCHANTS, **_PAYERS}[outcome](**facts)
    return Outcome(made, again=outcome == "again")


def _price(
    session: Session, organisation: int, offer: int | None, quantity: int | None, credits: int | None, money_fen: int
) -> tuple[int, int]:
    if offer is None:
        if credits is None or quantity is not None:
            raise refusals.PriceInvalid()
        if type(money_fen) is not int or not 0 <= money_fen <= LARGEST_AMOUNT:
            raise AmountOutOfRange(amount=ascii(money_fen)[:40], largest=LARGEST_AMOUNT)
        return checked_amount(credits), money_fen
    if credits is not None or money_fen or quantity is None:
        raise refusals.PriceInvalid()
    if type(quantity) is not int or not 1 <= quantity <= offers.QUANTITY_MAX:
        raise refusals.PriceInvalid()
    row = connection_of(session).execute(
        "SELECT credits, money_fen FROM offer WHERE id = %s AND organisation_id = %s", (offer, organisation), prepare=True
    ).fetchone()
    if row is None:
        raise OfferUnknown()
    return row[0] * quantity, row[1] * quantity


def _city_limit(session: Session, on: date) -> int:
    policy.require(session, policy.CREDITS_REDEEMABLE, on)
    return policy.rule_on(session, policy.PAYMENT_CREDITS_MAX, on)


def _by_code(session: Session, words: _Words, reading: Reading, on: date) -> Outcome:
    limit = 0 if words.asset == SANDBOX else _city_limit(session, on)
    outcome, facts, made = _called(
        session, _BY_CODE,
        (
            words.organisation, words.asset, words.out_trade_no, words.shop, words.till, words.offer, words.quantity, words.credits,
            words.money_fen, words.captures, reading.account, reading.digest, on, AUTHORISED_SECONDS, limit,
        ),
    )  # fmt: skip
    if outcome == "made":
        return Outcome(made)
    if outcome == "again":
        assert made is not None
        return _again(words, made, reading.digest)
    if outcome in _MERCHANTS:
        raise _MERCHANTS[outcome](**facts)
    if words.asset == CREDIT and outcome != ledger.AccountUnknown.code:
        notifications.announce(
            session, "payment.declined", payload={"credits": words.credits, "reason": outcome}, account=reading.account
        )
    return Outcome(None, declined=refusals.PayerCannotPay(asked=words.credits))


def _of_offer(session: Session, words: _Words, reading: Reading, on: date) -> Outcome:
    assert words.offer is not None and words.quantity is not None
    sandbox = words.asset == SANDBOX
    try:
        offers.take(
            session, words.offer, payer=reading.account, quantity=words.quantity, on=on, sandbox=sandbox, shop=words.shop
        )  # fmt: skip
    except Refusal:
        # The same charge, sent twice at once, may have taken the last of it.
        before = _under_number(session, words)
        if before is None:
            raise
        return _again(words, before, reading.digest)
    outcome = _by_code(session, words, reading, on)
    if outcome.again or outcome.declined:
        offers.give_back(
            session, words.offer, payer=reading.account, quantity=words.quantity, taken_on=on, sandbox=sandbox
        )  # fmt: skip
    return outcome


def _awaiting(session: Session, words: _Words, on: date, waits_seconds: int) -> Outcome:
    try:
        if words.asset == CREDIT:
            _city_limit(session, on)
        if words.offer is not None:
            _require_open_offer(session, words.offer, on, draft=words.asset == SANDBOX)
    except Refusal:
        # What keeps a charge from being made now says nothing of the one that was made.
        made = _under_number(session, words)
        if made is None:
            raise
        return _again(words, made, None)
    row = connection_of(session).execute(
        f"""INSERT INTO charge (organisation, merchant, asset, out_trade_no, shop, till, offer, quantity, credits, money_fen, state,
                                captures, expires_at, business_date)
            SELECT %(organisation)s, merchant, %(asset)s, %(out_trade_no)s, %(shop)s, %(till)s, %(offer)s, %(quantity)s, %(credits)s,
                   %(money_fen)s, 'awaiting', %(captures)s, clock_timestamp() + %(seconds)s * interval '1 second', %(on)s
            FROM charge_merchant(%(organisation)s, %(asset)s::smallint) AS merchant WHERE merchant IS NOT NULL
            ON CONFLICT (organisation, asset, out_trade_no) DO NOTHING RETURNING {COLUMNS}""",
        {**vars(words), "seconds": waits_seconds, "on": on}, prepare=True,
    ).fetchone()  # fmt: skip
    if row is not None:
        return Outcome(Charge(*row))
    before = _under_number(session, words)
    if before is None:
        raise refusals.MerchantNotTrading()
    return _again(words, before, None)


def _require_open_offer(session: Session, offer: int, on: date, *, draft: bool) -> None:
    row = connection_of(session).execute(
        "SELECT state, valid_from, valid_until FROM offer WHERE id = %s", (offer,), prepare=True
    ).fetchone()
    assert row is not None, "the price was read of it just now"
    state, first_day, last_day = row
    if state != "published" and not (draft and state == "draft") or not first_day <= on <= last_day:
        raise OfferNotOpen(on=on, first_day=first_day, last_day=last_day)


def _late(session: Session, vault: privacy.Vault, words: _Words, payment_code: str, reading: Reading) -> Outcome:
    """A code that is not good now may have made this very charge before."""
    before = _under_number(session, words)
    if before is not None:
        # A minute later than the store's clock said: it may be slow.
        then = payment_codes.read(vault, payment_code, now=before.at + timedelta(seconds=LIFE_SECONDS)) if before.code else reading
        return _again(words, before, then.digest or b"another")
    if reading.state == "expired":
        raise refusals.PaymentCodeExpired(seconds=LIFE_SECONDS)
    raise refusals.PaymentCodeInvalid()


def _again(words: _Words, before: Charge, code: bytes | None) -> Outcome:
    if not words.are_of(before) or before.code != code:
        raise refusals.OutTradeNoReused(out_trade_no=words.out_trade_no)
    return Outcome(before, again=True)


def _under_number(session: Session, words: _Words) -> Charge | None:
    return charge_under(session, words.organisation, words.out_trade_no, sandbox=words.asset == SANDBOX)


def _called(session: Session, statement: str, words: tuple[Any, ...]) -> tuple[str, dict[str, Any], Charge | None]:
    row = connection_of(session).execute(statement, words, prepare=True).fetchone()
    assert row is not None
    outcome, facts, *made = row
    return outcome, json.loads(facts or "{}"), Charge(*made) if made[0] is not None else None
