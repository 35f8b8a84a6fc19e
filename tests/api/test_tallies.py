"""Rows are counted once, whichever process is asked and whenever a transaction ends."""

import pytest

from carbonhui.api import tallies
from carbonhui.api.tallies import Tally
from tests.ledger.books import mint_to, resident


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The seconds that have passed."""
    passed = [0.0]
    monkeypatch.setattr(tallies.time, "monotonic", lambda: passed[0])
    return passed


@pytest.fixture(autouse=True)
def rows(unchecked_database):
    with unchecked_database.connect_as_owner(autocommit=True) as owner:
        owner.execute("DROP TABLE IF EXISTS counted")
        owner.execute("CREATE TABLE counted (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text)")
        owner.execute("GRANT ALL ON counted TO carbonhui_app")


@pytest.fixture
def connection(unchecked_database):
    with unchecked_database.connect(autocommit=True) as opened:
        yield opened


def tally() -> Tally:
    return Tally(
        "counted_total", "Words.", "word", "SELECT max(id) FROM counted",
        "SELECT word, count(*) FROM counted WHERE id > %s AND id <= %s GROUP BY word",
    )  # fmt: skip


def enter(connection, *words: str) -> None:
    for word in words:
        connection.execute("INSERT INTO counted (word) VALUES (%s)", (word,))


def test_each_row_is_counted_once_by_each_process_and_told_the_same(connection, clock):
    one, other = tally(), tally()
    assert one.told(connection) == {}
    for step in range(1, 12):
        enter(connection, "a", "b", "a")
        clock[0] += 100
        assert one.told(connection) == {"a": 2 * step, "b": step}
    assert other.told(connection) == one.told(connection)


def test_a_transaction_that_took_an_earlier_number_and_ends_later_is_counted(connection, clock, unchecked_database):
    found = tally()
    with unchecked_database.connect() as slow:
        enter(slow, "slow")
        enter(connection, "quick")
        assert found.told(connection) == {"quick": 1}
        clock[0] += tallies._SETTLED_AFTER_S - 1
        assert found.told(connection) == {"quick": 1}
        slow.commit()
    for _ in range(3):
        clock[0] += tallies._SETTLED_AFTER_S
        assert found.told(connection) == {"quick": 1, "slow": 1}


def test_what_is_settled_is_not_counted_again(connection, clock):
    found = tally()
    enter(connection, "a", "a", "b")
    found.told(connection)
    clock[0] += tallies._SETTLED_AFTER_S
    found.told(connection)
    found.query = "SELECT word, count(*) FROM counted WHERE id > %s AND id <= %s AND word <> 'b' GROUP BY word"
    assert found.told(connection) == {"a": 2, "b": 1}


def test_a_big_store_is_told_once_it_is_caught_up_with(connection, clock, monkeypatch):
    monkeypatch.setattr(tallies, "_ANEW_MAX", 10)
    monkeypatch.setattr(tallies, "_ROWS_AT_ONCE", 7)
    found = tally()
    enter(connection, *["a"] * 25)
    assert found.told(connection) is None
    clock[0] += tallies._SETTLED_AFTER_S
    assert found.told(connection) == {"a": 25}


def test_readings_and_movements_are_among_the_counters(client, unchecked_database):
    with unchecked_database.begin() as session:
        mint_to(session, resident(session), 5)
    with unchecked_database.connect(autocommit=True) as connection:
        connection.execute("INSERT INTO data_subject DEFAULT VALUES")
        connection.execute(
            "INSERT INTO personal_read (subject, fields, actor, role, purpose)"
            " SELECT max(id), '{mobile}', 'staff:1', 'staff:support', 'complaint' FROM data_subject"
        )
    told = client.get("/metrics").text
    assert "# TYPE carbonhui_pii_reads_total counter" in told
    assert 'carbonhui_pii_reads_total{role="staff:support"} 1\n' in told
    assert 'carbonhui_ledger_entries_total{kind="mint"} 1\n' in told
    assert "carbonhui_outbox_dead 0\n" in told
    assert "carbonhui_ledger_imbalance_credits 0\n" in told
