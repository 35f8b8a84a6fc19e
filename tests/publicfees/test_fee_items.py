"""Departments bill for what the regulation lets them take; two of the staff look at it first (Article 19)."""

import psycopg
import pytest

from carbonhui import notifications, participants, publicfees
from carbonhui.core.database import connection_of
from tests.ledger.books import DAY, code_of, refusal_of
from tests.participants.people import sqlstate_of
from tests.publicfees.offices import ITEM, Offices

WORDS = {"title_zh": "污水处理费", "title_en": "Sewage treatment fee", "legal_basis": "粤价[2015]1号"}


def test_an_item_may_be_billed_once_two_of_the_staff_agreed(offices: Offices) -> None:
    water = offices.approved("department")
    item = offices.item(water, agreed=None)
    refused = refusal_of(offices.database, lambda s: publicfees.present_bill(s, offices.vault, water, **offices.words()))
    assert (refused.code, refused.facts) == ("fee_item_not_approved", {"item": ITEM, "state": "applied"})
    registrar, approver = offices.staff("registrar"), offices.staff("approver")
    asked = offices.run(lambda s: publicfees.propose_fee_item(s, item, reason="papers seen", by=registrar, on=DAY))
    assert asked.words["legal_basis"] == "粤价[2015]1号"
    decided = offices.run(lambda s: publicfees.decide_fee_item(s, asked.id, agreed=True, by=approver, on=DAY))
    assert decided.state == "approved"
    assert offices.presented(water).item_code == ITEM


def test_nobody_decides_what_they_proposed_and_roles_are_looked_at(offices: Offices) -> None:
    item = offices.item(offices.approved("department"), agreed=None)
    both, other = offices.staff("registrar", "approver"), offices.staff("operator")

    def propose(by: participants.Staff) -> str:
        return code_of(offices.database, lambda s: publicfees.propose_fee_item(s, item, reason="seen", by=by, on=DAY))

    assert propose(other) == "role_missing"
    asked = offices.run(lambda s: publicfees.propose_fee_item(s, item, reason="seen", by=both, on=DAY))
    assert propose(both) == "asked_already"

    def decide(by: participants.Staff) -> str:
        return code_of(offices.database, lambda s: publicfees.decide_fee_item(s, asked.id, agreed=True, by=by, on=DAY))

    assert decide(both) == "own_countersignature"
    assert decide(other) == "role_missing"
    assert decide(offices.staff("approver")) == "done"
    assert decide(offices.staff("approver")) == "countersignature_unknown"
    assert propose(offices.staff("registrar")) == "fee_item_not_waiting"


def test_what_was_refused_may_be_applied_for_anew_and_never_billed(offices: Offices) -> None:
    water = offices.approved("department")
    first = offices.item(water, agreed=False)
    assert first.state == "refused"
    code = code_of(offices.database, lambda s: publicfees.present_bill(s, offices.vault, water, **offices.words()))
    assert code == "fee_item_not_approved"
    second = offices.item(water)
    assert second.id != first.id and second.state == "approved"
    offices.presented(water)


def test_the_same_application_again_is_the_same_item_and_other_words_are_refused(offices: Offices) -> None:
    water = offices.approved("department")
    first = offices.item(water, agreed=None)
    assert offices.item(water, agreed=None) == first
    changed = {**WORDS, "title_en": "Another fee"}
    code = code_of(offices.database, lambda s: publicfees.apply_for_fee_item(s, water, code=ITEM, on=DAY, **changed))
    assert code == "fee_item_already_there"


def test_a_withdrawn_item_is_billed_no_longer_and_its_bills_stay_payable(offices: Offices) -> None:
    water, payer = offices.waterworks(), offices.rich()
    bill = offices.bill_for(payer, water)
    item = offices.run(lambda s: publicfees.fee_item_of(s, water, ITEM))
    for _ in range(2):
        assert offices.run(lambda s: publicfees.withdraw_fee_item(s, water, item.handle, on=DAY)).state == "withdrawn"
    code = code_of(offices.database, lambda s: publicfees.present_bill(s, offices.vault, water, **offices.words()))
    assert code == "fee_item_not_approved"
    used = offices.offset(bill, payer).used
    assert used is not None and used.offset_fen == 880


