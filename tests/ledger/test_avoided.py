"""Each credit avoids as much as it was minted for, and the oldest go first (Articles 17, 22)."""

import random

import pytest

from carbonhui import ledger
from carbonhui.core.database import Database
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, fresh, give, mint_to, organisation, resident

CHEAP, DEAR = 50_000, 200_000


def retired(town: Database, account: int, mg: int) -> tuple[ledger.Covering, int, int]:
    """What covers ``mg`` by the walk, and how many were retired then and what those avoid."""
    with town.begin() as session:
        ledger.lock_accounts(session, account)
        covering = ledger.credits_covering(session, account, mg)
        posted = ledger.post(
            session, purpose=Purpose.RETIRE, source=account, target=ledger.system_account(session, Kind.RETIREMENT),
            amount=covering.credits, reference=fresh(), business_date=DAY,
        )  # fmt: skip
        return covering, sum(last - first + 1 for first, last in ledger.runs_of(session, posted.id)), ledger.avoided_mg(session, posted.id)


@pytest.mark.parametrize(("mg", "credits"), [(1, 1), (99_999, 1), (100_000, 1), (100_001, 2), (1_000_000, 10)])
def test_the_fewest_whole_credits_that_cover_are_found(town: Database, mg: int, credits: int) -> None:
    with town.begin() as session:
        account = resident(session, 10)
        assert ledger.credits_covering(session, account, mg) == ledger.Covering(credits, credits * 100_000)


def test_what_is_not_enough_is_told_in_full(town: Database) -> None:
    with town.begin() as session:
        assert ledger.credits_covering(session, resident(session, 10), 1_000_001) == ledger.Covering(10, 1_000_000)
        assert ledger.credits_covering(session, resident(session), 1) == ledger.Covering(0, 0)


def test_credits_of_two_ratios_in_one_run_avoid_each_what_they_were_minted_for(town: Database) -> None:
    with town.begin() as session:
        account = resident(session)
        mint_to(session, account, 3, ratio=CHEAP)
        mint_to(session, account, 3, ratio=DEAR)
        assert len(ledger.blocks_of(session, account)) == 1, "one run, minted at two ratios"
        # Of a run that is needed in part its tail goes: the dear ones first.
        assert ledger.credits_covering(session, account, 2 * DEAR) == ledger.Covering(2, 2 * DEAR)
        assert ledger.credits_covering(session, account, 3 * DEAR + 1) == ledger.Covering(4, 3 * DEAR + CHEAP)
    assert retired(town, account, 3 * DEAR + 1) == (ledger.Covering(4, 3 * DEAR + CHEAP), 4, 3 * DEAR + CHEAP)


def test_the_older_vintage_goes_whole_before_a_younger_one_is_touched(town: Database) -> None:
    with town.begin() as session:
        account = resident(session)
        mint_to(session, account, 5, vintage=2026, ratio=DEAR)
        mint_to(session, account, 5, vintage=2024, ratio=CHEAP)
    assert retired(town, account, 5 * CHEAP + 1) == (ledger.Covering(6, 5 * CHEAP + DEAR), 6, 5 * CHEAP + DEAR)


@pytest.mark.parametrize("seed", range(12))
def test_the_walk_finds_what_posting_takes_whatever_happened_before(town: Database, seed: int) -> None:
    drawn = random.Random(seed)
    with town.begin() as session:
        account, neighbours = resident(session), [resident(session) for _ in range(3)]
        for _ in range(12):
            for one in (account, *neighbours):
                vintage, ratio = drawn.choice([2024, 2025, 2026]), drawn.choice([CHEAP, 77_777, DEAR])
                mint_to(session, one, drawn.randint(1, 150), vintage=vintage, ratio=ratio)
            give(session, drawn.choice(neighbours), account, 1)
            if drawn.random() < 0.7:
                give(session, account, drawn.choice(neighbours), 1)
    for _ in range(6):
        mg = drawn.randint(1, 9_000_000)
        with town.begin() as session:
            if ledger.credits_covering(session, account, mg).mg < mg:
                break
        covering, count, avoided = retired(town, account, mg)
        assert (count, avoided) == (covering.credits, covering.mg)
        assert avoided >= mg > avoided - DEAR


def test_the_origins_of_a_transfers_credits_are_who_earned_them(town: Database) -> None:
    with town.begin() as session:
        first, second = resident(session, 5), resident(session, 5, vintage=2025)
        pot = organisation(session, Kind.CHARITY)
        give(session, first, pot, 5)
        give(session, second, pot, 5)
        moved = give(session, pot, organisation(session, Kind.CHARITY), 8)
        found = ledger.origins_of(session, moved.id, most=9)
        assert sorted((one.account, one.vintage) for one in found) == sorted([(first, 2026), (second, 2025)])
        assert len(ledger.origins_of(session, moved.id, most=1)) == 1
