"""What is kept about a person is told to that person, and destroyed when asked (PIPL articles 44-48)."""

import io
import json
from datetime import date, timedelta

import pytest

from carbonhui import export, ledger
from tests.api.product.people import Caller, City, said
from tests.export.sheets import formulas_in, sheets_of

TODAY = date(2026, 11, 20)
UNDERSTOOD = "my credits go to the cancellation pool and nothing comes back"


def erasing(city: City, who: Caller, path: str = "/v1/me/erasure", mobile: str = "") -> object:
    city.clock.instant += timedelta(minutes=2)
    return who.post(path, {**city.code(mobile or who.mobile, "erase"), "understood": UNDERSTOOD})


def endow(city: City, who: Caller, credits: int) -> int:
    """Credits of the year, as a mint leaves them; the account."""
    account = city.person(who).account_id
    city.do(lambda s: ledger.issue(
        s, mint_id=1, vintage=2026, mg_per_credit=100_000, business_date=TODAY, accounts=[account], credits=[credits]
    ))  # fmt: skip
    return account


def test_every_reading_of_personal_data_is_on_record_and_tells_who_and_why(city: City):
    who, support = city.proven(), city.staff("support")
    told = support.get(f"/v1/staff/persons/{who.handle}?purpose=complaint&case=2026-00117")
    assert (told.json["name"], told.json["mobile"], told.json["born_on"]) == ("张伟", f"+86{who.mobile}", "1990-05-17")
    who.get("/v1/me")
    newest, before, *_ = who.get("/v1/me/reads").json["items"]
    assert (newest["is_own"], newest["purpose"], newest["fields_read"]) == (True, "own_profile", ["mobile", "name"])
    assert (before["is_own"], before["purpose"], before["role"]) == (False, "complaint 2026-00117", "staff:support")
    assert before["fields_read"] == ["born_on", "id_number", "mobile", "name"]


def test_a_minors_data_is_read_by_an_approver_only(city: City):
    guardian = city.proven()
    ward = city.ward_of(guardian)
    path = f"/v1/staff/persons/{ward}?purpose=protection_of_minors&case=2026-00118"
    assert said(city.staff("support").get(path)) == (403, "minor_needs_approver")
    assert city.staff("support", "approver").get(path).json["name"] == "张小明"
    purposes = [one["purpose"] for one in guardian.get(f"/v1/me/reads?ward={ward}").json["items"]]
    assert purposes == ["protection_of_minors 2026-00118"]


def test_staff_say_what_they_read_it_for_from_a_closed_list(city: City):
    who, support = city.resident(), city.staff("support")
    for query in ("", "?purpose=curiosity&case=2026-1", "?purpose=complaint", "?purpose=complaint&case=call 13800138000",
                  "?purpose=complaint&case=zhangwei"):
        assert said(support.get(f"/v1/staff/persons/{who.handle}{query}")) == (400, "query_invalid")
    for case in ("13800138000", "138-0013-8000", "11010519491231002X"):
        assert said(support.get(f"/v1/staff/persons/{who.handle}?purpose=complaint&case={case}")) == (422, "case_personal")


def test_messages_tell_what_happened_in_the_readers_language(city: City):
    who = city.resident()
    [first] = who.get("/v1/me/messages").json["items"]
    assert (first["topic"], first["text"], first["read_at"]) == ("device.signed_in", "Your account was opened on a new device.", None)
    assert who.get("/v1/me/messages", Accept_Language="zh").json["items"][0]["text"] == "您的账户已在新设备上登录。"
    assert who.post("/v1/me/messages/read", {"messages": [first["message"]]}).json == {"marked": 1}
    assert who.post("/v1/me/messages/read", {}).json == {"marked": 0}
    assert who.get("/v1/me/messages").json["items"][0]["read_at"] is not None


def test_nobody_marks_anothers_messages(city: City):
    who, other = city.resident(), city.resident()
    [message] = who.get("/v1/me/messages").json["items"]
    assert other.post("/v1/me/messages/read", {"messages": [message["message"]]}).json == {"marked": 0}
    assert who.get("/v1/me/messages").json["items"][0]["read_at"] is None


