"""Up to a tenth of a public bill may be paid in credits (Article 19)."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from carbonhui import fund, ledger, policy, publicfees
from carbonhui.core.database import Database, connection_of
from carbonhui.ledger import CNY, Kind, Purpose
from tests.ledger.books import (
    DAY,
    broken,
    code_of,
    fresh,
    give,
    holds,
    organisation,
    put_in_force,
    refusal_of,
    resident,
)


@pytest.fixture(scope="module", autouse=True)
def one_credit_is_one_fen(town: Database) -> None:
    with town.begin() as session:
        put_in_force(session, policy.PAR, 1000, date(2020, 1, 1))
        put_in_force(session, policy.OFFSET_CAP, 10, date(2020, 1, 1))


def words(payer: int, department: int, credits: int, *, bill_fen: int = 1999, **changed: Any) -> dict[str, Any]:
    given = {
        "resident": payer, "department": department, "bill": fresh("bill"), "bill_fen": bill_fen, "credits": credits,
        "reference": fresh("offset"), "business_date": DAY,
    }  # fmt: skip
    return given | changed


def offset(session: Session, *given: int, **changed: Any) -> ledger.Posted:
    return publicfees.offset_bill(session, **words(*given, **changed))


@pytest.fixture
def payer(town: Database) -> int:
    with town.begin() as session:
        return resident(session, 1000)


@pytest.fixture
def water_department(town: Database) -> int:
    with town.begin() as session:
        return organisation(session, Kind.DEPARTMENT)


def test_a_tenth_of_a_bill_is_rounded_down() -> None:
    for bill, cap in ((0, 0), (9, 0), (10, 1), (1989, 198), (1990, 199), (1999, 199), (2000, 200)):
        assert publicfees.offset_cap(bill, percent=10) == cap  # type: ignore[arg-type]
    assert publicfees.offset_cap(2**53 - 1, percent=10) == (2**53 - 1) // 10  # type: ignore[arg-type]


@for_all(st.integers(0, 2**53 - 1), st.integers(0, 10))
def test_the_cap_never_passes_its_per_cent_by_a_fen_nor_misses_it_by_one(bill: int, percent: int) -> None:
    cap = publicfees.offset_cap(bill, percent=percent)  # type: ignore[arg-type]
    assert 100 * cap <= bill * percent < 100 * (cap + 1)


@for_all(st.integers(0, 2**53 - 1), st.integers(1, 10**9))
def test_worth_is_rounded_down_in_favour_of_the_fund(credits: int, par: int) -> None:
    fen = publicfees.worth(credits, par_fen_per_1000=par)  # type: ignore[arg-type]
    assert 1000 * fen <= credits * par < 1000 * (fen + 1)


@for_all(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**5))
def test_useful_credits_pay_as_much_as_may_be_and_one_fewer_pays_less(credits: int, cap: int, par: int) -> None:
    useful = publicfees.useful_credits(credits, cap, par_fen_per_1000=par)  # type: ignore[arg-type]
    fen = useful * par // 1000
    assert useful <= credits and fen <= cap
    assert useful == 0 or (useful - 1) * par // 1000 < fen
    more = min(credits, useful + -(-1000 // par))
    assert more == useful or more * par // 1000 == fen or more * par // 1000 > cap


def test_useful_credits_stop_at_the_cap() -> None:
    assert publicfees.useful_credits(1000, 199, par_fen_per_1000=1000) == 199  # type: ignore[arg-type]


def test_exactly_a_tenth_of_a_bill_may_be_paid_in_credits(town: Database, payer: int, water_department: int) -> None:
    with town.begin() as session:
        offset(session, payer, water_department, 199)
        assert ledger.statement(session, payer).lines[0].purpose == Purpose.OFFSET
    assert (holds(town, payer), holds(town, water_department)) == (801, 199)


def test_one_fen_less_than_a_tenth_may_be_paid(town: Database, payer: int, water_department: int) -> None:
    assert code_of(town, lambda session: offset(session, payer, water_department, 198)) == "done"


def test_one_fen_more_than_a_tenth_is_refused(town: Database, payer: int, water_department: int) -> None:
    refusal = refusal_of(town, lambda session: offset(session, payer, water_department, 200))
    assert refusal.code == "offset_above_cap"
    assert refusal.facts == {"credits": 200, "asked_fen": 200, "bill_fen": 1999, "cap_fen": 199}
    assert holds(town, payer) == 1000


def test_a_bill_of_nine_fen_cannot_be_offset_at_all(town: Database, payer: int, water_department: int) -> None:
    assert code_of(town, lambda session: offset(session, payer, water_department, 1, bill_fen=9)) == "offset_above_cap"
    assert code_of(town, lambda session: offset(session, payer, water_department, 1, bill_fen=10)) == "done"


def test_the_cap_is_told_before_the_balance(town: Database, water_department: int) -> None:
    with town.begin() as session:
        poor = resident(session)
    assert code_of(town, lambda session: offset(session, poor, water_department, 200)) == "offset_above_cap"
    assert code_of(town, lambda session: offset(session, poor, water_department, 199)) == "not_enough"


def test_a_bill_is_offset_once(town: Database, payer: int, water_department: int) -> None:
    with town.begin() as session:
        offset(session, payer, water_department, 10, bill="W-1")
        other = resident(session, 100)
    for who in (payer, other):
        refusal = refusal_of(town, lambda session, who=who: offset(session, who, water_department, 10, bill="W-1"))
        assert (refusal.code, refusal.facts) == ("bill_offset_before", {"bill": "W-1", "credits": 10})
    assert (holds(town, payer), holds(town, other)) == (990, 100)


def test_two_departments_may_number_their_bills_alike(town: Database, payer: int, water_department: int) -> None:
    with town.begin() as session:
        gas_department = organisation(session, Kind.DEPARTMENT)
        offset(session, payer, water_department, 10, bill="B-1")
        offset(session, payer, gas_department, 10, bill="B-1")
    assert holds(town, payer) == 980


def test_an_offset_that_is_repeated_is_made_once(town: Database, payer: int, water_department: int) -> None:
    asked = words(payer, water_department, 100)
    outcomes = []
    for _ in range(3):
        with town.begin() as session:
            outcomes.append(publicfees.offset_bill(session, **asked))
    assert [outcome.again for outcome in outcomes] == [False, True, True]
    assert len({outcome.id for outcome in outcomes}) == 1
    assert holds(town, water_department) == 100


def test_the_same_reference_with_other_words_is_refused(town: Database, payer: int, water_department: int) -> None:
    asked = words(payer, water_department, 100)
    with town.begin() as session:
        publicfees.offset_bill(session, **asked)
        gas_department, other = organisation(session, Kind.DEPARTMENT), resident(session, 500)
    for changed in (
        {"credits": 101}, {"bill_fen": 2999}, {"bill": "another"}, {"department": gas_department}, {"resident": other},
    ):  # fmt: skip
        code = code_of(town, lambda session, changed=changed: publicfees.offset_bill(session, **(asked | changed)))
        assert code == "reference_reused", changed
    assert (holds(town, payer), holds(town, water_department)) == (900, 100)


def test_only_departments_take_offsets(town: Database, payer: int) -> None:
    with town.begin() as session:
        others = [organisation(session, kind) for kind in (Kind.MERCHANT, Kind.CHARITY, Kind.ORGANISATION)] + [resident(session)]
    for other in others:
        assert code_of(town, lambda session, other=other: offset(session, payer, other, 10)) == "account_kind_differs"


@pytest.mark.parametrize("bill", ["", " ", "a b", "账单", "x" * 101, "a\n"])
def test_a_bill_has_a_number(town: Database, payer: int, water_department: int, bill: str) -> None:
    assert code_of(town, lambda session: offset(session, payer, water_department, 10, bill=bill)) == "bill_invalid"


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"bill_fen": 0}, "amount_out_of_range"), ({"bill_fen": -5}, "amount_out_of_range"), ({"bill_fen": 2**53}, "amount_out_of_range"),
     ({"bill_fen": 19.99}, "amount_not_whole"), ({"credits": 0}, "amount_out_of_range"), ({"credits": True}, "amount_not_whole"),
     ({"credits": "10"}, "amount_not_whole"), ({"bill_fen": None}, "amount_not_whole")],
)  # fmt: skip
def test_bills_and_credits_are_whole_numbers(
    town: Database, payer: int, water_department: int, changed: dict[str, Any], code: str
) -> None:
    assert code_of(town, lambda session: publicfees.offset_bill(session, **(words(payer, water_department, 10) | changed))) == code


def test_credits_worth_less_than_a_fen_pay_nothing(unchecked_database: Database) -> None:
    with unchecked_database.begin() as session:
        put_in_force(session, policy.PAR, 10, DAY)
        put_in_force(session, policy.OFFSET_CAP, 10, DAY)
        payer, department = resident(session, 1000), organisation(session, Kind.DEPARTMENT)
    refusal = refusal_of(unchecked_database, lambda session: offset(session, payer, department, 99))
    assert (refusal.code, refusal.facts) == ("offset_worth_nothing", {"credits": 99})
    with unchecked_database.begin() as session:
        offset(session, payer, department, 100)
        assert publicfees.owed(session, department, through=DAY).fen == 1


@pytest.mark.parametrize(("cap", "worth"), [(0, 0), (5, 99), (10, 199)])
def test_a_lower_cap_in_force_is_kept_to(unchecked_database: Database, cap: int, worth: int) -> None:
    with unchecked_database.begin() as session:
        put_in_force(session, policy.PAR, 1000, DAY)
        put_in_force(session, policy.OFFSET_CAP, cap, DAY)
        payer, department = resident(session, 1000), organisation(session, Kind.DEPARTMENT)
    assert code_of(unchecked_database, lambda session: offset(session, payer, department, worth + 1)) == "offset_above_cap"
    if worth:
        assert code_of(unchecked_database, lambda session: offset(session, payer, department, worth)) == "done"


def test_before_par_is_in_force_nothing_can_be_offset(town: Database, payer: int, water_department: int) -> None:
    early = date(2019, 12, 31)
    assert code_of(town, lambda session: offset(session, payer, water_department, 1, business_date=early)) == "not_in_force"


def test_what_is_owed_is_the_sum_of_the_offsets_through_a_day(town: Database, payer: int, water_department: int) -> None:
    with town.begin() as session:
        for days, credits in ((0, 100), (1, 50), (2, 7)):
            offset(session, payer, water_department, credits, business_date=DAY + timedelta(days=days))
        for days, credits, bills in ((-1, 0, 0), (0, 100, 1), (1, 150, 2), (9, 157, 3)):
            due = publicfees.owed(session, water_department, through=DAY + timedelta(days=days))
            assert (due.credits, due.fen, due.bills) == (credits, credits, bills)


def test_the_store_itself_refuses_one_fen_above_a_tenth_and_an_edited_offset(
    town: Database, payer: int, water_department: int
) -> None:
    with town.begin() as session:
        posted = give(session, payer, water_department, 1)
    for total, part, accepted in ((1999, 200, False), (1999, 199, True)):
        with town.connect() as connection:
            try:
                connection.execute(
                    "INSERT INTO bill_offset (department, bill, total_fen, offset_fen, credits, transfer_id, day) VALUES (%s, 'X', %s, %s, 1, %s, %s)",
                    (water_department, total, part, posted.id, DAY),
                )
            except psycopg.errors.CheckViolation as error:
                assert "at_most_a_tenth" in str(error) and not accepted
            else:
                assert accepted
            connection.rollback()
    with town.begin() as session:
        offset(session, payer, water_department, 10)
    for change in ("UPDATE bill_offset SET offset_fen = 1", "UPDATE bill_offset SET day = day + 1", "DELETE FROM bill_offset"):
        with pytest.raises(psycopg.Error, match="never changed or removed"), town.connect_as_owner() as connection:
            connection.execute(change)


# I9: offset <= 10 % per bill; sum of offsets = due = paid + owed ----------------------------------


@pytest.fixture
def hand(town: Database, payer: int, water_department: int) -> Iterator[Session]:
    """The owner's hand in the books of a department that was paid for one of two offsets; rolled back after the test."""
    with town.begin() as session:
        for credits, day in ((100, DAY), (50, DAY + timedelta(days=1))):
            offset(session, payer, water_department, credits, business_date=day)
        fund.receive_budget(session, fen=1000, reference=fresh("budget"), business_date=DAY)  # type: ignore[arg-type]
        purse = ledger.open_account(session, Kind.PAYABLE, asset=CNY)
        fund.purchase_at_par(
            session, department=water_department, cash_account=purse, through=DAY, reference=fresh("purchase"), business_date=DAY
        )
    engine = create_engine("postgresql+psycopg://", creator=town.connect_as_owner, poolclass=NullPool)
    with Session(engine) as session:
        connection_of(session).execute("SET LOCAL session_replication_role = replica")
        assert not ledger.run_checks(session, publicfees.CHECKS)["I9"]
        yield session
        session.rollback()
    engine.dispose()


