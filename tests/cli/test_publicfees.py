"""Fee items and bills by hand (Article 19)."""

import re

from carbonhui import ledger, participants, privacy
from carbonhui.core.database import Database
from tests.cli.conftest import Run
from tests.participants.people import Town


def fact(text: str, name: str) -> str:
    found = re.search(rf"^{name}: (.+)$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


def test_the_way_of_a_bill_by_hand(run: Run, store: Database) -> None:
    offices = Town(store, privacy.open_vault(store.settings), store.settings)
    water, payer = offices.approved("department"), offices.resident()
    registrar, approver = offices.staff("registrar"), offices.staff("approver")
    account, department, called = str(payer.account_id), str(water.account_id), f"department-{water.id}"
    applied = run("publicfees", "apply", str(water.id), "103044601", "污水处理费", "Sewage treatment fee", "粤价[2015]1号")
    item = fact(applied.out, "fee item")
    asked = run("publicfees", "propose", item, "--reason", "papers seen", "--by", registrar.login)
    number = fact(asked.out, "countersignature")
    assert "fee_item, agreed" in run("countersignature", "answer", number, "--agree", "--by", approver.login).out
    assert "approved" in run("publicfees", "items", "--department", str(water.id), "--state", "approved").out
    words = (str(water.id), "H-1", "103044601", "8800", "--due", "2026-12-31", "--payer-reference", "4401", "--person", str(payer.id))
    bill = fact(run("publicfees", "present", *words).out, "bill")
    assert fact(run("publicfees", "present", *words).out, "bill") == bill
    differs = run("offset", account, called, "H-1", "9900", "1", "--reference", "h-1", code=3)
    assert "8800" in differs.err
    assert f"{bill}  H-1  8800 fen  open  0 credits" in run("publicfees", "bills", department).out
    back = run("publicfees", "take-back", str(water.id), bill, "--because", "cancelled")
    assert fact(back.out, "state") == "cancelled"
    run("publicfees", "undo", department, "H-1", "--because", "cancelled", "--reference", "undo-h-1", code=3)
    assert "owed: 0 bills, 0 credits, 0 fen" in run("publicfees", "position", department, "2026").out
    assert fact(run("publicfees", "withdraw", str(water.id), item).out, "state") == "withdrawn"
    assert store.run(lambda s: ledger.balance_of(s, payer.account_id)).posted == 0
    assert store.run(lambda s: participants.organisation(s, water.id)).state == "approved"
