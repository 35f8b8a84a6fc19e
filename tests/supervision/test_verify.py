"""Every check of every room is run over one instant of the books (Articles 36-38)."""

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import carbonhui
from carbonhui import ledger, policy, publicfees, supervision
from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.database import Database, connection_of
from tests.ledger.books import DAY, fresh, give, mint_to, organisation, put_in_force, resident, town

__all__ = ["town"]


@pytest.fixture(scope="module")
def lived_in(town: Database) -> Database:
    """Books in which something of every kind has happened."""
    with town.begin() as session:
        put_in_force(session, policy.PAR, 20_000, date(2020, 1, 1))
        put_in_force(session, policy.OFFSET_CAP, 10, date(2020, 1, 1))
        payer, friend = resident(session, 50), resident(session)
        give(session, payer, friend, 20)
        publicfees.offset_bill(
            session, resident=payer, department=organisation(session, ledger.Kind.DEPARTMENT), bill="water-1",
            bill_fen=Fen(2_000), credits=Credits(10), reference=fresh(), business_date=DAY,
        )
    return town


@contextmanager
def broken(database: Database, statement: str) -> Iterator[Session]:
    """The books after the owner's own hand, with the guards asleep; nothing of it is kept."""
    engine = create_engine("postgresql+psycopg://", creator=database.connect_as_owner)
    try:
        with Session(engine) as session:
            connection_of(session).execute("SET LOCAL session_replication_role = replica")
            connection_of(session).execute("DROP INDEX one_reference_one_effect")
            assert connection_of(session).execute(statement).rowcount > 0
            yield session
    finally:
        engine.dispose()


def test_every_room_that_has_checks_is_watched():
    rooms = [importlib.import_module(f"carbonhui.{room.name}") for room in pkgutil.iter_modules(carbonhui.__path__)]
    watched = {check.name: check.query for check in supervision.CHECKS}
    assert len(watched) == len(supervision.CHECKS)
    checks = {check for room in rooms for check in getattr(room, "CHECKS", ())}
    assert {check.name for check in checks} <= set(watched)
    assert [check.name for check in checks if check.query not in watched[check.name]] == []
    # A room on the storey of the ledger cannot use its form of a check, and gives the queries alone.
    queries = [part for room in rooms for truth in getattr(room, "CHECK_QUERIES", ()) for part in truth[-1:]]
    assert queries
    assert [query for query in queries if not any(query in other for other in watched.values())] == []


def test_the_checks_are_told_in_the_order_of_their_numbers(lived_in: Database):
    with lived_in.snapshot() as session:
        verdicts = supervision.verify(session)
    assert [verdict.check.name for verdict in verdicts] == [
        "I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9", "I12", "I13", "I14", "I15", "I16", "I17", "I18", "I19",
    ]  # fmt: skip
    assert all(verdict.holds for verdict in verdicts)
    assert all(verdict.check.says and verdict.check.says_zh for verdict in verdicts)


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("I1", "DELETE FROM block WHERE first = (SELECT max(first) FROM block)"),
        ("I2", "UPDATE transfer SET group_id = 999999 WHERE id = (SELECT max(id) FROM transfer)"),
        ("I3", "INSERT INTO incoming SELECT account_id, -1000 FROM balance WHERE deferred AND NOT is_source"),
        ("I4", "UPDATE block SET account_id = account_id + 1 WHERE first = (SELECT min(first) FROM block)"),
        ("I5", "UPDATE balance SET posted = posted + 1 WHERE account_id = (SELECT min(account_id) FROM balance)"),
        ("I7", "UPDATE transfer SET reference = 'one-for-all' WHERE reference IS NOT NULL"),
        ("I8", "UPDATE reduction SET mg = mg + 1 WHERE id = (SELECT min(id) FROM reduction)"),
        ("I9", "UPDATE bill_offset SET credits = credits + 1"),
    ],
)
def test_a_break_by_hand_is_named(lived_in: Database, name: str, statement: str):
    with broken(lived_in, statement) as session:
        verdicts = {verdict.check.name: verdict for verdict in supervision.verify(session)}
    assert verdicts[name].broken
    assert verdicts[name].broken[0].check == name


def test_a_snapshot_sees_one_instant_while_others_write(lived_in: Database):
    with lived_in.snapshot() as before:
        counted = "SELECT count(*) FROM transfer"
        at_first = connection_of(before).execute(counted).fetchone()
        with lived_in.begin() as session:
            mint_to(session, resident(session), 5)
        assert connection_of(before).execute(counted).fetchone() == at_first
        assert all(verdict.holds for verdict in supervision.verify(before))


def test_a_broken_check_gives_at_most_a_hundred_rows(lived_in: Database):
    with lived_in.begin() as session:
        for _ in range(101):
            mint_to(session, resident(session), 1)
    with broken(lived_in, "UPDATE reduction SET mg = mg + 1") as session:
        verdicts = {verdict.check.name: verdict for verdict in supervision.verify(session)}
    assert len(verdicts["I8"].broken) == 100
