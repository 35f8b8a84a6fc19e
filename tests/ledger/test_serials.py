"""Each credit has its own serial: blocks, their order, their splitting and joining, and their history (Article 17)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from carbonhui import ledger, merchants
from carbonhui.core.database import Database, connection_of
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import (
    DAY,
    breaking,
    fresh,
    give,
    holds,
    keep,
    mint_to,
    organisation,
    promise,
    resident,
)

YEAR = 10**12


def _blocks(database: Database, account: int) -> list[tuple[int, int]]:
    with database.begin() as session:
        return ledger.blocks_of(session, account)


def _count(runs: list[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in runs)


def _vintages(runs: list[tuple[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for first, last in runs:
        found[ledger.vintage_of(first)] = found.get(ledger.vintage_of(first), 0) + last - first + 1
    return found


def test_an_account_owns_as_many_serials_as_it_holds_credits(town: Database) -> None:
    with town.begin() as session:
        owner = resident(session, 137)
    assert _count(_blocks(town, owner)) == holds(town, owner) == 137


def test_the_oldest_vintage_is_spent_first(town: Database) -> None:
    with town.begin() as session:
        owner, receiver = resident(session), resident(session)
        for vintage in (2026, 2024, 2025):
            mint_to(session, owner, 10, vintage=vintage)
        give(session, owner, receiver, 15)
    assert _vintages(_blocks(town, receiver)) == {2024: 10, 2025: 5}
    assert _vintages(_blocks(town, owner)) == {2025: 5, 2026: 10}


def test_what_arrives_from_an_older_vintage_is_spent_before_ones_own(town: Database) -> None:
    with town.begin() as session:
        owner, elder, receiver = resident(session, 10, vintage=2026), resident(session, 4, vintage=2018), resident(session)
        give(session, elder, owner, 4)
        give(session, owner, receiver, 5)
    assert _vintages(_blocks(town, receiver)) == {2018: 4, 2026: 1}


def test_a_block_splits_when_part_is_given_and_joins_again_when_it_comes_back(town: Database) -> None:
    with town.begin() as session:
        owner, receiver = resident(session, 100), resident(session)
        [whole] = ledger.blocks_of(session, owner)
        give(session, owner, receiver, 30)
    assert _blocks(town, owner) == [(whole[0], whole[1] - 30)]
    assert _blocks(town, receiver) == [(whole[1] - 29, whole[1])]
    with town.begin() as session:
        give(session, receiver, owner, 30)
    assert (_blocks(town, owner), _blocks(town, receiver)) == ([whole], [])


def test_a_gap_in_the_middle_is_filled_and_three_runs_become_one(town: Database) -> None:
    with town.begin() as session:
        owner, first, second = resident(session, 30), resident(session), resident(session)
        [whole] = ledger.blocks_of(session, owner)
        give(session, owner, first, 10)
        give(session, owner, second, 10)
        give(session, first, owner, 10)
        assert len(ledger.blocks_of(session, owner)) == 2
        give(session, second, owner, 10)
    assert _blocks(town, owner) == [whole]


def test_what_one_person_earns_over_time_stays_one_run(town: Database) -> None:
    with town.begin() as session:
        commuter, neighbour = resident(session), resident(session)
        for _ in range(10):
            mint_to(session, commuter, 9)
            mint_to(session, neighbour, 9)
    assert len(_blocks(town, commuter)) == len(_blocks(town, neighbour)) == 1


def test_a_new_vintage_begins_a_new_run_and_the_old_reel_stays_unused(town: Database) -> None:
    with town.begin() as session:
        commuter = resident(session)
        for vintage in (2025, 2026, 2025, 2026):
            mint_to(session, commuter, 10, vintage=vintage)
    assert _vintages(_blocks(town, commuter)) == {2025: 20, 2026: 20}


@pytest.mark.parametrize("credits", [1, 99, 100, 101, 9_999, 10_000, 10_001, 25_000])
def test_no_run_is_longer_than_ten_thousand(town: Database, credits: int) -> None:
    with town.begin() as session:
        station, visitor = resident(session, credits), resident(session)
        mint_to(session, station, 7)
        give(session, station, visitor, credits + 7)
        give(session, visitor, station, credits + 7)
        runs = ledger.blocks_of(session, station)
        runs += ledger.runs_of(session, ledger.statement(session, visitor, most=1).lines[0].transfer)
    assert _count(runs) == 2 * (credits + 7)
    assert all(0 < last - first + 1 <= 10_000 for first, last in runs)


def test_the_last_serial_of_a_year_is_not_joined_to_the_first_of_the_next(unchecked_database: Database) -> None:
    with breaking(unchecked_database) as owner:
        owner.execute("SELECT setval('serial_2025', 999999999900, false), setval('serial_2026', 0, false)")
    with unchecked_database.begin() as session:
        account, other = resident(session), resident(session)
        mint_to(session, account, 100, vintage=2025)
        mint_to(session, account, 100, vintage=2026)
        give(session, account, other, 200)
        give(session, other, account, 200)
    runs = _blocks(unchecked_database, account)
    assert runs == [(25 * YEAR + YEAR - 100, 26 * YEAR - 1), (26 * YEAR, 26 * YEAR + 99)]
    with unchecked_database.begin() as session:
        wrong = {name: rows for name, rows in ledger.run_checks(session).items() if rows}
    assert wrong == {}


def test_the_store_itself_refuses_a_run_across_two_years_or_of_ten_thousand_and_one(town: Database) -> None:
    for first, last in ((26 * YEAR - 1, 26 * YEAR), (26 * YEAR, 26 * YEAR + 10_000), (26 * YEAR + 5, 26 * YEAR + 4)):
        with pytest.raises(Exception, match="run_in_order|run_of_one_vintage"), town.connect() as connection:
            connection.execute("INSERT INTO block VALUES (1, %s, %s)", (first, last))


def test_the_store_itself_refuses_a_second_owner_of_a_first_serial(town: Database) -> None:
    with town.begin() as session:
        owner = resident(session, 10)
        [(first, last)] = ledger.blocks_of(session, owner)
    with pytest.raises(Exception, match="one_owner_per_serial"), town.connect() as connection:
        connection.execute("INSERT INTO block VALUES (%s, %s, %s)", (owner + 1, first, last))


# Big receivers ---------------------------------------------------------------------------------


def _merge(database: Database, account: int) -> int:
    with database.begin() as session:
        return ledger.merge_blocks(session, account)


def test_a_big_receivers_runs_are_joined_when_asked_and_own_the_same_serials(town: Database) -> None:
    with town.begin() as session:
        shoppers = [resident(session, 20) for _ in range(5)]
        bakery = organisation(session, Kind.MERCHANT)
        for _ in range(4):
            for shopper in shoppers:
                give(session, shopper, bakery, 5)
    before = _blocks(town, bakery)
    assert len(before) == 20
    assert _merge(town, bakery) == 15
    after = _blocks(town, bakery)
    assert len(after) == 5 and _count(after) == 100
    assert _merge(town, bakery) == 0


def test_joining_never_makes_a_run_longer_than_ten_thousand(town: Database) -> None:
    with town.begin() as session:
        station, bakery = resident(session, 30_000), organisation(session, Kind.MERCHANT)
        for _ in range(60):
            give(session, station, bakery, 500)
    assert len(_blocks(town, bakery)) == 60
    _merge(town, bakery)
    after = _blocks(town, bakery)
    assert _count(after) == 30_000 and len(after) <= 7
    assert all(last - first + 1 <= 10_000 for first, last in after)


def test_an_account_without_serials_has_nothing_to_join(town: Database) -> None:
    with town.begin() as session:
        bakery = organisation(session, Kind.MERCHANT)
    assert _merge(town, bakery) == 0


@settings(max_examples=25)
@for_all(pieces=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6000)), min_size=1, max_size=30))
def test_joining_changes_no_serials_owner_whatever_the_runs(town: Database, pieces: list[tuple[int, int]]) -> None:
    """Runs with and without gaps, around 10,000 and across a year's end; nothing of it is kept."""
    with town.begin() as session:
        connection = connection_of(session)
        at, runs = 27 * YEAR - 20_000, []
        for gap, length in pieces:
            at += gap
            cut = min(length, 27 * YEAR - at) if at < 27 * YEAR else length
            runs.append((at, at + cut - 1))
            at += cut
        for first, last in runs:
            connection.execute("INSERT INTO block VALUES (-7, %s, %s)", (first, last))
        fewer = ledger.merge_blocks(session, -7)
        joined = ledger.blocks_of(session, -7)
        owned = "SELECT range_agg(int8range(first, last, '[]')) = %s::int8multirange FROM block WHERE account_id = -7"
        ranges = "{" + ",".join(f"[{first},{last}]" for first, last in runs) + "}"
        assert connection.execute(owned, (ranges,)).fetchone() == (True,)
        assert len(runs) - len(joined) == fewer and _count(joined) == _count(runs)
        connection.execute("DELETE FROM block WHERE account_id = -7")


