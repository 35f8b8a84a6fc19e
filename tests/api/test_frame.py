"""Around every request: errors of one shape (RFC 9457), headers, languages, limits, roles, logs, health."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from openapi_spec_validator import validate

from carbonhui import api
from carbonhui.api.cursors import Cursor
from carbonhui.api.permissions import PERMISSIONS
from carbonhui.api.rates import Rates
from carbonhui.api.refusals import TooManyRequests
from carbonhui.core.database import Database
from tests.api.conftest import As
from tests.api.minutes import held_minute
from tests.api.routes import ROLES, blueprint

PROBLEM = {"type", "title", "status", "detail", "code", "instance", "facts"}


# Errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nowhere", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/", 404, "not_found"),
        ("GET", "//v1", 404, "not_found"),
        ("DELETE", "/v1", 405, "method_not_allowed"),
        ("POST", "/livez", 405, "method_not_allowed"),
        ("GET", "/v1/notes", 401, "not_signed_in"),
    ],
)
def test_every_error_has_one_shape(client, method, path, status, code):
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json.keys() == PROBLEM
    assert (answer.json["status"], answer.json["code"]) == (status, code)
    assert answer.json["type"].endswith(f"/v1/problems/{code}")
    assert answer.json["instance"].endswith(answer.headers["X-Request-Id"])
    if status == 405:
        assert "GET" in answer.headers["Allow"]
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_code_has_a_page_of_its_own(client):
    found = client.get("/v1/problems/not_found", headers={"Accept-Language": "zh"}).json
    assert (found["status"], found["sentence"]) == (404, "该地址不存在任何内容。")
    assert client.get("/v1/problems/of_nobody").status_code == 404


@pytest.mark.parametrize(("city", "credit"), [("guangzhou", "碳惠"), ("fuzhou", "碳币")])
def test_the_page_of_a_code_calls_the_credit_as_its_city_does(client, monkeypatch, city, credit):
    foundation = client.application.extensions["carbonhui"]
    settings = replace(foundation.services.settings, profile=city)
    monkeypatch.setattr(foundation, "services", replace(foundation.services, settings=settings))
    found = client.get("/v1/problems/offset_above_cap", headers={"Accept-Language": "zh"}).json
    assert found["sentence"].startswith(f"{{credits}} {credit}折合")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("zh", "zh"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en;q=0.4, zh-Hans;q=0.5", "zh"), ("fr", "en"), ("zh;q=0", "en"),
     ("*", "en"), ("zh;q=x", "en"), ("q" * 5000, "en")],
)  # fmt: skip
def test_the_reader_chooses_the_language(client, accepted, language):
    answer = client.get("/v1/nowhere", headers={"Accept-Language": accepted})
    assert answer.headers["Content-Language"] == language
    assert answer.json["title"] == {"en": "Not Found", "zh": "未找到"}[language]
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_store_that_does_not_answer_is_told_as_unavailable(ann):
    answer = ann.get("/v1/broken/slow")
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "service_unavailable", "2")
    assert ann.get("/v1/notes").status_code == 200


def test_a_mistake_of_ours_is_told_without_insides(ann, log):
    answer = ann.get("/v1/broken/other")
    assert (answer.status_code, answer.json["code"], answer.json["facts"]) == (500, "internal_error", {})
    assert "SELEKT" not in answer.text + log.getvalue()
    assert answer.headers["X-Request-Id"] in log.getvalue()


def test_a_dead_connection_is_replaced_before_anything_is_done(ann, unchecked_database):
    ann.post("/v1/notes", {"word": "a"})
    with unchecked_database.connect_as_owner(autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(pid, 120000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    assert ann.post("/v1/notes", {"word": "b"}).status_code == 201
    assert [note["word"] for note in ann.get("/v1/notes").json["items"]] == ["a", "b"]


# Headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1", "/v1/nowhere", "/livez", "/v1/docs"])
def test_every_answer_is_guarded(client, path):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"]
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("given", ["6fa459eaee8a4ca4894edb77e160355e", "6fa459ea-ee8a-4ca4-894e-db77e160355e"])
def test_a_well_formed_request_number_is_kept(client, given):
    assert client.get("/v1", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["a" * 31, "a" * 33, "13800138000", "lina-asks-again", "6fa459ea-ee8a-4ca4", "碳碳碳碳碳碳碳碳".encode().decode("latin-1"), '{"a": "bcdefg"}'])
def test_any_other_is_replaced(client, given):
    assert client.get("/v1", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given


def test_what_is_unchanged_is_not_sent_again(client):
    first = client.get("/v1")
    again = client.get("/v1", headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert client.get("/v1", headers={"If-None-Match": '"other"'}).data == first.data
    assert client.head("/v1").headers["ETag"] == first.headers["ETag"]
    assert client.head("/v1").data == b""


@pytest.mark.parametrize(("match", "status", "code"), [(None, 428, "precondition_required"), ('"2"', 412, "precondition_failed")])
def test_a_change_of_what_was_not_seen_is_refused(client, match, status, code):
    headers = {"Authorization": "Bearer ann", **({"If-Match": match} if match else {})}
    answer = client.put("/v1/notes/1", json={"word": "a"}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert client.put("/v1/notes/1", json={"word": "a"}, headers={"Authorization": "Bearer ann", "If-Match": '"1"'}).status_code == 200


def test_pages_of_other_origins_are_let_in_by_name(client):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
    ours = client.options("/v1/notes", headers={"Origin": "https://app.example.org", **asked})
    assert (ours.status_code, ours.headers["Access-Control-Allow-Origin"]) == (204, "https://app.example.org")
    assert "Idempotency-Key" in ours.headers["Access-Control-Allow-Headers"]
    assert client.get("/v1", headers={"Origin": "https://app.example.org"}).headers["Access-Control-Expose-Headers"]
    for origin in ("https://app.example.org.evil.example", "https://app.example.org:444", "http://app.example.org", "null"):
        for answer in (client.options("/v1/notes", headers={"Origin": origin, **asked}), client.get("/v1", headers={"Origin": origin})):
            assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.options("/v1/notes").headers["Allow"]


# Lists --------------------------------------------------------------------------------------------


def test_pages_join_to_the_whole_list(ann):
    for number in range(7):
        ann.post("/v1/notes", {"word": f"w{number}"})
    words, cursor = [], None
    while True:
        page = ann.get("/v1/notes?limit=3" + (f"&cursor={cursor}" if cursor else "")).json
        words += [item["word"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert words == [f"w{number}" for number in range(7)]


def test_a_cursor_is_good_for_its_caller_and_untouched(ann, client):
    for number in range(3):
        ann.post("/v1/notes", {"word": f"w{number}"})
    cursor = ann.get("/v1/notes?limit=1").json["next"]
    assert ann.get(f"/v1/notes?cursor={cursor}").status_code == 200
    assert As(client, "ben").get(f"/v1/notes?cursor={cursor}").json["code"] == "cursor_invalid"
    for at in range(len(cursor)):
        other = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        assert ann.get(f"/v1/notes?cursor={other}").status_code == 400
    assert ann.get("/v1/notes?cursor=a").json["code"] == "cursor_invalid"


def test_a_cursor_tells_nothing_of_the_row_to_which_it_leads(app):
    """Neither its number, nor how long that is, nor how near it is to another's."""
    written = Cursor(app.extensions["carbonhui"].services.vault, "listNotes", "person:1")
    for position in (7, 8, 9_999_999_999_999, [7, "2026-11-20"], "w" * 300):
        assert written.read(written.write(position)) == position
    near, far, next_one = (base64.urlsafe_b64decode(written.write(number) + "==") for number in (7, 9_999_999_999_999, 8))
    assert len(near) == len(far)
    assert sum(one == other for one, other in zip(near, next_one, strict=True)) < 8


