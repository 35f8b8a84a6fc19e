"""The check of settlements names the row, whatever was done to the books by hand (Articles 20, 36)."""

from dataclasses import replace

import psycopg
import pytest

from carbonhui import ledger, merchants
from carbonhui.core.database import Database
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import breaking, holds, organisation, promise
from tests.merchants.settling import TOMORROW, bakery_of, buy, moved, settled, through, wrong


@pytest.fixture
def bakery(unchecked_database: Database) -> int:
    """A bakery with two settlements, the first of which carried something, and a payment that waits."""
    with unchecked_database.begin() as session:
        bakery, shopper = bakery_of(session, 30, 4)
        promise(session, bakery, shopper, 3)
    settled(unchecked_database, bakery)
    with unchecked_database.begin() as session:
        buy(session, shopper, bakery, 5)
    settled(unchecked_database, bakery)
    with unchecked_database.begin() as session:
        buy(session, shopper, bakery, 6)
    assert wrong(unchecked_database) == []
    return bakery


_FIRST = "(SELECT min(id) FROM settlement)"
_TRANSFER, _HOLDS = "differs from its transfer", "merchant holds what neither waits nor was carried"


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        (f"UPDATE settlement SET received = received + 1, carried = carried + 1 WHERE id = {_FIRST}", "differs from what it lists"),
        (f"UPDATE settlement SET given = 1, carried = carried - 1 WHERE id = {_FIRST}", "differs from what it lists"),
        (f"DELETE FROM settlement_item WHERE settlement_id = {_FIRST}", "differs from what it lists"),
        ("UPDATE settlement SET items = items + 1", "differs from what it lists"),
        ("INSERT INTO settlement_item SELECT id, debit, 1 FROM transfer WHERE purpose = 1", "lists what is not its merchant's"),
        ("UPDATE settlement_item SET merchant = merchant + 1", "lists what is not its merchant's"),
        ("INSERT INTO settlement_item SELECT id, debit, 1 FROM transfer WHERE purpose = 5", "lists what is not its merchant's"),
        ("DELETE FROM settlement", "lists what is not its merchant's"),
        ("UPDATE settlement SET credits = credits - 1, carried = carried + 1", _TRANSFER),
        (f"UPDATE settlement SET transfer_id = NULL, credits = 0, carried = carried + credits WHERE id = {_FIRST}", _TRANSFER),
        ("DELETE FROM transfer WHERE purpose = 5", _TRANSFER),
        ("UPDATE transfer SET amount = amount - 1 WHERE purpose = 5", _TRANSFER),
        ("UPDATE transfer SET credit = 1 WHERE purpose = 5", _TRANSFER),
        ("UPDATE settlement SET brought = 0, carried = carried - 3 WHERE number = 2", "does not bring forward what was carried"),
        ("UPDATE settlement SET number = 3 WHERE number = 2", "does not bring forward what was carried"),
        ("UPDATE balance SET posted = posted + 1 WHERE account_id = (SELECT min(merchant) FROM settlement)", _HOLDS),
        ("INSERT INTO incoming SELECT min(merchant), 2 FROM settlement", _HOLDS),
        ("DELETE FROM transfer WHERE purpose = 3 AND amount = 6", _HOLDS),
    ],
)  # fmt: skip
def test_what_was_done_by_hand_is_named(unchecked_database: Database, bakery: int, by_hand: str, told: str) -> None:
    with breaking(unchecked_database) as owner:
        owner.execute(by_hand.encode())
    assert told in {row["what"] for row in wrong(unchecked_database)}


def test_a_settlement_past_the_list_is_named_and_stops_the_next(unchecked_database: Database, bakery: int) -> None:
    with unchecked_database.begin() as session:
        pool = ledger.system_account(session, Kind.CANCELLATION_POOL)
        moved(session, Purpose.SETTLE, bakery, pool, 2)
    assert {row["what"] for row in wrong(unchecked_database)} == {
        _TRANSFER, _HOLDS
    }  # fmt: skip
    with pytest.raises(AssertionError, match="wait to be settled"), unchecked_database.begin() as session:
        through(session, bakery)


def test_broken_books_of_one_merchant_hold_up_no_other_and_are_told_by_the_job(unchecked_database: Database, bakery: int) -> None:
    with unchecked_database.begin() as session:
        moved(session, Purpose.SETTLE, bakery, ledger.system_account(session, Kind.CANCELLATION_POOL), 2)
        mill, _ = bakery_of(session, 7)
    assert mill > bakery
    with pytest.raises(AssertionError, match=f"merchant {bakery} holds"):
        merchants.settle_day(unchecked_database, on=TOMORROW)
    assert (holds(unchecked_database, bakery), holds(unchecked_database, mill)) == (7, 0)


def test_an_account_that_somebody_keeps_locked_holds_up_no_other(unchecked_database: Database, bakery: int) -> None:
    with unchecked_database.begin() as session:
        mill, _ = bakery_of(session, 7)
    impatient = Database(
        parameters=unchecked_database.parameters, settings=replace(unchecked_database.settings, lock_timeout_ms=100), server=None
    )
    with unchecked_database.begin() as busy:
        ledger.lock_accounts(busy, bakery)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            merchants.settle_day(impatient, on=TOMORROW)
    impatient.close()
    assert (holds(unchecked_database, bakery), holds(unchecked_database, mill)) == (9, 0)


@pytest.mark.parametrize("statement", ["UPDATE settlement SET number = 9", "DELETE FROM settlement_item", "TRUNCATE settlement"])
def test_the_store_itself_lets_nobody_rewrite_a_settlement(unchecked_database: Database, bakery: int, statement: str) -> None:
    with unchecked_database.connect_as_owner() as owner, pytest.raises(Exception, match="never changed or removed"):
        owner.execute(statement.encode())


def test_a_merchant_without_settlements_holds_what_waits(unchecked_database: Database) -> None:
    with unchecked_database.begin() as session:
        bakery, _ = bakery_of(session, 3)
        organisation(session, Kind.MERCHANT)
    assert wrong(unchecked_database) == []
    with breaking(unchecked_database) as owner:
        owner.execute("UPDATE transfer SET amount = 4 WHERE purpose = 3")
    assert [(row["merchant"], row["told"], row["found"]) for row in wrong(unchecked_database)] == [(bakery, 3, 4)]
    assert merchants.CHECKS[0].name == "I15"
