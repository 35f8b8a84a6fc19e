"""Pools through the API: asked for, filled, used, called off; anybody sees how far they are and nobody who gave (Articles 18, 22)."""

from datetime import timedelta
from typing import Any

from carbonhui import circulation
from tests.api.product.people import Caller, City, said
from tests.api.product.test_certificates import MEASURED, neutralise
from tests.ledger.books import mint_to

POOL = {"title": "班级春游碳中和", "goal_credits": 10, "purpose": "neutralisation", "deadline": "2026-12-31"}


def rich(city: City, credits: int = 20) -> Caller:
    found = city.resident()
    account = city.person(found).account_id
    city.do(lambda session: mint_to(session, account, credits))
    return found


def opened(asker: Caller, **words: Any) -> str:
    told = asker.post("/v1/pools", {**POOL, **words})
    assert told.status_code == 201, told.json
    return str(told.json["pool"])


def put(giver: Caller, pool: str, credits: int, **words: Any) -> tuple[int, str | None]:
    return said(giver.post(f"/v1/pools/{pool}/contributions", {"credits": credits, **words}))


def balance(who: Caller) -> int:
    return int(who.get("/v1/me/balance").json["credits"])


def test_a_pool_is_asked_for_and_filled_and_everybody_sees_how_far_it_is_and_nobody_who_gave(city: City) -> None:
    owner, first, second = city.resident(), rich(city), rich(city)
    pool = opened(owner)
    assert put(first, pool, 4) == (201, None)
    assert put(second, pool, 7) == (422, "pool_takes_less")
    assert put(second, pool, 6) == (201, None)
    told = city.stranger.get(f"/v1/pools/{pool}").json
    facts = {name: told[name] for name in ("contributed", "missing", "contributors", "used", "state", "title", "organisation", "uses")}
    assert facts == {
        "contributed": 10, "missing": 0, "contributors": 2, "used": 0, "state": "reached", "title": None, "organisation": None, "uses": [],
    }  # fmt: skip
    assert first.get(f"/v1/pools/{pool}").json["title"] == POOL["title"]
    assert pool in {one["pool"] for one in city.stranger.get("/v1/pools?limit=100").json["items"]}
    told = (city.stranger.get(f"/v1/pools/{pool}").text, city.stranger.get("/v1/pools?limit=100").text)
    assert not any(who.handle in text or str(city.person(who).account_id) in text.split('"') for who in (owner, first) for text in told)
    assert all(POOL["title"] not in text for text in told)
    mine = first.get("/v1/me/contributions").json["items"]
    assert [(one["pool"], one["credits"], one["returned"]) for one in mine] == [(pool, 4, 0)]
    assert owner.get("/v1/me/messages").json["items"][0]["topic"] == "pool.reached"


def test_who_reads_a_persons_title_is_on_the_owners_record(city: City) -> None:
    owner, reader = city.resident(), city.resident()
    pool = opened(owner, title="为了一次旅行")
    reader.get(f"/v1/pools/{pool}")
    city.stranger.get(f"/v1/pools/{pool}")
    reads = owner.get("/v1/me/reads").json["items"]
    assert [(one["purpose"], one["fields_read"]) for one in reads if one["purpose"] == "pool_title"] == [
        ("pool_title", [f"pool_title:{pool}"])
    ]
    assert owner.get("/v1/me/pools").json["items"][0]["title"] == "为了一次旅行"


def test_a_contribution_whose_answer_was_lost_is_asked_for_again_and_made_once(city: City) -> None:
    payer = rich(city)
    pool = opened(city.resident())
    path, body = f"/v1/pools/{pool}/contributions", {"credits": 4}
    first, again = payer.post(path, body, key="lost-1"), payer.post(path, body, key="lost-1")
    assert first.json == again.json
    assert balance(payer) == 16


def test_only_its_owner_calls_a_pool_off_and_then_everybody_has_theirs(city: City) -> None:
    owner, payer = city.resident(), rich(city)
    pool = opened(owner)
    put(payer, pool, 4)
    assert said(payer.post(f"/v1/pools/{pool}/cancellation")) == (404, "not_found")
    assert owner.post(f"/v1/pools/{pool}/cancellation").json["state"] == "cancelled"
    assert said(owner.post(f"/v1/pools/{pool}/cancellation")) == (409, "pool_already_over")
    assert put(payer, pool, 1) == (422, "pool_not_open")
    while city.do(lambda session: circulation.conclude_pools(session, on=city.clock.today())):
        pass
    assert balance(payer) == 20
    assert payer.get("/v1/me/contributions").json["items"][0]["returned"] == 4


def test_a_guardian_pools_for_a_child_and_nobody_else_does(city: City) -> None:
    guardian, other = city.proven(), city.proven()
    ward = city.ward_of(guardian)
    account = city.person(ward).account_id
    city.do(lambda session: mint_to(session, account, 5))
    pool = opened(guardian, owner={"ward": ward}, goal_credits=5)
    assert put(guardian, pool, 5, payer={"ward": ward}) == (201, None)
    assert put(other, pool, 1, payer={"ward": ward}) == (404, "not_guardian")
    assert guardian.get(f"/v1/me/pools?ward={ward}").json["items"][0]["pool"] == pool
    assert said(other.post(f"/v1/pools/{pool}/cancellation")) == (404, "not_found")
    assert guardian.post(f"/v1/pools/{pool}/cancellation").json["state"] == "cancelled"


