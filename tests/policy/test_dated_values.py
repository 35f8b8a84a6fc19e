"""Dated numbers come into force when all three bodies approved them, and are only followed by others (Articles 9, 14, 15, 19)."""

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy.orm import Session

from carbonhui import approvals, policy
from carbonhui.core import embedded
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from tests.ledger.books import approve, breaking, code_of, opened_store, put_in_force, refusal_of

JANUARY, MARCH, JULY = date(2026, 1, 1), date(2026, 3, 1), date(2026, 7, 1)


@pytest.fixture
def council(town: Database) -> Iterator[Database]:
    """A store in which nothing was ever decided."""
    yield town
    with breaking(town) as owner:
        for table in ("policy_in_force", "policy_value", "decision", "matter"):
            owner.execute(f"DELETE FROM {table}")


def propose(session: Session, name: str = policy.PAR, number: object = 1000, start: date = JANUARY, *, demonstration: bool = False) -> int:
    return policy.propose_number(
        session, name, number=number, start=start, source="Document 1", proposed_by="Clerk Chen", demonstration=demonstration  # type: ignore[arg-type]
    )  # fmt: skip


def on(database: Database, day: date, name: str = policy.PAR) -> int:
    with database.begin() as session:
        return policy.number_on(session, name, day)


def test_a_value_holds_from_its_day_on_and_not_a_day_earlier(council: Database) -> None:
    with council.begin() as session:
        matter = put_in_force(session, policy.PAR, 1000, MARCH)
    assert on(council, MARCH) == on(council, date(2099, 12, 31)) == 1000
    refusal = refusal_of(council, lambda session: policy.number_on(session, policy.PAR, MARCH - timedelta(days=1)))
    assert (refusal.code, refusal.facts) == ("not_in_force", {"name": policy.PAR, "day": MARCH - timedelta(days=1)})
    with council.begin() as session:
        [value] = policy.values(session, policy.PAR)
    assert (value.number, value.start, value.end, value.source, value.demonstration, value.matter) == (
        1000, MARCH, None, "Document 1", False, matter
    )  # fmt: skip


def test_a_later_value_ends_the_earlier_and_past_days_keep_theirs(council: Database) -> None:
    with council.begin() as session:
        put_in_force(session, policy.PAR, 1000, JANUARY)
        put_in_force(session, policy.PAR, 2000, JULY)
        put_in_force(session, policy.PAR, 3000, JULY + timedelta(days=1))
    assert [on(council, day) for day in (JANUARY, JULY - timedelta(days=1), JULY, JULY + timedelta(days=1))] == [
        1000, 1000, 2000, 3000
    ]  # fmt: skip
    with council.begin() as session:
        assert [(value.start, value.end) for value in policy.values(session, policy.PAR)] == [
            (JANUARY, JULY), (JULY, JULY + timedelta(days=1)), (JULY + timedelta(days=1), None)
        ]  # fmt: skip


@pytest.mark.parametrize("start", [JANUARY, MARCH, JULY])
def test_two_values_on_one_day_are_refused(council: Database, start: date) -> None:
    with council.begin() as session:
        put_in_force(session, policy.PAR, 1000, JANUARY)
        put_in_force(session, policy.PAR, 2000, JULY)
    assert code_of(council, lambda session: put_in_force(session, policy.PAR, 3000, start)) == "values_overlap"
    assert [on(council, day) for day in (MARCH, JULY)] == [1000, 2000]


def test_a_value_comes_into_force_once(council: Database) -> None:
    with council.begin() as session:
        matter = put_in_force(session, policy.PAR, 1000, JANUARY)
    assert code_of(council, lambda session: policy.come_into_force(session, matter)) == "values_overlap"
    with council.begin() as session:
        put_in_force(session, policy.PAR, 2000, JULY)
    assert code_of(council, lambda session: policy.come_into_force(session, matter)) == "values_overlap"


@pytest.mark.parametrize("said", [(), ("expert_committee",), ("expert_committee", "city")])
def test_nothing_comes_into_force_before_all_three_approved(council: Database, said: tuple[str, ...]) -> None:
    with council.begin() as session:
        put_in_force(session, policy.PAR, 1000, JANUARY)
        matter = propose(session, number=2000, start=JULY)
        for number, body in enumerate(said):
            approvals.decide(session, matter, body=body, approved=True, decided_by=f"Person {number}", document_number="1")
    refusal = refusal_of(council, lambda session: policy.come_into_force(session, matter))
    assert (refusal.code, refusal.facts) == ("not_approved", {"matter": matter})
    assert on(council, JULY) == 1000
    with pytest.raises(psycopg.Error) as refused, council.connect_as_owner() as connection:
        connection.execute(
            "INSERT INTO policy_in_force SELECT id, name_id, proposed FROM policy_value WHERE matter_id = %s", (matter,)
        )
    assert refused.value.diag.message_hint == "not_approved"


