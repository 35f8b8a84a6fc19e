"""Taking in what service institutions measured (Articles 12, 16)."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from carbonhui.activity.batches import loaded_before, refuse_outdated, source_locked
from carbonhui.activity.judging import of
from carbonhui.activity.limits import Limits, limits_on
from carbonhui.activity.loading import Incoming, Loading, Progress
from carbonhui.activity.profile import Profile
from carbonhui.activity.profile_files import profile_for
from carbonhui.activity.quarantine import first_refused
from carbonhui.activity.receiving import look_at
from carbonhui.activity.reports import BatchReport, Trial, report_again, report_of
from carbonhui.activity.small_batches import incoming_rows
from carbonhui.activity.staging import stage, staging
from carbonhui.activity.stations import read_stations
from carbonhui.core.clock import CITY_TIME, Clock, SystemClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings

_SHOWN = 10


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
    chosen = profile_for(settings, profile)
    incoming = _incoming_file(path, chosen)
    return _take_in(database, settings, incoming, chosen, received_by, stations, progress, clock)


def load_rows(
    database: Database,
    settings: Settings,
    rows: Sequence[Mapping[str, str]],
    profile: str,
    *,
    received_by: str,
    stations: Path | None = None,
    clock: Clock | None = None,
) -> BatchReport:
    """Take in up to 10,000 rows that came without a file, each a text for each column of the profile.

    They are judged, recorded and reported as a file's are; the same rows again change nothing.
    What persons declare of themselves has no quarantine file: ``refused_rows`` of the report
    names what was refused, and then nobody has it any more.
    Raises `RowsUnusable`, `TooManyRows`, and what `load` refuses.
    """
    chosen = profile_for(settings, profile)
    incoming = incoming_rows(rows, chosen)
    return _take_in(database, settings, incoming, chosen, received_by, stations, None, clock)


def try_out(
    database: Database,
    settings: Settings,
    path: Path,
    profile: Profile,
    *,
    stations: Path | None = None,
    clock: Clock | None = None,
) -> Trial:
    """What would become of a file by a profile that may not be installed yet; nothing is recorded.

    Raises the refusals of a whole file.
    """
    incoming = _incoming_file(path, profile)
    with (
        _under_way(database, settings, incoming, profile, "nobody", stations, None, clock) as loading,
        staging(settings.home / "intake" / profile.source) as engine,
    ):
        rows_in, counted = loading.judge(engine)
        return Trial(
            profile=profile.name,
            rows_in=rows_in,
            accepted=counted.accepted,
            duplicate=counted.duplicate,
            refused_by=counted.refused_by,
            acts=counted.acts,
            first_refused=first_refused(engine, _SHOWN, _subject(profile)),
        )


def _subject(profile: Profile) -> str:
    column = profile.subject_column
    return of(profile, column) if column is not None else "NULL"


def _incoming_file(path: Path, profile: Profile) -> Incoming:
    received = look_at(path)
    return Incoming(path.name, received.digest, partial(stage, received=received, profile=profile))


def _take_in(
    database: Database, settings: Settings, incoming: Incoming, profile: Profile, received_by: str,
    stations: Path | None, progress: Progress | None, clock: Clock | None,
) -> BatchReport:  # fmt: skip
    started = time.monotonic()
    with _under_way(database, settings, incoming, profile, received_by, stations, progress, clock) as loading:
        before = loaded_before(
            loading.connection, profile, incoming.digest, loading.stations_digest, loading.limits
        )
        if before is not None:
            return report_again(before, settings, time.monotonic() - started)
        batch, named = loading.run()
        return report_of(batch, settings, time.monotonic() - started, named)


@contextmanager
def _under_way(
    database: Database, settings: Settings, incoming: Incoming, profile: Profile, received_by: str,
    stations: Path | None, progress: Progress | None, clock: Clock | None,
) -> Iterator[Loading]:  # fmt: skip
    """A delivery whose source is locked and whose thresholds are known."""
    places, stations_digest = read_stations(profile, stations) if profile.stations else ({}, None)
    now = (clock or SystemClock()).now()
    tell = progress or _say_nothing
    tell("waiting", 0)
    with source_locked(database, profile.source) as connection:
        refuse_outdated(connection, profile.source)
        limits = _limits(connection, profile, now)
        yield Loading(settings, profile, incoming, limits, places, stations_digest, received_by, now, connection, tell)


def _limits(connection: psycopg.Connection[Any], profile: Profile, now: datetime) -> Limits:
    with connection.transaction():
        return limits_on(connection, profile, now.astimezone(CITY_TIME).date())


def _say_nothing(step: str, rows: int) -> None:
    return None
