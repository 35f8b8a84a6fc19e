"""Anybody finds the open shops and offers of approved merchants, and the nearest first (Articles 18, 20)."""

import math
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from carbonhui import merchants
from carbonhui.merchants import finding
from carbonhui.merchants.finding import _box
from tests.merchants.shopping import TODAY, TOMORROW, TOWER, YESTERDAY, Street, street

__all__ = ["street"]

RADIUS_M = 6_371_008.8


def near(street: Street, radius_m: int = 50_000, limit: int = 100, **words: Any) -> list[merchants.FoundShop]:
    place = {name: words.pop(name, TOWER[name]) for name in TOWER}
    return street.run(lambda s: merchants.shops_near(s, merchants.Wanted(**words), radius_m=radius_m, on=TODAY, limit=limit, **place))


def listed(street: Street, **words: Any) -> list[UUID]:
    return [one.handle for one in street.run(lambda s: merchants.find_shops(s, merchants.Wanted(**words), on=TODAY, limit=100))]


def metres(a: tuple[int, int], b: tuple[int, int]) -> float:
    """The haversine formula, written anew."""
    (lat_a, lon_a), (lat_b, lon_b) = ((math.radians(x / 1e6), math.radians(y / 1e6)) for x, y in (a, b))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * RADIUS_M * math.asin(min(1, math.sqrt(half)))


# Near a place ---------------------------------------------------------------------------------------


def test_the_nearest_shop_comes_first_and_those_too_far_not_at_all(street: Street) -> None:
    bakery = street.merchant(shops=0)
    north = [street.shop(bakery, latitude_udeg=TOWER["latitude_udeg"] + udeg) for udeg in (30_000, 0, 9_000, 400_000)]
    found = near(street, merchant=bakery.handle)
    assert [one.handle for one in found] == [north[1].handle, north[2].handle, north[0].handle, north[3].handle]
    # One degree of latitude is 111,195.08 m along this sphere.
    assert [one.metres for one in found] == [0, 1_000, 3_335, 44_478]
    assert [one.metres for one in near(street, 3_335, merchant=bakery.handle)] == [0, 1_000, 3_335]
    assert [one.metres for one in near(street, 3_334, merchant=bakery.handle)] == [0, 1_000]
    assert [one.metres for one in near(street, limit=2, merchant=bakery.handle)] == [0, 1_000]


def test_shops_at_one_distance_come_in_the_order_in_which_they_were_entered(street: Street) -> None:
    bakery = street.merchant(shops=3)
    mine = street.run(lambda s: merchants.shops_of(s, bakery))
    assert [one.handle for one in near(street, merchant=bakery.handle)] == [one.handle for one in mine]


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ((10_000_000, 179_999_000), (10_000_000, -179_999_000)), ((10_000_000, -179_999_000), (10_000_000, 179_999_000)),
        ((89_999_000, 0), (89_999_000, 180_000_000)), ((-89_999_000, 10_000_000), (-89_999_500, -170_000_000)), ((0, 0), (100, -100)),
    ],
)  # fmt: skip
def test_neither_the_date_line_nor_a_pole_hides_a_shop(street: Street, here: tuple[int, int], there: tuple[int, int]) -> None:
    bakery = street.merchant(shops=0)
    street.shop(bakery, latitude_udeg=there[0], longitude_udeg=there[1])
    (found,) = near(street, 1_000, merchant=bakery.handle, latitude_udeg=here[0], longitude_udeg=here[1])
    assert found.metres == int(metres(here, there))


@hypothesis_settings(max_examples=400)
@given(
    latitude=st.integers(-90_000_000, 90_000_000), longitude=st.integers(-180_000_000, 180_000_000), reach=st.integers(1, 50_000),
    bearing=st.floats(0, 2 * math.pi),
)  # fmt: skip
@example(latitude=89_550_000, longitude=0, reach=50_000, bearing=0.0)
def test_every_place_within_reach_lies_in_the_box(latitude: int, longitude: int, reach: int, bearing: float) -> None:
    """A place as far as can be, in any direction (the direct formula of great circles)."""
    lat, lon, angle = math.radians(latitude / 1e6), math.radians(longitude / 1e6), reach / RADIUS_M
    lat_b = math.asin(max(-1, min(1, math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(bearing))))
    lon_b = lon + math.atan2(math.sin(bearing) * math.sin(angle) * math.cos(lat), math.cos(angle) - math.sin(lat) * math.sin(lat_b))
    there = round(math.degrees(lat_b) * 1e6), round((math.degrees(lon_b) + 540) % 360 * 1e6) - 180_000_000
    south, north, ranges = _box(latitude, longitude, reach)
    assert south <= there[0] <= north
    assert any(west <= there[1] <= east for west, east in ranges) or abs(there[1]) == 180_000_000


