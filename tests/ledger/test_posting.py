"""One movement: what may move, between whom, under which reference (Articles 17-22; design section 4)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core.amounts import LARGEST_AMOUNT
from carbonhui.core.database import Database
from carbonhui.ledger import CNY, Kind, Leg, Purpose
from tests.ledger.books import DAY, code_of, free, fresh, give, holds, organisation, refusal_of, resident


def post(session: Session, **changed: Any) -> ledger.Posted:
    words = {"purpose": Purpose.GIVE, "amount": 1, "reference": fresh(), "business_date": DAY, "asset": ledger.CREDIT}
    return ledger.post(session, **(words | changed))


def test_what_one_gives_the_other_has(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
        posted = give(session, giver, receiver, 4)
    assert not posted.again
    assert (holds(town, giver), holds(town, receiver)) == (6, 4)


def test_all_may_be_given_and_not_one_more(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
    refusal = refusal_of(town, lambda session: give(session, giver, receiver, 11))
    assert refusal.code == "not_enough"
    assert refusal.facts == {"account": giver, "asked": 11, "available": 10, "unit": "credit"}
    assert str(refusal) == f"11 were asked of account {giver}, and 10 are available."
    assert refusal.text("zh") == f"账户 {giver} 可用余额为 10,不足 11。"
    with town.begin() as session:
        give(session, giver, receiver, 10)
    assert (holds(town, giver), holds(town, receiver)) == (0, 10)
    assert code_of(town, lambda session: give(session, giver, receiver, 1)) == "not_enough"


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (0, "amount_out_of_range"), (-1, "amount_out_of_range"), (LARGEST_AMOUNT + 1, "amount_out_of_range"),
        (-(2**63), "amount_out_of_range"), (10**400, "amount_out_of_range"), (LARGEST_AMOUNT, "not_enough"),
        (True, "amount_not_whole"), (1.0, "amount_not_whole"), ("1", "amount_not_whole"), (None, "amount_not_whole"),
    ],
)  # fmt: skip
def test_an_amount_is_a_whole_number_in_range(town: Database, amount: object, code: str) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
    assert code_of(town, lambda session: post(session, source=giver, target=receiver, amount=amount)) == code
    assert (holds(town, giver), holds(town, receiver)) == (10, 0)


def test_the_largest_amount_can_be_moved(town: Database) -> None:
    with town.begin() as session:
        bank, cash = (ledger.system_account(session, kind, asset=CNY) for kind in (Kind.BANK, Kind.FUND_CASH))
        before = ledger.balance_of(session, cash).posted
        post(session, purpose=Purpose.FUND_BUDGET, source=bank, target=cash, amount=LARGEST_AMOUNT, asset=CNY)
        post(session, purpose=Purpose.CORRECT, source=cash, target=bank, amount=LARGEST_AMOUNT, asset=CNY)
        assert ledger.balance_of(session, cash).posted == before


@pytest.mark.parametrize("stranger", [0, -1, 999_999_999, 2**63 - 1, 2**63, "x", "1", 1.0, True, None])
def test_an_account_that_nobody_opened_neither_gives_nor_receives(town: Database, stranger: object) -> None:
    with town.begin() as session:
        neighbour = resident(session, 10)
    if stranger is True:
        assert code_of(town, lambda session: post(session, source=neighbour, target=stranger)) == "account_unknown"
        return
    assert code_of(town, lambda session: post(session, source=neighbour, target=stranger)) == "account_unknown"
    assert code_of(town, lambda session: post(session, source=stranger, target=neighbour)) == "account_unknown"
    assert holds(town, neighbour) == 10


def test_nobody_gives_to_himself(town: Database) -> None:
    with town.begin() as session:
        neighbour = resident(session, 10)
    assert code_of(town, lambda session: give(session, neighbour, neighbour, 1)) == "self_transfer"


@pytest.mark.parametrize("kind", [Kind.CANCELLATION_POOL, Kind.RETIREMENT])
def test_nothing_leaves_the_pool_or_retirement(town: Database, kind: Kind) -> None:
    with town.begin() as session:
        neighbour, grave = resident(session, 10), ledger.system_account(session, kind)
        give(session, neighbour, grave, 5)
    refusal = refusal_of(town, lambda session: give(session, grave, neighbour, 1))
    assert (refusal.code, refusal.facts) == ("account_never_sends", {"account": grave})


def test_credits_never_go_back_to_where_they_were_minted(town: Database) -> None:
    with town.begin() as session:
        neighbour, mint = resident(session, 10), ledger.system_account(session, Kind.ISSUANCE)
    assert code_of(town, lambda session: give(session, neighbour, mint, 1)) == "account_never_receives"


def test_credits_do_not_move_to_a_cash_account_nor_fen_to_a_credit_account(town: Database) -> None:
    with town.begin() as session:
        neighbour, purse = resident(session, 10), ledger.open_account(session, Kind.PERSON, asset=CNY)
        bank = ledger.system_account(session, Kind.BANK, asset=CNY)
    refusal = refusal_of(town, lambda session: post(session, source=neighbour, target=purse))
    assert (refusal.code, refusal.facts) == ("asset_differs", {"account": purse, "asset": "credit"})
    refusal = refusal_of(town, lambda session: post(session, source=bank, target=neighbour, asset=CNY))
    assert (refusal.code, refusal.facts) == ("asset_differs", {"account": neighbour, "asset": "cny"})
    refusal = refusal_of(town, lambda session: post(session, source=purse, target=bank))
    assert (refusal.code, refusal.facts) == ("asset_differs", {"account": purse, "asset": "credit"})


def test_only_the_first_refusal_is_told(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
        used = fresh()
        give(session, giver, receiver, 1, used)
    wrong = [
        ({"amount": 0, "reference": "", "source": receiver, "target": receiver}, "amount_out_of_range"),
        ({"reference": "", "source": receiver, "target": receiver}, "reference_invalid"),
        ({"source": 0, "target": 0}, "account_unknown"),
        ({"source": receiver, "target": receiver, "reference": used}, "self_transfer"),
        ({"source": 999_999_999, "target": receiver, "reference": used}, "reference_reused"),
        ({"source": giver, "target": 999_999_999, "amount": 11}, "account_unknown"),
    ]
    for words, code in wrong:
        assert code_of(town, lambda session, words=words: post(session, **words)) == code, words


# References ------------------------------------------------------------------------------------


def test_the_same_reference_with_the_same_words_has_one_effect(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
        reference = fresh()
        first = give(session, giver, receiver, 4, reference)
    for _ in range(2):
        with town.begin() as session:
            again = give(session, giver, receiver, 4, reference)
        assert (again.id, again.again) == (first.id, True)
    assert (holds(town, giver), holds(town, receiver)) == (6, 4)


def test_the_first_outcome_is_told_even_when_it_could_not_be_made_again(town: Database) -> None:
    with town.begin() as session:
        giver, receiver, other = resident(session, 4), resident(session), resident(session)
        reference = fresh()
        first = give(session, giver, receiver, 4, reference)
        give(session, receiver, other, 4)
        ledger.close_account(session, giver)
        assert give(session, giver, receiver, 4, reference) == ledger.Posted(first.id, again=True)


def test_the_same_reference_with_other_words_is_refused(town: Database) -> None:
    with town.begin() as session:
        giver, receiver, other = resident(session, 10), resident(session, 10), resident(session)
        reference = fresh()
        give(session, giver, receiver, 4, reference)
    for changed in (
        {"amount": 5}, {"target": other}, {"source": other}, {"source": receiver, "target": giver},
        {"purpose": Purpose.DONATE}, {"asset": CNY},
    ):  # fmt: skip
        words = {"source": giver, "target": receiver, "amount": 4, "reference": reference} | changed
        assert code_of(town, lambda session, words=words: post(session, **words)) == "reference_reused", changed
    assert (holds(town, giver), holds(town, receiver)) == (6, 14)


def test_a_reference_that_was_refused_may_be_used_again(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 4), resident(session)
    reference = fresh()
    assert code_of(town, lambda session: give(session, giver, receiver, 5, reference)) == "not_enough"
    with town.begin() as session:
        assert not give(session, giver, receiver, 4, reference).again


def test_eight_who_use_one_reference_at_once_have_one_effect(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 100), resident(session)
    reference, together = fresh(), threading.Barrier(8)

    def ask(_: int) -> ledger.Posted:
        together.wait()
        return town.run(lambda session: give(session, giver, receiver, 5, reference))

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(ask, range(8)))
    assert len({outcome.id for outcome in outcomes}) == 1
    assert sorted(outcome.again for outcome in outcomes) == [False] + [True] * 7
    assert holds(town, receiver) == 5


def test_two_hundred_spends_at_once_let_exactly_a_hundred_through(town: Database) -> None:
    with town.begin() as session:
        spender, receivers = resident(session, 100), ledger.open_accounts(session, Kind.PERSON, count=4)

    def spend(number: int) -> str:
        try:
            town.run(lambda session: give(session, spender, receivers[number % 4], 1))
        except ledger.NotEnough:
            return "refused"
        return "done"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(spend, range(200)))
    assert outcomes.count("done") == 100
    assert sum(holds(town, receiver) for receiver in receivers) == 100
    assert holds(town, spender) == 0


@pytest.mark.parametrize("reference", ["!", "~" * 200, "a:b/c#2", "\\N", "x\\ty", "%s"])
def test_a_reference_is_one_to_two_hundred_visible_characters(town: Database, reference: str) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
        give(session, giver, receiver, 1, reference)
        entered = ledger.transfer_under(session, reference)
    assert entered is not None and (entered.source, entered.target, entered.amount) == (giver, receiver, 1)


@pytest.mark.parametrize("reference", ["", " ", "a b", "x" * 201, "编号", "a\n", "\ta", "a\0b", "é", None, 7, b"x"])
def test_anything_else_is_not_a_reference(town: Database, reference: object) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
    for work in (
        lambda session: post(session, source=giver, target=receiver, reference=reference),
        lambda session: ledger.post_group(
            session, [Leg(purpose=Purpose.GIVE, source=giver, target=receiver, amount=1)],
            reference=reference, business_date=DAY,
        ),
        lambda session: ledger.hold(
            session, purpose=Purpose.GIVE, source=giver, target=receiver, amount=1, reference=reference,
            business_date=DAY, seconds=1,
        ),
        lambda session: ledger.capture(session, 1, amount=1, reference=reference, business_date=DAY),
    ):
        assert code_of(town, work) == "reference_invalid"


def test_a_reference_that_nobody_used_has_no_transfer(town: Database) -> None:
    with town.begin() as session:
        assert ledger.transfer_under(session, "never-used") is None


def test_the_business_date_is_the_callers_and_the_instant_the_databases(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
        post(session, source=giver, target=receiver, business_date=DAY - timedelta(days=400))
        line = ledger.statement(session, giver, most=1).lines[0]
    assert line.business_date == DAY - timedelta(days=400)
    assert line.at.tzinfo is not None and line.at.date() > DAY - timedelta(days=400)


# Groups ----------------------------------------------------------------------------------------


def _legs(*movements: tuple[int, int, int]) -> list[Leg]:
    return [Leg(purpose=Purpose.GIVE, source=a, target=b, amount=n) for a, b, n in movements]


def _group(session: Session, legs: list[Leg], reference: str) -> list[ledger.Posted]:
    return ledger.post_group(session, legs, reference=reference, business_date=DAY)


def test_a_group_happens_together_and_shares_its_first_number(town: Database) -> None:
    with town.begin() as session:
        giver, first, second = resident(session, 10), resident(session), resident(session)
        posted = _group(session, _legs((giver, first, 3), (giver, second, 7)), fresh())
        groups = ledger.posting.connection_of(session).execute(
            "SELECT DISTINCT group_id FROM transfer WHERE id = ANY (%s)", ([leg.id for leg in posted],)
        ).fetchall()
    assert groups == [(posted[0].id,)]
    assert (holds(town, giver), holds(town, first), holds(town, second)) == (0, 3, 7)


def test_a_group_of_which_one_leg_is_refused_does_not_happen(town: Database) -> None:
    with town.begin() as session:
        giver, first, second = resident(session, 10), resident(session), resident(session)
    reference = fresh()
    assert code_of(town, lambda session: _group(session, _legs((giver, first, 3), (giver, second, 8)), reference)) == "not_enough"
    assert (holds(town, giver), holds(town, first), holds(town, second)) == (10, 0, 0)
    with town.begin() as session:
        assert ledger.transfer_under(session, reference) is None


def test_a_later_leg_may_spend_what_an_earlier_one_brought(town: Database) -> None:
    with town.begin() as session:
        giver, broker, taker = resident(session, 10), resident(session), resident(session)
        _group(session, _legs((giver, broker, 10), (broker, taker, 10)), fresh())
    assert (holds(town, giver), holds(town, broker), holds(town, taker)) == (0, 0, 10)


def test_a_group_is_repeated_as_a_whole(town: Database) -> None:
    with town.begin() as session:
        giver, first, second = resident(session, 10), resident(session), resident(session)
    legs, reference = _legs((giver, first, 3), (giver, second, 7)), fresh()
    with town.begin() as session:
        made = _group(session, legs, reference)
    with town.begin() as session:
        again = _group(session, legs, reference)
    assert [leg.id for leg in again] == [leg.id for leg in made] and all(leg.again for leg in again)
    assert holds(town, second) == 7


def test_a_group_of_another_number_of_legs_or_of_other_words_is_refused(town: Database) -> None:
    with town.begin() as session:
        giver, first, second = resident(session, 20), resident(session), resident(session)
    legs, reference = _legs((giver, first, 3), (giver, second, 7)), fresh()
    with town.begin() as session:
        _group(session, legs, reference)
    for other in (legs[:1], [*legs, *_legs((giver, first, 1))], legs[::-1], _legs((giver, first, 3), (giver, second, 8))):
        assert code_of(town, lambda session, other=other: _group(session, other, reference)) == "reference_reused"
    assert (holds(town, giver), holds(town, first), holds(town, second)) == (10, 3, 7)


def test_a_group_of_one_is_a_transfer(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 20), resident(session)
    reference = fresh()
    with town.begin() as session:
        [made] = _group(session, _legs((giver, receiver, 3)), reference)
    with town.begin() as session:
        assert give(session, giver, receiver, 3, reference) == ledger.Posted(made.id, again=True)


def test_a_group_of_credits_and_fen_moves_both_or_neither(town: Database) -> None:
    with town.begin() as session:
        department, pool = organisation(session, Kind.DEPARTMENT), ledger.system_account(session, Kind.CANCELLATION_POOL)
        give(session, resident(session, 10), department, 10)
        cash, purse = ledger.open_account(session, Kind.FUND_CASH, asset=CNY), ledger.open_account(session, Kind.PAYABLE, asset=CNY)
        bank = ledger.system_account(session, Kind.BANK, asset=CNY)
        post(session, purpose=Purpose.FUND_BUDGET, source=bank, target=cash, amount=99, asset=CNY)
    for fen, code in ((100, "not_enough"), (99, "done")):
        legs = [
            Leg(purpose=Purpose.CORRECT, source=department, target=pool, amount=10),
            Leg(purpose=Purpose.CORRECT, source=cash, target=purse, amount=fen, asset=CNY),
        ]
        assert code_of(town, lambda session, legs=legs: _group(session, legs, fresh())) == code
    assert (free(town, department), free(town, cash), free(town, purse)) == (0, 0, 99)


def test_looking_a_group_up_again_reads_no_more_than_the_group(town: Database) -> None:
    """20 years of history must not slow a payment (design section 13)."""
    with town.begin() as session:
        giver, receiver = resident(session, 50), resident(session)
        connection = ledger.posting.connection_of(session)
        for _ in range(30):
            _group(session, _legs((giver, receiver, 1), (receiver, giver, 1)), fresh())
        connection.execute("SET LOCAL enable_seqscan = off")
        seen = connection.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'transfer'").fetchone()
        _group(session, _legs((giver, receiver, 1), (receiver, giver, 1)), fresh())
        now = connection.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'transfer'").fetchone()
    assert now == seen


# Corrections -----------------------------------------------------------------------------------


def _reverse(session: Session, transfer: int, reference: str | None = None) -> ledger.Posted:
    return ledger.reverse(session, transfer, reference=reference or fresh("undo"), business_date=DAY)


def test_a_transfer_is_undone_by_a_second_one_the_other_way_round(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session)
        made = give(session, giver, receiver, 4)
    reference = fresh("undo")
    with town.begin() as session:
        undone = _reverse(session, made.id, reference)
        line = ledger.statement(session, giver, most=1).lines[0]
    assert (line.transfer, line.purpose, line.amount) == (undone.id, Purpose.CORRECT, 4)
    assert (holds(town, giver), holds(town, receiver)) == (10, 0)
    with town.begin() as session:
        assert _reverse(session, made.id, reference) == ledger.Posted(undone.id, again=True)
    assert holds(town, giver) == 10


def test_a_transfer_is_undone_once(town: Database) -> None:
    with town.begin() as session:
        giver, receiver = resident(session, 10), resident(session, 10)
        made = give(session, giver, receiver, 4)
        _reverse(session, made.id)
    assert code_of(town, lambda session: _reverse(session, made.id)) == "reference_reused"
    assert (holds(town, giver), holds(town, receiver)) == (10, 10)


def test_what_was_spent_since_cannot_be_undone(town: Database) -> None:
    with town.begin() as session:
        giver, receiver, other = resident(session, 10), resident(session), resident(session)
        made = give(session, giver, receiver, 4)
        give(session, receiver, other, 1)
    refusal = refusal_of(town, lambda session: _reverse(session, made.id))
    assert refusal.code == "not_enough" and refusal.facts["available"] == 3


def test_neither_a_mint_nor_a_retirement_can_be_undone(town: Database) -> None:
    with town.begin() as session:
        owner = resident(session, 10)
        minted = ledger.statement(session, owner).lines[0].transfer
        retired = give(session, owner, ledger.system_account(session, Kind.RETIREMENT), 4)
    assert code_of(town, lambda session: _reverse(session, minted)) == "account_never_receives"
    assert code_of(town, lambda session: _reverse(session, retired.id)) == "account_never_sends"


def test_a_transfer_that_was_never_made_cannot_be_undone(town: Database) -> None:
    assert code_of(town, lambda session: _reverse(session, 999_999_999)) == "transfer_unknown"


# Append-only -----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["transfer", "move", "issue"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_what_was_entered_is_never_rewritten_not_even_by_the_owner(town: Database, table: str, statement: str) -> None:
    with town.begin() as session:
        give(session, resident(session, 10), resident(session), 4)
    column = {"transfer": "amount", "move": "last", "issue": "last"}[table]
    words = statement.format(table, column, column)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), town.connect() as connection:
        connection.execute(words)
    with pytest.raises(psycopg.Error, match="never changed or removed") as refused, town.connect_as_owner() as connection:
        connection.execute(words)
    assert refused.value.sqlstate == "CH001"


def test_the_application_cannot_put_the_guards_to_sleep(town: Database) -> None:
    for words in (
        "ALTER TABLE transfer DISABLE TRIGGER ALL", "SET session_replication_role = replica",
        "DROP TABLE transfer", "ALTER TABLE balance DROP CONSTRAINT no_account_overdrawn",
        "CREATE OR REPLACE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
        "DELETE FROM balance", "DELETE FROM account", "UPDATE account SET kind = 1", "DELETE FROM hold",
    ):  # fmt: skip
        with pytest.raises(psycopg.Error), town.connect() as connection:
            connection.execute(words)


def test_the_store_itself_refuses_an_overdrawn_account(town: Database) -> None:
    with town.begin() as session:
        neighbour = resident(session, 10)
    for words in ("posted = -1", "held = 11", "held = -1"):
        with pytest.raises(psycopg.errors.CheckViolation, match="no_account_overdrawn"), town.connect() as connection:
            connection.execute(f"UPDATE balance SET {words} WHERE account_id = {neighbour}")
