"""At the year-end the reward fund buys departments' credits back at par, and they are cancelled (Articles 19, 31)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from carbonhui import fund, ledger, policy, privacy, publicfees
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings
from carbonhui.ledger import CNY, Kind
from tests.ledger.books import DAY, code_of, fresh, give, holds, organisation, put_in_force, refusal_of, resident
from tests.participants.people import Town

YEAR_END = date(2026, 12, 31)
#: Fen that a thousand credits are worth: 37 credits are 758.5 fen, so every bill is rounded on its own.
PAR = 20_500


@pytest.fixture(scope="module", autouse=True)
def values(town: Database) -> None:
    with town.begin() as session:
        put_in_force(session, policy.PAR, PAR, date(2020, 1, 1))
        put_in_force(session, policy.OFFSET_CAP, 10, date(2020, 1, 1))


def department_with(session: Session, *credits: int, day: date = DAY) -> tuple[int, int]:
    """A department that received these offsets, and its cash account."""
    department, purse = organisation(session, Kind.DEPARTMENT), organisation(session, Kind.PAYABLE, asset=CNY)
    offsets(session, department, *credits, day=day)
    return department, purse


def offsets(session: Session, department: int, *credits: int, day: date = DAY) -> None:
    for each in credits:
        words: dict[str, Any] = {"resident": resident(session, each), "credits": each, "bill_fen": 100_000}
        publicfees.offset_bill(session, department=department, bill=fresh("bill"), reference=fresh("offset"), business_date=day, **words)


def budget(session: Session, fen: int, reference: str | None = None) -> ledger.Posted:
    return fund.receive_budget(session, fen=fen, reference=reference or fresh("budget"), business_date=DAY)  # type: ignore[arg-type]


def purchase(session: Session, department: int, purse: int, *, through: date = YEAR_END, reference: str | None = None) -> fund.Purchase:
    return fund.purchase_at_par(
        session, department=department, cash_account=purse, through=through, reference=reference or fresh("close"), business_date=YEAR_END
    )


def cash(database: Database) -> int:
    with database.begin() as session:
        return ledger.balance_of(session, ledger.system_account(session, Kind.FUND_CASH, asset=CNY)).posted


def pool(database: Database) -> int:
    with database.begin() as session:
        return ledger.balance_of(session, ledger.system_account(session, Kind.CANCELLATION_POOL)).posted


def test_the_budget_arrives_from_the_bank_once(town: Database) -> None:
    before, reference = cash(town), fresh("budget")
    for again in (False, True):
        with town.begin() as session:
            assert budget(session, 900, reference).again is again
    assert code_of(town, lambda session: budget(session, 901, reference)) == "reference_reused"
    assert code_of(town, lambda session: budget(session, 0)) == "amount_out_of_range"
    assert cash(town) - before == 900


def test_the_purchase_ties_out_to_the_fen(town: Database) -> None:
    with town.begin() as session:
        department, purse = department_with(session, 37, 37, 1)
        budget(session, 10_000)
    before_cash, before_pool = cash(town), pool(town)
    with town.begin() as session:
        bought = purchase(session, department, purse)
    fen = sum(each * PAR // 1000 for each in (37, 37, 1))
    assert fen == 1536 < 75 * PAR // 1000  # each bill was rounded down when it was paid
    assert (bought.credits, bought.fen, bought.department, bought.again) == (75, fen, department, False)
    assert (holds(town, department), holds(town, purse)) == (0, fen)
    assert (before_cash - cash(town), pool(town) - before_pool) == (fen, 75)
    with town.begin() as session:
        assert publicfees.owed(session, department, through=YEAR_END).credits == 0


def test_a_purchase_that_is_repeated_is_made_once(town: Database) -> None:
    with town.begin() as session:
        department, purse = department_with(session, 37)
        budget(session, 10_000)
    reference = fresh("close")
    with town.begin() as session:
        first = purchase(session, department, purse, reference=reference)
    with town.begin() as session:
        offsets(session, department, 50)
    with town.begin() as session:
        again = purchase(session, department, purse, reference=reference)
    assert again == fund.Purchase(first.id, department, first.credits, first.fen, again=True)
    assert (holds(town, department), holds(town, purse)) == (50, first.fen)


def test_what_comes_after_a_purchase_is_paid_by_the_next(town: Database) -> None:
    with town.begin() as session:
        department, purse = department_with(session, 37)
        budget(session, 10_000)
        purchase(session, department, purse)
        offsets(session, department, 50)
        second = purchase(session, department, purse)
    assert (second.credits, second.fen) == (50, 1025)


def test_only_offsets_through_the_day_are_paid(town: Database) -> None:
    with town.begin() as session:
        department, purse = department_with(session, 37)
        offsets(session, department, 50, day=YEAR_END + timedelta(days=1))
        budget(session, 10_000)
        assert purchase(session, department, purse).credits == 37
    assert holds(town, department) == 50


def test_the_worth_is_that_of_the_day_of_the_offset_although_par_changed_since(unchecked_database: Database) -> None:
    with unchecked_database.begin() as session:
        put_in_force(session, policy.PAR, 1000, date(2026, 1, 1))
        put_in_force(session, policy.OFFSET_CAP, 10, date(2026, 1, 1))
        put_in_force(session, policy.PAR, 3000, date(2026, 7, 1))
        department, purse = department_with(session, 10, day=date(2026, 6, 30))
        offsets(session, department, 10, day=date(2026, 7, 1))
        budget(session, 40)
        assert purchase(session, department, purse).fen == 40


def test_nothing_owed_is_refused(town: Database) -> None:
    with town.begin() as session:
        department, purse = department_with(session)
        busy, busy_purse = department_with(session, 37)
        give(session, resident(session, 5), department, 5)
        budget(session, 10_000)
    for through in (YEAR_END, DAY):
        assert code_of(town, lambda session, day=through: purchase(session, department, purse, through=day)) == "nothing_owed"
    refusal = refusal_of(town, lambda session: purchase(session, busy, busy_purse, through=DAY - timedelta(days=1)))
    assert (refusal.code, refusal.facts) == ("nothing_owed", {"department": busy, "through": DAY - timedelta(days=1)})


@pytest.mark.parametrize("lacking", [1, 757, 0])
def test_a_fund_without_enough_cash_buys_nothing_and_nothing_is_half_done(unchecked_database: Database, lacking: int) -> None:
    with unchecked_database.begin() as session:
        put_in_force(session, policy.PAR, PAR, DAY)
        put_in_force(session, policy.OFFSET_CAP, 10, DAY)
        department, purse = department_with(session, 37)
        budget(session, 758 - lacking)
    reference = fresh("close")
    code = code_of(unchecked_database, lambda session: purchase(session, department, purse, reference=reference))
    if not lacking:
        assert code == "done"
        return
    assert code == "not_enough"
    assert (holds(unchecked_database, department), holds(unchecked_database, purse), pool(unchecked_database)) == (37, 0, 0)
    with unchecked_database.begin() as session:
        assert publicfees.owed(session, department, through=YEAR_END).fen == 758
        assert ledger.transfer_under(session, reference) is None
        budget(session, lacking)
        assert purchase(session, department, purse, reference=reference).fen == 758


def test_a_department_that_gave_its_credits_away_is_not_paid_for_them(town: Database) -> None:
    with town.begin() as session:
        department, purse = department_with(session, 37)
        charity = organisation(session, Kind.CHARITY)
        give(session, department, charity, 1)
        budget(session, 10_000)
    assert code_of(town, lambda session: purchase(session, department, purse)) == "not_enough"
    assert (holds(town, department), holds(town, purse)) == (36, 0)


def test_a_purchase_under_a_reference_of_something_else_is_refused(town: Database) -> None:
    with town.begin() as session:
        first, purse = department_with(session, 37)
        second, second_purse = department_with(session, 40)
        budget(session, 10_000)
        used, gift = fresh("close"), fresh("gift")
        purchase(session, first, purse, reference=used)
        give(session, resident(session, 5), second, 5, gift)
    for reference in (used, gift):
        assert code_of(town, lambda session, reference=reference: purchase(session, second, second_purse, reference=reference)) == "reference_reused"
    code = code_of(town, lambda session: purchase(session, first, purse, reference=used, through=YEAR_END + timedelta(days=1)))
    assert code == "reference_reused"
    assert holds(town, second) == 45


def test_a_purchase_repeated_with_another_cash_account_is_refused(town: Database) -> None:
    with town.begin() as session:
        department, purse = department_with(session, 37)
        other = organisation(session, Kind.PAYABLE, asset=CNY)
        budget(session, 10_000)
        reference = fresh("close")
        purchase(session, department, purse, reference=reference)
    assert code_of(town, lambda session: purchase(session, department, other, reference=reference)) == "reference_reused"


def test_a_purchase_is_paid_to_a_departments_cash_account_only(town: Database) -> None:
    with town.begin() as session:
        department, _ = department_with(session, 37)
        thief = ledger.open_account(session, Kind.PERSON, asset=CNY)
        budget(session, 10_000)
    assert code_of(town, lambda session: purchase(session, department, thief)) == "account_kind_differs"


def test_a_credit_account_is_no_cash_account(town: Database) -> None:
    with town.begin() as session:
        department, _ = department_with(session, 37)
        neighbour = resident(session)
        budget(session, 10_000)
    assert code_of(town, lambda session: purchase(session, department, neighbour)) in ("asset_differs", "account_kind_differs")
    assert holds(town, department) == 37


def test_of_four_purchases_at_once_one_pays(town: Database) -> None:
    with town.begin() as session:
        department, purse = department_with(session, 37, 40)
        budget(session, 10_000)
    together = threading.Barrier(4)

    def ask(_: int) -> str:
        together.wait()
        try:
            town.run(lambda session: purchase(session, department, purse))
        except Refusal as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(4) as workers:
        answers = sorted(workers.map(ask, range(4)))
    assert answers == ["done", "nothing_owed", "nothing_owed", "nothing_owed"]
    assert holds(town, purse) == 758 + 820


def test_a_purchase_is_never_rewritten_not_even_by_the_owner(town: Database) -> None:
    with town.begin() as session:
        department, purse = department_with(session, 37)
        budget(session, 10_000)
        purchase(session, department, purse)
    for change in ("UPDATE par_purchase SET fen = 1", "DELETE FROM par_purchase", "UPDATE bill_offset SET purchase_id = NULL"):
        with pytest.raises(psycopg.Error, match="never changed or removed"), town.connect_as_owner() as connection:
            connection.execute(change)


def test_a_department_is_paid_into_the_purse_that_its_approval_tied_to_it(database: Database, settings: Settings) -> None:
    offices = Town(database, privacy.open_vault(settings), settings)
    water, power = offices.approved("department"), offices.approved("department")
    assert water.account_id and water.cash_account_id and power.cash_account_id
    with database.begin() as session:
        put_in_force(session, policy.PAR, PAR, date(2020, 1, 1))
        put_in_force(session, policy.OFFSET_CAP, 10, date(2020, 1, 1))
        by_hand = ledger.open_account(session, Kind.DEPARTMENT, name="gasworks")
        purse = ledger.open_account(session, Kind.DEPARTMENT, name="gasworks-cash", asset=CNY)
        offsets(session, water.account_id, 37)
        offsets(session, by_hand, 37)
        budget(session, 10_000)
    for department, strange in (
        (water.account_id, power.cash_account_id), (water.account_id, purse), (by_hand, water.cash_account_id)
    ):  # fmt: skip
        assert code_of(database, lambda session, d=department, p=strange: purchase(session, d, p)) == "purse_of_another"
    for department, own in ((water.account_id, water.cash_account_id), (by_hand, purse)):
        database.run(lambda session, d=department, p=own: purchase(session, d, p))  # type: ignore[misc]
        assert holds(database, own) == 758
