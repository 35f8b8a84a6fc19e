"""Footprints and certificates by hand (Article 22)."""

import json
from datetime import date
from pathlib import Path

import pytest

from carbonhui import neutralisation, participants, privacy
from carbonhui.core.database import Database
from carbonhui.core.settings import read_settings
from tests.cli.conftest import Run, environment
from tests.ledger.books import mint_to


def test_the_factors_are_listed_with_their_sources(run: Run):
    told = run("footprint", "factors").out
    assert "flight_long_first" in told and "0.4403 kg CO2/kWh" in told


def test_a_month_and_a_flight_are_worked_out(run: Run):
    assert run("footprint", "household", "--electricity-wh", 1000, "--day", "2026-11-20").out.endswith("440,300 mg CO2e\n")
    assert run("footprint", "flight", 1_890_000, "--without-forcing", "--day", "2026-11-20").out.endswith("140,521,500 mg CO2e\n")
    assert run("footprint", "household", code=3).err.startswith("footprint_empty: ")


@pytest.fixture(scope="module")
def vault(home: Path, store: Database) -> privacy.Vault:
    return privacy.open_vault(read_settings({name: value for name, value in environment(home).items() if value}))


@pytest.fixture(scope="module")
def number(run: Run, store: Database, vault: privacy.Vault, tmp_path_factory: pytest.TempPathFactory) -> str:
    evidence = tmp_path_factory.mktemp("evidence") / "meter.csv"
    evidence.write_text("kWh\n12\n")
    with store.begin() as session:
        account = participants.register_person(session, vault, mobile="13712345678", on=date(2026, 1, 5)).account_id
        mint_to(session, account, 5, batch=0)
    words = ("neutralise", account, 250_000, evidence, "--reason", "年会", "--beneficiary", "珠江茶馆", "--reference", "yearly-1")
    told = run(*words).out
    assert told == run(*words).out, "the same reference and words: the first certificate again"
    assert told.endswith(": 3 credits retired, 300,000 mg\n")
    assert run("neutralise", account, 250_001, evidence, *words[4:], code=3).err.startswith("reference_reused: ")
    return told[:22]


def test_a_certificate_is_shown_as_anybody_may_see_it(run: Run, number: str):
    assert "3 credits" in run("certificate", "show", number).out
    told = json.loads(run("certificate", "show", neutralisation.grouped(number), "--json").out)
    assert (told["beneficiary"], told["reason"], told["footprint_mg"]) == ("珠江茶馆", "年会", 250_000)
    assert run("certificate", "show", "NC26", code=3).err.startswith("certificate_unknown: ")


def test_a_beneficiary_is_hidden_on_request(run: Run, number: str):
    assert "hidden" in run("certificate", "beneficiary", number, "--hide").out
    assert json.loads(run("certificate", "show", number, "--json").out)["beneficiary"] is None
    assert "shown" in run("certificate", "beneficiary", number, "--show").out


def test_a_certificate_is_printed(run: Run, number: str, tmp_path: Path):
    to = tmp_path / "certificate.pdf"
    run("certificate", "print", number, "--to", to)
    assert to.read_bytes().startswith(b"%PDF")
