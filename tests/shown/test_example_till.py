"""The client of docs/examples, as a merchant's developer runs it: in the sandbox, with nothing but the words of its page."""

import ast
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from carbonhui import access
from carbonhui.core.clock import SystemClock
from tests.shown.served import Resident, Served, key
from tests.shown.trade_till import EXAMPLE, example


@dataclass
class Shop:
    """A merchant with a sandbox, and the key of its server."""

    city: Served
    owner: Resident
    path: str
    environment: dict[str, str]

    def code(self, payer: str = "paying") -> str:
        told = self.owner.post(f"{self.path}/sandbox/payment-codes", {"payer": payer})
        assert told.status_code == 201, told.text
        return str(told.json()["code"])

    def till(self, *words: object, fails: bool = False) -> Any:
        """What the program prints, or what it dies of."""
        done = subprocess.run(
            [sys.executable, str(EXAMPLE), "--sandbox", *map(str, words)], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == int(fails), done.stderr
        return done.stderr if fails else json.loads(done.stdout)


@pytest.fixture(scope="module")
def shop(city: Served) -> Shop:
    owner = city.resident()
    organisation = city.organisation("merchant", owner)
    path = f"/v1/merchants/{organisation.handle}"
    assert owner.client.post(f"{path}/sandbox", headers=key()).status_code == 200
    made = city.do(
        lambda s: access.issue_api_key(
            s, city.vault, organisation=organisation.id, algorithm="hmac-sha256", label="till", clock=SystemClock()
        )
    )
    assert made.secret_once is not None
    said = {
        "CARBONHUI_URL": city.url, "CARBONHUI_ORGANISATION": str(organisation.handle), "CARBONHUI_KEY_ID": made.key_id,
        "CARBONHUI_SECRET": made.secret_once,
    }  # fmt: skip
    return Shop(city, owner, path, {**os.environ, **said})


def test_the_example_leans_on_nothing_of_ours():
    imports = set()
    for node in ast.walk(ast.parse(EXAMPLE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imports |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imports.add((node.module or "").split(".")[0])
    assert imports - set(sys.stdlib_module_names) == {"httpx"}


def test_a_developer_charges_asks_and_refunds(shop: Shop):
    number = "A_1|2*3-4"
    charge = shop.till("charge", shop.code(), 12, "--number", number)
    assert (charge["state"], charge["captured"], charge["sandbox"]) == ("captured", 12, True)
    refund = shop.till("refund", number, 5, "--number", f"{number}-R1")
    assert refund["credits"] == 5
    assert shop.till("refund", number, 5, "--number", f"{number}-R1") == refund
    found = shop.till("query", number)
    assert (found["trade"], found["refunded"]) == (charge["trade"], 5)


def test_the_same_charge_again_is_the_first(shop: Shop):
    code = shop.code()
    first = shop.till("charge", code, 3, "--number", "B-1")
    assert shop.till("charge", code, 3, "--number", "B-1")["trade"] == first["trade"]
    assert shop.till("query", "B-2") is None


@pytest.mark.parametrize(("payer", "says"), [("lacking", "payer_cannot_pay"), ("expired", "payment_code_expired")])
def test_what_is_refused_is_told_by_its_code(shop: Shop, payer: str, says: str):
    told = shop.till("charge", shop.code(payer), 3, "--number", f"C-{payer}", fails=True)
    assert told.startswith(f"Refused: {says}: ")
    assert told.count("\n") == 1
    assert "out_trade_no" in shop.till("charge", shop.code(payer), 3, "--number", "C d", fails=True)


# What the network and the platform may answer -------------------------------------------------------


class Answers:
    """A platform that gives these answers, one after another, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_of(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> Any:
    module = example()
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return module, module.Till(
        "https://api.example", "shop", module.Key("ck_1", "c2VjcmV0"), client=httpx.Client(transport=httpx.MockTransport(answers))
    )


@pytest.mark.parametrize("code", ["out_trade_no_reused", "payment_code_used", "charge_state_differs", "charge_settled"])
def test_a_no_is_told_at_once_and_another_sale_is_never_taken_for_this_one(code: str, monkeypatch: pytest.MonkeyPatch):
    answers = Answers(httpx.Response(409, json={"code": code}), httpx.Response(200, json={"state": "captured", "credits": 1}))
    module, till = client_of(answers, monkeypatch)
    with pytest.raises(module.Refused, match=code):
        till.charge("A-1", "47" * 12, 50)
    assert len(answers.asked) == 1


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadError("broke"), httpx.Response(502, text="<html>Bad Gateway"), httpx.Response(504), httpx.Response(500, json={"code": "x"}),
        httpx.Response(409, json={"code": "request_running"}), httpx.Response(429, json={"code": "too_many_requests"}),
    ],
)  # fmt: skip
def test_a_lost_answer_is_asked_for_again_in_the_same_words(lost: Any, monkeypatch: pytest.MonkeyPatch):
    answers = Answers(lost, lost, httpx.Response(201, json={"state": "captured"}))
    _, till = client_of(answers, monkeypatch)
    assert till.refund("A|1", "R-1", 5) == {"state": "captured"}
    said = {(one.method, one.url, one.headers["Idempotency-Key"], one.content) for one in answers.asked}
    assert (len(said), len(answers.asked)) == (1, 3)
    assert len({one.headers["Signature"] for one in answers.asked}) == 3
