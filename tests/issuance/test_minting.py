"""Reductions become individually coded credits, exactly once and to the milligram (Article 17)."""

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from carbonhui import issuance, ledger, policy
from carbonhui.core.database import Database, connection_of
from carbonhui.ledger import Kind
from tests.issuance.riders import JUNE, TODAY, Killed, carried, commuter, measured, mint, unminted
from tests.ledger.books import broken, fresh, give, holds, put_in_force, resident


def vintages(database: Database, account: int) -> dict[int, int]:
    found: dict[int, int] = {}
    with database.begin() as session:
        for first, last in ledger.blocks_of(session, account):
            found[ledger.vintage_of(first)] = found.get(ledger.vintage_of(first), 0) + last - first + 1
    return found


@pytest.mark.parametrize(
    ("mg", "credits", "carry"),
    [((99_999,), 0, 99_999), ((100_000,), 1, 0), ((100_001,), 1, 1), ((199_999,), 1, 99_999), ((60_000, 60_000), 1, 20_000),
     ((1,), 0, 1), ((123_456_789,), 1234, 56_789), ((100_000_000_000,), 1_000_000, 0)],
)  # fmt: skip
def test_whole_credits_are_made_and_the_rest_is_carried(database: Database, mg: tuple[int, ...], credits: int, carry: int) -> None:
    rider = commuter(database, *mg)
    report = mint(database)
    assert (report.persons, report.reductions, report.reduced_mg, report.credits) == (1, len(mg), sum(mg), credits)
    assert (holds(database, rider), carried(database, rider)) == (credits, carry)
    assert carried(database, 999_999_999) == 0


def test_what_was_carried_counts_in_the_next_mint(database: Database) -> None:
    rider = commuter(database, 70_000)
    assert mint(database).credits == 0
    measured(database, rider, 70_000)
    assert mint(database).credits == 1
    assert (holds(database, rider), carried(database, rider)) == (1, 40_000)


def test_each_reduction_is_minted_exactly_once(database: Database) -> None:
    rider = commuter(database, 250_000)
    first, second = mint(database), mint(database)
    assert (first.credits, second.credits, second.reductions) == (2, 0, 0)
    assert second.mint != first.mint
    assert (holds(database, rider), carried(database, rider)) == (2, 50_000)


def test_nothing_to_mint_is_minted_without_complaint(database: Database) -> None:
    report = mint(database)
    assert (report.persons, report.reductions, report.credits) == (0, 0, 0)


def test_late_reductions_of_a_day_that_was_minted_are_minted_by_the_next(database: Database) -> None:
    rider = commuter(database, 100_000, day=JUNE)
    mint(database, JUNE)
    measured(database, rider, 100_000, day=JUNE - timedelta(days=30))
    assert mint(database, JUNE).credits == 1
    assert holds(database, rider) == 2


def test_only_reductions_through_the_day_are_minted(database: Database) -> None:
    rider = commuter(database, 100_000, day=JUNE)
    measured(database, rider, 500_000, day=JUNE + timedelta(days=1))
    assert mint(database, JUNE - timedelta(days=1)).credits == 0
    assert mint(database, JUNE).credits == 1
    assert unminted(database) == 1
    assert mint(database, JUNE + timedelta(days=1)).credits == 5


def test_a_credits_vintage_is_the_year_of_its_reduction(database: Database) -> None:
    rider = commuter(database, 200_000, day=date(2025, 12, 31))
    measured(database, rider, 300_000, day=date(2026, 1, 1))
    assert mint(database).credits == 5
    assert vintages(database, rider) == {2025: 2, 2026: 3}


def test_carry_of_the_old_year_fills_a_credit_of_the_new(database: Database) -> None:
    rider = commuter(database, 60_000, day=date(2025, 12, 31))
    measured(database, rider, 60_000, day=date(2026, 1, 1))
    mint(database)
    assert (vintages(database, rider), carried(database, rider)) == ({2026: 1}, 20_000)


