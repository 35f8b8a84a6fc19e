"""An offer says what it costs, gives a discount, ends, and is not edited once it is published (Article 20)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from carbonhui import merchants
from carbonhui.core.refusals import Refusal
from carbonhui.merchants import offers
from tests.merchants.shopping import MORNING_TEA, TODAY, TOMORROW, YESTERDAY, Street, street
from tests.participants.people import sqlstate_of

__all__ = ["street"]



@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"credits": 0}, "credits"), ({"credits": -5}, "credits"), ({"credits": 10**9 + 1}, "credits"), ({"credits": 1.5}, "credits"),
        ({"money_fen": -1}, "money_fen"), ({"money_fen": 2_000}, "money_fen"), ({"money_fen": 2_001}, "money_fen"),
        ({"list_price_fen": 10**11 + 1}, "list_price_fen"), ({"stock": 0}, "stock"), ({"per_person_max": 0}, "per_person_max"),
        ({"per_person_day_max": 10_000}, "per_person_day_max"), ({"per_day_max": -1}, "per_day_max"),
        ({"valid_until": YESTERDAY, "valid_from": YESTERDAY}, "valid_until"),
        ({"valid_from": TOMORROW, "valid_until": TODAY}, "valid_until"),
        ({"valid_until": TODAY + timedelta(days=366)}, "valid_until"),
    ],
)  # fmt: skip
def test_terms_that_make_no_offer_are_refused(street: Street, words: dict[str, Any], field: str) -> None:
    bakery = street.merchant()
    with pytest.raises(Refusal) as caught:
        street.draft(bakery, **words)
    assert (caught.value.code, caught.value.facts["field"]) == ("offer_terms_invalid", field)


def test_the_limits_of_the_terms_themselves_make_an_offer(street: Street) -> None:
    bakery = street.merchant()
    longest = TODAY + timedelta(days=365)
    for words in ({"money_fen": 1_999}, {"money_fen": 0}, {"credits": 1}, {"valid_until": TODAY}, {"valid_until": longest}):
        assert street.draft(bakery, **words).state == "draft"


def test_a_draft_is_written_anew_and_what_was_published_is_only_withdrawn(street: Street) -> None:
    bakery = street.merchant(shops=0)
    shop, draft = street.shop(bakery), street.draft(bakery)
    cheaper = replace(MORNING_TEA, credits=4)  # type: ignore[arg-type]

    def change(shops: Any = (), offer: merchants.Offer = draft) -> str:
        return street.code(lambda s: merchants.change_offer(s, bakery, offer, cheaper, shops=shops, on=TODAY))

    assert change((shop.handle, shop.handle)) == "done"
    found = street.run(lambda s: merchants.offer_of(s, bakery, draft.handle))
    assert (found.terms, found.state) == (cheaper, "draft")
    assert street.run(lambda s: merchants.shops_of_offers(s, [draft.id])) == {draft.id: [shop.handle]}
    street.run(lambda s: merchants.publish_offer(s, bakery, draft, on=TODAY))
    assert change() == "offer_published"
    assert street.code(lambda s: merchants.publish_offer(s, bakery, draft, on=TODAY)) == "offer_published"
    for _ in range(2):
        street.run(lambda s: merchants.withdraw_offer(s, draft))
    assert street.code(lambda s: merchants.publish_offer(s, bakery, draft, on=TODAY)) == "offer_published"


def test_an_offer_names_shops_of_its_own_merchant_only(street: Street) -> None:
    bakery, foreign = street.merchant(), street.shop(street.merchant())
    for handle in (foreign.handle, uuid4()):
        assert street.code(lambda s, handle=handle: street.draft(bakery, (handle,))) == "shop_unknown"  # type: ignore[misc]


def test_only_an_approved_merchant_publishes_and_nothing_that_is_over(street: Street) -> None:
    waits, bakery = street.applicant("merchant"), street.merchant()
    assert street.code(lambda s: street.offer(waits)) == "organisation_not_approved"
    draft = street.draft(bakery, valid_until=TODAY)
    assert street.code(lambda s: merchants.publish_offer(s, bakery, draft, on=TOMORROW)) == "offer_terms_invalid"
    assert street.code(lambda s: street.draft(street.approved("charity"))) == "not_a_merchant"


def test_a_stock_is_changed_but_never_below_what_was_taken(street: Street) -> None:
    bakery = street.merchant()
    offer, endless = street.offer(bakery, stock=5), street.offer(bakery)

    def change(stock: int, one: merchants.Offer = offer) -> str:
        return street.code(lambda s: merchants.change_stock(s, bakery, one, stock=stock))

    street.run(lambda s: offers.take(s, offer.id, payer=1, quantity=3, on=TODAY))
    assert [change(stock) for stock in (2, 3, 3, 7)] == ["offer_stock_taken", "done", "done", "done"]
    assert street.run(lambda s: merchants.offer_seen(s, offer.handle, on=TODAY)).left == 4
    assert {change(5, one) for one in (endless, street.draft(bakery, stock=5))} == {"offer_without_stock"}


def test_the_store_itself_keeps_what_was_published(street: Street) -> None:
    bakery = street.merchant(shops=0)
    shop = street.shop(bakery)
    offer = street.offer(bakery, (shop.handle,))
    for wrong, state in (
        (f"UPDATE offer SET credits = 1 WHERE id = {offer.id}", "CH001"),
        (f"UPDATE offer SET state = 'draft' WHERE id = {offer.id}", "CH001"),
        (f"UPDATE offer SET state = 'withdrawn', credits = 1 WHERE id = {offer.id}", "CH001"), ("DELETE FROM offer", "CH001"),
        (f"DELETE FROM offer_shop WHERE offer_id = {offer.id}", "CH001"),
        (f"UPDATE offer SET money_fen = list_price_fen WHERE id = {street.draft(bakery).id}", "23514"),
        (f"INSERT INTO offer_shop VALUES ({street.draft(bakery).id}, {street.shop(street.merchant()).id})", "CH003"),
    ):  # fmt: skip
        assert sqlstate_of(street.database, wrong) == state, wrong
