"""Residents, staff and organisations with numbers of their own, for the tests of this room."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TypeVar

import psycopg
import pyotp
from sqlalchemy.orm import Session

from carbonhui import ledger, participants, privacy
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings

TODAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
GROWN_UP = date(1990, 5, 17)
PASSWORD = "correct horse battery"
MOBILE, OTHER_MOBILE = "13800138000", "13900139000"

Result = TypeVar("Result")
_WEIGHTS = [pow(2, 17 - place, 11) for place in range(17)]


def id_number(born_on: date, order: int = 1) -> str:
    """A right ID number of somebody born on a day in the district 440105."""
    digits = f"440105{born_on:%Y%m%d}{order:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


def register(database: Database, vault: privacy.Vault, mobile: str = MOBILE) -> participants.Person:
    return database.run(lambda session: participants.register_person(session, vault, mobile=mobile, on=TODAY))


def self_reader(person: participants.Person) -> privacy.Reader:
    return privacy.Reader(actor=f"person:{person.id}", role="person", purpose="profile")


@dataclass
class Town:
    """A store, its vault, and people who are never asked for twice."""

    database: Database
    vault: privacy.Vault
    settings: Settings
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def run(self, work: Callable[[Session], Result]) -> Result:
        return self.database.run(work)

    def id_number(self, born_on: date = GROWN_UP) -> str:
        return id_number(born_on, next(self.numbers) % 1000)

    def mobile(self) -> str:
        return f"138{next(self.numbers):08d}"

    def resident(self) -> participants.Person:
        mobile = self.mobile()
        return self.run(lambda s: participants.register_person(s, self.vault, mobile=mobile, on=TODAY))

    def proven(self, born_on: date = GROWN_UP, *, on: date = TODAY, name: str = "张伟") -> participants.Person:
        resident, number = self.resident(), self.id_number(born_on)
        return self.run(
            lambda s: participants.prove_real_name(s, self.vault, resident, name=name, id_number=number, on=on)
        )

    def ward(self, guardian: participants.Person, born_on: date, *, on: date = TODAY) -> participants.Person:
        number = self.id_number(born_on)
        return self.run(
            lambda s: participants.register_ward(s, self.vault, guardian=guardian, name="张小明", id_number=number, on=on)
        )

    def now(self, person: participants.Person) -> participants.Person:
        return self.run(lambda s: participants.person(s, person.id))

    def staff(self, *roles: str) -> participants.Staff:
        return self.hired(*roles).staff

    def hired(self, *roles: str) -> participants.Added:
        login = f"staff-{next(self.numbers)}"
        return self.run(lambda s: participants.add_staff(s, self.vault, login=login, password=PASSWORD, roles=roles))

    def credit_code(self) -> str:
        first = f"91440101MA{next(self.numbers):07d}"
        return first + participants.check_character(first)

    def applicant(self, kind: str = "merchant") -> participants.Organisation:
        code = self.credit_code()
        return self.run(
            lambda s: participants.apply_as_organisation(
                s, self.vault, kind=kind, name="珠江水务", credit_code=code, contact_name="李娜",
                contact_mobile=MOBILE, on=TODAY,
            )  # fmt: skip
        )

    def step(self, organisation: participants.Organisation, step: str, agreed: bool = True) -> participants.Organisation:
        registrar, approver = self.staff("registrar"), self.staff("approver")

        def both(session: Session) -> participants.Organisation:
            asked = participants.propose_step(session, organisation, step, reason="papers seen", by=registrar, on=TODAY)
            return participants.decide_step(session, asked.id, agreed=agreed, by=approver, on=TODAY)

        return self.run(both)

    def approved(self, kind: str = "merchant") -> participants.Organisation:
        return self.step(self.applicant(kind), "approve")

    def institution(self, *schemes: str) -> participants.Organisation:
        found, registrar = self.approved("institution"), self.staff("registrar")
        for scheme in schemes:
            self.run(lambda s, scheme=scheme: participants.entrust_scheme(s, found, scheme, by=registrar, on=TODAY))  # type: ignore[misc]
        return found

    def credits(self, person: participants.Person) -> ledger.Account:
        return self.run(lambda s: ledger.balance_of(s, person.account_id))

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with self.database.connect() as connection:
            return connection.execute(statement).fetchall()


def sqlstate_of(database: Database, statement: str) -> str | None:
    """What the store itself answers to its owner, in a transaction of this one statement; None when it obeys."""
    with database.connect_as_owner(autocommit=True) as owner:
        try:
            owner.execute(statement)
        except psycopg.Error as refused:
            return refused.sqlstate
    return None


def totp(secret: str, at: datetime = NOON) -> str:
    return pyotp.TOTP(secret).at(at)
