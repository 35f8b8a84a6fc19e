"""Offers on the merchant's own terms: stock and limits hold however many take at once (Article 20)."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.orm import Session

from carbonhui import merchants, participants
from carbonhui.core.database import connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.merchants import offers
from tests.merchants.shopping import TODAY, TOMORROW, YESTERDAY, Street, street
from tests.participants.people import sqlstate_of

__all__ = ["street"]

ANN, BEN = 1_001, 1_002


def take(street: Street, offer: merchants.Offer, payer: int = ANN, quantity: int = 1, on: date = TODAY, **words: Any) -> str:
    return street.code(lambda s: offers.take(s, offer.id, payer=payer, quantity=quantity, on=on, **words))


def give_back(street: Street, offer: merchants.Offer, payer: int = ANN, quantity: int = 1, on: date = TODAY, **words: Any) -> str:
    return street.code(lambda s: offers.give_back(s, offer.id, payer=payer, quantity=quantity, taken_on=on, **words))


def left(street: Street, offer: merchants.Offer) -> int | None:
    return street.run(lambda s: merchants.offer_seen(s, offer.handle, on=TODAY)).left


# What it costs --------------------------------------------------------------------------------------


def test_what_is_taken_costs_its_credits_and_money_for_each_and_ends_with_the_last_day(street: Street) -> None:
    offer = street.offer()
    taken = street.run(lambda s: offers.take(s, offer.id, payer=ANN, quantity=3, on=TODAY))
    assert (taken.credits, taken.money_fen) == (15, 3_000)
    assert taken.ends_at == datetime(2026, 12, 21, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize("quantity", [0, -1, 10_000, 2**63, True, 1.0])
def test_an_offer_is_taken_a_whole_number_of_times(street: Street, quantity: Any) -> None:
    offer = street.offer()
    assert take(street, offer, quantity=quantity) == "offer_quantity_invalid"
    assert give_back(street, offer, quantity=quantity) == "offer_quantity_invalid"


def test_the_dearest_offer_taken_most_often_is_still_a_whole_number_that_json_carries(street: Street) -> None:
    offer = street.offer(credits=10**9, money_fen=10**11 - 1, list_price_fen=10**11)
    taken = street.run(lambda s: offers.take(s, offer.id, payer=ANN, quantity=9_999, on=TODAY))
    assert (taken.credits, taken.money_fen) == (9_999 * 10**9, 9_999 * (10**11 - 1))
    assert taken.money_fen < 2**53


# When and where -------------------------------------------------------------------------------------


def test_an_offer_is_open_from_its_first_to_its_last_day(street: Street) -> None:
    offer = street.offer(valid_from=TODAY, valid_until=TOMORROW)
    days = (YESTERDAY, TODAY, TOMORROW, TOMORROW + timedelta(days=1))
    assert [take(street, offer, on=day) for day in days] == ["offer_not_open", "done", "done", "offer_not_open"]


def test_drafts_and_withdrawn_offers_and_those_of_nobody_are_not_taken(street: Street) -> None:
    bakery = street.merchant()
    draft = street.draft(bakery)
    assert take(street, draft) == "offer_not_open"
    offer = street.offer(bakery)
    street.run(lambda s: merchants.withdraw_offer(s, offer))
    assert take(street, offer) == "offer_not_open"
    assert street.code(lambda s: offers.take(s, 10**12, payer=ANN, quantity=1, on=TODAY)) == "offer_unknown"
    assert street.code(lambda s: offers.give_back(s, 10**12, payer=ANN, quantity=1, taken_on=TODAY)) == "offer_unknown"


def test_offers_of_a_suspended_or_closed_merchant_are_not_taken(street: Street) -> None:
    bakery = street.merchant()
    offer = street.offer(bakery)
    street.step(bakery, "suspend")
    assert take(street, offer) == "offer_not_open"
    street.step(bakery, "resume")
    assert take(street, offer) == "done"
    street.step(bakery, "close")
    assert take(street, offer) == "offer_not_open"


def test_an_offer_is_good_at_the_shops_it_names_or_at_every_shop_of_the_merchant(street: Street) -> None:
    bakery = street.merchant(shops=0)
    here, there, foreign = street.shop(bakery), street.shop(bakery), street.shop(street.merchant())
    anywhere, only_here = street.offer(bakery), street.offer(bakery, (here.handle,))
    assert [take(street, anywhere, shop=one.id) for one in (here, there, foreign)] == ["done", "done", "offer_not_here"]
    assert [take(street, only_here, shop=one.id) for one in (here, there, foreign)] == ["done", "offer_not_here", "offer_not_here"]
    street.run(lambda s: merchants.change_shop(s, here, state="closed"))
    assert take(street, only_here, shop=here.id) == "offer_not_here"


# Stock and limits -----------------------------------------------------------------------------------


def test_of_a_stock_no_more_is_taken_than_there_is_and_what_came_back_is_taken_again(street: Street) -> None:
    offer = street.offer(stock=3)
    sold_out = "offer_sold_out"
    assert [take(street, offer, quantity=n) for n in (4, 2, 2, 1, 1)] == [sold_out, "done", sold_out, "done", sold_out]
    assert left(street, offer) == 0
    assert give_back(street, offer, quantity=2) == "done"
    assert (left(street, offer), take(street, offer, quantity=3), take(street, offer, quantity=2)) == (2, "offer_sold_out", "done")


def test_one_person_takes_no_more_than_one_person_may_and_another_may_as_much(street: Street) -> None:
    offer = street.offer(per_person_max=2)
    told = [take(street, offer, quantity=q, on=day) for q, day in ((3, TODAY), (1, TODAY), (1, TOMORROW), (1, TOMORROW))]
    assert told == ["offer_limit_per_person", "done", "done", "offer_limit_per_person"]
    assert take(street, offer, BEN, 2) == "done"
    assert (give_back(street, offer), take(street, offer, on=TOMORROW)) == ("done", "done")


def test_one_person_takes_no_more_on_a_day_and_as_much_the_next_day(street: Street) -> None:
    offer = street.offer(per_person_day_max=2)
    assert [take(street, offer, on=day) for day in (TODAY, TODAY, TODAY, TOMORROW)] == ["done", "done", "offer_limit_per_person", "done"]
    assert take(street, offer, BEN) == "done"


def test_all_together_take_no_more_on_a_day(street: Street) -> None:
    offer = street.offer(per_day_max=3)
    assert [take(street, offer, payer, 2) for payer in (ANN, BEN)] == ["done", "offer_limit_per_day"]
    told = [take(street, offer, BEN, n, day) for n, day in ((1, TODAY), (1, TODAY), (3, TOMORROW))]
    assert told == ["done", "offer_limit_per_day", "done"]
    assert (give_back(street, offer, BEN, 3, TOMORROW), take(street, offer, BEN)) == ("done", "offer_limit_per_day")
    assert (give_back(street, offer, ANN, 2), take(street, offer, BEN, 2)) == ("done", "done")


def test_a_refused_take_has_taken_nothing_even_where_the_transaction_goes_on(street: Street) -> None:
    offer = street.offer(per_person_max=5, per_person_day_max=5, per_day_max=5, stock=1)

    def goes_on(session: Session) -> str:
        try:
            offers.take(session, offer.id, payer=ANN, quantity=2, on=TODAY)
        except Refusal as refusal:
            return refusal.code
        return "done"

    assert street.run(goes_on) == "offer_sold_out"
    assert street.rows(f"SELECT sum(taken) FROM offer_count WHERE offer_id = {offer.id}") == [(None,)]
    owner = street.run(lambda s: participants.organisation(s, offer.organisation_id))
    street.run(lambda s: merchants.change_stock(s, owner, offer, stock=9))
    assert [take(street, offer, quantity=q) for q in (5, 1)] == ["done", "offer_limit_per_person"]


def test_an_offer_without_stock_and_limits_is_only_read(street: Street) -> None:
    """Many tills at once take a popular offer, so none may write what the others write or lock."""

    def writes(offer: merchants.Offer) -> bool:
        def taken(session: Session) -> Any:
            offers.take(session, offer.id, payer=ANN, quantity=1, on=TODAY)
            return connection_of(session).execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchone()

        return bool(street.run(taken)[0])

    assert (writes(street.offer()), writes(street.offer(stock=5))) == (False, True)


def test_a_sandbox_tests_the_terms_and_takes_nothing(street: Street) -> None:
    bakery = street.applicant("merchant")
    draft = street.draft(bakery, per_person_max=2, stock=3, per_day_max=3)
    told = [take(street, draft, quantity=q, sandbox=True) for q in (1, 2, 3)]
    assert told == ["done", "done", "offer_limit_per_person"]
    assert take(street, draft, on=YESTERDAY, sandbox=True) == "offer_not_open"
    published = street.offer(stock=1)
    for _ in range(2):
        assert take(street, published, sandbox=True) == "done"
        assert give_back(street, published, sandbox=True) == "done"
    assert (left(street, published), take(street, published, quantity=2, sandbox=True)) == (1, "offer_sold_out")


@pytest.mark.parametrize(
    ("terms", "payers", "code", "most"),
    [
        ({"stock": 5}, 16, "offer_sold_out", 5),
        ({"per_person_max": 3}, 1, "offer_limit_per_person", 3),
        ({"per_person_day_max": 3}, 1, "offer_limit_per_person", 3),
        ({"per_day_max": 7}, 16, "offer_limit_per_day", 7),
        ({"stock": 4, "per_person_max": 2, "per_day_max": 9}, 2, None, 4),
    ],
)
def test_sixteen_at_once_take_exactly_what_there_is(
    street: Street, terms: dict[str, int], payers: int, code: str | None, most: int
) -> None:
    offer, together = street.offer(**terms), threading.Barrier(16)

    def phone(number: int) -> str:
        together.wait()
        return take(street, offer, ANN + number % payers)

    with ThreadPoolExecutor(16) as phones:
        told = Counter(phones.map(phone, range(16)))
    assert told["done"] == most
    assert code is None or told == {"done": most, code: 16 - most}


def test_taking_and_giving_back_at_once_loses_nothing(street: Street) -> None:
    """All is taken at first, so that there is something to give back in whatever order they come."""
    offer = street.offer(stock=20, per_person_max=9_999, per_day_max=9_999)
    assert take(street, offer, quantity=20) == "done"

    def phone(number: int) -> str:
        return give_back(street, offer) if number % 2 else take(street, offer)

    with ThreadPoolExecutor(8) as phones:
        told = list(phones.map(phone, range(40)))
    assert set(told[1::2]) == {"done"}
    assert set(told[0::2]) <= {"done", "offer_sold_out"}
    held = told[0::2].count("done")
    assert left(street, offer) == 20 - held
    assert street.rows(f"SELECT DISTINCT taken FROM offer_count WHERE offer_id = {offer.id}") == [(held,)]


def test_the_store_itself_holds_stock_and_counts(street: Street) -> None:
    offer = street.offer(stock=2, per_person_max=2)
    assert take(street, offer) == "done"
    for wrong in ("UPDATE offer_stock SET taken = stock + 1", "UPDATE offer_stock SET taken = -1", "UPDATE offer_count SET taken = -1"):
        assert sqlstate_of(street.database, wrong) == "23514"
