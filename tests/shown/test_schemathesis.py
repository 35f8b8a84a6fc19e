"""Whatever the document allows is understood, and whatever it forbids is refused, by every role (DESIGN section 12).

schemathesis makes requests out of the published document: its examples, the limits of
every parameter, random ones, and sequences in which one answer feeds the next. All
its checks are on. Two of them know too little of this API as they come, and are told more:

- ``positive_data_acceptance`` takes a 422 to a request of the right form for a defect.
  Here a request of the right form may be refused by the regulation (a wrong code,
  somebody else's consent), also with 422. So 422 is let through there, and a check of
  our own, `understood`, is stricter in its place: such a refusal never says that the
  request's form was wrong.
- ``negative_data_rejection`` is told that 413, 412 and 408 are rejections too.
"""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import psycopg
import pytest
import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from schemathesis.generation import GenerationMode
from schemathesis.transport.wsgi import WSGITransport

from carbonhui import access, privacy
from carbonhui.api import Services, create_app
from carbonhui.api.logs import open_log
from carbonhui.api.permissions import STAFF
from carbonhui.core import embedded, migrations
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from tests.api.product.people import City, Letterbox
from tests.conftest import _cloned

SEED = 4401
EXAMPLES, SEQUENCES = 6, 4
#: Every check that schemathesis has, and ours.
CHECKS = {
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "positive_data_acceptance", "missing_required_header",
    "unsupported_method", "allow_header_conformance", "use_after_free", "ensure_resource_availability", "ignored_auth",
    "object_level_authorization", "understood",
}  # fmt: skip
#: What the form of a request is refused with.
OF_FORM = {
    "fields_invalid", "query_invalid", "json_invalid", "header_invalid", "body_unexpected", "idempotency_key_invalid",
    "idempotency_key_missing", "media_type_unsupported", "request_malformed",
}  # fmt: skip


@schemathesis.check
def understood(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case) -> None:
    """A request that is as the document has it is never refused for its form."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if response.status_code == 400 and response.json()["code"] == "json_invalid" and "fraction or an exponent" in response.json()["detail"]:
        # To JSON Schema 5.0 is a whole number; here it is not, and no schema can say so.
        return
    if response.status_code in (400, 415, 422) and response.json()["code"] in OF_FORM:
        raise AssertionError(f"a request of the right form was refused: {response.json()}")


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine tells every transport what only a network connection can be told; here it is left out."""
    send = WSGITransport.send

    def sent(self: Any, case: schemathesis.Case, **words: Any) -> schemathesis.Response:
        return send(self, case, **{name: word for name, word in words.items() if name not in ("max_redirects", "verify", "cert", "proxies")})

    monkeypatch.setattr(WSGITransport, "send", sent)


@dataclass(frozen=True)
class Signing:
    """What stands between the generator and the application: it signs what is marked to be signed by a role's server."""

    app: Any
    server: Any

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("HTTP_SIGNATURE") == "to-be-made":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) if environ.get("CONTENT_LENGTH") else b""
            environ["wsgi.input"] = io.BytesIO(body)
            query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
            target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"] + query
            for name, value in self.server.proof(environ["REQUEST_METHOD"], target, body).items():
                environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return self.app(environ, start_response)