def test_a_near_search_reads_few_shops_of_many(street: Street) -> None:
    """The box is looked up by the index of places."""
    with street.database.connect_as_owner(autocommit=True) as owner:
        merchant = street.merchant(shops=0)
        owner.execute(
            """INSERT INTO shop (organisation_id, name, address, district, latitude_udeg, longitude_udeg, hours, opened_on)
               SELECT %s, 'x', 'x', '440105', 20000000 + n * 970, 110000000 + n * 890, '', '2026-11-20' FROM generate_series(1, 2000) n""",
            (merchant.id,),
        )
        owner.execute("ANALYZE shop")
        plan = str(owner.execute(
            """EXPLAIN SELECT FROM shop s WHERE s.state = 'open' AND s.latitude_udeg BETWEEN 21000000 AND 21009000
               AND (s.longitude_udeg BETWEEN 110900000 AND 110910000)"""
        ).fetchall())  # fmt: skip
        owner.execute("UPDATE shop SET state = 'closed' WHERE organisation_id = %s", (merchant.id,))
    assert "shop_place" in plan


# Who and what is found ------------------------------------------------------------------------------


def test_a_merchant_that_is_not_approved_vanishes_with_its_shops_and_offers(street: Street) -> None:
    bakery = street.merchant()
    offer = street.offer(bakery)
    (shop,) = street.run(lambda s: merchants.shops_of(s, bakery))

    def seen() -> list[str]:
        return [
            street.code(lambda s: merchants.merchant_seen(s, bakery.handle, on=TODAY)),
            street.code(lambda s: merchants.shop_seen(s, shop.handle, on=TODAY)),
            street.code(lambda s: merchants.offer_seen(s, offer.handle, on=TODAY)),
            str((len(listed(street, merchant=bakery.handle)), len(near(street, merchant=bakery.handle)), len(street.seen(bakery)))),
        ]

    gone = ["merchant_unknown", "shop_unknown", "offer_unknown", "(0, 0, 0)"]
    assert seen() == ["done", "done", "done", "(1, 1, 1)"]
    street.step(bakery, "suspend")
    assert seen() == gone
    street.step(bakery, "resume")
    assert seen() == ["done", "done", "done", "(1, 1, 1)"]
    street.step(bakery, "close")
    assert seen() == gone


def test_other_organisations_are_no_merchants(street: Street) -> None:
    charity = street.approved("charity")
    assert street.code(lambda s: merchants.merchant_seen(s, charity.handle, on=TODAY)) == "merchant_unknown"


def test_a_closed_shop_vanishes_and_the_offers_that_are_good_only_there(street: Street) -> None:
    bakery = street.merchant(shops=0)
    here, there = street.shop(bakery, district="440104"), street.shop(bakery, district="440106")
    anywhere, only_here = street.offer(bakery), street.offer(bakery, (here.handle,))
    assert street.seen(bakery) == {anywhere.handle, only_here.handle}
    assert street.seen(bakery, district="440106") == street.seen(bakery, shop=there.handle) == {anywhere.handle}
    street.run(lambda s: merchants.change_shop(s, here, state="closed"))
    assert (listed(street, merchant=bakery.handle), street.seen(bakery)) == ([there.handle], {anywhere.handle})
    assert street.seen(bakery, district="440104") == street.seen(bakery, shop=here.handle) == set()


def test_only_published_offers_of_the_day_are_listed(street: Street) -> None:
    bakery = street.merchant()
    today = street.offer(bakery, valid_from=YESTERDAY, valid_until=TODAY)
    tomorrow = street.offer(bakery, valid_from=TOMORROW, valid_until=TOMORROW)
    withdrawn, draft = street.offer(bakery), street.draft(bakery)
    street.run(lambda s: merchants.withdraw_offer(s, withdrawn))
    assert street.seen(bakery) == {today.handle}
    assert street.run(lambda s: merchants.offer_seen(s, tomorrow.handle, on=TODAY)).handle == tomorrow.handle
    for one, day in ((withdrawn, TODAY), (draft, TODAY), (today, TOMORROW)):
        assert street.code(lambda s, one=one, day=day: merchants.offer_seen(s, one.handle, on=day)) == "offer_unknown"  # type: ignore[misc]


def test_offers_are_found_by_words_of_either_title_and_by_category(street: Street) -> None:
    bakery = street.merchant()
    tea = street.offer(bakery, title_zh="早茶 50% 折扣", title_en="Morning Tea")
    book = street.offer(bakery, title_zh="旧书_换新", title_en=None, category="books")
    for text, expected in (("早茶", {tea.handle}), ("TEA", {tea.handle}), ("%", {tea.handle}), ("_", {book.handle}), ("'--", set())):
        assert street.seen(bakery, text=text) == expected, text
    assert street.seen(bakery, category="books") == {book.handle}


