"""Nobody finds out who is here: not by numbers, not by handles, not by made-up tokens (Article 13; OWASP API1, API3:2023)."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import psycopg
import pytest

from carbonhui import access
from carbonhui.core.clock import SystemClock
from tests.participants.people import id_number
from tests.shown.served import Resident, Served, key

#: What is another one in each answer, whoever asks.
OWN = ("x-request-id", "date", "ratelimit", "content-length")
PURPOSES = ("sign_in", "change_mobile", "guardian")


def shape(answer: httpx.Response) -> tuple[Any, ...]:
    """What an answer looks like: status, headers, and its body with random words told by their length."""
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in OWN)
    body = {name: (len(value) if name == "challenge" else value) for name, value in answer.json().items() if name != "instance"}
    return answer.status_code, headers, sorted(answer.headers.keys()), json.dumps(body), len(answer.content)


@pytest.fixture
def known(city: Served) -> str:
    """Somebody's number; a day has passed since they asked for a code."""
    found = city.resident().mobile
    city.forget_codes()
    return found


def ask(city: Served, mobile: str, purpose: str = "sign_in", caller: httpx.Client | None = None) -> httpx.Response:
    return (caller or city.client()).post("/v1/codes", json={"mobile": mobile, "purpose": purpose}, headers=key())


# Numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_code_is_asked_for_alike_with_a_known_and_an_unknown_number(city: Served, known: str, purpose: str):
    unknown = city.new_mobile()
    first = [shape(ask(city, mobile, purpose)) for mobile in (known, unknown)]
    assert first[0] == first[1] and first[0][0] == 202
    again = [ask(city, mobile, purpose) for mobile in (known, unknown)]
    assert {one.status_code for one in again} == {429}
    assert abs(again[0].json()["facts"]["seconds"] - again[1].json()["facts"]["seconds"]) <= 2
    assert [sorted(one.headers) for one in again][0] == [sorted(one.headers) for one in again][1]


def test_a_wrong_code_is_refused_alike_for_a_known_and_an_unknown_number(city: Served, known: str):
    told = []
    for mobile in (known, city.new_mobile()):
        challenge = ask(city, mobile).json()["challenge"]
        wrong = "000000" if city.code_for(mobile) != "000000" else "111111"
        body = {"challenge": challenge, "code": wrong, "device_label": "x"}
        told.append([shape(city.client().post("/v1/sessions", json=body, headers=key())) for _ in range(6)])
    assert told[0] == told[1]
    assert {one[0] for one in told[0]} == {422}


