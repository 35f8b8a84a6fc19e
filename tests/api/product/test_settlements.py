"""Merchants read what was settled: the list, one with its lines, statements as files; nobody else does (Article 20)."""

import csv
import io
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from carbonhui import merchants, participants
from carbonhui.ledger import Purpose
from tests.api.product.people import Caller, City, said
from tests.export.sheets import formulas_in, sheets_of
from tests.ledger.books import fresh, mint_to
from tests.merchants.settling import give_back, moved

TODAY = "2026-11-20"


def settled_merchant(city: City, *, credits: Iterable[int] = (30, 4), back: int = 5) -> tuple[str, Caller, str]:
    """A merchant whose receipts of today were settled: its handle, its owner, the settlement's handle."""
    handle, owner = city.organisation("merchant")
    shopper = city.person(city.resident()).account_id

    def trade(session: Any) -> str:
        account = participants.organisation_by_handle(session, handle).account_id
        mint_to(session, shopper, 100)
        for amount in credits:
            moved(session, Purpose.REDEEM, shopper, account, amount, on=city.clock.today())
        if back:
            give_back(session, account, shopper, back, on=city.clock.today())
        made = merchants.settle_through(
            session, merchant=account, day=city.clock.today(), reference=fresh("api-settlement"), business_date=city.clock.today()
        )
        return str(made.handle)

    return handle, owner, city.do(trade)


def test_a_merchant_reads_its_settlement_and_the_lines_that_it_nets(city: City):
    handle, owner, settlement = settled_merchant(city)
    path = f"/v1/merchants/{handle}/settlements"
    expected = {
        "settlement": settlement, "sandbox": False, "day": TODAY, "brought": 0, "received": 34, "given": 5, "credits": 29, "carried": 0,
        "items": 3,
    }  # fmt: skip
    told = owner.get(f"{path}/{settlement}").json
    assert told.pop("settled_at").endswith("Z")
    assert told == expected
    assert [one["settlement"] for one in owner.get(path).json["items"]] == [settlement]
    first = owner.get(f"{path}/{settlement}/lines?limit=2").json
    rest = owner.get(f"{path}/{settlement}/lines?limit=2&cursor={first['next']}").json
    assert rest["next"] is None
    lines = first["items"] + rest["items"]
    assert [(line["kind"], line["credits"]) for line in lines] == [("redeem", 30), ("redeem", 4), ("refund", -5)]
    assert sum(line["credits"] for line in lines) == told["credits"]


def test_the_list_goes_on_page_by_page_newest_first(city: City):
    handle, owner, first = settled_merchant(city)
    account = city.do(lambda session: participants.organisation_by_handle(session, handle).account_id)
    shopper = city.person(city.resident()).account_id

    def again(session: Any) -> str:
        mint_to(session, shopper, 3)
        moved(session, Purpose.REDEEM, shopper, account, 3, on=city.clock.today())
        day = city.clock.today() + timedelta(days=1)
        return str(merchants.settle_through(session, merchant=account, day=day, reference=fresh("api"), business_date=day).handle)

    second = city.do(again)
    page = owner.get(f"/v1/merchants/{handle}/settlements?limit=1").json
    assert [one["settlement"] for one in page["items"]] == [second]
    page = owner.get(f"/v1/merchants/{handle}/settlements?limit=1&cursor={page['next']}").json
    assert ([one["settlement"] for one in page["items"]], page["next"]) == ([first], None)
    both = owner.get(f"/v1/merchants/{handle}/statement?from={TODAY}&until=2026-11-21").json
    assert [one["settlement"] for one in both["settlements"]] == [first, second]
    assert (both["received"], both["given"], both["credits"], both["carried"]) == (37, 5, 32, 0)


def test_the_merchants_own_server_and_each_member_may_read(city: City):
    server = city.server("merchant")
    assert server.get(f"/v1/merchants/{server.handle}/settlements").json == {"items": [], "next": None}
    handle, owner, settlement = settled_merchant(city)
    clerk = city.resident()
    owner.post(f"/v1/organisations/{handle}/members", {"person": clerk.handle, "role": "clerk"})
    assert clerk.get(f"/v1/merchants/{handle}/settlements/{settlement}").status_code == 200


