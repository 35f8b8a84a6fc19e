"""Each account draws its serials from a reel of its own, so that what it earns stays one run (Article 17)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from carbonhui import ledger
from carbonhui.core import embedded, migrations
from carbonhui.core.database import Database, connection_of
from tests.ledger.books import give, holds, mint_to, resident

NAME = "with_reels"


@pytest.fixture
def of_an_older_release(server: embedded.Server) -> Iterator[dict[str, Any]]:
    """A store before the step that put the reel's number into the balance row."""
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
        parameters = server.parameters(NAME)
        with psycopg.connect(**parameters) as older:
            for step in sorted(migrations.STEPS.glob("[0-9]*.sql")):
                if step.stem < "0011":
                    older.execute(step.read_text(encoding="utf-8"))
        yield parameters
        connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


_EARN = "SELECT ledger_issue(1, 1, 2026, 100000, '2026-11-20', %s::bigint[], %s::bigint[])"


def test_reels_that_an_older_release_began_are_gone_on_with(of_an_older_release: dict[str, Any]) -> None:
    with psycopg.connect(**of_an_older_release) as connection:
        connection.execute("INSERT INTO account (id, kind, asset) SELECT i, 1, 1 FROM generate_series(11, 14) i")
        connection.execute(
            "INSERT INTO balance (account_id, asset, sends, receives, deferred, is_source)"
            " SELECT i, 1, true, true, false, false FROM generate_series(11, 14) i"
        )
        connection.execute(_EARN, ([11, 12, 13], [30, 100, 250]))
        connection.execute((migrations.STEPS / "0011_minting.sql").read_text(encoding="utf-8"))
        connection.execute(_EARN, ([11, 12, 13, 14], [70, 1, 50, 1]))
        found = connection.execute("SELECT account_id, first, last FROM block ORDER BY account_id, first").fetchall()
    runs = {account: [(first, last) for who, first, last in found if who == account] for account in (11, 12, 13, 14)}
    assert [len(runs[account]) for account in (11, 13, 14)] == [1, 1, 1]
    assert [last - first + 1 for first, last in runs[11] + runs[13] + runs[14]] == [100, 300, 1]
    assert sum(last - first + 1 for first, last in runs[12]) == 101


@settings(max_examples=25)
@for_all(earned=st.lists(st.tuples(st.sampled_from([1, 3, 50, 99, 100, 101, 250]), st.sampled_from([2025, 2026]), st.booleans()), min_size=1, max_size=6))
def test_whatever_is_earned_goes_on_in_the_reel_or_begins_a_new_one(town: Database, earned: list[tuple[int, int, bool]]) -> None:
    with town.begin() as session:
        rider, friend = resident(session), resident(session)
        given, last_of = 0, 0
        for credits, vintage, spends in earned:
            mint_to(session, rider, credits, vintage=vintage)
            runs = connection_of(session).execute(
                "SELECT first, last FROM issue WHERE account_id = %s ORDER BY transfer_id DESC, first LIMIT 1", (rider,)
            ).fetchall()
            assert all(first % 100 == 0 or first == last_of + 1 for first, _ in runs)
            newest = connection_of(session).execute(
                "SELECT max(last) FROM issue WHERE transfer_id = (SELECT max(transfer_id) FROM issue WHERE account_id = %s)", (rider,)
            ).fetchone()
            assert newest is not None
            last_of = newest[0]
            if spends:
                give(session, rider, friend, 1)
                given += 1
    assert holds(town, rider) == sum(credits for credits, _, _ in earned) - given


def test_a_hundred_credits_in_many_pieces_are_one_run(town: Database) -> None:
    with town.begin() as session:
        rider = resident(session)
        for credits in (1, 2, 30, 60, 7):
            mint_to(session, rider, credits)
        [(first, last)] = ledger.blocks_of(session, rider)
    assert (last - first + 1, first % 100) == (100, 0)


def test_a_reel_of_another_vintage_is_not_gone_on_with(town: Database) -> None:
    with town.begin() as session:
        rider = resident(session)
        mint_to(session, rider, 10, vintage=2025)
        mint_to(session, rider, 10, vintage=2026)
        runs = ledger.blocks_of(session, rider)
    assert [(ledger.vintage_of(first), last - first + 1) for first, last in runs] == [(2025, 10), (2026, 10)]


def test_nothing_is_issued_to_anybody_when_one_is_full(town: Database) -> None:
    with town.begin() as session:
        full, other = resident(session), resident(session)
        ledger.limit_holding(session, full, credits_max=3)
    with pytest.raises(psycopg.Error, match="only 1 of 2 accounts can receive"), town.begin() as session:
        ledger.issue(
            session, mint_id=1, vintage=2026, mg_per_credit=100_000, business_date=date(2026, 6, 1),
            accounts=[full, other], credits=[4, 4],
        )
    assert (holds(town, full), holds(town, other)) == (0, 0)
