"""Shops and tills are their merchant's; a charge is made at open ones only (Article 20)."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from carbonhui import merchants
from carbonhui.merchants import shops
from tests.merchants.shopping import TODAY, TOWER, Street, street
from tests.participants.people import sqlstate_of

__all__ = ["street"]


def till_of(street: Street, shop: merchants.Shop, label: str = "till 1") -> merchants.Till:
    return street.run(lambda s: merchants.add_till(s, shop, label=label))


def at(street: Street, organisation: Any, shop: UUID, till: UUID | None = None) -> str:
    return street.code(lambda s: shops.counter(s, organisation=organisation.id, shop=shop, till=till))


def test_a_charge_is_made_at_an_open_till_of_an_open_shop_of_the_merchant(street: Street) -> None:
    bakery, bookshop = street.merchant(shops=0), street.merchant(shops=0)
    shop, other = street.shop(bakery), street.shop(bookshop)
    till, foreign = till_of(street, shop), till_of(street, other)
    found = street.run(lambda s: shops.counter(s, organisation=bakery.id, shop=shop.handle, till=till.handle))
    assert (found.shop, found.till) == (shop.id, till.id)
    assert street.run(lambda s: shops.counter(s, organisation=bakery.id, shop=shop.handle)).till is None
    for wrong_shop, wrong_till, code in (
        (other.handle, None, "shop_unknown"), (uuid4(), None, "shop_unknown"), (shop.handle, foreign.handle, "till_unknown"),
        (shop.handle, uuid4(), "till_unknown"), (other.handle, foreign.handle, "shop_unknown"),
    ):  # fmt: skip
        assert at(street, bakery, wrong_shop, wrong_till) == code


def test_a_closed_shop_or_till_takes_nothing_until_it_is_open_again(street: Street) -> None:
    bakery = street.merchant(shops=0)
    shop = street.shop(bakery)
    till = till_of(street, shop)
    street.run(lambda s: merchants.change_till(s, till, state="closed"))
    assert (at(street, bakery, shop.handle, till.handle), at(street, bakery, shop.handle)) == ("till_closed", "done")
    street.run(lambda s: merchants.change_till(s, till, state="open"))
    street.run(lambda s: merchants.change_shop(s, shop, state="closed"))
    assert at(street, bakery, shop.handle, till.handle) == "shop_closed"
    street.run(lambda s: merchants.change_shop(s, shop, state="open"))
    assert at(street, bakery, shop.handle, till.handle) == "done"


def test_no_merchant_has_shops_and_no_shop_has_tills_without_end(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    bakery = street.merchant(shops=2)
    (shop, other) = street.run(lambda s: merchants.shops_of(s, bakery))
    till_of(street, shop)
    street.run(lambda s: merchants.change_shop(s, other, state="closed"))
    monkeypatch.setattr(shops, "SHOPS_MAX", 2)
    monkeypatch.setattr(shops, "TILLS_MAX", 1)
    assert street.code(lambda s: merchants.add_till(s, shop, label="another")) == "tills_too_many"
    till_of(street, other)
    with pytest.raises(merchants.ShopsTooMany):
        street.shop(bakery)
    monkeypatch.setattr(shops, "SHOPS_MAX", 3)
    assert street.shop(bakery).organisation_id == bakery.id


def test_what_is_given_of_a_shop_changes_and_the_rest_stays(street: Street) -> None:
    bakery = street.merchant(shops=0)
    shop = street.shop(bakery, name="珠江茶馆")
    changed = street.run(lambda s: merchants.change_shop(s, shop, name="北京路店", hours=""))
    assert (changed.name, changed.hours, changed.address, changed.district) == ("北京路店", "", shop.address, shop.district)
    assert street.run(lambda s: merchants.change_shop(s, changed)) == changed
    assert street.run(lambda s: merchants.shops_of(s, bakery)) == [changed]


def test_in_one_shop_a_label_names_one_till(street: Street) -> None:
    bakery = street.merchant(shops=0)
    shop, other = street.shop(bakery), street.shop(bakery)
    first, second = till_of(street, shop), till_of(street, shop, "till 2")
    till_of(street, other)
    assert street.code(lambda s: merchants.add_till(s, shop, label="till 1")) == "till_label_taken"
    assert street.code(lambda s: merchants.change_till(s, second, label="till 1")) == "till_label_taken"
    assert [one.label for one in street.run(lambda s: merchants.tills_of(s, shop))] == [first.label, "till 2"]


def test_shops_are_merchants(street: Street) -> None:
    charity = street.approved("charity")
    assert street.code(lambda s: street.shop(charity)) == "not_a_merchant"


@pytest.mark.parametrize("words", [{"name": "a\u202eb"}, {"name": ""}, {"address": "x" * 201}, {"hours": "\x00"}])
def test_texts_of_a_shop_are_what_they_look_like(street: Street, words: dict[str, str]) -> None:
    bakery = street.merchant(shops=0)
    assert street.code(lambda s: street.shop(bakery, **words)) == "text_refused"


def test_the_store_itself_keeps_shops_and_tills_where_they_are(street: Street) -> None:
    bakery, bookshop = street.merchant(), street.merchant()
    till_of(street, street.shop(bakery))
    for wrong, state in (
        (f"UPDATE shop SET organisation_id = {bookshop.id} WHERE organisation_id = {bakery.id}", "CH001"),
        ("UPDATE till SET shop_id = shop_id + 1", "CH001"), ("DELETE FROM till", "CH001"), ("DELETE FROM shop", "CH001"),
        ("TRUNCATE till", "CH001"), ("UPDATE shop SET latitude_udeg = 90000001", "23514"), ("UPDATE shop SET district = '4401'", "23514"),
        (f"""INSERT INTO shop (organisation_id, name, address, district, latitude_udeg, longitude_udeg, hours, opened_on)
             VALUES ({street.approved("charity").id}, 'x', 'x', '440105', {TOWER["latitude_udeg"]}, 0, '', '{TODAY}')""", "CH003"),
    ):  # fmt: skip
        assert sqlstate_of(street.database, wrong) == state, wrong
