"""Merchants take credits and hand them on to the cancellation pool (Articles 18, 20)."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from carbonhui import ledger, merchants
from carbonhui.core.database import Database
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, code_of, free, fresh, give, holds, organisation, promise, refusal_of, resident


def pay(session: Session, payer: int, merchant: int, credits: int, reference: str | None = None) -> ledger.Posted:
    words: dict[str, Any] = {"payer": payer, "merchant": merchant, "credits": credits}
    return merchants.redeem(session, reference=reference or fresh("till"), business_date=DAY, **words)


def settle(session: Session, merchant: int, reference: str | None = None) -> ledger.Posted:
    return merchants.settle(session, merchant=merchant, reference=reference or fresh("settlement"), business_date=DAY)


def pool(database: Database) -> int:
    with database.begin() as session:
        return ledger.balance_of(session, ledger.system_account(session, Kind.CANCELLATION_POOL)).posted


def test_a_resident_pays_a_merchant_in_credits(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = resident(session, 10), organisation(session, Kind.MERCHANT)
        pay(session, shopper, bakery, 4)
        assert ledger.statement(session, shopper).lines[0].purpose == Purpose.REDEEM
    assert (holds(town, shopper), holds(town, bakery)) == (6, 4)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.MERCHANT])
def test_credits_are_redeemed_at_merchants_only(town: Database, kind: Kind) -> None:
    with town.begin() as session:
        shopper = resident(session, 10)
        other = resident(session) if kind == Kind.PERSON else ledger.open_account(session, kind, name=fresh(kind.name))
    assert code_of(town, lambda session: pay(session, shopper, other, 1)) == "account_kind_differs"
    assert code_of(town, lambda session: settle(session, other)) == "account_kind_differs"


def test_a_payment_is_made_once_and_not_beyond_what_the_shopper_has(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = resident(session, 10), organisation(session, Kind.MERCHANT)
    reference = fresh("till")
    for _ in range(2):
        with town.begin() as session:
            pay(session, shopper, bakery, 4, reference)
    assert code_of(town, lambda session: pay(session, shopper, bakery, 5, reference)) == "reference_reused"
    assert code_of(town, lambda session: pay(session, shopper, bakery, 7)) == "not_enough"
    assert holds(town, bakery) == 4


def test_settlement_takes_all_that_the_merchant_received_to_the_pool(town: Database) -> None:
    with town.begin() as session:
        bakery = organisation(session, Kind.MERCHANT)
        for credits in (3, 4):
            pay(session, resident(session, 10), bakery, credits)
    before = pool(town)
    with town.begin() as session:
        posted = settle(session, bakery)
        assert sum(last - first + 1 for first, last in ledger.runs_of(session, posted.id)) == 7
    assert (holds(town, bakery), pool(town) - before) == (0, 7)


def test_settlement_that_is_repeated_takes_nothing_more_although_more_arrived(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = resident(session, 10), organisation(session, Kind.MERCHANT)
        pay(session, shopper, bakery, 3)
    reference = fresh("settlement")
    with town.begin() as session:
        first = settle(session, bakery, reference)
        pay(session, shopper, bakery, 5)
    with town.begin() as session:
        assert settle(session, bakery, reference) == ledger.Posted(first.id, again=True)
    assert holds(town, bakery) == 5


def test_a_merchant_without_free_credits_has_nothing_to_settle(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = resident(session, 10), organisation(session, Kind.MERCHANT)
    assert code_of(town, lambda session: settle(session, bakery)) == "nothing_to_settle"
    with town.begin() as session:
        pay(session, shopper, bakery, 3)
        promise(session, bakery, shopper, 3)
    refusal = refusal_of(town, lambda session: settle(session, bakery))
    assert (refusal.code, refusal.facts) == ("nothing_to_settle", {"merchant": bakery})


def test_what_a_merchant_promised_stays_with_it_at_settlement(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = resident(session, 10), organisation(session, Kind.MERCHANT)
        pay(session, shopper, bakery, 8)
        promise(session, bakery, shopper, 3)
        settle(session, bakery)
    assert (holds(town, bakery), free(town, bakery)) == (3, 0)


def test_a_settlement_under_a_reference_of_something_else_is_refused(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery, bookshop = resident(session, 10), organisation(session, Kind.MERCHANT), organisation(session, Kind.MERCHANT)
        for merchant in (bakery, bookshop):
            pay(session, shopper, merchant, 3)
        payment, settlement = fresh(), fresh()
        pay(session, shopper, bakery, 1, payment)
        settle(session, bookshop, settlement)
    for reference in (payment, settlement):
        assert code_of(town, lambda session, reference=reference: settle(session, bakery, reference)) == "reference_reused"
    assert holds(town, bakery) == 4


def test_before_settlement_the_merchant_may_refund_and_afterwards_nothing_comes_back(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = resident(session, 10), organisation(session, Kind.MERCHANT)
        paid = pay(session, shopper, bakery, 6)
        give(session, bakery, shopper, 2)
        settle(session, bakery)
    assert holds(town, shopper) == 6
    assert code_of(town, lambda session: ledger.reverse(session, paid.id, reference=fresh(), business_date=DAY)) == "not_enough"
