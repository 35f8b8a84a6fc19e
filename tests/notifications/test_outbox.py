"""What is announced is entered with what happened: told if it is true, and only then (design, I13)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from carbonhui import notifications
from carbonhui.core.clock import SystemClock
from carbonhui.notifications.topics import PAYLOAD_BYTES_MAX, checked_payload
from tests.notifications.conftest import ORGANISATION, add, broken, resident, states, tell


def test_what_was_rolled_back_is_told_to_nobody(database, vault, receiver):
    add(database, vault, receiver.url)
    with pytest.raises(RuntimeError), database.begin() as session:
        notifications.announce(session, "activity.batch.received", payload={"batch": 1}, organisation=ORGANISATION)
        raise RuntimeError
    notifications.relay(database, vault, clock=SystemClock())
    assert receiver.got == []


def test_each_organisation_is_told_its_own_and_only_the_topics_it_asked_for(database, vault, receiver):
    add(database, vault, receiver.url + "/all")
    add(database, vault, receiver.url + "/credits", topics=("credit.received",))
    add(database, vault, receiver.url + "/other", organisation=8)
    tell(database)
    notifications.relay(database, vault, clock=SystemClock())
    assert [received.path for received in receiver.got] == ["/notices/all"]


def test_what_happened_before_an_endpoint_was_added_is_not_told_to_it(database, vault, receiver):
    tell(database)
    add(database, vault, receiver.url)
    notifications.relay(database, vault, clock=SystemClock())
    assert receiver.got == []


def test_announcements_while_subscriptions_change_are_told_or_not_but_never_lost(database, vault, receiver):
    """The check knows by number which announcement an endpoint was to be told, so it would name a lost one."""
    stop = threading.Event()

    def announce() -> None:
        while not stop.is_set():
            tell(database)

    with ThreadPoolExecutor(3) as pool:
        announcing = [pool.submit(announce) for _ in range(3)]
        for _ in range(6):
            endpoint, _ = add(database, vault, receiver.url)
            with database.begin() as session:
                notifications.ping(session, endpoint)
            with database.begin() as session:
                notifications.remove_endpoint(session, endpoint)
        stop.set()
        for each in announcing:
            each.result()
    assert broken(database) == []


@pytest.mark.parametrize("payload", [{}, {"batch": 1.0}, {"batch": "王女士"}, {"batch": {"a": 1}}, {"batch": 2**53}, {"Batch": 1, "batch": 1}])
def test_a_payload_holds_numbers_and_codes_only(payload):
    with pytest.raises(AssertionError):
        checked_payload("activity.batch.received", payload)


@pytest.mark.parametrize("key", ["mobile", "new_mobile", "id_number", "name", "home_address", "birthday", "card"])
def test_no_key_of_a_payload_names_a_personal_field(key):
    with pytest.raises(AssertionError):
        checked_payload("ping", {key: 1})


@pytest.mark.parametrize("text", ["13800138000", "+8613800138000", "11010519491231002X"])
def test_a_mobile_or_an_identity_number_does_not_pass_for_a_code(text):
    with pytest.raises(AssertionError):
        checked_payload("ping", {"reference": text})


def test_an_unknown_topic_cannot_be_announced():
    with pytest.raises(AssertionError):
        checked_payload("credit.stolen", {})


def test_a_payload_stays_thin(database):
    fitting = {"numbers": [1] * ((PAYLOAD_BYTES_MAX - len('{"numbers":[]}') + 1) // 2)}
    with database.begin() as session:
        notifications.announce(session, "ping", payload=fitting, organisation=ORGANISATION)
    with pytest.raises(AssertionError):
        checked_payload("ping", {"numbers": [*fitting["numbers"], 1]})
    with database.connect() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("INSERT INTO announcement (topic, payload) VALUES ('ping', %s)", ('{"a":"%s"}' % ("x" * 20_000),))


def test_the_record_is_never_rewritten_not_even_by_the_owner(database, vault, receiver):
    add(database, vault, receiver.url)
    tell(database)
    notifications.relay(database, vault, clock=SystemClock())
    with database.connect_as_owner(autocommit=True) as connection:
        for statement in (
            "UPDATE announcement SET topic = 'ping'", "DELETE FROM announcement", "TRUNCATE announcement CASCADE",
            "DELETE FROM webhook_delivery", "UPDATE webhook_delivery SET state = 'waiting'",
            "UPDATE webhook_subscription SET topic = 'ping'", "DELETE FROM webhook_subscription",
            "UPDATE webhook_endpoint SET url = 'https://example.org'", "DELETE FROM webhook_endpoint",
        ):  # fmt: skip
            with pytest.raises(psycopg.Error) as told:
                connection.execute(statement)
            assert told.value.sqlstate == "CH001", statement


def test_the_application_may_not_rewrite_the_outbox(database):
    tell(database)
    with pytest.raises(DBAPIError), database.begin() as session:
        session.connection().exec_driver_sql("DELETE FROM announcement")


BREAKS = {
    "DELETE FROM webhook_delivery": "no delivery",
    "UPDATE webhook_endpoint SET state = 'disabled'": "waits for an endpoint that is disabled",
    "UPDATE webhook_delivery SET attempts = 10": "waits without an attempt left",
    "UPDATE announcement SET organisation = 8": "of another organisation",
    "UPDATE inbox_message SET account_id = account_id - 1": "in the inbox of another account",
}


def test_the_check_names_what_was_broken_by_hand(unchecked_database, vault, receiver):
    database = unchecked_database
    resident(database)
    add(database, vault, receiver.url)
    tell(database)
    with database.begin() as session:
        notifications.announce(session, "credit.received", payload={"credits": 3}, account=resident(database))
    assert broken(database) == []
    with database.connect_as_owner() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.commit()
        ((_, _, _, query),) = notifications.CHECK_QUERIES
        for statement, what in BREAKS.items():
            connection.execute(statement)
            assert what in [row[2] for row in connection.execute(query)], statement
            connection.rollback()


def test_the_figures_tell_how_the_outbox_stands(database, vault, receiver):
    add(database, vault, receiver.url)
    with database.begin() as session:
        assert notifications.figures(session) == notifications.Figures(0, 0, 0, 0)
    tell(database)
    with database.begin() as session:
        found = notifications.figures(session)
    assert (found.waiting, found.dead, found.delivered_last_day) == (1, 0, 0) and found.oldest_waiting_s >= 0
    notifications.relay(database, vault, clock=SystemClock())
    with database.begin() as session:
        assert notifications.figures(session) == notifications.Figures(0, 0, 1, 0)
    assert states(database) == [("delivered", 1, "delivered")]
