"""Charges: authorised by a payment code or awaited at a till, captured, voided and closed (Articles 18, 20)."""

from datetime import timedelta
from typing import Any

import pytest

from carbonhui import ledger, merchants, participants
from carbonhui.core.amounts import LARGEST_AMOUNT
from carbonhui.core.database import connection_of
from carbonhui.merchants import Charge
from tests.ledger.books import breaking, fresh
from tests.merchants.market import NOON, TODAY, Market
from tests.participants.people import sqlstate_of


def waiting(market: Market, shop: participants.Organisation, **words: Any) -> Charge:
    charge = market.run(lambda s: market.charge(s, shop, **words)).charge
    assert charge is not None
    return charge


def test_a_charge_by_code_moves_the_credits_at_once_and_tells_both(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    made = market.paid(shop, payer, credits=30, money_fen=250)
    assert (made.state, made.captured, made.money_fen, made.payer) == ("captured", 30, 250, payer)
    assert (market.holds(payer), market.received(shop)) == ((70, 70), 30)
    assert (market.inbox(payer), market.told(shop)) == (["payment.made"], ["charge.captured"])
    assert made.authorised_at is not None
    assert made.at <= made.authorised_at == made.captured_at


def test_an_authorised_charge_is_captured_in_part_and_the_rest_is_free(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    made = market.paid(shop, payer, credits=30, capture=False)
    assert (made.state, market.holds(payer), market.received(shop)) == ("authorised", (100, 70), 0)
    done = market.run(lambda s: merchants.capture(s, made, credits=12, on=TODAY))
    assert (done.state, done.captured, market.holds(payer), market.received(shop)) == ("captured", 12, (88, 88), 12)
    assert market.run(lambda s: merchants.capture(s, made, credits=12, on=TODAY)) == done
    assert market.refusal(lambda s: merchants.capture(s, made, credits=13, on=TODAY)) == "charge_state_differs"
    assert market.inbox(payer) == ["payment.authorised", "payment.made", "payment.released"]


def test_nothing_above_the_authorisation_is_captured(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    made = market.paid(shop, payer, credits=30, capture=False)
    assert market.refusal(lambda s: merchants.capture(s, made, credits=31, on=TODAY)) == "capture_above_authorisation"
    assert market.refusal(lambda s: merchants.capture(s, made, credits=0, on=TODAY)) == "amount_out_of_range"
    assert market.refusal(lambda s: merchants.capture(s, made, credits=-1, on=TODAY)) == "amount_out_of_range"
    assert (market.now_is(made).state, market.received(shop)) == ("authorised", 0)


def test_a_voided_charge_frees_the_credits_and_stays_voided(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    made = market.paid(shop, payer, credits=30, capture=False)
    for _ in range(2):
        assert market.run(lambda s: merchants.void(s, made)).state == "voided"
    assert (market.holds(payer), market.inbox(payer)[-1], market.told(shop)[-1]) == ((100, 100), "payment.released", "charge.voided")
    assert market.refusal(lambda s: merchants.capture(s, made, on=TODAY)) == "charge_state_differs"


def test_what_was_captured_is_refunded_and_not_voided_or_closed(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    made = market.paid(shop, payer)
    for step in (merchants.void, merchants.close):
        assert market.refusal(lambda s, step=step: step(s, made)) == "charge_state_differs"


@pytest.mark.parametrize("words", [{"credits": 11}, {"money_fen": 1}, {"capture": False}, {"payment_code": None}])
def test_one_number_names_one_charge(market: Market, words: dict[str, Any]) -> None:
    shop, payer, number = market.merchant(), market.shopper(100), fresh("trade")
    code = market.code(payer)
    first = market.paid(shop, payer, out_trade_no=number, payment_code=code)
    again = market.run(lambda s: market.charge(s, shop, out_trade_no=number, payment_code=code))
    assert (again.charge, again.again) == (first, True)
    told = {"out_trade_no": number, "payment_code": code, **words}
    assert market.refusal(lambda s: market.charge(s, shop, **told)) == "out_trade_no_reused"
    assert market.holds(payer) == (90, 90)


def test_another_payers_code_under_the_same_number_is_refused_and_not_spent(market: Market) -> None:
    shop, payer, other, number = market.merchant(), market.shopper(100), market.shopper(100), fresh("trade")
    market.paid(shop, payer, out_trade_no=number)
    assert market.refusal(lambda s: market.charge(s, shop, payer=other, out_trade_no=number)) == "out_trade_no_reused"
    assert market.paid(shop, other).state == "captured"


def test_a_lost_answer_is_found_by_the_number_or_by_sending_again_however_late(market: Market) -> None:
    shop, payer, number = market.merchant(), market.shopper(100), fresh("trade")
    code = market.code(payer)
    assert market.refusal(lambda s: merchants.query(s, shop.id, number)) == "charge_unknown"
    first = market.paid(shop, payer, out_trade_no=number, payment_code=code)
    assert market.run(lambda s: merchants.query(s, shop.id, number)) == first
    # The code itself is long over by then. The store's own clock said when the charge was made.
    with breaking(market.database) as owner:
        # It runs half a minute behind.
        owner.execute("UPDATE charge SET at = %s WHERE id = %s", (NOON - timedelta(seconds=30), first.id))
    late = market.run(lambda s: market.charge(s, shop, out_trade_no=number, payment_code=code, now=NOON + timedelta(hours=5)))
    assert (late.again, late.charge and late.charge.id) == (True, first.id)


def test_two_merchants_may_use_the_same_number(market: Market) -> None:
    one, other, payer, number = market.merchant(), market.merchant(), market.shopper(100), fresh("trade")
    market.paid(one, payer, out_trade_no=number)
    market.paid(other, payer, out_trade_no=number, payment_code=market.code(payer, NOON + timedelta(seconds=1)))
    assert market.received(one) == market.received(other) == 10


@pytest.mark.parametrize("number", ["", "a" * 65, "a b", "碳", "a\n", "a;b", "a\x00"])
def test_a_number_has_the_form_that_tills_know(market: Market, number: str) -> None:
    shop, payer = market.merchant(), market.shopper(0)
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, out_trade_no=number)) == "out_trade_no_invalid"
    assert market.refusal(lambda s: merchants.query(s, shop.id, number)) == "charge_unknown"


@pytest.mark.parametrize("credits", [0, -1, -(2**63), LARGEST_AMOUNT + 1, 2**63, 2**64, 10**40])
def test_no_charge_is_for_less_than_one_credit_or_for_more_than_can_be_counted(market: Market, credits: int) -> None:
    shop, payer = market.merchant(), market.shopper(10)
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, credits=credits)) == "amount_out_of_range"
    assert market.refusal(lambda s: market.charge(s, shop, credits=credits)) == "amount_out_of_range"
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, credits=1, money_fen=-1)) == "amount_out_of_range"
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, credits=1, money_fen=2**53)) == "amount_out_of_range"


