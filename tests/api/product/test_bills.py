"""Fee items, bills and their offsets through the API (Article 19)."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from carbonhui import ledger, participants, policy, publicfees
from tests.api.product.people import Caller, City, said
from tests.ledger.books import mint_to, put_in_force

ITEM = {"code": "103044601", "title_zh": "污水处理费", "title_en": "Sewage treatment fee", "legal_basis": "粤价[2015]1号"}
METER = "4401-0187 221"


def agree(city: City, item: str) -> None:
    """Two of the staff agree to a fee item."""
    asked = city.staff("registrar").post(f"/v1/staff/fee-items/{item}/proposal", {"reason": "papers seen"})
    assert asked.status_code == 201, asked.json
    answered = city.staff("approver").post(
        f"/v1/staff/countersignatures/{asked.json['countersignature']}/answer", {"agreed": True}
    )
    assert answered.status_code == 200, answered.json


def waterworks(city: City) -> tuple[str, Caller]:
    """An approved department with an approved fee item: its path, and its owner."""
    handle, owner = city.organisation("department")
    path = f"/v1/publicfees/{handle}"
    item = owner.post(f"{path}/fee-items", ITEM)
    assert item.status_code == 201, item.json
    agree(city, item.json["fee_item"])
    return path, owner


@pytest.fixture(scope="module", autouse=True)
def one_credit_is_twenty_fen(town: City) -> None:
    def values(session: Session) -> None:
        put_in_force(session, policy.PAR, 20_000, date(2020, 1, 1))
        put_in_force(session, policy.OFFSET_CAP, 10, date(2020, 1, 1))

    town.do(values)


@pytest.fixture(scope="module")
def water(town: City) -> tuple[str, Caller]:
    return waterworks(town)


def words(number: str, **changed: Any) -> dict[str, Any]:
    given = {"number": number, "fee_item": ITEM["code"], "total_fen": 8_800, "payer_reference": METER, "due_on": "2026-12-31"}
    return given | changed


def rich(city: City, credits: int = 1000) -> Caller:
    who = city.proven()
    account = city.person(who).account_id
    city.do(lambda s: mint_to(s, account, credits))
    return who


def present(water: tuple[str, Caller], number: str, **changed: Any) -> TestResponse:
    path, owner = water
    return owner.post(f"{path}/bills", words(number, **changed))


def found(water: tuple[str, Caller], who: Caller, number: str, **changed: Any) -> TestResponse:
    asked = {"department": water[0].rpartition("/")[2], "number": number, "payer_reference": METER}
    return who.post("/v1/me/bill-lookups", asked | changed)


def test_the_way_of_a_bill(city: City, water: tuple[str, Caller]):
    path, owner = water
    made = present(water, "W-1")
    assert made.status_code == 201 and made.json["payable_fen"] == 8_800
    assert present(water, "W-1").json["bill"] == made.json["bill"]
    payer = rich(city)
    shown = found(water, payer, "W-1")
    assert shown.status_code == 200, shown.json
    bill = f"/v1/me/bills/{shown.json['bill']}"
    terms = payer.post(f"{bill}/terms", {})
    assert terms.status_code == 200, terms.json
    assert terms.json["cap_fen"] == 880 and terms.json["available"] == 1000
    credits = terms.json["useful"]
    refused = payer.post(f"{bill}/offset", {"credits": terms.json["most_credits"] + 50})
    assert said(refused) == (422, "offset_above_cap")
    paid = payer.post(f"{bill}/offset", {"credits": credits})
    assert paid.status_code == 201, paid.json
    assert paid.json["offset_fen"] == terms.json["useful_fen"]
    assert paid.json["payable_fen"] == 8_800 - paid.json["offset_fen"]
    assert payer.get("/v1/me/balance").json["credits"] == 1000 - credits
    assert owner.get(f"{path}/bills/{made.json['bill']}").json == paid.json
    back = owner.post(f"{path}/bills/{made.json['bill']}/withdrawal", {"because": "refunded"})
    assert back.status_code == 200, back.json
    assert (back.json["state"], back.json["undone_on"], back.json["payable_fen"]) == ("refunded", "2026-11-20", 0)
    assert payer.get("/v1/me/balance").json["credits"] == 1000
    assert said(payer.post(f"{bill}/offset", {"credits": credits})) == (409, "bill_taken_back")
    texts = [one["text"] for one in payer.get("/v1/me/messages", Accept_Language="zh").json["items"]]
    assert any(str(credits) in text and "账单已撤回" in text for text in texts), texts


def test_a_bill_is_offset_once_however_often_it_is_tried(city: City, water: tuple[str, Caller]):
    present(water, "W-2")
    payer, spouse = rich(city), rich(city)
    bill = found(water, payer, "W-2").json["bill"]
    found(water, spouse, "W-2")
    first = payer.post(f"/v1/me/bills/{bill}/offset", {"credits": 10})
    again = payer.post(f"/v1/me/bills/{bill}/offset", {"credits": 10})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    for who, credits in ((payer, 11), (spouse, 10), (spouse, 1)):
        assert said(who.post(f"/v1/me/bills/{bill}/offset", {"credits": credits})) == (409, "bill_offset_before")
    assert said(payer.post(f"/v1/me/bills/{bill}/terms", {})) == (409, "bill_offset_before")
    assert payer.get("/v1/me/balance").json["credits"] == 990


@pytest.mark.parametrize("changed", [
    {"department": "00000000-0000-4000-8000-000000000000"}, {"payer_reference": "another"}, {"payer_reference": "4401-0187 222"},
])  # fmt: skip
def test_wrong_words_read_alike_and_show_nothing(city: City, water: tuple[str, Caller], changed: dict[str, str]):
    present(water, "W-3")
    guesser = city.resident()
    answer = found(water, guesser, "W-3", **changed)
    assert said(answer) == (404, "bill_unknown")
    told = {**answer.json, "instance": ""}
    assert told == {**found(water, guesser, "W-x", payer_reference="x").json, "instance": ""}
    assert guesser.get("/v1/me/bills").json["items"] == []


def test_looking_up_is_counted_even_though_it_is_refused(city: City, water: tuple[str, Caller]):
    present(water, "W-4")
    guesser = city.resident()
    for _ in range(publicfees.TRIES_A_DAY):
        assert said(found(water, guesser, "W-4", payer_reference="guess")) == (404, "bill_unknown")
    assert said(found(water, guesser, "W-4")) == (429, "bill_tried_too_often")


def test_a_bill_is_addressed_to_a_number_without_telling_whose_it_is(city: City, water: tuple[str, Caller]):
    payer, nobody = city.resident(), city.new_mobile()
    known = present(water, "W-5", addressee={"mobile": payer.mobile})
    unknown = present(water, "W-6", addressee={"mobile": nobody})
    assert known.status_code == unknown.status_code == 201
    same = ("total_fen", "state", "fee_item", "payable_fen")
    assert known.json.keys() == unknown.json.keys() and all(known.json[name] == unknown.json[name] for name in same)
    assert [one["number"] for one in payer.get("/v1/me/bills").json["items"]] == ["W-5"]
    assert payer.get("/v1/me/messages").json["items"][0]["topic"] == "bill.presented"
    assert said(present(water, "W-7", addressee={"person": "00000000-0000-4000-8000-000000000000"})) == (404, "not_found")
    assert said(present(water, "W-7", addressee={"person": payer.handle, "mobile": nobody}))[0] == 422


def test_a_guardian_pays_for_a_child_and_a_stranger_does_not(city: City, water: tuple[str, Caller]):
    guardian, stranger = city.proven(), city.proven()
    ward = city.ward_of(guardian)
    account = city.person(ward).account_id
    city.do(lambda s: mint_to(s, account, 100))
    bill = present(water, "W-8", addressee={"person": ward}).json["bill"]
    assert [one["bill"] for one in guardian.get(f"/v1/me/bills?ward={ward}").json["items"]] == [bill]
    assert guardian.get(f"/v1/me/bills/{bill}?ward={ward}").status_code == 200
    asked = {"credits": 5, "payer": {"ward": ward}}
    assert said(stranger.post(f"/v1/me/bills/{bill}/offset", asked)) == (404, "not_guardian")
    assert said(guardian.post(f"/v1/me/bills/{bill}/offset", {"credits": 5})) == (404, "not_found")
    assert guardian.post(f"/v1/me/bills/{bill}/offset", asked).status_code == 201
    assert city.do(lambda s: ledger.balance_of(s, account)).posted == 95


def test_an_organisation_pays_by_its_owner_and_a_merchant_does_not(city: City, water: tuple[str, Caller]):
    present(water, "W-9")
    firm, owner = city.organisation("emitter")
    shop, keeper = city.organisation("merchant")
    bill = found(water, owner, "W-9", payer={"organisation": firm}).json["bill"]
    account = city.do(lambda s: participants.organisation_by_handle(s, firm)).account_id
    assert account is not None
    city.do(lambda s: ledger.post(
        s, purpose=ledger.Purpose.GIVE, source=city.person(rich(city)).account_id, target=account, amount=50,
        reference="to-the-firm", business_date=city.clock.today(),
    ))  # fmt: skip
    assert owner.post(f"/v1/me/bills/{bill}/offset", {"credits": 5, "payer": {"organisation": firm}}).status_code == 201
    asked = {"credits": 5, "payer": {"organisation": shop}}
    assert said(keeper.post(f"/v1/me/bills/{bill}/offset", asked)) == (422, "account_kind_differs")


@pytest.mark.parametrize("credits", [0, -1, 2**53, "5", True, None])
def test_credits_are_whole_and_positive(city: City, water: tuple[str, Caller], credits: Any):
    present(water, "W-10")
    payer = city.resident()
    bill = found(water, payer, "W-10").json["bill"]
    assert said(payer.post(f"/v1/me/bills/{bill}/offset", {"credits": credits})) == (422, "fields_invalid")


def test_only_members_of_the_department_present_and_only_its_managers_take_back(city: City, water: tuple[str, Caller]):
    path, owner = water
    clerk, stranger = city.resident(), city.resident()
    owner.post(f"{path.replace('publicfees', 'organisations')}/members", {"person": clerk.handle, "role": "clerk"})
    made = clerk.post(f"{path}/bills", words("W-11"))
    assert made.status_code == 201, made.json
    withdrawal = f"{path}/bills/{made.json['bill']}/withdrawal"
    assert said(clerk.post(withdrawal, {"because": "cancelled"})) == (403, "organisation_role_missing")
    assert said(clerk.post(f"{path}/fee-items", {**ITEM, "code": "2"})) == (403, "organisation_role_missing")
    assert said(stranger.post(withdrawal, {"because": "cancelled"})) == (404, "not_found")
    assert said(stranger.post(f"{path}/bills", words("W-12"))) == (404, "not_found")
    assert owner.post(withdrawal, {"because": "cancelled"}).status_code == 200


def test_another_department_reaches_no_bill_of_this_one(city: City, water: tuple[str, Caller]):
    bill = present(water, "W-13").json["bill"]
    other, owner = waterworks(city)
    assert said(owner.get(f"{other}/bills/{bill}")) == (404, "not_found")
    assert said(owner.post(f"{other}/bills/{bill}/withdrawal", {"because": "cancelled"})) == (404, "not_found")
    shop, keeper = city.organisation("merchant")
    for answer in (
        keeper.get(f"/v1/publicfees/{shop}/bills"), keeper.get(f"/v1/publicfees/{shop}/position?year=2026"),
        keeper.get(f"/v1/publicfees/{shop}/bills/{bill}"), keeper.post(f"/v1/publicfees/{shop}/bills", words("W-14")),
        keeper.post(f"/v1/publicfees/{shop}/fee-items", ITEM),
        keeper.post(f"/v1/publicfees/{shop}/bills/{bill}/withdrawal", {"because": "cancelled"}),
    ):
        assert said(answer) == (422, "not_department")


def test_a_departments_server_presents_by_its_signature(city: City):
    server = city.server("department")
    path = f"/v1/publicfees/{server.handle}"
    item = server.post(f"{path}/fee-items", ITEM)
    assert item.status_code == 201, item.json
    assert said(server.post(f"{path}/bills", words("S-1"))) == (422, "fee_item_not_approved")
    agree(city, item.json["fee_item"])
    made = server.post(f"{path}/bills", words("S-1"))
    assert made.status_code == 201, made.json
    assert said(server.post(f"{path}/bills", words("S-1", total_fen=1))) == (409, "bill_number_reused")
    assert [one["number"] for one in server.get(f"{path}/bills?state=open").json["items"]] == ["S-1"]
    payer = rich(city)
    bill = found((path, server), payer, "S-1").json["bill"]
    payer.post(f"/v1/me/bills/{bill}/offset", {"credits": 7})
    position = server.get(f"{path}/position?year=2026").json
    assert position["offsets"] == position["owed"] and position["owed"]["credits"] == 7
    assert position["undone"] == position["purchased"] == {"bills": 0, "credits": 0, "fen": 0}


def test_fee_items_are_public_once_approved_and_withdrawn_by_their_department(city: City):
    path, owner = waterworks(city)
    handle = path.rpartition("/")[2]

    def public() -> list[str]:
        items, cursor = [], ""
        while True:
            page = city.stranger.get(f"/v1/publicfees/fee-items?limit=100{cursor}").json
            items += [one["department"] for one in page["items"]]
            if page["next"] is None:
                return items
            cursor = f"&cursor={page['next']}"

    assert handle in public()
    item = owner.get(f"{path}/fee-items").json["items"][0]["fee_item"]
    assert owner.post(f"{path}/fee-items/{item}/withdrawal").json["state"] == "withdrawn"
    assert handle not in public()
    assert [one["state"] for one in owner.get(f"{path}/fee-items?state=withdrawn").json["items"]] == ["withdrawn"]
    other, rival = waterworks(city)
    assert said(rival.post(f"{other}/fee-items/{item}/withdrawal")) == (404, "not_found")
    assert said(owner.post(f"{path}/bills", words("W-15"))) == (422, "fee_item_not_approved")


def test_the_staff_sees_what_was_applied_for_and_only_registrars_propose(city: City):
    handle, owner = city.organisation("department")
    item = owner.post(f"/v1/publicfees/{handle}/fee-items", ITEM).json["fee_item"]
    registrar = city.staff("registrar")
    waiting = registrar.get("/v1/staff/fee-items?state=applied&limit=100").json["items"]
    assert item in [one["fee_item"] for one in waiting]
    path = f"/v1/staff/fee-items/{item}/proposal"
    assert said(city.staff("approver").post(path, {"reason": "seen"})) == (403, "not_allowed")
    assert registrar.post(path, {"reason": "seen"}).status_code == 201
    assert said(registrar.post(path, {"reason": "seen"})) == (409, "asked_already")
    agree_other = "00000000-0000-4000-8000-000000000000"
    assert said(registrar.post(f"/v1/staff/fee-items/{agree_other}/proposal", {"reason": "x"})) == (404, "not_found")


def test_nothing_that_a_payer_is_called_stands_in_the_logs(city: City, water: tuple[str, Caller], lines: Any):
    present(water, "W-16", payer_reference="METER-SECRET-1")
    found(water, city.resident(), "W-16", payer_reference="METER-SECRET-1")
    assert "METER-SECRET" not in lines.getvalue()
