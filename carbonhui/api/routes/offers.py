"""A merchant's own offers: drafted, published, withdrawn (Article 20: the discount is the merchant's own)."""

from typing import Any
from uuid import UUID

from carbonhui import merchants, participants, privacy
from carbonhui.api.fields import Choice, Day, Handle, Many, Page, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, paged
from carbonhui.api.routes.organisations import MANAGERS, own_organisation
from carbonhui.api.routes.refusals import OrganisationRoleMissing
from carbonhui.participants import Organisation

blueprint = Blueprint("offers", __name__, description="A merchant's own offers.")

_CREDITS, _FEN, _EACH, _MANY = 1_000_000_000, 100_000_000_000, 9_999, 1_000_000_000
_ONE = "for one of it"
_NO_LIMIT = "null is no limit"


class OfferTerms(Strict):
    title_zh = Text(100, required=True, metadata={"example": "早茶套餐"})
    title_en = Text(100, load_default=None, allow_none=True, metadata={"example": "Morning tea"})
    category = Choice(*merchants.CATEGORIES, required=True)
    credits = Whole(1, _CREDITS, required=True, metadata={"description": f"Credits {_ONE}."})
    money_fen = Whole(0, _FEN, required=True, metadata={"description": f"Money besides, {_ONE}, in fen."})
    list_price_fen = Whole(1, _FEN, required=True, metadata={
        "description": f"What it costs without credits, {_ONE}, in fen; more than `money_fen`.",
    })  # fmt: skip
    per_person_max = Whole(1, _EACH, load_default=None, allow_none=True, metadata={
        "description": f"The most for one payer in all; {_NO_LIMIT}.",
    })  # fmt: skip
    per_person_day_max = Whole(1, _EACH, load_default=None, allow_none=True, metadata={
        "description": f"The most for one payer on one day; {_NO_LIMIT}.",
    })  # fmt: skip
    per_day_max = Whole(1, _MANY, load_default=None, allow_none=True, metadata={
        "description": f"The most for everybody on one day; {_NO_LIMIT}.",
    })  # fmt: skip
    stock = Whole(1, _MANY, load_default=None, allow_none=True, metadata={"description": f"How many there are in all; {_NO_LIMIT}."})
    valid_from = Day(required=True)
    valid_until = Day(required=True, metadata={"description": "The last day; an offer lasts at most 366."})


class OfferWritten(OfferTerms):
    shops = Many(Handle(), most=1000, load_default=list, metadata={"description": "Where it is good; none is every shop of yours."})


class OfferSchema(OfferTerms):
    offer = Handle(required=True)
    state = Choice("draft", "published", "withdrawn", required=True)
    stock_taken = Whole(0, _MANY, required=True, allow_none=True, metadata={"description": "Of the stock; null without one."})
    shops = Many(Handle(), most=1000, required=True, metadata={"description": "Where it is good; none is every shop of yours."})


class StockChanged(Strict):
    stock = Whole(1, _MANY, required=True, metadata={"description": "How many there are, with those that were taken already."})


def terms_told(terms: merchants.Terms) -> dict[str, Any]:
    return dict(vars(terms))


def _told(call: Call, offers: list[merchants.Offer]) -> dict[int, dict[str, Any]]:
    shops = merchants.shops_of_offers(call.session, [one.id for one in offers])
    return {
        one.id: {
            **terms_told(one.terms), "offer": one.handle, "state": one.state, "stock": one.stock, "stock_taken": one.stock_taken,
            "shops": shops[one.id],
        }
        for one in offers
    }  # fmt: skip


def _one(call: Call, offer: merchants.Offer) -> dict[str, Any]:
    return _told(call, [offer])[offer.id]


def _written(body: dict[str, Any]) -> tuple[merchants.Terms, list[UUID]]:
    words = dict(body)
    shops = words.pop("shops")
    return merchants.Terms(**words), shops


def _own(call: Call, organisation: UUID, offer: UUID) -> tuple[Organisation, merchants.Offer]:
    found = own_organisation(call, organisation, MANAGERS)
    with hidden(merchants.OfferUnknown):
        return found, merchants.offer_of(call.session, found, offer)


_OFFERS = "/v1/merchants/<uuid:organisation>/offers"
_OFFER = f"{_OFFERS}/<uuid:offer>"
_WRITING = (merchants.OfferTermsInvalid, merchants.ShopUnknown, OrganisationRoleMissing, privacy.TextRefused)


@operation(
    blueprint, "GET", _OFFERS, "listOwnOffers", query=Page, answer=page_of(OfferSchema),
    summary="Your merchant's offers in any state, the newest first",
)  # fmt: skip
def list_own_offers(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation)
    offers = merchants.offers_of(call.session, found, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1)
    told = _told(call, offers)
    return paged(call, offers, query["limit"], lambda one: told[one.id])


@operation(
    blueprint, "POST", _OFFERS, "draftOffer", body=OfferWritten, answer=OfferSchema, status=201,
    summary="Write an offer that nobody else sees yet", refuses=(merchants.NotAMerchant, *_WRITING),
)  # fmt: skip
def draft_offer(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found, (terms, shops) = own_organisation(call, organisation, MANAGERS), _written(body)
    return _one(call, merchants.draft_offer(call.session, found, terms, shops=shops, on=call.today))


@operation(
    blueprint, "PUT", _OFFER, "changeOffer", body=OfferWritten, answer=OfferSchema,
    summary="Write a draft anew", refuses=(merchants.OfferPublished, *_WRITING),
)  # fmt: skip
def change_offer(call: Call, organisation: UUID, offer: UUID, body: dict[str, Any]) -> dict[str, Any]:
    (found, draft), (terms, shops) = _own(call, organisation, offer), _written(body)
    return _one(call, merchants.change_offer(call.session, found, draft, terms, shops=shops, on=call.today))


@operation(
    blueprint, "POST", f"{_OFFER}/publication", "publishOffer", answer=OfferSchema,
    summary="Let everybody see and take an offer; from now on it is only withdrawn, not edited",
    refuses=(
        merchants.OfferPublished, merchants.OfferTermsInvalid, participants.OrganisationNotApproved, OrganisationRoleMissing,
    ),
)  # fmt: skip
def publish_offer(call: Call, organisation: UUID, offer: UUID) -> dict[str, Any]:
    found, draft = _own(call, organisation, offer)
    return _one(call, merchants.publish_offer(call.session, found, draft, on=call.today))


@operation(
    blueprint, "POST", f"{_OFFER}/withdrawal", "withdrawOffer", status=204,
    summary="Let nobody take an offer any more, for good", refuses=(OrganisationRoleMissing,),
)  # fmt: skip
def withdraw_offer(call: Call, organisation: UUID, offer: UUID) -> None:
    merchants.withdraw_offer(call.session, _own(call, organisation, offer)[1])


@operation(
    blueprint, "PUT", f"{_OFFER}/stock", "changeStock", body=StockChanged, answer=OfferSchema,
    summary="Say how many there are of a published offer",
    refuses=(merchants.OfferWithoutStock, merchants.OfferStockTaken, OrganisationRoleMissing),
)  # fmt: skip
def change_stock(call: Call, organisation: UUID, offer: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found, published = _own(call, organisation, offer)
    return _one(call, merchants.change_stock(call.session, found, published, stock=body["stock"]))
