"""What a person lets one payment and one day take, and what the city lets one payment be (Article 18)."""

import threading
from datetime import timedelta

import pytest

from carbonhui import merchants, policy
from carbonhui.merchants import PaymentLimits
from tests.ledger.books import fresh, put_in_force
from tests.merchants.market import NOON, TODAY, Market

TOMORROW = TODAY + timedelta(days=1)


def limited(market: Market, credits: int = 100, **limits: int) -> int:
    payer = market.shopper(credits)
    market.run(lambda s: merchants.limit_payments(s, payer, PaymentLimits(**limits)))
    return payer


def accepts(market: Market, payer: int, credits: int) -> str:
    """What the payer reads who accepts a till's charge."""
    shop = market.merchant()
    asked = market.run(lambda s: market.charge(s, shop, credits=credits)).charge
    assert asked is not None
    return market.refusal(lambda s: merchants.pay(s, asked, payer=payer, on=TODAY))


def test_one_payment_takes_at_most_what_its_payer_lets_it(market: Market) -> None:
    shop, payer = market.merchant(), limited(market, per_payment_max=20)
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, credits=21)) == "payer_cannot_pay"
    assert accepts(market, payer, 21) == "payment_above_own_limit"
    assert market.paid(shop, payer, credits=20).state == "captured"


def test_a_day_takes_at_most_what_its_payer_lets_it(market: Market) -> None:
    shop, payer = market.merchant(), limited(market, per_day_max=30)
    market.paid(shop, payer, credits=10)
    promised = market.paid(shop, payer, credits=20, capture=False)
    assert accepts(market, payer, 1) == "payments_above_day_limit"
    market.run(lambda s: merchants.capture(s, promised, credits=5, on=TODAY))
    assert accepts(market, payer, 16) == "payments_above_day_limit"
    assert accepts(market, payer, 15) == "done"
    assert market.paid(shop, payer, credits=30, on=TOMORROW).state == "captured"


def test_what_was_voided_counts_no_more_and_what_was_refunded_does(market: Market) -> None:
    shop, payer = market.merchant(), limited(market, per_day_max=30)
    promised = market.paid(shop, payer, credits=30, capture=False)
    market.run(lambda s: merchants.void(s, promised))
    paid = market.paid(shop, payer, credits=30)
    market.run(lambda s: merchants.refund(s, paid, out_refund_no=fresh("refund"), credits=30, on=TODAY))
    assert accepts(market, payer, 1) == "payments_above_day_limit"


def test_zero_lets_nothing_be_paid_and_none_lets_everything(market: Market) -> None:
    shop, payer = market.merchant(), limited(market, per_payment_max=0)
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, credits=1)) == "payer_cannot_pay"
    market.run(lambda s: merchants.limit_payments(s, payer, PaymentLimits()))
    assert market.run(lambda s: merchants.payment_limits(s, payer)) == PaymentLimits(None, None)
    market.paid(shop, payer, credits=100)


@pytest.mark.parametrize("credits", [-1, 2**53, 2**63])
def test_a_limit_is_an_amount(market: Market, credits: int) -> None:
    payer = market.shopper(0)
    assert market.refusal(lambda s: merchants.limit_payments(s, payer, PaymentLimits(per_day_max=credits))) == "amount_out_of_range"


def test_sixteen_tills_at_once_take_not_one_credit_more_than_the_day_has(market: Market) -> None:
    payer = limited(market, 1_000, per_day_max=50)
    shops = [market.merchant() for _ in range(4)]
    codes = [market.code(payer, NOON + timedelta(seconds=second)) for second in range(16)]
    told, gate = ["" for _ in codes], threading.Barrier(16)

    def sell(at: int) -> None:
        gate.wait()
        now = NOON + timedelta(seconds=20)
        told[at] = market.refusal(lambda s: market.charge(s, shops[at % 4], credits=10, payment_code=codes[at], now=now))

    tills = [threading.Thread(target=sell, args=(at,)) for at in range(16)]
    for till in tills:
        till.start()
    for till in tills:
        till.join()
    assert (told.count("done"), told.count("payer_cannot_pay")) == (5, 11)
    assert market.holds(payer) == (950, 950)


def test_the_city_may_limit_every_payment_and_a_till_reads_that(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    market.run(lambda s: put_in_force(s, policy.PAYMENT_CREDITS_MAX, 20, TOMORROW))
    code = market.code(payer)
    told = {"payment_code": code, "credits": 21, "on": TOMORROW}
    assert market.refusal(lambda s: market.charge(s, shop, **told)) == "payment_above_city_limit"
    assert market.paid(shop, payer, **{**told, "credits": 20}).state == "captured"


def test_where_the_city_lets_credits_not_be_redeemed_nobody_charges(market: Market) -> None:
    shop, payer, later = market.merchant(), market.shopper(100), TODAY + timedelta(days=2)
    market.run(lambda s: put_in_force(s, policy.CREDITS_REDEEMABLE, 0, later))
    asked = market.run(lambda s: market.charge(s, shop)).charge
    assert asked is not None
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, on=later)) == "not_permitted"
    assert market.refusal(lambda s: market.charge(s, shop, on=later)) == "not_permitted"
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=payer, on=later)) == "not_permitted"


def test_a_charity_pays_where_the_city_lets_it(market: Market) -> None:
    shop, charity, later = market.merchant(), market.approved("charity"), TODAY + timedelta(days=1)
    account = charity.account_id
    assert account is not None
    asked = market.run(lambda s: market.charge(s, shop)).charge
    assert asked is not None
    market.run(lambda s: put_in_force(s, policy.CHARITY_MAY_REDEEM, 0, later))
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=account, on=later)) == "not_permitted"
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=account, on=TODAY)) == "not_enough"
