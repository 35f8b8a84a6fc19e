"""What one member of the staff asks another answers, by HTTP and by hand (Articles 19-21)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import count
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from carbonhui import approvals, participants
from carbonhui.api.routes import countersigning
from carbonhui.cli import countersigning as by_hand
from carbonhui.cli.context import Face
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from tests.api.product.people import City, said

TODAY = date(2026, 11, 20)
PATH = "/v1/staff/countersignatures"
_SUBJECTS = count(10**9)
PROGRAM = click.Group("carbonhui", commands=list(by_hand.COMMANDS))


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """A room whose verb does what every room's does: looks at the role, answers, and remembers that it took effect."""
    effects: list[tuple[int, bool]] = []

    def decide(session: Session, number: int, *, agreed: bool, by: participants.Staff, on: date) -> None:
        participants.require_role(session, by, "approver")
        approvals.answer(session, number, kind="merchant_grade", agreed=agreed, by=by.id, on=on)
        effects.append((number, agreed))

    for faces in (countersigning, by_hand):
        monkeypatch.setitem(faces.DECIDED_BY, "merchant_grade", decide)
    return effects


def asked(city: City, by: str | None = None, *, words: dict[str, Any] | None = None) -> approvals.Countersignature:
    """A grade that a registrar asks to be agreed to."""

    def ask(session: Session) -> approvals.Countersignature:
        staff = participants.staff_member(session, by or city.staff("registrar").handle)
        return approvals.ask(
            session, kind="merchant_grade", subject=next(_SUBJECTS), words=words or {"grade": "B"}, reason="scored 81",
            by=staff.id, on=TODAY,
        )  # fmt: skip

    return city.do(ask)


def waiting(city: City) -> list[dict[str, Any]]:
    auditor, found, cursor = city.staff("auditor"), [], ""
    while cursor is not None:
        page = auditor.get(f"{PATH}?limit=2{cursor and f'&cursor={cursor}'}").json
        found += page["items"]
        cursor = page["next"]
    return found


def test_what_waits_is_told_with_its_words_and_agreed_to_by_another(city: City, decided: list[tuple[int, bool]]):
    question = asked(city, words={"grade": "A", "why": "低碳"})
    told = waiting(city)[-1]
    assert (told["kind"], json.loads(told["words"]), told["reason"], told["asked_on"]) == (
        "merchant_grade", {"grade": "A", "why": "低碳"}, "scored 81", "2026-11-20"
    )
    assert set(told) == {"countersignature", "kind", "words", "reason", "asked_on"}
    done = city.staff("approver").post(f"{PATH}/{told['countersignature']}/answer", {"agreed": True})
    assert (done.status_code, done.json["agreed"], done.json["answered_on"]) == (200, True, "2026-11-20")
    assert decided == [(question.id, True)]
    assert told["countersignature"] not in [one["countersignature"] for one in waiting(city)]


def test_what_was_answered_is_not_answered_again(city: City, decided: list[tuple[int, bool]]):
    asked(city)
    handle = waiting(city)[-1]["countersignature"]
    assert city.staff("approver").post(f"{PATH}/{handle}/answer", {"agreed": False}).json["agreed"] is False
    assert said(city.staff("approver").post(f"{PATH}/{handle}/answer", {"agreed": True})) == (404, "not_found")
    assert len(decided) == 1


def test_nobody_answers_what_they_asked_themselves(city: City, decided: list[tuple[int, bool]]):
    both = city.staff("registrar", "approver")
    asked(city, both.handle)
    handle = waiting(city)[-1]["countersignature"]
    assert said(both.post(f"{PATH}/{handle}/answer", {"agreed": True})) == (403, "own_countersignature")
    assert decided == []


def test_an_answer_takes_the_role_that_is_held_now(city: City, decided: list[tuple[int, bool]]):
    asked(city)
    handle, approver = waiting(city)[-1]["countersignature"], city.staff("approver")
    city.do(lambda s: participants.change_roles(s, staff=participants.staff_member(s, approver.handle), roles=["auditor"]))
    assert said(approver.post(f"{PATH}/{handle}/answer", {"agreed": True}))[0] == 403
    for role in ("registrar", "auditor", "support"):
        assert said(city.staff(role).post(f"{PATH}/{handle}/answer", {"agreed": True})) == (403, "not_allowed")
    assert decided == []


def test_a_handle_of_something_else_is_nobodys(city: City):
    owner = city.resident()
    city.applicant(owner)
    approver = city.staff("approver")
    registrar = city.staff("registrar")
    organisation = registrar.get("/v1/staff/organisations?limit=1").json["items"][0]["organisation"]
    for handle in (organisation, "00000000-0000-4000-8000-000000000000", "1"):
        assert said(approver.post(f"{PATH}/{handle}/answer", {"agreed": True})) == (404, "not_found")


def test_one_kind_is_listed_alone_and_pages_are_the_whole_list(city: City):
    for _ in range(3):
        asked(city)
    grades = city.staff("auditor").get(f"{PATH}?kind=merchant_grade&limit=100").json["items"]
    assert waiting(city)[-3:] == grades[-3:]
    assert city.staff("auditor").get(f"{PATH}?kind=fee_item").json["items"] == []
    assert said(city.staff("auditor").get(f"{PATH}?kind=everything")) == (400, "query_invalid")


def test_every_kind_that_can_be_asked_has_a_verb_that_answers_it():
    kinds = set(countersigning.KINDS)
    assert kinds == set(by_hand.KINDS) == set(countersigning.DECIDED_BY) == set(by_hand.DECIDED_BY)
    assert countersigning.DECIDED_BY == by_hand.DECIDED_BY


# By hand ------------------------------------------------------------------------------------------


class Desk(Face):
    """The command line at the city's own store."""

    def __init__(self, city: City) -> None:
        super().__init__(profile=None, chosen_language="en")
        self._city, self.clock = city, city.clock
        self.__dict__["settings"] = city.settings

    @contextmanager
    def database(self) -> Iterator[Database]:
        yield self._city.database


def told(city: City, *words: object) -> str:
    answer = CliRunner().invoke(PROGRAM, [str(word) for word in words], obj=Desk(city))
    if isinstance(answer.exception, Refusal):
        return answer.exception.code
    assert answer.exception is None, answer.output
    return answer.stdout


def test_whatever_waits_can_be_read_and_answered_by_hand(city: City, decided: list[tuple[int, bool]]):
    first, second = asked(city), asked(city)
    approver = city.staff("approver").handle
    listed = told(city, "countersignature", "list", "--kind", "merchant_grade")
    assert f'{first.id}: merchant_grade, asked on 2026-11-20 by staff {first.asked_by}, because: scored 81: {{"grade": "B"}}' in listed
    assert told(city, "countersignature", "answer", first.id, "--agree", "--by", approver) == f"{first.id}: merchant_grade, agreed\n"
    assert told(city, "countersignature", "answer", second.id, "--refuse", "--by", approver) == f"{second.id}: merchant_grade, refused\n"
    assert decided == [(first.id, True), (second.id, False)]
    assert told(city, "countersignature", "answer", first.id, "--agree", "--by", approver) == "countersignature_unknown"
    assert told(city, "countersignature", "answer", 2**40, "--agree", "--by", approver) == "countersignature_unknown"
    auditor = city.staff("auditor").handle
    third = asked(city)
    assert told(city, "countersignature", "answer", third.id, "--agree", "--by", auditor) == "role_missing"
