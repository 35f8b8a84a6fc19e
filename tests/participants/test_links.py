"""Who answers to which identifier, and since when (Article 11)."""

import threading
from datetime import date
from pathlib import Path

import psycopg
import pytest

from carbonhui import ledger, participants
from carbonhui.core.database import Database

SCHEME = "card"
CARD = b"resident-0000001"
OTHER_CARD = b"resident-0000002"
JANUARY, MARCH, JUNE = date(2025, 1, 1), date(2025, 3, 1), date(2025, 6, 1)


def a_person(database: Database) -> int:
    with database.begin() as session:
        return ledger.open_account(session, ledger.Kind.PERSON)


def link(database: Database, account: int, since: date, subject: bytes = CARD, scheme: str = SCHEME) -> None:
    with database.begin() as session:
        participants.link(session, scheme=scheme, subject=subject, account_id=account, valid_from=since)


def links(database: Database) -> list[participants.Link]:
    with database.begin() as session:
        return participants.accounts_of(session, SCHEME)


def test_a_link_holds_from_a_day_on(database):
    resident = a_person(database)
    link(database, resident, JANUARY)
    assert links(database) == [participants.Link(CARD, resident, JANUARY, None)]


def test_a_second_holder_of_one_identifier_is_refused(database):
    link(database, a_person(database), JANUARY)
    neighbour = a_person(database)
    for since in (JANUARY, MARCH, date(2024, 1, 1)):
        with pytest.raises(participants.IdentifierLinked):
            link(database, neighbour, since)
    assert len(links(database)) == 1


def test_the_refusal_shows_no_identifier(database):
    link(database, a_person(database), JANUARY)
    with pytest.raises(participants.IdentifierLinked) as refused:
        link(database, a_person(database), MARCH)
    assert CARD.hex() not in str(refused.value)
    assert refused.value.__suppress_context__


def test_the_session_can_go_on_after_a_refused_link(database):
    resident = a_person(database)
    link(database, resident, JANUARY)
    with database.begin() as session:
        with pytest.raises(participants.IdentifierLinked):
            participants.link(session, scheme=SCHEME, subject=CARD, account_id=resident, valid_from=MARCH)
        participants.link(session, scheme=SCHEME, subject=OTHER_CARD, account_id=resident, valid_from=MARCH)
    assert len(links(database)) == 2


def test_two_cards_of_one_person_and_one_number_in_two_schemes_are_fine(database):
    resident, neighbour = a_person(database), a_person(database)
    link(database, resident, JANUARY)
    link(database, resident, JANUARY, OTHER_CARD)
    link(database, neighbour, JANUARY, CARD, "phone")
    assert [found.account_id for found in links(database)] == [resident, resident]


def test_an_ended_link_makes_room_on_its_last_day_and_not_before(database):
    resident, neighbour = a_person(database), a_person(database)
    link(database, resident, JANUARY)
    with database.begin() as session:
        participants.unlink(session, SCHEME, CARD, on=MARCH)
    with pytest.raises(participants.IdentifierLinked):
        link(database, neighbour, date(2025, 2, 28))
    link(database, neighbour, MARCH)
    assert [(found.account_id, found.valid_to) for found in links(database)] == [(resident, MARCH), (neighbour, None)]


def test_only_an_open_link_can_be_ended_and_not_before_it_began(database):
    link(database, a_person(database), MARCH)
    with database.begin() as session:
        with pytest.raises(participants.LinkMissing):
            participants.unlink(session, SCHEME, OTHER_CARD, on=JUNE)
        with pytest.raises(participants.LinkEndsTooEarly, match="2025-03-01"):
            participants.unlink(session, SCHEME, CARD, on=JANUARY)
        participants.unlink(session, SCHEME, CARD, on=JUNE)
        with pytest.raises(participants.LinkMissing):
            participants.unlink(session, SCHEME, CARD, on=JUNE)


def test_the_store_refuses_to_rewrite_or_remove_a_link(database):
    link(database, a_person(database), JANUARY)
    with database.begin() as session:
        participants.unlink(session, SCHEME, CARD, on=MARCH)
    for statement in (
        "UPDATE link SET valid_to = NULL",
        "UPDATE link SET account_id = 1",
        "UPDATE link SET valid_to = '2026-01-01'",
        "DELETE FROM link",
        "TRUNCATE link",
    ):
        with database.connect_as_owner() as owner, pytest.raises(psycopg.Error) as refused:
            owner.execute(statement)
        assert refused.value.sqlstate == "CH001", statement


def test_the_store_itself_refuses_a_link_in_the_past_that_overlaps(database):
    resident = a_person(database)
    link(database, resident, MARCH)
    with database.connect() as connection, pytest.raises(psycopg.errors.ExclusionViolation):
        connection.execute(
            "INSERT INTO link (scheme, subject, account_id, valid_from, valid_to) VALUES (%s, %s, %s, %s, %s)",
            (SCHEME, CARD, resident, JANUARY, date(2025, 3, 2)),
        )


def test_of_many_who_claim_one_card_at_once_one_gets_it(database):
    accounts = [a_person(database) for _ in range(6)]
    outcomes: list[str] = []
    ready = threading.Barrier(len(accounts))

    def claim(account: int) -> None:
        ready.wait()
        try:
            database.run(
                lambda session: participants.link(
                    session, scheme=SCHEME, subject=CARD, account_id=account, valid_from=JANUARY
                )
            )
            outcomes.append("linked")
        except participants.IdentifierLinked:
            outcomes.append("refused")

    claims = [threading.Thread(target=claim, args=(account,)) for account in accounts]
    for one in claims:
        one.start()
    for one in claims:
        one.join()
    assert sorted(outcomes) == ["linked"] + ["refused"] * 5


def test_enrolment_opens_one_account_for_each_stranger_and_repeats_nothing(database):
    subjects = [bytes([number]) * 16 for number in range(20)]
    with database.begin() as session:
        assert participants.enrol(session, SCHEME, [*subjects, *subjects], JANUARY) == 20
    with database.begin() as session:
        assert participants.enrol(session, SCHEME, [*subjects, CARD], JANUARY) == 1
        assert participants.enrol(session, SCHEME, [], JANUARY) == 0
    found = links(database)
    assert len({one.account_id for one in found}) == len(found) == 21


def test_an_identifier_that_was_unlinked_is_not_enrolled_again(database):
    link(database, a_person(database), JANUARY)
    with database.begin() as session:
        participants.unlink(session, SCHEME, CARD, on=MARCH)
        assert participants.enrol(session, SCHEME, [CARD], JUNE) == 0


def test_enrolment_outside_the_demonstration_is_refused(database):
    with database.connect_as_owner() as owner:
        owner.execute("ALTER TABLE deployment DISABLE TRIGGER ALL")
        owner.execute("UPDATE deployment SET profile = 'guangzhou'")
    with database.begin() as session, pytest.raises(participants.EnrolmentForDemoOnly, match="guangzhou"):
        participants.enrol(session, SCHEME, [CARD], JANUARY)


def test_links_are_written_for_the_engine_line_by_line(database, tmp_path: Path):
    resident = a_person(database)
    link(database, resident, JANUARY)
    path = tmp_path / "links.csv"
    with database.begin() as session:
        participants.write_links(session, scheme=SCHEME, to=path)
    assert path.read_text() == f"{CARD.hex()},{resident},2025-01-01,\n"
