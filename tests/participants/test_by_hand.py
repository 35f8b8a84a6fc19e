"""Whatever people, staff and institutions do by HTTP can be done by hand (Articles 11-13)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import click
import pytest
from click.testing import CliRunner

from carbonhui import participants
from carbonhui.cli.context import Face
from carbonhui.cli.people import COMMANDS
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from tests.participants.people import PASSWORD, TODAY, Town

PROGRAM = click.Group("carbonhui", commands=list(COMMANDS))


class Desk(Face):
    """The command line at the town's own store."""

    def __init__(self, town: Town) -> None:
        super().__init__(profile=None, chosen_language="en")
        self._town, self.clock = town, SetClock.on(TODAY)
        self.__dict__["settings"] = town.settings

    @contextmanager
    def database(self) -> Iterator[Database]:
        yield self._town.database


def told(town: Town, *words: object, typed: str = "") -> str:
    answer = CliRunner().invoke(PROGRAM, [str(word) for word in words], obj=Desk(town), input=typed)
    if isinstance(answer.exception, Refusal):
        return answer.exception.code
    assert answer.exception is None, answer.output
    return answer.stdout


def fact(text: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)$", text, flags=re.MULTILINE)
    assert found, text
    return found[1]


def test_a_person_is_registered_found_proven_and_erased(town: Town):
    mobile, other = town.mobile(), town.mobile()
    number = fact(told(town, "person", "register", "--to", "en", typed=f"{mobile}\n"), "person")
    assert told(town, "person", "register", "--mobile", mobile) == "mobile_taken"
    assert fact(told(town, "person", "find", "--mobile", mobile), "person") == number
    told(town, "person", "change-mobile", number, "--mobile", other)
    assert told(town, "person", "find", "--mobile", mobile) == "person_unknown"
    assert fact(told(town, "person", "change-language", number, "zh"), "language") == "zh"
    proven = told(town, "person", "prove", number, typed=f"张伟\n{town.id_number()}\n")
    assert fact(proven, "level") == "real_name"
    support = town.staff("support")
    profile = told(town, "person", "profile", number, "--by", support.login, "--purpose", "a call of the person")
    assert (fact(profile, "name"), fact(profile, "mobile")) == ("张伟", "+86" + other)
    assert "0 credits cancelled, 1 links ended" in told(town, "person", "erase", number, "--yes")
    shown = told(town, "person", "show", number)
    assert fact(shown, "state") == "erased" and "张伟" not in shown


def test_an_erasure_is_asked_about_first(town: Town):
    resident = town.resident()
    answer = CliRunner().invoke(PROGRAM, ["person", "erase", str(resident.id)], obj=Desk(town), input="n\n")
    assert answer.exit_code == 1
    assert town.now(resident).state == "active"


def test_guardians_by_hand(town: Town):
    mother, father, number = town.proven(), town.proven(), town.id_number(date(2015, 5, 5))
    ward = fact(told(town, "person", "register-ward", mother.id, "--name", "张小明", "--id-number", number), "person")
    told(town, "person", "guard", father.handle, ward, "--name", "张小明", "--id-number", number)
    assert fact(told(town, "person", "end-guardianship", mother.id, ward), "state") == "active"
    assert fact(told(town, "person", "end-guardianship", father.id, ward), "state") == "restricted"
    assert re.search(r"^\d+ came of age", told(town, "person", "free-grown-up", "--day", "2033-05-05"))
    assert fact(told(town, "person", "show", ward), "state") == "active"


