"""Eight copies of each of five hundred requests at once, altered ones and other callers' among them: 500 effects (Article 13).

The effect is a new API key of an organisation. Nothing but the Idempotency-Key makes
two of them one, and its secret is told once, so an answer that comes again is known.
"""

import http.client
import json
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from carbonhui import participants
from tests.shown.served import Resident, Served

KEYS, COPIES, TEAMS = 500, 8, 2
REPLAYED = "idempotency-replayed"


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int
    replayed: bool
    form: tuple[str | None, ...]
    body: bytes

    @property
    def code(self) -> str | None:
        found: str | None = json.loads(self.body).get("code")
        return found


class Line:
    """One caller's own connection."""

    def __init__(self, city: Served, caller: Resident, organisation: participants.Organisation) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", city.settings.port, timeout=300)
        self._path = f"/v1/organisations/{organisation.handle}/api-keys"
        self._headers = {"Content-Type": "application/json", "Authorization": caller.client.headers["Authorization"]}

    def ask(self, key: str, label: str) -> Told:
        body = json.dumps({"algorithm": "hmac-sha256", "label": label})
        self._connection.request("POST", self._path, body, {**self._headers, "Idempotency-Key": key})
        answer = self._connection.getresponse()
        form = tuple(answer.getheader(name) for name in ("Content-Type", "Content-Language", "Location"))
        return Told(answer.status, answer.getheader(REPLAYED) == "true", form, answer.read())

    def close(self) -> None:
        self._connection.close()


@dataclass
class Storm:
    """An organisation, two people who act for it, and how many keys it has."""

    city: Served
    owner: Resident
    other: Resident
    organisation: participants.Organisation

    def effects(self) -> int:
        [[count]] = self.city.rows("SELECT count(*) FROM api_key WHERE organisation_id = %s", self.organisation.id)
        return int(count)

    def line(self, caller: Resident) -> Line:
        return Line(self.city, caller, self.organisation)

    def copies(self, asked: Iterable[str], labels: list[str]) -> dict[str, list[Told]]:
        """What each copy was answered; the copies of a key set out together, each on a connection of its own."""
        keys, together, answers = list(asked), threading.Barrier(len(labels)), {}

        def send(label: str) -> list[Told]:
            line, told = self.line(self.owner), []
            for key in keys:
                together.wait(300)
                told.append(line.ask(key, label))
            line.close()
            return told

        with ThreadPoolExecutor(len(labels)) as pool:
            columns = list(pool.map(send, labels))
        for place, key in enumerate(keys):
            answers[key] = [column[place] for column in columns]
        return answers

    def one_by_one(self, caller: Resident, keys: Iterable[str], label: str) -> dict[str, Told]:
        line = self.line(caller)
        told = {key: line.ask(key, label) for key in keys}
        line.close()
        return told


@pytest.fixture(scope="module")
def storm(city: Served) -> Storm:
    owner, other = city.resident(), city.resident()
    organisation = city.organisation("merchant", owner)
    second = city.person(other.handle)
    city.do(lambda s: participants.add_member(s, organisation, second, role="manager", on=city.today))
    return Storm(city, owner, other, organisation)


@pytest.fixture(scope="module")
def answers(storm: Storm) -> dict[str, list[Told]]:
    """Two teams at once, each with keys of its own."""
    teams = [[f"storm-{number}" for number in range(team, KEYS, TEAMS)] for team in range(TEAMS)]
    with ThreadPoolExecutor(TEAMS) as pool:
        parts = list(pool.map(lambda keys: storm.copies(keys, ["till"] * COPIES), teams))
    return {key: told for part in parts for key, told in part.items()}


def firsts(answers: dict[str, list[Told]]) -> dict[str, Told]:
    """The one answer of each key that is no repetition."""
    found = {key: [one for one in told if one.status == 201 and not one.replayed] for key, told in answers.items()}
    assert {len(one) for one in found.values()} == {1}
    return {key: one[0] for key, one in found.items()}


def test_five_hundred_keys_have_five_hundred_effects(storm: Storm, answers: dict[str, list[Told]]):
    assert storm.effects() == KEYS
    assert sum(len(told) for told in answers.values()) == KEYS * COPIES
    assert len({one.body for one in firsts(answers).values()}) == KEYS


def test_a_copy_is_told_the_first_answer_or_that_it_is_being_made(answers: dict[str, list[Told]]):
    first = firsts(answers)
    for key, told in answers.items():
        copies = [one for one in told if one is not first[key]]
        for one in copies:
            running = one.status == 409 and one.code == "request_running"
            same = one.replayed and (one.status, one.form, one.body) == (201, first[key].form, first[key].body)
            assert running or same, one
    statuses = {one.status for told in answers.values() for one in told}
    assert statuses <= {201, 409}


def test_whoever_asks_again_is_told_the_first_answer_byte_by_byte(storm: Storm, answers: dict[str, list[Told]]):
    first = firsts(answers)
    for key, told in storm.one_by_one(storm.owner, answers, "till").items():
        assert (told.replayed, told.status, told.form, told.body) == (True, 201, first[key].form, first[key].body)
    assert storm.effects() == KEYS


def test_another_body_under_a_used_key_is_refused(storm: Storm, answers: dict[str, list[Told]]):
    told = storm.one_by_one(storm.owner, answers, "another till")
    assert {(one.status, one.code, one.replayed) for one in told.values()} == {(422, "idempotency_key_reused", False)}
    assert storm.effects() == KEYS


def test_copies_and_altered_ones_at_once_have_one_effect(storm: Storm, answers: dict[str, list[Told]]):
    before, keys = storm.effects(), [f"mixed-{number}" for number in range(60)]
    labels = ["till"] * 4 + ["kiosk"] * 4
    mixed = storm.copies(keys, labels)
    assert storm.effects() == before + len(keys)
    for key, told in mixed.items():
        [winner] = [label for label, one in zip(labels, told, strict=True) if one.status == 201 and not one.replayed]
        for label, one in zip(labels, told, strict=True):
            allowed = {(201, None), (409, "request_running")} if label == winner else {
                (422, "idempotency_key_reused"), (409, "request_running")
            }  # fmt: skip
            assert (one.status, one.code) in allowed, key


def test_the_same_key_of_another_caller_is_another_key(storm: Storm, answers: dict[str, list[Told]]):
    before, first = storm.effects(), firsts(answers)
    told = storm.one_by_one(storm.other, answers, "till")
    assert {(one.status, one.replayed) for one in told.values()} == {(201, False)}
    assert storm.effects() == before + KEYS
    secrets = {json.loads(one.body)["secret"] for one in (*told.values(), *first.values())}
    assert len(secrets) == 2 * KEYS
