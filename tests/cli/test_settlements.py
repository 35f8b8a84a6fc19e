"""Settling by hand: the day as the clock does it, the list, the statement as a file (Article 20)."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest

from carbonhui import ledger
from carbonhui.core.database import Database
from tests.cli.conftest import Riders, Run

DAY = date(2026, 5, 4)


@pytest.fixture(scope="module")
def tea_house(run: Run, riders: Riders) -> str:
    run("account", "open", "merchant", "--name", "tea-house")
    run("redeem", riders.first, "tea-house", 3, "--reference", "tea-1", "--day", DAY)
    run("redeem", riders.first, "tea-house", 2, "--reference", "tea-2", "--day", DAY + timedelta(days=1))
    run("settlement", "day", "--day", DAY + timedelta(days=1))
    return "tea-house"


def held(store: Database, name: str) -> int:
    with store.begin() as session:
        return ledger.balance_of(session, ledger.account_named(session, name)).posted


def test_a_day_is_settled_once_and_what_came_later_waits(run: Run, store: Database, tea_house: str):
    assert held(store, tea_house) == 2
    run("settlement", "day", "--day", DAY + timedelta(days=1))
    assert held(store, tea_house) == 2


def test_a_merchant_who_is_refused_is_named(run: Run, store: Database, riders: Riders):
    run("account", "open", "merchant", "--name", "noodle-house")
    with store.begin() as session:
        merchant = ledger.account_named(session, "noodle-house")
    run("redeem", riders.first, "noodle-house", 1, "--reference", f"settlement-{merchant}-2026-05-05", "--day", DAY)
    told = run("settlement", "day", "--day", DAY + timedelta(days=2))
    assert told.err == f"merchant {merchant}: reference_reused\n"
    assert held(store, "noodle-house") == 1


def test_settlements_are_listed(run: Run, tea_house: str):
    told = run("settlement", "list", tea_house, "--most", 5).out
    assert "2026-05-04" in told
    assert "settlement" in told


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_statement_is_written_for_the_operator_alone(run: Run, tea_house: str, tmp_path: Path, ending: str):
    to = tmp_path / f"tea.{ending}"
    told = run("settlement", "statement", tea_house, "--from", DAY, "--until", DAY, "--to", to).out
    assert told == f"{to}: 1 settlements, 3 credits settled\n"
    assert to.stat().st_mode & 0o777 == 0o600
    if ending == "csv":
        rows = list(csv.DictReader(io.StringIO(to.read_bytes().decode("utf-8-sig"), newline="")))
        assert [(row["kind"], row["credits"]) for row in rows] == [("brought", "0"), ("redeem", "3"), ("settled", "-3")]


def test_a_file_of_another_kind_is_refused(run: Run, tea_house: str, tmp_path: Path):
    run("settlement", "statement", tea_house, "--from", DAY, "--until", DAY, "--to", tmp_path / "tea.pdf", code=2)
    refused = run("settlement", "statement", tea_house, "--from", "2027-01-01", "--until", DAY, "--to", tmp_path / "t.csv", code=3)
    assert refused.err.startswith("settlement_days_invalid: ")
