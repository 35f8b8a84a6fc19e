"""Merchants' grades, shops, tills and offers through the API (Articles 18, 20)."""

import uuid
from typing import Any

import pytest

from tests.api.product.people import Caller, City, said
from tests.api.product.test_who_may_do_what import OFFER, SHOP

GRADE = {
    "grade": "B", "from_day": "2026-11-20", "sheet": [{"criterion": "包装减量", "points": 8, "most": 10}], "source": "evaluation 2026-11",
    "reason": "visited",
}  # fmt: skip


def trading(city: City) -> tuple[str, Caller]:
    """The path of an approved merchant with an open shop, and its owner."""
    handle, owner = city.organisation("merchant")
    path = f"/v1/merchants/{handle}"
    assert owner.post(f"{path}/shops", SHOP).status_code == 201
    return path, owner


def published(path: str, owner: Caller, **words: Any) -> str:
    offer = owner.post(f"{path}/offers", {**OFFER, **words}).json["offer"]
    assert said(owner.post(f"{path}/offers/{offer}/publication")) == (200, None)
    return str(offer)


def member(city: City, path: str, owner: Caller, role: str) -> Caller:
    found = city.resident()
    added = owner.post(f"/v1/organisations/{path.rsplit('/', 1)[-1]}/members", {"person": found.handle, "role": role})
    assert added.status_code == 201, added.json
    return found


def test_an_owner_opens_a_shop_with_a_till_and_everybody_finds_the_shop(city: City):
    path, owner = trading(city)
    (shop,) = owner.get(f"{path}/shops").json["items"]
    till = owner.post(f"{path}/shops/{shop['shop']}/tills", {"label": "till 1"})
    assert (till.status_code, till.json["state"]) == (201, "open")
    assert owner.get(f"{path}/shops/{shop['shop']}/tills").json["items"] == [till.json]
    anybody = city.resident()
    found = anybody.get(f"/v1/shops/{shop['shop']}").json
    assert (found["name"], found["merchant"]["merchant"], found["merchant"]["grade"]) == (SHOP["name"], path.rsplit("/", 1)[-1], None)
    assert anybody.get(f"/v1/shops?merchant={path.rsplit('/', 1)[-1]}").json["items"] == [found]


def test_near_me_says_how_far_and_takes_the_place_in_the_body_only(city: City):
    path, owner = trading(city)
    place = {"latitude_udeg": SHOP["latitude_udeg"] + 9_000, "longitude_udeg": SHOP["longitude_udeg"]}
    told = city.resident().post("/v1/shops/nearby", {**place, "radius_m": 1_000, "text": SHOP["name"]})
    merchant = path.rsplit("/", 1)[-1]
    (mine,) = [one for one in told.json["items"] if one["merchant"]["merchant"] == merchant]
    assert mine["metres"] == 1_000
    assert city.resident().post("/v1/shops/nearby", {**place, "radius_m": 999}).json["items"] == []
    assert said(city.resident().get("/v1/shops/nearby")) == (405, "method_not_allowed")
    for wrong in ({"latitude_udeg": "23", "longitude_udeg": 0}, {**place, "radius_m": 50_001}, {**place, "latitude_udeg": 90_000_001}, {}):
        assert said(city.resident().post("/v1/shops/nearby", wrong)) == (422, "fields_invalid")


