"""The tables are made once, by whoever starts first, and are never unwritten (design section 4 and 14)."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from carbonhui.core import embedded, migrations
from carbonhui.core.database import Database

NAME = f"being_migrated_{os.getpid()}"


@pytest.fixture
def empty(server: embedded.Server) -> Iterator[dict[str, Any]]:
    """A database without any table."""
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
        yield server.parameters(NAME)
        connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def tables(parameters: dict[str, Any]) -> set[str]:
    with psycopg.connect(**parameters) as connection:
        return {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def test_an_empty_database_gets_every_table_and_is_at_the_newest_step(empty: dict[str, Any]) -> None:
    migrations.bring_up_to_date(empty, profile="demo")
    assert {"transfer", "block", "matter", "policy_value", "reduction", "mint", "bill_offset", "deployment"} <= tables(empty)
    with psycopg.connect(**empty) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (migrations.head(),)
        assert connection.execute("SELECT profile FROM deployment").fetchone() == ("demo",)


def test_every_step_has_its_sql_and_they_follow_one_another() -> None:
    steps = sorted(path.stem for path in migrations.STEPS.glob("[0-9]*.py"))
    assert steps == sorted(path.stem for path in migrations.STEPS.glob("[0-9]*.sql"))
    assert [int(step[:4]) for step in steps] == list(range(1, len(steps) + 1))
    assert steps[-1] == migrations.head()


def test_a_step_that_fails_leaves_nothing_behind(empty: dict[str, Any]) -> None:
    with psycopg.connect(**empty) as connection:
        connection.execute("CREATE TABLE bill_offset (in_the_way boolean)")
    with pytest.raises(Exception, match="bill_offset"):
        migrations.bring_up_to_date(empty, profile="demo")
    assert tables(empty) == {"bill_offset"}


def test_of_six_that_start_at_once_one_makes_the_tables_and_all_find_them(empty: dict[str, Any]) -> None:
    together = threading.Barrier(6)

    def start(_: int) -> None:
        together.wait()
        migrations.bring_up_to_date(empty, profile="demo")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(start, range(6)))
    with psycopg.connect(**empty) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM deployment").fetchone() == (1,)


def test_two_processes_may_start_on_one_empty_database_at_once(empty: dict[str, Any], tmp_path: Any) -> None:
    import subprocess
    import sys

    words = (
        "import sys, json; from carbonhui.core import migrations; sys.stdin.readline(); "
        "migrations.bring_up_to_date(json.loads(sys.argv[1]), profile='demo'); print('ready')"
    )
    import json

    starts = [
        subprocess.Popen([sys.executable, "-c", words, json.dumps(empty)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("go\n")
        start.stdin.flush()
    assert [start.communicate(timeout=300)[0].strip() for start in starts] == ["ready", "ready"]
    assert "transfer" in tables(empty)


def test_a_store_at_its_newest_step_starts_although_another_holds_the_lock(unchecked_database: Database) -> None:
    """The second start looks and leaves: it takes no lock and changes no row."""
    with unchecked_database.connect_as_owner() as other:
        before = other.execute("SELECT xmin::text FROM deployment").fetchone()
        other.execute(f"SELECT pg_advisory_lock({migrations._LOCK})")
        impatient = unchecked_database.parameters | {"options": "-c statement_timeout=30000"}
        migrations.bring_up_to_date(impatient, profile="demo")
        migrations.bring_up_to_date(impatient, profile=None)
        assert other.execute("SELECT xmin::text FROM deployment").fetchone() == before


def test_a_store_of_a_newer_release_is_refused_and_not_touched(unchecked_database: Database) -> None:
    with unchecked_database.connect_as_owner() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
    with pytest.raises(migrations.StoreNewer) as refused:
        migrations.bring_up_to_date(unchecked_database.parameters, profile="demo")
    assert refused.value.facts == {"found": "9999_from_the_future", "head": migrations.head()}
    with unchecked_database.connect_as_owner() as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999_from_the_future",)


@pytest.mark.parametrize(("first", "second"), [("demo", "guangzhou"), ("guangzhou", "demo")])
def test_a_store_belongs_to_one_profile_for_ever(empty: dict[str, Any], server: embedded.Server, first: str, second: str) -> None:
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {NAME}")
        connection.execute(f"CREATE DATABASE {NAME} TEMPLATE template_books")
    migrations.bring_up_to_date(empty, profile=None)
    migrations.bring_up_to_date(empty, profile=first)
    with pytest.raises(migrations.ProfileDiffers) as refused:
        migrations.bring_up_to_date(empty, profile=second)
    assert refused.value.facts == {"found": first, "asked": second}
    migrations.bring_up_to_date(empty, profile=first)


def test_a_user_who_may_not_make_tables_is_told_so(empty: dict[str, Any], server: embedded.Server) -> None:
    clerk = f"poor_clerk_{os.getpid()}"
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {clerk} LOGIN NOCREATEROLE")
    try:
        with pytest.raises(migrations.StoreForbidden) as refused:
            migrations.bring_up_to_date(empty | {"user": clerk}, profile="demo")
        assert refused.value.facts["reason"]
    finally:
        with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP ROLE {clerk}")
