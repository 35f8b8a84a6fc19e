"""One store and one application for the tests of a file; everybody in it is somebody new."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Response, current_app, request
from jsonschema import Draft202012Validator

from carbonhui import access, ledger, privacy
from carbonhui.api import Services, create_app
from carbonhui.api.logs import open_log
from carbonhui.core import embedded, migrations
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.participants import staff
from tests.api.product.people import City, Letterbox
from tests.conftest import _cloned


class Promises:
    """Holds every answer of the tests against the published document: its status, and its body where that is JSON."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.broken: list[tuple[str, int, str]] = []
        self.operations = {one["operationId"]: one for path in document["paths"].values() for one in path.values() if "operationId" in one}

    def hold(self, response: Response) -> Response:
        operation = getattr(current_app.view_functions.get(request.endpoint or ""), "operation", None)
        if operation is not None:
            self.broken += [(operation.id, response.status_code, wrong) for wrong in self._wrong(operation.id, response)]
        return response

    def _wrong(self, id: str, response: Response) -> Iterator[str]:
        said = self.operations[id]["responses"].get(str(response.status_code))
        if said is None:
            yield "this status is not promised"
        elif response.status_code < 300 and response.is_json:
            schema = said["content"]["application/json"]["schema"]
            whole = {**schema, "components": self.document["components"]}
            yield from (f"{error.json_path}: {error.message}"[:300] for error in Draft202012Validator(whole).iter_errors(response.json))


@pytest.fixture(scope="session", autouse=True)
def cheap_hashing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="module")
def lines() -> io.StringIO:
    """What the API logs."""
    return io.StringIO()


@pytest.fixture(scope="module")
def town(
    server: embedded.Server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory, lines: io.StringIO
) -> Iterator[City]:
    home = tmp_path_factory.mktemp("city")
    settings = replace(
        server_settings, home=home, lake=home / "lake", blind_key_file=home / "blind-index.key", keys=home / "keys", pool_size=8,
        public_url="https://api.carbon.example", stranger_requests_max=1_000_000, caller_requests_max=1_000_000,
        organisation_requests_max=1_000_000,
    )  # fmt: skip
    name = _cloned(server, "template_city")
    migrations.bring_up_to_date(server.parameters(name), profile=settings.profile)
    with Database(parameters=server.parameters(name), settings=settings, server=None) as database:
        vault, clock, letterbox = privacy.open_vault(settings), SetClock.on(date(2026, 11, 20)), Letterbox()
        services = Services(
            database=database, vault=vault, settings=settings, clock=clock, sender=letterbox,
            authenticator=access.Authenticator(database, vault, settings, clock),
        )  # fmt: skip
        app = create_app(services, log=open_log(lines))
        promises = Promises(json.loads(app.extensions["carbonhui"].document))
        app.after_request(promises.hold)
        yield City(app.test_client(), database, vault, settings, clock, letterbox)
        app.extensions["carbonhui"].transactions.close()
        assert promises.broken == []
        with database.begin() as session:
            assert {check: rows for check, rows in ledger.run_checks(session).items() if rows} == {}
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def city(town: City) -> Iterator[City]:
    """The clock stands where it stood, whatever a test did with it."""
    instant = town.clock.instant
    yield town
    town.clock.instant = instant
