"""Pools and charities' campaigns through the words of the command line (Articles 18, 21, 22)."""

import re
from datetime import date

import pytest
from argon2 import PasswordHasher

from carbonhui import circulation, ledger, participants, privacy
from carbonhui.core.amounts import Credits
from carbonhui.core.database import Database
from carbonhui.participants import staff
from tests.cli.conftest import Riders, Run

DAY, LATE = date(2026, 11, 20), date(2026, 12, 1)


def test_an_operator_sees_pools_and_gives_back_what_missed_its_goal(run: Run, store: Database, riders: Riders) -> None:
    vault = privacy.open_vault(store.settings)
    with store.begin() as session:
        person = participants.register_person(session, vault, mobile="13700137001", on=DAY)
        ledger.post(
            session, purpose=ledger.Purpose.GIVE, source=riders.first, target=person.account_id, amount=3, reference="for-the-pool",
            business_date=DAY,
        )  # fmt: skip
        pool = circulation.open_pool(
            session, vault, owner=person.account_id, title="给奶奶的惊喜", goal_credits=Credits(10), purpose="neutralisation", target=None,
            deadline=DAY, on=DAY,
        )  # fmt: skip
        circulation.contribute(session, pool.id, payer=person.account_id, credits=Credits(3), reference="pool-cli", business_date=DAY)
    listed = run("pool", "list", "--state", "open").out
    assert str(pool.handle) in listed and "奶奶" not in listed
    assert "contributed: 3\n" in run("pool", "show", pool.handle).out
    assert run("pool", "conclude", "--day", DAY).out == "0 steps: pools that ended or are empty, contributions given back or put off\n"
    assert run("pool", "conclude", "--day", LATE, "--most", "1").out.startswith("3 steps")
    shown = run("pool", "show", pool.handle).out
    assert "state: missed\n" in shown and "returned: 3\n" in shown and "奶奶" not in shown
    assert "pool_unknown" in run("pool", "show", "00000000-0000-4000-8000-000000000000", code=3).err


@pytest.fixture
def charity(store: Database, monkeypatch: pytest.MonkeyPatch) -> participants.Organisation:
    """An approved charity, and the staff who approved it."""
    monkeypatch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    vault = privacy.open_vault(store.settings)
    with store.begin() as session:
        first = participants.add_staff(session, vault, login="charity-registrar", password="x" * 12, roles=["registrar"]).staff
        second = participants.add_staff(session, vault, login="charity-approver", password="x" * 12, roles=["approver"]).staff
        code = "91440101MA9990021"
        found = participants.apply_as_organisation(
            session, vault, kind="charity", name="绿色珠江", credit_code=code + participants.check_character(code), contact_name="李娜",
            contact_mobile="13800138000", on=DAY,
        )  # fmt: skip
        step = participants.propose_step(session, found, "approve", reason="papers seen", by=first, on=DAY)
        return participants.decide_step(session, step.id, agreed=True, by=second, on=DAY)


def test_an_operator_proposes_opens_and_reports_a_charitys_campaign(run: Run, riders: Riders, charity: participants.Organisation) -> None:
    days = ("--from", DAY, "--until", LATE, "--day", DAY)
    proposed = run("donation", "propose", charity.id, "--title", "净滩行动", "--purpose", "清理海滩。", "--goal", "50", *days).out
    handle = proposed.strip().removeprefix("campaign ")
    assert re.search(f"{handle}.*净滩行动.*50.*proposed", run("donation", "campaigns", "--state", "proposed").out)
    words = ("--reason", "papers seen", "--by", "charity-registrar", "--day", DAY)
    number = run("donation", "ask", handle, *words).out.strip().removeprefix("countersignature ")
    assert "asked_already" in run("donation", "ask", handle, *words, code=3).err
    run("countersignature", "answer", number, "--agree", "--by", "charity-approver", "--day", DAY)
    assert re.search(f"{handle}.*approved", run("donation", "campaigns").out)
    run("donate", riders.second, charity.account_id, "1", "--reference", "gift-cli", "--day", DAY)
    assert re.search(r"left\W+0", run("donation", "report", handle).out)
