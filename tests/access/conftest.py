"""One store, one vault and a clock that is moved by hand, for the tests of a file (Articles 11, 13)."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from carbonhui import access, participants, privacy
from carbonhui.core import embedded
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings
from tests.ledger.books import opened_store

ISSUER = "https://api.carbon.example"
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_NUMBERS = itertools.count(1)
_MOBILES = itertools.count(13800000000)
Result = TypeVar("Result")


@dataclass
class City:
    """A city's store with its vault, and what a face does with the room's verbs."""

    database: Database
    vault: privacy.Vault
    settings: Settings
    clock: SetClock

    def new_mobile(self) -> str:
        return f"+86{next(_MOBILES)}"

    def do(self, work: Callable[[Session], Result]) -> Result:
        return self.database.run(work)

    def later(self, **words: float) -> None:
        self.clock.instant += timedelta(**words)

    def ask(self, mobile: str, purpose: Any = "sign_in") -> access.PendingCode:
        return self.do(lambda s: access.issue_code(s, self.vault, mobile=mobile, purpose=purpose, clock=self.clock))

    def check(self, challenge: str, code: str, purpose: Any = "sign_in") -> str | access.CodeWrong:
        return self.do(
            lambda s: access.verify_code(s, self.vault, challenge=challenge, code=code, purpose=purpose, clock=self.clock)
        )

    def enter(self, pending: access.PendingCode, label: str = "Li's phone") -> Any:
        return self.do(lambda s: access.sign_in(
            s, self.vault, challenge=pending.challenge, code=pending.code, device_label=label, issuer=ISSUER, clock=self.clock
        ))  # fmt: skip

    def sign_in(self, mobile: str | None = None, label: str = "Li's phone") -> access.SignedIn:
        signed_in = self.enter(self.ask(mobile or self.new_mobile()), label)
        assert isinstance(signed_in, access.SignedIn)
        return signed_in

    def refresh(self, token: str) -> Any:
        return self.do(lambda s: access.refresh(s, self.vault, token, issuer=ISSUER, clock=self.clock))

    def sign_out(self, person: participants.Person, device: UUID) -> None:
        self.do(lambda s: access.sign_out(s, self.vault, person, device, clock=self.clock))

    def devices(self, person: participants.Person) -> list[access.Device]:
        reader = privacy.Reader(actor="person:1", role="person", purpose="devices")
        return self.do(lambda s: access.devices_of(s, self.vault, person, reader))

    def hire(self, *roles: str) -> participants.Added:
        """A member of staff, with their second factor; the password is `PASSWORD`."""
        login = f"clerk-{next(_NUMBERS)}"
        return self.do(lambda s: participants.add_staff(s, self.vault, login=login, password=PASSWORD, roles=roles))

    def organisation(self, kind: str = "institution") -> int:
        """The number of an organisation that two members of staff approved."""
        today = self.clock.today()
        found = self.do(lambda s: participants.apply_as_organisation(
            s, self.vault, kind=kind, name="穗通公司", credit_code=_credit_code(next(_NUMBERS)),
            contact_name="Chen", contact_mobile="13900139000", on=today,
        ))  # fmt: skip
        self.step(found.id, "approve")
        return found.id

    def step(self, organisation: int, step: str) -> None:
        registrar, approver, today = self.hire("registrar").staff, self.hire("approver").staff, self.clock.today()

        def both(session: Session) -> None:
            found = participants.organisation(session, organisation)
            proposed = participants.propose_step(session, found, step, reason="papers", by=registrar, on=today)
            participants.decide_step(session, proposed.id, agreed=True, by=approver, on=today)

        self.do(both)

    def gate(self) -> access.Authenticator:
        """Another process: it has verified nobody yet."""
        return access.Authenticator(self.database, self.vault, self.settings, self.clock)

    def caller(self, token: str) -> access.Caller:
        return self.gate().caller({"Authorization": f"Bearer {token}"}, "GET", "/v1/me")


def _credit_code(number: int) -> str:
    """A right unified social credit code (GB 32100)."""
    body = f"91440101MA{number:07d}"
    total = sum(_CHARACTERS.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    return body + _CHARACTERS[-total % 31]


def refusal_of(work: Callable[[], Any]) -> str:
    """The code of what is refused, whether it is raised or returned; ``done`` where nothing is."""
    try:
        found = work()
    except Refusal as refusal:
        return refusal.code
    return found.code if isinstance(found, Refusal) else "done"


def at_once(works: list[Callable[[], Result]]) -> list[Result]:
    """What each of these answers when they all begin together."""
    together = Barrier(len(works))

    def run(work: Callable[[], Result]) -> Result:
        together.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.fixture(scope="module")
def store(
    server: embedded.Server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, privacy.Vault, Settings]]:
    settings = replace(
        server_settings, keys=tmp_path_factory.mktemp("access") / "keys", public_url=ISSUER, lock_timeout_ms=120_000,
        statement_timeout_ms=300_000,
    )  # fmt: skip
    with opened_store(server, settings, pool_size=24) as database:
        yield database, privacy.open_vault(settings), settings


@pytest.fixture
def city(store: tuple[Database, privacy.Vault, Settings], monkeypatch: pytest.MonkeyPatch) -> City:
    """Each test begins a day later than the last, so that no test is refused for another's haste."""
    monkeypatch.setattr("carbonhui.participants.staff.HASHER", _QUICK)
    database, vault, settings = store
    return City(database, vault, settings, SetClock(NOON + timedelta(days=2 * next(_DAYS))))


_DAYS = itertools.count()
#: What costs an attacker nothing, and a test neither.
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
