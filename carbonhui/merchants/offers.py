"""Taking of an offer, and giving back: stock and limits are tested and taken at once (Article 20)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.clock import CITY_TIME
from carbonhui.core.database import connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.merchants.shop_refusals import (
    OfferLimitPerDay,
    OfferLimitPerPerson,
    OfferNotHere,
    OfferNotOpen,
    OfferQuantityInvalid,
    OfferSoldOut,
    OfferUnknown,
)

QUANTITY_MAX = 9_999


@dataclass(frozen=True)
class Taken:
    """What was taken: credits and money for the whole quantity, and the instant at which the offer ends."""

    offer: int
    quantity: int
    credits: Credits
    money_fen: Fen
    ends_at: datetime


def take(
    session: Session, offer: int, *, payer: int, quantity: int, on: date, sandbox: bool = False, shop: int | None = None
) -> Taken:
    """Take a number of an offer for an account of credits, in one round trip.

    Take before any credits move, and give back before they move back: everybody then
    locks in one order. An offer without stock and limits is only read. When it refuses,
    nothing was taken, and the transaction may go on. A sandbox's take is tested against
    the offer's own numbers, is possible for a draft, and takes nothing.

    Tried in this order, and only the first is told: `OfferQuantityInvalid`, `OfferUnknown`,
    `OfferNotOpen`, `OfferNotHere` (where a shop is named), `OfferLimitPerPerson`,
    `OfferLimitPerDay`, `OfferSoldOut`.
    """
    _require_quantity(quantity)
    row = connection_of(session).execute(
        "SELECT verdict, unit_credits, unit_money_fen, first_day, last_day, most FROM offer_take(%s, %s, %s, %s, %s, %s)",
        (offer, payer, quantity, on, shop, sandbox), prepare=True,
    ).fetchone()
    assert row is not None
    verdict, credits, money_fen, first_day, last_day, most = row
    if verdict != "taken":
        raise _refusal(verdict, quantity=quantity, most=most, on=on, first_day=first_day, last_day=last_day)
    return Taken(offer, quantity, Credits(credits * quantity), Fen(money_fen * quantity), end_of(last_day))


def give_back(
    session: Session, offer: int, *, payer: int, quantity: int, taken_on: date, sandbox: bool = False
) -> None:
    """What was taken on a day can be taken again; a sandbox took nothing. Raises `OfferQuantityInvalid`, `OfferUnknown`.

    Whoever calls gives back once, and no more than was taken.
    """
    _require_quantity(quantity)
    if sandbox:
        return
    row = connection_of(session).execute(
        "SELECT offer_give_back(%s, %s, %s, %s)", (offer, payer, quantity, taken_on), prepare=True
    ).fetchone()
    if row is None or not row[0]:
        raise OfferUnknown()


def end_of(day: date) -> datetime:
    """The instant at which a day is over, city time."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=CITY_TIME)


def _require_quantity(quantity: int) -> None:
    if type(quantity) is not int or not 1 <= quantity <= QUANTITY_MAX:
        raise OfferQuantityInvalid(most=QUANTITY_MAX)


def _refusal(verdict: str, *, quantity: int, most: int | None, on: date, first_day: date, last_day: date) -> Refusal:
    match verdict:
        case "unknown":
            return OfferUnknown()
        case "not_here":
            return OfferNotHere()
        case "per_person":
            return OfferLimitPerPerson(most=most, quantity=quantity, period="in all", period_zh="总计")
        case "per_person_day":
            return OfferLimitPerPerson(most=most, quantity=quantity, period="on one day", period_zh="每日")
        case "per_day":
            return OfferLimitPerDay(most=most, quantity=quantity)
        case "sold_out":
            return OfferSoldOut(quantity=quantity)
    assert verdict == "not_open"
    return OfferNotOpen(on=on, first_day=first_day, last_day=last_day)
