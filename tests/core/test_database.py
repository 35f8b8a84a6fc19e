"""One transaction: committed or undone, tried again after a deadlock, and given up after ten times (design section 4)."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core import database as module
from carbonhui.core.database import (
    BeginAgain,
    Database,
    DatabaseBusy,
    DatabaseUnreachable,
    connection_of,
    is_retried,
    open_database,
)
from carbonhui.core.settings import Settings
from carbonhui.ledger import Kind
from tests.ledger.books import give, resident, town

__all__ = ["town"]


@pytest.fixture
def database(town: Database) -> Database:
    """One store for all tests of the file: each looks at its own rows."""
    return town


def kept(database: Database, accounts: list[int]) -> list[int]:
    """Which of these accounts are in the books."""
    with database.connect() as connection:
        return [row[0] for row in connection.execute("SELECT id FROM account WHERE id = ANY (%s) ORDER BY id", (accounts,))]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The wait between two attempts is drawn at random; here it is always nought."""
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 0)
    yield


def raised(session: Session, state: str) -> None:
    connection_of(session).execute(f"DO $$ BEGIN RAISE EXCEPTION 'by hand' USING ERRCODE = '{state}'; END $$")


def test_what_a_block_did_is_there_when_it_returns_and_gone_when_it_raises(database: Database) -> None:
    with database.begin() as session:
        there = ledger.open_account(session, Kind.PERSON)
    with pytest.raises(ZeroDivisionError), database.begin() as session:
        lost = ledger.open_account(session, Kind.PERSON)
        raise ZeroDivisionError
    assert kept(database, [there, lost]) == [there]


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_deadlock_or_serialization_failure_is_tried_again(database: Database, state: str) -> None:
    attempts = []

    def work(session: Session) -> int:
        attempts.append(ledger.open_account(session, Kind.PERSON))
        if len(attempts) < 3:
            raised(session, state)
        return attempts[-1]

    done = database.run(work)
    assert len(attempts) == 3
    assert kept(database, attempts) == [done]


def test_an_error_that_sqlalchemy_wrapped_is_tried_again_too(database: Database) -> None:
    attempts = []

    def work(session: Session) -> str:
        attempts.append(1)
        if len(attempts) == 1:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$"))
        return "done"

    assert database.run(work) == "done" and len(attempts) == 2


def test_begin_again_runs_the_work_once_more(database: Database) -> None:
    attempts = []

    def work(session: Session) -> str:
        attempts.append(session)
        if len(attempts) < module.ATTEMPTS:
            raise BeginAgain
        return "done"

    assert database.run(work) == "done"
    assert len(attempts) == 10 and len({id(session) for session in attempts}) == 10


@pytest.mark.parametrize("state", ["40001", None])
def test_after_ten_attempts_the_database_is_busy_and_nothing_was_done(database: Database, state: str | None) -> None:
    attempts = []

    def work(session: Session) -> None:
        attempts.append(ledger.open_account(session, Kind.PERSON))
        if state is None:
            raise BeginAgain
        raised(session, state)

    with pytest.raises(DatabaseBusy) as refused:
        database.run(work)
    assert (refused.value.code, refused.value.facts, len(attempts)) == ("database_busy", {"attempts": 10}, 10)
    assert kept(database, attempts) == []


@pytest.mark.parametrize("state", ["23505", "23514", "55P03", "57014", "CH002", "CH003", "22003"])
def test_any_other_error_is_passed_on_at_once(database: Database, state: str) -> None:
    attempts = []

    def work(session: Session) -> None:
        attempts.append(1)
        raised(session, state)

    with pytest.raises(psycopg.Error) as passed:
        database.run(work)
    assert passed.value.sqlstate == state and attempts == [1]
    assert not is_retried(passed.value)


def test_a_verb_of_one_statement_is_committed_when_it_returns_and_undone_when_it_is_refused(database: Database) -> None:
    opened = database.run_one(lambda session: ledger.open_account(session, Kind.PERSON))
    assert kept(database, [opened]) == [opened]
    for _ in range(20):
        with pytest.raises(ledger.NotEnough):
            database.run_one(lambda session: give(session, opened, resident(session), 1, "one-statement"))
    with database.begin() as session:
        assert ledger.transfer_under(session, "one-statement") is None