def test_what_one_body_refused_never_comes_into_force(council: Database) -> None:
    with council.begin() as session:
        matter = propose(session)
        for body, person, said in (("expert_committee", "He", True), ("city", "Liang", True), ("province", "Huang", False)):
            approvals.decide(session, matter, body=body, approved=said, decided_by=person, document_number="1")
    assert code_of(council, lambda session: policy.come_into_force(session, matter)) == "not_approved"


def test_a_matter_that_proposes_no_value_cannot_come_into_force(town: Database) -> None:
    with town.begin() as session:
        other = approvals.propose(session, kind="other", title="Something else", proposed_by="Clerk Chen")
    for matter in (other, 0, 999_999_999):
        assert code_of(town, lambda session, matter=matter: policy.come_into_force(session, matter)) == "matter_unknown"


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [(policy.OFFSET_CAP, 0, 10), (policy.PAR, 1, 10**9), (policy.EXCHANGE_RATIO, 1, 10**9)],
)
def test_a_number_keeps_to_its_bounds_and_no_decision_can_pass_them(town: Database, name: str, lowest: int, highest: int) -> None:
    with town.begin() as session:
        propose(session, name, lowest)
        propose(session, name, highest)
    for number in (lowest - 1, highest + 1, -1, True, float(highest), str(highest), None):
        refusal = refusal_of(town, lambda session, number=number: propose(session, name, number))
        assert (refusal.code, refusal.facts["lowest"], refusal.facts["highest"]) == ("value_out_of_range", lowest, highest)


def test_a_name_that_the_regulation_does_not_ask_for_is_refused(town: Database) -> None:
    with town.begin() as session:
        policy.propose_fingerprint(
            session, "metro", fingerprint="0" * 64, start=JANUARY, source="x", proposed_by="Clerk Chen", demonstration=False
        )
    for name in ("", "mg_per_credit", policy.methodology_name("metro"), "碳"):
        assert code_of(town, lambda session, name=name: propose(session, name)) == "policy_unknown"


def test_a_value_without_a_source_or_a_proposer_is_refused(town: Database) -> None:
    for source, by in (("", "Clerk Chen"), (" ", "Clerk Chen"), ("x", ""), ("x", " ")):
        assert code_of(town, lambda session, source=source, by=by: policy.propose_number(
            session, policy.PAR, number=1, start=JANUARY, source=source, proposed_by=by, demonstration=False
        )) == "text_missing"  # fmt: skip


@pytest.mark.parametrize("fingerprint", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64])
def test_a_fingerprint_is_a_sha256(town: Database, fingerprint: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), town.begin() as session:
        policy.propose_fingerprint(
            session, "bus", fingerprint=fingerprint, start=JANUARY, source="x", proposed_by="Clerk Chen", demonstration=False
        )


def test_the_versions_of_a_methodology_follow_one_another(council: Database) -> None:
    with council.begin() as session:
        for letter, start in (("a", JANUARY), ("b", JULY)):
            matter = policy.propose_fingerprint(
                session, "metro", fingerprint=letter * 64, start=start, source="x", proposed_by="Clerk Chen", demonstration=False
            )
            approve(session, matter)
            policy.come_into_force(session, matter)
        assert policy.versions_in_force(session, "metro") == [
            policy.Version("a" * 64, JANUARY, JULY), policy.Version("b" * 64, JULY, None)
        ]  # fmt: skip
        assert policy.versions_in_force(session, "bus") == []


def test_values_on_one_day_are_refused_by_the_database_itself(council: Database) -> None:
    with council.begin() as session:
        put_in_force(session, policy.PAR, 1000, JANUARY)
        rival = propose(session, number=2000, start=JULY)
        approve(session, rival)
    for connect in (council.connect, council.connect_as_owner):
        with pytest.raises(psycopg.errors.ExclusionViolation, match="no_two_values_on_one_day"), connect() as connection:
            connection.execute(
                "INSERT INTO policy_in_force SELECT id, name_id, proposed FROM policy_value WHERE matter_id = %s", (rival,)
            )


@pytest.mark.parametrize(
    "words",
    ["UPDATE policy_in_force SET valid = '[2020-01-01,)'", "UPDATE policy_in_force SET valid = '[2026-01-01,2026-02-01)', name_id = 3",
     "DELETE FROM policy_in_force", "UPDATE policy_value SET number = 5", "UPDATE policy_value SET source = 'another'",
     "DELETE FROM policy_value"],
)  # fmt: skip
def test_a_value_is_never_edited_not_even_by_the_owner(council: Database, words: str) -> None:
    with council.begin() as session:
        put_in_force(session, policy.PAR, 1000, JANUARY)
    with pytest.raises(psycopg.Error), council.connect() as connection:
        connection.execute(words)
    with pytest.raises(psycopg.Error, match="never") as refused, council.connect_as_owner() as connection:
        connection.execute(words)
    assert refused.value.sqlstate == "CH001"


