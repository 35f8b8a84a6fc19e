"""The product as a client meets it: a real server of two processes, and the letters in which it sends its codes."""

import contextlib
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy.orm import Session

from carbonhui import access, consent, participants, privacy
from carbonhui.core import embedded
from carbonhui.core.clock import CITY_TIME, SystemClock
from carbonhui.core.database import Database, open_database
from carbonhui.core.settings import Settings, read_settings
from tests.access.signing import Client as Signer
from tests.access.signing import with_hmac
from tests.api.ports import free_port

PASSWORD = "correct horse battery"
SECONDS_TO_BEGIN = 300
Result = TypeVar("Result")

#: `carbonhui serve --no-schedule`, under the interpreter of the tests. However slow the machine is, nobody is refused for it.
_PROGRAM = """
from carbonhui.access import tokens
from carbonhui.api import transactions
transactions.PATIENCE_SECONDS, tokens.TOKEN_SECONDS = 300, 86_400
from carbonhui.cli.context import Face
from carbonhui.cli.serving import serve
if __name__ == "__main__":
    serve.main(["--no-schedule"], obj=Face(profile="demo", chosen_language=None))
"""
_NUMBERS = itertools.count(1)


@dataclass
class Served:
    """Where the server listens, what it wrote, and the same books from inside."""

    process: "subprocess.Popen[bytes]"
    settings: Settings
    database: Database
    vault: privacy.Vault
    log: Path
    letters: Path
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.settings.public_url

    @property
    def today(self) -> date:
        return SystemClock().today()

    def do(self, work: Callable[[Session], Result]) -> Result:
        return self.database.run(work)

    def rows(self, statement: str, *words: object) -> list[tuple[Any, ...]]:
        """What the store itself says, to its owner."""
        with self.database.connect_as_owner() as connection:
            return connection.execute(statement, words).fetchall()

    def client(self, token: str | None = None, *, address: str | None = None, **headers: str) -> httpx.Client:
        """Somebody's program at an address of their own, so that one caller's haste is never another's."""
        number = next(_NUMBERS)
        given = {"X-Forwarded-For": address or f"198.18.{number >> 8}.{number & 255}", **headers}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        made = httpx.Client(base_url=self.url, headers=given, timeout=300, trust_env=False)
        self.clients.append(made)
        return made

    def new_mobile(self) -> str:
        return f"137{next(_NUMBERS):08d}"

    def code_for(self, mobile: str) -> str:
        """The newest code that was sent to a number."""
        lines = [json.loads(line) for line in self.letters.read_text().splitlines()]
        return str(next(line["code"] for line in reversed(lines) if line["mobile"].endswith(mobile[-11:])))

    def resident(self, mobile: str | None = None, label: str = "telephone", **words: Any) -> "Resident":
        """Somebody who signed in by a code, and was registered by it when the number was new."""
        number, asking = mobile or self.new_mobile(), self.client(**words)
        asked = asking.post("/v1/codes", json={"mobile": number}, headers=key())
        assert asked.status_code == 202, asked.text
        words_of_proof = {"challenge": asked.json()["challenge"], "code": self.code_for(number), "device_label": label}
        told = asking.post("/v1/sessions", json=words_of_proof, headers=key())
        assert told.status_code == 201, told.text
        asking.headers["Authorization"] = f"Bearer {told.json()['access_token']}"
        return Resident(asking, told.json()["person"], number, told.json())

    def person(self, handle: object) -> participants.Person:
        return self.do(lambda session: participants.person_by_handle(session, str(handle)))

    def hired(self, *roles: str) -> participants.Added:
        login = f"clerk-{next(_NUMBERS)}"
        return self.do(lambda s: participants.add_staff(s, self.vault, login=login, password=PASSWORD, roles=roles))

    def organisation(self, kind: str, owner: "Resident") -> participants.Organisation:
        """An approved organisation with its first owner: two of the staff agreed."""
        registrar, approver, person = self.hired("registrar").staff, self.hired("approver").staff, self.person(owner.handle)

        def approved(session: Session) -> participants.Organisation:
            found = participants.apply_as_organisation(
                session, self.vault, kind=kind, name="珠江水务", credit_code=credit_code(), contact_name="李娜",
                contact_mobile="13900139000", on=self.today,
            )  # fmt: skip
            participants.add_member(session, found, person, role="owner", on=self.today)
            step = participants.propose_step(session, found, "approve", reason="papers seen", by=registrar, on=self.today)
            return participants.decide_step(session, step.id, agreed=True, by=approver, on=self.today)

        return self.do(approved)

    def institution(self, *, scheme: str, source: str, sensitive: bool = False) -> httpx.Client:
        """The server of an institution that vouches for a scheme and delivers a source, about which consent can be given."""
        organisation, registrar = self.organisation("institution", self.resident()), self.hired("registrar").staff

        def entrusted(session: Session) -> access.ApiKey:
            participants.entrust_scheme(session, organisation, scheme, by=registrar, on=self.today)
            agree(session, organisation, source, sensitive=sensitive, on=self.today)
            return access.issue_api_key(
                session, self.vault, organisation=organisation.id, algorithm="hmac-sha256", label="intake", clock=SystemClock()
            )

        made = self.do(entrusted)
        assert made.secret_once is not None
        client = self.client()
        client.auth = Signed(with_hmac(made.key_id, made.secret_once))
        return client

    def forget_codes(self) -> None:
        """As if a day had passed since anybody asked for a code."""
        with self.database.connect_as_owner(autocommit=True) as connection:
            connection.execute("DELETE FROM one_time_code")

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8")


