"""A merchant's grade is what two of the staff agreed on, dated and public; the alliance is the merchants' own (Article 20)."""

from datetime import timedelta
from typing import Any

import pytest

from carbonhui import merchants, notifications
from tests.merchants.shopping import SHEET, TODAY, TOMORROW, YESTERDAY, Street, street
from tests.participants.people import sqlstate_of

__all__ = ["street"]


def grade_today(street: Street, merchant: Any, day: Any = TODAY) -> str | None:
    return street.run(lambda s: merchants.grade_on(s, merchant.id, day))


def decide(street: Street, number: int, agreed: bool, by: Any = None, on: Any = TODAY) -> str:
    approver = by or street.staff("approver")
    return street.code(lambda s: merchants.decide_grade(s, number, agreed=agreed, by=approver, on=on))


def test_a_grade_is_in_force_once_another_of_the_staff_agreed(street: Street) -> None:
    bakery = street.merchant()
    number = street.asked(bakery, "B")
    assert grade_today(street, bakery) is None
    assert decide(street, number, agreed=True) == "done"
    assert (grade_today(street, bakery, YESTERDAY), grade_today(street, bakery)) == (None, "B")
    (found,) = street.run(lambda s: merchants.grades_of(s, bakery))
    assert (found.grade, found.from_day, found.sheet, found.source) == ("B", TODAY, SHEET, "evaluation 2026-11")


def test_what_was_not_agreed_to_is_no_grade_and_may_be_asked_anew(street: Street) -> None:
    bakery = street.merchant()
    assert decide(street, street.asked(bakery, "A"), agreed=False) == "done"
    assert grade_today(street, bakery) is None
    assert decide(street, street.asked(bakery, "C"), agreed=True) == "done"
    assert grade_today(street, bakery) == "C"


def test_nobody_grades_alone_twice_or_without_the_role(street: Street) -> None:
    bakery, both = street.merchant(), street.staff("registrar", "approver")
    number = street.asked(bakery, by=both)
    assert decide(street, number, agreed=True, by=both) == "own_countersignature"
    assert decide(street, number, agreed=True, by=street.staff("registrar")) == "role_missing"
    assert street.code(lambda s: merchants.propose_grade(
        s, bakery, grade="A", sheet=SHEET, source="x", reason="y", from_day=TODAY, by=street.staff("approver"), on=TODAY
    )) == "role_missing"  # fmt: skip
    assert street.code(lambda s: street.asked(bakery)) == "asked_already"
    assert decide(street, number, agreed=True) == "done"
    assert decide(street, number, agreed=True) == "countersignature_unknown"


def test_a_grade_is_never_in_force_before_it_was_agreed_to_and_may_begin_later(street: Street) -> None:
    bakery, bookshop = street.merchant(), street.merchant()
    assert decide(street, street.asked(bakery, "A", from_day=YESTERDAY), agreed=True, on=TOMORROW) == "done"
    assert (grade_today(street, bakery), grade_today(street, bakery, TOMORROW)) == (None, "A")
    street.graded(bookshop, "C")
    street.graded(bookshop, "D", from_day=TOMORROW)
    assert (grade_today(street, bookshop), grade_today(street, bookshop, TOMORROW)) == ("C", "D")
    assert [one.grade for one in street.run(lambda s: merchants.grades_of(s, bookshop))] == ["D", "C"]


def test_of_two_grades_from_one_day_the_later_decision_counts(street: Street) -> None:
    bakery = street.merchant()
    for grade in ("A", "D", "B"):
        street.graded(bakery, grade)
    assert grade_today(street, bakery) == "B"


@pytest.mark.parametrize(
    "sheet",
    [
        (), SHEET * 11, (merchants.Score("x", 11, 10),), (merchants.Score("x", -1, 10),), (merchants.Score("x", 0, 0),),
        (merchants.Score("x", 1, 1_001),),
    ],
)  # fmt: skip
def test_a_score_sheet_that_cannot_be_is_refused(street: Street, sheet: Any) -> None:
    bakery, registrar = street.merchant(), street.staff("registrar")
    assert street.code(lambda s: merchants.propose_grade(
        s, bakery, grade="A", sheet=sheet, source="x", reason="y", from_day=TODAY, by=registrar, on=TODAY
    )) == "grade_sheet_invalid"  # fmt: skip


def test_only_approved_merchants_are_graded(street: Street) -> None:
    waits, charity, bakery = street.applicant("merchant"), street.approved("charity"), street.merchant()
    assert street.code(lambda s: street.asked(waits)) == "organisation_not_approved"
    assert street.code(lambda s: street.asked(charity)) == "not_a_merchant"
    number = street.asked(bakery)
    street.step(bakery, "suspend")
    assert decide(street, number, agreed=True) == "organisation_not_approved"
    assert decide(street, number, agreed=False) == "done"


def test_the_merchant_is_told_of_its_grade(street: Street) -> None:
    bakery = street.merchant()
    number, _ = street.run(lambda s: notifications.add_endpoint(
        s, street.vault, organisation=bakery.id, url="http://127.0.0.1:9/hook", topics=["merchant.graded"]
    ))  # fmt: skip
    street.graded(bakery, "B")
    told = street.rows(
        f"SELECT a.payload FROM announcement a JOIN webhook_delivery d ON d.announcement_id = a.id WHERE d.endpoint_id = {number}"
    )
    assert told == [({"grade": "B", "from_day": TODAY.isoformat()},)]


def test_the_store_itself_keeps_grades_as_two_agreed_on(street: Street) -> None:
    bakery = street.merchant()
    street.graded(bakery, "C")
    number = street.asked(bakery, "A")
    forged = f"""INSERT INTO merchant_grade (organisation_id, grade, from_day, sheet, source, countersignature)
                 SELECT subject, 'A', '{TODAY + timedelta(days=1)}', words -> 'sheet', words ->> 'source', id FROM countersignature"""
    assert sqlstate_of(street.database, f"{forged} WHERE id = {number}") == "CH003"
    for change in ("UPDATE merchant_grade SET grade = 'A'", "DELETE FROM merchant_grade", "TRUNCATE merchant_grade"):
        assert sqlstate_of(street.database, change) == "CH001"


def test_a_merchant_joins_the_alliance_once_and_leaves_it_once(street: Street) -> None:
    bakery = street.merchant()

    def allied() -> bool:
        return street.run(lambda s: merchants.merchant_seen(s, bakery.handle, on=TODAY)).in_alliance

    def change(verb: Any) -> str:
        return street.code(lambda s: verb(s, bakery, on=TODAY))

    assert (allied(), change(merchants.leave_alliance)) == (False, "alliance_unchanged")
    assert (change(merchants.join_alliance), allied(), change(merchants.join_alliance)) == ("done", True, "alliance_unchanged")
    assert (change(merchants.leave_alliance), allied(), change(merchants.join_alliance)) == ("done", False, "done")


def test_only_approved_merchants_join_the_alliance(street: Street) -> None:
    for organisation, code in ((street.applicant("merchant"), "organisation_not_approved"), (street.approved("charity"), "not_a_merchant")):
        assert street.code(lambda s, one=organisation: merchants.join_alliance(s, one, on=TODAY)) == code  # type: ignore[misc]
