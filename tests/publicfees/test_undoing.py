"""A bill that is cancelled or refunded gives back exactly the credits that were used on it (Article 19)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from carbonhui import ledger, participants, publicfees
from carbonhui.core.database import connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, broken, code_of, fresh, give, holds, refusal_of
from tests.participants.people import sqlstate_of
from tests.publicfees.offices import Offices


@pytest.fixture
def water(offices: Offices) -> participants.Organisation:
    return offices.waterworks()


def account_of(department: participants.Organisation) -> int:
    assert department.account_id is not None
    return department.account_id


@pytest.mark.parametrize("because", publicfees.CAUSES)
def test_a_bill_that_is_taken_back_gives_back_exactly_what_was_used(
    offices: Offices, water: participants.Organisation, because: str
) -> None:
    payer = offices.rich(100)
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer, 44)
    back = offices.taken_back(water, bill, because)
    assert (back.state, back.payable_fen) == (because, 0)
    assert back.used is not None and (back.used.credits, back.used.undone_on) == (44, DAY)
    assert (offices.credits(payer).posted, holds(offices.database, account_of(water))) == (100, 0)
    line = offices.run(lambda s: ledger.statement(s, payer.account_id)).lines[0]
    assert (line.purpose, line.amount) == (Purpose.REFUND, 44)
    assert offices.told(payer) == ["bill.undone", "bill.offset", "bill.presented"]


def test_taking_back_twice_gives_back_once(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(100)
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer, 44)
    assert offices.taken_back(water, bill) == offices.taken_back(water, bill)
    code = code_of(offices.database, lambda s: publicfees.take_back_bill(s, water, bill.handle, because="refunded", on=DAY))
    assert code == "bill_taken_back"
    assert offices.credits(payer).posted == 100
    assert offices.told(payer).count("bill.undone") == 1


def test_a_bill_that_was_taken_back_is_never_offset_again(offices: Offices, water: participants.Organisation) -> None:
    payer, other = offices.rich(100), offices.rich(100)
    for used in (True, False):
        bill = offices.bill_for(payer, water)
        if used:
            offices.offset(bill, payer, 44)
        offices.taken_back(water, bill)
        for attempt in (
            lambda s, b=bill: publicfees.offset_presented_bill(s, b.handle, payer=payer.account_id, credits=44, business_date=DAY),
            lambda s, b=bill: publicfees.offset_bill(
                s, resident=other.account_id, department=account_of(water), bill=b.number,
                bill_fen=8_800, credits=44,  # type: ignore[arg-type]
                reference=fresh("offset"), business_date=DAY,
            ),
            lambda s, b=bill: publicfees.offset_terms(s, b.handle, payer=payer.account_id, on=DAY),
        ):  # fmt: skip
            assert code_of(offices.database, attempt) == "bill_taken_back"
    assert (offices.credits(payer).posted, offices.credits(other).posted) == (100, 100)


def test_everybody_in_whose_list_it_stands_is_told_that_it_was_taken_back(
    offices: Offices, water: participants.Organisation
) -> None:
    payer, spouse = offices.rich(100), offices.resident()
    bill = offices.bill_for(payer, water)
    offices.run(lambda s: publicfees.look_up_bill(
        s, offices.vault, account=spouse.account_id, department=water.handle, number=bill.number, payer_reference="4401-0187 221", on=DAY
    ))  # fmt: skip
    offices.offset(bill, payer, 44)
    offices.taken_back(water, bill)
    assert offices.told(spouse) == ["bill.taken_back"]
    assert offices.one("SELECT count(*) FROM announcement WHERE topic = 'bill.taken_back' AND organisation = %s", water.id) == 1


def test_a_bill_of_anothers_and_one_that_is_not_there_read_alike(offices: Offices, water: participants.Organisation) -> None:
    gas = offices.waterworks()
    bill = offices.presented(water)
    for department, code in ((gas, "bill_unknown"), (offices.approved("merchant"), "not_department")):
        assert code_of(offices.database, lambda s, d=department: publicfees.take_back_bill(  # type: ignore[misc]
            s, d, bill.handle, because="cancelled", on=DAY
        )) == code  # fmt: skip


def test_a_suspended_department_still_gives_back(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(100)
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer, 44)
    offices.step(water, "suspend")
    offices.taken_back(water, bill)
    assert offices.credits(payer).posted == 100


def test_what_the_fund_bought_does_not_come_back(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(100)
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer, 44)
    offices.bought(water)
    refused = refusal_of(
        offices.database, lambda s: publicfees.take_back_bill(s, water, bill.handle, because="refunded", on=DAY)
    )
    assert (refused.code, refused.facts) == ("offset_purchased", {"bill": bill.number, "credits": 44, "offset_fen": 880})
    assert "in money" in str(refused) and "现金" in refused.text("zh")
    assert offices.credits(payer).posted == 56
    assert offices.run(lambda s: publicfees.bill_by_handle(s, bill.handle, department=account_of(water))).state == "open"


def test_what_was_undone_is_owed_and_bought_no_more(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(1000)
    bills = [offices.bill_for(payer, water) for _ in range(3)]
    for bill, credits in zip(bills, (44, 30, 20), strict=True):
        offices.offset(bill, payer, credits)
    offices.taken_back(water, bills[1])
    due = offices.run(lambda s: publicfees.owed(s, account_of(water), through=DAY))
    assert (due.credits, due.fen, due.bills) == (64, 1_280, 2)
    bought = offices.bought(water)
    assert (bought.credits, bought.fen) == (64, 1_280)
    assert holds(offices.database, account_of(water)) == 0


def test_credits_of_somebody_who_left_go_to_the_cancellation_pool(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(44)
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer, 44)
    offices.run(lambda s: participants.erase_person(s, offices.vault, payer, on=DAY))
    pool = offices.run(lambda s: ledger.system_account(s, Kind.CANCELLATION_POOL))
    before = holds(offices.database, pool)
    offices.taken_back(water, bill)
    assert holds(offices.database, pool) - before == 44
    assert offices.credits(payer).posted == 0
    purpose = "SELECT t.purpose FROM transfer t JOIN bill_offset s ON s.undone_transfer = t.id WHERE s.bill_id = %s"
    assert offices.one(purpose, bill.id) == Purpose.ABANDON


def test_a_department_that_gave_its_credits_away_has_none_to_give_back(offices: Offices, water: participants.Organisation) -> None:
    payer, charity = offices.rich(100), offices.approved("charity")
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer, 44)
    assert charity.account_id is not None
    offices.run(lambda s: give(s, account_of(water), charity.account_id, 1))  # type: ignore[arg-type]
    code = code_of(offices.database, lambda s: publicfees.take_back_bill(s, water, bill.handle, because="cancelled", on=DAY))
    assert code == "not_enough"
    assert offices.run(lambda s: publicfees.bill_by_handle(s, bill.handle, department=account_of(water))).state == "open"


# By hand, of a bill that was never presented ------------------------------------------------------


def test_an_offset_by_hand_is_undone_by_hand(offices: Offices, water: participants.Organisation) -> None:
    payer, number, reference = offices.rich(100), fresh("hand"), fresh("undo")
    words: dict[str, Any] = {"department": account_of(water), "bill": number, "business_date": DAY}
    offices.run(lambda s: publicfees.offset_bill(
        s, resident=payer.account_id, bill_fen=8_800, credits=44, reference=fresh("offset"), **words  # type: ignore[arg-type]
    ))  # fmt: skip

    def undo(because: str = "cancelled", under: str = reference) -> publicfees.Undone:
        return offices.run(lambda s: publicfees.undo_offset(s, because=because, reference=under, **words))

    first, again = undo(), undo()
    assert (first.credits, first.returned, first.again) == (44, True, False)
    assert (again.transfer, again.again) == (first.transfer, True)
    for other in ({"because": "refunded"}, {"under": fresh("undo")}):
        with pytest.raises(publicfees.OffsetUndoneBefore):
            undo(**other)
    refused = code_of(offices.database, lambda s: publicfees.offset_bill(
        s, resident=payer.account_id, bill_fen=8_800, credits=44, reference=fresh("offset"), **words  # type: ignore[arg-type]
    ))  # fmt: skip
    assert refused == "bill_offset_before"
    assert offices.credits(payer).posted == 100


def test_a_presented_bill_whose_offset_is_undone_by_hand_is_taken_back_with_it(
    offices: Offices, water: participants.Organisation
) -> None:
    payer = offices.rich(100)
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer, 44)
    offices.run(lambda s: publicfees.undo_offset(
        s, department=account_of(water), bill=bill.number, because="refunded", reference=fresh("undo"), business_date=DAY
    ))  # fmt: skip
    assert offices.run(lambda s: publicfees.bill_by_handle(s, bill.handle, department=account_of(water))).state == "refunded"


def test_nothing_is_undone_that_was_not_offset_and_no_reference_does_two_things(
    offices: Offices, water: participants.Organisation
) -> None:
    payer, used = offices.rich(100), fresh("gift")
    bill = offices.bill_for(payer, water)

    def undo(reference: str) -> str:
        return code_of(offices.database, lambda s: publicfees.undo_offset(
            s, department=account_of(water), bill=bill.number, because="cancelled", reference=reference, business_date=DAY
        ))  # fmt: skip

    assert undo(fresh("undo")) == "offset_unknown"
    offices.offset(bill, payer, 44)
    offices.run(lambda s: give(s, account_of(water), payer.account_id, 44, used))
    offices.run(lambda s: give(s, payer.account_id, account_of(water), 44))
    assert undo(used) == "reference_reused"
    other = offices.bill_for(payer, water)
    offices.offset(other, payer, 44)
    reference = fresh("undo")
    assert undo(reference) == "done"
    assert code_of(offices.database, lambda s: publicfees.undo_offset(
        s, department=account_of(water), bill=other.number, because="cancelled", reference=reference, business_date=DAY
    )) == "reference_reused"  # fmt: skip


# At once ------------------------------------------------------------------------------------------


def test_an_offset_and_its_cancellation_at_once_end_in_one_of_two_ways(
    offices: Offices, water: participants.Organisation
) -> None:
    payer = offices.rich(44)
    for _ in range(10):
        bill, start = offices.bill_for(payer, water), Barrier(2)

        def offset(bill: publicfees.Bill = bill, start: Barrier = start) -> str:
            start.wait()
            try:
                offices.offset(bill, payer)
            except Refusal as refusal:
                return refusal.code
            return "done"

        def cancel(bill: publicfees.Bill = bill, start: Barrier = start) -> str:
            start.wait()
            offices.taken_back(water, bill)
            return "done"

        with ThreadPoolExecutor(2) as threads:
            told = [one.result() for one in (threads.submit(offset), threads.submit(cancel))]
        assert told in (["done", "done"], ["bill_taken_back", "done"])
        assert offices.credits(payer).posted == 44


def test_one_bill_taken_back_by_four_at_once_gives_back_once(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(44)
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer)
    start = Barrier(4)

    def cancel(_: int) -> str:
        start.wait()
        return offices.taken_back(water, bill).state

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(cancel, range(4))) == ["cancelled"] * 4
    assert offices.credits(payer).posted == 44


def test_a_purchase_among_offsets_and_cancellations_pays_exactly_what_it_marks(offices: Offices) -> None:
    """The fund buys while residents offset and the department takes back: every offset is bought, undone or owed."""
    gas, payer = offices.waterworks(), offices.rich(10_000)
    bills = [offices.bill_for(payer, gas) for _ in range(60)]
    for bill in bills[:40]:
        offices.offset(bill, payer)
    start = Barrier(3)

    def offsets() -> None:
        start.wait()
        for bill in bills[40:]:
            offices.offset(bill, payer)

    def cancellations() -> set[str]:
        start.wait()
        told = set()
        for bill in bills[:40:2]:
            try:
                offices.taken_back(gas, bill)
            except Refusal as refusal:
                told.add(refusal.code)
        return told

    def purchases() -> int:
        start.wait()
        fen = 0
        for _ in range(8):
            try:
                fen += offices.bought(gas).fen
            except Refusal as refusal:
                assert refusal.code == "nothing_owed"
        return fen

    with ThreadPoolExecutor(3) as threads:
        waiting = threads.submit(offsets), threads.submit(cancellations), threads.submit(purchases)
        waiting[0].result()
        assert waiting[1].result() <= {"offset_purchased"}
        fen = waiting[2].result()
    found = offices.run(lambda s: publicfees.position(s, account_of(gas), year=2026))
    assert found.offsets.bills == 60 == found.undone.bills + found.purchased.bills + found.owed.bills
    assert found.purchased.fen == fen
    assert holds(offices.database, account_of(gas)) == found.owed.credits


# The year -----------------------------------------------------------------------------------------


def test_the_position_of_a_year_ties_out(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(1000)
    bills = [offices.bill_for(payer, water) for _ in range(5)]
    days = [DAY.replace(year=2025, month=12, day=31), DAY.replace(month=1, day=1), DAY, DAY, DAY.replace(year=2027, month=1, day=1)]
    for bill, credits, day in zip(bills, (1, 10, 20, 30, 40), days, strict=True):
        offices.offset(bill, payer, credits, day)
    offices.taken_back(water, bills[2])
    offices.bought(water, through=days[1])
    found = offices.run(lambda s: publicfees.position(s, account_of(water), year=2026))
    assert found == publicfees.Position(
        account_of(water), 2026, offsets=publicfees.Sum(3, 60, 1_200), undone=publicfees.Sum(1, 20, 400),  # type: ignore[arg-type]
        purchased=publicfees.Sum(1, 10, 200), owed=publicfees.Sum(1, 30, 600),  # type: ignore[arg-type]
    )  # fmt: skip
    last = offices.run(lambda s: publicfees.position(s, account_of(water), year=2025))
    assert last.offsets == last.purchased == publicfees.Sum(1, 1, 20)  # type: ignore[arg-type]
    assert last.owed.bills == 0


def test_only_a_department_has_a_position(offices: Offices) -> None:
    payer = offices.resident()
    assert code_of(offices.database, lambda s: publicfees.position(s, payer.account_id, year=2026)) == "account_kind_differs"


# The store and the check --------------------------------------------------------------------------


def test_the_store_itself_refuses_an_offset_that_is_undone_and_bought(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(100)
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer)
    where = f"WHERE bill_id = {bill.id}"
    undone = "undone_transfer = 7777777, undone_on = day, undone_because = 'cancelled'"
    assert sqlstate_of(offices.database, f"UPDATE bill_offset SET purchase_id = 1, {undone} {where}") == "23514"
    assert sqlstate_of(offices.database, f"UPDATE bill_offset SET undone_transfer = 7777777 {where}") == "23514"
    offices.taken_back(water, bill)
    for change in ("purchase_id = 1", "undone_transfer = NULL, undone_on = NULL, undone_because = NULL", "undone_on = undone_on + 1"):
        assert sqlstate_of(offices.database, f"UPDATE bill_offset SET {change} {where}") == "CH001"


@pytest.fixture
def hand(offices: Offices, water: participants.Organisation) -> Iterator[Session]:
    """The owner's hand in the books of a department with an offset that stands and one that was undone; rolled back after."""
    payer = offices.rich(200)
    for back in (False, True):
        bill = offices.bill_for(payer, water)
        offices.offset(bill, payer)
        if back:
            offices.taken_back(water, bill)
    engine = create_engine("postgresql+psycopg://", creator=offices.database.connect_as_owner, poolclass=NullPool)
    with Session(engine) as session:
        connection_of(session).execute("SET LOCAL session_replication_role = replica")
        assert not ledger.run_checks(session, publicfees.CHECKS)["I9"]
        yield session
        session.rollback()
    engine.dispose()


