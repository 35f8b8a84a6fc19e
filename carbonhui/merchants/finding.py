"""Finding shops and offers: by words, by district, near a place (Articles 18, 20).

Everybody finds the same: what approved merchants publish today. Whoever is suspended
or closed vanishes, and so does a closed shop, an offer that is over, and one that is
good at closed shops only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import asin, ceil, cos, degrees, pi, radians, sin
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.merchants.offering import Terms
from carbonhui.merchants.shop_refusals import MerchantUnknown, OfferUnknown, ShopUnknown

#: Mean radius of the Earth in metres (IUGG); `metres_between` in the store has the same.
_RADIUS_M = 6_371_008.8
RADIUS_MAX_M = 50_000
_FIRST_REACH_M, _REACH_GROWS = 500, 4
_HALF_TURN, _TURN = 180_000_000, 360_000_000
#: When a text is in more merchants' names than these, shops with it are met soon without an index.
_NAMED_MAX = 100


@dataclass(frozen=True)
class Merchant:
    """An approved merchant as everybody sees it, on a day."""

    handle: UUID
    name: str
    grade: str | None
    in_alliance: bool


@dataclass(frozen=True)
class FoundShop:
    """An open shop of an approved merchant; ``metres`` from the place that was asked for, rounded down, or None."""

    id: int
    handle: UUID
    name: str
    address: str
    district: str
    latitude_udeg: int
    longitude_udeg: int
    hours: str
    merchant: Merchant
    metres: int | None


@dataclass(frozen=True)
class FoundOffer:
    """An offer that is open; ``left`` is None without a stock."""

    id: int
    handle: UUID
    terms: Terms
    left: int | None
    merchant: Merchant


@dataclass(frozen=True)
class Wanted:
    """What is looked for; None is anything. ``grade`` is the least, A before D."""

    text: str | None = None
    district: str | None = None
    merchant: UUID | None = None
    grade: str | None = None
    in_alliance: bool | None = None
    category: str | None = None
    shop: UUID | None = None


_ALLIED = "EXISTS (SELECT FROM alliance_membership m WHERE m.organisation_id = g.id AND m.until IS NULL)"
_MERCHANT = f"g.handle, g.name, merchant_grade_on(g.id, %(on)s), {_ALLIED}"
_SHOP = "s.id, s.handle, s.name, s.address, s.district, s.latitude_udeg, s.longitude_udeg, s.hours"
_OPEN_SHOP = "shop s JOIN organisation g ON g.id = s.organisation_id AND g.state = 'approved'"
_OFFER = """o.id, o.handle, k.stock - k.taken, o.title_zh, o.title_en, o.category, o.credits, o.money_fen, o.list_price_fen,
    o.per_person_max, o.per_person_day_max, o.per_day_max, o.stock, o.valid_from, o.valid_until"""
_OPEN_OFFER = """offer o JOIN organisation g ON g.id = o.organisation_id AND g.state = 'approved'
    LEFT JOIN offer_stock k ON k.offer_id = o.id"""
_GOOD_THERE = """(EXISTS (SELECT FROM offer_shop x WHERE x.offer_id = o.id AND x.shop_id = s.id)
    OR NOT EXISTS (SELECT FROM offer_shop x WHERE x.offer_id = o.id))"""
_SHOP_WORDS, _OFFER_WORDS = "s.name || ' ' || s.address", "o.title_zh || ' ' || coalesce(o.title_en, '')"
_OFFER_IS_OPEN = "o.state = 'published' AND %(on)s BETWEEN o.valid_from AND o.valid_until"


def _has(text: str, words: str) -> str:
    """Whether some words contain the text. By its pairs of letters the index finds them; one letter has none."""
    contains = f"strpos(lower({words}), lower(%(text)s)) > 0"
    return f"({contains} AND letter_pairs({words}) @> letter_pairs(%(text)s))" if len(text) > 1 else contains


def _shop_has(session: Session, text: str) -> str:
    """Whether a shop's name or address, or its merchant's name, contains the text."""
    named = connection_of(session).execute(
        "SELECT id FROM organisation WHERE kind = 'merchant' AND state = 'approved' AND strpos(lower(name), lower(%s)) > 0 LIMIT %s",
        (text, _NAMED_MAX + 1),
    ).fetchall()  # fmt: skip
    if len(named) > _NAMED_MAX:
        return f"strpos(lower({_SHOP_WORDS} || ' ' || g.name), lower(%(text)s)) > 0"
    return f"({_has(text, _SHOP_WORDS)} OR s.organisation_id = ANY ('{{{','.join(str(number) for (number,) in named)}}}'))"


def _of_merchants(wanted: Wanted) -> list[str]:
    found = []
    if wanted.merchant is not None:
        found.append("g.handle = %(merchant)s")
    if wanted.grade is not None:
        found.append("merchant_grade_on(g.id, %(on)s) <= %(grade)s")
    if wanted.in_alliance is not None:
        found.append(_ALLIED if wanted.in_alliance else f"NOT {_ALLIED}")
    return found


def _of_shops(session: Session, wanted: Wanted) -> list[str]:
    found = ["s.state = 'open'", *_of_merchants(wanted)]
    if wanted.shop is not None:
        found.append("s.handle = %(shop)s")
    if wanted.district is not None:
        found.append("s.district = %(district)s")
    if wanted.text is not None:
        found.append(_shop_has(session, wanted.text))
    if wanted.category is not None:
        found.append(
            "EXISTS (SELECT FROM offer o WHERE o.organisation_id = g.id AND o.category = %(category)s"
            f" AND {_OFFER_IS_OPEN} AND {_GOOD_THERE})"
        )
    return found


def find_shops(session: Session, wanted: Wanted, *, on: date, after: int = 0, limit: int = 50) -> list[FoundShop]:
    """Open shops whose name, address or merchant has the text, in the order in which they were entered."""
    conditions = " AND ".join(["s.id > %(after)s", *_of_shops(session, wanted)])
    rows = connection_of(session).execute(
        f"SELECT {_SHOP}, NULL, {_MERCHANT} FROM {_OPEN_SHOP} WHERE {conditions} ORDER BY s.id LIMIT %(limit)s",
        {**vars(wanted), "on": on, "after": after, "limit": limit},
    )
    return [_shop(row) for row in rows]


def shops_near(
    session: Session, wanted: Wanted, *, latitude_udeg: int, longitude_udeg: int, radius_m: int, on: date, limit: int = 50
) -> list[FoundShop]:
    """The nearest open shops within so many metres, nearest first.

    The search begins close by and widens until there are enough, so that a place in
    the middle of a city does not measure the way to all of its shops.
    """
    assert 1 <= radius_m <= RADIUS_MAX_M
    reach, which = min(_FIRST_REACH_M, radius_m), _of_shops(session, wanted)
    while True:
        rows = _within(session, wanted, which, latitude_udeg, longitude_udeg, reach, on, limit)
        if len(rows) >= limit or reach == radius_m:
            return [_shop(row) for row in rows]
        reach = min(reach * _REACH_GROWS, radius_m)


def _within(
    session: Session, wanted: Wanted, which: list[str], latitude: int, longitude: int, reach_m: int, on: date, limit: int
) -> Sequence[Any]:
    south, north, ranges = _box(latitude, longitude, reach_m)
    east_west = " OR ".join(f"s.longitude_udeg BETWEEN {west} AND {east}" for west, east in ranges)
    conditions = " AND ".join([f"s.latitude_udeg BETWEEN {south} AND {north}", f"({east_west})", *which])
    return connection_of(session).execute(
        f"""SELECT * FROM (
                SELECT {_SHOP}, metres_between(s.latitude_udeg, s.longitude_udeg, %(latitude)s, %(longitude)s) AS metres, {_MERCHANT}
                FROM {_OPEN_SHOP} WHERE {conditions}) AS near
            WHERE metres <= %(reach)s ORDER BY metres, id LIMIT %(limit)s""",
        {**vars(wanted), "on": on, "latitude": latitude, "longitude": longitude, "reach": reach_m, "limit": limit},
    ).fetchall()


def _box(latitude: int, longitude: int, reach_m: int) -> tuple[int, int, list[tuple[int, int]]]:
    """South, north, and one or two ranges of longitude with every place within ``reach_m``, in millionths of a degree.

    A little too large, never too small.
    """
    angle = (reach_m + 1) / _RADIUS_M
    high = ceil(degrees(angle) * 1e6) + 1
    widest = cos(radians(latitude / 1e6))
    if abs(latitude) + high >= 90_000_000 or sin(angle) >= widest:
        return latitude - high, latitude + high, [(-_HALF_TURN, _HALF_TURN)]
    wide = ceil(asin(sin(angle) / widest) * 180 / pi * 1e6) + 1
    west, east = longitude - wide, longitude + wide
    ranges = [(west, east)]
    if west < -_HALF_TURN:
        ranges.append((west + _TURN, _HALF_TURN))
    if east > _HALF_TURN:
        ranges.append((-_HALF_TURN, east - _TURN))
    return latitude - high, latitude + high, ranges


def find_offers(session: Session, wanted: Wanted, *, on: date, before: int | None = None, limit: int = 50) -> list[FoundOffer]:
    """Offers that are open on a day and whose title has the text, the newest first."""
    conditions = [_OFFER_IS_OPEN, *_of_merchants(wanted)]
    if before is not None:
        conditions.append("o.id < %(before)s")
    if wanted.category is not None:
        conditions.append("o.category = %(category)s")
    if wanted.text is not None:
        conditions.append(_has(wanted.text, _OFFER_WORDS))
    there = ["s.organisation_id = o.organisation_id", "s.state = 'open'", _GOOD_THERE]
    if wanted.district is not None:
        there.append("s.district = %(district)s")
    if wanted.shop is not None:
        there.append("s.handle = %(shop)s")
    conditions.append(f"EXISTS (SELECT FROM shop s WHERE {' AND '.join(there)})")
    rows = connection_of(session).execute(
        f"SELECT {_OFFER}, {_MERCHANT} FROM {_OPEN_OFFER} WHERE {' AND '.join(conditions)} ORDER BY o.id DESC LIMIT %(limit)s",
        {**vars(wanted), "on": on, "before": before, "limit": limit},
    )
    return [_offer(row) for row in rows]


def merchant_seen(session: Session, handle: UUID, *, on: date) -> Merchant:
    """An approved merchant. Raises `MerchantUnknown` for any other organisation too."""
    row = connection_of(session).execute(
        f"SELECT {_MERCHANT} FROM organisation g WHERE g.handle = %(handle)s AND g.kind = 'merchant' AND g.state = 'approved'",
        {"handle": handle, "on": on},
    ).fetchone()
    if row is None:
        raise MerchantUnknown()
    return Merchant(*row)


def shop_seen(session: Session, handle: UUID, *, on: date) -> FoundShop:
    """An open shop of an approved merchant. Raises `ShopUnknown`."""
    for found in find_shops(session, Wanted(shop=handle), on=on, limit=1):
        return found
    raise ShopUnknown()


def offer_seen(session: Session, handle: UUID, *, on: date) -> FoundOffer:
    """A published offer of an approved merchant that is not over. Raises `OfferUnknown`."""
    row = connection_of(session).execute(
        f"""SELECT {_OFFER}, {_MERCHANT} FROM {_OPEN_OFFER}
            WHERE o.handle = %(handle)s AND o.state = 'published' AND o.valid_until >= %(on)s""",
        {"handle": handle, "on": on},
    ).fetchone()
    if row is None:
        raise OfferUnknown()
    return _offer(row)


def _shop(row: Sequence[Any]) -> FoundShop:
    number, handle, name, address, district, latitude, longitude, hours, metres, *merchant = row
    return FoundShop(number, handle, name, address, district, latitude, longitude, hours, Merchant(*merchant), metres)


def _offer(row: Sequence[Any]) -> FoundOffer:
    number, handle, left, *terms = row[:15]
    return FoundOffer(number, handle, Terms(*terms), left, Merchant(*row[15:]))
