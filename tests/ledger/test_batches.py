"""Thousands of transfers at once have the outcomes that they would have had one by one (design section 4)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core import embedded
from carbonhui.core.database import Database, connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings
from carbonhui.ledger import CNY, Kind, Outcome, Purpose, Transfer
from tests.ledger.books import DAY, fresh, give, holds, mint_to, opened_store, organisation, promise, resident


def move(source: int, target: int, amount: int, reference: str | None = None, **changed: object) -> Transfer:
    made = Transfer(
        purpose=Purpose.GIVE, source=source, target=target, amount=amount,
        reference=fresh() if reference is None else reference, business_date=DAY,
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def post_many(database: Database, *transfers: Transfer) -> list[Outcome]:
    return database.run(lambda session: ledger.post_many(session, transfers))


def told(outcome: Outcome) -> str:
    """An outcome in one word: the refusal's code, ``again`` or ``done``."""
    if outcome.refusal is not None:
        assert outcome.id is None and not outcome.again
        return outcome.refusal.code
    assert outcome.id is not None
    return "again" if outcome.again else "done"


def codes(database: Database, *transfers: Transfer) -> list[str]:
    return [told(outcome) for outcome in post_many(database, *transfers)]


def test_an_empty_batch_has_no_outcomes(town: Database) -> None:
    assert post_many(town) == []


