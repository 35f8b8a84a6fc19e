"""Loading a file of activity (Articles 12, 16)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from carbonhui import privacy
from carbonhui.activity import readings, trips
from carbonhui.activity.batches import Batch, loaded_before, next_batch_id, record, source_files, source_locked
from carbonhui.activity.lake import LakeFile, write_lake
from carbonhui.activity.profile import Profile, profile_named
from carbonhui.activity.quarantine import write_quarantine
from carbonhui.activity.receiving import Received, look_at
from carbonhui.activity.refusals import ProfileForDemoOnly
from carbonhui.activity.settling import settle_duplicates, settle_overlaps, tally
from carbonhui.activity.staging import stage, staging
from carbonhui.activity.stations import Place, read_stations
from carbonhui.core.clock import Clock, SystemClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings

#: Told the name of each step as it begins, and the rows of the file (0 until they are counted).
Progress = Callable[[str, int], None]


@dataclass(frozen=True, kw_only=True)
class BatchReport:
    """What became of one file: accepted + duplicate + refused = rows_in.

    ``already_loaded_as`` is the batch of the same bytes, if they came before: then all
    rows are duplicates and nothing changed. ``moved_years`` were added to all dates.
    """

    batch_id: int
    source: str
    profile: str
    file_name: str
    rows_in: int
    accepted: int
    duplicate: int
    refused: int
    refused_by: dict[str, int]
    first_day: date | None
    last_day: date | None
    moved_years: int
    quarantine: Path | None
    seconds: float
    already_loaded_as: int | None = None


def load(
    database: Database,
    settings: Settings,
    path: Path,
    profile: str,
    *,
    received_by: str,
    stations: Path | None = None,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> BatchReport:
    """Take in one file of a service institution; every row ends in exactly one place.

    This verb opens its own transactions, because it also writes files: those are put
    in place first, and one transaction at the end makes them count. A loader that dies
    before it leaves files that nobody reads. One file of a source is loaded at a time.

    Raises the refusals of a whole file (``refusals.py``): then nothing is loaded.
    """
    started = time.monotonic()
    chosen = profile_named(profile)
    if chosen.demonstration and not settings.is_demo:
        raise ProfileForDemoOnly(profile=profile, store=settings.profile)
    received = look_at(path)
    places, stations_digest = read_stations(chosen, stations) if chosen.stations else ({}, None)
    tell = progress or _say_nothing
    tell("waiting", 0)
    with source_locked(database, chosen.source) as connection:
        before = loaded_before(connection, profile, received.digest, stations_digest)
        if before is not None:
            return _again(before, settings, started)
        now = (clock or SystemClock()).now()
        work = _Load(settings, chosen, received, stations_digest, received_by, connection, tell)
        return _report(work.run(places, now), settings, started)


def _say_nothing(step: str, rows: int) -> None:
    return None


@dataclass(frozen=True)
class _Load:
    """One file under way, with everything that its steps share."""

    settings: Settings
    profile: Profile
    received: Received
    stations_digest: bytes | None
    received_by: str
    connection: psycopg.Connection[Any]
    tell: Progress

    def run(self, places: dict[str, list[Place]], now: datetime) -> Batch:
        with staging(self.settings.home / "intake" / self.profile.source) as engine:
            self.tell("reading", 0)
            rows_in = stage(engine, self.received, self.profile)
            self.tell("judging", rows_in)
            self._judge(engine, places, now)
            self.tell("settling", rows_in)
            self._settle(engine)
            return self._keep(engine, rows_in)

    def _judge(self, engine: duckdb.DuckDBPyConnection, places: dict[str, list[Place]], now: datetime) -> None:
        key = privacy.load_or_make_key(self.settings.blind_key_file)
        if self.profile.kind == "trip":
            trips.judge_trips(engine, self.profile, key, places, now)
        else:
            readings.judge_readings(engine, self.profile, key, now)

    def _settle(self, engine: duckdb.DuckDBPyConnection) -> None:
        lake, source = self.settings.lake, self.profile.source
        settle_duplicates(engine, self._kind.CONTENT, source_files(self.connection, lake, source))
        if self.profile.kind == "trip":
            first, last = _days(engine, "candidate")
            if first is not None and last is not None:
                # A trip that began the day before may still be under way.
                around = {"first": first - timedelta(days=1), "last": last + timedelta(days=1)}
                settle_overlaps(engine, source_files(self.connection, lake, source, **around))

    @property
    def _kind(self) -> Any:
        return trips if self.profile.kind == "trip" else readings

    def _keep(self, engine: duckdb.DuckDBPyConnection, rows_in: int) -> Batch:
        """Put the files in place, then record the batch: from that instant it counts."""
        accepted, duplicate, refused_by = tally(engine)
        assert accepted + duplicate + sum(refused_by.values()) == rows_in
        self.tell("writing", rows_in)
        batch_id = next_batch_id(self.connection)
        first, last = _days(engine, "accepted")
        batch = Batch(
            id=batch_id,
            source=self.profile.source,
            profile=self.profile.name,
            kind=self.profile.kind,
            file_name=self.received.path.name,
            digest=self.received.digest,
            stations_digest=self.stations_digest,
            moved_years=self.profile.moved_years,
            received_by=self.received_by,
            rows_in=rows_in,
            accepted=accepted,
            duplicate=duplicate,
            refused=sum(refused_by.values()),
            refused_by=refused_by,
            first_day=first,
            last_day=last,
            quarantine=f"{self.profile.name}-batch-{batch_id}.csv.gz" if refused_by else None,
        )
        record(self.connection, batch, self._write(engine, batch))
        return batch

    def _write(self, engine: duckdb.DuckDBPyConnection, batch: Batch) -> list[LakeFile]:
        if batch.quarantine is not None:
            write_quarantine(engine, self.settings.home / "quarantine" / batch.quarantine, self.profile)
        if not batch.accepted:
            return []
        return write_lake(
            engine,
            self.settings.lake,
            source=batch.source,
            batch_id=batch.id,
            digest=batch.digest,
            columns=self._kind.LAKE_COLUMNS,
        )


def _days(engine: duckdb.DuckDBPyConnection, table: str) -> tuple[date | None, date | None]:
    first, last = engine.execute(f"SELECT min(day), max(day) FROM {table}").fetchall()[0]
    return first, last


def _report(batch: Batch, settings: Settings, started: float) -> BatchReport:
    return BatchReport(
        batch_id=batch.id,
        source=batch.source,
        profile=batch.profile,
        file_name=batch.file_name,
        rows_in=batch.rows_in,
        accepted=batch.accepted,
        duplicate=batch.duplicate,
        refused=batch.refused,
        refused_by=batch.refused_by,
        first_day=batch.first_day,
        last_day=batch.last_day,
        moved_years=batch.moved_years,
        quarantine=settings.home / "quarantine" / batch.quarantine if batch.quarantine else None,
        seconds=time.monotonic() - started,
    )


def _again(before: Batch, settings: Settings, started: float) -> BatchReport:
    """The same bytes came before: all rows are duplicates, and nothing changes."""
    all_of_it = {"accepted": 0, "duplicate": before.rows_in, "refused": 0, "refused_by": {}}
    first = vars(_report(before, settings, started))
    return BatchReport(**{**first, **all_of_it, "already_loaded_as": before.id})