@pytest.mark.parametrize("words", [{"credits": None}, {"quantity": 2}])
def test_a_charge_without_an_offer_says_its_credits_and_no_quantity(market: Market, words: dict[str, Any]) -> None:
    shop = market.merchant()
    assert market.refusal(lambda s: market.charge(s, shop, **words)) == "price_invalid"


def test_the_largest_price_is_only_more_than_the_payer_has(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(10)
    assert market.refusal(lambda s: market.charge(s, shop, payer=payer, credits=LARGEST_AMOUNT)) == "payer_cannot_pay"


# Payers who cannot pay --------------------------------------------------------------------------


def test_a_payer_without_credits_is_declined_without_a_word_about_the_balance(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(9)
    outcome = market.run(lambda s: market.charge(s, shop, payer=payer, out_trade_no="declined"))
    assert outcome.charge is None
    assert outcome.declined is not None
    assert (outcome.declined.code, outcome.declined.facts) == ("payer_cannot_pay", {"asked": 10})
    assert (market.inbox(payer), market.told(shop)) == (["payment.declined"], [])
    assert market.refusal(lambda s: merchants.query(s, shop.id, "declined")) == "charge_unknown"


def test_a_declined_payment_spends_the_code_so_that_nobody_sounds_out_a_balance(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(9)
    code = market.code(payer)
    assert market.refusal(lambda s: market.charge(s, shop, payment_code=code, credits=10)) == "payer_cannot_pay"
    assert market.refusal(lambda s: market.charge(s, shop, payment_code=code, credits=9)) == "payment_code_used"
    assert market.holds(payer) == (9, 9)


def test_a_restricted_and_a_closed_payer_are_declined(market: Market) -> None:
    shop, payer, gone = market.merchant(), market.shopper(100), market.shopper(0)
    market.run(lambda s: connection_of(s).execute("UPDATE person SET state = 'restricted' WHERE account_id = %s", (payer,)).rowcount)
    market.run(lambda s: ledger.close_account(s, gone))
    for account in (payer, gone, 2**33 - 1):
        assert market.refusal(lambda s, account=account: market.charge(s, shop, payer=account)) == "payer_cannot_pay"
    assert market.received(shop) == 0


# Merchants who may not charge -------------------------------------------------------------------


def test_a_suspended_or_closed_merchant_charges_nobody_and_spends_no_code(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    promised, asked = market.paid(shop, payer, capture=False), waiting(market, shop)
    code = market.code(payer, NOON + timedelta(seconds=1))
    market.step(shop, "suspend")
    assert market.refusal(lambda s: market.charge(s, shop, payment_code=code)) == "merchant_not_trading"
    assert market.refusal(lambda s: market.charge(s, shop)) == "merchant_not_trading"
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=payer, on=TODAY)) == "merchant_not_trading"
    assert market.refusal(lambda s: merchants.capture(s, promised, on=TODAY)) == "merchant_not_trading"
    market.step(shop, "resume")
    assert market.paid(shop, payer, payment_code=code).state == "captured"
    market.day(shop)
    market.step(shop, "close")
    assert market.refusal(lambda s: market.charge(s, shop, payer=market.shopper(50))) == "merchant_not_trading"
    assert market.run(lambda s: merchants.void(s, promised)).state == "voided"


def test_only_a_merchant_charges(market: Market) -> None:
    for kind in ("charity", "department", "institution"):
        other = market.approved(kind)
        assert market.refusal(lambda s, other=other: market.charge(s, other, payer=market.shopper(50))) == "merchant_not_trading"
    applied = market.applicant()
    assert market.refusal(lambda s: market.charge(s, applied, payer=market.shopper(50))) == "merchant_not_trading"


# Charges that wait ------------------------------------------------------------------------------


def test_a_charge_that_waits_is_paid_once_by_whoever_accepts_it(market: Market) -> None:
    shop, payer, other = market.merchant(), market.shopper(100), market.shopper(100)
    asked = waiting(market, shop, credits=30)
    assert (asked.state, asked.payer) == ("awaiting", None)
    paid = market.run(lambda s: merchants.pay(s, asked, payer=payer, on=TODAY))
    assert paid.charge is not None
    assert (paid.charge.state, market.holds(payer), market.received(shop)) == ("captured", (70, 70), 30)
    assert market.run(lambda s: merchants.pay(s, asked, payer=payer, on=TODAY)).again
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=other, on=TODAY)) == "charge_not_awaiting"
    assert market.holds(other) == (100, 100)


