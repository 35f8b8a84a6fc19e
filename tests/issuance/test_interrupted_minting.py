"""A mint that is cut off anywhere, or meets another, mints each reduction once (Article 17)."""

import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from carbonhui import issuance, ledger, policy
from carbonhui.core.database import Database, connection_of
from tests.issuance.riders import JUNE, TODAY, Killed, carried, commuter, measured, mint, unminted
from tests.ledger.books import broken, give, holds, put_in_force

_MINTS = """
import sys
from tests.issuance.riders import mint
from tests.ledger.writers import opened
from carbonhui import issuance
issuance.mint_next.__kwdefaults__["rows"] = 2
with opened({parameters!r}, pool_size=3) as database:
    mint(database, progress=lambda persons: print(persons, flush=True))
"""


def waiting(watch: psycopg.Connection[object], work: Future[Any], *, most: int = 1) -> list[int]:
    """The processes that stand before a locked row, once there are so many, or the work has ended without."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while len(found := watch.execute(query).fetchall()) < most and not work.done():
        time.sleep(0.002)
    return [pid for (pid,) in found]  # type: ignore[misc]


def test_a_mint_whose_connections_are_cut_within_their_steps_leaves_nothing_half_done(alone: Database) -> None:
    riders = [commuter(alone, 60_000, 90_000) for _ in range(6)]
    with alone.connect_as_owner() as held, alone.connect_as_owner(autocommit=True) as watch, ThreadPoolExecutor(1) as pool:
        held.execute("SELECT FROM balance WHERE account_id = ANY (%s) FOR UPDATE", ([riders[2], riders[-1]],))
        minting = pool.submit(mint, alone)
        cut = waiting(watch, minting, most=2)
        for pid in cut:
            watch.execute("SELECT pg_terminate_backend(%s)", (pid,))
        with pytest.raises((psycopg.OperationalError, DBAPIError)):
            minting.result()
        held.rollback()
    assert len(cut) == 2
    assert (unminted(alone), broken(alone)) == (12, {})
    assert mint(alone).credits == 6
    assert [(holds(alone, rider), carried(alone, rider)) for rider in riders] == [(1, 50_000)] * 6


def test_a_process_that_is_killed_while_it_mints_is_started_again(alone: Database) -> None:
    riders = [commuter(alone, 60_000, 90_000, day=date(2025 + n % 2, 5, 5)) for n in range(40)]
    script = _MINTS.format(parameters=alone.parameters)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(3):
            assert child.stdout.readline() == "1\n"
        child.kill()
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            assert mint(alone).reductions < 80
            break
        except issuance.MintRunning:  # the server has not yet noticed that the other end is dead
            time.sleep(0.05)
    assert unminted(alone) == 0
    assert [(holds(alone, rider), carried(alone, rider)) for rider in riders] == [(1, 50_000)] * 40


def test_steps_that_meet_in_the_same_accounts_mint_each_reduction_once(alone: Database) -> None:
    riders = [commuter(alone, 60_000, 90_000) for _ in range(30)]
    with alone.begin() as session:
        (part,) = issuance.parts_through(session, TODAY)
    together = threading.Barrier(3)

    def step(_: int) -> int:
        together.wait()
        words = {"mint": 1, "business_date": TODAY, "after": 0, "upto": 2**62}
        done = alone.run(lambda session: issuance.mint_next(session, part, **words))
        return done.reductions if done is not None else 0

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(step, range(3))) == 60
    assert [(holds(alone, rider), carried(alone, rider)) for rider in riders] == [(1, 50_000)] * 30


def test_a_step_that_waited_for_another_uses_the_carry_that_the_other_left(alone: Database) -> None:
    rider = commuter(alone, 70_000)
    with alone.begin() as session:
        (part,) = issuance.parts_through(session, TODAY)
        ledger.system_account(session, ledger.Kind.ISSUANCE)
    words = {"mint": 1, "business_date": TODAY, "after": 0, "upto": 2**62}
    with alone.connect_as_owner(autocommit=True) as watch, ThreadPoolExecutor(1) as pool:
        with alone.begin() as session:
            assert issuance.mint_next(session, part, **words) is not None
            measured(alone, rider, 70_000)
            second = pool.submit(alone.run, lambda late: issuance.mint_next(late, part, **words))
            assert waiting(watch, second)
        done = second.result()
    assert done is not None and (done.reductions, done.credits) == (1, 1)
    assert (holds(alone, rider), carried(alone, rider)) == (1, 40_000)


def test_what_is_issued_at_most_is_told_for_each_account(alone: Database) -> None:
    full, closed, plain = (commuter(alone) for _ in range(3))
    with alone.begin() as session:
        ledger.limit_holding(session, full, credits_max=3)
        ledger.close_account(session, closed)
    measured(alone, full, 500_000)
    measured(alone, closed, 500_000)
    measured(alone, plain, 500_000)
    assert mint(alone).credits == 8
    assert [holds(alone, account) for account in (full, closed, plain)] == [3, 0, 5]
    assert [carried(alone, account) for account in (full, closed, plain)] == [200_000, 500_000, 0]


def test_nothing_is_issued_to_a_balance_that_changed_because_nobody_locked_it(alone: Database) -> None:
    rider = commuter(alone)
    with alone.begin() as session:
        source = ledger.system_account(session, ledger.Kind.ISSUANCE)
    unlocked = "SELECT ledger_issue_at_most(1, %s, 2026, 100000, %s, ARRAY[%s]::bigint[], ARRAY[5]::bigint[])"

    def issue() -> None:
        with alone.connect() as connection:
            connection.execute(unlocked, (source, JUNE, rider))

    with alone.connect_as_owner(autocommit=True) as watch, ThreadPoolExecutor(1) as pool:
        with alone.connect_as_owner() as other:
            other.execute("UPDATE balance SET holding_max = 4 WHERE account_id = %s", (rider,))
            late = pool.submit(issue)
            assert waiting(watch, late)
        with pytest.raises(psycopg.Error, match="only 0 of 1 balances were locked"):
            late.result()
    assert holds(alone, rider) == 0


def test_a_person_earns_in_two_years_at_two_ratios_in_one_mint(alone: Database) -> None:
    with alone.begin() as session:
        put_in_force(session, policy.EXCHANGE_RATIO, 50_000, date(2026, 1, 1))
    rider = commuter(alone, 15_000_000, day=date(2025, 12, 31))
    measured(alone, rider, 6_030_000, day=JUNE)
    mint(alone)
    measured(alone, rider, 20_000, day=JUNE)
    mint(alone)
    assert (holds(alone, rider), carried(alone, rider)) == (150 + 121, 0)
    with alone.begin() as session:
        rows = connection_of(session).execute("SELECT last - first + 1 FROM block WHERE account_id = %s ORDER BY first", (rider,)).fetchall()
    assert [length for (length,) in rows] == [150, 121]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_mint_that_died_between_two_steps_goes_on_where_it_was(
    alone: Database, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    # One person's reductions in each step instead of ten thousand persons'.
    monkeypatch.setattr(issuance.mint_next, "__kwdefaults__", issuance.mint_next.__kwdefaults__ | {"rows": 2})
    riders = [commuter(alone, 60_000, 90_000, day=date(2025 + n % 2, 5, 5)) for n in range(10)]
    seen = []

    def die(persons: int) -> None:
        seen.append(persons)
        if len(seen) == after:
            raise Killed

    with pytest.raises(Killed):
        mint(alone, workers=1, progress=die)
    assert 0 < unminted(alone) < 20
    assert broken(alone) == {}
    report = mint(alone)
    assert unminted(alone) == 0 and report.reductions < 20
    assert [(holds(alone, rider), carried(alone, rider)) for rider in riders] == [(1, 50_000)] * 10
    with alone.begin() as session:
        assert connection_of(session).execute("SELECT count(*), count(finished_at) FROM mint").fetchone() == (1, 1)


def test_a_failed_mint_does_not_stand_in_the_way_of_the_next(database: Database) -> None:
    rider = commuter(database, 100_000)

    def die(_: int) -> None:
        raise Killed

    for _ in range(2):
        measured(database, rider, 100_000)
        with pytest.raises(Killed):
            mint(database, progress=die)
    mint(database)
    assert holds(database, rider) == 3


def test_two_mints_do_not_run_at_once(database: Database) -> None:
    rider = commuter(database, 500_000)
    inside, go_on = threading.Event(), threading.Event()

    def wait(_: int) -> None:
        inside.set()
        assert go_on.wait(120)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(mint, database, progress=wait)
        assert inside.wait(120)
        try:
            with pytest.raises(issuance.MintRunning):
                mint(database)
        finally:
            go_on.set()
        assert first.result().credits == 5
    assert mint(database).credits == 0
    assert holds(database, rider) == 5


def test_people_pay_while_a_mint_runs(database: Database) -> None:
    riders = [commuter(database, 300_000, 300_000) for _ in range(30)]
    mint(database)
    for rider in riders:
        measured(database, rider, 400_000)

    def pay(number: int) -> None:
        database.run(lambda session: give(session, riders[number % 30], riders[(number + 1) % 30], 1))

    with ThreadPoolExecutor(4) as pool:
        paying = [pool.submit(pay, number) for number in range(120)]
        report = mint(database)
        for payment in paying:
            payment.result()
    assert report.credits == 120
    assert sum(holds(database, rider) for rider in riders) == 300
