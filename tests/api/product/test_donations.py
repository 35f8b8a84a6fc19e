"""Charities through the API: a campaign is proposed, opened by two of the staff, given to, and accounted for in public (Article 21)."""

from typing import Any

import pytest

from carbonhui import merchants, neutralisation
from tests.api.product.people import Caller, City, said
from tests.api.product.test_pools import rich
from tests.ledger.books import DAY, fresh, give, mint_to

CAMPAIGN = {
    "title": "净滩行动",
    "title_en": "Clean beaches",
    "purpose": "组织居民清理海滩。",
    "first_day": "2026-11-20",
    "last_day": "2026-12-31",
}


def proposed(city: City, goal: int | None = None) -> tuple[str, Caller, str]:
    """A charity's handle, its owner, and a campaign that waits."""
    handle, owner = city.organisation("charity")
    told = owner.post(f"/v1/charities/{handle}/campaigns", {**CAMPAIGN, "goal_credits": goal})
    assert told.status_code == 201, told.json
    return handle, owner, str(told.json["campaign"])


def signed(city: City, campaign: str, *, agreed: bool = True) -> Any:
    asked = city.staff("registrar").post(f"/v1/staff/donation-campaigns/{campaign}/countersignature", {"reason": "papers seen"})
    assert asked.status_code == 201, asked.json
    return city.staff("approver").post(f"/v1/staff/countersignatures/{asked.json['countersignature']}/answer", {"agreed": agreed})


def opened(city: City) -> tuple[str, Caller, str]:
    handle, owner, campaign = proposed(city)
    assert signed(city, campaign).status_code == 200
    return handle, owner, campaign


def account_of(city: City, handle: str) -> int:
    from carbonhui import participants

    account = city.do(lambda session: participants.organisation_by_handle(session, handle)).account_id
    assert account is not None
    return account


def test_a_campaign_is_seen_by_nobody_before_two_of_the_staff_opened_it(city: City) -> None:
    handle, owner, campaign = proposed(city, goal=100)
    path, donor = f"/v1/donation/campaigns/{campaign}", rich(city)
    gift = {"charity": handle, "campaign": campaign, "credits": 1}
    assert [said(city.stranger.get(at))[0] for at in (path, f"{path}/report", f"{path}/uses")] == [404, 404, 404]
    assert said(donor.post("/v1/donation/gifts", gift)) == (404, "not_found")
    assert owner.get(f"/v1/charities/{handle}/campaigns").json["items"][0]["state"] == "proposed"
    staff = city.staff("registrar")
    assert campaign in {one["campaign"] for one in staff.get("/v1/staff/donation-campaigns?limit=100").json["items"]}
    assert signed(city, campaign).status_code == 200
    assert city.stranger.get(path).json["goal_credits"] == 100
    assert campaign in {one["campaign"] for one in city.stranger.get(f"/v1/donation/campaigns?charity={handle}").json["items"]}
    assert said(donor.post("/v1/donation/gifts", gift)) == (201, None)
    assert said(staff.post(f"/v1/staff/donation-campaigns/{campaign}/countersignature", {"reason": "x"})) == (409, "campaign_decided")


def test_a_campaign_that_was_refused_stays_unseen(city: City) -> None:
    handle, owner, campaign = proposed(city)
    assert signed(city, campaign, agreed=False).status_code == 200
    assert said(city.stranger.get(f"/v1/donation/campaigns/{campaign}")) == (404, "not_found")
    assert owner.get(f"/v1/charities/{handle}/campaigns").json["items"][0]["state"] == "refused"


def test_who_asked_does_not_answer(city: City) -> None:
    _, _, campaign = proposed(city)
    both = city.staff("registrar", "approver")
    asked = both.post(f"/v1/staff/donation-campaigns/{campaign}/countersignature", {"reason": "papers seen"}).json["countersignature"]
    answered = both.post(f"/v1/staff/countersignatures/{asked}/answer", {"agreed": True})
    assert answered.status_code in (403, 422) and said(answered)[1] == "own_countersignature"


def test_persons_and_merchants_give_and_the_report_tells_how_much_and_never_who(city: City) -> None:
    handle, owner, campaign = opened(city)
    person, (shop, keeper) = rich(city), city.organisation("merchant")
    merchant, giver = account_of(city, shop), city.person(rich(city)).account_id
    city.do(lambda session: give(session, giver, merchant, 8))
    gift = {"charity": handle, "campaign": campaign}
    assert person.post("/v1/donation/gifts", {**gift, "credits": 5}).json["charity_name"] == "珠江水务"
    assert keeper.post("/v1/donation/gifts", {**gift, "credits": 8, "payer": {"organisation": shop}}).status_code == 201
    assert said(keeper.post("/v1/donation/gifts", {**gift, "credits": 1, "payer": {"organisation": shop}})) == (422, "not_enough")
    told = city.stranger.get(f"/v1/donation/campaigns/{campaign}/report")
    assert told.json["received"] == [
        {"givers": "person", "gifts": 1, "credits": 5}, {"givers": "merchant", "gifts": 1, "credits": 8},
    ]  # fmt: skip
    assert (told.json["credits"], told.json["left"], told.json["uses"]) == (13, 13, [])
    assert person.handle not in told.text and shop not in told.text
    assert owner.get(f"/v1/charities/{handle}/balance").json == {"credits": 13, "available": 13}
    mine = person.get("/v1/me/donations").json["items"]
    assert [(one["campaign"], one["credits"], one["charity"]) for one in mine] == [(campaign, 5, handle)]
    assert "donation.made" in [message["topic"] for message in person.get("/v1/me/messages").json["items"]]