def test_a_verb_of_one_statement_is_tried_again_too_and_leaves_no_connection_behind(database: Database) -> None:
    attempts = []

    def work(session: Session) -> str:
        attempts.append(1)
        if len(attempts) % 3:
            raised(session, "40001")
        return "done"

    for _ in range(database.settings.pool_size + 2):
        assert database.run_one(work) == "done"
    with pytest.raises(psycopg.Error):
        database.run_one(lambda session: raised(session, "23505"))
    assert len(attempts) == 3 * (database.settings.pool_size + 2)


def test_a_snapshot_sees_one_instant_and_writes_nothing(database: Database) -> None:
    with database.snapshot() as snapshot:
        before = snapshot.execute(text("SELECT count(*) FROM account")).scalar_one()
        with database.begin() as session:
            ledger.open_account(session, Kind.PERSON)
        assert snapshot.execute(text("SELECT count(*) FROM account")).scalar_one() == before
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            ledger.open_account(snapshot, Kind.PERSON)


def test_a_refusal_is_passed_on_at_once(database: Database) -> None:
    attempts = []

    def work(session: Session) -> None:
        attempts.append(1)
        ledger.balance_of(session, 999_999_999)

    with pytest.raises(ledger.AccountUnknown):
        database.run(work)
    assert attempts == [1]


def test_a_real_deadlock_ends_with_both_done(database: Database) -> None:
    with database.begin() as session:
        first, second = ledger.open_accounts(session, Kind.PERSON, count=2)
    together = threading.Barrier(2)
    attempts = []

    def lock(order: tuple[int, int]) -> None:
        def work(session: Session) -> None:
            attempts.append(order)
            for number, account in enumerate(order):
                session.execute(text("SELECT 1 FROM balance WHERE account_id = :a FOR UPDATE"), {"a": account})
                if number == 0 and len(attempts) <= 2:
                    together.wait(120)

        database.run(work)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(lock, order) for order in ((first, second), (second, first))]:
            done.result(120)
    assert len(attempts) >= 3, "one gave way at least once; who is quick may meet the other again"


def test_the_application_works_under_its_own_role_with_its_own_limits(database: Database) -> None:
    with database.begin() as session:
        row = session.execute(text(
            "SELECT current_user, current_setting('statement_timeout'), current_setting('lock_timeout'), "
            "current_setting('idle_in_transaction_session_timeout')"
        )).one()  # fmt: skip
    assert tuple(row) == (module.APP_ROLE, "1min", "10s", "1min")
    with database.connect() as connection, database.connect_as_owner() as owner:
        assert connection.execute("SELECT current_user").fetchone() == (module.APP_ROLE,)
        assert owner.execute("SELECT current_user").fetchone() != (module.APP_ROLE,)


def test_a_statement_that_takes_longer_than_its_limit_is_ended(database: Database) -> None:
    hasty = Database(
        parameters=database.parameters, settings=replace(database.settings, statement_timeout_ms=100), server=None
    )
    with hasty, pytest.raises(DBAPIError, match="statement timeout"), hasty.begin() as session:
        session.execute(text("SELECT pg_sleep(20)"))


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("postgresql://books:hunter2@127.0.0.1:1/x", "hunter2"),
        ("postgresql://books:hunter2@nowhere.invalid/x", "hunter2"),
        ("postgresql://books:hun/ter2@127.0.0.1:1/x", "hun"),
        ("postgresql://books:hunter2@127.0.0.1:port/x", "hunter2"),
        pytest.param("postgresql://books@127.0.0.1:1/x?password=hunter2&nonsense=1", "hunter2"),
        pytest.param("postgresql://books:hunter%zz2@127.0.0.1:1/x", "hunter"),
    ],
)
def test_a_database_that_does_not_answer_is_named_without_its_password(
    settings: Settings, tmp_path: Path, url: str, secret: str
) -> None:
    with pytest.raises(DatabaseUnreachable) as refused:
        open_database(replace(settings, database_url=url))
    assert refused.value.code == "database_unreachable" and refused.value.facts["reason"]
    assert secret not in str(refused.value)


def test_a_transaction_begins_on_a_living_connection_although_the_pools_were_ended(database: Database) -> None:
    for _ in range(2):
        assert database.run(lambda session: session.scalar(text("SELECT 1"))) == 1
        with database.connect_as_owner(autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid, 120000) FROM pg_stat_activity"
                " WHERE application_name = 'carbonhui' AND datname = current_database()"
            )