def test_the_copy_tells_every_matter_in_json_and_as_a_workbook(city: City):
    who = city.proven()
    endow(city, who, 5)
    copy = who.get("/v1/me/export")
    assert copy.headers["Content-Type"] == "application/json"
    matters = json.loads(copy.data)["matters"]
    assert tuple(matters) == export.MATTERS
    fields = {row["field"]: row["value"] for row in matters["personal_fields"]["rows"]}
    assert (fields["mobile"], fields["name"], fields["born_on"]) == (f"+86{who.mobile}", "张伟", "1990-05-17")
    assert matters["balance"]["rows"] == [{"credits": 5, "held": 0, "available": 5, "carry_mg": 0}]
    assert matters["devices"]["rows"][0]["label"] == "telephone"
    assert matters["reads"]["rows"][0]["purpose"] == "export"
    sheets = who.get("/v1/me/export.xlsx")
    assert sheets.headers["Content-Disposition"] == 'attachment; filename="carbonhui-export.xlsx"'
    assert tuple(sheets_of(sheets.data)) == export.MATTERS and formulas_in(sheets.data) == 0


def test_a_guardian_gets_the_copy_of_a_child_and_nobody_else_does(city: City):
    guardian, other = city.proven(), city.proven()
    ward = city.ward_of(guardian)
    copy = json.loads(guardian.get(f"/v1/me/export?ward={ward}").data)["matters"]
    assert copy["person"]["rows"][0]["handle"] == ward
    assert copy["guardians"]["rows"][0]["guardian"] == guardian.handle
    assert said(other.get(f"/v1/me/export?ward={ward}")) == (404, "not_guardian")


def test_an_erasure_destroys_the_person_and_sends_the_rest_of_the_credits_to_the_pool(city: City):
    who = city.resident()
    account = endow(city, who, 7)
    who.post("/v1/me/messages/read", {})
    erased = erasing(city, who)
    assert (erased.status_code, erased.json) == (200, {"person": who.handle, "credits": 7, "links": 0, "consents": 0})
    assert city.do(lambda s: ledger.balance_of(s, account)).posted == 0
    assert city.person(who).state == "erased"
    city.clock.instant += timedelta(seconds=6)
    assert said(who.get("/v1/me")) == (401, "not_signed_in")
    with city.database.connect() as connection:
        kept = connection.execute("SELECT count(*) FROM api_answer WHERE scope = %s", (f"person:{city.person(who).id}",)).fetchone()
        assert kept == (1,)  # the erasure's own answer, which says nothing about anybody
    city.clock.instant += timedelta(minutes=2)
    assert city.resident(who.mobile).handle != who.handle


def test_an_erasure_needs_a_code_to_ones_own_number_and_the_words(city: City):
    who, other = city.resident(), city.resident()
    city.clock.instant += timedelta(minutes=2)
    proof = city.code(who.mobile, "erase")
    assert said(who.post("/v1/me/erasure", {**proof, "understood": "yes"})) == (422, "fields_invalid")
    wrong = {**proof, "code": "000000" if proof["code"] != "000000" else "111111", "understood": UNDERSTOOD}
    assert said(who.post("/v1/me/erasure", wrong)) == (422, "code_wrong")
    anothers = {**city.code(other.mobile, "erase"), "understood": UNDERSTOOD}
    assert said(who.post("/v1/me/erasure", anothers)) == (422, "code_of_another")
    assert city.person(who).state == city.person(other).state == "active"


def test_an_erasure_waits_for_promises_and_for_children(city: City):
    who = city.proven()
    account = endow(city, who, 3)
    shop = city.do(lambda s: ledger.open_account(s, ledger.Kind.MERCHANT, name=f"shop-{account}"))
    held = city.do(lambda s: ledger.hold(
        s, source=account, target=shop, amount=1, purpose=ledger.Purpose.REDEEM, reference=f"hold-{account}", business_date=TODAY,
        seconds=3600,
    ))  # fmt: skip
    assert said(erasing(city, who)) == (422, "erasure_waits_for_holds")
    city.do(lambda s: ledger.release(s, held.id))
    ward = city.ward_of(who)
    assert said(erasing(city, who)) == (422, "erasure_waits_for_wards")
    # The guardian's own code erases the child, who has no number.
    child = erasing(city, who, f"/v1/me/erasure?ward={ward}")
    assert (child.status_code, child.json["person"]) == (200, ward)
    assert erasing(city, who).status_code == 200


def test_nothing_that_a_person_said_is_in_the_log(city: City, lines: io.StringIO):
    who = city.proven()
    who.get("/v1/me")
    city.staff("support").get(f"/v1/staff/persons/{who.handle}?purpose=support&case=2026-1")
    logged = lines.getvalue()
    assert "readMe" in logged
    for secret in (who.mobile, "张伟", who.token, "telephone", "correct horse"):
        assert secret not in logged


@pytest.mark.parametrize("handle", ["not-a-handle", "1", "00000000-0000-0000-0000-00000000000"])
def test_what_is_no_handle_is_refused_as_such(city: City, handle: str):
    assert said(city.proven().get(f"/v1/me/balance?ward={handle}")) == (400, "query_invalid")
