"""What was refused is told in one line, code and sentence, with exit code 3; a misspelt command with 2."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from carbonhui.core.database import Database
from tests.cli.conftest import Riders, Run


def one_line(told: str, code: str) -> str:
    """The sentence of the only line that was told."""
    assert told.startswith(f"{code}: "), told
    assert told.count("\n") == 1
    return told.removeprefix(f"{code}: ").strip()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("statement", 999_999), "account_unknown"),
        (("statement", "no-such-name"), "account_unknown"),
        (("statement", "1", "--cursor", "bm90aGluZw=="), "cursor_invalid"),
        (("balance", 0), "account_unknown"),
        (("history", "1234"), "code_invalid"),
        (("history", "4401 2600 0001 2345 6731"), "code_invalid"),
        (("history", "4401 2600 0001 2345 6730"), "code_invalid"),
        (("give", 1, 2, 0, "--reference", "x"), "amount_out_of_range"),
        (("give", 1, 2, 10**9, "--reference", "x"), "not_enough"),
        (("give", 1, 1, 1, "--reference", "x"), "self_transfer"),
        (("give", 1, 2, 1, "--reference", "two words"), "reference_invalid"),
        (("redeem", 1, 2, 1, "--reference", "x"), "account_kind_differs"),
        (("activity", "load", "nowhere.csv", "--as", "mibici"), "file_not_found"),
        (("activity", "load", "nowhere.csv", "--as", "nobody"), "profile_unknown"),
        (("methodology", "quantify", "cycling", "metres=2500", "--on", "2020-01-01"), "day_before_first_date"),
        (("methodology", "quantify", "cycling", "metres=1", "--on", "2026-03-01", "--evidence", "x"), "evidence_not_accepted"),
        (("methodology", "quantify", "cycling", "miles=2", "--on", "2026-03-01"), "quantities_differ"),
        (("methodology", "quantify", "cycling", "metres=-1", "--on", "2026-03-01"), "quantity_out_of_range"),
        (("policy", "propose", "luck", 1, "--from", "2030-01-01", "--source", "x", "--by", "y"), "policy_unknown"),
        (
            ("policy", "propose", "offset_cap_percent", 11, "--from", "2030-01-01", "--source", "x", "--by", "y"),
            "value_out_of_range",
        ),
        (("policy", "come-into-force", 99_999), "matter_unknown"),
    ],
)
def test_a_refusal_is_one_line(run: Run, riders: Riders, words: tuple[object, ...], code: str):
    told = run(*words, code=3)
    assert one_line(told.err, code)
    assert told.out == ""


@pytest.mark.parametrize(
    "words",
    [
        ("walk",),
        ("verify", "--loud"),
        ("methodology", "show", "flying"),
        ("methodology", "show", "cycling", "--version", "99"),
        ("methodology", "quantify", "cycling", "metres=2.5", "--on", "2026-03-01"),
        ("policy", "propose-methodology", "flying", "--from", "2030-01-01", "--source", "x", "--by", "y"),
        ("account", "open", "person", "--name", "Ann"),
        ("--profile", "lyon", "verify"),
        ("--profile", "guangzhou", "demo"),
        ("mint", "--through", "soon"),
        ("statement", "\udcff"),
    ],
)
def test_a_misspelt_command_is_told_how_it_is_used(run: Run, words: tuple[object, ...]):
    assert "Error: " in run(*words, code=2).err


def test_a_file_of_other_columns_is_refused_whole(run: Run, rides: tuple[Path, Path]):
    told = run("activity", "load", rides[1], "--as", "mibici", "--stations", rides[1], code=3)
    assert one_line(told.err, "columns_differ")


def test_the_reason_is_told_in_chinese_when_asked(run: Run, riders: Riders):
    words = ("give", riders.first, riders.second, 10**9, "--reference", "too-much")
    assert "可用" in one_line(run("--language", "zh", *words, code=3).err, "not_enough")
    assert "可用" in one_line(run(*words, code=3, CARBONHUI_LANGUAGE="zh").err, "not_enough")
    assert "核对账簿" in run("--language", "zh", "verify").out


def test_a_store_belongs_to_one_profile(run: Run, riders: Riders):
    told = run("--profile", "guangzhou", "verify", code=3)
    assert "demo" in one_line(told.err, "profile_differs")
    assert one_line(run("verify", code=3, CARBONHUI_PROFILE="guangzhou").err, "profile_differs")


def test_a_database_that_does_not_answer_is_told(run: Run):
    told = run("verify", code=3, DATABASE_URL="postgresql://localhost:1/x")
    assert one_line(told.err, "database_unreachable")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARBONHUI_LANGUAGE", "fr"),
        ("CARBONHUI_PROFILE", "lyon"),
        ("CARBONHUI_POOL_SIZE", "many"),
        ("CARBONHUI_AREA", "44"),
        ("DATABASE_URL", "mysql://root:secret@localhost/x"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told(run: Run, name: str, value: str):
    told = run("verify", code=3, **{name: value})
    assert name in one_line(told.err, "setting_invalid")
    assert "secret" not in told.err


def test_a_bad_setting_is_told_in_the_language_that_was_asked_for(run: Run):
    assert "设置" in run("--language", "zh", "verify", code=3, CARBONHUI_POOL_SIZE="0").err


def test_what_only_the_database_refuses_is_one_line_too(run: Run):
    run("account", "open", "merchant", "--name", "closed-tea-house")
    told = run("account", "open", "merchant", "--name", "closed-tea-house", code=3)
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.err


@contextmanager
def broken_by_hand(store: Database, account: int) -> Iterator[None]:
    """One credit more than was ever moved, until it is put right again."""
    for step in (1, -1):
        with store.connect_as_owner() as connection:
            connection.execute("UPDATE balance SET posted = posted + %s WHERE account_id = %s", (step, account))
        if step == 1:
            yield


def test_broken_books_are_named_and_told_by_the_exit_code(run: Run, store: Database, riders: Riders):
    whole = json.loads(run("verify", "--json").out)
    assert whole["holds"] is True
    with broken_by_hand(store, riders.first):
        told = json.loads(run("verify", "--json", code=1).out)
        assert f"account={riders.first}" in run("verify", code=1).out
    assert told["holds"] is False
    assert [check["check"] for check in told["checks"] if not check["holds"]] == ["I5"]
    broken = next(check["broken"] for check in told["checks"] if check["check"] == "I5")
    assert [row["account"] for row in broken] == [riders.first]
    run("verify")


def test_the_installed_program_tells_version_help_and_refusals(home: Path):
    program = Path(sys.executable).with_name("carbonhui")
    assert subprocess.run([program, "--version"], capture_output=True, check=True, text=True).stdout.startswith("carbonhui")
    refused = subprocess.run(
        [program, "verify"], env={"DATABASE_URL": "sqlite://x", "LC_ALL": "C"}, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 3
    assert one_line(refused.stderr, "setting_invalid")
