"""A city on the real store behind its real API, and the people who call it: nothing here believes anybody by word."""

import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import pyotp
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from carbonhui import access, participants, privacy
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from tests.access.signing import Client, with_hmac
from tests.participants.people import id_number

PASSWORD = "correct horse battery"
GROWN_UP, CHILD = date(1990, 5, 17), date(2015, 3, 2)
_KEYS = itertools.count(1)
Result = TypeVar("Result")


class Letterbox:
    """A sender that keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def send(self, mobile: str, code: str, language: str) -> None:
        self.sent.append((mobile, code, language))

    def code_for(self, mobile: str) -> str:
        return next(code for number, code, _ in reversed(self.sent) if number.endswith(mobile[-11:]))


@dataclass
class Caller:
    """Somebody who calls the API; each change has a key of its own unless told otherwise."""

    client: FlaskClient
    token: str | None = field(default=None, repr=False)
    handle: str = ""
    mobile: str = ""
    device: str = ""

    def call(
        self, method: str, path: str, body: Any = None, *, data: bytes | None = None, media_type: str = "application/json",
        key: str | None = None, **headers: str,
    ) -> TestResponse:  # fmt: skip
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "POST":
            given["Idempotency-Key"] = key or f"key-{next(_KEYS)}"
        content = data if body is None else json.dumps(body).encode()
        if content is not None:
            given["Content-Type"] = media_type
        return self.client.open(path, method=method, data=content, headers={**given, **self.proof(method, path, content)})

    def proof(self, method: str, path: str, content: bytes | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **words: Any) -> TestResponse:
        return self.call("POST", path, body, **words)

    def patch(self, path: str, body: Any) -> TestResponse:
        return self.call("PATCH", path, body)

    def put(self, path: str, body: Any) -> TestResponse:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> TestResponse:
        return self.call("DELETE", path)


@dataclass
class Server(Caller):
    """An organisation's server, which signs what it sends."""

    key: Client = field(default=None, repr=False)  # type: ignore[assignment]
    public_url: str = ""
    clock: SetClock = field(default=None, repr=False)  # type: ignore[assignment]

    def proof(self, method: str, path: str, content: bytes | None) -> dict[str, str]:
        signed = self.key.request(f"{self.public_url}{path}", at=self.clock.now(), method=method, body=content or b"")
        return {name: value for name, value in signed.headers if name in ("Content-Digest", "Signature-Input", "Signature")}


@dataclass
class City:
    """The API of one city."""

    client: FlaskClient
    database: Database
    vault: privacy.Vault
    settings: Settings
    clock: SetClock
    letterbox: Letterbox
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def do(self, work: Callable[[Session], Result]) -> Result:
        return self.database.run(work)

    @property
    def stranger(self) -> Caller:
        return Caller(self.client)

    def new_mobile(self) -> str:
        return f"139{next(self.numbers):08d}"

    def id_number(self, born_on: date = GROWN_UP) -> str:
        return id_number(born_on, next(self.numbers) % 1000)

    # Persons

    def code(self, mobile: str, purpose: str = "sign_in", caller: Caller | None = None) -> dict[str, str]:
        """Challenge and code, as they stand in a telephone."""
        asked = (caller or self.stranger).post("/v1/codes", {"mobile": mobile, "purpose": purpose})
        assert asked.status_code == 202, asked.json
        return {"challenge": asked.json["challenge"], "code": self.letterbox.code_for(mobile)}

    def resident(self, mobile: str | None = None) -> Caller:
        """Somebody who signed in, and registered by it when the number is new."""
        number = mobile or self.new_mobile()
        told = self.stranger.post("/v1/sessions", {**self.code(number), "device_label": "telephone"})
        assert told.status_code == 201, told.json
        return Caller(self.client, told.json["access_token"], told.json["person"], number, told.json["device"])

    def proven(self, born_on: date = GROWN_UP) -> Caller:
        found = self.resident()
        told = found.post("/v1/me/real-name", {"name": "张伟", "id_number": self.id_number(born_on)})
        assert told.status_code == 200, told.json
        return found

    def ward_of(self, guardian: Caller) -> str:
        told = guardian.post("/v1/me/wards", {"name": "张小明", "id_number": self.id_number(CHILD)})
        assert told.status_code == 201, told.json
        return str(told.json["person"])

    def person(self, who: Caller | str) -> participants.Person:
        handle = who if isinstance(who, str) else who.handle
        return self.do(lambda session: participants.person_by_handle(session, handle))

    # Staff

    def staff(self, *roles: str) -> Caller:
        login = f"staff-{next(self.numbers)}"
        hired = self.do(lambda s: participants.add_staff(s, self.vault, login=login, password=PASSWORD, roles=roles))
        totp = pyotp.TOTP(hired.secret).at(self.clock.now())
        told = self.stranger.post("/v1/staff/sessions", {"login": login, "password": PASSWORD, "totp": totp})
        assert told.status_code == 201, told.json
        return Caller(self.client, told.json["session_token"], login)

    # Organisations

    def credit_code(self) -> str:
        first = f"91440101MA{next(self.numbers):07d}"
        return first + participants.check_character(first)

    def applicant(self, owner: Caller, kind: str = "merchant") -> str:
        told = owner.post("/v1/organisations", {
            "kind": kind, "name": "珠江水务", "credit_code": self.credit_code(), "contact_name": "李娜", "contact_mobile": "13800138000",
        })  # fmt: skip
        assert told.status_code == 201, told.json
        return str(told.json["organisation"])

    def approve(self, organisation: str, step: str = "approve") -> None:
        proposed = self.staff("registrar").post(f"/v1/staff/organisations/{organisation}/steps", {"step": step, "reason": "papers seen"})
        assert proposed.status_code == 201, proposed.json
        decided = self.staff("approver").post(f"/v1/staff/steps/{proposed.json['step_id']}/decision", {"agreed": True})
        assert decided.status_code == 200, decided.json

    def organisation(self, kind: str = "merchant", owner: Caller | None = None) -> tuple[str, Caller]:
        """An approved organisation's handle, and its owner."""
        owner = owner or self.resident()
        handle = self.applicant(owner, kind)
        self.approve(handle)
        return handle, owner

    def server(self, kind: str = "institution", *, schemes: Iterable[str] = ()) -> Server:
        """The server of an approved organisation, which vouches for some schemes."""
        handle, owner = self.organisation(kind)
        made = owner.post(f"/v1/organisations/{handle}/api-keys", {"algorithm": "hmac-sha256", "label": "intake"})
        assert made.status_code == 201, made.json
        for scheme in schemes:
            self.entrust(handle, scheme)
        return Server(
            self.client, handle=handle, key=with_hmac(made.json["key_id"], made.json["secret"]), clock=self.clock,
            public_url=self.settings.public_url,
        )  # fmt: skip

    def entrust(self, organisation: str, scheme: str) -> None:
        login = f"registrar-{next(self.numbers)}"

        def entrusted(session: Session) -> None:
            by = participants.add_staff(session, self.vault, login=login, password=PASSWORD, roles=["registrar"]).staff
            found = participants.organisation_by_handle(session, organisation)
            participants.entrust_scheme(session, found, scheme, by=by, on=self.clock.today())

        self.do(entrusted)

    def gate(self) -> access.Authenticator:
        """Another process, which has verified nobody yet."""
        return access.Authenticator(self.database, self.vault, self.settings, self.clock)


def said(answer: TestResponse) -> tuple[int, str | None]:
    """Status and code of an answer."""
    return answer.status_code, (answer.json or {}).get("code")
