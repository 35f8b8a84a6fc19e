"""Making offers: a draft, published as it is, withdrawn; the discount is the merchant's own (Article 20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import participants, privacy
from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.database import connection_of
from carbonhui.merchants.shop_refusals import (
    OfferPublished,
    OfferStockTaken,
    OfferTermsInvalid,
    OfferUnknown,
    OfferWithoutStock,
    ShopUnknown,
)
from carbonhui.merchants.shops import require_merchant
from carbonhui.participants import Organisation

CATEGORIES = (
    "food", "drinks", "groceries", "household", "clothing", "books", "culture", "sport", "health", "transport", "travel",
    "services", "second_hand", "plants", "other",
)  # fmt: skip
STATES = ("draft", "published", "withdrawn")
CREDITS_MAX, FEN_MAX, EACH_MAX, MANY_MAX = 1_000_000_000, 100_000_000_000, 9_999, 1_000_000_000
#: How long an offer may last, so that the list of what is open never fills with what was forgotten.
DAYS_MAX, SHOPS_MAX, TITLE_LONGEST = 366, 1_000, 100


@dataclass(frozen=True)
class Terms:
    """What an offer says: one of it costs ``credits`` and ``money_fen`` instead of ``list_price_fen``.

    ``per_person_max`` counts over the whole offer and ``per_person_day_max`` on one day,
    for one payer; ``per_day_max`` counts everybody's on one day. None is no limit.
    ``valid_until`` is the last day.
    """

    title_zh: str
    title_en: str | None
    category: str
    credits: Credits
    money_fen: Fen
    list_price_fen: Fen
    per_person_max: int | None
    per_person_day_max: int | None
    per_day_max: int | None
    stock: int | None
    valid_from: date
    valid_until: date


@dataclass(frozen=True)
class Offer:
    """An offer of a merchant; ``stock_taken`` is None for one without a stock, or that is a draft."""

    id: int
    handle: UUID
    organisation_id: int
    state: str
    terms: Terms
    stock: int | None
    stock_taken: int | None


_TERMS = (
    "title_zh, title_en, category, credits, money_fen, list_price_fen, per_person_max, per_person_day_max, per_day_max, stock, "
    "valid_from, valid_until"
)
_SELECT = f"""SELECT o.id, o.handle, o.organisation_id, o.state, coalesce(k.stock, o.stock), k.taken, {_TERMS.replace("stock,", "o.stock,")}
              FROM offer o LEFT JOIN offer_stock k ON k.offer_id = o.id"""


def _offer(row: tuple[Any, ...]) -> Offer:
    number, handle, organisation, state, stock, taken, *terms = row
    return Offer(number, handle, organisation, state, Terms(*terms), stock, taken)


def draft_offer(session: Session, organisation: Organisation, terms: Terms, *, shops: Sequence[UUID] = (), on: date) -> Offer:
    """A merchant writes an offer that nobody else sees yet, good at some of its shops or, without any, at all of them.

    Raises `NotAMerchant`, `OfferTermsInvalid`, `ShopUnknown`, `privacy.TextRefused`.
    """
    require_merchant(organisation)
    terms = _checked(terms, on)
    values = tuple(vars(terms).values())
    row = connection_of(session).execute(
        f"INSERT INTO offer (organisation_id, {_TERMS}) VALUES (%s{', %s' * len(values)}) RETURNING id, handle",
        (organisation.id, *values),
    ).fetchone()
    assert row is not None
    _at(session, organisation, row[0], shops)
    return Offer(row[0], row[1], organisation.id, "draft", terms, terms.stock, None)


def change_offer(session: Session, organisation: Organisation, offer: Offer, terms: Terms, *, shops: Sequence[UUID], on: date) -> Offer:
    """Write a draft anew. Raises `OfferPublished`, and what `draft_offer` raises."""
    terms = _checked(terms, on)
    connection = connection_of(session)
    _require_draft(_locked(session, offer))
    told = ", ".join(f"{name} = %s" for name in _TERMS.split(", "))
    connection.execute(f"UPDATE offer SET {told} WHERE id = %s", (*vars(terms).values(), offer.id))
    connection.execute("DELETE FROM offer_shop WHERE offer_id = %s", (offer.id,))
    _at(session, organisation, offer.id, shops)
    return offer_of(session, organisation, offer.handle)


def _at(session: Session, organisation: Organisation, offer: int, shops: Sequence[UUID]) -> None:
    wanted = sorted(set(shops))
    if len(wanted) > SHOPS_MAX:
        raise OfferTermsInvalid(field="shops", reason=f"at most {SHOPS_MAX}", reason_zh=f"最多 {SHOPS_MAX} 个")
    entered = connection_of(session).execute(
        """INSERT INTO offer_shop (offer_id, shop_id)
           SELECT %s, id FROM shop WHERE handle = ANY (%s) AND organisation_id = %s""",
        (offer, wanted, organisation.id),
    ).rowcount
    if entered != len(wanted):
        raise ShopUnknown()


def publish_offer(session: Session, organisation: Organisation, offer: Offer, *, on: date) -> Offer:
    """Let everybody see and take a draft; from now on it is not edited, only withdrawn.

    Raises `participants.OrganisationNotApproved`, `OfferPublished`, `OfferTermsInvalid` for one that is over.
    """
    participants.require_approved(session, organisation.id)
    found = _locked(session, offer)
    _require_draft(found)
    _checked(found.terms, on)
    connection = connection_of(session)
    if found.terms.stock is not None:
        connection.execute("INSERT INTO offer_stock (offer_id, stock) VALUES (%s, %s)", (offer.id, found.terms.stock))
    connection.execute("UPDATE offer SET state = 'published' WHERE id = %s", (offer.id,))
    return offer_of(session, organisation, offer.handle)


def withdraw_offer(session: Session, offer: Offer) -> None:
    """Nobody takes the offer any more, for good; what was taken stays taken. A withdrawn one stays so."""
    connection_of(session).execute("UPDATE offer SET state = 'withdrawn' WHERE id = %s AND state <> 'withdrawn'", (offer.id,))


def change_stock(session: Session, organisation: Organisation, offer: Offer, *, stock: int) -> Offer:
    """A published offer has another stock, counted from its beginning. Raises `OfferWithoutStock`, `OfferStockTaken`."""
    assert 1 <= stock <= MANY_MAX
    connection = connection_of(session)
    changed = connection.execute("UPDATE offer_stock SET stock = %s WHERE offer_id = %s AND taken <= %s", (stock, offer.id, stock))
    found = offer_of(session, organisation, offer.handle)
    if not changed.rowcount:
        if found.stock_taken is None:
            raise OfferWithoutStock()
        raise OfferStockTaken(taken=found.stock_taken, stock=stock)
    return found


def offer_of(session: Session, organisation: Organisation, handle: UUID) -> Offer:
    """A merchant's own offer in any state. Raises `OfferUnknown`."""
    row = connection_of(session).execute(
        f"{_SELECT} WHERE o.handle = %s AND o.organisation_id = %s", (handle, organisation.id)
    ).fetchone()
    if row is None:
        raise OfferUnknown()
    return _offer(row)