def test_each_day_is_minted_at_its_own_ratio_although_it_changed_within_one_mint(alone: Database) -> None:
    with alone.begin() as session:
        put_in_force(session, policy.EXCHANGE_RATIO, 50_000, JUNE)
    rider = commuter(alone, 110_000, day=JUNE - timedelta(days=1))
    measured(alone, rider, 110_000, day=JUNE)
    report = mint(alone)
    # 110 g at 100 g a credit is one and 10 g over; 120 g at 50 g a credit is two and 20 g over.
    assert (report.credits, report.persons, holds(alone, rider), carried(alone, rider)) == (3, 2, 3, 20_000)
    with alone.begin() as session:
        assert issuance.parts_through(session, TODAY) == []
        rows = connection_of(session).execute("SELECT mg_per_credit, sum(last - first + 1) FROM issue GROUP BY 1 ORDER BY 1").fetchall()
    assert [(int(ratio), int(made)) for ratio, made in rows] == [(50_000, 2), (100_000, 1)]


def test_the_parts_of_a_mint_are_a_vintage_at_a_ratio_each(alone: Database) -> None:
    with alone.begin() as session:
        put_in_force(session, policy.EXCHANGE_RATIO, 50_000, JUNE)
    commuter(alone, 1, day=date(2024, 3, 1))
    commuter(alone, 1, day=date(2026, 8, 1))
    with alone.begin() as session:
        parts = issuance.parts_through(session, date(2026, 12, 31))
    assert parts == [
        issuance.Part(2024, 100_000, date(2024, 3, 1), date(2024, 12, 31)),
        issuance.Part(2025, 100_000, date(2025, 1, 1), date(2025, 12, 31)),
        issuance.Part(2026, 100_000, date(2026, 1, 1), JUNE - timedelta(days=1)),
        issuance.Part(2026, 50_000, JUNE, date(2026, 8, 1)),
    ]


def test_a_ratio_that_changed_since_the_mint_began_is_never_used(alone: Database) -> None:
    rider = commuter(alone, 110_000, day=JUNE)
    with alone.begin() as session:
        (part,) = issuance.parts_through(session, TODAY)
        put_in_force(session, policy.EXCHANGE_RATIO, 50_000, JUNE)
    words = {"mint": 1, "business_date": TODAY, "after": 0, "upto": 2**62}
    with pytest.raises(issuance.RatioChanged), alone.begin() as session:
        issuance.mint_next(session, part, **words)
    assert holds(alone, rider) == 0
    assert mint(alone).credits == 2


def test_a_day_without_a_ratio_is_refused_and_nothing_is_minted(alone: Database) -> None:
    rider = commuter(alone, 500_000, day=date(2019, 12, 31))
    measured(alone, rider, 500_000)
    with pytest.raises(policy.NotInForce):
        mint(alone)
    assert (holds(alone, rider), unminted(alone)) == (0, 2)
    with pytest.raises(policy.NotInForce):
        mint(alone)


def test_a_person_whose_account_is_closed_keeps_everything_as_carry(database: Database) -> None:
    rider = commuter(database, 250_000)
    with database.begin() as session:
        ledger.close_account(session, rider)
    report = mint(database)
    assert (report.credits, report.reduced_mg, holds(database, rider), carried(database, rider)) == (0, 250_000, 0, 250_000)


def test_a_person_at_the_holding_limit_keeps_the_rest_as_carry_until_there_is_room(database: Database) -> None:
    rider = commuter(database, 555_000)
    with database.begin() as session:
        neighbour = resident(session)
        ledger.limit_holding(session, rider, credits_max=3)
    assert mint(database).credits == 3
    assert (holds(database, rider), carried(database, rider)) == (3, 255_000)
    measured(database, rider, 1)
    assert mint(database).credits == 0
    with database.begin() as session:
        give(session, rider, neighbour, 3)
    measured(database, rider, 1)
    assert mint(database).credits == 2
    assert (holds(database, rider), carried(database, rider)) == (2, 55_002)


def test_what_one_person_earns_over_many_mints_is_one_run(database: Database) -> None:
    riders = [commuter(database) for _ in range(3)]
    for days in range(9):
        for rider in riders:
            measured(database, rider, 730_000, day=JUNE + timedelta(days=days))
        mint(database)
    with database.begin() as session:
        runs = [ledger.blocks_of(session, rider) for rider in riders]
    assert [len(each) for each in runs] == [1, 1, 1] and all(last - first + 1 == 65 for [(first, last)] in runs)


def test_more_than_ten_thousand_credits_at_once_are_several_runs(database: Database) -> None:
    rider = commuter(database, 25_000 * 100_000)
    mint(database)
    with database.begin() as session:
        runs = ledger.blocks_of(session, rider)
    assert sum(last - first + 1 for first, last in runs) == 25_000
    assert len(runs) < 10 and all(last - first + 1 <= 10_000 for first, last in runs)