def test_an_offer_goes_from_draft_to_published_to_withdrawn(city: City):
    path, owner = trading(city)
    drafted = owner.post(f"{path}/offers", {**OFFER, "stock": 5, "per_person_max": 1})
    assert (drafted.status_code, drafted.json["state"], drafted.json["stock_taken"]) == (201, "draft", None)
    offer, anybody = drafted.json["offer"], city.resident()
    assert said(anybody.get(f"/v1/offers/{offer}")) == (404, "not_found")
    assert owner.put(f"{path}/offers/{offer}", {**OFFER, "stock": 6}).json["stock"] == 6
    assert owner.post(f"{path}/offers/{offer}/publication").json["state"] == "published"
    found = anybody.get(f"/v1/offers/{offer}").json
    assert (found["left"], found["credits"], found["money_fen"], found["list_price_fen"]) == (6, 5, 1000, 2000)
    assert anybody.get(f"/v1/offers?merchant={path.rsplit('/', 1)[-1]}").json["items"] == [found]
    assert owner.put(f"{path}/offers/{offer}/stock", {"stock": 9}).json["stock"] == 9
    assert said(owner.put(f"{path}/offers/{offer}", OFFER)) == (409, "offer_published")
    assert said(owner.post(f"{path}/offers/{offer}/withdrawal")) == (204, None)
    assert said(anybody.get(f"/v1/offers/{offer}")) == (404, "not_found")
    assert owner.get(f"{path}/offers").json["items"][0]["state"] == "withdrawn"


def test_a_clerk_reads_and_a_manager_changes(city: City):
    path, owner = trading(city)
    clerk, manager = (member(city, path, owner, role) for role in ("clerk", "manager"))
    shop = owner.get(f"{path}/shops").json["items"][0]["shop"]
    offer = owner.post(f"{path}/offers", OFFER).json["offer"]
    for read in ("shops", f"shops/{shop}/tills", "offers"):
        assert clerk.get(f"{path}/{read}").status_code == 200
    for method, where, body in (
        ("POST", "shops", SHOP), ("PATCH", f"shops/{shop}", {"name": "x"}), ("POST", f"shops/{shop}/tills", {"label": "2"}),
        ("POST", "offers", OFFER), ("PUT", f"offers/{offer}", OFFER), ("POST", f"offers/{offer}/publication", None),
        ("PUT", f"offers/{offer}/stock", {"stock": 1}), ("POST", f"offers/{offer}/withdrawal", None), ("PUT", "alliance", {"member": True}),
    ):  # fmt: skip
        assert said(clerk.call(method, f"{path}/{where}", body)) == (403, "organisation_role_missing"), where
    assert manager.patch(f"{path}/shops/{shop}", {"state": "closed"}).json["state"] == "closed"


def test_a_merchants_own_server_looks_after_its_shops_and_no_others(city: City):
    server, (other, owner) = city.server("merchant"), trading(city)
    mine = server.post(f"/v1/merchants/{server.handle}/shops", SHOP)
    assert mine.status_code == 201
    assert said(server.get(f"{other}/shops")) == (404, "not_found")
    foreign = owner.get(f"{other}/shops").json["items"][0]["shop"]
    assert said(server.patch(f"/v1/merchants/{server.handle}/shops/{foreign}", {"name": "x"})) == (404, "not_found")
    assert said(server.post(f"/v1/merchants/{server.handle}/offers", {**OFFER, "shops": [foreign]})) == (422, "shop_unknown")


def test_a_shop_of_another_organisation_than_a_merchant_is_refused(city: City):
    handle, owner = city.organisation("charity")
    assert said(owner.post(f"/v1/merchants/{handle}/shops", SHOP)) == (422, "not_a_merchant")
    assert said(owner.put(f"/v1/merchants/{handle}/alliance", {"member": True})) == (422, "not_a_merchant")
    assert said(city.stranger.get(f"/v1/merchants/{handle}")) == (404, "not_found")