def _i9(hand: Session) -> list[str]:
    return sorted({row.row["what"] for row in ledger.run_checks(hand, publicfees.CHECKS)["I9"]})


MINE = "department = {d}"
PAID = "id = (SELECT max(id) FROM bill_offset WHERE department = {d} AND purchase_id IS NOT NULL)"
OPEN = "id = (SELECT max(id) FROM bill_offset WHERE department = {d} AND purchase_id IS NULL)"
TENTH, TRANSFER, PURCHASE = "above a tenth of the bill", "credits differ from the transfer", "purchase differs from its offsets"


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (f"UPDATE bill_offset SET offset_fen = 200 WHERE {OPEN}", TENTH),
        (f"UPDATE bill_offset SET total_fen = 499 WHERE {OPEN}", TENTH),
        (f"UPDATE bill_offset SET credits = credits + 1 WHERE {OPEN}", TRANSFER),
        (f"DELETE FROM bill_offset WHERE {OPEN}", TRANSFER),
        (f"UPDATE bill_offset SET transfer_id = 77777 WHERE {OPEN}", TRANSFER),
        (f"UPDATE bill_offset SET department = 1 WHERE {OPEN}", TRANSFER),
        ("DELETE FROM transfer WHERE id = (SELECT max(id) FROM transfer WHERE purpose = 6)", TRANSFER),
        (f"UPDATE bill_offset SET purchase_id = NULL WHERE {PAID}", PURCHASE),
        (f"UPDATE bill_offset SET purchase_id = (SELECT max(id) FROM par_purchase) WHERE {OPEN}", PURCHASE),
        (f"UPDATE par_purchase SET fen = fen + 1 WHERE {MINE}", PURCHASE),
        (f"UPDATE par_purchase SET credits = credits - 1 WHERE {MINE}", PURCHASE),
    ],
)
def test_i9_names_what_does_not_tie_out(hand: Session, water_department: int, statement: str, what: str) -> None:
    connection = connection_of(hand)
    connection.execute("ALTER TABLE bill_offset DROP CONSTRAINT at_most_a_tenth")
    assert connection.execute(statement.format(d=water_department)).rowcount > 0
    assert what in _i9(hand)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(f"UPDATE bill_offset SET purchase_id = 77777 WHERE {OPEN}", id="paid_by_no_purchase"),
        pytest.param(f"DELETE FROM par_purchase WHERE {MINE}", id="purchase_gone"),
        pytest.param(f"UPDATE bill_offset SET offset_fen = offset_fen - 1 WHERE {OPEN}", id="worth_less_than_par"),
        pytest.param(f"UPDATE par_purchase SET transfer_id = 77777 WHERE {MINE}", id="purchase_without_transfer"),
        pytest.param("UPDATE transfer SET amount = amount - 1 WHERE purpose = 9 AND asset = 2", id="paid_less"),
        pytest.param(f"UPDATE par_purchase SET department = 1 WHERE {MINE}", id="paid_to_another"),
    ],
)
def test_i9_finds_what_was_paid_by_nobody_or_not_at_par(hand: Session, water_department: int, statement: str) -> None:
    assert connection_of(hand).execute(statement.format(d=water_department)).rowcount > 0
    assert _i9(hand)


def test_all_that_was_offset_here_ties_out(town: Database) -> None:
    assert broken(town, "I9") == {}
