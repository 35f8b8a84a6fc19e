"""A second signature by hand: what waits is read, and answered by another than asked (Articles 19-21)."""

from datetime import date

import pytest

from carbonhui import approvals, participants, privacy
from carbonhui.core.database import Database
from tests.cli.conftest import Run

TODAY = date(2026, 11, 20)
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def asked(store: Database) -> int:
    """A grade that a member of the staff asked for; its number."""
    vault = privacy.open_vault(store.settings)

    def ask(session) -> int:
        for login, role in (("grader", "registrar"), ("signer", "approver")):
            participants.add_staff(session, vault, login=login, password=PASSWORD, roles=[role])
        by = participants.staff_member(session, "grader")
        return approvals.ask(
            session, kind="merchant_grade", subject=10**9, words={"grade": "B"}, reason="scored 81", by=by.id, on=TODAY
        ).id

    return store.run(ask)


def test_what_waits_is_listed_and_answered_once_by_who_may(run: Run, asked: int):
    listed = run("countersignature", "list", "--kind", "merchant_grade").out
    assert f"{asked}: merchant_grade, asked on 2026-11-20" in listed and 'because: scored 81: {"grade": "B"}' in listed
    assert run("countersignature", "list", "--kind", "fee_item").out == ""
    answer = ("countersignature", "answer", asked)
    assert run(*answer, "--agree", "--by", "grader", code=3).err.startswith("role_missing: ")
    assert run(*answer, "--refuse", "--by", "signer").out == f"{asked}: merchant_grade, refused\n"
    assert run(*answer, "--refuse", "--by", "signer", code=3).err.startswith("countersignature_unknown: ")
    assert run("countersignature", "list", "--kind", "merchant_grade").out == ""