def test_an_item_that_was_withdrawn_while_it_waited_is_not_approved(offices: Offices) -> None:
    water = offices.approved("department")
    item = offices.item(water, agreed=None)
    asked = offices.run(lambda s: publicfees.propose_fee_item(s, item, reason="seen", by=offices.staff("registrar"), on=DAY))
    offices.run(lambda s: publicfees.withdraw_fee_item(s, water, item.handle, on=DAY))
    approver = offices.staff("approver")
    code = code_of(offices.database, lambda s: publicfees.decide_fee_item(s, asked.id, agreed=True, by=approver, on=DAY))
    assert code == "fee_item_not_waiting"
    assert offices.run(lambda s: publicfees.decide_fee_item(s, asked.id, agreed=False, by=approver, on=DAY)).state == "withdrawn"


def test_only_approved_departments_apply(offices: Offices) -> None:
    def apply(by: participants.Organisation, code: str = ITEM) -> str:
        return code_of(offices.database, lambda s: publicfees.apply_for_fee_item(s, by, code=code, on=DAY, **WORDS))

    assert apply(offices.approved("merchant")) == "not_department"
    assert apply(offices.applicant("department")) == "organisation_not_approved"
    water = offices.approved("department")
    for code in ("", "-1", "a", "1 2", "编号", "1" * 33, "1\n"):
        assert apply(water, code) == "fee_item_invalid"


def test_anothers_item_reads_as_one_that_is_not_there(offices: Offices) -> None:
    item = offices.item(offices.approved("department"))
    other = offices.approved("department")
    assert code_of(offices.database, lambda s: publicfees.withdraw_fee_item(s, other, item.handle, on=DAY)) == "fee_item_unknown"


def test_the_store_itself_keeps_who_decides(offices: Offices) -> None:
    water = offices.approved("department")
    item = offices.item(water, agreed=None)
    where = f"WHERE id = {item.id}"
    assert sqlstate_of(offices.database, f"UPDATE fee_item SET state = 'approved' {where}") == "CH003"
    assert sqlstate_of(offices.database, f"UPDATE fee_item SET title_zh = 'x' {where}") == "CH001"
    assert sqlstate_of(offices.database, f"DELETE FROM fee_item {where}") == "CH001"
    other = offices.item(offices.approved("department"))
    number = offices.one("SELECT countersignature_id FROM fee_item WHERE id = %s", other.id)
    assert sqlstate_of(offices.database, f"UPDATE fee_item SET state = 'approved', countersignature_id = {number} {where}") == "CH003"
    with pytest.raises(psycopg.Error, match="approved department"), offices.database.begin() as session:
        connection_of(session).execute(
            """INSERT INTO bill (department, number, fee_item, total_fen, payer_digest, due_on, presented_on)
               VALUES (%s, 'X', %s, 100, %s, %s, %s)""",
            (water.account_id, item.id, bytes(32), DAY, DAY),
        )


def test_items_are_listed_by_department_and_state(offices: Offices) -> None:
    water = offices.waterworks()
    offices.item(water, "2", agreed=False)
    listed = offices.run(lambda s: publicfees.fee_items(s, organisation=water))
    assert [(one.item.code, one.item.state, one.department) for one in listed] == [
        (ITEM, "approved", water.handle), ("2", "refused", water.handle),
    ]  # fmt: skip
    approved = offices.run(lambda s: publicfees.fee_items(s, organisation=water, state="approved"))
    assert [one.item.code for one in approved] == [ITEM]


def test_the_department_is_told_what_was_decided(offices: Offices) -> None:
    water = offices.approved("department")
    item = offices.item(water)
    facts = offices.one("SELECT payload FROM announcement WHERE topic = 'bill.item_decided' AND organisation = %s", water.id)
    assert facts == {"item": str(item.handle), "outcome": "approved"}
    assert notifications.TOPICS["bill.item_decided"].text(facts).endswith("approved.")