def test_folding_changes_no_balance_that_anybody_can_see(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery, bookshop = resident(session, 50), organisation(session, Kind.MERCHANT), organisation(session, Kind.MERCHANT)
        for amount in (5, 7, 9):
            give(session, shopper, bakery, amount)
            give(session, shopper, bookshop, 1)
        everybody = [row[0] for row in connection_of(session).execute("SELECT id FROM account")]
        before = [ledger.balance_of(session, account) for account in everybody]
        assert connection_of(session).execute("SELECT posted FROM balance WHERE account_id = %s", (bakery,)).fetchone() == (0,)
    with town.begin() as session:
        assert ledger.fold(session) >= 2
    with town.begin() as session:
        assert [ledger.balance_of(session, account) for account in everybody] == before
        assert connection_of(session).execute("SELECT posted FROM balance WHERE account_id = %s", (bakery,)).fetchone() == (21,)
        assert ledger.fold(session) == 0


def test_folding_stops_at_the_number_of_accounts_asked(town: Database) -> None:
    with town.begin() as session:
        ledger.fold(session)
        shopper = resident(session, 10)
        ledger.fold(session)
        for _ in range(3):
            give(session, shopper, organisation(session, Kind.CHARITY), 1)
        assert [ledger.fold(session, most=2), ledger.fold(session, most=2), ledger.fold(session, most=2)] == [2, 1, 0]


@pytest.mark.parametrize("kind", [Kind.MERCHANT, Kind.DEPARTMENT, Kind.CHARITY, Kind.ORGANISATION])
def test_a_big_receiver_spends_what_was_not_folded_yet_and_not_one_more(town: Database, kind: Kind) -> None:
    with town.begin() as session:
        shopper, receiver = resident(session, 10), organisation(session, kind)
        give(session, shopper, receiver, 4)
        give(session, shopper, receiver, 3)
    with pytest.raises(ledger.NotEnough) as refused, town.begin() as session:
        give(session, receiver, shopper, 8)
    assert refused.value.facts["available"] == 7
    with town.begin() as session:
        give(session, receiver, shopper, 7)
    assert (holds(town, receiver), holds(town, shopper)) == (0, 10)


# History ---------------------------------------------------------------------------------------


def _life(session: Session, serial: int) -> list[tuple[Purpose, int, int]]:
    return [(event.purpose, event.source, event.target) for event in ledger.history_of(session, serial)]


def test_a_credits_whole_life_can_be_read_from_its_mint_to_the_pool(town: Database) -> None:
    with town.begin() as session:
        earner, friend, bakery = resident(session, 10), resident(session), organisation(session, Kind.MERCHANT)
        mint, pool = (ledger.system_account(session, kind) for kind in (Kind.ISSUANCE, Kind.CANCELLATION_POOL))
        [(first, last)] = ledger.blocks_of(session, earner)
        give(session, earner, friend, 6)
        merchants.redeem(session, payer=friend, merchant=bakery, credits=4, reference=fresh(), business_date=DAY)  # type: ignore[arg-type]
        keep(session, promise(session, friend, bakery, 1), 1)
        merchants.settle(session, merchant=bakery, reference=fresh(), business_date=DAY)
    with town.begin() as session:
        minted, given = (Purpose.MINT, mint, earner), (Purpose.GIVE, earner, friend)
        redeemed, settled = (Purpose.REDEEM, friend, bakery), (Purpose.SETTLE, bakery, pool)
        assert _life(session, first) == [minted]
        assert _life(session, first + 4) == [minted, given]
        assert _life(session, last) == [minted, given, redeemed, settled]
        assert _life(session, last - 4) == [minted, given, redeemed, settled]
        assert _life(session, last - 5) == [minted, given]
        assert _life(session, last + 1) == _life(session, first - 1) == []
        events = ledger.history_of(session, last)
        assert [event.transfer for event in events] == sorted(event.transfer for event in events)
        assert all(event.first <= last <= event.last for event in events)
        assert {event.business_date for event in events} == {DAY}


def test_a_credits_history_is_told_in_the_order_in_which_it_happened(town: Database) -> None:
    """A gift that waits for another to end may give on what that other brought."""
    with town.begin() as session:
        elder, middle, last = resident(session, 5, vintage=2018), resident(session, 9), resident(session)
        [(serial, _)] = ledger.blocks_of(session, elder)
    with ThreadPoolExecutor(1) as pool, town.connect_as_owner(autocommit=True) as watcher:
        with town.begin() as session:
            give(session, middle, last, 1)
            waiting = pool.submit(lambda: town.run(lambda other: give(other, middle, last, 5)))
            while watcher.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            ).fetchone() == (0,):
                assert not waiting.done()
            give(session, elder, middle, 5)
        waiting.result(120)
    with town.begin() as session:
        life = _life(session, serial)
    assert [(source, target) for _, source, target in life[1:]] == [(elder, middle), (middle, last)]


