"""People consent source by source, to words that they read, and take it back at any moment (Articles 11-12)."""

import threading
from datetime import date, timedelta

import psycopg
import pytest

from carbonhui import consent, ledger
from carbonhui.core.database import Database
from tests.consent.people import METER, METRO, TODAY, give, live, minor, publish, resident, withdraw
from tests.ledger.books import organisation

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def texts(database: Database) -> None:
    publish(database)
    publish(database, METER)


def test_a_consent_is_for_one_source_and_names_the_words_that_were_read(database):
    person = resident(database)
    given = give(database, person)
    with database.begin() as session:
        text = consent.text_in_force(session, METRO)
    assert (given.source, given.version, given.digest, given.sensitive) == (METRO, text.version, text.digest, True)
    assert (given.covers_from, given.given_on, given.given_by, given.channel) == (TODAY, TODAY, f"person:{person}", "app")
    assert live(database, person) == [METRO]


def test_other_words_than_the_newest_are_refused(database):
    old = publish(database, "changing", en="Old.", sensitive=False)
    new = publish(database, "changing", en="New.", sensitive=False)
    person = resident(database)
    with pytest.raises(consent.TextChanged) as refused:
        give(database, person, "changing", text_digest=old.digest)
    assert refused.value.facts["version"] == new.version == 2
    give(database, person, "changing", text_digest=new.digest)


def test_nobody_consents_to_words_that_were_never_published(database):
    with pytest.raises(consent.ConsentTextMissing):
        give(database, resident(database), "nothing")
    with pytest.raises(consent.ConsentTextMissing):
        give(database, resident(database), purpose="advertising")


def test_given_again_it_is_the_same_consent(database):
    person = resident(database)
    assert give(database, person) == give(database, person)
    with database.begin() as session:
        assert len(consent.consents_of(session, person)) == 1


def test_the_person_may_choose_an_earlier_first_day_and_no_later_one(database):
    person = resident(database)
    with pytest.raises(consent.ConsentCoversFuture):
        give(database, person, covers_from=TODAY + DAY)
    give(database, person, covers_from=TODAY)
    earlier = give(database, person, covers_from=TODAY - DAY)
    assert earlier.covers_from == TODAY - DAY
    assert give(database, person) == earlier
    with database.begin() as session:
        assert [one.ended_because for one in consent.consents_of(session, person)] == [None, "renewed"]


def test_a_withdrawal_counts_at_once_and_a_new_consent_begins_anew(database):
    person = resident(database)
    give(database, person, covers_from=date(2025, 1, 1))
    ended = withdraw(database, person)
    assert (ended.ended_on, ended.ended_because, ended.ended_by, ended.live) == (TODAY, "withdrawn", f"person:{person}", False)
    assert live(database, person) == []
    assert give(database, person).covers_from == TODAY


def test_only_what_stands_is_withdrawn_and_not_before_it_was_given(database):
    person = resident(database)
    with pytest.raises(consent.ConsentNotGiven):
        withdraw(database, person)
    give(database, person)
    with pytest.raises(consent.ConsentEndsTooEarly):
        withdraw(database, person, on=TODAY - DAY)
    withdraw(database, person)
    with pytest.raises(consent.ConsentNotGiven):
        withdraw(database, person)


def test_a_source_that_is_withdrawn_leaves_the_others(database):
    person = resident(database)
    give(database, person)
    give(database, person, METER)
    withdraw(database, person)
    assert live(database, person) == [METER]
    with database.begin() as session:
        assert consent.withdraw_all(session, account=person, by="erasure", on=TODAY) == 1
        assert consent.live_consents(session, person) == []


def test_a_material_version_stops_the_purpose_until_it_is_consented_to_as_well(database):
    publish(database, "stopping", sensitive=False)
    person = resident(database)
    give(database, person, "stopping", covers_from=date(2024, 1, 1))
    publish(database, "stopping", sensitive=False, en="A comma, moved.")
    assert live(database, person) == ["stopping"]
    publish(database, "stopping", sensitive=False, en="We also ask for more.", material=True)
    assert live(database, person) == []
    renewed = give(database, person, "stopping")
    assert renewed.live
    assert renewed.covers_from == date(2024, 1, 1)


def test_a_text_that_says_the_same_is_no_new_version(database):
    assert publish(database, en="The same.").version == publish(database, en="The same.").version