@pytest.fixture(scope="module")
def town(server: embedded.Server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The API in this process, on a store of its own."""
    home, name = tmp_path_factory.mktemp("shown"), _cloned(server, "template_city")
    settings = replace(
        server_settings, home=home, lake=home / "lake", blind_key_file=home / "blind-index.key", keys=home / "keys", pool_size=8,
        public_url="https://api.carbon.example", stranger_requests_max=10**8, caller_requests_max=10**8, organisation_requests_max=10**8,
    )  # fmt: skip
    # Without a profile the city has no rules, and what asks for one fails.
    migrations.bring_up_to_date(server.parameters(name), profile=settings.profile)
    with Database(parameters=server.parameters(name), settings=settings, server=None) as database:
        vault, clock, letterbox = privacy.open_vault(settings), SetClock.on(date(2026, 11, 20)), Letterbox()
        gate = access.Authenticator(database, vault, settings, clock)
        services = Services(
            database=database, vault=vault, settings=settings, clock=clock, authenticator=gate, sender=letterbox
        )
        app = create_app(services, log=open_log(io.StringIO()))
        yield City(app.test_client(), database, vault, settings, clock, letterbox)
        app.extensions["carbonhui"].transactions.close()
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def configured(headers: dict[str, str], known: dict[str, str]) -> SchemathesisConfig:
    """All phases, all checks, a fixed seed; ``known`` are handles of things that there are."""
    return SchemathesisConfig.from_dict({
        "seed": SEED, "headers": headers, "workers": 1, "continue-on-failure": True, "suppress-health-check": ["too_slow"], "parameters": known,
        "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none", "no-shrink": True},
        "phases": {"stateful": {"generation": {"max-examples": SEQUENCES}}},
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "400", "401", "403", "404", "409", "422", "429"]},
            "negative_data_rejection": {
                "expected-statuses": ["400", "401", "403", "404", "405", "406", "408", "409", "412", "413", "415", "422", "428", "429"]
            },
        },
    })  # fmt: skip


@dataclass
class Outcome:
    """What was tried, and what failed."""

    cases: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def hear(self, event: events.EngineEvent) -> None:
        if isinstance(event, events.ScenarioFinished):
            self._count(event)
        elif isinstance(event, events.NonFatalError):
            self.failures.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            self.failures.append(repr(event.exception))

    def _count(self, event: events.ScenarioFinished) -> None:
        recorder = event.recorder
        self.phases[event.phase.name] += 1
        for id, node in recorder.cases.items():
            named = node.value.operation.definition.raw["operationId"]
            self.cases[named] += 1
            interaction = recorder.interactions.get(id)
            is_its_own = node.value.method.upper() == node.value.operation.method.upper()
            if is_its_own and interaction is not None and interaction.response is not None:
                self.answered[named, interaction.response.status_code] += 1
            for check in recorder.checks.get(id, ()):
                self.checks[check.name] += 1
                if check.failure_info is not None:
                    told = check.failure_info
                    self.failures.append(f"{event.phase.name} {named}, {check.name}: {told.failure}\n{told.code_sample}")


def attacked(app: Any, headers: dict[str, str], operations: list[str], known: dict[str, str]) -> Outcome:
    """Everything that schemathesis does to these operations."""
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", app, config=configured(headers, known))
    outcome = Outcome()
    for event in engine.from_schema(schema.include(operation_id=operations)).execute():
        outcome.hear(event)
    return outcome


def open_to(town: City, *roles: str) -> list[str]:
    """The operations that the document opens to one of these roles, or to anybody; all of them without a role."""
    paths = town.client.get("/v1/openapi.json").json["paths"].values()
    found = [one for methods in paths for one in methods.values() if isinstance(one, dict)]
    return [one["operationId"] for one in found if not roles or {"anonymous", *roles} & set(one["x-roles"])]


def assert_held(outcome: Outcome, operations: list[str]) -> None:
    """Nothing failed, and nothing was left out."""
    assert outcome.failures == []
    assert set(outcome.cases) == set(operations)
    assert set(outcome.phases) == {"EXAMPLES", "COVERAGE", "FUZZING", "STATEFUL_TESTING"}
    assert set(outcome.checks) == CHECKS


def opened(outcome: Outcome) -> set[str]:
    return {named for named, status in outcome.answered if status < 300}


def test_strangers(town: City):
    operations = open_to(town)
    outcome = attacked(town.client.application, {}, operations, {})
    assert_held(outcome, operations)
    assert opened(outcome) <= set(open_to(town, "anonymous"))


def test_a_person(town: City):
    person, operations = town.proven(), open_to(town, "person")
    ward, (organisation, _) = town.ward_of(person), town.organisation("merchant", person)
    known = {"path.organisation": organisation, "path.person": town.resident().handle, "path.ward": ward, "path.device": person.device}
    outcome = attacked(town.client.application, {"Authorization": f"Bearer {person.token}"}, operations, known)
    assert_held(outcome, operations)
    assert len(opened(outcome)) >= 25


def test_the_staff(town: City):
    clerk, operations = town.staff(*STAFF), open_to(town, *(f"staff:{role}" for role in STAFF))
    known = {"path.organisation": town.applicant(town.resident()), "path.person": town.proven().handle}
    outcome = attacked(town.client.application, {"Authorization": f"Bearer {clerk.token}"}, operations, known)
    assert_held(outcome, operations)
    assert opened(outcome) >= {"listOrganisations", "listOpenSteps", "listOrganisationSteps", "proposeStep", "readPerson", "staffSignOut"}


def test_an_institution(town: City):
    server, operations = town.server(schemes=["transit-card"]), open_to(town, "organisation:institution")
    outcome = attacked(
        Signing(town.client.application, server), {"Signature": "to-be-made"}, operations, {"path.organisation": server.handle}
    )
    assert_held(outcome, operations)
    assert opened(outcome) >= {"listBatches", "listAgreements", "listLinkClaims", "issueLinkCode", "readOrganisation", "listWebhooks"}