def test_the_last_day_of_a_value_is_set_once(council: Database) -> None:
    with council.begin() as session:
        put_in_force(session, policy.PAR, 1000, JANUARY)
        put_in_force(session, policy.PAR, 2000, JULY)
    for end in ("2026-06-01", "2026-08-01"):
        with pytest.raises(psycopg.Error, match="never edited"), council.connect() as connection:
            connection.execute(
                f"UPDATE policy_in_force SET valid = daterange(lower(valid), '{end}') WHERE upper(valid) IS NOT NULL"
            )


def test_a_demonstration_value_comes_into_force_in_the_demonstration(council: Database) -> None:
    with council.begin() as session:
        matter = propose(session, demonstration=True)
        approve(session, matter)
        policy.come_into_force(session, matter)
        assert policy.values(session, policy.PAR)[0].demonstration


def test_a_demonstration_value_never_comes_into_force_in_guangzhou(server: embedded.Server, server_settings: Settings) -> None:
    with opened_store(server, server_settings, profile="guangzhou") as guangzhou:
        with guangzhou.begin() as session:
            shown, real = propose(session, demonstration=True), propose(session, policy.OFFSET_CAP, 10)
            approve(session, shown)
            approve(session, real)
        refusal = refusal_of(guangzhou, lambda session: policy.come_into_force(session, shown))
        assert (refusal.code, refusal.facts) == ("demonstration_only", {"matter": shown, "profile": "guangzhou"})
        with pytest.raises(psycopg.Error) as refused, guangzhou.connect_as_owner() as connection:
            connection.execute("INSERT INTO policy_in_force SELECT id, name_id, proposed FROM policy_value WHERE matter_id = %s", (shown,))
        assert refused.value.diag.message_hint == "demonstration_only"
        with guangzhou.begin() as session:
            policy.come_into_force(session, real)
            assert policy.number_on(session, policy.OFFSET_CAP, JANUARY) == 10
        with pytest.raises(psycopg.Error, match="never"), guangzhou.connect_as_owner() as connection:
            connection.execute("UPDATE deployment SET profile = 'demo'")


def test_what_people_were_credited_by_never_changes(council: Database) -> None:
    with council.begin() as session:
        put_in_force(session, policy.EXCHANGE_RATIO, 100_000, date(2020, 1, 1))
        assert policy.number_on(session, policy.EXCHANGE_RATIO, date(2025, 5, 5)) == 100_000
    with council.connect_as_owner() as connection:
        connection.execute(
            """INSERT INTO reduction (account_id, methodology, fingerprint, day, mg, batch_id, mint_id)
               VALUES (1, 'metro', 'x', '2025-05-05', 5, 1, 1)"""
        )
        connection.execute("INSERT INTO carry VALUES (1, 5)")
    for start in (date(2021, 1, 1), date(2025, 5, 5)):
        code = code_of(council, lambda session, start=start: put_in_force(session, policy.EXCHANGE_RATIO, 1, start))
        assert code == "value_of_the_past"
    assert code_of(council, lambda session: put_in_force(session, policy.EXCHANGE_RATIO, 1, date(2025, 5, 6))) == "done"
    assert on(council, date(2025, 5, 5), policy.EXCHANGE_RATIO) == 100_000


def test_an_approved_value_comes_into_force_by_hand_only_as_it_was_approved(council: Database) -> None:
    with council.begin() as session:
        matter = propose(session, policy.OFFSET_CAP, 10, JULY)
        approve(session, matter)
    with pytest.raises(psycopg.Error), council.connect() as connection:
        connection.execute(
            """INSERT INTO policy_in_force SELECT v.id, n.id, '[2000-01-01,)' FROM policy_value v, policy_name n
               WHERE v.matter_id = %s AND n.name = %s""", (matter, policy.EXCHANGE_RATIO),
        )  # fmt: skip


def test_the_store_itself_refuses_an_offset_cap_above_ten(council: Database) -> None:
    with council.begin() as session:
        matter = approvals.propose(session, kind="policy", title="By hand", proposed_by="Clerk Chen")
    with pytest.raises(psycopg.Error), council.connect() as connection:
        connection.execute(
            """INSERT INTO policy_value (name_id, number, proposed, source, demonstration, matter_id)
               SELECT id, 50, '[2026-01-01,)', 'x', false, %s FROM policy_name WHERE name = %s""", (matter, policy.OFFSET_CAP),
        )  # fmt: skip