def test_what_a_charity_used_is_told_to_everybody_and_never_more_than_it_received(city: City) -> None:
    handle, owner, campaign = opened(city)
    account, donor = account_of(city, handle), rich(city)
    donor.post("/v1/donation/gifts", {"charity": handle, "campaign": campaign, "credits": 10})
    donor.post("/v1/donation/gifts", {"charity": handle, "credits": 9})
    shop = account_of(city, city.organisation("merchant")[0])
    city.do(lambda session: neutralisation.retire(session, owner=account, credits=4, reference=fresh("retire"), business_date=DAY))
    city.do(
        lambda session: merchants.redeem(session, payer=account, merchant=shop, credits=7, reference=fresh("redeem"), business_date=DAY)
    )
    redeemed, retired = owner.get(f"/v1/charities/{handle}/movements").json["items"]
    path = f"/v1/charities/{handle}/campaigns/{campaign}/uses"
    assert said(owner.post(path, {"transfer": retired["transfer"], "what": "redeemed"})) == (422, "use_differs")
    assert said(owner.post(path, {"transfer": retired["transfer"], "what": "retired"})) == (201, None)
    assert said(owner.post(path, {"transfer": retired["transfer"], "what": "retired"})) == (409, "use_already_recorded")
    assert said(owner.post(path, {"transfer": redeemed["transfer"], "what": "redeemed"})) == (422, "campaign_uses_more")
    report = city.stranger.get(f"/v1/donation/campaigns/{campaign}/report").json
    assert (report["used"], report["left"]) == ([{"what": "retired", "credits": 4}], 6)
    assert city.stranger.get(f"/v1/donation/campaigns/{campaign}/uses").json["items"] == report["uses"]
    assert [one["campaign"] for one in owner.get(f"/v1/charities/{handle}/movements").json["items"]] == [None, campaign]


def test_another_charitys_movements_and_campaigns_are_not_there(city: City) -> None:
    handle, owner, campaign = opened(city)
    rival, other = city.organisation("charity")
    assert said(other.post(f"/v1/charities/{rival}/campaigns/{campaign}/end")) == (404, "not_found")
    assert said(other.get(f"/v1/charities/{handle}/balance")) == (404, "not_found")
    merchant, keeper = city.organisation("merchant")
    assert said(keeper.get(f"/v1/charities/{merchant}/balance")) == (404, "not_found")
    assert said(keeper.post(f"/v1/charities/{merchant}/campaigns", CAMPAIGN)) == (404, "not_found")
    clerk = city.resident()
    owner.post(f"/v1/organisations/{handle}/members", {"person": clerk.handle, "role": "clerk"})
    assert said(clerk.post(f"/v1/charities/{handle}/campaigns/{campaign}/end")) == (403, "organisation_role_missing")
    assert clerk.get(f"/v1/charities/{handle}/balance").status_code == 200


def test_a_campaign_that_its_charity_ended_takes_nothing_and_stays_readable(city: City) -> None:
    handle, owner, campaign = opened(city)
    donor = rich(city)
    assert owner.post(f"/v1/charities/{handle}/campaigns/{campaign}/end").json["state"] == "ended"
    assert said(donor.post("/v1/donation/gifts", {"charity": handle, "campaign": campaign, "credits": 1})) == (422, "campaign_not_open")
    assert city.stranger.get(f"/v1/donation/campaigns/{campaign}/report").json["credits"] == 0


def test_a_suspended_charity_takes_nothing_and_is_not_listed(city: City) -> None:
    handle, _, campaign = opened(city)
    donor = rich(city)
    listed = {one["charity"] for one in city.stranger.get("/v1/donation/charities?limit=100").json["items"]}
    city.approve(handle, "suspend")
    for gift in ({"charity": handle, "credits": 1}, {"charity": handle, "campaign": campaign, "credits": 1}):
        assert said(donor.post("/v1/donation/gifts", gift)) == (422, "organisation_not_approved")
    assert listed - {one["charity"] for one in city.stranger.get("/v1/donation/charities?limit=100").json["items"]} == {handle}


def test_a_charitys_server_proposes_and_an_emitters_server_gives(city: City) -> None:
    charity, emitter = city.server("charity"), city.server("emitter")
    campaign = charity.post(f"/v1/charities/{charity.handle}/campaigns", CAMPAIGN).json["campaign"]
    assert signed(city, campaign).status_code == 200
    account = account_of(city, emitter.handle)
    city.do(lambda session: mint_to(session, account, 3))
    told = emitter.post("/v1/donation/gifts", {"charity": charity.handle, "campaign": campaign, "credits": 3})
    assert told.status_code == 201, told.json
    assert charity.get(f"/v1/charities/{charity.handle}/balance").json["credits"] == 3
    assert emitter.get("/v1/me/donations").json["items"][0]["credits"] == 3


@pytest.mark.parametrize("credits", [0, -1, 2**53, "5"])
def test_a_gift_is_a_whole_number_of_credits(city: City, credits: Any) -> None:
    handle, _ = city.organisation("charity")
    assert said(rich(city).post("/v1/donation/gifts", {"charity": handle, "credits": credits})) == (422, "fields_invalid")
