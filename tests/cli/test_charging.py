"""Charges through the words of the command line (Articles 18, 20)."""

from datetime import UTC, date, datetime

import pytest
from argon2 import PasswordHasher

from carbonhui import merchants, participants, privacy
from carbonhui.core.database import Database
from carbonhui.participants import Organisation, staff
from tests.cli.conftest import Run

DAY, NOON = date(2026, 11, 20), datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.fixture
def teahouse(store: Database, monkeypatch: pytest.MonkeyPatch) -> Organisation:
    """A merchant that tries charges before it is approved: one paid and partly refunded, one that waits."""
    monkeypatch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    vault, code = privacy.open_vault(store.settings), "91440101MA9990002"
    with store.begin() as session:
        found = participants.apply_as_organisation(
            session, vault, kind="merchant", name="珠江茶馆", credit_code=code + participants.check_character(code), contact_name="李娜",
            contact_mobile="13800138000", on=DAY,
        )  # fmt: skip
        sandbox = merchants.sandbox_of(session, found, on=DAY)
        paying = merchants.sandbox_code(vault, sandbox, "paying", now=NOON).code
        words = {"organisation": found.id, "credits": 12, "on": DAY, "now": NOON, "sandbox": True}
        paid = merchants.authorise(session, vault, out_trade_no="T-1", payment_code=paying, money_fen=250, **words).charge
        assert paid is not None
        merchants.refund(session, paid, out_refund_no="R-1", credits=5, on=DAY)
        merchants.authorise(session, vault, out_trade_no="T-2", **words)
    return found


def test_an_operator_sees_what_became_of_charges(run: Run, teahouse: Organisation) -> None:
    listed = run("charge", "list", teahouse.handle, "--sandbox").out.splitlines()
    assert [line.split(": ")[1] for line in listed] == [
        f"T-2, 12 credits + 0 fen on {DAY}, awaiting, 0 captured, 0 refunded",
        f"T-1, 12 credits + 250 fen on {DAY}, captured, 12 captured, 5 refunded",
    ]
    assert run("charge", "list", teahouse.id).out == ""
    told = run("charge", "list", teahouse.id, "--sandbox", "--state", "captured", "--day", DAY).out
    assert told.splitlines() == listed[1:]
    assert run("charge", "show", teahouse.id, "T-1", "--sandbox").out.splitlines() == [listed[1], f"  refund R-1: 5 credits on {DAY}"]
    assert "charge_unknown" in run("charge", "show", teahouse.id, "T-1", code=3).err
    assert run("charge", "close-expired").out == "0 charges closed\n"