def test_each_transfer_has_its_own_outcome_in_order(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
    assert codes(
        town,
        move(giver, receiver, 4), move(giver, receiver, 7), move(giver, giver, 1), move(giver, receiver, 0),
        move(giver, 999_999_999, 1), move(giver, receiver, 1, ""), move(giver, receiver, 6), move(giver, receiver, 1),
    ) == ["done", "not_enough", "self_transfer", "amount_out_of_range", "account_unknown", "reference_invalid", "done", "not_enough"]  # fmt: skip
    assert (holds(town, giver), holds(town, receiver)) == (0, 10)


def test_what_arrives_earlier_in_the_batch_can_be_spent_later_in_it_and_not_before(town: Database) -> None:
    with town.begin() as session:
        first, second, third = resident(session, 10), resident(session), resident(session)
    assert codes(town, move(second, third, 10), move(first, second, 10), move(second, third, 10), move(third, first, 10)) == [
        "not_enough", "done", "done", "done"
    ]  # fmt: skip
    assert [holds(town, account) for account in (first, second, third)] == [10, 0, 0]


def test_what_a_big_receiver_gets_in_the_batch_it_can_spend_in_the_batch(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery, friend = resident(session, 10), organisation(session, Kind.MERCHANT), resident(session)
        give(session, shopper, bakery, 2)
    assert codes(town, move(shopper, bakery, 5), move(bakery, friend, 8), move(bakery, friend, 7), move(bakery, friend, 1)) == [
        "done", "not_enough", "done", "not_enough"
    ]  # fmt: skip
    assert [holds(town, account) for account in (shopper, bakery, friend)] == [3, 0, 7]


def test_one_reference_twice_in_one_batch_has_one_effect(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
    reference = fresh()
    outcomes = post_many(
        town, move(giver, receiver, 11, reference), move(giver, receiver, 4, reference),
        move(giver, receiver, 4, reference), move(giver, receiver, 5, reference),
    )  # fmt: skip
    assert [told(outcome) for outcome in outcomes] == ["not_enough", "done", "again", "reference_reused"]
    assert outcomes[1].id == outcomes[2].id
    assert holds(town, receiver) == 4


def test_a_batch_that_is_repeated_has_no_second_effect(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
    batch = [move(giver, receiver, 3), move(giver, receiver, 9), move(giver, receiver, 2)]
    first, again = post_many(town, *batch), post_many(town, *batch)
    assert [told(outcome) for outcome in first] == ["done", "not_enough", "done"]
    assert [told(outcome) for outcome in again] == ["again", "not_enough", "again"]
    assert [outcome.id for outcome in again] == [outcome.id for outcome in first]
    assert holds(town, receiver) == 5


def test_a_batch_of_refused_transfers_changes_nothing(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
    assert set(codes(town, *(move(giver, receiver, 11) for _ in range(20)))) == {"not_enough"}
    assert (holds(town, giver), holds(town, receiver)) == (10, 0)


def test_a_batch_refuses_what_a_single_transfer_refuses(town: Database) -> None:
    with town.begin() as session:
        giver, receiver, full, gone = resident(session, 10), resident(session), resident(session, 5), resident(session)
        pool, mint = (ledger.system_account(session, kind) for kind in (Kind.CANCELLATION_POOL, Kind.ISSUANCE))
        purse = ledger.open_account(session, Kind.PERSON, asset=CNY)
        closed_merchant = organisation(session, Kind.MERCHANT)
        give(session, giver, pool, 1)
        ledger.limit_holding(session, full, credits_max=6)
        ledger.close_account(session, gone)
        ledger.close_account(session, closed_merchant)
        promise(session, giver, receiver, 4)
    for transfer, code in (
        (move(pool, giver, 1), "account_never_sends"), (move(giver, mint, 1), "account_never_receives"),
        (move(gone, giver, 1), "account_closed"), (move(giver, gone, 1), "account_closed"),
        (move(giver, closed_merchant, 1), "account_closed"), (move(closed_merchant, giver, 1), "account_closed"),
        (move(giver, purse, 1), "asset_differs"), (move(giver, receiver, 1, asset=CNY), "asset_differs"),
        (move(giver, full, 2), "above_holding_limit"), (move(giver, receiver, 6), "not_enough"),
        (move(0, giver, 1), "account_unknown"), (move(giver, 2**63, 1), "account_unknown"),
        (move(giver, receiver, 2**53), "amount_out_of_range"), (move(giver, receiver, 1.0), "amount_not_whole"),  # type: ignore[arg-type]
        (move(giver, receiver, 1, "a b"), "reference_invalid"), (move(giver, full, 1), "done"), (move(giver, receiver, 4), "done"),
    ):  # fmt: skip
        assert codes(town, transfer) == [code], transfer
    assert holds(town, giver) == 4


def test_a_refusal_of_a_batch_tells_the_same_facts_as_of_a_single_transfer(town: Database) -> None:
    with town.begin() as session:
        full, receiver, giver = resident(session, 5), resident(session), resident(session, 10)
        purse = ledger.open_account(session, Kind.PERSON, asset=CNY)
        pool = ledger.system_account(session, Kind.CANCELLATION_POOL)
        ledger.limit_holding(session, full, credits_max=6)
    for transfer in (
        move(giver, receiver, 11), move(giver, full, 2), move(giver, 999_999_999, 1), move(giver, purse, 1), move(purse, giver, 1),
        move(pool, giver, 1), move(giver, giver, 1), move(giver, receiver, 0),
    ):  # fmt: skip
        [outcome] = post_many(town, transfer)
        with pytest.raises(Refusal) as alone, town.begin() as session:
            _post(session, transfer)
        assert outcome.refusal is not None
        assert (outcome.refusal.code, outcome.refusal.facts) == (alone.value.code, alone.value.facts)


@pytest.mark.parametrize("reference", ["\\.", "\\N", "a\\b", "\\t", "'", '"', "{1,2}", "~" * 200])
def test_every_reference_survives_the_batch_as_it_was(town: Database, reference: str) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
    transfer = move(giver, receiver, 1, reference)
    assert codes(town, transfer, transfer) == ["done", "again"]
    with town.begin() as session:
        entered = ledger.transfer_under(session, reference)
        assert entered is not None and entered.source == giver
        assert _post(session, transfer).again


def test_a_batch_moves_cash_out_of_the_bank_without_end(town: Database) -> None:
    with town.begin() as session:
        bank, cash = (ledger.system_account(session, kind, asset=CNY) for kind in (Kind.BANK, Kind.FUND_CASH))
        before = ledger.balance_of(session, cash).posted
    assert codes(town, *(move(bank, cash, 5, asset=CNY, purpose=Purpose.FUND_BUDGET) for _ in range(3))) == ["done"] * 3
    assert holds(town, cash) == before + 15


def test_a_batch_spends_the_oldest_vintage_first_and_keeps_runs_whole(town: Database) -> None:
    with town.begin() as session:
        owner, receiver = resident(session, 50, vintage=2026), resident(session)
        mint_to(session, owner, 50, vintage=2024)
    assert codes(town, *(move(owner, receiver, 3) for _ in range(20))) == ["done"] * 20
    with town.begin() as session:
        vintages = [ledger.vintage_of(first) for first, _ in ledger.blocks_of(session, receiver)]
        kept = ledger.blocks_of(session, owner)
    assert vintages == [2024, 2026]
    assert [ledger.vintage_of(first) for first, _ in kept] == [2026] and sum(b - a + 1 for a, b in kept) == 40


def test_a_large_batch_among_few_accounts(town: Database) -> None:
    with town.begin() as session:
        people = [resident(session, 50) for _ in range(10)]
    batch = [move(people[n % 10], people[(n * n + 1) % 7], n % 13 + 1) for n in range(1000)]
    outcomes = codes(town, *batch)
    assert outcomes.count("done") > 100 and outcomes.count("not_enough") > 100
    assert sum(holds(town, person) for person in people) == 500


def test_batches_that_meet_in_the_same_accounts_and_references_all_end_right(town: Database) -> None:
    with town.begin() as session:
        people, bakery = [resident(session, 30) for _ in range(6)], organisation(session, Kind.MERCHANT)
    everybody = [*people, bakery]
    batch = [move(everybody[n % 7], everybody[(n + 1 + n % 3) % 7], 1 + n % 5) for n in range(140)]

    def work(number: int) -> list[Outcome]:
        turned = batch[number * 20 :] + batch[: number * 20]
        return post_many(town, *turned)

    with ThreadPoolExecutor(6) as pool:
        answers = [outcome for outcomes in pool.map(work, range(6)) for outcome in outcomes]
    made = [outcome.id for outcome in answers if told(outcome) == "done"]
    assert len(made) == len(set(made)) <= 140
    assert {outcome.id for outcome in answers if told(outcome) == "again"} <= set(made)
    assert sum(holds(town, account) for account in everybody) == 180


def test_what_a_merchant_receives_while_its_batch_waits_is_spent_or_left_but_never_an_accident(town: Database) -> None:
    """A batch reads the merchant's serials, and payments to the merchant do not wait for the batch."""
    with town.begin() as session:
        shoppers = [resident(session, 400) for _ in range(2)]
        bakery, friend = organisation(session, Kind.MERCHANT), resident(session)

    def pay(shopper: int) -> None:
        for _ in range(100):
            town.run(lambda session: give(session, shopper, bakery, 4))

    def spend() -> int:
        return sum(codes(town, move(bakery, friend, 2), move(bakery, friend, 3)).count("done") for _ in range(100))

    with ThreadPoolExecutor(4) as pool:
        paying = [pool.submit(pay, shopper) for shopper in shoppers]
        spending = [pool.submit(spend) for _ in range(2)]
        for done in (*paying, *spending):
            done.result()
    assert holds(town, bakery) + holds(town, friend) == 800


# The same transfers, one by one and together ---------------------------------------------------


def _post(session: Session, transfer: Transfer) -> ledger.Posted:
    return ledger.post(
        session, purpose=transfer.purpose, source=transfer.source, target=transfer.target, amount=transfer.amount,
        reference=transfer.reference, business_date=transfer.business_date, asset=transfer.asset,
    )  # fmt: skip


def _one_by_one(database: Database, transfers: list[Transfer]) -> list[str]:
    answers = []
    for transfer in transfers:
        try:
            with database.begin() as session:
                answers.append("again" if _post(session, transfer).again else "done")
        except Refusal as refusal:
            answers.append(refusal.code)
    return answers


_KINDS = (Kind.PERSON, Kind.PERSON, Kind.MERCHANT, Kind.DEPARTMENT, Kind.PERSON, Kind.CHARITY)


def _settle_in(database: Database, minted: list[int]) -> list[int]:
    """The same small town in any store: its accounts, numbered from nought."""
    with database.begin() as session:
        town = [ledger.open_account(session, kind) for kind in _KINDS]
        persons = [account for account, kind in zip(town, _KINDS, strict=True) if kind == Kind.PERSON]
        for account, credits in zip(persons, minted, strict=True):
            if credits:
                mint_to(session, account, credits)
        ledger.limit_holding(session, town[0], credits_max=25)
        gone, pool, purse = resident(session), ledger.system_account(session, Kind.CANCELLATION_POOL), 999_999_999
        ledger.close_account(session, gone)
        return [*town, gone, pool, purse]


def _state(database: Database, town: list[int]) -> list[tuple[int, int, int]]:
    with database.begin() as session:
        people = [ledger.balance_of(session, account) for account in town[:7]]
        owned = [sum(last - first + 1 for first, last in ledger.blocks_of(session, account)) for account in town[:7]]
        return [(person.posted, person.held, serials) for person, serials in zip(people, owned, strict=True)]


@pytest.fixture(scope="module")
def other_town(server: embedded.Server, server_settings: Settings) -> Iterator[Database]:
    with opened_store(server, server_settings) as opened:
        yield opened


_WISHES = st.lists(
    st.tuples(
        st.integers(0, 8), st.integers(0, 8), st.integers(0, 14), st.integers(0, 30),
        st.sampled_from([ledger.CREDIT] * 12 + [CNY]), st.sampled_from([Purpose.GIVE] * 6 + [Purpose.DONATE]),
    ), min_size=1, max_size=60,
)  # fmt: skip


@settings(max_examples=40)
@for_all(minted=st.tuples(*[st.integers(0, 25)] * 3), wishes=_WISHES, cut=st.integers(0, 60))
def test_together_or_one_by_one_the_outcomes_and_balances_are_the_same(
    town: Database, other_town: Database, minted: tuple[int, ...], wishes: list[tuple[int, ...]], cut: int
) -> None:
    alone, together = _settle_in(town, list(minted)), _settle_in(other_town, list(minted))
    run = fresh("run")

    def transfers(accounts: list[int]) -> list[Transfer]:
        return [
            move(accounts[a], accounts[b], n, f"{run}-{reference}", asset=asset, purpose=purpose)
            for a, b, n, reference, asset, purpose in wishes
        ]

    one_by_one = _one_by_one(town, transfers(alone))
    batch = transfers(together)
    in_batches = codes(other_town, *batch[:cut]) + codes(other_town, *batch[cut:])
    assert one_by_one == in_batches
    assert _state(town, alone) == _state(other_town, together)


def test_after_all_those_transfers_both_towns_books_are_whole(town: Database, other_town: Database) -> None:
    for database in (town, other_town):
        with database.begin() as session:
            assert not any(ledger.run_checks(session).values())
            row = connection_of(session).execute("SELECT count(*) FROM transfer").fetchone()
    assert row is not None and row[0] > 100
