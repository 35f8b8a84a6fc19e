"""Charges of offers: price and money are the offer's, stock and limits are taken with the credits (Article 20)."""

import threading
from typing import Any

import pytest

from carbonhui import merchants, participants
from carbonhui.merchants import Offer
from tests.ledger.books import fresh
from tests.merchants.market import NOON, TODAY, Market
from tests.merchants.shopping import MORNING_TEA, TOWER, replace


def offered(market: Market, shop: participants.Organisation, **terms: Any) -> Offer:
    def made(session: Any) -> Offer:
        draft = merchants.draft_offer(session, shop, replace(MORNING_TEA, **terms), on=TODAY)
        return merchants.publish_offer(session, shop, draft, on=TODAY)

    if not market.rows(f"SELECT FROM shop WHERE organisation_id = {shop.id}"):
        told = {"name": "珠江茶馆", "address": "阅江西路 222 号", "district": "440105", "hours": "", **TOWER}
        market.run(lambda s: merchants.add_shop(s, shop, on=TODAY, **told))
    return market.run(made)


def left(market: Market, shop: participants.Organisation, offer: Offer) -> int:
    found = market.run(lambda s: merchants.offer_of(s, shop, offer.handle))
    assert found.stock is not None
    return found.stock - (found.stock_taken or 0)


def test_an_offer_says_credits_and_money(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    tea = offered(market, shop, credits=5, money_fen=1_000)
    charge = market.paid(shop, payer, offer=tea.id, quantity=3)
    assert (charge.credits, charge.money_fen, charge.offer, charge.quantity) == (15, 3_000, tea.id, 3)
    assert market.holds(payer) == (85, 85)


@pytest.mark.parametrize("words", [
    {"credits": 5, "quantity": 1}, {"money_fen": 5, "quantity": 1}, {"quantity": None}, {"quantity": 0}, {"quantity": -1},
    {"quantity": 10_000}, {"quantity": 2**63},
])  # fmt: skip
def test_whoever_names_an_offer_names_no_other_price(market: Market, words: dict[str, Any]) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    tea = offered(market, shop)
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, offer=tea.id, **words)) == "price_invalid"


def test_an_offer_is_charged_by_its_own_merchant_only(market: Market) -> None:
    tea, other = offered(market, market.merchant()), market.merchant()
    for payer in (market.shopper(100), None):
        assert market.refusal(lambda s, payer=payer: market.charge(s, other, payer=payer, offer=tea.id, quantity=1)) == "offer_unknown"


def test_stock_is_taken_with_the_credits_and_back_when_nothing_came_of_it(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    tea = offered(market, shop, credits=10, stock=5)
    market.paid(shop, payer, offer=tea.id, quantity=2)
    assert left(market, shop, tea) == 3
    poor = market.shopper(9)
    assert market.refusal(lambda s: market.charge(s, shop, payer=poor, offer=tea.id, quantity=1)) == "payer_cannot_pay"
    promised = market.paid(shop, payer, offer=tea.id, quantity=3, capture=False)
    assert left(market, shop, tea) == 0
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, offer=tea.id, quantity=1)) == "offer_sold_out"
    market.run(lambda s: merchants.void(s, promised))
    assert left(market, shop, tea) == 3


def test_stock_comes_back_with_a_whole_refund_and_not_with_a_part(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    tea = offered(market, shop, credits=10, stock=5)
    charge = market.paid(shop, payer, offer=tea.id, quantity=2)
    for part, expected in ((15, 3), (5, 5)):
        market.run(lambda s, part=part: merchants.refund(s, charge, out_refund_no=fresh("refund"), credits=part, on=TODAY))
        assert left(market, shop, tea) == expected


def test_a_repeated_charge_of_an_offer_takes_of_it_once(market: Market) -> None:
    shop, payer, number = market.merchant(), market.shopper(100), fresh("trade")
    tea = offered(market, shop, credits=10, stock=1)
    code = market.code(payer)
    first = market.paid(shop, payer, offer=tea.id, quantity=1, out_trade_no=number, payment_code=code)
    again = market.run(lambda s: market.charge(s, shop, offer=tea.id, quantity=1, out_trade_no=number, payment_code=code))
    assert (again.charge, again.again, left(market, shop, tea)) == (first, True, 0)


def test_a_charge_that_waits_takes_of_the_offer_when_it_is_paid(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    tea = offered(market, shop, credits=10, stock=1)
    first, second = (market.run(lambda s: market.charge(s, shop, offer=tea.id, quantity=1)).charge for _ in range(2))
    assert first is not None
    assert second is not None
    assert left(market, shop, tea) == 1
    market.run(lambda s: merchants.pay(s, first, payer=payer, on=TODAY))
    assert market.run(lambda s: merchants.pay(s, first, payer=payer, on=TODAY)).again
    assert left(market, shop, tea) == 0
    assert market.refusal(lambda s: merchants.pay(s, second, payer=payer, on=TODAY)) == "offer_sold_out"
    market.run(lambda s: merchants.withdraw_offer(s, tea))
    assert market.refusal(lambda s: market.charge(s, shop, offer=tea.id, quantity=1)) == "offer_not_open"
    # What was made before is told again all the same, and in other words refused.
    again = {"offer": tea.id, "out_trade_no": first.out_trade_no}
    assert market.refusal(lambda s: market.charge(s, shop, quantity=1, **again)) == "done"
    assert market.refusal(lambda s: market.charge(s, shop, quantity=2, **again)) == "out_trade_no_reused"


def test_of_three_in_stock_sixteen_tills_sell_three(market: Market) -> None:
    shop = market.merchant()
    tea = offered(market, shop, credits=10, stock=3)
    payers = [market.shopper(10) for _ in range(16)]
    codes, told = [market.code(payer) for payer in payers], ["" for _ in payers]
    gate = threading.Barrier(16)

    def sell(at: int) -> None:
        gate.wait()
        told[at] = market.refusal(lambda s: market.charge(s, shop, offer=tea.id, quantity=1, payment_code=codes[at], now=NOON))

    tills = [threading.Thread(target=sell, args=(at,)) for at in range(16)]
    for till in tills:
        till.start()
    for till in tills:
        till.join()
    assert (told.count("done"), told.count("offer_sold_out")) == (3, 13)
    assert (market.received(shop), left(market, shop, tea)) == (30, 0)
