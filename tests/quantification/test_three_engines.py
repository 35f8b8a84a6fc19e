"""Whatever measures, the milligrams are the same to the last one (Article 16).

DuckDB and Spark read the same statements; plain Python was written apart from them. A
made-up city, in which everything goes wrong that can, and real rides and meters give
every one of them the same counts and the same reductions.
"""

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest

from carbonhui import activity, consent, methodology, participants, quantification
from carbonhui.core import embedded, migrations
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.core.spark import spark_session, why_no_spark
from carbonhui.demo.city import approve_what_is_installed
from carbonhui.quantification.engines import ENGINES
from carbonhui.quantification.jobs import Engine
from tests.quantification.made_up import MadeUpCity, digest

SEEDS = range(4)
#: Why an act or a period is not measured, as far as engines find it out, and that it is.
REASONS = {
    "measured", "zero", "out_of_range", "unlinked", "no_consent", "used_elsewhere", "claimed_before", "capped_mg", "claim_window_over",
    "evidence_not_accepted", "excluded_own_pv", "excluded_tier_3", "coverage_too_low", "no_history", "meters_differ",
    "no_city_mean", "no_version_on_day", "period_unknown", "no_daily_readings", "mg", "persons",
}  # fmt: skip

#: Spark plans for much data by nature; for little, planning is all that takes time.
LITTLE = {"spark.sql.shuffle.partitions": "2", "spark.sql.adaptive.enabled": "false", "spark.sql.codegen.wholeStage": "false"}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One session for all tests here, because Spark takes seconds to start; made for little data."""
    reason = why_no_spark()
    if reason is not None:
        pytest.skip(reason)
    session = spark_session(tmp_path_factory.mktemp("spark"))
    for name, value in LITTLE.items():
        session.conf.set(name, value)
    yield
    session.stop()


def answers(name: str, city: MadeUpCity, folder: Path) -> list[object]:
    """All that an engine says of a made-up city."""
    (folder / name).mkdir()
    engine: Engine = ENGINES[name](folder / name)
    try:
        return list(city.answers(engine))
    finally:
        engine.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_sql_and_plain_python_agree_about_a_made_up_city(seed, tmp_path):
    city = MadeUpCity(seed, tmp_path)
    by_sql, by_python = answers("duckdb", city, tmp_path), answers("python", city, tmp_path)
    for one, other in zip(by_sql, by_python, strict=True):
        assert one == other
    assert digest(by_sql) == digest(by_python)


def test_in_every_made_up_city_everything_goes_wrong_that_can(tmp_path):
    found = answers("python", MadeUpCity(SEEDS[0], tmp_path), tmp_path)
    assert {why for answer in found if isinstance(answer, tuple) for why in answer[0]} == REASONS


@pytest.mark.usefixtures("spark")
def test_spark_agrees_about_a_made_up_city(tmp_path):
    city = MadeUpCity(SEEDS[0], tmp_path)
    # The others ask the same statements of other rows: rides against others, walks, months with exclusions, and days.
    city.acts, city.periods = [city.acts[1], city.acts[-1]], city.periods[::2]
    by_sql, by_spark = answers("duckdb", city, tmp_path), answers("spark", city, tmp_path)
    for one, other in zip(by_sql, by_spark, strict=True):
        assert one == other
    assert digest(by_sql) == digest(by_spark)


def test_without_java_spark_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(quantification.EngineMissing, match=r"spark cannot run here: (Spark needs Java|pyspark is not installed)"):
        ENGINES["spark"](tmp_path)


@pytest.mark.parametrize("name", ["duckdb", "spark"])
def test_a_number_beyond_64_bits_is_an_error_and_never_another_number(name, tmp_path, request):
    if name == "spark":
        request.getfixturevalue("spark")
    engine = ENGINES[name](tmp_path)
    try:
        for most in ("CAST(9223372036854775807 AS BIGINT) + CAST(1 AS BIGINT)", "CAST(sum(n) AS BIGINT)"):
            with pytest.raises(Exception, match=r"(?i)overflow|out of range"):
                engine.rows(f"SELECT {most} FROM (VALUES (CAST(9223372036854775807 AS BIGINT)), (CAST(1 AS BIGINT))) AS v (n)")
    finally:
        engine.close()


# Real rides and meters ---------------------------------------------------------------------------

SHIPPED = Path(str(files("carbonhui.demo") / "data"))
SHARED = Path(os.environ.get("CARBONHUI_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")


class RealCity:
    """A store with real activity that waits to be measured; each engine measures a copy of it."""

    def __init__(self, server: embedded.Server, settings: Settings) -> None:
        self.server, self.settings = server, settings
        self.name = f"real_{secrets.token_hex(4)}"
        self._make(self.name, "template_books")
        migrations.bring_up_to_date(server.parameters(self.name), profile="demo")

    def _make(self, name: str, template: str) -> None:
        with psycopg.connect(**self.server.parameters("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")

    def open(self, name: str) -> Database:
        return Database(parameters=self.server.parameters(name), settings=self.settings, server=None)

    def receive(self, loads: list[tuple[str, Path, Path | None]]) -> None:
        """Approve all that is installed, load the files and give everybody an account."""
        with self.open(self.name) as database:
            database.run(lambda session: approve_what_is_installed(session, methodology.installed_versions()))
            for name, path, stations in loads:
                activity.load(
                    database, self.settings, path, name, received_by="t", clock=SetClock.on(date(2026, 12, 31)), stations=stations
                )
                profile = activity.profile_named(name)
                with database.begin() as session:
                    found = activity.subjects(session, self.settings, profile.source)
                    participants.enrol(session, profile.scheme, found, date(2000, 1, 1))
                    consent.grant_for_demo(session, source=profile.source, scheme=profile.scheme, on=date(2026, 12, 31))

    def measured_by(self, engine: str) -> tuple[object, object]:
        """What became of all activity, piece by piece, and the digest of all reductions."""
        copy = f"{self.name}_{secrets.token_hex(2)}"
        self._make(copy, self.name)
        with self.open(copy) as database:
            report = quantification.quantify(database, self.settings, methodology.installed_versions(), engine=engine)
            with database.begin() as session:
                return report.pieces, quantification.digest_of_reductions(session)


@pytest.fixture(scope="module")
def real_city(request: pytest.FixtureRequest, server: embedded.Server, server_settings: Settings, tmp_path_factory) -> RealCity:
    home = tmp_path_factory.mktemp("real")
    settings = replace(server_settings, home=home, lake=home / "lake", blind_key_file=home / "blind-index.key")
    rides, stations, profile = request.param
    if not rides.is_file():
        pytest.skip(f"the shared data is not there: {rides} (set CARBONHUI_SHARED_DATA)")
    city = RealCity(server, settings)
    city.receive([(profile, rides, stations), ("sgsc-monthly", SHIPPED / "electricity-monthly.csv.gz", None)])
    return city


REAL = [
    pytest.param((SHIPPED / "trips.csv.gz", SHIPPED / "stations.csv", "bayarea-2014"), id="shipped"),
    pytest.param(
        (SHARED / "mibici-guadalajara" / "trips_2015-01.csv.gz", SHARED / "mibici-guadalajara" / "stations.csv", "mibici"), id="shared"
    ),
]


@pytest.mark.parametrize("real_city", REAL, indirect=True)
def test_sql_and_plain_python_agree_about_real_rides_and_meters(real_city):
    pieces, reductions = real_city.measured_by("duckdb")
    assert reductions.count > 1_000
    assert real_city.measured_by("python") == (pieces, reductions)


#: Spark takes its time over either city; one that is there is enough.
ONE_REAL = REAL[1:] if SHARED.is_dir() else REAL[:1]


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("real_city", ONE_REAL, indirect=True)
def test_spark_agrees_about_real_rides_and_meters(real_city):
    assert real_city.measured_by("spark") == real_city.measured_by("duckdb")
