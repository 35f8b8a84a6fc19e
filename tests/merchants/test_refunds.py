"""Refunds: what was captured goes back, in parts, and never out of the cancellation pool (Articles 18, 20)."""

from datetime import timedelta

import pytest

from carbonhui import ledger, merchants, participants, policy
from carbonhui.ledger import Kind
from carbonhui.merchants import Charge, Refund
from tests.ledger.books import breaking, fresh, put_in_force
from tests.merchants.market import TODAY, Market
from tests.participants.people import sqlstate_of


def bought(market: Market, credits: int = 30) -> tuple[participants.Organisation, int, Charge]:
    shop, payer = market.merchant(), market.shopper(100)
    return shop, payer, market.paid(shop, payer, credits=credits)


def refund(market: Market, charge: Charge, credits: int, number: str | None = None, **words: object) -> Refund:
    told = {"out_refund_no": number or fresh("refund"), "credits": credits, "on": TODAY, **words}
    return market.run(lambda s: merchants.refund(s, charge, **told))[0]


def refused(market: Market, charge: Charge, credits: int, number: str | None = None, **words: object) -> str:
    told = {"out_refund_no": number or fresh("refund"), "credits": credits, "on": TODAY, **words}
    return market.refusal(lambda s: merchants.refund(s, charge, **told))


def test_a_capture_goes_back_in_parts_until_nothing_is_left(market: Market) -> None:
    shop, payer, charge = bought(market)
    for part in (5, 10, 15):
        refund(market, charge, part)
    assert (market.holds(payer), market.received(shop), market.now_is(charge).refunded) == ((100, 100), 0, 30)
    assert [one.credits for one in market.run(lambda s: merchants.refunds_of(s, charge))] == [5, 10, 15]
    assert refused(market, charge, 1) == "refund_above_capture"
    assert (market.inbox(payer)[1:], market.told(shop)[1:]) == (["payment.refunded"] * 3, ["charge.refunded"] * 3)


@pytest.mark.parametrize(("credits", "code"), [
    (31, "refund_above_capture"), (0, "amount_out_of_range"), (-5, "amount_out_of_range"), (2**53, "amount_out_of_range"),
])  # fmt: skip
def test_no_more_than_the_capture_goes_back(market: Market, credits: int, code: str) -> None:
    shop, _, charge = bought(market)
    assert refused(market, charge, credits) == code
    assert market.received(shop) == 30


def test_one_number_names_one_refund(market: Market) -> None:
    shop, _, charge = bought(market)
    other = market.paid(shop, market.shopper(100))
    number = fresh("refund")
    first = refund(market, charge, 5, number)
    assert market.run(lambda s: merchants.refund(s, charge, out_refund_no=number, credits=5, on=TODAY)) == (first, True)
    assert refused(market, charge, 6, number) == "out_refund_no_reused"
    assert refused(market, other, 5, number) == "out_refund_no_reused"
    assert refused(market, charge, 5, "a b") == "out_trade_no_invalid"
    assert market.now_is(charge).refunded == 5