def test_a_charge_that_waits_may_only_promise(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    asked = waiting(market, shop, credits=30, capture=False)
    paid = market.run(lambda s: merchants.pay(s, asked, payer=payer, on=TODAY)).charge
    assert paid is not None
    assert (paid.state, market.holds(payer)) == ("authorised", (100, 70))


def test_a_payer_who_accepts_reads_why_it_cannot_be(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(9)
    asked = waiting(market, shop)
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=payer, on=TODAY)) == "not_enough"
    assert market.now_is(asked).state == "awaiting"


def test_a_closed_charge_is_paid_by_nobody(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    asked = waiting(market, shop)
    for _ in range(2):
        assert market.run(lambda s: merchants.close(s, asked)).state == "closed"
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=payer, on=TODAY)) == "charge_not_awaiting"
    assert market.run(lambda s: merchants.void(s, waiting(market, shop))).state == "closed"


def test_the_same_waiting_charge_asked_for_twice_is_one(market: Market) -> None:
    shop, number = market.merchant(), fresh("trade")
    first = waiting(market, shop, out_trade_no=number)
    assert waiting(market, shop, out_trade_no=number) == first
    assert market.refusal(lambda s: market.charge(s, shop, out_trade_no=number, credits=11)) == "out_trade_no_reused"


