"""Accounts: who may hold credits and fen, and what closing one means (Articles 17, 18, 30)."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from carbonhui import ledger
from carbonhui.core.database import Database
from carbonhui.ledger import Kind
from tests.ledger.books import broken, code_of, fresh, give, holds, organisation, promise, refusal_of, resident


def test_a_new_account_is_open_and_empty(town: Database) -> None:
    with town.begin() as session:
        account = ledger.balance_of(session, ledger.open_account(session, Kind.PERSON))
    assert (account.kind, account.posted, account.held, account.available) == (Kind.PERSON, 0, 0, 0)
    assert (account.name, account.closed, account.asset) == (None, False, ledger.CREDIT)


def test_many_accounts_are_opened_at_once_under_different_numbers(town: Database) -> None:
    with town.begin() as session:
        opened = ledger.open_accounts(session, "person", count=50)
        assert len(set(opened)) == 50 and opened == sorted(opened)
        assert ledger.open_accounts(session, Kind.PERSON, count=0) == []


def test_a_persons_account_has_no_name(town: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="persons_accounts_are_nameless"), town.connect() as connection:
        connection.execute("INSERT INTO account (kind, asset, name) VALUES (1, 1, 'Zhang San')")


def test_an_organisations_name_is_its_own(town: Database) -> None:
    name = fresh("water_department")
    with town.begin() as session:
        water_department = ledger.open_account(session, Kind.DEPARTMENT, name=name)
        assert ledger.account_named(session, name) == water_department
    assert code_of(town, lambda session: ledger.open_account(session, Kind.DEPARTMENT, name=name)) == "account_name_taken"
    with pytest.raises(psycopg.errors.UniqueViolation), town.connect() as connection:
        connection.execute("INSERT INTO account (kind, asset, name) VALUES (3, 1, %s)", (name,))


def test_a_name_that_nobody_has_is_refused(town: Database) -> None:
    assert code_of(town, lambda session: ledger.account_named(session, "无此账户")) == "account_unknown"


@pytest.mark.parametrize("number", [0, -1, 2**63, 999_999_999])
def test_a_number_that_nobody_has_is_refused(town: Database, number: int) -> None:
    assert code_of(town, lambda session: ledger.balance_of(session, number)) == "account_unknown"
    assert code_of(town, lambda session: ledger.close_account(session, number)) == "account_unknown"
    assert code_of(town, lambda session: ledger.require_kind(session, number, Kind.PERSON)) == "account_unknown"
    assert code_of(town, lambda session: ledger.limit_holding(session, number, credits_max=5)) == "account_unknown"


def test_another_kind_of_account_is_refused(town: Database) -> None:
    with town.begin() as session:
        neighbour = resident(session)
        ledger.require_kind(session, neighbour, Kind.PERSON)
    refusal = refusal_of(town, lambda session: ledger.require_kind(session, neighbour, Kind.CHARITY))
    assert refusal.code == "account_kind_differs"
    assert refusal.facts == {"account": neighbour, "kind": "person", "wanted": "charity"}


def test_an_account_that_holds_one_credit_cannot_be_closed_and_an_empty_one_can(town: Database) -> None:
    with town.begin() as session:
        leaver, neighbour = resident(session, 1), resident(session)
    refusal = refusal_of(town, lambda session: ledger.close_account(session, leaver))
    assert refusal.code == "account_not_empty" and refusal.facts["posted"] == 1
    with town.begin() as session:
        give(session, leaver, neighbour, 1)
        ledger.close_account(session, leaver)
        assert ledger.balance_of(session, leaver).closed


def test_an_account_is_closed_once(town: Database) -> None:
    with town.begin() as session:
        leaver = resident(session)
        ledger.close_account(session, leaver)
    assert code_of(town, lambda session: ledger.close_account(session, leaver)) == "account_closed"


def test_a_closed_account_neither_gives_nor_receives(town: Database) -> None:
    with town.begin() as session:
        leaver, neighbour, merchant = resident(session), resident(session, 5), organisation(session, Kind.MERCHANT)
        ledger.close_account(session, leaver)
        ledger.close_account(session, merchant)
    for closed in (leaver, merchant):
        for work in (
            lambda session, closed=closed: give(session, closed, neighbour, 1),
            lambda session, closed=closed: give(session, neighbour, closed, 1),
            lambda session, closed=closed: promise(session, neighbour, closed, 1),
            lambda session, closed=closed: promise(session, closed, neighbour, 1),
        ):
            refusal = refusal_of(town, work)
            assert (refusal.code, refusal.facts["account"]) == ("account_closed", closed)
    assert holds(town, neighbour) == 5


def test_a_merchant_whose_receipts_are_not_folded_yet_is_not_empty(town: Database) -> None:
    with town.begin() as session:
        buyer, bakery = resident(session, 3), organisation(session, Kind.MERCHANT)
        give(session, buyer, bakery, 3)
    refusal = refusal_of(town, lambda session: ledger.close_account(session, bakery))
    assert refusal.code == "account_not_empty" and refusal.facts["posted"] == 3


def test_a_payment_under_way_is_not_lost_when_its_merchant_closes(town: Database) -> None:
    with town.begin() as session:
        buyer, bakery = resident(session, 3), organisation(session, Kind.MERCHANT)
    paying = threading.Event()
    with ThreadPoolExecutor(1) as pool, town.connect_as_owner(autocommit=True) as watcher:
        with town.begin() as session:
            give(session, buyer, bakery, 3)
            closing = pool.submit(code_of, town, lambda session: ledger.close_account(session, bakery))
            _until_somebody_waits_for(watcher, "incoming", town)
            paying.set()
        assert closing.result(120) == "account_not_empty"
    assert holds(town, bakery) == 3


def test_a_payment_that_comes_while_its_merchant_closes_is_refused(town: Database) -> None:
    with town.begin() as session:
        buyer, bakery = resident(session, 3), organisation(session, Kind.MERCHANT)
    with ThreadPoolExecutor(1) as pool, town.connect_as_owner(autocommit=True) as watcher:
        with town.begin() as session:
            ledger.close_account(session, bakery)
            paying = pool.submit(code_of, town, lambda session: give(session, buyer, bakery, 3))
            _until_somebody_waits_for(watcher, "incoming", town)
        assert paying.result(120) == "account_closed"
    assert holds(town, buyer) == 3


def _until_somebody_waits_for(watcher: psycopg.Connection, table: str, town: Database) -> None:
    ends = time.monotonic() + 50
    while time.monotonic() < ends:
        row = watcher.execute(
            """SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""", (table,)
        ).fetchone()
        if row and row[0]:
            return
    raise AssertionError(f"nobody waited for {table}")


def test_the_systems_own_account_is_opened_once_however_many_ask_first(unchecked_database: Database) -> None:
    together = threading.Barrier(8)

    def ask(_: int) -> int:
        with unchecked_database.begin() as session:
            together.wait()
            return ledger.system_account(session, Kind.CANCELLATION_POOL)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    with unchecked_database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (1,)


def test_a_person_may_hold_exactly_the_limit_and_not_one_more(town: Database) -> None:
    with town.begin() as session:
        hoarder, giver = resident(session, 7), resident(session, 10)
        ledger.limit_holding(session, hoarder, credits_max=10)
    refusal = refusal_of(town, lambda session: give(session, giver, hoarder, 4))
    assert refusal.code == "above_holding_limit"
    assert refusal.facts == {"account": hoarder, "limit": 10, "held": 7, "asked": 4}
    with town.begin() as session:
        give(session, giver, hoarder, 3)
    assert code_of(town, lambda session: give(session, giver, hoarder, 1)) == "above_holding_limit"
    assert holds(town, hoarder) == 10


def test_a_full_receiver_is_named_and_not_the_giver_whichever_account_is_older(town: Database) -> None:
    with town.begin() as session:
        giver, hoarder = resident(session, 10), resident(session)
        ledger.limit_holding(session, hoarder, credits_max=5)
    refusal = refusal_of(town, lambda session: give(session, giver, hoarder, 6))
    assert refusal.code == "above_holding_limit"
    assert refusal.facts == {"account": hoarder, "limit": 5, "held": 0, "asked": 6}


def test_a_limit_below_what_is_held_is_refused_and_one_equal_to_it_is_not(town: Database) -> None:
    with town.begin() as session:
        hoarder = resident(session, 10)
        ledger.limit_holding(session, hoarder, credits_max=10)
    refusal = refusal_of(town, lambda session: ledger.limit_holding(session, hoarder, credits_max=9))
    assert refusal.code == "above_holding_limit" and refusal.facts["limit"] == 9


def test_a_limit_that_was_lifted_limits_nothing(town: Database) -> None:
    with town.begin() as session:
        hoarder, giver = resident(session), resident(session, 10)
        ledger.limit_holding(session, hoarder, credits_max=1)
        ledger.limit_holding(session, hoarder, credits_max=None)
        give(session, giver, hoarder, 10)
    assert holds(town, hoarder) == 10


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "10"])
def test_a_limit_is_a_whole_number_of_at_least_one(town: Database, limit: object) -> None:
    with town.begin() as session:
        hoarder = resident(session)
    code = code_of(town, lambda session: ledger.limit_holding(session, hoarder, credits_max=limit))  # type: ignore[arg-type]
    assert code in ("amount_out_of_range", "amount_not_whole")


def test_a_big_receivers_limit_is_kept_or_refused_and_never_stops_the_folding(unchecked_database: Database) -> None:
    def limit(session: object) -> None:
        ledger.limit_holding(session, bakery, credits_max=10)  # type: ignore[arg-type]

    with unchecked_database.begin() as session:
        buyer, bakery = resident(session, 50), organisation(session, Kind.MERCHANT)
    if code_of(unchecked_database, limit) == "done":
        assert code_of(unchecked_database, lambda session: give(session, buyer, bakery, 11)) == "above_holding_limit"
    with unchecked_database.begin() as session:
        ledger.fold(session)
    assert broken(unchecked_database) == {}
