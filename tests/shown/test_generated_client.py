"""A client that nobody here wrote goes the whole way of a credit (Articles 10-17).

It is generated from the published document by openapi-python-client. Whatever it
says and is told is an object of a generated class, so the document says the truth.
"""

import base64
import importlib
import sys
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import httpx
import pyotp
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from carbonhui import issuance, methodology, participants, quantification
from carbonhui.core.clock import SystemClock
from tests.access.signing import with_ed25519
from tests.shown.served import PASSWORD, Served, Signed, agree, credit_code, first_minutes, key

CARD = "5500123400001111"
SOURCE, SCHEME = "transit-trips", "transit-card"
#: The generator reads and writes JSON; what is a file in our document it has to be told.
FILES = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/gzip", "text/csv", "application/x-ndjson",
    "application/vnd.apache.parquet", "application/pdf",
)  # fmt: skip


@pytest.fixture(scope="module")
def package(city: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The generated package's name. The generator's every warning is a failure."""
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_bytes(city.client().get("/v1/openapi.json").content)
    chosen = ConfigFile(post_hooks=[], content_type_overrides=dict.fromkeys(FILES, "application/octet-stream"))
    config = Config.from_sources(chosen, MetaType.NONE, document, "utf-8", False, folder / "city_client")
    assert list(generate(config=config)) == []
    sys.path.insert(0, str(folder))
    yield "city_client"
    sys.path.remove(str(folder))


class Generated:
    """The generated package: its functions by the operation, its classes by their names."""

    def __init__(self, package: str) -> None:
        self.client: ModuleType = importlib.import_module(f"{package}.client")
        self.models: ModuleType = importlib.import_module(f"{package}.models")
        root = Path(str(self.client.__file__)).parent / "api"
        found = {path.stem: path.parent.name for path in root.glob("*/*.py") if path.stem != "__init__"}
        self.calls = {name: importlib.import_module(f"{package}.api.{tag}.{name}") for name, tag in found.items()}

    def ask(self, client: Any, name: str, answer: str | None, *path: Any, **words: Any) -> Any:
        """What the operation answers, as the class that the document promises."""
        module = self.calls[name]
        if "idempotency_key" in module.sync_detailed.__annotations__:
            words["idempotency_key"] = key()["Idempotency-Key"]
        told = module.sync_detailed(*path, client=client, **words)
        assert 200 <= told.status_code < 300, told.content
        if answer is not None:
            assert type(told.parsed) is getattr(self.models, answer), told.content
            assert self.is_typed(told.parsed), told.content
        return told.parsed

    def is_typed(self, told: Any) -> bool:
        """Whether each field holds what its annotation says: the generated classes themselves believe anything."""
        if not attrs.has(type(told)):
            return True
        names = {**vars(self.models), **vars(sys.modules[type(told).__module__])}
        hints = typing.get_type_hints(type(told), names)
        return all(self.is_of(getattr(told, one.name), hints[one.name]) for one in attrs.fields(type(told)) if one.init)

    def is_of(self, value: Any, hint: Any) -> bool:
        parts = typing.get_args(hint)
        if typing.get_origin(hint) is list:
            return type(value) is list and all(self.is_of(one, parts[0]) for one in value)
        if parts:
            return any(self.is_of(value, part) for part in parts)
        if hint is Any:
            return True
        return type(value) is hint and self.is_typed(value)


@pytest.fixture(scope="module")
def generated(package: str) -> Generated:
    return Generated(package)


def program(city: Served, generated: Generated, token: str | None = None, **words: Any) -> Any:
    """A generated client at an address of its own, which fails at every answer that the document does not name."""
    common = {"base_url": city.url, "headers": {"X-Forwarded-For": city.client().headers["X-Forwarded-For"]},
              "raise_on_unexpected_status": True, "timeout": httpx.Timeout(60), **words}  # fmt: skip
    common["httpx_args"] = {"trust_env": False, **common.get("httpx_args", {})}
    made = generated.client.AuthenticatedClient(token=token, **common) if token else generated.client.Client(**common)
    city.clients.append(made.get_httpx_client())
    return made


def signed_in(city: Served, generated: Generated) -> Any:
    """Somebody registers by a code to a new number."""
    models, stranger, mobile = generated.models, program(city, generated), city.new_mobile()
    sent = generated.ask(stranger, "request_code", "CodeSent", body=models.CodeAsked(mobile=mobile))
    asked = models.SignInAsked(challenge=sent.challenge, code=city.code_for(mobile), device_label="a generated client")
    told = generated.ask(stranger, "sign_in", "SignedIn", body=asked)
    assert told.new is True
    return program(city, generated, told.access_token)


def staff_member(city: Served, generated: Generated, role: str) -> Any:
    hired = city.hired(role)
    asked = generated.models.StaffSignInAsked(
        login=hired.staff.login, password=PASSWORD, totp=pyotp.TOTP(hired.secret).at(datetime.now(UTC))
    )
    told = generated.ask(program(city, generated), "staff_sign_in", "StaffSignedIn", body=asked)
    return program(city, generated, told.session_token)


@pytest.fixture(scope="module")
def institution(city: Served, generated: Generated) -> Any:
    """A transit operator's server: it applied, two of the staff agreed, and it signs with a key of its own."""
    models, owner = generated.models, signed_in(city, generated)
    applied = generated.ask(owner, "apply_as_organisation", "Organisation", body=models.OrganisationApplied(
        kind=models.OrganisationAppliedKind.INSTITUTION, name="穗通公司", credit_code=credit_code(), contact_name="陈明",
        contact_mobile="13900139000",
    ))  # fmt: skip
    step = generated.ask(
        staff_member(city, generated, "registrar"), "propose_step", "OrganisationStep", applied.organisation,
        body=models.StepProposed(step=models.StepProposedStep.APPROVE, reason="papers seen"),
    )  # fmt: skip
    approved = generated.ask(
        staff_member(city, generated, "approver"), "decide_step", "Organisation", step.step_id, body=models.StepDecided(agreed=True)
    )
    assert approved.state is models.OrganisationState.APPROVED
    private = Ed25519PrivateKey.generate()
    made = generated.ask(owner, "issue_api_key", "ApiKeyMade", applied.organisation, body=models.ApiKeyAsked(
        algorithm=models.ApiKeyAskedAlgorithm.ED25519, label="intake server", public_key=_public(private)
    ))  # fmt: skip
    assert made.secret is None
    _entrust(city, str(applied.organisation))
    return program(city, generated, httpx_args={"auth": Signed(with_ed25519(made.key_id, private))})


def _public(private: Ed25519PrivateKey) -> str:
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def _entrust(city: Served, handle: str) -> None:
    """What the platform's office does by command."""
    registrar = city.hired("registrar").staff

    def entrusted(session: Any) -> None:
        found = participants.organisation_by_handle(session, handle)
        participants.entrust_scheme(session, found, SCHEME, by=registrar, on=city.today)
        agree(session, found, SOURCE, sensitive=True, on=city.today)

    city.do(entrusted)


def rides(card: str) -> list[dict[str, str]]:
    """Two short rides on the metro, by the operator's clock."""
    return [
        {"ride_id": f"{card}-{number}", "card_no": card, "mode": "metro", "start_at": f"{start:%Y-%m-%d %H:%M:%S}",
         "end_at": f"{end:%Y-%m-%d %H:%M:%S}", "metres": "1500", "other_mechanism": ""}
        for number, (start, end) in enumerate(first_minutes(2))
    ]  # fmt: skip


def test_every_operation_of_the_document_became_a_function(city: Served, generated: Generated):
    operations = {
        operation["operationId"]
        for methods in city.client().get("/v1/openapi.json").json()["paths"].values()
        for operation in methods.values() if isinstance(operation, dict)
    }
    assert len(operations) > 70
    assert {name.replace("_", "") for name in generated.calls} == {name.lower() for name in operations}


def test_from_registration_to_the_statement(city: Served, generated: Generated, institution: Any):
    models, delivered = generated.models, rides(CARD)
    day = city.today
    ask = generated.ask
    index = ask(program(city, generated), "read_index", "Index")
    assert (index.name, index.profile) == ("carbonhui", "demo")

    # Registration, and what the platform knows of a new resident.
    resident = signed_in(city, generated)
    me = ask(resident, "read_me", "Me")
    assert (me.level, me.state, me.name) == (models.MeLevel.REGISTERED, models.MeState.ACTIVE, None)

    # Consent, to words that were read.
    [text] = [one for one in ask(resident, "list_consent_texts", "ConsentTextPage").items if one.source == SOURCE]
    assert text.sensitive is True
    given = ask(resident, "give_consent", "Consent", body=models.ConsentGiven(
        source=SOURCE, text_digest=text.text_digest, covers_from=day
    ))  # fmt: skip
    assert (given.live, given.covers_from, given.channel) == (True, day, models.ConsentChannel.APP)

    # The operator hands its rider a code, by which the rider's card counts from now on.
    code = ask(institution, "issue_link_code", "LinkCode", body=models.LinkCodeAsked(scheme=SCHEME, identifier=CARD))
    linked = ask(resident, "link_identifier", "LinkMade", body=models.LinkProven(scheme=SCHEME, identifier=CARD, code=code.code))
    assert linked.state is models.LinkMadeState.CONFIRMED
    [link] = ask(resident, "list_links", "LinkPage").items
    assert CARD.endswith(link.tail) and link.tail != CARD

    # The operator delivers, by a signed request.
    rows = [models.RowsDeliveredRowsItem.from_dict(row) for row in delivered]
    batch = ask(institution, "deliver_activities", "Batch", body=models.RowsDelivered(profile=SOURCE, rows=rows))
    assert (batch.rows, batch.accepted, batch.duplicate, batch.refused, batch.first_day) == (2, 2, 0, 0, day)
    again = ask(institution, "deliver_activities", "Batch", body=models.RowsDelivered(profile=SOURCE, rows=rows))
    known = [one.batch for one in ask(institution, "list_batches", "BatchPage").items]
    assert (again.batch, known) == (batch.batch, [batch.batch])

    # The night's work, by the rooms' own verbs.
    quantification.quantify(city.database, city.settings, methodology.installed_versions())
    issuance.mint(city.database, day, clock=SystemClock())

    # Credits, statement, and why.
    balance = ask(resident, "read_balance", "Balance")
    assert balance.credits_ == balance.available > 0
    [run] = ask(resident, "list_credits", "RunPage").items
    assert (run.credits_, run.vintage) == (balance.credits_, day.year)
    credit = ask(resident, "read_credit", "Credit", run.first_code)
    assert [step.purpose for step in credit.steps] == [models.StepPurpose.MINT]
    [line] = ask(resident, "read_statement", "LinePage").items
    assert (line.amount, line.balance, line.purpose) == (balance.credits_, balance.credits_, models.LinePurpose.MINT)
    [reduction] = ask(resident, "list_reductions", "ReductionPage").items
    assert (reduction.day, reduction.minted_credits) == (day, balance.credits_)
    assert reduction.mg == 2 * 515_500 == balance.credits_ * 100_000 + balance.carry_mg
    why = ask(resident, "explain_reduction", "Explanation", reduction.reduction)
    assert why.reduction.mg == reduction.mg and why.formula and all(one.source for one in why.parameters)
    acts = ask(resident, "list_activities", "ActPage", first=day, last=day).items
    assert len(acts) == 2 and {act.kind for act in acts} == {models.ActKind.TRIP}
    topics = {message.topic for message in ask(resident, "list_messages", "MessagePage").items}
    assert {"consent.given", "link.begun"} <= topics
    workbook = ask(resident, "export_me_as_workbook", None)
    assert workbook.payload.read(4) == b"PK\x03\x04"


def test_a_refusal_reaches_the_client_as_a_problem_of_its_own_class(city: Served, generated: Generated):
    models, resident = generated.models, signed_in(city, generated)
    told = generated.calls["give_consent"].sync(
        client=resident, idempotency_key="k-1", body=models.ConsentGiven(source="no-such-source", text_digest="0" * 64)
    )
    assert type(told) is models.Problem
    assert (told.status, told.code) == (404, "consent_text_missing")
