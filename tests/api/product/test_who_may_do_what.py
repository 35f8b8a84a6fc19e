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
from tests.ledger.books import mint_to

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
    yield from _of_merchants(handle, mine, other)
    yield from _of_charges(handle, mine, other)
    yield from _of_institutions(city, rival)
    yield from _of_settlements(city)
    yield from _of_charities(city, other)
    yield from _of_departments(city, other)


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
    yield from _of_gifts(city, mine, other)
    yield from _of_certificates(city, mine, other)
    yield "decideLinkClaim", (f"/v1/link-claims/{claim}/decision", city.server())


def _of_gifts(city: City, mine: Caller, other: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    """Given to somebody else and asked of somebody else: neither giver nor receiver is the one who tries."""
    account, receiver = city.person(mine).account_id, city.resident()
    city.do(lambda s: mint_to(s, account, 1))
    gift = mine.post("/v1/me/gifts", {"mobile": receiver.mobile, "credits": 1}).json["gift"]
    request = mine.post("/v1/me/requests", {"mobile": receiver.mobile, "credits": 1}).json["request"]
    yield "readGift", (f"/v1/me/gifts/{gift}", other)
    yield "decideGift", (f"/v1/me/gifts/{gift}/decision", other)
    yield "cancelGift", (f"/v1/me/gifts/{gift}", receiver)
    yield "readRequest", (f"/v1/me/requests/{request}", other)
    yield "decideRequest", (f"/v1/me/requests/{request}/decision", mine)
    yield "cancelRequest", (f"/v1/me/requests/{request}", receiver)


def _of_certificates(city: City, mine: Caller, other: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    account = city.person(mine).account_id
    city.do(lambda s: mint_to(s, account, 1))
    asked = {"footprint": {"measured": {"mg": 1, "evidence_sha256": "0" * 64}}, "reason": "x"}
    path = f"/v1/me/certificates/{mine.post('/v1/me/neutralisations', asked).json['certificate']}"
    yield "readMyCertificate", (path, other)
    yield "hideBeneficiary", (f"{path}/visibility", other)
    yield "printMyCertificate", (f"{path}.pdf", other)


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


def _of_settlements(city: City) -> Iterator[tuple[str, tuple[str, Caller]]]:
    from tests.api.product.test_settlements import settled_merchant

    handle, _, settlement = settled_merchant(city)
    path, other = f"/v1/merchants/{handle}", city.server("merchant")
    yield "listSettlements", (f"{path}/settlements", other)
    yield "readSettlement", (f"{path}/settlements/{settlement}", other)
    yield "listSettlementLines", (f"{path}/settlements/{settlement}/lines", other)
    yield "readSettlementCsv", (f"{path}/settlements/{settlement}/statement.csv", other)
    yield "readSettlementWorkbook", (f"{path}/settlements/{settlement}/statement.xlsx", other)
    yield "readTradeStatement", (f"{path}/statement", other)
    yield "readTradeStatementCsv", (f"{path}/statement.csv", other)
    yield "readTradeStatementWorkbook", (f"{path}/statement.xlsx", other)


def _of_charities(city: City, other: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    handle, owner = city.organisation("charity")
    path = f"/v1/charities/{handle}"
    campaign = owner.post(f"{path}/campaigns", CAMPAIGN).json["campaign"]
    for name in ("proposeCampaign", "listOwnCampaigns"):
        yield name, (f"{path}/campaigns", other)
    yield "endCampaign", (f"{path}/campaigns/{campaign}/end", other)
    yield "recordCampaignUse", (f"{path}/campaigns/{campaign}/uses", other)
    yield "listCharityMovements", (f"{path}/movements", other)
    yield "readCharityBalance", (f"{path}/balance", other)
    # What is not opened yet is nobody's to know of.
    for name, end in (("readCampaign", ""), ("readCampaignReport", "/report"), ("listCampaignUses", "/uses")):
        yield name, (f"/v1/donation/campaigns/{campaign}{end}", other)
    pool = {"title": "x", "goal_credits": 5, "purpose": "neutralisation", "deadline": "2026-12-31"}
    yield "cancelPool", (f"/v1/pools/{owner.post('/v1/pools', pool).json['pool']}/cancellation", other)


def _of_departments(city: City, other: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    from tests.api.product.test_bills import present, waterworks

    water = waterworks(city)
    path, bill = water[0], present(water, "W-owned").json["bill"]
    item = water[1].get(f"{path}/fee-items").json["items"][0]["fee_item"]
    for name in ("listOwnFeeItems", "applyForFeeItem"):
        yield name, (f"{path}/fee-items", other)
    yield "withdrawFeeItem", (f"{path}/fee-items/{item}/withdrawal", other)
    for name in ("presentBill", "listBills"):
        yield name, (f"{path}/bills", other)
    yield "readBill", (f"{path}/bills/{bill}", other)
    yield "takeBackBill", (f"{path}/bills/{bill}/withdrawal", other)
    yield "readFeePosition", (f"{path}/position", other)
    # A bill in nobody's list is there for nobody, although its department presented it.
    yield "readMyBill", (f"/v1/me/bills/{bill}", other)
    yield "previewOffset", (f"/v1/me/bills/{bill}/terms", other)
    yield "offsetBill", (f"/v1/me/bills/{bill}/offset", other)


def _of_institutions(city: City, rival: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    from tests.api.product.test_institutions import agree, ride

    metro = city.server()
    agree(city, metro)
    batch = metro.post("/v1/activities", {"profile": "transit-trips", "rows": [ride("h-1", metres="far")]}).json["batch"]
    agreement = metro.get("/v1/agreements").json["items"][0]["agreement"]
    yield "readBatch", (f"/v1/activities/batches/{batch}", rival)
    yield "readRefusedRows", (f"/v1/activities/batches/{batch}/refused", rival)
    yield "applyForUsers", (f"/v1/agreements/{agreement}/users", rival)


def _of_merchants(handle: str, owner: Caller, other: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    path = f"/v1/merchants/{handle}"
    shop = owner.post(f"{path}/shops", SHOP).json["shop"]
    till = owner.post(f"{path}/shops/{shop}/tills", {"label": "1"}).json["till"]
    offer = owner.post(f"{path}/offers", OFFER).json["offer"]
    yield "changeAlliance", (f"{path}/alliance", other)
    for name in ("listShops", "addShop"):
        yield name, (f"{path}/shops", other)
    yield "changeShop", (f"{path}/shops/{shop}", other)
    for name in ("listTills", "addTill"):
        yield name, (f"{path}/shops/{shop}/tills", other)
    yield "changeTill", (f"{path}/shops/{shop}/tills/{till}", other)
    for name in ("listOwnOffers", "draftOffer"):
        yield name, (f"{path}/offers", other)
    yield "changeOffer", (f"{path}/offers/{offer}", other)
    yield "publishOffer", (f"{path}/offers/{offer}/publication", other)
    yield "withdrawOffer", (f"{path}/offers/{offer}/withdrawal", other)
    yield "changeStock", (f"{path}/offers/{offer}/stock", other)


def _of_charges(handle: str, owner: Caller, other: Caller) -> Iterator[tuple[str, tuple[str, Caller]]]:
    base = f"/v1/merchants/{handle}"
    path = f"{base}/charges"
    made = owner.post(path, {"out_trade_no": "T-1", "credits": 1})
    assert made.status_code == 201, made.json
    for name in ("makeCharge", "listCharges"):
        yield name, (path, other)
    yield "readCharge", (f"{path}/T-1", other)
    yield "captureCharge", (f"{path}/T-1/capture", other)
    yield "voidCharge", (f"{path}/T-1/void", other)
    yield "closeCharge", (f"{path}/T-1/close", other)
    for name in ("refundCharge", "listRefunds"):
        yield name, (f"{path}/T-1/refunds", other)
    yield "openSandbox", (f"{base}/sandbox", other)
    yield "refillSandbox", (f"{base}/sandbox/credits", other)
    yield "issueSandboxCode", (f"{base}/sandbox/payment-codes", other)
    yield "payInSandbox", (f"{base}/sandbox/payments", other)


SHOP = {
    "name": "珠江茶馆", "address": "越秀区沿江路 1 号", "district": "440104", "latitude_udeg": 23_115_000, "longitude_udeg": 113_262_000,
}  # fmt: skip
OFFER = {
    "title_zh": "早茶", "category": "food", "credits": 5, "money_fen": 1000, "list_price_fen": 2000, "valid_from": "2026-11-01",
    "valid_until": "2026-12-31",
}  # fmt: skip
CAMPAIGN = {"title": "净滩行动", "purpose": "组织居民清理海滩。", "first_day": "2026-11-20", "last_day": "2026-12-31"}
#: A body that is understood, where an empty one is not.
BODIES: dict[str, Any] = {
    "hideBeneficiary": {"beneficiary_hidden": True},
    "applyForFeeItem": {"code": "1", "title_zh": "水费", "title_en": "Water", "legal_basis": "1"},
    "presentBill": {"number": "1", "fee_item": "1", "total_fen": 100, "payer_reference": "1", "due_on": "2026-12-31"},
    "takeBackBill": {"because": "cancelled"},
    "offsetBill": {"credits": 1},
    "proposeCampaign": CAMPAIGN,
    "recordCampaignUse": {"transfer": str(uuid.uuid4()), "what": "retired"},
    "changeAlliance": {"member": True},
    "makeCharge": {"out_trade_no": "T-2", "credits": 1},
    "refundCharge": {"out_refund_no": "R-1", "credits": 1},
    "payInSandbox": {"till_code": "48" + "0" * 22},
    "changePaymentLimits": {"per_payment_max": None, "per_day_max": None},
    "addShop": SHOP,
    "addTill": {"label": "2"},
    "draftOffer": OFFER,
    "changeOffer": OFFER,
    "changeStock": {"stock": 5},
    "addMember": {"person": str(uuid.uuid4()), "role": "clerk"},
    "changeMember": {"role": "clerk"},
    "changeOrganisation": {"contact_name": "王芳", "contact_mobile": "13900139000"},
    "issueApiKey": {"algorithm": "hmac-sha256", "label": "x"},
    "addWebhook": {"url": "http://127.0.0.1:9/hook", "topics": ["credit.received"]},
    "decideLinkClaim": {"confirmed": True},
    "decideGift": {"accepted": True},
    "decideRequest": {"accepted": True},
    "applyForUsers": {"users": [{"identifier": "1"}]},
}
#: Addresses with a name that is nobody's secret, and what the staff may see of everybody.
#: `explainReduction` and `readCredit` are attempted where somebody has reductions (test_credits.py).
ELSEWHERE = frozenset({
    # A till shows its code to whoever stands before it.
    "readPayment", "payCharge",
    "proposeFeeItem",
    "readMerchant", "listGrades", "proposeGrade", "readShop", "readOffer",
    "readProblem", "withdrawConsent", "explainReduction", "readCredit", "listOrganisationSteps", "proposeStep", "decideStep",
    "readCertificate", "printCertificate", "showCertificate", "readPerson", "answerCountersignature", "readPool", "contribute", "askForCampaign",
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
    days = {"listActivities": "first=2026-11-01&last=2026-11-02&", "printStatement": "from=2026-11-01&until=2026-11-02&"}
    bodies = {
        "giveConsent": {"source": "metro", "text_digest": "0" * 64},
        "linkIdentifier": {"scheme": "card", "identifier": "1", "code": "A"},
        "askForLink": {"scheme": "card", "identifier": "1", "organisation": str(uuid.uuid4())},
        "giveCredits": {"mobile": "13800138000", "credits": 1},
        "askForCredits": {"mobile": "13800138000", "credits": 1},
        "decideGift": {"accepted": True},
        "decideRequest": {"accepted": True},
        "eraseMe": {"challenge": "x", "code": "000000", "understood": "my credits go to the cancellation pool and nothing comes back"},
    }  # fmt: skip
    for one in asked:
        told = []
        for handle in (ward, str(uuid.uuid4())):
            path = f"{address(one)}?{days.get(one.id, '')}ward={handle}"
            told.append({**attempt(one, other, path, bodies.get(one.id, BODIES.get(one.id))).json, "instance": ""})
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
        answer = attempt(one, owner, re.sub(r"<[^>]+>", handle, path), BODIES.get(one.id))
        assert answer.status_code in (400, 404, 414), (one.id, answer.json)
