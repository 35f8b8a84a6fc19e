"""A till and an app, two processes of their own, trade for a day over HTTP; settlement is what they captured less what they refunded.

A thousand sales from a seeded script, with a tenth voided, a tenth refunded, and one
connection of twenty sales broken. The script alone says what each must come to.
"""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from carbonhui import access, ledger, merchants, participants, supervision
from carbonhui.core import embedded
from carbonhui.core.clock import SystemClock
from tests.conftest import _cloned
from tests.ledger.books import mint_to
from tests.shown.served import Resident, Served, served_city
from tests.shown.trade_script import CUSTOMERS, Sale, day_of_trade, told

SEED, TILLS = 20261121, 4
SALES = 10_000 if os.environ.get("CARBONHUI_STRESS") == "full" else 1_000
PURSE = 30 * SALES // CUSTOMERS + 1_000
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Traded:
    """A day that is over: what the till believed, and what the books say."""

    city: Served
    script: list[Sale]
    till: dict[str, Any]
    organisation: participants.Organisation
    customers: list[Resident]
    owner: Resident

    @property
    def account(self) -> int:
        assert self.organisation.account_id is not None
        return self.organisation.account_id

    @property
    def due(self) -> int:
        return sum(sale.captured - sale.refunded for sale in self.script)


@pytest.fixture(scope="module")
def market(server: embedded.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    name = _cloned(server, "template_city")
    with served_city(server, name, tmp_path_factory.mktemp("trade")) as opened:
        yield opened
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def traded(market: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traded]:
    folder = tmp_path_factory.mktemp("day")
    owner, customers = market.resident(), [market.resident() for _ in range(CUSTOMERS)]
    organisation = market.organisation("merchant", owner)
    market.do(lambda session: _fill_purses(session, market, customers))
    key = market.do(
        lambda s: access.issue_api_key(
            s, market.vault, organisation=organisation.id, algorithm="hmac-sha256", label="tills", clock=SystemClock()
        )
    )
    day = {
        "url": market.url, "organisation": str(organisation.handle), "key_id": key.key_id, "secret": key.secret_once,
        "tokens": [one.tokens["access_token"] for one in customers], "screens": str(folder / "screens"), "seed": SEED, "sales": SALES,
        "tills": TILLS,
    }  # fmt: skip
    (folder / "day.json").write_text(json.dumps(day))
    yield Traded(market, day_of_trade(SEED, SALES), _trade(folder / "day.json"), organisation, customers, owner)


def _fill_purses(session: Session, market: Served, customers: list[Resident]) -> None:
    for customer in customers:
        mint_to(session, participants.person_by_handle(session, customer.handle).account_id, PURSE)


def _trade(day: Path) -> Any:
    """Both programs at once, until the till closes."""
    program = [sys.executable, "-m"]
    with subprocess.Popen([*program, "tests.shown.trade_app", str(day)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as app:
        try:
            assert app.stdout is not None
            assert app.stdout.readline() == "ready\n"
            till = subprocess.run(
                [*program, "tests.shown.trade_till", str(day)], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
            )
        finally:
            app.terminate()
    assert till.returncode == 0, till.stderr[-4000:]
    return json.loads(till.stdout)


def test_the_script_is_a_day_as_it_was_asked_for():
    script = day_of_trade(SEED, 1_000)
    assert len({sale.number for sale in script}) == 1_000
    assert sum(sale.state == "voided" for sale in script) == 100
    assert sum(sale.refunded > 0 for sale in script) == 100
    assert sum(sale.drops for sale in script) == 50
    assert {step.drop for sale in script for step in sale.steps} == {None, "unheard", "cut"}
    assert {step.kind for sale in script for step in sale.steps if step.drop} == {"charge", "capture", "void", "refund"}
    assert day_of_trade(SEED, 1_000) == script != day_of_trade(SEED + 1, 1_000)


def test_the_till_knows_of_every_sale_what_became_of_it_although_connections_broke(traded: Traded):
    assert traded.till["sales"] == told(traded.script)
    assert traded.till["broken"] == sum(sale.drops for sale in traded.script)


def test_nothing_was_charged_or_refunded_twice(traded: Traded):
    handed = {
        customer: sum(sale.captured - sale.refunded for sale in traded.script if sale.customer == customer) for customer in range(CUSTOMERS)
    }
    for number, customer in enumerate(traded.customers):
        balance = customer.get("/v1/me/balance").json()
        assert (balance["credits"], balance["held"]) == (PURSE - handed[number], 0)


def test_settlement_is_what_was_captured_less_what_was_refunded_to_the_credit(traded: Traded):
    city, tomorrow = traded.city, traded.city.today + timedelta(days=1)
    before = city.do(lambda s: ledger.balance_of(s, ledger.system_account(s, ledger.Kind.CANCELLATION_POOL)).posted)
    done = merchants.settle_day(city.database, on=tomorrow + timedelta(days=1))
    assert (done.settlements, done.credits, done.refused) == (1, traded.due, ())
    assert city.do(lambda s: ledger.balance_of(s, traded.account).posted) == 0
    pool = city.do(lambda s: ledger.balance_of(s, ledger.system_account(s, ledger.Kind.CANCELLATION_POOL)).posted)
    assert pool - before == traded.due
    path = f"/v1/merchants/{traded.organisation.handle}"
    [settlement] = traded.owner.get(f"{path}/settlements").json()["items"]
    assert (settlement["credits"], settlement["carried"]) == (traded.due, 0)
    assert settlement["received"] == sum(sale.captured for sale in traded.script)
    assert settlement["given"] == sum(sale.refunded for sale in traded.script)
    text = traded.owner.get(f"{path}/settlements/{settlement['settlement']}/statement.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sum(int(row["credits"]) for row in rows) == 0
    assert _by_sale(rows) == {
        sale.number: (sale.captured, sale.refunded) for sale in traded.script if sale.captured
    }


def _by_sale(rows: list[dict[str, str]]) -> dict[str, tuple[int, int]]:
    charges = {row["out_trade_no"]: (int(row["credits"]), int(row["refunded"])) for row in rows if row["kind"] == "charge"}
    for number, (_, refunded) in charges.items():
        assert -sum(int(row["credits"]) for row in rows if row["kind"] == "refund" and row["out_trade_no"] == number) == refunded
    return charges


def test_the_books_hold_after_the_day(traded: Traded):
    with traded.city.database.snapshot() as session:
        assert [verdict.check.name for verdict in supervision.verify(session) if not verdict.holds] == []
