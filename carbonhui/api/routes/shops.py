"""A merchant's own shops and tills, by its members or its signed server (Article 20)."""

from typing import Any
from uuid import UUID

from carbonhui import merchants, privacy
from carbonhui.api.fields import Choice, Day, Handle, Page, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, paged
from carbonhui.api.routes.organisations import MANAGERS, own_organisation
from carbonhui.api.routes.refusals import OrganisationRoleMissing

blueprint = Blueprint("shops", __name__, description="A merchant's own shops and tills.")

STATES = ("open", "closed")
_DISTRICT = {"description": "Six digits by GB/T 2260.", "example": "440106"}
_LATITUDE = {"description": "Millionths of a degree, WGS 84.", "example": 23_129_110}
_LONGITUDE = {"description": "Millionths of a degree, WGS 84.", "example": 113_264_385}
_HOURS = {"description": "When it is open, in words.", "example": "周一至周日 09:00-21:00"}


def district_field(**options: Any) -> Pattern:
    return Pattern(r"[0-9]{6}", longest=6, metadata=_DISTRICT, **options)


def latitude_field(**options: Any) -> Whole:
    return Whole(-90_000_000, 90_000_000, metadata=_LATITUDE, **options)


def longitude_field(**options: Any) -> Whole:
    return Whole(-180_000_000, 180_000_000, metadata=_LONGITUDE, **options)


class ShopAdded(Strict):
    name = Text(100, required=True)
    address = Text(200, required=True)
    district = district_field(required=True)
    latitude_udeg = latitude_field(required=True)
    longitude_udeg = longitude_field(required=True)
    hours = Text(200, shortest=0, load_default="", metadata=_HOURS)


class ShopChanged(Strict):
    """What is not given stays."""

    name = Text(100)
    address = Text(200)
    district = district_field()
    latitude_udeg = latitude_field()
    longitude_udeg = longitude_field()
    hours = Text(200, shortest=0, metadata=_HOURS)
    state = Choice(*STATES)


class ShopSchema(Strict):
    shop = Handle(required=True)
    name = Text(100, required=True)
    address = Text(200, required=True)
    district = district_field(required=True)
    latitude_udeg = latitude_field(required=True)
    longitude_udeg = longitude_field(required=True)
    hours = Text(200, shortest=0, required=True, metadata=_HOURS)
    state = Choice(*STATES, required=True)
    opened_on = Day(required=True)


class TillAdded(Strict):
    label = Text(60, required=True, metadata={"description": "What you call it; one of a kind in the shop.", "example": "till 3"})


class TillChanged(Strict):
    """What is not given stays."""

    label = Text(60)
    state = Choice(*STATES)


class TillSchema(Strict):
    till = Handle(required=True)
    label = Text(60, required=True)
    state = Choice(*STATES, required=True)


def _shop(shop: merchants.Shop) -> dict[str, Any]:
    return {name: value for name, value in vars(shop).items() if name not in ("id", "handle", "organisation_id")} | {"shop": shop.handle}


def _till(till: merchants.Till) -> dict[str, Any]:
    return {"till": till.handle, "label": till.label, "state": till.state}


def own_shop(call: Call, organisation: UUID, shop: UUID, *roles: str) -> merchants.Shop:
    """A shop of the caller's merchant. Raises `NotFound`, `OrganisationRoleMissing`."""
    found = own_organisation(call, organisation, *([roles] if roles else []))
    with hidden(merchants.ShopUnknown):
        return merchants.shop_of(call.session, found, shop)


_SHOPS = "/v1/merchants/<uuid:organisation>/shops"
_SHOP = f"{_SHOPS}/<uuid:shop>"


@operation(
    blueprint, "GET", _SHOPS, "listShops", query=Page, answer=page_of(ShopSchema),
    summary="Your merchant's shops in the order in which they were entered, closed ones too",
)  # fmt: skip
def list_shops(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation)
    after = call.cursor.read(query["cursor"]) or 0
    return paged(call, merchants.shops_of(call.session, found, after=after, limit=query["limit"] + 1), query["limit"], _shop)


@operation(
    blueprint, "POST", _SHOPS, "addShop", body=ShopAdded, answer=ShopSchema, status=201,
    summary="Open a shop; others see it once your merchant is approved",
    refuses=(merchants.NotAMerchant, merchants.ShopsTooMany, OrganisationRoleMissing, privacy.TextRefused),
)  # fmt: skip
def add_shop(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation, MANAGERS)
    return _shop(merchants.add_shop(call.session, found, on=call.today, **body))


@operation(
    blueprint, "PATCH", _SHOP, "changeShop", body=ShopChanged, answer=ShopSchema,
    summary="Change what is given of a shop; a closed one sells nothing and is not found",
    refuses=(OrganisationRoleMissing, privacy.TextRefused),
)  # fmt: skip
def change_shop(call: Call, organisation: UUID, shop: UUID, body: dict[str, Any]) -> dict[str, Any]:
    return _shop(merchants.change_shop(call.session, own_shop(call, organisation, shop, *MANAGERS), **body))


@operation(
    blueprint, "GET", f"{_SHOP}/tills", "listTills", query=Page, answer=page_of(TillSchema),
    summary="A shop's tills in the order in which they were entered, closed ones too",
)  # fmt: skip
def list_tills(call: Call, organisation: UUID, shop: UUID, query: dict[str, Any]) -> dict[str, Any]:
    found, after = own_shop(call, organisation, shop), call.cursor.read(query["cursor"]) or 0
    return paged(call, merchants.tills_of(call.session, found, after=after, limit=query["limit"] + 1), query["limit"], _till)


@operation(
    blueprint, "POST", f"{_SHOP}/tills", "addTill", body=TillAdded, answer=TillSchema, status=201,
    summary="Put a till into a shop",
    refuses=(merchants.TillLabelTaken, merchants.TillsTooMany, OrganisationRoleMissing, privacy.TextRefused),
)  # fmt: skip
def add_till(call: Call, organisation: UUID, shop: UUID, body: dict[str, Any]) -> dict[str, Any]:
    return _till(merchants.add_till(call.session, own_shop(call, organisation, shop, *MANAGERS), **body))


@operation(
    blueprint, "PATCH", f"{_SHOP}/tills/<uuid:till>", "changeTill", body=TillChanged, answer=TillSchema,
    summary="Give a till another label or state; a closed one takes nothing",
    refuses=(merchants.TillLabelTaken, OrganisationRoleMissing, privacy.TextRefused),
)  # fmt: skip
def change_till(call: Call, organisation: UUID, shop: UUID, till: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_shop(call, organisation, shop, *MANAGERS)
    with hidden(merchants.TillUnknown):
        return _till(merchants.change_till(call.session, merchants.till_of(call.session, found, till), **body))
