"""Gifts that wait, credits past their years, and the city's rules, by the words of the command line (Article 18)."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from carbonhui import circulation, participants, policy, privacy
from carbonhui.core.database import Database
from tests.cli.conftest import Riders, Run
from tests.ledger.books import give


@pytest.fixture(scope="module")
def waiting(riders: Riders, store: Database, tmp_path_factory: pytest.TempPathFactory) -> tuple[participants.Person, circulation.Gift]:
    """Somebody whose gift waits for a number of nobody until 27 November 2026."""
    keys: Path = tmp_path_factory.mktemp("gifts") / "keys"
    vault, on = privacy.open_vault(replace(store.settings, keys=keys)), date(2026, 11, 20)
    giver = store.run(lambda s: participants.register_person(s, vault, mobile="13700137001", on=on))
    store.run(lambda s: give(s, riders.first, giver.account_id, 10))
    gift = store.run(lambda s: circulation.give_to_mobile(
        s, vault, giver=giver, mobile="13700137002", credits=4, reference="cli-gift", on=on
    ))  # fmt: skip
    store.run(lambda s: circulation.ask_mobile(s, vault, asker=giver, mobile="13700137003", credits=2, reference="cli-ask", on=on))
    return giver, gift


def test_an_operator_sees_what_waits_and_ends_what_is_late(run: Run, waiting: tuple[participants.Person, circulation.Gift]):
    giver, gift = waiting
    shown = run("circulation", "waiting", giver.handle, "--day", "2026-11-20").out
    assert re.search(rf"gift from them.*{gift.handle}.* 4 .*2026-11-27", shown)
    assert re.search(r"request from them.* 2 .*2026-11-27", shown)
    assert not re.search(r"1370013700\d", shown)
    assert run("circulation", "lapse-gifts", "--day", "2026-11-27").out == "0 ended\n"
    assert run("circulation", "lapse-gifts", "--day", "2026-11-28", "--most", 1).out == "2 ended\n"
    assert run("circulation", "lapse-gifts", "--day", "2026-11-28").out == "0 ended\n"
    assert str(gift.handle) not in run("circulation", "waiting", giver.handle).out


def test_nothing_expires_in_guangzhou(run: Run):
    assert run("circulation", "expire-credits", "--day", "2099-01-01").out == "0 movements\n"


def test_every_rule_of_the_city_is_shown_with_its_source(run: Run):
    told = run("policy", "rules", "--day", "2026-11-20").out
    assert "Guangzhou 广州" in told and "碳惠" in told
    for name in policy.RULES:
        assert name in told
    assert re.search(r"credits_transferable.* 1 .*founding.*art\. 18", told)
    assert re.search(r"gift_waits_days.* 7 .*operating.*to be confirmed by the operator", told)
    before = run("policy", "rules", "--day", "2018-01-14").out
    assert re.search(r"credits_transferable.*absent.*nobody", before)