def test_a_credit_tells_who_was_issued_it_out_of_which_mint_at_which_ratio(alone: Database) -> None:
    rider = commuter(alone, 250_000)
    report = mint(alone)
    with alone.begin() as session:
        [(first, last)] = ledger.blocks_of(session, rider)
        row = connection_of(session).execute("SELECT * FROM issue").fetchone()
        [event] = ledger.history_of(session, first)
        minted = connection_of(session).execute("SELECT DISTINCT mint_id FROM reduction").fetchall()
    assert row == (first, last, rider, event.transfer, report.mint, 100_000)
    assert minted == [(report.mint,)]
    assert (event.purpose, event.target, event.business_date) == (ledger.Purpose.MINT, rider, TODAY)


@settings(max_examples=15)
@for_all(
    amounts=st.lists(st.lists(st.integers(1, 350_000), max_size=4), min_size=1, max_size=6),
    days=st.lists(st.integers(-200, 200), min_size=1, max_size=4), workers=st.integers(1, 3),
)  # fmt: skip
def test_for_every_person_the_reductions_are_the_credits_and_the_carry(
    town_with_ratio: Database, amounts: list[list[int]], days: list[int], workers: int
) -> None:
    riders = {commuter(town_with_ratio): each for each in amounts}
    for rider, each in riders.items():
        for number, mg in enumerate(each):
            measured(town_with_ratio, rider, mg, day=JUNE + timedelta(days=days[number % len(days)]))
    mint(town_with_ratio, date(2027, 6, 30), workers=workers)
    for rider, each in riders.items():
        assert sum(each) == 100_000 * holds(town_with_ratio, rider) + carried(town_with_ratio, rider)
        assert carried(town_with_ratio, rider) < 100_000


# What the store itself refuses, and what I8 finds --------------------------------------------------


def test_a_minted_reduction_is_never_minted_again_nor_changed_by_the_application(database: Database) -> None:
    commuter(database, 100_000)
    mint(database)
    for words in ("UPDATE reduction SET mint_id = NULL", "UPDATE reduction SET mint_id = mint_id + 1", "UPDATE reduction SET mg = 1",
                  "DELETE FROM reduction", "TRUNCATE reduction"):  # fmt: skip
        with pytest.raises(psycopg.Error), database.connect() as connection:
            connection.execute(words)
        with pytest.raises(psycopg.Error, match="never changed or removed"), database.connect_as_owner() as connection:
            connection.execute(words)


def test_carry_is_never_negative(database: Database) -> None:
    rider = commuter(database, 150_000)
    mint(database)
    with pytest.raises(psycopg.errors.CheckViolation, match="nothing_minted_ahead"), database.connect() as connection:
        connection.execute("UPDATE carry SET carry_mg = -1 WHERE account_id = %s", (rider,))


@pytest.fixture
def hand(town_with_ratio: Database) -> Iterator[tuple[Session, int, int]]:
    """The owner's hand, a rider with three credits and 50,000 mg over, and another; rolled back after the test."""
    rider, other = commuter(town_with_ratio, 350_000), commuter(town_with_ratio, 250_000)
    mint(town_with_ratio)
    engine = create_engine("postgresql+psycopg://", creator=town_with_ratio.connect_as_owner, poolclass=NullPool)
    with Session(engine) as session:
        connection_of(session).execute("SET LOCAL session_replication_role = replica")
        assert not ledger.run_checks(session, issuance.CHECKS)["I8"]
        yield session, rider, other
        session.rollback()
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE carry SET carry_mg = carry_mg + 1 WHERE account_id = {r}", "DELETE FROM carry WHERE account_id = {r}",
     "UPDATE reduction SET mg = mg - 1 WHERE account_id = {r}", "DELETE FROM reduction WHERE account_id = {r}",
     "UPDATE reduction SET mint_id = NULL WHERE account_id = {r}", "UPDATE issue SET mg_per_credit = 99999 WHERE account_id = {r}",
     "UPDATE issue SET last = last - 1 WHERE account_id = {r}", "DELETE FROM issue WHERE account_id = {r}",
     "INSERT INTO reduction (account_id, batch_id, mg, day, mint_id, methodology, fingerprint) VALUES ({r}, 1, 1, '2026-01-01', 1, '', '')"],
)  # fmt: skip
def test_i8_names_the_person(hand: tuple[Session, int, int], statement: str) -> None:
    session, rider, _ = hand
    assert connection_of(session).execute(statement.format(r=rider)).rowcount > 0
    assert [row.row["account"] for row in ledger.run_checks(session, issuance.CHECKS)["I8"]] == [rider]


