"""Footprints, neutralisation and certificates through the API, and the page that anybody sees (Article 22)."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from carbonhui import neutralisation, participants
from tests.api.product.people import Caller, City, said
from tests.core.test_pdf import text_of
from tests.ledger.books import give, mint_to

MEASURED = {"measured": {"mg": 250_000, "evidence_sha256": "ab" * 32}}


def with_credits(city: City, credits: int) -> Caller:
    found = city.resident()
    city.do(lambda s: mint_to(s, city.person(found).account_id, credits))
    return found


def neutralise(who: Caller, **words: Any) -> TestResponse:
    return who.post("/v1/me/neutralisations", {"footprint": MEASURED, "reason": "中和周末出行"} | words)


def issued(who: Caller, **words: Any) -> dict[str, Any]:
    told = neutralise(who, **words)
    assert told.status_code == 201, told.json
    return dict(told.json)


# Footprints ---------------------------------------------------------------------------------------


def test_anybody_works_out_a_footprint_and_sees_every_factor(city: City):
    told = city.stranger.post("/v1/footprints", {"household_month": {"electricity_wh": 1000}}).json
    assert (told["mg"], told["lines"][0]["factor"], told["lines"][0]["year"]) == (440_300, "electricity", 2022)
    journeys = [{"mode": "metro", "metres": 1000, "persons": 2, "trips": 2}]
    event = {"headcount": 3, "journeys": journeys, "flights": [{"metres": 1000}], "room_nights": 1}
    assert city.stranger.post("/v1/footprints", {"event": event}).json["mg"] == 4 * 61_364 + 125_760 + 53_500_000
    factors = city.stranger.get("/v1/footprints/factors").json["items"]
    assert len(factors) == 32 and all(one["values"][0]["source"] for one in factors)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "not_one_of_these"), ({"trip": {}, "flight": {"flights": [{"metres": 1}]}}, "not_one_of_these"), ({"trip": {}}, "footprint_empty"),
        ({"household_month": {"electricity_wh": -1}}, "fields_invalid"), ({"household_month": {"electricity_wh": "1"}}, "fields_invalid"),
        ({"household_month": {"mg": 1}}, "fields_invalid"), ({"measured": {"mg": 1}}, "fields_invalid"),
        ({"flight": {"flights": [{"metres": 40_100_001}]}}, "fields_invalid"),
        ({"flight": {"flights": [{"metres": 9, "cabin": "first"}]}}, "factor_missing"),
        ({"commute": {"journeys": [{"mode": "rocket", "metres": 9}]}}, "fields_invalid"),
        ({"event": {"headcount": 2}}, "headcount_differs"),
        ({"commute": {"journeys": [{"mode": "car", "metres": 10**11, "persons": 10**6, "trips": 10**6}]}}, "footprint_too_large"),
    ],
)  # fmt: skip
def test_what_makes_no_footprint_is_refused(city: City, body: dict[str, Any], code: str):
    assert said(city.stranger.post("/v1/footprints", body)) == (422, code)


# Neutralising -------------------------------------------------------------------------------------


def test_a_person_neutralises_and_everybody_can_look_it_up(city: City):
    rider = with_credits(city, 10)
    made = issued(rider, beneficiary="张三与李四", footprint={"household_month": {"electricity_wh": 1000}})
    assert (made["credits"], made["footprint_mg"], made["avoided_mg"]) == (5, 440_300, 500_000)
    assert rider.get("/v1/me/balance").json["credits"] == 5
    public = city.stranger.get(f"/v1/certificates/{made['certificate']}")
    assert public.json == made
    assert [run["credits"] for run in made["runs"]] == [5] and made["vintages"] == [{"vintage": 2026, "credits": 5}]
    assert made["address"] == f"https://api.carbon.example/certificates/{made['certificate']}"
    assert rider.get("/v1/me/certificates").json["items"][0]["certificate"] == made["certificate"]
    assert rider.get("/v1/me/messages").json["items"][0]["topic"] == "certificate.issued"


def test_a_mg_that_the_caller_worked_out_is_not_believed(city: City):
    rider = with_credits(city, 1)
    assert said(neutralise(rider, footprint={"household_month": {"electricity_wh": 1000, "mg": 1}})) == (422, "fields_invalid")
    for footprint in ({**MEASURED, "trip": {"room_nights": 1}}, {}):
        assert said(neutralise(rider, footprint=footprint)) == (422, "not_one_of_these")


def test_the_same_key_is_answered_once_and_retires_once(city: City):
    rider = with_credits(city, 10)
    body = {"footprint": MEASURED, "reason": "一次"}
    first = rider.post("/v1/me/neutralisations", body, key="once-only")
    assert rider.post("/v1/me/neutralisations", body, key="once-only").json == first.json
    assert rider.get("/v1/me/balance").json["credits"] == 7


def test_credits_that_do_not_cover_retire_nothing(city: City):
    rider = with_credits(city, 2)
    assert said(neutralise(rider)) == (422, "credits_do_not_cover")
    assert said(neutralise(rider, footprint={"measured": {"mg": 150_000, "evidence_sha256": "0" * 64}}, credits_max=1)) == (
        422, "more_credits_than_allowed",
    )  # fmt: skip
    assert rider.get("/v1/me/balance").json["credits"] == 2


def test_an_organisation_neutralises_in_its_own_name_by_its_manager_or_its_server(city: City):
    server = city.server("emitter")
    giver = with_credits(city, 10)
    account = city.do(lambda s: participants.organisation_by_handle(s, server.handle).account_id)
    city.do(lambda s: give(s, city.person(giver).account_id, account, 10))
    made = issued(server)
    assert made["beneficiary"] == "珠江水务"
    assert server.get("/v1/me/certificates").json["items"][0]["certificate"] == made["certificate"]
    assert said(giver.get(f"/v1/me/certificates/{made['certificate']}?organisation={server.handle}")) == (404, "not_found")


def test_a_merchant_retires_nothing_of_what_it_received(city: City):
    assert said(neutralise(city.server("merchant"))) == (422, "received_credits_not_retired")


def test_a_guardian_neutralises_with_a_childs_credits(city: City):
    parent = city.proven()
    child = city.ward_of(parent)
    city.do(lambda s: mint_to(s, city.person(child).account_id, 5))
    made = issued(parent, payer={"ward": child})
    assert parent.get(f"/v1/me/certificates?ward={child}").json["items"][0]["certificate"] == made["certificate"]
    assert parent.get("/v1/me/certificates").json["items"] == []
    assert said(neutralise(city.resident(), payer={"ward": child})) == (404, "not_guardian")


# Anybody's eyes -----------------------------------------------------------------------------------


def test_another_cannot_read_change_or_list_what_is_mine(city: City):
    rider, other = with_credits(city, 3), city.resident()
    made = issued(rider, beneficiary="张三", beneficiary_hidden=True)
    path = f"/v1/me/certificates/{made['certificate']}"
    for path_of in (path, f"{path}.pdf"):
        assert said(other.get(path_of)) == (404, "not_found")
    assert said(other.put(f"{path}/visibility", {"beneficiary_hidden": False})) == (404, "not_found")
    assert other.get("/v1/me/certificates").json["items"] == []
    assert city.stranger.get(f"/v1/certificates/{made['certificate']}").json["beneficiary"] is None


def test_a_hidden_name_is_on_nothing_that_anybody_sees(city: City):
    rider = with_credits(city, 3)
    made = issued(rider, beneficiary="欧阳小明", beneficiary_hidden=True)
    number = made["certificate"]
    public = [city.stranger.get(path).data for path in (f"/v1/certificates/{number}", f"/certificates/{number}")]
    printed = city.stranger.get(f"/v1/certificates/{number}.pdf")
    assert all("欧阳小明".encode() not in page for page in public)
    assert "欧阳小明" not in "".join(text_of(printed.data)) and "受益人姓名不公开" in "".join(text_of(printed.data))
    own = rider.get(f"/v1/me/certificates/{number}.pdf")
    assert own.mimetype == "application/pdf" and "欧阳小明" in "".join(text_of(own.data))
    assert rider.put(f"/v1/me/certificates/{number}/visibility", {"beneficiary_hidden": False}).json["beneficiary"] == "欧阳小明"
    assert "欧阳小明".encode() in city.stranger.get(f"/certificates/{number}").data


def test_the_public_page_shows_words_as_words(city: City):
    trap = "<script>alert(1)</script>\"'&<img src=x onerror=y>"
    rider = with_credits(city, 3)
    made = issued(rider, beneficiary=trap, reason=trap)
    page = city.stranger.get(f"/certificates/{made['certificate']}")
    assert page.mimetype == "text/html" and "<script" not in page.text and "<img" not in page.text
    assert "&lt;script&gt;" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and neutralisation.STYLE_DIGEST in policy and "unsafe" not in policy
    assert made["reason"] == trap


@pytest.mark.parametrize("number", ["NC26AAAAAAAAAAAAAAAA00", "x", "NC26'--", "%E5%BC%A0", "..%2f..%2fetc", "NC26" + "A" * 300])
def test_a_number_that_was_never_given_out_is_not_found_in_either_language(city: City, number: str):
    page = city.stranger.get(f"/certificates/{number}")
    assert page.status_code == 404
    assert city.stranger.get(f"/v1/certificates/{number}").status_code == 404
    assert city.stranger.get(f"/v1/certificates/{number}.pdf").status_code == 404


def test_a_browser_gets_the_page_and_a_mistyped_number_a_page_that_says_so(city: City):
    made = issued(with_credits(city, 3))
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    assert city.stranger.get(f"/certificates/{neutralisation.grouped(made['certificate']).lower()}", **browser).status_code == 200
    page = city.stranger.get(f"/certificates/{made['certificate']}", Accept_Language="en", **browser)
    assert page.headers["Content-Language"] == "zh-CN, en" and page.headers["Cache-Control"] == "no-store"
    missing = city.stranger.get("/certificates/NC26AAAAAAAAAAAAAAAA00", **browser)
    assert (missing.status_code, missing.mimetype) == (404, "text/html") and "没有这张证书" in missing.text


def test_a_print_holds_what_the_json_holds(city: City):
    made = issued(with_credits(city, 3), beneficiary="王𠮷", reason="为" * 500)
    text = "".join("".join(text_of(city.stranger.get(f"/v1/certificates/{made['certificate']}.pdf").data)).split())
    assert "王〓[U+20BB7]" in text and text.count("为") >= 500
    assert made["runs"][0]["first_code"] in text and "".join(neutralisation.grouped(made["certificate"]).split()) in text
    assert "ab" * 32 in text and made["beneficiary"] == "王𠮷"


def test_each_reading_of_a_name_by_anybody_stands_on_the_writers_record(city: City):
    rider = with_credits(city, 3)
    made = issued(rider, beneficiary="张三")
    city.stranger.get(f"/certificates/{made['certificate']}")
    newest = rider.get("/v1/me/reads").json["items"][0]
    assert newest["purpose"] == "certificate" and newest["role"] == "anonymous"


def test_the_owner_of_a_pool_neutralises_with_what_many_put_in(city: City):
    owner, giver = city.resident(), with_credits(city, 10)
    pool = owner.post("/v1/pools", {"title": "春游", "goal_credits": 10, "purpose": "neutralisation", "deadline": "2026-12-31"}).json["pool"]
    assert said(neutralise(owner, payer={"pool": pool})) == (422, "pool_not_usable")
    assert giver.post(f"/v1/pools/{pool}/contributions", {"credits": 10}).status_code == 201
    assert said(neutralise(giver, payer={"pool": pool})) == (404, "not_found")
    made = issued(owner, payer={"pool": pool})
    assert owner.get("/v1/me/certificates").json["items"][0]["certificate"] == made["certificate"]
    assert giver.get("/v1/me/certificates").json["items"] == []