def test_an_organisations_pool_is_looked_after_by_its_managers_and_its_server(city: City) -> None:
    handle, owner = city.organisation("emitter")
    clerk, payer = city.resident(), rich(city)
    owner.post(f"/v1/organisations/{handle}/members", {"person": clerk.handle, "role": "clerk"})
    server = city.server("emitter")
    pool, signed = opened(owner, owner={"organisation": handle}), opened(server)
    told = city.stranger.get(f"/v1/pools/{pool}").json
    assert (told["organisation"], told["title"]) == (handle, POOL["title"])
    assert put(payer, pool, 2) == (201, None)
    assert said(clerk.post("/v1/pools", {**POOL, "owner": {"organisation": handle}})) == (403, "organisation_role_missing")
    assert said(clerk.post(f"/v1/pools/{pool}/cancellation")) == (403, "organisation_role_missing")
    assert said(server.post(f"/v1/pools/{pool}/cancellation")) == (404, "not_found")
    assert server.post(f"/v1/pools/{signed}/cancellation").json["state"] == "cancelled"
    assert said(server.get(f"/v1/me/pools?ward={clerk.handle}")) == (404, "not_guardian")


def test_a_pool_pays_for_its_own_purpose_and_its_own_charity_only(city: City) -> None:
    owner, payer, stranger = city.resident(), rich(city), city.resident()
    charity, other = city.organisation("charity")[0], city.organisation("charity")[0]
    pool = opened(owner, purpose="donation", target=charity)
    gift = {"charity": charity, "credits": 4, "payer": {"pool": pool}}
    assert said(owner.post("/v1/donation/gifts", gift)) == (422, "pool_not_usable")
    put(payer, pool, 10)
    assert said(stranger.post("/v1/donation/gifts", gift)) == (404, "not_found")
    assert said(owner.post("/v1/donation/gifts", {**gift, "charity": other})) == (422, "pool_target_differs")
    assert said(owner.post(f"/v1/pools/{opened(owner)}/contributions", {"credits": 1, "payer": {"pool": pool}})) == (
        422,
        "pool_purpose_differs",
    )
    assert owner.post("/v1/donation/gifts", gift).status_code == 201
    told = city.stranger.get(f"/v1/pools/{pool}").json
    donated = {"purpose": "donate", "credits": 4, "on": "2026-11-20", "counterpart_name": "珠江水务", "certificate": None}
    assert (told["used"], told["uses"]) == (4, [donated])
    assert said(owner.post("/v1/donation/gifts", {**gift, "credits": 7})) == (422, "not_enough")
    assert "pool.used" in [message["topic"] for message in payer.get("/v1/me/messages").json["items"]]


def test_a_pool_for_what_is_not_there_or_not_approved_is_not_opened(city: City) -> None:
    owner = city.resident()
    applicant = city.applicant(city.resident(), "charity")
    asked = {**POOL, "purpose": "donation"}
    assert said(owner.post("/v1/pools", asked)) == (422, "pool_target_wrong")
    assert said(owner.post("/v1/pools", {**asked, "target": applicant})) == (422, "organisation_not_approved")
    assert said(owner.post("/v1/pools", {**asked, "target": owner.handle})) == (404, "not_found")
    assert said(owner.post("/v1/pools", {**POOL, "deadline": "2028-01-01"})) == (422, "pool_days_wrong")
    for wrong in (
        {"goal_credits": 0},
        {"goal_credits": 2**53},
        {"goal_credits": "5"},
        {"title": ""},
        {"title": "a\u202eb"},
        {"title": "x" * 121},
        {"purpose": "fun"},
    ):
        assert owner.post("/v1/pools", {**POOL, **wrong}).status_code == 422, wrong


def test_after_its_deadline_a_pool_takes_nothing(city: City) -> None:
    pool, payer = opened(city.resident(), deadline="2026-11-20"), rich(city)
    city.clock.instant += timedelta(days=1)
    assert put(city.resident(payer.mobile), pool, 1) == (422, "pool_over")


def test_what_a_pool_retired_leads_to_its_certificate(city: City) -> None:
    owner, payer = city.resident(), rich(city)
    pool = opened(owner)
    put(payer, pool, 10)
    made = neutralise(owner, payer={"pool": pool})
    assert made.status_code == 201, made.json
    uses = city.stranger.get(f"/v1/pools/{pool}").json["uses"]
    assert [(use["purpose"], use["certificate"]) for use in uses] == [("retire", made.json["certificate"])]
    assert said(payer.post("/v1/me/neutralisations", {"footprint": MEASURED, "reason": "x", "payer": {"pool": pool}})) == (404, "not_found")
