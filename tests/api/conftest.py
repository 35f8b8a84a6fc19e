"""A small test application on the real store, with callers who are believed by a word."""

import io
import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from carbonhui import access, privacy
from carbonhui.api import Services, create_app
from carbonhui.api.logs import open_log
from carbonhui.api.permissions import PERMISSIONS
from carbonhui.api.routes import service
from carbonhui.core import embedded, migrations
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from tests.api.routes import ROLES, TABLE, blueprint

_NUMBERS = itertools.count()

PEOPLE = {
    "ann": access.Caller(kind="person", roles=frozenset({"person"}), scope="person:1"),
    "ben": access.Caller(kind="person", roles=frozenset({"person"}), scope="person:2"),
    "olga": access.Caller(kind="staff", roles=frozenset({"staff:operator"}), scope="staff:1"),
    "shop": access.Caller(kind="organisation", roles=frozenset({"organisation:merchant"}), scope="organisation:1"),
}


class ByWord:
    """Believes ``Bearer ann``."""

    def caller(self, headers: Any, method: str, url: str, body: bytes = b"") -> access.Caller:
        given = dict(headers)
        word = given.get("Authorization", "").removeprefix("Bearer ") or given.get("Signature", "")
        if word not in PEOPLE:
            raise access.NotSignedIn
        return PEOPLE[word]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, server_settings: Settings) -> Settings:
    home = tmp_path_factory.mktemp("api")
    return replace(
        server_settings, home=home, lake=home / "lake", blind_key_file=home / "blind-index.key", keys=home / "keys", pool_size=8,
        stranger_requests_max=10_000, caller_requests_max=100_000, cors_origins=("https://app.example.org",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def unchecked_database(server: embedded.Server, settings: Settings) -> Iterator[Database]:
    """One store for a file of tests: these tests write nothing into the books."""
    name = f"test_api_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_books")
    migrations.bring_up_to_date(server.parameters(name), profile=settings.profile)
    opened = Database(parameters=server.parameters(name), settings=settings, server=None)
    with opened.connect_as_owner(autocommit=True) as owner:
        owner.execute(TABLE)
        owner.execute("GRANT ALL ON note TO carbonhui_app")
    yield opened
    opened.close()
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(autouse=True)
def _emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "unchecked_database" in request.fixturenames:
        with request.getfixturevalue("unchecked_database").connect_as_owner(autocommit=True) as owner:
            owner.execute("TRUNCATE note, api_answer, rate_lease RESTART IDENTITY")


@pytest.fixture(scope="module")
def _log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(_log: io.StringIO) -> io.StringIO:
    """What was logged since this test began."""
    _log.seek(0)
    _log.truncate()
    return _log


@pytest.fixture(scope="module")
def make_app(unchecked_database: Database, settings: Settings, _log: io.StringIO) -> Iterator[Callable[..., Flask]]:
    """Makes applications on this file's store; their connections are closed at its end."""
    made: list[Flask] = []

    def make(**changed: Any) -> Flask:
        own = replace(settings, **changed)
        services = Services(
            database=unchecked_database, vault=privacy.open_vault(own), settings=own, clock=SetClock.on(date(2026, 11, 20)),
            authenticator=ByWord(), sender=None,
        )  # fmt: skip
        app = create_app(services, blueprints=[blueprint, service.blueprint], permissions={**PERMISSIONS, **ROLES}, log=open_log(_log))
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["carbonhui"].transactions.close()


@pytest.fixture(scope="module")
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def ann(client: FlaskClient) -> "As":
    return As(client, "ann")


class As:
    """A client that calls as somebody, with a fresh key for each change unless told otherwise."""

    def __init__(self, client: FlaskClient, word: str) -> None:
        self.client, self.word, self.number = client, word, 0

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.word}", **_spelt(headers)})

    def post(self, path: str, body: Any = None, *, key: str | None = "", data: bytes | None = None, **headers: str) -> Any:
        self.number += 1
        given = {"Authorization": f"Bearer {self.word}", "Content-Type": "application/json", **_spelt(headers)}
        if key is not None:
            given["Idempotency-Key"] = key or f"{self.word}-{self.number}"
        return self.client.post(path, data=json.dumps(body).encode() if data is None else data, headers=given)


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
