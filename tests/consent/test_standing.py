"""Measuring is told whose activity it may process, and whose it may only count as left out (Articles 11-12)."""

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from carbonhui import consent, ledger
from carbonhui.core.clock import CITY_TIME
from carbonhui.core.database import connection_of
from tests.consent.people import METRO, TODAY, give, held_by, publish, resident, withdraw

LONG_AGO, LONG_AFTER = datetime(2000, 1, 1, tzinfo=CITY_TIME), datetime(2100, 1, 1, tzinfo=CITY_TIME)


@pytest.fixture(autouse=True)
def text(database):
    publish(database)


def holder(database, number: int, scheme: str) -> int:
    person = resident(database)
    with database.begin() as session:
        held_by(session, person, number.to_bytes(16, "big"), scheme)
    return person


def told(database, scheme: str, tmp_path: Path, **before: datetime) -> list[list[str]]:
    path = tmp_path / "links.csv"
    with database.begin() as session:
        if before:
            consent.write_consented_before(session, scheme=scheme, source=METRO, to=path, **before)
        else:
            consent.write_consented(session, scheme=scheme, source=METRO, to=path)
    with path.open(newline="") as file:
        return sorted(csv.reader(file))


def subject(number: int) -> str:
    return number.to_bytes(16, "big").hex()


def test_a_holder_is_told_from_the_first_consented_day_on_and_who_does_not_consent_not_at_all(database, tmp_path):
    since, earlier, silent, gone = (holder(database, number, "a") for number in range(4))
    give(database, since)
    give(database, earlier, covers_from=date(2020, 1, 1))
    give(database, gone)
    withdraw(database, gone)
    assert told(database, "a", tmp_path) == [
        [subject(0), str(since), "2026-01-01", "", str(TODAY)],
        [subject(1), str(earlier), "2026-01-01", "", "2026-01-01"],
        [subject(2), "", "2026-01-01", "", ""],
        [subject(3), "", "2026-01-01", "", ""],
    ]
    assert silent


def test_consent_to_another_source_or_purpose_is_none(database, tmp_path):
    person = holder(database, 1, "b")
    publish(database, "bicycles", sensitive=True)
    publish(database, purpose="research")
    give(database, person, "bicycles")
    give(database, person, purpose="research")
    assert told(database, "b", tmp_path) == [[subject(1), "", "2026-01-01", "", ""]]


def test_a_material_version_stops_everybody_until_they_renew(database, tmp_path):
    one, other = holder(database, 1, "c"), holder(database, 2, "c")
    for person in (one, other):
        give(database, person, covers_from=date(2026, 5, 1))
    publish(database, en="More is asked for.", material=True)
    give(database, one)
    assert [row[1] for row in told(database, "c", tmp_path)] == [str(one), ""]
    assert told(database, "c", tmp_path)[0][4] == "2026-05-01"


def test_what_was_withdrawn_since_still_tells_what_was_measured_before(database, tmp_path):
    person = holder(database, 1, "d")
    give(database, person, covers_from=date(2026, 5, 1))
    withdraw(database, person)
    assert told(database, "d", tmp_path) == [[subject(1), "", "2026-01-01", "", ""]]
    covered = [[subject(1), str(person), "2026-05-01", str(TODAY + timedelta(days=1)), "2026-05-01"]]
    assert told(database, "d", tmp_path, first=LONG_AGO, last=LONG_AFTER) == covered
    # Nothing was measured by it before it was given, nor after it was withdrawn.
    assert told(database, "d", tmp_path, first=LONG_AGO, last=LONG_AGO) == []
    assert told(database, "d", tmp_path, first=LONG_AFTER, last=LONG_AFTER) == []


def test_a_withdrawal_after_the_watch_began_is_seen_and_an_earlier_one_is_not(database):
    early, late = resident(database), resident(database)
    for person in (early, late):
        give(database, person)
    withdraw(database, early)
    with database.connect() as connection:
        watched = consent.watch(connection, METRO)
        assert consent.withdrawn_since(connection, watched) == set()
        withdraw(database, late)
        give(database, late, covers_from=date(2026, 1, 1))
        give(database, late, covers_from=date(2025, 1, 1))
        assert consent.withdrawn_since(connection, watched) == {late}


def test_texts_stay_as_they_are_while_a_source_is_measured(database):
    with database.connect() as connection:
        consent.watch(connection, METRO)
        with pytest.raises(consent.ConsentBusy), database.begin() as session:
            connection_of(session).execute("SET LOCAL lock_timeout = '100ms'")
            consent.publish_text(session, source=METRO, sensitive=True, zh="新", en="New.", on=TODAY, published_by="office")
        publish(database, "another-source", sensitive=True)


@pytest.mark.parametrize(
    ("what", "statement"),
    [
        ("two consents at one time", "UPDATE consent SET ended_at = ended_at + interval '1 day' WHERE ended_because = 'renewed'"),
        ("other words than were published", "UPDATE consent_text SET en = 'Anything.' WHERE source = 'metro-card'"),
        ("applied for outside the agreement", """WITH a AS (
             INSERT INTO agreement (organisation, source, words, digest, valid_from, valid_to, registered_by)
             VALUES (1, 'metro-card', 'w', sha256('w'), '2020-01-01', '2021-01-01', 't') RETURNING id)
           UPDATE consent SET agreement_id = a.id, channel = 'agency' FROM a"""),
    ],
)  # fmt: skip
def test_a_break_by_hand_is_named(database, what, statement):
    person = resident(database)
    give(database, person)
    give(database, person, covers_from=TODAY - timedelta(days=3))
    with database.connect_as_owner() as owner:
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("ALTER TABLE consent_text DROP CONSTRAINT digest_is_of_the_words")
        owner.execute(statement)
        [check] = consent.CHECKS
        assert what in {row[0] for row in owner.execute(check.query)}
        owner.rollback()
    with database.begin() as session:
        assert ledger.run_checks(session, consent.CHECKS) == {"I12": []}
