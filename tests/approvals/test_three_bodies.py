"""Expert committee, city and province decide, in this order, through three persons (Articles 6, 14, 15)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy.orm import Session

from carbonhui import approvals
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from tests.ledger.books import code_of, fresh

PERSONS = {"expert_committee": "Professor He", "city": "Director Liang", "province": "Director Huang"}


def proposed(database: Database) -> int:
    with database.begin() as session:
        return approvals.propose(session, kind=fresh("kind"), title="The ratio of 2027", proposed_by="Clerk Chen")


def decide(session: Session, matter: int, body: str, *, approved: bool = True, by: str | None = None, paper: str = "No. 7") -> None:
    approvals.decide(session, matter, body=body, approved=approved, decided_by=by or PERSONS[body], document_number=paper)


def decided(database: Database, matter: int, *bodies: str) -> None:
    for body in bodies:
        with database.begin() as session:
            decide(session, matter, body)


def found(database: Database, matter: int) -> approvals.Matter:
    with database.begin() as session:
        [one] = [each for each in approvals.matters(session) if each.id == matter]
    return one


def test_a_matter_is_approved_when_all_three_said_yes_and_not_before(town: Database) -> None:
    matter = proposed(town)
    for body in approvals.BODIES:
        assert not found(town, matter).is_approved
        decided(town, matter, body)
    record = found(town, matter)
    assert record.is_approved
    assert [(said.body, said.decided_by, said.document_number) for said in record.decisions] == [
        (body, person, "No. 7") for body, person in PERSONS.items()
    ]


@pytest.mark.parametrize(
    ("before", "body"),
    [((), "city"), ((), "province"), (("expert_committee",), "province")],
)
def test_no_body_decides_before_its_turn(town: Database, before: tuple[str, ...], body: str) -> None:
    matter = proposed(town)
    decided(town, matter, *before)
    assert code_of(town, lambda session: decide(session, matter, body)) == "decision_out_of_order"
    assert len(found(town, matter).decisions) == len(before)


@pytest.mark.parametrize("refused_by", approvals.BODIES)
def test_a_refusal_ends_the_matter(town: Database, refused_by: str) -> None:
    matter = proposed(town)
    order = approvals.BODIES
    decided(town, matter, *order[: order.index(refused_by)])
    with town.begin() as session:
        decide(session, matter, refused_by, approved=False)
    for body in order[order.index(refused_by) + 1 :]:
        assert code_of(town, lambda session, body=body: decide(session, matter, body)) == "decision_out_of_order"
    assert not found(town, matter).is_approved


@pytest.mark.parametrize("body", approvals.BODIES)
def test_nobody_approves_what_he_proposed(town: Database, body: str) -> None:
    matter = proposed(town)
    decided(town, matter, *approvals.BODIES[: approvals.BODIES.index(body)])
    assert code_of(town, lambda session: decide(session, matter, body, by="Clerk Chen")) == "own_matter"
    assert code_of(town, lambda session: decide(session, matter, body, by="Clerk Chen", approved=False)) == "own_matter"


def test_one_person_does_not_speak_for_two_bodies(town: Database) -> None:
    matter = proposed(town)
    decided(town, matter, "expert_committee")
    assert code_of(town, lambda session: decide(session, matter, "city", by="Professor He")) == "two_bodies"
    decided(town, matter, "city")
    assert code_of(town, lambda session: decide(session, matter, "province", by="Professor He")) == "two_bodies"
    assert code_of(town, lambda session: decide(session, matter, "province", by="Director Liang")) == "two_bodies"


def test_a_body_decides_a_matter_once(town: Database) -> None:
    matter = proposed(town)
    decided(town, matter, "expert_committee")
    assert code_of(town, lambda session: decide(session, matter, "expert_committee", by="Professor Wu")) == "already_decided"
    assert code_of(town, lambda session: decide(session, matter, "expert_committee", approved=False)) == "already_decided"


@pytest.mark.parametrize("body", ["", "mayor", "Province", "expert committee", "省"])
def test_only_three_bodies_decide(town: Database, body: str) -> None:
    matter = proposed(town)
    assert code_of(town, lambda session: decide(session, matter, body, by="Somebody")) == "body_unknown"


@pytest.mark.parametrize("number", [0, -1, 999_999_999])
def test_a_matter_that_nobody_proposed_cannot_be_decided(town: Database, number: int) -> None:
    assert code_of(town, lambda session: decide(session, number, "expert_committee")) == "matter_unknown"


def test_of_two_at_once_for_one_body_one_is_heard(town: Database) -> None:
    matter, together = proposed(town), threading.Barrier(2)

    def ask(person: str) -> str:
        try:
            with town.begin() as session:
                together.wait()
                decide(session, matter, "expert_committee", by=person)
        except Refusal as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(ask, ["Professor He", "Professor Wu"]))
    assert answers in (["decision_out_of_order", "done"], ["already_decided", "done"])
    assert len(found(town, matter).decisions) == 1


def test_the_record_is_read_by_kind_and_in_order(town: Database) -> None:
    kind = fresh("kind")
    with town.begin() as session:
        made = [approvals.propose(session, kind=kind, title=title, proposed_by="Clerk Chen") for title in ("first", "second")]
        assert [matter.id for matter in approvals.matters(session, kind=kind)] == made
        assert approvals.matters(session, kind="nothing of this kind") == []


# What the store itself refuses, whoever asks ------------------------------------------------------

_BY_HAND = "INSERT INTO decision (matter_id, body, approved, decided_by, document_number, proposed_by) VALUES (%s, %s, true, %s, 'x', %s)"


@pytest.mark.parametrize(
    ("body", "by", "proposer", "error"),
    [
        ("city", "Director Liang", "Clerk Chen", "decision_out_of_order"),
        ("expert_committee", "Clerk Chen", "Clerk Chen", "nobody_approves_their_own"),
        ("expert_committee", "Clerk Chen", "Somebody Else", "foreign key"),
        ("mayor", "Mayor", "Clerk Chen", "decision_out_of_order|decision_body_check|check constraint"),
        ("expert_committee", "", "Clerk Chen", "decision_decided_by_check"),
    ],
)
def test_the_store_refuses_by_hand_what_the_verb_refuses(town: Database, body: str, by: str, proposer: str, error: str) -> None:
    matter = proposed(town)
    for connect in (town.connect, town.connect_as_owner):
        with pytest.raises(psycopg.Error) as refused, connect() as connection:
            connection.execute(_BY_HAND, (matter, body, by, proposer))
        assert any(word in f"{refused.value} {refused.value.diag.message_hint}" for word in error.split("|"))


def test_the_store_refuses_one_person_for_two_bodies(town: Database) -> None:
    matter = proposed(town)
    decided(town, matter, "expert_committee")
    with pytest.raises(psycopg.errors.UniqueViolation, match="nobody_speaks_for_two_bodies"), town.connect_as_owner() as connection:
        connection.execute(_BY_HAND, (matter, "city", "Professor He", "Clerk Chen"))


@pytest.mark.parametrize("table", ["matter", "decision"])
@pytest.mark.parametrize("words", ["UPDATE {} SET proposed_by = 'x'", "DELETE FROM {}"])
def test_the_record_is_never_rewritten_not_even_by_the_owner(town: Database, table: str, words: str) -> None:
    decided(town, proposed(town), "expert_committee")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), town.connect() as connection:
        connection.execute(words.format(table))
    with pytest.raises(psycopg.Error, match="never changed or removed"), town.connect_as_owner() as connection:
        connection.execute(words.format(table))


def test_a_record_is_never_emptied_not_even_by_the_owner(town: Database) -> None:
    for table in ("decision", "policy_value", "policy_in_force"):
        with pytest.raises(psycopg.Error, match="never"), town.connect_as_owner() as connection:
            connection.execute(f"TRUNCATE {table} CASCADE")
