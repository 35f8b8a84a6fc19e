"""Files of one shape only are read and written (Article 16)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carbonhui import activity
from carbonhui.core import embedded, migrations
from carbonhui.core.database import connection_of
from tests.activity.conftest import text, trip

OLD_BATCH = (
    "INSERT INTO batch (source, profile, kind, file_name, digest, moved_years, received_by, rows_in, accepted, duplicate,"
    " refused, refused_by, first_day, last_day{more}) VALUES ('mibici', 'mibici', 'trip', 'old.csv', sha256(''), 10, 'x', 5, 3, 1,"
    " 1, '{{}}', '2025-01-01', '2025-01-01'{values})"
)


def test_a_source_with_batches_of_an_older_form_takes_no_more(load, database, tmp_path: Path):
    with database.connect() as connection:
        connection.execute(OLD_BATCH.format(more=", evidence, acts, lake_form", values=", 'verified', 3, 1"))
    with pytest.raises(activity.LakeOutdated, match="mibici"):
        load(text(trip(1)))
    (tmp_path / "d.csv").write_text("trip_id\n1\n")
    with pytest.raises(activity.LakeOutdated):
        activity.declare_elsewhere(
            database, database.settings, tmp_path / "d.csv", "mibici", mechanism="CCER", declared_by="x"
        )
    with database.begin() as session, pytest.raises(activity.LakeOutdated):
        activity.refuse_outdated(connection_of(session), "mibici")
    with database.begin() as session:
        activity.refuse_outdated(connection_of(session), "sgsc")


@pytest.fixture
def before(server: embedded.Server) -> Iterator[psycopg.Connection[Any]]:
    """A store of the release before: without this step and those that follow it."""
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE released_before")
        with psycopg.connect(**server.parameters("released_before"), autocommit=True) as released:
            for step in sorted(migrations.STEPS.glob("000[1-7]*.sql")):
                released.execute(step.read_text(encoding="utf-8"))
            yield released
        connection.execute("DROP DATABASE released_before WITH (FORCE)")


def test_what_an_older_release_recorded_is_known_to_be_of_the_older_form(before):
    before.execute(OLD_BATCH.format(more="", values=""))
    before.execute((migrations.STEPS / "0008_activity.sql").read_text(encoding="utf-8"))
    asked = before.execute("SELECT accepted, acts, evidence, limits, lake_form, profile_digest FROM batch")
    assert asked.fetchall() == [(3, 3, "verified", {}, 1, None)]


def test_the_store_refuses_more_acts_than_accepted_rows(load, database):
    for acts in (4, 0):
        with database.connect() as connection, pytest.raises(psycopg.errors.CheckViolation, match="acts_come_from_rows"):
            connection.execute(OLD_BATCH.format(more=", evidence, acts, lake_form", values=f", 'verified', {acts}, 2"))