def test_only_what_was_captured_is_refunded(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    promised = market.paid(shop, payer, capture=False)
    assert refused(market, promised, 1) == "charge_state_differs"
    part = market.run(lambda s: merchants.capture(s, promised, credits=4, on=TODAY))
    assert refused(market, part, 5) == "refund_above_capture"
    refund(market, part, 4)


def test_a_suspended_merchant_still_refunds(market: Market) -> None:
    shop, payer, charge = bought(market)
    market.step(shop, "suspend")
    refund(market, charge, 30)
    assert market.holds(payer) == (100, 100)


def test_a_merchant_that_gave_its_credits_away_refunds_what_it_has(market: Market) -> None:
    shop, _, charge = bought(market)
    charity = market.approved("charity")
    market.run(lambda s: ledger.post(
        s, purpose=ledger.Purpose.DONATE, source=shop.account_id, target=charity.account_id, amount=20, reference=fresh(), business_date=TODAY
    ))  # fmt: skip
    assert refused(market, charge, 11) == "not_enough"
    refund(market, charge, 10)


def test_a_payer_who_is_gone_gets_nothing_back(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(30)
    charge = market.paid(shop, payer, credits=30)
    market.run(lambda s: ledger.close_account(s, payer))
    assert refused(market, charge, 30) == "payer_cannot_receive"
    assert market.received(shop) == 30


# After settlement -------------------------------------------------------------------------------


def pool(market: Market) -> int:
    return market.run(lambda s: ledger.balance_of(s, ledger.system_account(s, Kind.CANCELLATION_POOL)).posted)


def test_what_was_settled_is_refunded_by_a_fresh_decision_out_of_credits_received_since(market: Market) -> None:
    shop, payer, charge = bought(market)
    market.day(shop)
    cancelled = pool(market)
    assert refused(market, charge, 30) == "charge_settled"
    assert refused(market, charge, 30, after_settlement=True) == "not_enough"
    market.paid(shop, market.shopper(100), credits=40)
    made = refund(market, charge, 30, after_settlement=True)
    assert made.after_settlement
    assert (market.holds(payer), market.received(shop), pool(market)) == ((100, 100), 10, cancelled)


def test_the_decision_may_be_given_before_it_is_needed_and_says_nothing_then(market: Market) -> None:
    _, _, charge = bought(market)
    assert not refund(market, charge, 1, after_settlement=True).after_settlement


def test_a_repeated_refund_gives_its_first_outcome_after_the_settlement_too(market: Market) -> None:
    shop, _, charge = bought(market)
    number = fresh("refund")
    first = refund(market, charge, 30, number)
    market.paid(shop, market.shopper(100))
    market.day(shop)
    assert market.run(lambda s: merchants.refund(s, charge, out_refund_no=number, credits=30, on=TODAY)) == (first, True)


def test_a_refund_is_possible_for_as_many_days_as_the_city_says(market: Market) -> None:
    _, _, charge = bought(market)
    days = market.run(lambda s: policy.rule_on(s, policy.REFUND_DAYS, TODAY))
    with breaking(market.database) as owner:
        owner.execute("UPDATE charge SET captured_at = %s WHERE id = %s", (f"{TODAY} 12:00+08", charge.id))
    assert refused(market, charge, 1, on=TODAY + timedelta(days=days + 1)) == "refund_too_late"
    refund(market, charge, 1, on=TODAY + timedelta(days=days))
    market.run(lambda s: put_in_force(s, policy.REFUND_DAYS, 7, TODAY + timedelta(days=1)))
    assert refused(market, charge, 1, on=TODAY + timedelta(days=8)) == "refund_too_late"
    refund(market, charge, 1, on=TODAY + timedelta(days=7))


def test_not_even_the_owner_rewrites_a_refund(market: Market) -> None:
    _, _, charge = bought(market)
    made = refund(market, charge, 5)
    assert sqlstate_of(market.database, f"UPDATE charge_refund SET credits = 4 WHERE id = {made.id}") == "CH001"
    assert sqlstate_of(market.database, f"DELETE FROM charge_refund WHERE id = {made.id}") == "CH001"
    assert sqlstate_of(market.database, f"UPDATE charge SET refunded = 4 WHERE id = {charge.id}") == "CH001"


# The check has teeth ----------------------------------------------------------------------------

BREAKS = [
    "UPDATE charge SET captured = captured - 1, refunded = 0 WHERE id = {charge}",
    "UPDATE charge SET merchant = merchant + 1 WHERE id = {charge}",
    "UPDATE charge SET refunded = refunded + 1 WHERE id = {charge}",
    "UPDATE charge SET payer = payer + 1 WHERE id = {promised}",
    "UPDATE charge SET credits = credits + 1 WHERE id = {promised}",
    "UPDATE charge SET state = 'voided', closed_at = now() WHERE id = {promised}",
    "UPDATE charge_refund SET credits = credits + 1 WHERE charge_id = {charge}",
    "DELETE FROM charge_refund WHERE charge_id = {charge}",
    "DELETE FROM charge WHERE id = {charge}",
]


@pytest.mark.parametrize("break_it", BREAKS)
def test_the_check_of_charges_names_what_was_broken(market: Market, break_it: str) -> None:
    shop, payer, charge = bought(market)
    refund(market, charge, 5)
    promised = market.paid(shop, payer, capture=False)

    def wrong() -> list[object]:
        with market.database.begin() as session:
            return [row.row for row in ledger.run_checks(session, merchants.CHECKS)["I18"]]

    assert wrong() == []
    with market.database.connect_as_owner() as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(break_it.format(charge=charge.id, promised=promised.id))
        found = owner.execute(ledger_query()).fetchall()
        owner.rollback()
    assert found
    assert wrong() == []


def ledger_query() -> str:
    return next(check.query for check in merchants.CHECKS if check.name == "I18")