@pytest.mark.parametrize("kind", ["department", "merchant", "emitter"])
def test_what_merchants_and_departments_received_is_not_spent_at_merchants(market: Market, kind: str) -> None:
    shop, other = market.merchant(), market.approved(kind)
    asked = waiting(market, shop)
    assert other.account_id is not None
    account = other.account_id
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=account, on=TODAY)) == "payer_kind_refused"


def test_what_is_over_is_closed_and_everything_promised_is_free(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    asked, kept = waiting(market, shop, waits_seconds=60), waiting(market, shop)
    promised = market.paid(shop, payer, credits=30, capture=False)
    [(waits,)] = market.rows(f"SELECT expires_at - at FROM charge WHERE id = {asked.id}")
    assert abs(waits - timedelta(seconds=60)) < timedelta(seconds=30)
    with breaking(market.database) as owner:
        owner.execute("UPDATE charge SET expires_at = clock_timestamp() WHERE id = ANY (%s)", ([asked.id, promised.id],))
    assert market.refusal(lambda s: merchants.pay(s, asked, payer=payer, on=TODAY)) == "charge_not_awaiting"
    assert market.run(lambda s: merchants.close_expired(s)) == 2
    assert [market.now_is(one).state for one in (asked, promised, kept)] == ["closed", "closed", "awaiting"]
    assert (market.holds(payer), market.run(lambda s: merchants.close_expired(s))) == ((100, 100), 0)


def test_a_promise_that_the_books_let_go_is_not_captured(market: Market) -> None:
    shop, payer = market.merchant(), market.shopper(100)
    made = market.paid(shop, payer, capture=False)
    assert made.hold_id is not None
    hold = made.hold_id
    market.run(lambda s: ledger.release(s, hold))
    assert market.refusal(lambda s: merchants.capture(s, made, on=TODAY)) == "charge_state_differs"
    assert market.run(lambda s: merchants.void(s, made)).state == "voided"


# What the store itself refuses ------------------------------------------------------------------


@pytest.mark.parametrize("change", [
    "credits = credits + 1", "merchant = merchant + 1", "out_trade_no = 'x'", "payer = payer + 1", "captured = captured - 1",
    "transfer_id = transfer_id + 1", "state = 'authorised', transfer_id = NULL, captured = 0, captured_at = NULL", "code = NULL",
    "refunded = -1", "refunded = captured + 1",
])  # fmt: skip
def test_not_even_the_owner_rewrites_a_charge(market: Market, change: str) -> None:
    made = market.paid(market.merchant(), market.shopper(100))
    assert sqlstate_of(market.database, f"UPDATE charge SET {change} WHERE id = {made.id}") in ("CH001", "23514")
    assert sqlstate_of(market.database, f"DELETE FROM charge WHERE id = {made.id}") == "CH001"
    assert market.now_is(made) == made


def test_a_sale_that_was_made_is_told_so_even_to_a_payer_who_could_not_pay_it(market: Market) -> None:
    shop, poor, number = market.merchant(), market.shopper(0), fresh("trade")
    market.paid(shop, market.shopper(100), out_trade_no=number)
    assert market.refusal(lambda s: market.charge(s, shop, payer=poor, out_trade_no=number)) == "out_trade_no_reused"
    assert market.inbox(poor) == []