def test_two_of_the_staff_grade_a_merchant_and_anybody_reads_the_grade_and_why(city: City):
    path, owner = trading(city)
    merchant = path.rsplit("/", 1)[-1]
    asked = city.staff("registrar").post(f"/v1/staff/merchants/{merchant}/grades", GRADE)
    assert (asked.status_code, asked.json["kind"]) == (201, "merchant_grade")
    assert city.stranger.get(path).json["grade"] is None
    again = city.staff("registrar").post(f"/v1/staff/merchants/{merchant}/grades", GRADE)
    assert said(again) == (409, "asked_already")
    answered = city.staff("approver").post(f"/v1/staff/countersignatures/{asked.json['countersignature']}/answer", {"agreed": True})
    assert answered.status_code == 200, answered.json
    assert city.stranger.get(path).json["grade"] == "B"
    assert city.stranger.get(f"{path}/grades").json["items"] == [{name: GRADE[name] for name in ("grade", "from_day", "sheet", "source")}]
    assert owner.put(f"{path}/alliance", {"member": True}).status_code == 204
    assert city.stranger.get(path).json["in_alliance"] is True
    assert said(owner.put(f"{path}/alliance", {"member": True})) == (409, "alliance_unchanged")


def test_a_grade_of_nobody_and_of_who_is_no_merchant_is_refused(city: City):
    registrar = city.staff("registrar")
    assert said(registrar.post(f"/v1/staff/merchants/{uuid.uuid4()}/grades", GRADE)) == (404, "not_found")
    charity, _ = city.organisation("charity")
    assert said(registrar.post(f"/v1/staff/merchants/{charity}/grades", GRADE)) == (422, "not_a_merchant")


def test_a_suspended_merchant_vanishes_and_publishes_nothing(city: City):
    path, owner = trading(city)
    offer, draft = published(path, owner), owner.post(f"{path}/offers", OFFER).json["offer"]
    city.approve(path.rsplit("/", 1)[-1], "suspend")
    anybody = city.resident()
    for where in (path, f"{path}/grades", f"/v1/offers/{offer}"):
        assert said(anybody.get(where)) == (404, "not_found")
    assert said(owner.post(f"{path}/offers/{draft}/publication")) == (422, "organisation_not_approved")
    assert owner.get(f"{path}/offers").status_code == 200


@pytest.mark.parametrize("words", [
    {"credits": 0}, {"credits": -1}, {"credits": 2**53}, {"credits": "5"}, {"credits": True}, {"money_fen": -1}, {"stock": 0},
    {"per_person_max": 0}, {"category": "weapons"}, {"title_zh": ""}, {"valid_until": "2026-02-30"}, {"shops": ["x"]},
    {"state": "published"}, {"organisation_id": 1},
])  # fmt: skip
def test_terms_are_taken_as_they_are_said_or_refused(city: City, words: dict[str, Any]):
    path, owner = trading(city)
    assert said(owner.post(f"{path}/offers", {**OFFER, **words})) == (422, "fields_invalid")


def test_no_discount_and_an_end_before_the_beginning_are_told_in_the_readers_language(city: City):
    path, owner = trading(city)
    told = owner.post(f"{path}/offers", {**OFFER, "money_fen": 2000}, Accept_Language="zh")
    assert (said(told), "低于原价" in told.json["detail"]) == ((422, "offer_terms_invalid"), True)
    assert said(owner.post(f"{path}/offers", {**OFFER, "valid_until": "2026-10-31"})) == (422, "offer_terms_invalid")


def test_the_lists_go_on_page_by_page(city: City):
    path, owner = trading(city)
    for number in range(3):
        owner.post(f"{path}/shops", {**SHOP, "name": f"shop {number}"})
        published(path, owner, title_zh=f"早茶 {number}")
    anybody, merchant = city.resident(), path.rsplit("/", 1)[-1]
    for caller, where in (
        (owner, f"{path}/shops?"), (owner, f"{path}/offers?"), (anybody, f"/v1/shops?merchant={merchant}&"),
        (anybody, f"/v1/offers?merchant={merchant}&"),
    ):  # fmt: skip
        whole, after, seen = caller.get(where[:-1]).json["items"], "", []
        while True:
            page = caller.get(f"{where}limit=2{after}").json
            seen += page["items"]
            if page["next"] is None:
                break
            after = f"&cursor={page['next']}"
        assert seen == whole
        assert len(seen) >= 3