@dataclass
class Resident:
    """Somebody who is signed in."""

    client: httpx.Client
    handle: str
    mobile: str
    tokens: dict[str, Any] = field(repr=False)

    def get(self, path: str, **words: Any) -> httpx.Response:
        return self.client.get(path, **words)

    def post(self, path: str, body: Any, *, name: str | None = None, **headers: str) -> httpx.Response:
        return self.client.post(path, json=body, headers={**key(name), **headers})


class Signed(httpx.Auth):
    """Signs each request as RFC 9421 has it, by a key that the platform knows."""

    requires_request_body = True

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    def auth_flow(self, request: httpx.Request) -> Any:
        signed = self.signer.request(str(request.url), at=datetime.now(UTC), method=request.method, body=request.content)
        request.headers.update(
            {name: value for name, value in signed.headers if name in ("Content-Digest", "Signature-Input", "Signature")}
        )
        yield request


def first_minutes(count: int) -> list[tuple[datetime, datetime]]:
    """Short times right after midnight, which are past: what is linked today counts from today on.

    In the first minutes of a day this waits for them to pass.
    """
    midnight = datetime.combine(SystemClock().today(), datetime.min.time(), CITY_TIME)
    begins = [midnight + timedelta(seconds=75 * number) for number in range(count)]
    spans = [(begin, begin + timedelta(seconds=70)) for begin in begins]
    time.sleep(max(0.0, (spans[-1][1] - datetime.now(UTC)).total_seconds()))
    return spans


def agree(session: Session, organisation: participants.Organisation, source: str, *, sensitive: bool, on: date) -> None:
    """What the platform's office does by command: the agreement on a source, and the words of consent."""
    words = f"The institution delivers {source}."
    consent.register_agreement(
        session, organisation=organisation.id, source=source, text=words, digest=hashlib.sha256(words.encode()).digest(),
        from_=on - timedelta(days=30), until=None, by="office",
    )  # fmt: skip
    consent.publish_text(
        session, source=source, sensitive=sensitive, zh="我们读取您的活动数据。", en="We read your activity.", on=on, published_by="office"
    )


def key(name: str | None = None) -> dict[str, str]:
    """The header that names an attempt: a new name unless one is given."""
    return {"Idempotency-Key": name or f"attempt-{next(_NUMBERS)}"}


def credit_code() -> str:
    first = f"91440101MB{next(_NUMBERS):07d}"
    return first + participants.check_character(first)


@contextlib.contextmanager
def served_city(server: embedded.Server, database: str, folder: Path, **changed: str) -> Iterator[Served]:
    """The server on a store of this name, ready to answer, and stopped as an operator stops it."""
    program, log, letters, port = folder / "program.py", folder / "server.log", folder / "letters.jsonl", free_port()
    program.write_text(_PROGRAM)
    letters.touch()
    (folder / "tmp").mkdir()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CARBONHUI_")}
    environment = {
        **ours, "CARBONHUI_HOME": str(folder / "home"), "CARBONHUI_PROFILE": "demo", "DATABASE_URL": server.url(database),
        "CARBONHUI_PORT": str(port), "CARBONHUI_WORKERS": "2", "CARBONHUI_POOL_SIZE": "6", "CARBONHUI_TRUSTED_PROXIES": "1",
        "TMPDIR": str(folder / "tmp"), "CARBONHUI_CODE_SENDER": f"file:{letters}", "CARBONHUI_CALLER_REQUESTS_MAX": "1000000",
        "CARBONHUI_ORGANISATION_REQUESTS_MAX": "1000000", "CARBONHUI_LOCK_TIMEOUT_MS": "120000",
        "CARBONHUI_STATEMENT_TIMEOUT_MS": "300000", **changed,
    }  # fmt: skip
    settings = read_settings(environment)
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, str(program)], env=environment, stdout=output, stderr=output)
    try:
        _wait_until_ready(process, settings, log)
        with open_database(settings) as opened:
            city = Served(process, settings, opened, privacy.open_vault(settings), log, letters)
            yield city
            for client in city.clients:
                client.close()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        process.wait(180)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", settings: Settings, log: Path) -> None:
    until = time.monotonic() + SECONDS_TO_BEGIN
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{settings.public_url}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())
