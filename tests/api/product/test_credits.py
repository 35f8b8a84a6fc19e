"""From a person's own declaration to credits, and why they are so many (Articles 12-18)."""

from datetime import date

import pytest

from carbonhui import consent, issuance, ledger, methodology, participants, quantification
from tests.api.product.people import Caller, City, said
from tests.quantification.conftest import City as Measuring

STEPS = "steps-self-declared"
TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def measuring(town: City, tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city that measures steps; one credit for 100 g."""
    small = Measuring(town.database, town.clock, tmp_path_factory.mktemp("measured"))
    small.approve("walking", start=small.methodology("walking").first_day)
    small.approve_numbers()
    town.do(lambda s: consent.publish_text(
        s, source=STEPS, sensitive=False, zh="同意。", en="I agree.", on=TODAY, published_by="office"
    ))  # fmt: skip
    return town


def walker(city: City) -> Caller:
    """Somebody who registered some days ago, consents, and declares 14,800 steps on each of three days."""
    mobile = city.new_mobile()
    city.do(lambda s: participants.register_person(s, city.vault, mobile=mobile, on=date(2026, 11, 10), language="en"))
    who = city.resident(mobile)
    [text] = city.stranger.get(f"/v1/consent-texts?source={STEPS}").json["items"]
    who.post("/v1/me/consents", {"source": STEPS, "text_digest": text["text_digest"], "covers_from": "2026-11-01"})
    declared = who.post("/v1/me/activities", steps(17, 18, 19))
    assert declared.json["received"] == [
        {"source": STEPS, "rows": 3, "accepted": 3, "duplicate": 0, "refused": 0, "refused_by": [], "refused_rows": []}
    ]
    return who


def steps(*days: int, count: int = 14_800) -> dict[str, object]:
    return {"steps": [{"day": f"2026-11-{day:02}", "steps": count} for day in days]}


@pytest.fixture(scope="module")
def walked(measuring: City) -> tuple[Caller, Caller]:
    """Two who walked the same: 148 g a day count, so four credits each, and 44 g to carry."""
    both = walker(measuring), walker(measuring)
    quantification.quantify(measuring.database, measuring.database.settings, methodology.installed_versions())
    issuance.mint(measuring.database, TODAY, clock=measuring.clock)
    return both


def test_what_was_declared_is_told_back(walked: tuple[Caller, Caller]):
    acts = walked[0].get("/v1/me/activities?first=2026-11-01&last=2026-11-20").json["items"]
    assert [(one["day"], one["quantity"], one["mode"], one["evidence"]) for one in acts] == [
        (f"2026-11-{day}", 14_800, "walking", "self_declared") for day in (19, 18, 17)
    ]
    assert said(walked[0].get("/v1/me/activities?first=2026-11-01&last=2026-12-02")) == (422, "acts_range_too_long")
    assert said(walked[0].get("/v1/me/activities?first=2026-11-01")) == (400, "query_invalid")


def test_a_balance_is_whole_credits_and_what_is_carried(walked: tuple[Caller, Caller]):
    assert walked[0].get("/v1/me/balance").json == {"credits": 4, "held": 0, "available": 4, "carry_mg": 44_000}


def test_every_reduction_is_told_with_its_methodology_and_credits(walked: tuple[Caller, Caller]):
    found = walked[0].get("/v1/me/reductions").json["items"]
    assert sorted((one["day"], one["mg"]) for one in found) == [(f"2026-11-{day}", 148_000) for day in (17, 18, 19)]
    assert {(one["methodology"], one["version"], one["minted_credits"]) for one in found} == {("walking", "1", 4)}


def test_why_did_i_get_this_is_answered_from_the_approved_text(walked: tuple[Caller, Caller]):
    first, second = walked
    reduction = first.get("/v1/me/reductions?limit=1").json["items"][0]
    why = first.get(f"/v1/me/reductions/{reduction['reduction']}").json
    assert why["reduction"] == reduction
    assert (why["title"], why["mg_per_credit"], why["demonstration"]) == ("Walking", 100_000, True)
    [parameter] = why["parameters"]
    assert (parameter["name"], parameter["value"], parameter["source_class"]) == ("mg_per_step", 20, "S2")
    assert (why["weight_numerator"], why["weight_denominator"], why["evidence"]) == (1, 2, "self_declared")
    assert [(cap["field"], cap["per"], cap["most"]) for cap in why["caps"]] == [("mg", "day", 296_000)]
    assert "mg_per_step" in why["formula"]
    in_chinese = first.get(f"/v1/me/reductions/{reduction['reduction']}", Accept_Language="zh").json
    assert (in_chinese["title"], in_chinese["parameters"][0]["says"][:2]) == ("步行", "每步")
    assert said(second.get(f"/v1/me/reductions/{reduction['reduction']}")) == (404, "not_found")


def test_pages_of_reductions_are_the_whole_list(walked: tuple[Caller, Caller]):
    who, found, cursor = walked[0], [], ""
    while cursor is not None:
        page = who.get(f"/v1/me/reductions?limit=2{cursor and f'&cursor={cursor}'}").json
        found += page["items"]
        cursor = page["next"]
    assert found == who.get("/v1/me/reductions").json["items"]


def test_a_cursor_is_good_for_its_own_caller_and_list_only(walked: tuple[Caller, Caller]):
    who, other = walked
    cursor = who.get("/v1/me/reductions?limit=1").json["next"]
    assert said(other.get(f"/v1/me/reductions?cursor={cursor}")) == (400, "cursor_invalid")
    assert said(who.get(f"/v1/me/credits?cursor={cursor}")) == (400, "cursor_invalid")
    assert said(who.get(f"/v1/me/reductions?cursor={cursor[:-2]}AA")) == (400, "cursor_invalid")


def test_credits_are_runs_of_codes_and_each_has_a_life(walked: tuple[Caller, Caller]):
    who, other = walked
    [run] = who.get("/v1/me/credits").json["items"]
    assert (run["credits"], run["vintage"]) == (4, 2026)
    life = who.get(f"/v1/me/credits/{run['last_code']}").json
    assert [(step["purpose"], step["source"]["kind"], step["target"]["is_own"]) for step in life["steps"]] == [("mint", "issuance", True)]
    for code in (run["last_code"], "44012600000000000000", "nonsense"):
        assert said(other.get(f"/v1/me/credits/{code}")) == (404, "not_found")


def test_who_held_a_credit_may_read_its_life_and_learns_no_number_of_who_holds_it(measuring: City, walked: tuple[Caller, Caller]):
    giver, receiver = walker(measuring), measuring.resident()
    quantification.quantify(measuring.database, measuring.database.settings, methodology.installed_versions())
    issuance.mint(measuring.database, TODAY, clock=measuring.clock)
    accounts = {"source": measuring.person(giver).account_id, "target": measuring.person(receiver).account_id}
    measuring.do(lambda s: ledger.post(
        s, purpose=ledger.Purpose.GIVE, amount=1, reference="a-gift", business_date=TODAY, **accounts
    ))  # fmt: skip
    [run] = receiver.get("/v1/me/credits").json["items"]
    steps_of_giver = giver.get(f"/v1/me/credits/{run['first_code']}").json["steps"]
    assert [(one["purpose"], one["target"]) for one in steps_of_giver][-1] == ("give", {"kind": "person", "name": None, "is_own": False})
    statement = giver.get("/v1/me/statement").json["items"]
    assert [(one["purpose"], one["amount"], one["balance"], one["runs"][0]["credits"]) for one in statement] == [
        ("give", -1, 3, 1), ("mint", 4, 4, 4)
    ]
    assert (statement[0]["counterpart_kind"], statement[0]["counterpart_name"], statement[0]["reference"]) == ("person", None, "a-gift")


def test_pages_of_a_statement_are_the_whole_of_it(measuring: City):
    one, other = measuring.resident(), measuring.resident()
    mint = walker(measuring)
    quantification.quantify(measuring.database, measuring.database.settings, methodology.installed_versions())
    issuance.mint(measuring.database, TODAY, clock=measuring.clock)
    numbers = [measuring.person(who).account_id for who in (mint, one, other)]
    for number in range(4):
        source, target = (numbers[0], numbers[1]) if number % 2 == 0 else (numbers[1], numbers[2])
        measuring.do(lambda s, source=source, target=target, number=number: ledger.post(
            s, purpose=ledger.Purpose.GIVE, source=source, target=target, amount=1, reference=f"gift-{number}", business_date=TODAY
        ))  # fmt: skip
    whole = one.get("/v1/me/statement").json
    assert [line["amount"] for line in whole["items"]] == [-1, 1, -1, 1] and whole["next"] is None
    first = one.get("/v1/me/statement?limit=3").json
    second = one.get(f"/v1/me/statement?limit=3&cursor={first['next']}").json
    assert first["items"] + second["items"] == whole["items"]
    assert said(other.get(f"/v1/me/statement?cursor={first['next']}")) == (400, "cursor_invalid")


def test_declaring_again_is_told_as_known_and_nobody_declares_for_another(walked: tuple[Caller, Caller]):
    who, other = walked
    again = who.post("/v1/me/activities", steps(17, 18)).json["received"]
    assert [(one["accepted"], one["duplicate"]) for one in again] == [(0, 2)]
    forged = {"steps": [{"day": "2026-11-16", "steps": 5, "person": other.handle}]}
    assert said(who.post("/v1/me/activities", forged)) == (422, "fields_invalid")


def test_a_ride_of_ones_own_takes_no_others_name(measuring: City):
    ride = {
        "ride_id": "1", "mode": "bus", "start_at": "2026-11-19T08:10:00+08:00", "end_at": "2026-11-19T08:41:00+08:00", "metres": 9000,
    }  # fmt: skip
    for who in (measuring.resident(), measuring.resident()):
        [received] = who.post("/v1/me/activities", {"rides": [ride]}).json["received"]
        assert (received["accepted"], received["duplicate"], received["refused"]) == (1, 0, 0)


def test_what_is_not_believed_is_refused_row_by_row_with_the_rule(measuring: City):
    who = measuring.resident()
    told = who.post("/v1/me/activities", {"steps": [{"day": "2026-11-19", "steps": 900_000}, {"day": "2026-11-18", "steps": 10}]})
    [received] = told.json["received"]
    assert (received["accepted"], received["refused"]) == (1, 1)
    assert [one["rows"] for one in received["refused_by"]] == [1] and received["refused_by"][0]["sentence"]
    [row] = received["refused_rows"]
    assert row["code"] == received["refused_by"][0]["code"] and row["row"] in (1, 2) and "{" not in row["sentence"]
    assert said(who.post("/v1/me/activities", {})) == (422, "rows_unusable")


@pytest.mark.parametrize("count", [1.0, "5", True, 0, -1, 1_000_001, 2**63, None])
def test_steps_are_a_whole_number_in_range_and_nothing_is_coerced(measuring: City, count: object):
    who = measuring.resident()
    answer = who.post("/v1/me/activities", {"steps": [{"day": "2026-11-19", "steps": count}]})
    assert answer.status_code in (400, 422)
    assert answer.json["code"] in ("fields_invalid", "json_invalid")