def test_a_text_is_found_in_one_piece_only(street: Street) -> None:
    """The titles below have every pair of letters of what is not found in them."""
    bakery = street.merchant(shops=0)
    street.shop(bakery, name="xyx", address="路茶")
    street.offer(bakery, title_zh="西关西点心", title_en="yxy zyx")
    for text, offers, found in (
        ("西关西", 1, 0), ("关西点", 1, 0), ("西关西点心 Y", 1, 0), ("西点心关", 0, 0), ("xyxy", 0, 0), ("yxyx", 0, 0), ("XYX 路茶", 0, 1),
    ):  # fmt: skip
        assert (len(street.seen(bakery, text=text)), len(listed(street, merchant=bakery.handle, text=text))) == (offers, found), text


@pytest.mark.parametrize(
    ("table", "words", "index"), [("shop s", finding._SHOP_WORDS, "shop_words"), ("offer o", finding._OFFER_WORDS, "offer_words")]
)
def test_a_word_is_looked_up_in_the_index_of_words(street: Street, table: str, words: str, index: str) -> None:
    with street.database.connect() as connection:
        connection.execute("SET enable_seqscan = off")
        plan = str(connection.execute(f"EXPLAIN SELECT FROM {table} WHERE {finding._has('早茶', words)}", {"text": "早茶"}).fetchall())
    assert f"Bitmap Index Scan on {index}" in plan


@pytest.mark.parametrize("named_max", [100, 0])
def test_shops_are_found_by_name_address_merchant_district_and_what_is_offered_there(
    street: Street, monkeypatch: pytest.MonkeyPatch, named_max: int
) -> None:
    """However many merchants' names have the text."""
    monkeypatch.setattr(finding, "_NAMED_MAX", named_max)
    bakery = street.merchant(shops=0)
    tea = street.shop(bakery, name="Lotus 茶楼", address="北京路 1 号", district="440104")
    books = street.shop(bakery, name="书店", address="体育西路 9 号", district="440106")
    street.offer(bakery, (books.handle,), category="books")
    mine = {"merchant": bakery.handle}
    for words, expected in (
        ({"text": "lotus"}, [tea]), ({"text": "体育西"}, [books]), ({"text": "珠江水务"}, [tea, books]), ({"text": "%"}, []),
        ({"district": "440104"}, [tea]), ({"category": "books"}, [books]), ({"category": "food"}, []), ({}, [tea, books]),
    ):  # fmt: skip
        assert listed(street, **mine, **words) == [one.handle for one in expected], words  # type: ignore[arg-type]
    street.offer(bakery, category="food")
    assert listed(street, **mine, category="food") == [tea.handle, books.handle]


def test_the_grade_and_the_alliance_are_shown_and_looked_for(street: Street) -> None:
    best, fair, none = street.merchant(), street.merchant(), street.merchant()
    street.graded(best, "A")
    street.graded(fair, "C")
    street.run(lambda s: merchants.join_alliance(s, fair, on=TODAY))
    offers = [street.offer(one).handle for one in (best, fair, none)]

    def found(**words: Any) -> list[UUID]:
        wanted = merchants.Wanted(**words)
        seen = [one.handle for one in street.run(lambda s: merchants.find_offers(s, wanted, on=TODAY, limit=1_000))]
        return [one for one in offers if one in seen]

    assert [found(grade=grade) for grade in ("A", "B", "C", "D")] == [offers[:1], offers[:1], offers[:2], offers[:2]]
    assert (found(in_alliance=True), found(in_alliance=False), found()) == (offers[1:2], [offers[0], offers[2]], offers)
    shown = street.run(lambda s: [merchants.merchant_seen(s, one.handle, on=TODAY) for one in (best, fair, none)])
    assert [(one.grade, one.in_alliance) for one in shown] == [("A", False), ("C", True), (None, False)]


def test_lists_go_on_where_they_ended(street: Street) -> None:
    bakery = street.merchant(shops=5)
    made = [street.offer(bakery).handle for _ in range(5)]
    wanted = merchants.Wanted(merchant=bakery.handle)
    first = street.run(lambda s: merchants.find_offers(s, wanted, on=TODAY, limit=3))
    second = street.run(lambda s: merchants.find_offers(s, wanted, on=TODAY, before=first[-1].id, limit=3))
    assert [one.handle for one in (*first, *second)] == made[::-1]
    shops = street.run(lambda s: merchants.find_shops(s, wanted, on=TODAY, limit=3))
    more = street.run(lambda s: merchants.find_shops(s, wanted, on=TODAY, after=shops[-1].id, limit=3))
    assert len({one.id for one in (*shops, *more)}) == 5
