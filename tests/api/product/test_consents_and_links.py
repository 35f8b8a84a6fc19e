"""Consents source by source, and identifiers with proof of control (Articles 11-12)."""

from datetime import date

from carbonhui import consent
from tests.api.product.people import City, said

DAY = date(2026, 11, 20)


def published(city: City, source: str, *, en: str = "I agree.", sensitive: bool = False) -> str:
    text = city.do(lambda session: consent.publish_text(
        session, source=source, sensitive=sensitive, zh="同意。", en=en, on=DAY, published_by="office"
    ))  # fmt: skip
    return text.digest.hex()


def test_the_newest_words_are_told_to_everybody(city: City):
    published(city, "water-told", en="I agree to less.")
    digest = published(city, "water-told", en="I agree to more.")
    [text] = city.stranger.get("/v1/consent-texts?source=water-told").json["items"]
    assert (text["version"], text["en"], text["text_digest"], text["sensitive"]) == (2, "I agree to more.", digest, False)
    assert city.stranger.get("/v1/consent-texts").json["items"]


def test_consent_is_given_by_the_words_that_were_read_and_taken_back_at_once(city: City):
    who, digest = city.resident(), published(city, "metro-given", sensitive=True)
    given = who.post("/v1/me/consents", {"source": "metro-given", "text_digest": digest})
    assert given.status_code == 201
    assert (given.json["live"], given.json["covers_from"], given.json["channel"]) == (True, "2026-11-20", "app")
    assert who.delete("/v1/me/consents/metro-given").status_code == 204
    assert said(who.delete("/v1/me/consents/metro-given")) == (404, "consent_not_given")
    [history] = who.get("/v1/me/consents").json["items"]
    assert (history["live"], history["ended_because"]) == (False, "withdrawn")


def test_other_words_than_the_newest_are_no_consent(city: City):
    who, old = city.resident(), published(city, "gas-old", en="I agree to less.")
    published(city, "gas-old", en="I agree to more.")
    assert said(who.post("/v1/me/consents", {"source": "gas-old", "text_digest": old})) == (409, "consent_text_changed")
    assert said(who.post("/v1/me/consents", {"source": "gas-none", "text_digest": old})) == (404, "consent_text_missing")
    tomorrow = {"source": "gas-old", "text_digest": old, "covers_from": "2026-11-21"}
    assert said(who.post("/v1/me/consents", tomorrow)) == (422, "consent_covers_future")


def test_a_guardian_consents_for_a_child_and_nobody_else_does(city: City):
    guardian, stranger, digest = city.proven(), city.proven(), published(city, "bus-ward", sensitive=True)
    ward = city.ward_of(guardian)
    body = {"source": "bus-ward", "text_digest": digest}
    given = guardian.post(f"/v1/me/consents?ward={ward}", body)
    assert (given.status_code, given.json["channel"]) == (201, "guardian")
    assert guardian.get("/v1/me/consents").json["items"] == []
    assert [one["source"] for one in guardian.get(f"/v1/me/consents?ward={ward}").json["items"]] == ["bus-ward"]
    assert said(stranger.post(f"/v1/me/consents?ward={ward}", body)) == (404, "not_guardian")
    assert said(stranger.delete(f"/v1/me/consents/bus-ward?ward={ward}")) == (404, "not_guardian")
    assert guardian.delete(f"/v1/me/consents/bus-ward?ward={ward}").status_code == 204


def test_an_identifier_is_linked_by_the_code_that_its_institution_delivered(city: City):
    metro, who, other = city.server(schemes=["metro-card"]), city.resident(), city.resident()
    code = metro.post("/v1/link-codes", {"scheme": "metro-card", "identifier": "6217000012345678"}).json["code"]
    body = {"scheme": "metro-card", "identifier": "6217000012345678", "code": code}
    assert said(who.post("/v1/me/links", {**body, "code": "AAAA-BBBB-CCCC"})) == (422, "link_code_wrong")
    assert said(other.post("/v1/me/links", {**body, "identifier": "6217000012345679"})) == (422, "link_code_wrong")
    made = who.post("/v1/me/links", body)
    assert (made.status_code, made.json["state"]) == (201, "confirmed")
    [link] = who.get("/v1/me/links").json["items"]
    assert (link["link"], link["tail"], link["since"], link["until"]) == (made.json["link"], "5678", "2026-11-20", None)
    assert said(other.post("/v1/me/links", body)) == (422, "link_code_wrong")
    assert who.delete(f"/v1/me/links/{link['link']}").status_code == 204
    assert said(who.delete(f"/v1/me/links/{link['link']}")) == (404, "not_found")


def test_a_held_identifier_is_not_linked_again_even_with_a_code(city: City):
    metro, who, other = city.server(schemes=["bus-card"]), city.resident(), city.resident()
    for person, expected in ((who, (201, None)), (other, (409, "identifier_linked"))):
        code = metro.post("/v1/link-codes", {"scheme": "bus-card", "identifier": "B-1"}).json["code"]
        assert said(person.post("/v1/me/links", {"scheme": "bus-card", "identifier": "B-1", "code": code})) == expected


