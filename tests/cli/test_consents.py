"""Consents and agreements, by the words of the command line (Articles 11-12)."""

import re
from pathlib import Path

import pytest

from carbonhui.core.database import Database
from tests.cli.conftest import Riders, Run
from tests.consent.people import operator

BY = ("--by", "office")


@pytest.fixture(scope="module")
def digest(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The words of a source of trips, published."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "zh.txt").write_text("同意。\n", encoding="utf-8")
    (folder / "en.txt").write_text("I agree.\n", encoding="utf-8")
    told = run("consent", "publish", "shenzhen-card", "--zh", folder / "zh.txt", "--en", folder / "en.txt", *BY)
    found = re.fullmatch(r"shenzhen-card version 1 ([0-9a-f]{64})\n", told.out)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def resident(run: Run) -> str:
    return run("account", "open", "person").out.strip()


def test_words_are_published_with_their_digest_and_trips_are_sensitive(run: Run, digest: str):
    told = run("consent", "texts", "shenzhen-card").out
    assert re.search(rf"shenzhen-card\W+1\W+yes\W+yes\W.*{digest[:12]}", told)


def test_a_person_consents_looks_and_withdraws(run: Run, digest: str, resident: str):
    words = ("consent", "give", resident, "shenzhen-card", "--digest", digest, "--by", "person:1")
    assert "shenzhen-card from 2025-01-01, version 1" in run(*words, "--covers-from", "2025-01-01").out
    assert re.search(r"2025-01-01.*app.*yes", run("consent", "list", resident).out)
    run("consent", "withdraw", resident, "shenzhen-card", *BY)
    assert "withdrawn by office" in run("consent", "list", resident).out
    assert run("consent", "withdraw", resident, "shenzhen-card", *BY, code=3).err.startswith("consent_not_given: ")
    assert run("consent", "give", resident, "shenzhen-card", "--digest", "00", *BY, code=3).err.startswith("consent_text_changed: ")
    run("consent", "give", resident, "shenzhen-card", "--digest", "no", *BY, code=2)


def test_an_institution_applies_for_its_users(run: Run, store: Database, digest: str, tmp_path: Path):
    (tmp_path / "agreement.txt").write_text("The operator may apply for its users.", encoding="utf-8")
    organisation = operator(store, "91440101MA5CNT0TE0")
    words = ("agreement", "register", organisation, "shenzhen-card", tmp_path / "agreement.txt", "--from", "2020-01-01")
    number = run(*words, *BY).out.split()[1]
    users = [run("account", "open", "person").out.strip() for _ in range(2)]
    (tmp_path / "users.csv").write_text("account,evidence\n" + "".join(f"{user},form-{user}\n" for user in users))
    told = run("agreement", "apply", number, tmp_path / "users.csv", *BY).out
    assert told == "2 applications: 2 given, 0 standing, 0 withdrawn, 0 minors, 0 unknown\n"
    assert "shenzhen-card" in run("agreement", "list").out
    run("agreement", "end", number, *BY)
    assert re.search(r"agency.*no\b", run("consent", "list", users[0]).out)
    assert run("agreement", "apply", number, tmp_path / "users.csv", *BY, code=3).err.startswith("agreement_not_in_force: ")
    (tmp_path / "users.csv").write_text("user\n1\n")
    run("agreement", "apply", number, tmp_path / "users.csv", *BY, code=2)


def test_who_is_enrolled_in_the_demonstration_consents(run: Run, riders: Riders):
    assert re.search(r"mibici.*2000-01-01.*demo.*yes", run("consent", "list", riders.first).out)
    assert run("enrol", "mibici").out == "0 accounts opened\n0 consents to mibici given\n"
