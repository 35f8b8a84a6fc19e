"""Every operation as every role: what the table of permissions says is what happens (OWASP API1, API3, API5:2023)."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import Schema, fields

from carbonhui.api.application import operations_of
from carbonhui.api.operation import Operation
from carbonhui.api.permissions import ORGANISATIONS, PERMISSIONS, STAFF
from tests.api.product.people import Caller, City, said

ROLES = ("anonymous", "person", *(f"staff:{role}" for role in STAFF), *(f"organisation:{kind}" for kind in ORGANISATIONS))
#: What these do is the end of who calls.
ENDING = {"signOut": "person", "signOutEverywhere": "person", "staffSignOut": "staff"}
DENIED = ("not_allowed", "not_signed_in")


@pytest.fixture(scope="module")
def operations(town: City) -> dict[str, Operation]:
    return {one.id: one for one in operations_of(town.client.application)}


@pytest.fixture(scope="module")
def everybody(town: City) -> dict[str, Caller]:
    found = {"anonymous": town.stranger, "person": town.resident()}
    found |= {f"staff:{role}": town.staff(role) for role in STAFF}
    return found | {f"organisation:{kind}": town.server(kind) for kind in ORGANISATIONS}


def address(operation: Operation, handle: str | None = None) -> str:
    return re.sub(r"<[^>]+>", handle or str(uuid.uuid4()), operation.path)


def attempt(operation: Operation, caller: Caller, path: str | None = None, body: Any = None) -> Any:
    """A request that is understood as far as the caller's rights are asked for."""
    if operation.upload:
        return caller.call(operation.method, path or address(operation), data=b"x", media_type=operation.upload[0])
    given = body if body is not None else {} if operation.body else None
    return caller.call(operation.method, path or address(operation), given)


def test_the_table_names_every_operation_and_nothing_else(operations: dict[str, Operation]):
    assert set(operations) == set(PERMISSIONS)
    assert all(PERMISSIONS[id] and set(ROLES) >= PERMISSIONS[id] for id in operations)


@pytest.mark.parametrize("role", ROLES)
def test_every_operation_is_open_to_the_roles_of_the_table_and_to_nobody_else(
    town: City, operations: dict[str, Operation], everybody: dict[str, Caller], role: str
):
    wrong = []
    for operation in operations.values():
        caller = everybody[role]
        allowed = role in PERMISSIONS[operation.id]
        if allowed and operation.id in ENDING:
            caller = town.resident() if role == "person" else town.staff(role.removeprefix("staff:"))
        status, code = said(attempt(operation, caller))
        if allowed != (code not in DENIED) or status >= 500:
            wrong.append((operation.id, status, code))
        if not allowed and (status, code) != ((401, "not_signed_in") if role == "anonymous" else (403, "not_allowed")):
            wrong.append((operation.id, status, code))
    assert wrong == []


# Another's things -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def owned(town: City) -> dict[str, tuple[str, Caller]]:
    """Paths to things that really are somebody's, and somebody else whom they do not concern, by operation."""
    return dict(_owned(town))


def _owned(city: City) -> Iterator[tuple[str, tuple[str, Caller]]]:
    mine, other = city.proven(), city.proven()
    handle, rival = _organisation(city, mine), city.server()
    yield from _of_persons(city, mine, other)
    yield from _of_organisations(handle, mine, other)
    yield from _of_institutions(city, rival)


def _organisation(city: City, owner: Caller) -> str:
    return city.organisation("merchant", owner)[0]