def test_i8_names_both_when_a_milligram_moved_from_one_to_the_other(hand: tuple[Session, int, int]) -> None:
    session, rider, other = hand
    connection_of(session).execute(
        "UPDATE carry SET carry_mg = carry_mg + CASE account_id WHEN %s THEN 1 ELSE -1 END WHERE account_id IN (%s, %s)",
        (rider, rider, other),
    )
    assert {row.row["account"] for row in ledger.run_checks(session, issuance.CHECKS)["I8"]} == {rider, other}


def test_i8_finds_credits_that_rest_on_no_reduction(unchecked_database: Database) -> None:
    with unchecked_database.begin() as session:
        rider = resident(session)
        ledger.issue(session, mint_id=1, vintage=2026, mg_per_credit=100_000, business_date=JUNE, accounts=[rider], credits=[1])
    assert [row["account"] for row in broken(unchecked_database)["I8"]] == [rider]


def test_i8_finds_a_whole_credits_worth_of_carry_that_nobody_measured(hand: tuple[Session, int, int]) -> None:
    session, rider, _ = hand
    connection_of(session).execute("UPDATE carry SET carry_mg = carry_mg + 100000 WHERE account_id = %s", (rider,))
    assert ledger.run_checks(session, issuance.CHECKS)["I8"]


# Issuing into the books ----------------------------------------------------------------------------


def test_only_accounts_that_can_receive_are_issued_to(unchecked_database: Database) -> None:
    with unchecked_database.begin() as session:
        open_account, closed = resident(session), resident(session)
        ledger.close_account(session, closed)
    for accounts in ([open_account, closed], [open_account, 999_999_999]):
        with pytest.raises(psycopg.Error, match="only 1 of 2 accounts can receive"), unchecked_database.begin() as session:
            ledger.issue(
                session, mint_id=1, vintage=2026, mg_per_credit=1, business_date=JUNE, accounts=accounts, credits=[1, 1]
            )
    assert holds(unchecked_database, open_account) == 0
    with unchecked_database.begin() as session:
        assert ledger.issue(session, mint_id=1, vintage=2026, mg_per_credit=1, business_date=JUNE, accounts=[], credits=[]) == 0


@pytest.mark.parametrize(("accounts", "credits"), [([2, 1], [1, 1]), ([1, 1], [1, 1]), ([1], [0]), ([1], [-1]), ([1, 2], [1])])
def test_the_accounts_of_an_issue_are_given_once_in_order_with_whole_credits(
    town_with_ratio: Database, accounts: list[int], credits: list[int]
) -> None:
    with pytest.raises(AssertionError), town_with_ratio.begin() as session:
        ledger.issue(
            session, mint_id=1, vintage=2026, mg_per_credit=1, business_date=JUNE, accounts=accounts, credits=credits
        )


def test_no_serial_is_drawn_twice_although_a_mint_was_rolled_back(database: Database) -> None:
    rider, other = commuter(database, 100_000), commuter(database, 100_000)
    with pytest.raises(Killed), database.begin() as session:
        ledger.issue(session, mint_id=9, vintage=2026, mg_per_credit=1, business_date=JUNE, accounts=[rider], credits=[5])
        [(thrown_away, _)] = ledger.blocks_of(session, rider)
        raise Killed
    mint(database)
    with database.begin() as session:
        used = [run for account in (rider, other) for run in ledger.blocks_of(session, account)]
        assert ledger.history_of(session, thrown_away) == []
    assert len(used) == 2 and all(not first <= thrown_away <= last for first, last in used)


def test_reductions_of_an_organisation_wait_and_are_not_lost(database: Database) -> None:
    with database.begin() as session:
        organisation = ledger.open_account(session, Kind.ORGANISATION, name=fresh("school"))
    measured(database, organisation, 100_000)
    mint(database)
    assert holds(database, organisation) * 100_000 + carried(database, organisation) + unminted(database) * 100_000 == 100_000
