"""One file under way: staged, judged row by row, settled against what came before, and kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import psycopg

from carbonhui import privacy
from carbonhui.activity import counts, readings, swipes, trips
from carbonhui.activity.batches import Batch, next_batch_id, record, source_files
from carbonhui.activity.elsewhere import write_declared
from carbonhui.activity.judging import Work, judge_elsewhere
from carbonhui.activity.lake import LAKE_COLUMNS, LakeFile, write_lake
from carbonhui.activity.limits import Limits, limit, refuse_changed_limits
from carbonhui.activity.profile import Profile
from carbonhui.activity.quarantine import RefusedRow, first_refused, write_quarantine
from carbonhui.activity.settling import (
    OF_BILLS,
    OF_TRIPS,
    Tally,
    prepare,
    settle_day_totals,
    settle_duplicates,
    settle_elsewhere,
    settle_overlaps,
    tally,
)
from carbonhui.activity.staging import staging
from carbonhui.activity.stations import Place
from carbonhui.core.clock import CITY_TIME
from carbonhui.core.settings import Settings
from carbonhui.participants import HANDLE_SCHEME

#: Told the name of each step as it begins, and the rows of the file (0 until they are counted).
Progress = Callable[[str, int], None]
#: No bill is longer, whatever was approved.
_LONGEST_BILL = timedelta(days=400)
_KINDS: dict[str, Any] = {"trip": trips, "swipe": swipes, "reading": readings, "count": counts}
_JUDGES: dict[str, Callable[[Work], None]] = {
    "trip": trips.judge_trips,
    "swipe": swipes.judge_swipes,
    "reading": readings.judge_readings,
    "count": counts.judge_counts,
}


@dataclass(frozen=True)
class Incoming:
    """What was handed in: its name, its digest, and how its rows are put into the engine."""

    name: str
    digest: bytes
    stage: Callable[[duckdb.DuckDBPyConnection], int]
    #: Whether who sent it is told of each row while they wait.
    answered_at_once: bool = False


@dataclass(frozen=True)
class Loading:
    """One delivery under way, with everything that its steps share."""

    settings: Settings
    profile: Profile
    incoming: Incoming
    limits: Limits
    places: dict[str, list[Place]]
    stations_digest: bytes | None
    received_by: str
    now: datetime
    connection: psycopg.Connection[Any]
    tell: Progress

    def run(self) -> tuple[Batch, tuple[RefusedRow, ...]]:
        """Take it in; from its record on it counts. Also the refused rows, where no quarantine file keeps them."""
        with staging(self.settings.home / "intake" / self.profile.source) as engine:
            rows_in, counted = self.judge(engine)
            self.tell("writing", rows_in)
            named = () if self._keeps_refused else first_refused(engine, rows_in)
            return self._keep(engine, rows_in, counted), named

    @property
    def _keeps_refused(self) -> bool:
        """A person repairs what they said themselves by saying it again, so nothing of it is kept."""
        is_own = self.profile.evidence == "self_declared" and self.profile.scheme == HANDLE_SCHEME
        return not (is_own and self.incoming.answered_at_once)

    def judge(self, engine: duckdb.DuckDBPyConnection) -> tuple[int, Tally]:
        """Where each row ends; nothing is kept yet."""
        self.tell("reading", 0)
        rows_in = self.incoming.stage(engine)
        self.tell("judging", rows_in)
        prepare(engine)
        key = privacy.load_or_make_key(self.settings.blind_key_file)
        work = Work(engine, self.profile, self.limits, key, self.now, self.places)
        judge_elsewhere(work)
        _JUDGES[self.profile.kind](work)
        self.tell("settling", rows_in)
        self._settle(work)
        counted = tally(engine)
        assert counted.accepted + counted.duplicate + sum(counted.refused_by.values()) == rows_in
        return rows_in, counted

    def _settle(self, work: Work) -> None:
        engine = work.engine
        files = source_files(self.connection, self.settings.lake, self.profile.source)
        declared = self.settings.home / "intake" / self.profile.source / "declared.csv"
        if write_declared(self.connection, self.profile.source, declared):
            settle_elsewhere(engine, declared)
        content = _KINDS[self.profile.kind].content(self.profile)
        settle_duplicates(engine, content, files, may_hide_meters=readings.may_hide_meters(self.profile))
        first, last = _days(engine, "candidate")
        if first is not None and last is not None:
            self._settle_among_neighbours(engine, first, last)
        if self.profile.swipe is not None:
            swipes.settle_lonely(work, files)

    def _settle_among_neighbours(self, engine: duckdb.DuckDBPyConnection, first: date, last: date) -> None:
        """What cannot be true together, in this file and in the lake's files of the days around."""
        day = timedelta(days=1)
        if self.profile.lake_kind == "trip":
            # A trip that began the day before may still be under way.
            settle_overlaps(engine, OF_TRIPS, self._files(first - day, last + day))
        elif self.profile.reading is not None and self.profile.reading.span == "bill":
            settle_overlaps(engine, OF_BILLS, self._files(first - _LONGEST_BILL, last + _LONGEST_BILL))
        elif self.profile.count is not None:
            most = limit(self.limits, self.profile.count.mode, "most_per_day")
            settle_day_totals(engine, most, self._files(first, last))

    def _files(self, first: date, last: date) -> list[str]:
        return source_files(self.connection, self.settings.lake, self.profile.source, first=first, last=last)

    def _keep(self, engine: duckdb.DuckDBPyConnection, rows_in: int, counted: Tally) -> Batch:
        """Put the files in place, then record the batch: from that instant it counts."""
        batch = self._batch(engine, next_batch_id(self.connection), rows_in, counted)
        files = self._write(engine, batch)
        with self.connection.transaction():
            refuse_changed_limits(self.connection, self.profile, self.now.astimezone(CITY_TIME).date(), self.limits)
            record(self.connection, batch, files)
        return batch

    def _batch(self, engine: duckdb.DuckDBPyConnection, batch_id: int, rows_in: int, counted: Tally) -> Batch:
        first, last = _days(engine, "accepted")
        return Batch(
            id=batch_id,
            source=self.profile.source,
            profile=self.profile.name,
            kind=self.profile.lake_kind,
            file_name=self.incoming.name,
            digest=self.incoming.digest,
            stations_digest=self.stations_digest,
            moved_years=self.profile.moved_years,
            received_by=self.received_by,
            rows_in=rows_in,
            accepted=counted.accepted,
            duplicate=counted.duplicate,
            refused=sum(counted.refused_by.values()),
            refused_by=counted.refused_by,
            first_day=first,
            last_day=last,
            quarantine=f"{self.profile.name}-batch-{batch_id}.csv.gz" if counted.refused_by and self._keeps_refused else None,
            received_at=self.now,
            evidence=self.profile.evidence,
            acts=counted.acts,
            limits=self.limits,
            profile_digest=self.profile.digest,
        )

    def _write(self, engine: duckdb.DuckDBPyConnection, batch: Batch) -> list[LakeFile]:
        if batch.quarantine is not None:
            write_quarantine(engine, self.settings.home / "quarantine" / batch.quarantine, self.profile, self.now)
        if not batch.acts:
            return []
        return write_lake(
            engine,
            self.settings.lake,
            source=batch.source,
            batch_id=batch.id,
            digest=batch.digest,
            columns=LAKE_COLUMNS[batch.kind],
        )


def _days(engine: duckdb.DuckDBPyConnection, table: str) -> tuple[date | None, date | None]:
    first, last = engine.execute(f"SELECT min(day), max(day) FROM {table}").fetchall()[0]
    return first, last