def test_five_wrong_codes_wear_a_code_out(city: City):
    metro, who = city.server(schemes=["bike-account"]), city.resident()
    code = metro.post("/v1/link-codes", {"scheme": "bike-account", "identifier": "K-1"}).json["code"]
    body = {"scheme": "bike-account", "identifier": "K-1"}
    for _ in range(5):
        assert said(who.post("/v1/me/links", {**body, "code": "22222222"})) == (422, "link_code_wrong")
    assert said(who.post("/v1/me/links", {**body, "code": code})) == (422, "link_code_wrong")


def test_an_institution_confirms_that_a_name_and_an_identifier_belong_together(city: City):
    water, who, unproven = city.server(schemes=["water-meter"]), city.proven(), city.resident()
    body = {"scheme": "water-meter", "identifier": "W-9", "organisation": water.handle}
    assert said(unproven.post("/v1/me/link-claims", body)) == (422, "real_name_needed")
    asked = who.post("/v1/me/link-claims", body)
    assert (asked.status_code, asked.json["state"]) == (201, "asked")
    assert said(who.post("/v1/me/link-claims", body)) == (409, "claim_already_asked")
    [claim] = water.get("/v1/link-claims").json["items"]
    assert (claim["claim"], claim["name"], claim["identifier"]) == (asked.json["link"], "张伟", "W-9")
    assert water.post(f"/v1/link-claims/{claim['claim']}/decision", {"confirmed": True}).status_code == 204
    assert said(water.post(f"/v1/link-claims/{claim['claim']}/decision", {"confirmed": True})) == (404, "not_found")
    assert [one["scheme"] for one in who.get("/v1/me/links").json["items"]] == ["water-meter"]
    assert "link_confirmation" in [one["purpose"] for one in who.get("/v1/me/reads").json["items"]]


def test_a_claim_is_withdrawn_before_it_is_answered(city: City):
    gas, who = city.server(schemes=["gas-meter"]), city.proven()
    body = {"scheme": "gas-meter", "identifier": "G-9", "organisation": gas.handle}
    claim = who.post("/v1/me/link-claims", body).json["link"]
    assert who.delete(f"/v1/me/link-claims/{claim}").status_code == 204
    assert said(gas.post(f"/v1/link-claims/{claim}/decision", {"confirmed": True})) == (404, "not_found")
    assert said(who.post("/v1/me/link-claims", {**body, "organisation": who.handle})) == (404, "not_found")


def test_an_institution_gives_codes_for_its_own_schemes_only_and_handles_are_claimed_by_nobody(city: City):
    metro, who = city.server(schemes=["ferry-card"]), city.resident()
    assert said(metro.post("/v1/link-codes", {"scheme": "tram-card", "identifier": "1"})) == (422, "scheme_not_kept")
    body = {"scheme": "person", "identifier": who.handle}
    assert said(metro.post("/v1/link-codes", body)) == (422, "fields_invalid")
    assert said(who.post("/v1/me/links", {**body, "code": "AAAA"})) == (422, "fields_invalid")


def test_an_institution_applies_for_its_users_under_its_agreement(city: City):
    import hashlib

    text = "The operator may apply for its users."
    metro, rival, who = city.server(schemes=["transit-card"]), city.server(), city.resident()
    code = metro.post("/v1/link-codes", {"scheme": "transit-card", "identifier": "T-1"}).json["code"]
    who.post("/v1/me/links", {"scheme": "transit-card", "identifier": "T-1", "code": code})
    published(city, "transit-trips", sensitive=True)
    number = city.do(lambda session: _organisation(session, metro.handle))
    city.do(lambda session: consent.register_agreement(
        session, organisation=number, source="transit-trips", text=text, digest=hashlib.sha256(text.encode()).digest(),
        from_=date(2026, 1, 1), until=None, by="office",
    ))  # fmt: skip
    [agreement] = metro.get("/v1/agreements").json["items"]
    assert (agreement["source"], agreement["in_force"]) == ("transit-trips", True)
    path = f"/v1/agreements/{agreement['agreement']}/users"
    users = [{"identifier": "T-1", "evidence": "form-1"}, {"identifier": "T-2", "evidence": "form-2"}]
    applied = metro.post(path, {"users": users})
    assert applied.json == {"given": 1, "standing": 0, "withdrawn": 0, "minors": 0, "unlinked": 1}
    assert said(metro.post(path, {"users": [{"identifier": "T-1"}]})) == (422, "consent_evidence_missing")
    for evidence, code in (
        ("Zhang Wei", "fields_invalid"), ("form", "fields_invalid"), ("13800138000", "consent_evidence_invalid"),
        ("form-138.0013.8000", "consent_evidence_invalid"),
    ):  # fmt: skip
        assert said(metro.post(path, {"users": [{"identifier": "T-1", "evidence": evidence}]})) == (422, code)
    assert said(rival.post(path, {"users": users})) == (404, "not_found")
    who.delete("/v1/me/consents/transit-trips")
    assert metro.post(path, {"users": users}).json["withdrawn"] == 1


def _organisation(session, handle: str) -> int:
    from carbonhui import participants

    return participants.organisation_by_handle(session, handle).id
