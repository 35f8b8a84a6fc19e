"""Residents register with a mobile number, and the books never learn it (Articles 11, 13)."""

import threading
from datetime import date
from uuid import UUID

import psycopg
import pytest

from carbonhui import ledger, participants, privacy
from tests.participants.people import TODAY, register, self_reader, sqlstate_of


@pytest.fixture
def mobile(town):
    return town.mobile()


@pytest.fixture
def other(town):
    return town.mobile()



def test_who_registers_has_an_account_and_a_handle_and_nothing_else_in_the_books(town, mobile):
    resident = register(town.database, town.vault, mobile)
    assert (resident.level, resident.state, resident.language, resident.guardian_until) == (
        "registered", "active", "zh", None,
    )  # fmt: skip
    with town.database.begin() as session:
        account = ledger.balance_of(session, resident.account_id)
        assert (account.kind, account.name, account.posted) == (ledger.Kind.PERSON, None, 0)
        row = session.connection().exec_driver_sql(f"SELECT person::text FROM person WHERE id = {resident.id}").scalar_one()
    assert mobile not in row


def test_a_person_is_found_by_number_handle_account_and_mobile(town, mobile, other):
    resident = register(town.database, town.vault, mobile)
    with town.database.begin() as session:
        assert participants.person(session, resident.id) == resident
        assert participants.person_by_handle(session, resident.handle) == resident
        assert participants.person_by_handle(session, str(resident.handle)) == resident
        assert participants.person_of_account(session, resident.account_id) == resident
        assert participants.person_by_mobile(session, town.vault, mobile) == resident
        assert participants.person_by_mobile(session, town.vault, "+86" + mobile) == resident
        assert participants.person_by_mobile(session, town.vault, other) is None


@pytest.mark.parametrize("handle", ["", "1", "nobody", "c15dfd21-1506-4fff-a1d9-4ec538d9c524", UUID(int=0)])
def test_nobody_is_found_by_a_strange_handle(town, handle):
    with town.database.begin() as session, pytest.raises(participants.PersonUnknown):
        participants.person_by_handle(session, handle)


def test_nobody_is_found_by_a_strange_number_or_an_organisations_account(town):
    with town.database.begin() as session:
        merchant = ledger.open_account(session, ledger.Kind.MERCHANT, name="grocer")
        for search, number in ((participants.person, 10**9), (participants.person_of_account, merchant)):
            with pytest.raises(participants.PersonUnknown):
                search(session, number)


@pytest.mark.parametrize("prefix", ["", "+86"])
def test_one_mobile_number_leads_to_one_person(town, mobile, prefix):
    register(town.database, town.vault, mobile)
    with pytest.raises(participants.MobileTaken) as refused:
        register(town.database, town.vault, prefix + mobile)
    assert mobile not in str(refused.value)


def test_of_many_who_register_one_number_at_once_one_does(town, mobile):
    [(persons, accounts)] = town.rows(_COUNTED)
    outcomes: list[str] = []
    ready = threading.Barrier(6)

    def attempt() -> None:
        ready.wait()
        try:
            town.database.run(lambda session: participants.register_person(session, town.vault, mobile=mobile, on=TODAY))
            outcomes.append("registered")
        except participants.MobileTaken:
            outcomes.append("refused")

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 5 + ["registered"]
    assert town.rows(_COUNTED) == [(persons + 1, accounts + 1)]


_COUNTED = "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM account WHERE kind = 1)"


def test_a_person_reads_what_is_known_and_the_reading_is_on_record(town, mobile):
    resident = register(town.database, town.vault, mobile)
    with town.database.begin() as session:
        assert participants.profile_of(session, town.vault, resident, self_reader(resident)) == {"mobile": "+86" + mobile}
        assert [read.purpose for read in privacy.reads_of(session, resident.subject)] == ["profile"]


def test_a_changed_number_leads_to_the_same_person_and_frees_the_old_one(town, mobile, other):
    resident = register(town.database, town.vault, mobile)
    with town.database.begin() as session:
        participants.change_mobile(session, town.vault, resident, mobile=other)
        assert participants.person_by_mobile(session, town.vault, mobile) is None
        assert participants.person_by_mobile(session, town.vault, other) == resident
        assert participants.profile_of(session, town.vault, resident, self_reader(resident))["mobile"] == "+86" + other
    assert register(town.database, town.vault, mobile).id != resident.id


def test_a_number_of_somebody_else_is_not_taken_over(town, mobile, other):
    resident, neighbour = register(town.database, town.vault, mobile), register(town.database, town.vault, other)
    with town.database.begin() as session:
        with pytest.raises(participants.MobileTaken):
            participants.change_mobile(session, town.vault, resident, mobile=other)
        assert participants.person_by_mobile(session, town.vault, other) == neighbour
        assert participants.person_by_mobile(session, town.vault, mobile) == resident


def test_a_person_is_written_to_in_their_language(town, mobile):
    resident = register(town.database, town.vault, mobile)
    with town.database.begin() as session:
        assert participants.change_language(session, resident, "en").language == "en"


def test_self_declared_activity_finds_the_person_by_their_handle_from_the_first_day(town, mobile):
    resident = register(town.database, town.vault, mobile)
    with town.database.begin() as session:
        participants.link_handle(session, town.settings, resident)
        participants.link_handle(session, town.settings, resident)
        key = privacy.load_or_make_key(town.settings.blind_key_file)
        subject = privacy.blind_index(key, "person", str(resident.handle))
        expected = [participants.Link(subject, resident.account_id, TODAY, None)]
        assert participants.accounts_of(session, "person") == expected


def test_the_store_itself_keeps_a_person_as_they_are(town, mobile):
    register(town.database, town.vault, mobile)
    for statement, sqlstate in (
        ("UPDATE person SET handle = gen_random_uuid()", "CH001"),
        ("UPDATE person SET subject = 2", "CH001"),
        ("UPDATE person SET registered_on = '2020-01-01'", "CH001"),
        ("UPDATE person SET state = 'erased'", "23514"),
        ("UPDATE person SET state = 'erased', erased_at = now()", "CH003"),
        ("UPDATE person SET guardian_until = '2030-01-01'", "23514"),
        ("UPDATE person SET state = 'sleeping'", "23514"),
        ("DELETE FROM person", "CH001"),
        ("TRUNCATE person CASCADE", "CH001"),
    ):
        assert sqlstate_of(town.database, statement) == sqlstate, statement


def test_an_organisations_account_is_no_persons(town):
    with town.database.connect_as_owner() as owner, pytest.raises(psycopg.Error) as refused:
        owner.execute("INSERT INTO account (kind, asset) VALUES (2, 1)")
        owner.execute("INSERT INTO data_subject DEFAULT VALUES")
        owner.execute(
            """INSERT INTO person (account_id, subject, language, registered_on)
               SELECT account.id, data_subject.id, 'zh', %s FROM account, data_subject
               WHERE (account.id, data_subject.id) = ((SELECT max(id) FROM account), (SELECT max(id) FROM data_subject))""",
            (date(2026, 1, 1),),
        )
    assert refused.value.sqlstate == "CH003"
