"""Every command once, as a person uses it (Articles 6-22): whatever the product does can be done by hand."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from carbonhui import ledger
from carbonhui.core.clock import CITY_TIME
from carbonhui.core.database import Database
from tests.api.ports import free_port
from tests.cli.conftest import Riders, Run, environment

METHODOLOGIES = Path(__file__).resolve().parents[2] / "methodologies"


def held(store: Database, account: int) -> int:
    with store.begin() as session:
        return ledger.balance_of(session, account).posted


@pytest.fixture(scope="module")
def bakery(run: Run) -> str:
    run("account", "open", "merchant", "--name", "bakery")
    return "bakery"


@pytest.fixture(scope="module")
def waterworks(run: Run) -> tuple[str, str]:
    run("account", "open", "department", "--name", "waterworks")
    run("account", "open", "department", "--name", "waterworks-cash", "--cash")
    return "waterworks", "waterworks-cash"


# From a file to credits


def test_the_bodies_of_the_demonstration_approve_what_is_installed(run: Run, riders: Riders):
    assert "cycling 1" in riders.told["approved"].out
    assert run("approve-demonstration").out == "everything was approved before\n"


def test_every_row_of_a_file_is_counted_and_a_refused_one_is_kept(riders: Riders):
    told = riders.told["loaded"].out
    assert re.search(r"rides\.csv\W+61\W+60\W+0\W+1\W+too_short 1", told)
    assert "all dates were moved by 10 years" in told
    quarantine = re.search(r"refused rows of rides\.csv: (\S+)", told)
    assert quarantine
    assert Path(quarantine[1]).exists()


def test_the_same_file_again_changes_nothing(run: Run, riders: Riders, rides: tuple[Path, Path]):
    told = run("activity", "load", rides[0], "--as", "mibici", "--stations", rides[1])
    assert "the same file is batch" in told.out
    assert "refused rows" not in told.out


def test_riders_are_enrolled_measured_and_minted(run: Run, riders: Riders):
    assert riders.told["enrolled"].out == "2 accounts opened\n2 consents to mibici given\n"
    assert "bicycle" in riders.told["measured"].out
    made = re.search(r"([\d,]+) mg, made ([\d,]+) credits", riders.told["minted"].out)
    assert made
    assert int(made[2].replace(",", "")) * 100_000 <= int(made[1].replace(",", ""))
    assert "0 reductions" in run("mint", "--through", "2025-12-31").out


def test_measuring_through_a_day_leaves_later_activity_alone(run: Run, riders: Riders):
    run("quantify", "--through", "2020-01-01")


def test_batches_and_profiles_can_be_listed(run: Run, riders: Riders):
    assert re.search(r"mibici.*rides\.csv.*2025-03-01 to 2025-03-30", run("activity", "batches").out)
    assert "sgsc-monthly: " in run("activity", "profile", "list").out


# Methodologies


def test_methodologies_can_be_listed_in_both_languages(run: Run):
    assert "Shared-bicycle ride" in run("methodology", "list").out
    assert "共享单车骑行" in run("--language", "zh", "methodology", "list").out


def test_a_methodology_is_shown_with_its_sources_and_cases(run: Run):
    told = run("methodology", "show", "cycling").out
    assert "mg = " in told
    assert "48,700" in told
    assert "A ride of three kilometres" in told


def test_a_methodology_folder_is_checked(run: Run, tmp_path: Path):
    told = run("methodology", "check", METHODOLOGIES / "cycling").out
    assert "worked cases hold on Python, DuckDB" in told
    assert "委员会审议单 Committee sheet: 共享单车骑行" in told
    assert "folder" in run("methodology", "check", tmp_path, code=1).out


def test_one_record_is_measured(run: Run):
    assert "121750" in run("methodology", "quantify", "cycling", "metres=2500", "--on", "2026-03-01").out
    declared = ("methodology", "quantify", "bus_hubei", "trips=1", "--on", "2026-03-01", "--evidence", "self_declared")
    assert "credited_mg: 52000\n" in run(*declared).out


def test_the_committees_sheet_is_written_to_a_file(run: Run, tmp_path: Path):
    told = run("methodology", "check", METHODOLOGIES / "metro", "--sheet", tmp_path / "sheet.md").out
    assert len(told.splitlines()) in (1, 2)
    assert "| 专家委员会 Expert committee |" in (tmp_path / "sheet.md").read_text(encoding="utf-8")


def test_a_methodology_is_begun_as_a_package_and_passes_its_check(run: Run, tmp_path: Path):
    run("methodology", "new", "harbour_tram", "--into", tmp_path)
    assert "1 worked cases hold" in run("methodology", "check", tmp_path / "harbour-tram" / "harbour_tram").out
    assert run("methodology", "new", "harbour_tram", "--into", tmp_path, code=3).err.startswith("scaffold_exists: ")


def test_pages_are_written_and_those_of_what_is_gone_are_removed(run: Run, tmp_path: Path):
    run("methodology", "pages", "--into", tmp_path)
    page = (tmp_path / "cycling-1.en.md").read_text(encoding="utf-8")
    (tmp_path / "gone-1.en.md").write_text(page, encoding="utf-8")
    (tmp_path / "mine.md").write_text("mine", encoding="utf-8")
    assert f" pages in {tmp_path}" in run("methodology", "pages", "--into", tmp_path).out
    assert not (tmp_path / "gone-1.en.md").exists()
    assert (tmp_path / "mine.md").exists()


def test_the_approvals_of_a_methodology_are_told_with_their_documents(run: Run, riders: Riders):
    told = run("methodology", "approvals", "cycling").out
    assert "-expert_committee" in told and "2024-06-13" in told and "the same" in told
    assert run("methodology", "approvals", "flying").out == "no version of flying was approved\n"


# Decisions and dated values


def test_a_value_comes_into_force_when_three_bodies_approved_it(run: Run):
    proposed = ["policy", "propose", "offset_cap_percent", 8, "--from", "2031-01-01", "--source", "paper 8", "--by", "chen"]
    matter = run(*proposed).out.strip()
    refused = run("policy", "come-into-force", matter, code=3)
    assert refused.err.startswith("not_approved: ")
    for body in ("expert_committee", "city", "province"):
        run("approvals", "decide", matter, body, "--approve", "--document", f"paper-{body}", "--by", f"person-of-{body}")
    assert run("policy", "come-into-force", matter).out == f"in force: matter {matter}\n"
    assert re.search(r"offset_cap_percent.* 8 .*2031-01-01.*paper 8", run("policy", "list").out)
    assert "province: approved by person-of-province" in run("approvals", "list").out


def test_a_body_can_refuse_a_methodology(run: Run):
    words = ("--from", "2030-01-01", "--source", "paper 9", "--by", "chen")
    matter = run("policy", "propose-methodology", "metro", *words).out.strip()
    decided = run("approvals", "decide", matter, "expert_committee", "--refuse", "--document", "paper-9", "--by", "he")
    assert decided.out == f"expert_committee: refused matter {matter}\n"


# Accounts


def test_accounts_are_opened_limited_and_closed(run: Run):
    number = run("account", "open", "person").out.strip()
    assert number.isdigit()
    assert run("account", "limit", number, 5).out == f"limit of {number}: 5\n"
    assert run("account", "limit", number).out == f"limit of {number}: none\n"
    assert run("account", "close", number).out == f"closed: {number}\n"
    assert run("account", "close", number, code=3).err.startswith("account_closed: ")


# Using credits


def test_giving_happens_once_under_one_reference(run: Run, store: Database, riders: Riders):
    before = held(store, riders.second)
    words = ("give", riders.first, riders.second, 3, "--reference", "gift-1", "--day", "2025-06-01")
    first, again = run(*words), run(*words)
    assert again.out == first.out.strip() + " (made before; nothing moved now)\n"
    assert held(store, riders.second) == before + 3


def test_what_a_merchant_received_goes_to_the_pool(run: Run, riders: Riders, bakery: str):
    run("redeem", riders.first, bakery, 2, "--reference", "bread-1")
    assert run("balance", bakery).out == "2 posted, 0 promised, 2 available\n"
    assert run("fold").out.endswith("0 promises expired\n")
    run("settle", bakery, "--reference", "bread-settled")
    assert run("balance", bakery).out == "0 posted, 0 promised, 0 available\n"
    assert run("settle", bakery, "--reference", "bread-settled-2", code=3).err.startswith("nothing_to_settle: ")


def test_a_tenth_of_a_bill_is_offset_and_bought_back_at_par(run: Run, riders: Riders, waterworks: tuple[str, str]):
    department, cash = waterworks
    words = ("offset", riders.second, department)
    refused = run(*words, "bill-0", 999, 5, "--reference", "bill-0", code=3)
    assert refused.err.startswith("offset_above_cap: ")
    run(*words, "bill-1", 1_000, 5, "--reference", "bill-1", "--day", "2025-07-01")
    run("fund", "budget", 100_000, "--reference", "budget-1")
    bought = run("fund", "purchase", department, cash, "--through", "2025-12-31", "--reference", "purchase-1")
    assert bought.out.endswith("5 credits cancelled for 100 fen\n")
    assert run("balance", cash).out.startswith("100 posted")


def test_credits_are_donated_and_retired(run: Run, store: Database, riders: Riders):
    with store.begin() as session:
        before = ledger.balance_of(session, ledger.system_account(session, ledger.Kind.RETIREMENT)).posted
    run("account", "open", "charity", "--name", "trees")
    run("donate", riders.second, "trees", 1, "--reference", "trees-1")
    run("retire", riders.second, 1, "--reference", "weekend-1")
    assert run("balance", "retirement").out.startswith(f"{before + 1} posted")


# Reading the books


def test_a_statement_is_read_page_by_page(run: Run, riders: Riders):
    whole = json.loads(run("statement", riders.first, "--json").out)
    assert whole["cursor"] is None
    pages, cursor = [], []
    while True:
        page = json.loads(run("statement", riders.first, "--json", "--most", 1, *cursor).out)
        pages += page["lines"]
        if page["cursor"] is None:
            break
        cursor = ["--cursor", page["cursor"]]
    assert pages == whole["lines"]
    assert whole["posted"] == whole["lines"][0]["balance"]


def test_a_printed_statement_leads_to_its_next_page(run: Run, riders: Riders):
    told = run("statement", riders.second, "--most", 1).out
    more = re.search(r"More: carbonhui (.+)", told)
    assert more
    assert "You earned" in run(*more[1].split(), "--most", 100).out
    assert "More: carbonhui --profile demo statement" in run("--profile", "demo", "statement", riders.second, "--most", 1).out


def test_a_code_from_the_statement_tells_its_history(run: Run, riders: Riders):
    lines = json.loads(run("statement", riders.second, "--json").out)["lines"]
    retired = next(line for line in lines if line["purpose"] == "retire")
    code = retired["codes"][0][0]
    events = json.loads(run("history", code, "--json").out)["events"]
    assert events[0]["purpose"] == "mint"
    assert events[-1]["purpose"] == "retire"
    printed = re.search(r"retire.*?((?:\d{4} ){4}\d{4})", run("statement", riders.second).out)
    assert printed
    assert printed[1].replace(" ", "") == code
    assert "retire" in run("history", printed[1]).out


def test_a_balance_is_told_now_and_at_an_instant(run: Run, riders: Riders):
    now = int(run("balance", riders.first).out.split()[0])
    later = (datetime.now(CITY_TIME) + timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
    assert run("balance", riders.first, "--at", later).out.startswith(f"{now} at ")
    assert run("balance", riders.first, "--at", "2020-01-01").out == "0 at 2020-01-01T00:00:00+08:00\n"


def test_serving_answers_and_keeps_the_schedule_until_it_is_told_to_stop(home: Path, store: Database):
    port = free_port()
    given = environment(home, CARBONHUI_PORT=str(port), CARBONHUI_WORKERS="1")
    variables = {**os.environ, **{name: value or "" for name, value in given.items()}}
    with store.connect() as connection:
        connection.execute(
            "INSERT INTO api_answer (id, request, sealed, scope, at)"
            " VALUES (sha256('k'), sha256('r'), 's', 'person:1', now() - interval '8 days')"
        )
    program = Path(sys.executable).with_name("carbonhui")
    with subprocess.Popen([program, "serve"], env=variables, stdout=subprocess.PIPE, text=True) as server:
        said = [server.stdout.readline() for _ in range(4)]
        wait_for(lambda: answered(port) == 200 and purged(store))
        server.send_signal(signal.SIGTERM)
        assert server.wait(180) == 0
    assert "profile demo are open" in said[0]
    assert "psql" in said[1]
    assert f":{port}/v1/docs" in said[2]


def answered(port: int) -> int | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez").status_code
    except httpx.TransportError:
        return None


def purged(store: Database) -> bool:
    """Whether the schedule beside the API did its hourly work, the API's own part too."""
    with store.connect() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM api_answer WHERE scope = 'person:1'),"
            " EXISTS (SELECT FROM job_run WHERE job = 'purge' AND outcome = 'done')"
        ).fetchone()
    return row == (0, True)


def wait_for(what: Callable[[], bool], seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_the_document_of_the_api_needs_no_database(run: Run, tmp_path: Path):
    told = json.loads(run("openapi", CARBONHUI_HOME=str(tmp_path / "nowhere")).out)
    assert told["openapi"].startswith("3.1") and "/v1/me" in told["paths"]
    assert not (tmp_path / "nowhere").exists()
