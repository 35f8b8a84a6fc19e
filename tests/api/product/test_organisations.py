"""Organisations apply, two members of the staff decide, members act for them (Articles 11, 20)."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonhui import notifications, participants
from tests.access.signing import with_ed25519
from tests.api.product.people import City, Server, said


def test_an_organisation_begins_by_applying_and_its_applicant_owns_it(city: City):
    owner = city.resident()
    handle = city.applicant(owner, "charity")
    [mine] = owner.get("/v1/me/organisations").json["items"]
    assert (mine["organisation"], mine["kind"], mine["state"], mine["role"]) == (handle, "charity", "applied", "owner")
    assert said(owner.post(f"/v1/organisations/{handle}/api-keys", {"algorithm": "hmac-sha256", "label": "x"})) == (
        422, "organisation_not_approved",
    )  # fmt: skip


def test_a_credit_code_checks_itself_and_is_there_once(city: City):
    owner, code = city.resident(), city.credit_code()
    body = {"kind": "merchant", "name": "珠江水务", "credit_code": code, "contact_name": "李娜", "contact_mobile": "13800138000"}
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    assert said(owner.post("/v1/organisations", {**body, "credit_code": wrong})) == (422, "credit_code_invalid")
    assert owner.post("/v1/organisations", body).status_code == 201
    assert said(owner.post("/v1/organisations", body)) == (409, "organisation_already_there")


def test_nobody_decides_what_they_proposed_and_a_step_is_decided_once(city: City):
    owner, both, approver = city.resident(), city.staff("registrar", "approver"), city.staff("approver")
    handle = city.applicant(owner)
    path = f"/v1/staff/organisations/{handle}/steps"
    proposed = both.post(path, {"step": "approve", "reason": "papers seen"}).json
    assert said(both.post(path, {"step": "approve", "reason": "papers seen"})) == (409, "step_already_proposed")
    decision = f"/v1/staff/steps/{proposed['step_id']}/decision"
    assert said(both.post(decision, {"agreed": True})) == (403, "own_step")
    assert proposed["step_id"] in [one["step_id"] for one in approver.get("/v1/staff/steps?limit=100").json["items"]]
    assert approver.post(decision, {"agreed": True}).json["state"] == "approved"
    assert said(approver.post(decision, {"agreed": True})) == (404, "not_found")
    [step] = approver.get(path).json["items"]
    assert (step["agreed"], step["decided_on"]) == (True, "2026-11-20")
    assert said(both.post(path, {"step": "resume", "reason": "x"})) == (422, "step_not_possible")


def test_staff_list_organisations_page_by_page(city: City):
    owner, clerk = city.resident(), city.staff("regulator")
    made = [city.applicant(owner, "emitter") for _ in range(3)]
    found, cursor = [], ""
    while cursor is not None:
        page = clerk.get(f"/v1/staff/organisations?kind=emitter&state=applied&limit=2{cursor and f'&cursor={cursor}'}").json
        found += [one["organisation"] for one in page["items"]]
        cursor = page["next"]
    assert found[-3:] == made


def test_members_do_what_their_role_lets_them(city: City):
    handle, owner = city.organisation()
    clerk, manager = city.resident(), city.resident()
    for person, role in ((clerk, "clerk"), (manager, "manager")):
        assert owner.post(f"/v1/organisations/{handle}/members", {"person": person.handle, "role": role}).json["role"] == role
    assert len(clerk.get(f"/v1/organisations/{handle}/members").json["items"]) == 3
    assert said(clerk.get(f"/v1/organisations/{handle}/api-keys")) == (403, "organisation_role_missing")
    assert manager.get(f"/v1/organisations/{handle}/api-keys").status_code == 200
    add = {"person": city.resident().handle, "role": "clerk"}
    assert said(manager.post(f"/v1/organisations/{handle}/members", add)) == (403, "organisation_role_missing")
    assert owner.patch(f"/v1/organisations/{handle}/members/{clerk.handle}", {"role": "manager"}).json["role"] == "manager"
    assert owner.delete(f"/v1/organisations/{handle}/members/{clerk.handle}").status_code == 204
    assert said(clerk.get(f"/v1/organisations/{handle}")) == (404, "not_found")


def test_an_organisation_keeps_an_owner_and_a_person_one_role(city: City):
    handle, owner = city.organisation()
    path = f"/v1/organisations/{handle}/members"
    assert said(owner.delete(f"{path}/{owner.handle}")) == (422, "last_owner")
    assert said(owner.patch(f"{path}/{owner.handle}", {"role": "clerk"})) == (422, "last_owner")
    assert said(owner.post(path, {"person": owner.handle, "role": "clerk"})) == (409, "member_already")
    assert said(owner.post(path, {"person": handle, "role": "clerk"})) == (404, "not_found")


def test_the_contact_is_changed_and_the_former_is_destroyed(city: City):
    handle, owner = city.organisation()
    before = city.do(lambda s: participants.organisation_by_handle(s, handle).subject)
    changed = owner.patch(f"/v1/organisations/{handle}", {"contact_name": "王芳", "contact_mobile": "13900139000"})
    assert changed.status_code == 200 and "王芳" not in changed.text
    after = city.do(lambda s: participants.organisation_by_handle(s, handle).subject)
    assert before != after


def test_a_key_signs_until_it_is_revoked_and_its_secret_is_told_once(city: City):
    server = city.server("merchant")
    assert server.get(f"/v1/organisations/{server.handle}").json["organisation"] == server.handle
    owner = city.resident()
    handle, _ = city.organisation("merchant", owner)
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    path = f"/v1/organisations/{handle}/api-keys"
    made = owner.post(path, {"algorithm": "ed25519", "label": "till", "public_key": public}).json
    assert made["secret"] is None
    till = Server(
        city.client, handle=handle, key=with_ed25519(made["key_id"], key), clock=city.clock, public_url=city.settings.public_url
    )
    assert till.get(f"/v1/organisations/{handle}").status_code == 200
    assert owner.delete(f"{path}/{made['key_id']}").status_code == 204
    assert said(owner.delete(f"{path}/{made['key_id']}")) == (404, "not_found")
    assert said(till.get(f"/v1/organisations/{handle}")) == (401, "signature_invalid")
    assert [one["label"] for one in owner.get(path).json["items"] if one["revoked_at"]] == ["till"]


@pytest.mark.parametrize("public_key", [None, "nonsense", "AAAA"])
def test_an_ed25519_key_comes_with_its_public_half(city: City, public_key: str | None):
    handle, owner = city.organisation()
    body = {"algorithm": "ed25519", "label": "till", **({"public_key": public_key} if public_key else {})}
    assert said(owner.post(f"/v1/organisations/{handle}/api-keys", body)) == (422, "api_key_wrong")


def test_a_suspended_organisation_is_believed_no_longer(city: City):
    server = city.server("merchant")
    city.approve(server.handle, "suspend")
    assert said(server.get(f"/v1/organisations/{server.handle}")) == (401, "signature_invalid")
    city.approve(server.handle, "resume")
    assert server.get(f"/v1/organisations/{server.handle}").status_code == 200


# Webhooks -----------------------------------------------------------------------------------------

HOOK = {"url": "http://127.0.0.1:9/hook", "topics": ["organisation.suspended", "credit.received"]}


def test_an_address_is_added_told_rotated_and_removed(city: City):
    handle, owner = city.organisation()
    path = f"/v1/organisations/{handle}/webhooks"
    made = owner.post(path, HOOK)
    assert made.status_code == 201 and made.json["secret"].startswith("whsec_")
    hook = f"{path}/{made.json['webhook']}"
    [listed] = owner.get(path).json["items"]
    assert (listed["url"], listed["topics"], listed["state"]) == (HOOK["url"], ["credit.received", "organisation.suspended"], "active")
    assert owner.post(f"{hook}/ping").status_code == 202
    assert owner.post(f"{hook}/secret").json["secret"] != made.json["secret"]
    assert owner.post(f"{hook}/resumption").status_code == 204
    assert owner.delete(hook).status_code == 204
    assert said(owner.delete(hook)) == (404, "not_found")
    assert owner.get(path).json["items"] == []


def test_an_organisation_looks_after_its_own_webhooks_by_signed_requests(city: City):
    server = city.server("merchant")
    path = f"/v1/organisations/{server.handle}/webhooks"
    assert server.post(path, HOOK).status_code == 201
    assert len(server.get(path).json["items"]) == 1


@pytest.mark.parametrize(("change", "code"), [
    ({"url": "http://10.0.0.1/hook"}, "webhook_host_refused"),
    ({"url": "https://user:secret@127.0.0.1/"}, "webhook_address_invalid"),
    ({"url": "https://10.0.0.1/hook"}, "webhook_host_refused"),
    ({"url": "https://169.254.169.254/latest"}, "webhook_host_refused"),
    ({"topics": ["everything"]}, "webhook_topic_unknown"),
    ({"topics": []}, "fields_invalid"),
])  # fmt: skip
def test_an_address_inside_the_network_is_never_told(city: City, change: dict[str, object], code: str):
    handle, owner = city.organisation()
    assert said(owner.post(f"/v1/organisations/{handle}/webhooks", {**HOOK, **change})) == (422, code)


def test_what_was_given_up_is_listed_and_sent_again(city: City):
    handle, owner = city.organisation()
    path = f"/v1/organisations/{handle}"
    hook = owner.post(f"{path}/webhooks", HOOK).json["webhook"]
    owner.post(f"{path}/webhooks/{hook}/ping")
    assert owner.get(f"{path}/dead-letters").json == {"items": [], "next": None}
    with city.database.connect_as_owner(autocommit=True) as store:
        store.execute("UPDATE webhook_delivery SET state = 'dead', outcome = 'HTTP 500', attempts = 10 WHERE state = 'waiting'")
    [letter] = owner.get(f"{path}/dead-letters").json["items"]
    assert (letter["webhook"], letter["topic"], letter["outcome"], letter["attempts"]) == (hook, "ping", "HTTP 500", 10)
    replay = f"{path}/dead-letters/{letter['delivery']}/replay"
    assert owner.post(replay).status_code == 202
    assert said(owner.post(replay)) == (422, "webhook_delivery_not_dead")
    number = city.do(lambda s: participants.organisation_by_handle(s, handle).id)
    assert city.do(lambda s: notifications.dead_letters(s, organisation=number)) == []