def test_history_follows_a_credit_within_the_longest_run(town: Database) -> None:
    with town.begin() as session:
        earner, friend = resident(session, 10_000), resident(session)
        give(session, earner, friend, 10_000)
        runs = ledger.blocks_of(session, friend)
        for serial in (runs[0][0], runs[0][1], runs[-1][1]):
            assert len(ledger.history_of(session, serial)) == 2


def test_a_number_that_is_no_serial_has_no_history(town: Database) -> None:
    with town.begin() as session:
        for serial in (0, -1, 10**18, 99 * YEAR):
            assert ledger.history_of(session, serial) == []


def test_the_runs_of_each_transfer_are_told(town: Database) -> None:
    with town.begin() as session:
        earner, friend = resident(session, 5, vintage=2024), resident(session)
        mint_to(session, earner, 5, vintage=2025)
        minted = [line.transfer for line in ledger.statement(session, earner).lines]
        given = give(session, earner, friend, 7).id
        assert [_count(ledger.runs_of(session, transfer)) for transfer in minted] == [5, 5]
        assert _vintages(ledger.runs_of(session, given)) == {2024: 5, 2025: 2}
        assert ledger.runs_of(session, 999_999_999) == []


def test_cash_has_no_serials(town: Database) -> None:
    with town.begin() as session:
        bank, cash = (ledger.system_account(session, kind, asset=ledger.CNY) for kind in (Kind.BANK, Kind.FUND_CASH))
        posted = ledger.post(
            session, purpose=Purpose.FUND_BUDGET, source=bank, target=cash, amount=5, reference=fresh(),
            business_date=DAY, asset=ledger.CNY,
        )  # fmt: skip
        assert ledger.runs_of(session, posted.id) == [] and ledger.blocks_of(session, cash) == []