# Roles --------------------------------------------------------------------------------------------


def test_an_operation_without_a_row_fails_at_the_start(app):
    with pytest.raises(LookupError, match="writeNote"):
        api.create_app(
            app.extensions["carbonhui"].services, blueprints=[blueprint], permissions={k: v for k, v in ROLES.items() if k != "writeNote"}
        )


@pytest.mark.parametrize(("word", "status"), [("ann", 200), ("olga", 403), ("shop", 403), ("nobody", 401)])
def test_who_is_not_named_is_refused(client, word, status):
    assert As(client, word).get("/v1/notes").status_code == status


def test_every_operation_of_the_product_has_a_row_and_every_row_an_operation(settings):
    services = api.Services(database=None, vault=None, settings=settings, clock=None, authenticator=None, sender=None)
    assert {one.id for one in api.operations_of(api.create_app(services))} == set(PERMISSIONS)


# Limits -------------------------------------------------------------------------------------------


@pytest.fixture
def minute(unchecked_database: Database) -> Iterator[None]:
    with held_minute(unchecked_database):
        yield


def test_a_caller_keeps_within_the_minute_over_all_processes(make_app, minute):
    one, other = (As(make_app(caller_requests_max=20).test_client(), "ann") for _ in range(2))
    answers = [(one if number % 2 else other).get("/v1/open") for number in range(24)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 4
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=20;w=60'
    limited = answers[-1]
    assert limited.json["code"] == "too_many_requests"
    assert limited.json["facts"]["most"] == 20
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    assert As(one.client, "ben").get("/v1/open").status_code == 200


def test_an_organisations_server_has_a_limit_of_its_own(make_app, minute):
    client = make_app(caller_requests_max=2, organisation_requests_max=4).test_client()
    assert [As(client, "ann").get("/v1/open").status_code for _ in range(3)] == [200, 200, 429]
    assert [As(client, "shop").get("/v1/open").status_code for _ in range(5)] == [200] * 4 + [429]


@pytest.mark.parametrize("proxies", [0, 1])
def test_strangers_are_told_apart_by_address_and_believe_no_claim(make_app, minute, proxies):
    client = make_app(stranger_requests_max=3, trusted_proxies=proxies).test_client()

    def ask(address, claim):
        return client.get("/v1/open", environ_base={"REMOTE_ADDR": address}, headers={"X-Forwarded-For": claim}).status_code

    if proxies:
        assert [ask("10.0.0.1", f"6.6.6.{number}, 203.0.113.7") for number in range(4)] == [200, 200, 200, 429]
        assert ask("10.0.0.1", "203.0.113.8") == 200
    else:
        assert [ask("203.0.113.9", f"6.6.6.{number}") for number in range(4)] == [200, 200, 200, 429]
        assert ask("203.0.113.10", "") == 200


def test_wrong_tokens_are_counted_by_address(make_app, minute):
    client = make_app(stranger_requests_max=2).test_client()
    answers = [
        client.get("/v1/notes", headers={"Authorization": f"Bearer {n}"}, environ_base={"REMOTE_ADDR": "198.51.100.1"}) for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_nine_requests_of_ten_ask_nobody():
    asked = []

    def lessor(scope, most, wanted):
        asked.append(wanted)
        return wanted, most - wanted * len(asked), 60_000

    rates = Rates(lessor)
    for _ in range(100):
        rates.take("person:1", 100)
    assert asked == [10] * 10
    with pytest.raises(TooManyRequests):
        rates.take("person:1", 100)


# Health, metrics, log -----------------------------------------------------------------------------


def test_alive_asks_nobody_and_ready_asks_the_store(app: Flask, client):
    assert client.get("/livez").json == {"alive": True}
    assert client.get("/readyz").json == {"ready": True, "wrong": []}
    app.extensions["carbonhui"].is_stopping = lambda: True
    assert client.get("/readyz").status_code == 503
    app.extensions["carbonhui"].is_stopping = lambda: False


def test_a_store_at_another_step_or_read_only_is_not_ready(client, unchecked_database):
    with unchecked_database.connect_as_owner(autocommit=True) as owner:
        step = owner.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        owner.execute("UPDATE alembic_version SET version_num = 'other'")
        assert client.get("/readyz").json["wrong"] == ["store_at_another_step"]
        owner.execute("UPDATE alembic_version SET version_num = %s", (step,))
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.5", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.5"}, 401),
        ("203.0.113.5", {"Authorization": "Bearer olga"}, 200),
        ("203.0.113.5", {"Authorization": "Bearer ann"}, 403),
        ("203.0.113.5", {"Authorization": "Bearer nobody"}, 401),
    ],
)
def test_counters_are_for_this_machine_and_operators(client, address, headers, status):
    assert client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code == status


