"""What the tests of settlement share: payments on a day, settlements, and what the check says."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import ledger, merchants
from carbonhui.core.database import Database
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, fresh, organisation, resident

TOMORROW = DAY + timedelta(days=1)


def bakery_of(session: Session, *credits: int, on: date = DAY) -> tuple[int, int]:
    """A bakery, and a shopper who bought there for these credits each."""
    shopper, bakery = resident(session, 100), organisation(session, Kind.MERCHANT)
    for amount in credits:
        buy(session, shopper, bakery, amount, on=on)
    return bakery, shopper


def buy(session: Session, shopper: int, merchant: int, credits: int, *, on: date = DAY) -> int:
    return moved(session, Purpose.REDEEM, shopper, merchant, credits, on=on)


def give_back(session: Session, merchant: int, shopper: int, credits: int, *, on: date = DAY) -> int:
    return moved(session, Purpose.REFUND, merchant, shopper, credits, on=on)


def moved(session: Session, purpose: Purpose, source: int, target: int, amount: int, *, on: date = DAY, asset: int = ledger.CREDIT) -> int:
    return ledger.post(
        session, purpose=purpose, source=source, target=target, amount=amount, reference=fresh(), business_date=on, asset=asset
    ).id


def through(session: Session, merchant: int, day: date = DAY, reference: str | None = None) -> merchants.Settlement | None:
    return merchants.settle_through(
        session, merchant=merchant, day=day, reference=reference or fresh("settlement"), business_date=day + timedelta(days=1)
    )


def settled(database: Database, merchant: int, day: date = DAY) -> merchants.Settlement:
    made = database.run(lambda session: through(session, merchant, day))
    assert made is not None
    return made


def sums(made: merchants.Settlement) -> dict[str, int]:
    """The figures of a settlement that are not zero."""
    names = ("brought", "received", "given", "credits", "carried", "items")
    return {name: value for name in names if (value := getattr(made, name))}


def wrong(database: Database) -> list[dict[str, Any]]:
    """The rows that break the check of settlements."""
    with database.begin() as session:
        return [row.row for row in ledger.run_checks(session, merchants.CHECKS)["I15"]]