STANDS = "department = {d} AND undone_transfer IS NULL"
UNDONE = "department = {d} AND undone_transfer IS NOT NULL"
BACK, BILL = "what came back differs from the offset", "differs from its bill"
STATE = "its bill was taken back without it, or it without its bill"


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (f"UPDATE bill_offset SET purchase_id = 1 WHERE {UNDONE}", "bought although it was undone"),
        (f"UPDATE bill_offset SET undone_transfer = 7777777 WHERE {UNDONE}", BACK),
        (f"UPDATE bill_offset SET undone_transfer = NULL, undone_on = NULL, undone_because = NULL WHERE {UNDONE}", BACK),
        (f"UPDATE transfer SET amount = amount + 1 WHERE id = (SELECT undone_transfer FROM bill_offset WHERE {UNDONE})", BACK),
        (f"UPDATE transfer SET purpose = 12 WHERE id = (SELECT undone_transfer FROM bill_offset WHERE {UNDONE})", BACK),
        (f"UPDATE transfer SET purpose = 2 WHERE id = (SELECT undone_transfer FROM bill_offset WHERE {UNDONE})", BACK),
        (f"UPDATE transfer SET credit = 1 WHERE id = (SELECT undone_transfer FROM bill_offset WHERE {UNDONE})", BACK),
        (f"DELETE FROM transfer WHERE id = (SELECT undone_transfer FROM bill_offset WHERE {UNDONE})", BACK),
        (f"UPDATE bill_offset SET bill_id = NULL WHERE {STANDS}", BILL),
        (f"UPDATE bill SET total_fen = total_fen + 1 WHERE id = (SELECT bill_id FROM bill_offset WHERE {STANDS})", BILL),
        (f"DELETE FROM bill WHERE id = (SELECT bill_id FROM bill_offset WHERE {STANDS})", "its bill was never presented"),
        (f"UPDATE bill SET state = 'cancelled', taken_back_on = due_on WHERE id = (SELECT bill_id FROM bill_offset WHERE {STANDS})", STATE),
        (f"UPDATE bill SET state = 'open', taken_back_on = NULL WHERE id = (SELECT bill_id FROM bill_offset WHERE {UNDONE})", STATE),
        ("UPDATE fee_item SET countersignature_id = NULL, state = 'applied' WHERE id IN (SELECT fee_item FROM bill WHERE department = {d})",
         "billed for what was not approved"),
        ("UPDATE bill SET fee_item = 7777777 WHERE department = {d}", "billed for what was not approved"),
    ],
)  # fmt: skip
def test_i9_names_what_does_not_tie_out(hand: Session, water: participants.Organisation, statement: str, what: str) -> None:
    connection = connection_of(hand)
    for name in ("of_a_bill_as_it_was_presented", "bought_or_undone_not_both"):
        connection.execute(f"ALTER TABLE bill_offset DROP CONSTRAINT {name}")
    assert connection.execute(statement.format(d=water.account_id)).rowcount > 0
    assert what in {row.row["what"] for row in ledger.run_checks(hand, publicfees.CHECKS)["I9"]}


def test_all_that_was_undone_here_ties_out(offices: Offices) -> None:
    assert broken(offices.database, "I9") == {}
