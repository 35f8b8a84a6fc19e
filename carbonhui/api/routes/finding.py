"""Finding shops and offers, by words, by district, near a place (Articles 18, 20).

A place is said in a body, never in an address: where somebody stands is personal,
and addresses are kept by every machine on the way.
"""

from typing import Any
from uuid import UUID

from carbonhui import merchants, privacy
from carbonhui.api.fields import Choice, Flag, Handle, Page, Part, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, paged, whole_list
from carbonhui.api.routes.merchants import GRADES, MerchantSchema, merchant_told
from carbonhui.api.routes.offers import OfferTerms, terms_told
from carbonhui.api.routes.shops import district_field, latitude_field, longitude_field

blueprint = Blueprint("finding", __name__, description="Finding shops and offers of merchants that take credits.")

_GRADE = {"description": "At least this grade; A is the best."}
_CATEGORY = {"description": "With an offer of this category."}


class ShopsWanted(Page):
    text = Text(60, load_default=None, metadata={"description": "In the shop's name or address or the merchant's name."})
    district = district_field(load_default=None)
    merchant = Handle(load_default=None)
    category = Choice(*merchants.CATEGORIES, load_default=None, metadata=_CATEGORY)
    grade = Choice(*GRADES, load_default=None, metadata=_GRADE)
    in_alliance = Flag(load_default=None)


class ShopsNearWanted(Strict):
    latitude_udeg = latitude_field(required=True)
    longitude_udeg = longitude_field(required=True)
    radius_m = Whole(1, merchants.RADIUS_MAX_M, load_default=3000, metadata={"description": "How far at most, in metres."})
    limit = Whole(1, 100, load_default=20, metadata={"description": "The most shops."})
    text = Text(60, load_default=None)
    category = Choice(*merchants.CATEGORIES, load_default=None, metadata=_CATEGORY)
    grade = Choice(*GRADES, load_default=None, metadata=_GRADE)
    in_alliance = Flag(load_default=None)


class OffersWanted(Page):
    text = Text(60, load_default=None, metadata={"description": "In the title."})
    category = Choice(*merchants.CATEGORIES, load_default=None)
    district = district_field(load_default=None)
    merchant = Handle(load_default=None)
    shop = Handle(load_default=None)
    grade = Choice(*GRADES, load_default=None, metadata=_GRADE)
    in_alliance = Flag(load_default=None)


class FoundShopSchema(Strict):
    shop = Handle(required=True)
    name = Text(100, required=True)
    address = Text(200, required=True)
    district = district_field(required=True)
    latitude_udeg = latitude_field(required=True)
    longitude_udeg = longitude_field(required=True)
    hours = Text(200, shortest=0, required=True)
    merchant = Part(MerchantSchema, required=True)


class NearShopSchema(FoundShopSchema):
    metres = Whole(0, merchants.RADIUS_MAX_M, required=True, metadata={"description": "As the crow flies, rounded down."})


class FoundOfferSchema(OfferTerms):
    offer = Handle(required=True)
    left = Whole(0, 1_000_000_000, required=True, allow_none=True, metadata={"description": "Of the stock; null without one."})
    merchant = Part(MerchantSchema, required=True)


_SHOP_FIELDS = ("name", "address", "district", "latitude_udeg", "longitude_udeg", "hours")


def _shop(found: merchants.FoundShop) -> dict[str, Any]:
    return {"shop": found.handle, "merchant": merchant_told(found.merchant)} | {name: getattr(found, name) for name in _SHOP_FIELDS}


def _offer(found: merchants.FoundOffer) -> dict[str, Any]:
    return {**terms_told(found.terms), "offer": found.handle, "left": found.left, "merchant": merchant_told(found.merchant)}


def _wanted(words: dict[str, Any]) -> merchants.Wanted:
    return merchants.Wanted(**{name: value for name, value in words.items() if name in merchants.Wanted.__dataclass_fields__})


@operation(
    blueprint, "GET", "/v1/shops", "findShops", query=ShopsWanted, answer=page_of(FoundShopSchema),
    summary="Open shops of merchants that take credits", refuses=(privacy.TextRefused,),
)  # fmt: skip
def find_shops(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    after = call.cursor.read(query["cursor"]) or 0
    found = merchants.find_shops(call.session, _wanted(query), on=call.today, after=after, limit=query["limit"] + 1)
    return paged(call, found, query["limit"], _shop)


@operation(
    blueprint, "POST", "/v1/shops/nearby", "findShopsNearby", body=ShopsNearWanted, answer=page_of(NearShopSchema), keyed=False,
    summary="The nearest open shops, nearest first", description="The place is read, not kept.", refuses=(privacy.TextRefused,),
)  # fmt: skip
def find_shops_nearby(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    found = merchants.shops_near(
        call.session, _wanted(body), latitude_udeg=body["latitude_udeg"], longitude_udeg=body["longitude_udeg"],
        radius_m=body["radius_m"], on=call.today, limit=body["limit"],
    )  # fmt: skip
    return whole_list([{**_shop(one), "metres": one.metres} for one in found])


@operation(
    blueprint, "GET", "/v1/shops/<uuid:shop>", "readShop", answer=FoundShopSchema, summary="An open shop of a merchant that takes credits",
)  # fmt: skip
def read_shop(call: Call, shop: UUID) -> dict[str, Any]:
    with hidden(merchants.ShopUnknown):
        return _shop(merchants.shop_seen(call.session, shop, on=call.today))


@operation(
    blueprint, "GET", "/v1/offers", "findOffers", query=OffersWanted, answer=page_of(FoundOfferSchema),
    summary="Offers that are open today at an open shop, the newest first", refuses=(privacy.TextRefused,),
)  # fmt: skip
def find_offers(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    before = call.cursor.read(query["cursor"])
    found = merchants.find_offers(call.session, _wanted(query), on=call.today, before=before, limit=query["limit"] + 1)
    return paged(call, found, query["limit"], _offer)


@operation(
    blueprint, "GET", "/v1/offers/<uuid:offer>", "readOffer", answer=FoundOfferSchema,
    summary="A published offer that is not over",
)  # fmt: skip
def read_offer(call: Call, offer: UUID) -> dict[str, Any]:
    with hidden(merchants.OfferUnknown):
        return _offer(merchants.offer_seen(call.session, offer, on=call.today))