def test_a_source_that_becomes_sensitive_is_asked_for_anew(database):
    publish(database, "wandering", sensitive=False)
    assert publish(database, "wandering", sensitive=True).material
    assert not publish(database, "wandering", sensitive=True, en="Other words.").material


def test_a_source_of_trips_is_sensitive_whatever_is_said(database):
    with database.connect_as_owner() as owner:
        owner.execute(
            """INSERT INTO batch (source, profile, kind, file_name, digest, moved_years, received_by, rows_in, accepted, duplicate, refused,
                                  refused_by, evidence, acts, lake_form)
               VALUES ('tracks', 'tracks', 'trip', 'f', sha256('tracks'), 0, 't', 0, 0, 0, 0, '{}', 'verified', 0, 2)"""
        )
    with pytest.raises(consent.SensitiveSource):
        publish(database, "tracks", sensitive=False)
    assert publish(database, "tracks", sensitive=True).sensitive


@pytest.mark.parametrize("more", [{"zh": " "}, {"en": ""}, {"published_by": ""}])
def test_a_text_says_everything_in_both_languages(database, more):
    with pytest.raises(consent.ConsentWordsMissing):
        publish(database, **more)


@pytest.mark.parametrize("source", ["", "Metro", "metro card", "../x", "x" * 61, "地铁"])
def test_a_source_is_a_plain_name(database, source):
    with pytest.raises(consent.ConsentSourceInvalid):
        publish(database, source, sensitive=True)


def test_only_a_person_consents(database):
    with database.begin() as session:
        bakery = organisation(session, ledger.Kind.MERCHANT)
    with pytest.raises(ledger.KindDiffers):
        give(database, bakery)
    with pytest.raises(ledger.AccountUnknown):
        give(database, 10**9)


def test_for_a_minor_the_guardian_consents(database):
    ward = minor(database, TODAY + DAY)
    with pytest.raises(consent.GuardianConsents):
        give(database, ward)
    assert give(database, ward, channel="guardian", by="person:1").channel == "guardian"
    withdraw(database, ward)
    assert give(database, ward, on=TODAY + DAY).channel == "app"


def test_of_two_consents_at_once_one_stands(database):
    person = resident(database)
    start = threading.Barrier(8)
    given: list[int] = []

    def run() -> None:
        start.wait()
        given.append(database.run(lambda _: give(database, person).id))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 8
    assert len(set(given)) == 1


def test_what_was_consented_is_never_rewritten_not_even_by_the_owner(database):
    person = resident(database)
    given = give(database, person)
    withdraw(database, person)
    for statement in (
        "UPDATE consent SET covers_from = '2000-01-01' WHERE id = %s", "UPDATE consent SET ended_at = NULL WHERE id = %s",
        "DELETE FROM consent WHERE id = %s", "TRUNCATE consent CASCADE -- %s",
        "UPDATE consent_text SET zh = '' WHERE id > 0 OR id = %s", "DELETE FROM consent_text WHERE id > 0 OR id = %s",
    ):
        with database.connect_as_owner() as owner, pytest.raises(psycopg.Error) as refused:
            owner.execute(statement, (given.id,))  # type: ignore[arg-type]
        assert refused.value.sqlstate == "CH001", statement
    for statement in ("UPDATE consent SET covers_from = '2000-01-01'", "DELETE FROM consent", "UPDATE consent_text SET en = ''"):
        with database.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)  # type: ignore[arg-type]


def test_words_that_are_not_those_of_the_digest_cannot_be_stored(database):
    with database.connect_as_owner() as owner, pytest.raises(psycopg.errors.CheckViolation, match="digest_is_of_the_words"):
        owner.execute(
            """INSERT INTO consent_text (source, purpose, version, sensitive, material, zh, en, digest, published_on, published_by)
               VALUES ('x', 'quantification', 1, false, true, 'a', 'b', sha256('c'), '2026-01-01', 't')"""
        )


def test_the_database_lets_one_consent_stand(database):
    person = resident(database)
    given = give(database, person)
    with database.connect() as connection, pytest.raises(psycopg.errors.UniqueViolation, match="one_open_consent"):
        connection.execute(
            """INSERT INTO consent (account_id, text_id, source, purpose, covers_from, given_on, channel, given_by)
               SELECT account_id, text_id, source, purpose, covers_from, given_on, channel, given_by FROM consent WHERE id = %s""",
            (given.id,),
        )