def test_who_is_signed_in_learns_of_another_number_only_by_its_code(city: Served, known: str):
    """Neither for a new number of one's own nor for a child's."""
    curious = city.resident()
    for mobile in (known, city.new_mobile()):
        challenge = ask(city, mobile, "change_mobile", curious.client).json()["challenge"]
        wrong = "000000" if city.code_for(mobile) != "000000" else "111111"
        told = curious.client.put("/v1/me/mobile", json={"challenge": challenge, "code": wrong})
        assert (told.status_code, told.json()["code"]) == (422, "code_wrong")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that this process sends, without its words."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def noted(self: Any, query: Any, *words: Any, **more: Any) -> Any:
        sent.append(str(query))
        return execute(self, query, *words, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    yield sent


def test_the_store_is_asked_the_same_for_a_known_and_an_unknown_number(city: Served, known: str, statements: list[str]):
    """The work behind the two requests, statement by statement."""
    clock, works = SystemClock(), []
    for mobile in (known, city.new_mobile()):
        statements.clear()
        pending = city.do(lambda s, mobile=mobile: access.issue_code(s, city.vault, mobile=mobile, purpose="sign_in", clock=clock))
        wrong = "000000" if pending.code != "000000" else "111111"
        city.do(lambda s, pending=pending, wrong=wrong: access.sign_in(
            s, city.vault, challenge=pending.challenge, code=wrong, device_label="x", issuer=city.url, clock=clock
        ))  # fmt: skip
        works.append([one for one in statements if "deallocate" not in one.lower()])
    assert works[0] == works[1]
    assert len(works[0]) >= 3
    assert not any(table in one for one in works[0] for table in ("person", "personal_index", "device"))


def test_who_asks_whose_id_number_is_known_is_told_five_times_a_day(city: Served):
    """Who proves a name learns whether the number is somebody's already: the sixth time not even that."""
    taken, free = (id_number(date(1971, 2, 3), order) for order in (17, 18))
    holder, curious = city.resident(), city.resident()
    assert holder.post("/v1/me/real-name", {"name": "王强", "id_number": taken}).status_code == 200

    def probe(number: str) -> httpx.Response:
        return curious.post("/v1/me/real-name", {"name": "王强", "id_number": number})

    assert {(one.status_code, one.json()["code"]) for one in (probe(taken) for _ in range(5))} == {(409, "id_number_taken")}
    late = [probe(number) for number in (taken, free)]
    assert shape(late[0]) == shape(late[1])
    assert late[0].status_code == 429


# Handles -------------------------------------------------------------------------------------------


def another_ones_things(city: Served) -> tuple[Resident, dict[str, tuple[str, str]]]:
    """Somebody with things, and by its address each thing and one that never was."""
    owner = city.resident()
    organisation = city.organisation("merchant", owner)
    nobody, credit = str(uuid.uuid4()), "44012026000000000012"
    return owner, {
        "GET /v1/organisations/{}": (str(organisation.handle), nobody),
        "GET /v1/organisations/{}/members": (str(organisation.handle), nobody),
        "GET /v1/organisations/{}/api-keys": (str(organisation.handle), nobody),
        "GET /v1/organisations/{}/webhooks": (str(organisation.handle), nobody),
        "GET /v1/organisations/{}/dead-letters": (str(organisation.handle), nobody),
        "DELETE /v1/me/devices/{}": (owner.tokens["device"], nobody),
        "DELETE /v1/me/wards/{}": (owner.handle, nobody),
        "GET /v1/me/consents?ward={}": (owner.handle, nobody),
        "GET /v1/me/balance?ward={}": (owner.handle, nobody),
        "GET /v1/me/statement?ward={}": (owner.handle, nobody),
        "GET /v1/me/export?ward={}": (owner.handle, nobody),
        "GET /v1/me/reads?ward={}": (owner.handle, nobody),
        "GET /v1/me/links?ward={}": (owner.handle, nobody),
        "GET /v1/me/credits/{}": (credit, "44012026000000000020"),
    }


def test_anothers_things_and_things_that_never_were_are_told_alike(city: Served):
    owner, things = another_ones_things(city)
    stranger = city.resident()
    for address, handles in things.items():
        method, path = address.split(" ")
        told = [stranger.client.request(method, path.format(handle)) for handle in handles]
        assert {one.status_code for one in told} == {404}, address
        assert shape(told[0]) == shape(told[1]), address
    assert owner.get("/v1/me/devices").json()["items"][0]["device"] == owner.tokens["device"]


# Tokens --------------------------------------------------------------------------------------------


def _packed(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _opened(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def forged(city: Served, token: str, other: str) -> dict[str, str]:
    """Tokens that are not quite the right one, by what is wrong with them."""
    head, body, signature = token.split(".")
    header, words = _opened(head), _opened(body)
    public = city.client().get("/v1/jwks.json").json()["keys"][0]["x"]
    as_somebody = _packed({**words, "sub": other})
    found = {
        "unsigned": f"{_packed({**header, 'alg': 'none'})}.{body}.", "unsigned in capitals": f"{_packed({**header, 'alg': 'NONE'})}.{body}.",
        "without its signature": f"{head}.{body}", "an empty signature": f"{head}.{body}.", "somebody else": f"{head}.{as_somebody}.{signature}",
        "for ever": f"{head}.{_packed({**words, 'exp': 2**33})}.{signature}", "twice": f"{token}.{signature}",
        "another audience": f"{head}.{_packed({**words, 'aud': 'https://elsewhere'})}.{signature}",
        "random": base64.urlsafe_b64encode(uuid.uuid4().bytes * 8).decode(), "a handle": other,
        "a session of nobody": "chss_" + base64.urlsafe_b64encode(uuid.uuid4().bytes * 2).decode().rstrip("="),
        "reversed": token[::-1], "long": token + "A" * 10_000,
    }  # fmt: skip
    for secret in (public.encode(), base64.urlsafe_b64decode(public + "="), b"", b"secret"):
        signed = f"{_packed({**header, 'alg': 'HS256'})}.{as_somebody}"
        mac = base64.urlsafe_b64encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
        found[f"signed by {secret!r}"] = f"{signed}.{mac}"
    for place in range(2, len(token) - 3, 23):
        if token[place] != ".":
            found[f"altered at {place}"] = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    return found


def test_a_token_that_is_not_quite_the_right_one_is_none(city: Served):
    resident, other = city.resident(), city.resident()
    right = resident.tokens["access_token"]
    attempts = {**forged(city, right, other.handle), "a refresh token": resident.tokens["refresh_token"]}
    assert len(attempts) > 30
    for wrong, token in attempts.items():
        told = city.client(token).get("/v1/me")
        assert (told.status_code, told.json()["code"]) in {(401, "not_signed_in"), (401, "token_expired")}, wrong
        assert told.headers["WWW-Authenticate"].startswith("Bearer")
    assert city.client(right).get("/v1/me").json()["person"] == resident.handle


def test_two_proofs_in_one_request_are_none(city: Served):
    first, second = city.resident(), city.resident()
    lines = [("Authorization", f"Bearer {one.tokens['access_token']}") for one in (first, second)]
    assert city.client().get("/v1/me", headers=lines).status_code == 401
