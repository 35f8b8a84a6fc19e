"""The sandbox: the same charges in an asset of its own, which touches nothing real (Article 20)."""

from datetime import timedelta

from carbonhui import ledger, merchants, participants
from carbonhui.merchants import Outcome, Sandbox
from tests.ledger.books import fresh
from tests.merchants.market import NOON, TODAY, Market


def opened(market: Market, shop: participants.Organisation) -> Sandbox:
    return market.run(lambda s: merchants.sandbox_of(s, shop, on=TODAY))


def tried(market: Market, shop: participants.Organisation, payer: str = "paying", **words: object) -> Outcome:
    sandbox = opened(market, shop)
    now = NOON + timedelta(seconds=int(words.pop("after", 0)))  # type: ignore[call-overload]
    code = merchants.sandbox_code(market.vault, sandbox, payer, now=now).code  # type: ignore[arg-type]
    return market.run(lambda s: market.charge(s, shop, payment_code=code, sandbox=True, now=now, **words))


def real(market: Market) -> list[tuple[object, ...]]:
    """What the books hold of credits."""
    return market.rows("SELECT count(*), sum(amount) FROM transfer WHERE asset = 1") + market.rows("SELECT sum(posted) FROM balance WHERE asset = 1")


def test_a_sandbox_charges_captures_refunds_and_moves_no_credit(market: Market) -> None:
    shop = market.merchant()
    sandbox, before = opened(market, shop), real(market)
    assert opened(market, shop) == sandbox
    charge = tried(market, shop, credits=30, capture=False).charge
    assert charge is not None
    done = market.run(lambda s: merchants.capture(s, charge, credits=20, on=TODAY))
    market.run(lambda s: merchants.refund(s, done, out_refund_no=fresh("refund"), credits=5, on=TODAY))
    assert (market.holds(sandbox.payer), market.holds(sandbox.merchant)[0]) == ((9_985, 9_985), 15)
    assert real(market) == before
    assert market.rows(f"SELECT DISTINCT payload ->> 'sandbox' FROM announcement WHERE organisation = {shop.id} AND topic LIKE 'charge.%'") == [("true",)]
    assert market.inbox(sandbox.payer) == []


def test_a_merchant_tries_before_it_is_approved_and_nobody_who_is_none(market: Market) -> None:
    applied = market.applicant()
    assert tried(market, applied).charge is not None
    assert market.refusal(lambda s: market.charge(s, applied, payer=market.shopper(50))) == "merchant_not_trading"
    other = market.approved("department")
    assert market.refusal(lambda s: merchants.sandbox_of(s, other, on=TODAY)) == "not_a_merchant"


def test_developers_try_what_goes_wrong(market: Market) -> None:
    shop = market.merchant()
    lacking = tried(market, shop, "lacking", after=1)
    assert lacking.declined is not None
    assert lacking.declined.code == "payer_cannot_pay"
    assert market.refusal(lambda s: merchants.query(s, shop.id, "none", sandbox=True)) == "charge_unknown"
    sandbox = opened(market, shop)
    over = merchants.sandbox_code(market.vault, sandbox, "expired", now=NOON).code
    assert market.refusal(lambda s: market.charge(s, shop, payment_code=over, sandbox=True)) == "payment_code_expired"


def test_the_same_number_is_one_charge_here_and_another_there(market: Market) -> None:
    shop, payer, number = market.merchant(), market.shopper(50), fresh("trade")
    trial = tried(market, shop, out_trade_no=number, after=2).charge
    made = market.paid(shop, payer, out_trade_no=number)
    assert trial is not None
    assert (trial.sandbox, made.sandbox) == (True, False)
    listed = [market.run(lambda s, trial=trial: merchants.charges_of(s, shop.id, sandbox=trial)) for trial in (True, False)]
    assert listed == [[trial], [made]]


def test_a_sandboxs_charge_is_paid_by_the_sandbox_only(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(50)
    sandbox = opened(market, shop)
    trial = market.run(lambda s: market.charge(s, shop, sandbox=True)).charge
    asked = market.run(lambda s: market.charge(s, shop)).charge
    assert trial is not None
    assert asked is not None
    assert market.refusal(lambda s: merchants.pay(s, trial, payer=payer, on=TODAY)) == "sandbox_payer_unknown"
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=sandbox.payer, on=TODAY)) == "sandbox_payer_unknown"
    assert market.refusal(lambda s: merchants.pay(s, trial, payer=sandbox.poor_payer, on=TODAY)) == "not_enough"
    assert market.run(lambda s: merchants.pay(s, trial, payer=sandbox.payer, on=TODAY)).charge is not None


def test_another_merchants_sandbox_has_payers_of_its_own(market: Market) -> None:
    shop, other = market.merchant(), market.merchant()
    sandbox = opened(market, other)
    opened(market, shop)
    for payer in ("paying", "lacking"):
        code = merchants.sandbox_code(market.vault, sandbox, payer, now=NOON).code  # type: ignore[arg-type]
        assert market.refusal(lambda s, code=code: market.charge(s, shop, payment_code=code, sandbox=True)) == "payment_code_invalid"  # type: ignore[misc]
    assert market.holds(sandbox.payer) == (10_000, 10_000)


def test_a_sandbox_is_filled_again(market: Market) -> None:
    shop = market.merchant()
    sandbox = opened(market, shop)
    market.run(lambda s: merchants.refill(s, sandbox, reference=fresh("refill"), on=TODAY))
    assert market.holds(sandbox.payer) == (20_000, 20_000)


def test_a_sandboxs_account_lies_beside_the_merchants_own(market: Market) -> None:
    shop = market.merchant()
    sandbox = opened(market, shop)
    holders = market.rows(f"SELECT count(DISTINCT holder) FROM account WHERE id IN ({shop.account_id}, {sandbox.merchant})")
    assert holders == [(1,)]
    kinds = [market.run(lambda s, account=account: ledger.balance_of(s, account)).kind for account in (sandbox.merchant, sandbox.payer)]
    assert kinds == [ledger.Kind.MERCHANT, ledger.Kind.PERSON]
