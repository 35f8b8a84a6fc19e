"""Merchants through the words of the command line: grades, the alliance, shops, and an offer that has to go."""

import re
from datetime import date, timedelta

import pytest
from argon2 import PasswordHasher

from carbonhui import merchants, participants, privacy
from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.database import Database
from carbonhui.participants import staff
from tests.cli.conftest import Run

DAY = date(2026, 11, 20)


@pytest.fixture
def bakery(store: Database, monkeypatch: pytest.MonkeyPatch) -> participants.Organisation:
    """An approved merchant with a shop, a till and a published offer, and the staff who approved it."""
    monkeypatch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    vault = privacy.open_vault(store.settings)
    terms = merchants.Terms(
        "早茶套餐", None, "food", Credits(5), Fen(1_000), Fen(2_000), None, None, None, 7, DAY, DAY + timedelta(days=30)
    )
    with store.begin() as session:
        first = participants.add_staff(session, vault, login="merchant-registrar", password="x" * 12, roles=["registrar"]).staff
        second = participants.add_staff(session, vault, login="merchant-approver", password="x" * 12, roles=["approver"]).staff
        code = "91440101MA9990031"
        found = participants.apply_as_organisation(
            session, vault, kind="merchant", name="珠江茶馆", credit_code=code + participants.check_character(code), contact_name="李娜",
            contact_mobile="13800138000", on=DAY,
        )  # fmt: skip
        step = participants.propose_step(session, found, "approve", reason="papers seen", by=first, on=DAY)
        found = participants.decide_step(session, step.id, agreed=True, by=second, on=DAY)
        shop = merchants.add_shop(
            session, found, name="北京路店", address="北京路 1 号", district="440104", latitude_udeg=23_120_000,
            longitude_udeg=113_270_000, hours="", on=DAY,
        )  # fmt: skip
        merchants.add_till(session, shop, label="till 1")
        merchants.publish_offer(session, found, merchants.draft_offer(session, found, terms, on=DAY), on=DAY)
    return found


def test_an_operator_grades_and_looks_after_merchants_by_hand(run: Run, bakery: participants.Organisation) -> None:
    words = ("--source", "evaluation 2026-11", "--reason", "visited", "--from", DAY, "--by", "merchant-registrar", "--day", DAY)
    asked = run("merchant", "grade", bakery.id, "B", "--line", "packaging=8/10", "--line", "用电=3/5", *words)
    number = asked.out.strip().removeprefix("countersignature ")
    assert "asked_already" in run("merchant", "grade", bakery.id, "A", "--line", "x=1/1", *words, code=3).err
    assert "is not of the form" in run("merchant", "grade", bakery.id, "A", "--line", "x=1", *words, code=2).err
    run("countersignature", "answer", number, "--agree", "--by", "merchant-approver", "--day", DAY)
    told = run("merchant", "grades", bakery.handle).out
    assert told == f"B from {DAY} on (evaluation 2026-11)\n  packaging: 8 of 10\n  用电: 3 of 5\n"
    assert run("merchant", "alliance", bakery.id, "--join", "--day", DAY).out == f"in from {DAY} on\n"
    assert "alliance_unchanged" in run("merchant", "alliance", bakery.id, "--join", "--day", DAY, code=3).err
    assert run("merchant", "alliance", bakery.id, "--leave", "--day", DAY).out == f"out from {DAY} on\n"
    shops = run("merchant", "shops", bakery.id).out
    assert "北京路店, 440104 北京路 1 号, open" in shops and "till 1, open" in shops
    offers = run("merchant", "offers", bakery.id).out
    assert "早茶套餐, 5 credits + 1000 fen instead of 2000 fen, 2026-11-20 to 2026-12-20, published, 0 of 7 taken" in offers
    handle = re.search(r"[0-9a-f-]{36}", offers)
    assert handle is not None
    assert run("merchant", "withdraw-offer", bakery.id, handle[0]).out == "withdrawn\n"
    assert "withdrawn, 0 of 7 taken" in run("merchant", "offers", bakery.id).out
    assert "offer_unknown" in run("merchant", "withdraw-offer", bakery.id, bakery.handle, code=3).err
