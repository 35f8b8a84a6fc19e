"""Departments present bills, residents find them, and a tenth of each may be paid in credits, once (Article 19)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from carbonhui import ledger, participants, publicfees
from carbonhui.core.refusals import Refusal
from tests.ledger.books import DAY, code_of, fresh, holds, mint_to, refusal_of
from tests.participants.people import sqlstate_of
from tests.publicfees.offices import ITEM, METER, Offices


@pytest.fixture(scope="module")
def water(offices: Offices) -> participants.Organisation:
    return offices.waterworks()


def present(offices: Offices, by: participants.Organisation, **words: Any) -> str:
    return code_of(offices.database, lambda s: publicfees.present_bill(s, offices.vault, by, **words))


def look_up(offices: Offices, by: participants.Person, department: UUID, number: str, payer: str = METER, day: date = DAY) -> Any:
    return offices.run(lambda s: publicfees.look_up_bill(
        s, offices.vault, account=by.account_id, department=department, number=number, payer_reference=payer, on=day
    ))  # fmt: skip


# Presenting ---------------------------------------------------------------------------------------


def test_a_bill_that_is_presented_again_is_the_same_bill(offices: Offices, water: participants.Organisation) -> None:
    words = offices.words()
    first, second = (offices.run(lambda s: publicfees.present_bill(s, offices.vault, water, **words)) for _ in range(2))
    assert (first.again, second.again) == (False, True)
    assert first.bill == second.bill
    assert (first.bill.total_fen, first.bill.payable_fen, first.bill.state, first.bill.legal_basis) == (8_800, 8_800, "open", "粤价[2015]1号")


@pytest.mark.parametrize("changed", [{"total_fen": 8_801}, {"payer_reference": "another"}, {"due_on": DAY}, {"fee_item": "2"}])
def test_the_same_number_with_other_words_is_refused(
    offices: Offices, water: participants.Organisation, changed: dict[str, Any]
) -> None:
    words = offices.words()
    offices.presented(water, **words)
    assert present(offices, water, **(words | changed)) == "bill_number_reused"


def test_a_payer_is_the_same_however_it_is_spaced(offices: Offices, water: participants.Organisation) -> None:
    words = offices.words(payer_reference="ab 12 34")
    offices.presented(water, **words)
    assert present(offices, water, **(words | {"payer_reference": "AB1234"})) == "done"


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"number": ""}, "bill_invalid"), ({"number": "a b"}, "bill_invalid"), ({"number": "账单"}, "bill_invalid"),
     ({"number": "x" * 101}, "bill_invalid"), ({"total_fen": 0}, "amount_out_of_range"), ({"total_fen": -1}, "amount_out_of_range"),
     ({"total_fen": 2**53}, "amount_out_of_range"), ({"total_fen": 1.5}, "amount_not_whole"), ({"fee_item": "99"}, "fee_item_unknown"),
     ({"payer_reference": ""}, "text_refused"), ({"payer_reference": "x" * 101}, "text_refused")],
)  # fmt: skip
def test_a_bill_is_whole_and_plain(offices: Offices, water: participants.Organisation, changed: dict[str, Any], code: str) -> None:
    assert present(offices, water, **offices.words(**changed)) == code


def test_only_a_department_that_is_approved_presents(offices: Offices) -> None:
    assert present(offices, offices.approved("merchant"), **offices.words()) == "not_department"
    gas = offices.waterworks()
    offices.step(gas, "suspend")
    assert present(offices, gas, **offices.words()) == "organisation_not_approved"


def test_a_department_does_not_bill_for_anothers_item(offices: Offices) -> None:
    gas = offices.approved("department")
    assert present(offices, gas, **offices.words()) == "fee_item_unknown"


def test_what_the_payer_is_called_is_nowhere_in_the_store(offices: Offices, water: participants.Organisation) -> None:
    bill = offices.presented(water, payer_reference="HOUSEHOLD-77-SECRET")
    kept = offices.one("SELECT encode(payer_digest, 'escape') FROM bill WHERE id = %s", bill.id)
    assert "SECRET" not in kept
    assert offices.one("SELECT count(*) FROM announcement WHERE payload::text LIKE '%%SECRET%%'") == 0
    gas = offices.waterworks()
    other = offices.presented(gas, payer_reference="HOUSEHOLD-77-SECRET")
    digests = [bytes(offices.one("SELECT payer_digest FROM bill WHERE id = %s", one.id)) for one in (bill, other)]
    assert digests[0] != digests[1]  # departments cannot be joined by their payers


def test_a_presented_bill_is_never_edited(offices: Offices, water: participants.Organisation) -> None:
    bill = offices.presented(water)
    for change in (
        "total_fen = 1", "state = 'open'", "number = 'x'", "fee_item = 1", "due_on = due_on + 1",
        "state = 'cancelled', taken_back_on = due_on, total_fen = 1",
    ):  # fmt: skip
        assert sqlstate_of(offices.database, f"UPDATE bill SET {change} WHERE id = {bill.id}") in ("CH001", "23514")
    assert sqlstate_of(offices.database, f"DELETE FROM bill WHERE id = {bill.id}") == "CH001"


# Finding ------------------------------------------------------------------------------------------


def test_whom_a_bill_is_addressed_to_finds_it_in_the_inbox_and_the_list(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.resident()
    words = offices.words(addressee=payer)
    bill = offices.presented(water, **words)
    offices.presented(water, **words)
    assert offices.told(payer) == ["bill.presented"]
    assert [one.handle for one in offices.run(lambda s: publicfees.bills_shown_to(s, payer.account_id))] == [bill.handle]


def test_a_bill_is_found_by_department_number_and_payer(offices: Offices, water: participants.Organisation) -> None:
    payer, bill = offices.resident(), offices.presented(water)
    assert code_of(offices.database, lambda s: publicfees.bill_shown_to(s, payer.account_id, bill.handle)) == "bill_unknown"
    assert look_up(offices, payer, water.handle, bill.number, METER.lower().replace(" ", "")) == bill
    assert offices.run(lambda s: publicfees.bill_shown_to(s, payer.account_id, bill.handle)) == bill


def test_a_bill_that_was_taken_back_is_addressed_to_nobody_any_more(offices: Offices, water: participants.Organisation) -> None:
    words, payer = offices.words(), offices.resident()
    offices.taken_back(water, offices.presented(water, **words))
    assert offices.presented(water, addressee=payer, **words).state == "cancelled"
    assert offices.told(payer) == []
    assert offices.run(lambda s: publicfees.bills_shown_to(s, payer.account_id)) == []


def test_which_of_the_three_words_is_wrong_is_not_told(offices: Offices, water: participants.Organisation) -> None:
    payer, bill, gas = offices.resident(), offices.presented(water), offices.waterworks()
    wrong = (
        look_up(offices, payer, gas.handle, bill.number), look_up(offices, payer, uuid4(), bill.number),
        look_up(offices, payer, water.handle, "W-none"), look_up(offices, payer, water.handle, bill.number, "another"),
    )  # fmt: skip
    assert {(type(one), str(one)) for one in wrong} == {(publicfees.BillUnknown, str(wrong[0]))}
    assert offices.run(lambda s: publicfees.bills_shown_to(s, payer.account_id)) == []


def test_the_twenty_first_look_of_a_day_is_refused_even_when_it_is_right(offices: Offices, water: participants.Organisation) -> None:
    payer, bill = offices.resident(), offices.presented(water)
    for _ in range(publicfees.TRIES_A_DAY):
        assert isinstance(look_up(offices, payer, water.handle, bill.number, "guess"), publicfees.BillUnknown)
    assert isinstance(look_up(offices, payer, water.handle, bill.number), publicfees.BillTriedTooOften)
    assert look_up(offices, offices.resident(), water.handle, bill.number) == bill
    assert look_up(offices, payer, water.handle, bill.number, day=date(2026, 11, 21)) == bill


def test_guesses_at_once_are_counted_one_by_one(offices: Offices, water: participants.Organisation) -> None:
    payer, bill = offices.resident(), offices.presented(water)
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda n: look_up(offices, payer, water.handle, bill.number, f"guess {n}"), range(40)))
    assert sum(isinstance(one, publicfees.BillUnknown) for one in told) == publicfees.TRIES_A_DAY


def test_a_list_that_is_forgotten_is_empty_and_the_offset_stays(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich()
    bill = offices.bill_for(payer, water)
    offices.offset(bill, payer)
    look_up(offices, payer, water.handle, bill.number)
    assert offices.run(lambda s: publicfees.forget_bills(s, payer.account_id)) == 1
    assert offices.run(lambda s: publicfees.bills_shown_to(s, payer.account_id)) == []
    assert offices.one("SELECT count(*) FROM bill_try WHERE account_id = %s", payer.account_id) == 0
    assert offices.one("SELECT credits FROM bill_offset WHERE bill_id = %s", bill.id) == 44


def test_a_departments_bills_are_its_own_newest_first(offices: Offices, water: participants.Organisation) -> None:
    gas = offices.waterworks()
    bills = [offices.presented(gas) for _ in range(3)]
    assert gas.account_id and water.account_id
    account, other = gas.account_id, water.account_id
    listed = offices.run(lambda s: publicfees.bills_of(s, account))
    assert listed == bills[::-1]
    assert offices.run(lambda s: publicfees.bills_of(s, account, before=bills[1].id)) == bills[:1]
    assert code_of(offices.database, lambda s: publicfees.bill_by_handle(s, bills[0].handle, department=other)) == "bill_unknown"


# Offsetting ---------------------------------------------------------------------------------------


def test_the_terms_say_cap_par_and_how_many_credits_are_of_use(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(1000)
    bill = offices.bill_for(payer, water, total_fen=8_899)
    terms = offices.run(lambda s: publicfees.offset_terms(s, bill.handle, payer=payer.account_id, on=DAY))
    assert terms == publicfees.Terms(8_899, 10, 889, 20_000, 44, 1000, 44, 880)  # type: ignore[arg-type]
    assert code_of(offices.database, lambda s: publicfees.offset_presented_bill(
        s, bill.handle, payer=payer.account_id, credits=45, business_date=DAY  # type: ignore[arg-type]
    )) == "offset_above_cap"  # fmt: skip
    assert offices.offset(bill, payer, terms.useful).payable_fen == 8_899 - 880


def test_part_of_what_may_be_offset_may_be_used_and_then_nothing_more(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(30)
    bill = offices.bill_for(payer, water)
    terms = offices.run(lambda s: publicfees.offset_terms(s, bill.handle, payer=payer.account_id, on=DAY))
    assert (terms.most_credits, terms.available, terms.useful, terms.useful_fen) == (44, 30, 30, 600)
    used = offices.offset(bill, payer, 10).used
    assert used is not None and (used.credits, used.offset_fen) == (10, 200)
    for attempt in (
        lambda s: publicfees.offset_presented_bill(s, bill.handle, payer=payer.account_id, credits=20, business_date=DAY),
        lambda s: publicfees.offset_terms(s, bill.handle, payer=payer.account_id, on=DAY),
    ):
        assert code_of(offices.database, attempt) == "bill_offset_before"
    assert offices.credits(payer).posted == 20
    assert offices.told(payer) == ["bill.offset", "bill.presented"]


def test_the_same_offset_again_is_the_same_offset(offices: Offices, water: participants.Organisation) -> None:
    payer = offices.rich(100)
    bill = offices.bill_for(payer, water)
    assert offices.offset(bill, payer, 44) == offices.offset(bill, payer, 44)
    assert offices.credits(payer).posted == 56
    assert offices.told(payer).count("bill.offset") == 1


def test_one_fen_above_the_cap_is_refused_and_the_cap_itself_is_not(unchecked: Offices) -> None:
    office = unchecked.waterworks()
    payer = unchecked.rich(1000)
    for total, credits, code in ((1999, 199, "done"), (1999, 200, "offset_above_cap"), (2000, 200, "done"), (9, 1, "offset_above_cap")):
        bill = unchecked.bill_for(payer, office, total_fen=total)

        def paid(session: Session, bill: publicfees.Bill = bill, credits: int = credits) -> object:
            return publicfees.offset_presented_bill(
                session, bill.handle, payer=payer.account_id, credits=credits, business_date=DAY  # type: ignore[arg-type]
            )

        assert code_of(unchecked.database, paid) == code, (total, credits)


@pytest.mark.parametrize("credits", [0, -1, 2**53, 2**70])
def test_negative_and_huge_quantities_are_refused(offices: Offices, water: participants.Organisation, credits: int) -> None:
    payer = offices.rich(100)
    bill = offices.bill_for(payer, water)
    refused = refusal_of(offices.database, lambda s: publicfees.offset_presented_bill(
        s, bill.handle, payer=payer.account_id, credits=credits, business_date=DAY  # type: ignore[arg-type]
    ))  # fmt: skip
    assert refused.code == "amount_out_of_range"


def test_a_bill_in_nobody_elses_list_cannot_be_offset_by_them(offices: Offices, water: participants.Organisation) -> None:
    payer, other = offices.rich(), offices.rich()
    bill = offices.bill_for(payer, water)
    assert code_of(offices.database, lambda s: publicfees.offset_presented_bill(
        s, bill.handle, payer=other.account_id, credits=10, business_date=DAY  # type: ignore[arg-type]
    )) == "bill_unknown"  # fmt: skip


def test_what_merchants_received_and_charities_were_given_pays_no_bill(offices: Offices, water: participants.Organisation) -> None:
    bill = offices.presented(water)
    for kind in ("merchant", "charity", "department"):
        account = offices.approved(kind).account_id
        assert account is not None
        for attempt in (
            lambda s, a=account: publicfees.offset_presented_bill(s, bill.handle, payer=a, credits=1, business_date=DAY),
            lambda s, a=account: publicfees.offset_terms(s, bill.handle, payer=a, on=DAY),
        ):
            assert code_of(offices.database, attempt) == "account_kind_differs"


def test_an_offset_by_hand_follows_the_bill_that_was_presented(offices: Offices, water: participants.Organisation) -> None:
    payer, bill = offices.rich(), offices.presented(water)
    assert water.account_id is not None
    words: dict[str, Any] = {
        "resident": payer.account_id, "department": water.account_id, "bill": bill.number, "credits": 44, "business_date": DAY,
        "reference": fresh("offset"),
    }  # fmt: skip
    refused = refusal_of(offices.database, lambda s: publicfees.offset_bill(s, bill_fen=88_000, **words))
    assert (refused.code, refused.facts) == ("bill_differs", {"bill": bill.number, "total_fen": 8_800, "given_fen": 88_000})
    offices.run(lambda s: publicfees.offset_bill(s, bill_fen=8_800, **words))  # type: ignore[arg-type]
    assert offices.one("SELECT bill_id FROM bill_offset WHERE bill = %s", bill.number) == bill.id


def test_a_number_that_was_offset_by_hand_is_not_presented_after(offices: Offices, water: participants.Organisation) -> None:
    payer, words = offices.rich(), offices.words()
    assert water.account_id is not None
    account = water.account_id
    offices.run(lambda s: publicfees.offset_bill(
        s, resident=payer.account_id, department=account, bill=words["number"], bill_fen=8_800, credits=44,  # type: ignore[arg-type]
        reference=fresh("offset"), business_date=DAY,
    ))  # fmt: skip
    assert present(offices, water, **words) == "bill_offset_before"


def test_the_department_learns_which_bill_was_offset(offices: Offices) -> None:
    gas, payer = offices.waterworks(), offices.rich()
    bill = offices.bill_for(payer, gas)
    offices.offset(bill, payer)
    facts = offices.one("SELECT payload FROM announcement WHERE topic = 'bill.offset' AND organisation = %s", gas.id)
    assert facts == {"bill": str(bill.handle), "credits": 44, "offset_fen": 880}


# At once ------------------------------------------------------------------------------------------


def test_of_many_residents_who_offset_one_bill_at_once_one_does(offices: Offices, water: participants.Organisation) -> None:
    payers = [offices.rich(44) for _ in range(8)]
    for _ in range(5):
        bill = offices.presented(water)
        for payer in payers:
            look_up(offices, payer, water.handle, bill.number)
        start = Barrier(len(payers))

        def paid(payer: participants.Person, bill: publicfees.Bill = bill, start: Barrier = start) -> str:
            start.wait()
            try:
                offices.offset(bill, payer)
            except Refusal as refusal:
                return refusal.code
            return "done"

        with ThreadPoolExecutor(len(payers)) as threads:
            told = sorted(threads.map(paid, payers))
        assert told == ["bill_offset_before"] * 7 + ["done"]
        for payer in payers:
            if not offices.credits(payer).posted:
                offices.run(lambda s, one=payer: mint_to(s, one.account_id, 44))  # type: ignore[misc]
        assert offices.one("SELECT sum(credits) FROM bill_offset WHERE bill_id = %s", bill.id) == 44


def test_of_one_number_presented_at_once_one_bill_is_made(offices: Offices, water: participants.Organisation) -> None:
    words = offices.words()
    start = Barrier(8)

    def one(n: int) -> str:
        start.wait()
        return present(offices, water, **(words | {"total_fen": 8_800 + n % 2}))

    with ThreadPoolExecutor(8) as threads:
        told = sorted(threads.map(one, range(8)))
    assert told == ["bill_number_reused"] * 4 + ["done"] * 4
    assert offices.one("SELECT count(*) FROM bill WHERE number = %s", words["number"]) == 1


def test_an_offset_by_hand_and_the_same_number_presented_at_once_never_both_happen_apart(
    offices: Offices, water: participants.Organisation
) -> None:
    """Either the bill is there first and the offset follows it, or the number was used by hand and is not presented."""
    payer = offices.rich(1000)
    assert water.account_id is not None
    account = water.account_id
    for _ in range(10):
        words, start = offices.words(total_fen=8_800), Barrier(2)

        def by_hand(words: dict[str, Any] = words, start: Barrier = start) -> str:
            start.wait()
            return code_of(offices.database, lambda s: publicfees.offset_bill(
                s, resident=payer.account_id, department=account, bill=words["number"], bill_fen=9_000, credits=1,  # type: ignore[arg-type]
                reference=fresh("offset"), business_date=DAY,
            ))  # fmt: skip

        def presented(words: dict[str, Any] = words, start: Barrier = start) -> str:
            start.wait()
            return present(offices, water, **words)

        with ThreadPoolExecutor(2) as threads:
            told = [one.result() for one in (threads.submit(by_hand), threads.submit(presented))]
        assert told in (["done", "bill_offset_before"], ["bill_differs", "done"])


def test_credits_that_are_used_belong_to_the_department(offices: Offices) -> None:
    gas, payer = offices.waterworks(), offices.rich(100)
    offices.offset(offices.bill_for(payer, gas), payer)
    assert gas.account_id is not None
    assert holds(offices.database, gas.account_id) == 44
    line = offices.run(lambda s: ledger.statement(s, payer.account_id)).lines[0]
    assert (line.purpose, line.amount) == (ledger.Purpose.OFFSET, -44)


def test_no_item_is_billed_under_anothers_code(offices: Offices, water: participants.Organisation) -> None:
    offices.item(water, "2")
    assert offices.presented(water, fee_item="2").item_code == "2" != ITEM