def _of_persons(city: City, mine: Caller, other: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    metro = city.server(schemes=["house-card", "house-meter"])
    code = metro.post("/v1/link-codes", {"scheme": "house-card", "identifier": "H-1"}).json["code"]
    link = mine.post("/v1/me/links", {"scheme": "house-card", "identifier": "H-1", "code": code}).json["link"]
    claim = mine.post("/v1/me/link-claims", {"scheme": "house-meter", "identifier": "H-2", "organisation": metro.handle}).json["link"]
    yield "signOutDevice", (f"/v1/me/devices/{mine.device}", other)
    yield "endLink", (f"/v1/me/links/{link}", other)
    yield "withdrawLinkClaim", (f"/v1/me/link-claims/{claim}", other)
    yield "endGuardianship", (f"/v1/me/wards/{city.ward_of(mine)}", other)
    yield "decideLinkClaim", (f"/v1/link-claims/{claim}/decision", city.server())


def _of_organisations(handle: str, owner: Caller, other: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    path = f"/v1/organisations/{handle}"
    hook = owner.post(f"{path}/webhooks", {"url": "http://127.0.0.1:9/hook", "topics": ["credit.received"]}).json["webhook"]
    key = owner.post(f"{path}/api-keys", {"algorithm": "hmac-sha256", "label": "x"}).json["key_id"]
    member = f"{path}/members/{owner.handle}"
    for name in ("readOrganisation", "changeOrganisation"):
        yield name, (path, other)
    for name in ("listMembers", "addMember"):
        yield name, (f"{path}/members", other)
    for name in ("changeMember", "endMembership"):
        yield name, (member, other)
    for name in ("listApiKeys", "issueApiKey"):
        yield name, (f"{path}/api-keys", other)
    for name in ("listWebhooks", "addWebhook"):
        yield name, (f"{path}/webhooks", other)
    yield "revokeApiKey", (f"{path}/api-keys/{key}", other)
    yield "rotateWebhookSecret", (f"{path}/webhooks/{hook}/secret", other)
    yield "pingWebhook", (f"{path}/webhooks/{hook}/ping", other)
    yield "resumeWebhook", (f"{path}/webhooks/{hook}/resumption", other)
    yield "removeWebhook", (f"{path}/webhooks/{hook}", other)
    yield "listDeadLetters", (f"{path}/dead-letters", other)
    yield "replayDeadLetter", (f"{path}/dead-letters/{hook}/replay", other)


def _of_institutions(city: City, rival: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    from tests.api.product.test_institutions import agree, ride

    metro = city.server()
    agree(city, metro)
    batch = metro.post("/v1/activities", {"profile": "transit-trips", "rows": [ride("h-1", metres="far")]}).json["batch"]
    agreement = metro.get("/v1/agreements").json["items"][0]["agreement"]
    yield "readBatch", (f"/v1/activities/batches/{batch}", rival)
    yield "readRefusedRows", (f"/v1/activities/batches/{batch}/refused", rival)
    yield "applyForUsers", (f"/v1/agreements/{agreement}/users", rival)


#: A body that is understood, where an empty one is not.
BODIES: dict[str, Any] = {
    "addMember": {"person": str(uuid.uuid4()), "role": "clerk"},
    "changeMember": {"role": "clerk"},
    "changeOrganisation": {"contact_name": "王芳", "contact_mobile": "13900139000"},
    "issueApiKey": {"algorithm": "hmac-sha256", "label": "x"},
    "addWebhook": {"url": "http://127.0.0.1:9/hook", "topics": ["credit.received"]},
    "decideLinkClaim": {"confirmed": True},
    "applyForUsers": {"users": [{"identifier": "1"}]},
}
#: Addresses with a name that is nobody's secret, and what the staff may see of everybody.
#: `explainReduction` and `readCredit` are attempted where somebody has reductions (test_credits.py).
ELSEWHERE = frozenset({
    "readProblem", "withdrawConsent", "explainReduction", "readCredit", "listOrganisationSteps", "proposeStep", "decideStep",
    "readPerson",
})  # fmt: skip


def test_what_is_anothers_and_what_is_not_there_are_told_in_the_same_words(
    operations: dict[str, Operation], owned: dict[str, tuple[str, Caller]]
):
    with_handles = {id for id, one in operations.items() if "<" in one.path}
    assert set(owned) == with_handles - ELSEWHERE
    for id, (path, other) in owned.items():
        body = BODIES.get(id)
        answer = attempt(operations[id], other, path, body)
        unknown = attempt(operations[id], other, address(operations[id]), body)
        assert said(answer) == said(unknown) == (404, "not_found"), id
        told = [{**one.json, "instance": ""} for one in (answer, unknown)]
        assert told[0] == told[1], id


def test_a_child_of_others_is_told_as_nobody_in_every_operation(city: City, operations: dict[str, Operation]):
    guardian, other = city.proven(), city.proven()
    ward = city.ward_of(guardian)
    asked = [one for one in operations.values() if one.query is not None and "ward" in one.query.fields]
    assert {"listConsents", "readBalance", "readStatement", "exportMe", "eraseMe", "listLinks", "listReductions"} <= {one.id for one in asked}
    days = "first=2026-11-01&last=2026-11-02&"
    bodies = {
        "giveConsent": {"source": "metro", "text_digest": "0" * 64},
        "linkIdentifier": {"scheme": "card", "identifier": "1", "code": "A"},
        "askForLink": {"scheme": "card", "identifier": "1", "organisation": str(uuid.uuid4())},
        "eraseMe": {"challenge": "x", "code": "000000", "understood": "my credits go to the cancellation pool and nothing comes back"},
    }  # fmt: skip
    for one in asked:
        told = []
        for handle in (ward, str(uuid.uuid4())):
            path = f"{address(one)}?{days if one.id == 'listActivities' else ''}ward={handle}"
            told.append({**attempt(one, other, path, bodies.get(one.id)).json, "instance": ""})
        expected = "not_found" if one.id == "askForLink" else "not_guardian"
        assert told[0] == told[1], one.id
        assert told[0]["code"] == expected, one.id


# More than was asked for ------------------------------------------------------------------------

FORGED = {"account_id": 1, "person_id": 1, "level": "real_name", "state": "active", "roles": ["owner"], "subject": 1, "credits": 10**6}


def test_no_operation_takes_a_field_that_it_does_not_know(operations: dict[str, Operation], everybody: dict[str, Caller]):
    for one in operations.values():
        if one.body is None:
            continue
        role = sorted(PERMISSIONS[one.id])[0] if "anonymous" not in PERMISSIONS[one.id] else "anonymous"
        answer = attempt(one, everybody[role], body=FORGED)
        assert said(answer) == (422, "fields_invalid"), one.id
        forged = {error["pointer"] for error in answer.json["errors"]}
        assert {f"/{name}" for name in FORGED if name not in one.body.fields} <= forged, one.id


def _inner(schema: Schema, path: str = "") -> Iterator[tuple[str, fields.Field]]:
    for name, found in schema.fields.items():
        yield f"{path}/{name}", found
        inner = found.inner if isinstance(found, fields.List) else found
        if isinstance(inner, fields.Nested):
            yield from _inner(inner.schema, f"{path}/{name}")


def test_every_field_of_a_request_is_strict_and_bounded(operations: dict[str, Operation]):
    """Marshmallow's own fields coerce; each of ours refuses what is not exactly what it should be."""
    loose = []
    for one in operations.values():
        for schema in (one.body, one.query):
            for path, found in _inner(schema) if schema is not None else ():
                if type(found).__module__.startswith("marshmallow") and not isinstance(found, (fields.Nested, fields.Dict)):
                    loose.append((one.id, path))
    assert loose == []




@pytest.mark.parametrize("name", ["%00", "a%00b", "%ff", "%ED%A0%80", "..%2f..", "%E2%80%AE", "'--", "%EF%BC%91" * 20, "x" * 3000, "%F0%9F%9A%8C"])
def test_a_name_in_an_address_may_be_anything_and_is_only_unknown(
    town: City, operations: dict[str, Operation], everybody: dict[str, Caller], name: str
):
    """Bytes that no text is, tricks with directions and lengths: told as not there, or as not allowed to be said."""
    handle, owner = town.organisation()
    for one in operations.values():
        if "<string" not in one.path:
            continue
        path = re.sub(r"<string[^>]*>", name, one.path)
        answer = attempt(one, owner, re.sub(r"<[^>]+>", handle, path))
        assert answer.status_code in (400, 404, 414), (one.id, answer.json)