def test_an_organisation_is_taken_in_by_two(town: Town):
    registrar, approver, owner = town.staff("registrar").login, town.staff("approver").login, town.resident()
    number = fact(
        told(town, "organisation", "apply", "merchant", "--name", "绿叶超市", "--credit-code", town.credit_code(),
             typed="李娜\n13800138000\n"),
        "organisation",
    )  # fmt: skip
    step = told(town, "organisation", "propose", number, "approve", "--reason", "papers seen", "--by", registrar).strip()
    assert f"{step}: approve organisation {number}" in told(town, "organisation", "open-steps")
    assert told(town, "organisation", "decide", step, "--agree", "--by", registrar) == "role_missing"
    assert fact(told(town, "organisation", "decide", step, "--agree", "--by", approver), "state") == "approved"
    told(town, "organisation", "add-member", number, owner.handle, "owner")
    assert told(town, "organisation", "end-member", number, owner.id) == "last_owner"
    heir = town.resident()
    told(town, "organisation", "add-member", number, heir.id, "clerk")
    told(town, "organisation", "add-member", number, heir.id, "owner")
    told(town, "organisation", "end-member", number, owner.id)
    shown = told(town, "organisation", "show", number)
    assert f"person {heir.id}, owner" in shown and "papers seen" in shown
    assert "绿叶超市" in told(town, "organisation", "list", "--kind", "merchant", "--state", "approved")
    contact = told(town, "organisation", "contact", number, "--by", registrar, "--purpose", "a question")
    assert fact(contact, "contact_name") == "李娜"
    told(town, "organisation", "change-contact", number, typed="王芳\n13900139000\n")
    contact = told(town, "organisation", "contact", number, "--by", registrar, "--purpose", "a question")
    assert fact(contact, "contact_name") == "王芳"


def test_staff_by_hand(town: Town):
    added = told(town, "staff", "add", "clerk.one", "--role", "support", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "otpauth://totp/" in added
    assert "clerk.one, active, support" in told(town, "staff", "list")
    assert told(town, "staff", "change-roles", "clerk.one", "--role", "auditor", "--role", "operator") == "auditor, operator\n"
    told(town, "staff", "change-password", "clerk.one", "--password", "a whole new sentence")
    assert "otpauth://totp/" in told(town, "staff", "renew-second-factor", "clerk.one")
    assert told(town, "staff", "unlock", "clerk.one") == "open\n"
    assert told(town, "staff", "dismiss", "clerk.one") == "dismissed\n"
    assert told(town, "staff", "unlock", "clerk.one") == "staff_unknown"


def test_links_by_hand(town: Town):
    keeper, registrar, resident = town.approved("institution"), town.staff("registrar").login, town.proven()
    told(town, "link", "entrust", keeper.id, "card", "--by", registrar)
    code = told(town, "link", "code", keeper.id, "card", typed="62170001\n").splitlines()[-1].split()[-1]
    assert told(town, "link", "claim", resident.id, "card", "--identifier", "62170001", "--code", "wrong") == "link_code_wrong"
    assert town.rows("SELECT max(tries) FROM link_code") == [(1,)]
    linked = told(town, "link", "claim", resident.id, "card", "--identifier", "62170001", "--code", code)
    handle = linked.split()[-1]
    shown = told(town, "link", "list", resident.id, "--by", registrar, "--purpose", "a question")
    assert f"{handle}: card ...01, 2026-11-20 to now" in shown
    told(town, "link", "end", resident.id, handle)
    assert told(town, "link", "end", resident.id, handle) == "link_unknown"
    for answer in ("--confirm", "--refuse"):
        asked = told(town, "link", "claim", resident.id, "card", "--identifier", f"card{answer}", "--ask", keeper.handle)
        assert asked.split()[-1] in told(town, "link", "claims", keeper.id, "--by", registrar)
        told(town, "link", "decide", keeper.id, asked.split()[-1], answer, "--by", registrar)
    asked = told(town, "link", "claim", resident.id, "card", "--identifier", "62170002", "--ask", keeper.handle)
    assert told(town, "link", "withdraw", resident.id, asked.split()[-1]) == "withdrawn\n"
    told(town, "link", "distrust", keeper.id, "card", "--by", registrar)
    assert told(town, "link", "code", keeper.id, "card", "--identifier", "62170002") == "scheme_not_kept"


def test_a_claim_is_by_a_code_or_by_asking(town: Town):
    answer = CliRunner().invoke(PROGRAM, ["link", "claim", "1", "card", "--identifier", "x"], obj=Desk(town))
    assert answer.exit_code == 2


@pytest.mark.parametrize("name", ["9" * 30, "nobody", "１"])
def test_a_strange_name_is_nobodys(town: Town, name):
    assert told(town, "person", "show", name) == participants.PersonUnknown.code
    assert told(town, "organisation", "show", name) == participants.OrganisationUnknown.code