def offers_of(session: Session, organisation: Organisation, *, before: int | None = None, limit: int = 50) -> list[Offer]:
    """A merchant's own offers in any state, the newest first."""
    rows = connection_of(session).execute(
        f"{_SELECT} WHERE o.organisation_id = %s AND o.id < coalesce(%s, 9223372036854775807) ORDER BY o.id DESC LIMIT %s",
        (organisation.id, before, limit),
    )
    return [_offer(row) for row in rows]


def shops_of_offers(session: Session, offers: Sequence[int]) -> dict[int, list[UUID]]:
    """At which shops each offer is good; an empty list for those that are good at all."""
    found: dict[int, list[UUID]] = {number: [] for number in offers}
    for number, handle in connection_of(session).execute(
        "SELECT x.offer_id, s.handle FROM offer_shop x JOIN shop s ON s.id = x.shop_id WHERE x.offer_id = ANY (%s) ORDER BY s.id",
        (list(offers),),
    ):
        found[number].append(handle)
    return found


def _locked(session: Session, offer: Offer) -> Offer:
    row = connection_of(session).execute(f"{_SELECT} WHERE o.id = %s FOR NO KEY UPDATE OF o", (offer.id,)).fetchone()
    assert row is not None
    return _offer(row)


def _require_draft(offer: Offer) -> None:
    if offer.state != "draft":
        raise OfferPublished(state=offer.state)


def _checked(terms: Terms, on: date) -> Terms:
    """The terms with their titles in composed form, if they make an offer."""
    assert terms.category in CATEGORIES
    for field, value, least, most in (
        ("credits", terms.credits, 1, CREDITS_MAX), ("money_fen", terms.money_fen, 0, FEN_MAX),
        ("list_price_fen", terms.list_price_fen, 1, FEN_MAX), ("per_person_max", terms.per_person_max, 1, EACH_MAX),
        ("per_person_day_max", terms.per_person_day_max, 1, EACH_MAX), ("per_day_max", terms.per_day_max, 1, MANY_MAX),
        ("stock", terms.stock, 1, MANY_MAX),
    ):  # fmt: skip
        if value is not None and (type(value) is not int or not least <= value <= most):
            raise OfferTermsInvalid(field=field, reason=f"it is {least} to {most}", reason_zh=f"应为 {least} 至 {most}")
    if terms.money_fen >= terms.list_price_fen:
        raise OfferTermsInvalid(
            field="money_fen", reason="it is less than the list price, for credits buy a discount",
            reason_zh="应低于原价,因碳惠用于换取优惠",
        )  # fmt: skip
    if terms.valid_until < max(terms.valid_from, on):
        raise OfferTermsInvalid(field="valid_until", reason="it is over or before the first day", reason_zh="早于开始日或今日")
    if (terms.valid_until - terms.valid_from).days >= DAYS_MAX:
        raise OfferTermsInvalid(field="valid_until", reason=f"offers last at most {DAYS_MAX} days", reason_zh=f"最长 {DAYS_MAX} 天")
    titles = {"title_zh": privacy.clean_text(terms.title_zh, field="title_zh", longest=TITLE_LONGEST)}
    if terms.title_en is not None:
        titles["title_en"] = privacy.clean_text(terms.title_en, field="title_en", longest=TITLE_LONGEST)
    return Terms(**{**vars(terms), **titles})