def test_another_merchants_settlement_is_not_there_under_ones_own_address(city: City):
    mine, owner, _ = settled_merchant(city)
    _, _, anothers = settled_merchant(city)
    for ending in ("", "/lines", "/statement.csv", "/statement.xlsx"):
        assert said(owner.get(f"/v1/merchants/{mine}/settlements/{anothers}{ending}")) == (404, "not_found")
    department, chief = city.organisation("department")
    assert said(chief.get(f"/v1/merchants/{department}/settlements")) == (404, "not_found")


@pytest.mark.parametrize("which", ["settlement", "days"])
def test_statements_come_as_files_that_tie(city: City, which: str):
    handle, owner, settlement = settled_merchant(city)
    path = f"/v1/merchants/{handle}/settlements/{settlement}/statement" if which == "settlement" else f"/v1/merchants/{handle}/statement"
    told = owner.get(f"{path}.csv")
    assert told.headers["Content-Type"].startswith("text/csv")
    assert told.headers["Content-Disposition"] == 'attachment; filename="settlements.csv"'
    rows = list(csv.DictReader(io.StringIO(told.data.decode("utf-8-sig"), newline="")))
    assert [row["kind"] for row in rows] == ["brought", "redeem", "redeem", "refund", "settled"]
    assert sum(int(row["credits"]) for row in rows) == 0
    book = owner.get(f"{path}.xlsx")
    assert formulas_in(book.data) == 0
    assert sheets_of(book.data)["settlements"][1][5] == "29"


def test_a_statement_covers_a_month_unless_other_days_are_asked_for(city: City):
    handle, owner, _ = settled_merchant(city)
    told = owner.get(f"/v1/merchants/{handle}/statement").json
    assert (told["first"], told["last"], told["credits"]) == ("2026-10-21", TODAY, 29)
    empty = owner.get(f"/v1/merchants/{handle}/statement?until=2026-11-19").json
    assert (empty["first"], empty["credits"], empty["settlements"]) == ("2026-10-20", 0, [])
    for days in ("from=2026-11-21&until=2026-11-20", "until=2017-12-31", "from=2025-11-18", "until=0001-01-05"):
        assert said(owner.get(f"/v1/merchants/{handle}/statement?{days}")) == (422, "settlement_days_invalid"), days


def test_the_sandbox_is_told_apart_and_before_it_is_used_there_is_nothing(city: City):
    handle, owner, _ = settled_merchant(city)
    assert owner.get(f"/v1/merchants/{handle}/settlements?sandbox=true").json == {"items": [], "next": None}
    assert owner.get(f"/v1/merchants/{handle}/statement?sandbox=true").json["credits"] == 0
    assert owner.get(f"/v1/merchants/{handle}/statement?sandbox=false").json["credits"] == 29


def test_endpoints_are_told_of_a_settlement(city: City):
    handle, owner = city.organisation("merchant")
    hook = {"url": "http://127.0.0.1:9/hook", "topics": ["settlement.made"]}
    assert owner.post(f"/v1/organisations/{handle}/webhooks", hook).status_code == 201
    shopper = city.person(city.resident()).account_id

    def trade(session: Any) -> tuple[int, str]:
        organisation = participants.organisation_by_handle(session, handle)
        mint_to(session, shopper, 9)
        moved(session, Purpose.REDEEM, shopper, organisation.account_id, 9, on=city.clock.today())
        made = merchants.settle_through(
            session, merchant=organisation.account_id, day=city.clock.today(), reference=fresh("api"), business_date=city.clock.today()
        )
        return organisation.id, str(made.handle)

    number, settlement = city.do(trade)
    with city.database.connect_as_owner() as connection:
        rows = connection.execute(
            "SELECT payload FROM announcement WHERE organisation = %s AND topic = 'settlement.made'", (number,)
        ).fetchall()
    assert rows == [({"credits": 9, "on": TODAY, "sandbox": False, "settlement": settlement},)]