def test_counters_name_operations_and_nobody(ann, client):
    ann.post("/v1/notes", {"word": "a"}, key="one")
    ann.post("/v1/notes", {"word": "a"}, key="one")
    told = client.get("/metrics").text
    assert 'carbonhui_http_request_duration_seconds_count{operation="writeNote",outcome="done"}' in told
    assert "carbonhui_idempotency_replays_total" in told
    assert "carbonhui_ledger_imbalance_credits 0" in told
    assert "carbonhui_outbox_oldest_age_seconds 0" in told
    assert "# TYPE carbonhui_job_last_success_timestamp_seconds gauge" in told
    assert "person:1" not in told


def test_a_line_of_the_log_tells_who_what_and_how_and_nothing_more(ann, log):
    ann.post("/v1/notes", {"word": "canary-body"}, key="canary-key")
    ann.get("/v1/notes?cursor=canary-query", X_Canary="canary-header")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["actor"], line["operation"], line["status"], line["outcome"]) for line in lines] == [
        ("person:1", "writeNote", 201, "done"), ("person:1", "listNotes", 400, "malformed"),
    ]  # fmt: skip
    assert lines[1]["code"] == "cursor_invalid"
    assert "canary" not in log.getvalue()


# The document -------------------------------------------------------------------------------------


def test_the_document_is_openapi_3_1(client):
    answer = client.get("/v1/openapi.json")
    assert answer.json["openapi"] == "3.1.0"
    validate(answer.json)


def test_the_document_of_the_product_is_valid_without_a_store(settings):
    validate(json.loads(api.document(settings)))


def test_the_page_loads_nothing_from_elsewhere(client):
    for path in ("/v1/docs", "/v1/docs/docs.js", "/v1/docs/docs.css"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "http://" not in answer.text
        assert "https://" not in answer.text
        assert "innerHTML" not in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
