"""Tills and phones that are all first: one code, one number, one capture, one refund have one outcome (Articles 18, 20)."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from carbonhui import merchants
from tests.ledger.books import fresh
from tests.merchants.market import NOON, TODAY, Market

RACES = 500


def race(market: Market, rounds: int, *runners: Callable[[Any, int], Any]) -> list[tuple[str, ...]]:
    """What each runner got in each round; all begin a round at once."""
    gate = threading.Barrier(len(runners))
    told: list[list[str]] = [[""] * len(runners) for _ in range(rounds)]

    def run(lane: int) -> None:
        try:
            for at in range(rounds):
                gate.wait()
                told[at][lane] = market.refusal(lambda session, at=at: runners[lane](session, at))
        except BaseException:
            gate.abort()
            raise

    lanes = [threading.Thread(target=run, args=(lane,)) for lane in range(len(runners))]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    return [tuple(sorted(one)) for one in told]


def test_one_code_at_two_tills_pays_once_in_five_hundred_races(market: Market) -> None:
    one, other, payer = market.merchant(), market.merchant(), market.shopper(2 * RACES)
    times = [NOON + timedelta(seconds=second) for second in range(RACES)]
    codes = [market.code(payer, now) for now in times]

    def sell(shop: Any) -> Callable[[Any, int], Any]:
        return lambda s, at: market.charge(s, shop, credits=1, payment_code=codes[at], now=times[at])

    assert Counter(race(market, RACES, sell(one), sell(other))) == {("done", "payment_code_used"): RACES}
    assert market.received(one) + market.received(other) == RACES
    assert market.holds(payer) == (RACES, RACES)


def test_one_code_for_the_same_sale_sent_twice_at_once_pays_once(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(1_000)
    codes = [market.code(payer, NOON + timedelta(seconds=second)) for second in range(50)]

    def send(s: Any, at: int) -> Any:
        return market.charge(s, shop, credits=1, payment_code=codes[at], now=NOON + timedelta(seconds=at), out_trade_no=f"twice-{at}")

    assert set(race(market, 50, send, send)) == {("done", "done")}
    assert market.received(shop) == 50


def test_the_same_number_for_two_payers_at_once_is_one_sale(market: Market) -> None:
    shop, payers = market.merchant(), [market.shopper(100) for _ in range(2)]

    def send(payer: int) -> Callable[[Any, int], Any]:
        return lambda s, at: market.charge(
            s, shop, credits=1, payment_code=market.code(payer, NOON + timedelta(seconds=at)), now=NOON + timedelta(seconds=at),
            out_trade_no=f"both-{at}",
        )  # fmt: skip

    assert set(race(market, 50, send(payers[0]), send(payers[1]))) == {("done", "out_trade_no_reused")}
    assert market.received(shop) == 50


@pytest.mark.parametrize("capture", [True, False])
def test_sixteen_tills_never_take_more_than_the_payer_has(market: Market, capture: bool) -> None:
    shops, payer = [market.merchant() for _ in range(16)], market.shopper(10)

    def sell(lane: int) -> Callable[[Any, int], Any]:
        now = NOON + timedelta(seconds=lane)
        code = market.code(payer, now)
        return lambda s, at: market.charge(s, shops[lane], credits=3, payment_code=code, now=now, capture=capture)

    [told] = race(market, 1, *(sell(lane) for lane in range(16)))
    assert Counter(told) == {"done": 3, "payer_cannot_pay": 13}
    assert market.holds(payer) == ((1, 1) if capture else (10, 1))


def test_two_phones_that_accept_one_charge_pay_it_once(market: Market) -> None:
    shop, payers = market.merchant(), [market.shopper(100) for _ in range(2)]
    asked = [market.run(lambda s: market.charge(s, shop, credits=1)).charge for _ in range(50)]

    def accept(payer: int) -> Callable[[Any, int], Any]:
        return lambda s, at: merchants.pay(s, asked[at], payer=payer, on=TODAY)  # type: ignore[arg-type]

    assert set(race(market, 50, accept(payers[0]), accept(payers[1]))) == {("charge_not_awaiting", "done")}
    assert market.received(shop) == 50


def test_a_charge_is_captured_or_voided_and_never_both(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    promised = [market.paid(shop, payer, credits=1, capture=False) for _ in range(50)]
    told = race(
        market, 50, lambda s, at: merchants.capture(s, promised[at], on=TODAY), lambda s, at: merchants.void(s, promised[at])
    )  # fmt: skip
    assert set(told) == {("charge_state_differs", "done")}
    captured = [market.now_is(one).state for one in promised].count("captured")
    assert (market.received(shop), market.holds(payer)) == (captured, (100 - captured, 100 - captured))


def test_refunds_at_once_never_come_to_more_than_the_capture(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    market.paid(shop, market.shopper(100), credits=100)
    charge = market.paid(shop, payer, credits=10)
    numbers = [fresh("refund") for _ in range(8)]

    def back(lane: int) -> Callable[[Any, int], Any]:
        return lambda s, at: merchants.refund(s, charge, out_refund_no=numbers[lane], credits=3, on=TODAY)

    [told] = race(market, 1, *(back(lane) for lane in range(8)))
    assert Counter(told) == {"done": 3, "refund_above_capture": 5}
    assert (market.now_is(charge).refunded, market.received(shop), market.holds(payer)) == (9, 101, (99, 99))


def test_one_refund_sent_by_two_servers_at_once_is_one_and_for_two_charges_only_one_of_them(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    charges = [market.paid(shop, payer, credits=10) for _ in range(2)]

    def back(which: int) -> Callable[[Any, int], Any]:
        return lambda s, at: merchants.refund(s, charges[which], out_refund_no=f"one-{at}", credits=1, on=TODAY)

    assert set(race(market, 5, back(0), back(0))) == {("done", "done")}
    assert market.now_is(charges[0]).refunded == 5
    other = [lambda s, at, which=which: merchants.refund(s, charges[which], out_refund_no=f"two-{at}", credits=1, on=TODAY) for which in (0, 1)]
    assert set(race(market, 5, *other)) == {("done", "out_refund_no_reused")}


def test_a_settlement_and_refunds_at_once_leave_nothing_out_and_take_nothing_from_the_pool(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(200)
    charges = [market.paid(shop, payer, credits=2) for _ in range(20)]
    assert shop.account_id is not None
    account = shop.account_id

    def back(s: Any, at: int) -> Any:
        return merchants.refund(s, charges[at], out_refund_no=f"{shop.id}-{at}", credits=2, on=TODAY)

    def settle(s: Any, at: int) -> Any:
        return merchants.settle_through(s, merchant=account, day=TODAY, reference=fresh("settlement"), business_date=TODAY)

    told = Counter(one for pair in race(market, 20, back, settle) for one in pair)
    assert set(told) <= {"done", "charge_settled", "nothing_to_settle", "not_enough"}
    refunded = sum(market.now_is(one).refunded for one in charges)
    assert market.holds(payer)[0] == 160 + refunded


def test_the_last_of_an_offer_sent_twice_at_once_is_sold_once_and_told_to_both(market: Market) -> None:
    from tests.merchants.test_offers_charged import offered

    shop, payer = market.merchant(), market.shopper(1_000)
    teas = [offered(market, shop, credits=1, stock=1) for _ in range(25)]
    codes = [market.code(payer, NOON + timedelta(seconds=second)) for second in range(25)]

    def send(s: Any, at: int) -> Any:
        words = {"payment_code": codes[at], "now": NOON + timedelta(seconds=at), "out_trade_no": f"last-{shop.id}-{at}"}
        return market.charge(s, shop, offer=teas[at].id, quantity=1, **words)

    assert set(race(market, 25, send, send)) == {("done", "done")}
    assert market.received(shop) == 25
