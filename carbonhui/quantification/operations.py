"""Measuring what was received and not measured yet (Article 16)."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from carbonhui import activity, consent, policy
from carbonhui.activity import Batch, Profile
from carbonhui.core.clock import CITY_TIME
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings
from carbonhui.methodology import Methodology
from carbonhui.quantification.engines import open_engine
from carbonhui.quantification.jobs import Acts, Engine, Other, Periods
from carbonhui.quantification.measuring import Batched, measure_acts, measure_periods
from carbonhui.quantification.refusals import (
    MethodologyNotApproved,
    MethodologyNotInstalled,
    MethodologyRevised,
    QuantificationBusy,
)
from carbonhui.quantification.versions import Stretch, refuse_unsupported, stretches
from carbonhui.quantification.writing import Measured, allow_time, write_done

#: Told each piece of work when it is done, and how many there are in all.
Progress = Callable[[Measured, int], None]
_LOCK = 440121


@dataclass(frozen=True)
class QuantifyReport:
    """What was measured in one run, piece by piece."""

    pieces: tuple[Measured, ...]
    seconds: float
    #: Refusals of what stays open until its methodology is approved and installed.
    waiting: tuple[Refusal, ...] = ()

    @property
    def mg(self) -> int:
        return sum(piece.mg for piece in self.pieces)

    @property
    def activities(self) -> int:
        return sum(piece.activities for piece in self.pieces)

    @property
    def measured(self) -> int:
        return sum(piece.measured for piece in self.pieces)

    @property
    def left_out(self) -> dict[str, int]:
        """How many activities were left out in all, by reason."""
        reasons = sorted({reason for piece in self.pieces for reason in piece.left_out})
        return {reason: sum(piece.left_out.get(reason, 0) for piece in self.pieces) for reason in reasons}


@dataclass(frozen=True)
class _Piece:
    """Work to do: one batch's acts of one mode, or all readings of one source and commodity."""

    profile: Profile
    mode: str
    batches: tuple[Batch, ...]
    stretches: tuple[Stretch, ...]
    #: Days that readings are measured on by a rule for other periods.
    not_asked: tuple[tuple[date, date | None], ...]
    #: The versions in force when the work was planned, by methodology.
    versions: dict[str, list[policy.Version]]


def quantify(
    database: Database,
    settings: Settings,
    methodologies: Iterable[Methodology],
    *,
    through: date | None = None,
    only: Collection[str] | None = None,
    engine: str = "duckdb",
    progress: Progress | None = None,
) -> QuantifyReport:
    """Measure every act up to a day that was not measured before; measuring again changes nothing.

    Each batch's acts of a mode, and each source's readings, are one transaction of
    their own, so a run that dies loses nothing and is simply started again. Each day
    finds its version by the approved fingerprint, among ``methodologies`` or in the
    archive of approved texts. ``only`` names the methodologies to measure by, all if
    it is not given; ``engine`` is duckdb, spark or python.

    What has no approved or no installed methodology, or lies in an outdated lake, waits,
    and is told in the report.

    Raises `EngineUnknown`, `EngineMissing`, `QuantificationBusy`, `MethodologyChanged`,
    `MethodologyUnsupported` before anything is measured; the first of what waits where
    nothing else can be measured; `MethodologyRevised`,
    `activity.LakeFileDiffers`, and `activity.LakeOutdated` where another source's acts
    of the same days cannot be compared.
    """
    started = time.monotonic()
    pieces: list[Measured] = []
    with _alone(database) as connection, open_engine(engine, settings) as (opened, folder):
        work, waiting = _work(database, settings, connection, list(methodologies), through or date.max, only)
        if waiting and not work:
            raise waiting[0]
        run = _Run(database, settings, connection, opened, folder, through or date.max)
        for piece in work:
            pieces.append(run.measure(piece))
            if progress is not None:
                progress(pieces[-1], len(work))
    told = tuple(piece for piece in pieces if piece.activities)
    return QuantifyReport(told, time.monotonic() - started, tuple(waiting))


@contextmanager
def _alone(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection that alone measures; everything is written through it."""
    with database.connect(autocommit=True) as connection:
        try:
            connection.execute("SELECT pg_advisory_lock(%s, 0)", (_LOCK,))
        except psycopg.errors.LockNotAvailable as error:
            raise QuantificationBusy from error
        yield connection


def _work(
    database: Database,
    settings: Settings,
    connection: psycopg.Connection[Any],
    methodologies: list[Methodology],
    through: date,
    only: Collection[str] | None,
) -> tuple[list[_Piece], list[Refusal]]:
    """What is to be measured, in the order in which it came, and what must wait: another mode does not wait with it."""
    done = set(connection.execute("SELECT batch_id, mode FROM measurement").fetchall())
    pieces: list[_Piece] = []
    waiting: list[Refusal] = []
    with database.begin() as session:
        for profile, mode, batches in _wanted(activity.batches(session), settings, done, through):
            ids = [id for id in profile.methodologies[mode] if only is None or id in only]
            if not ids:
                continue
            versions = {id: policy.versions_in_force(session, id) for id in ids}
            try:
                activity.refuse_outdated(connection, profile.source)
                found = _approved(session, methodologies, ids, profile.lake_kind, batches)
            except (activity.LakeOutdated, MethodologyNotApproved, MethodologyNotInstalled) as refusal:
                waiting.append(refusal)
                continue
            for part in found:
                others = tuple((one.start, one.end) for other in found if other is not part for one in other)
                pieces.append(_Piece(profile, mode, batches, part, others, versions))
    return pieces, waiting


def _wanted(
    batches: list[Batch], settings: Settings, done: set[tuple[int, str]], through: date
) -> Iterator[tuple[Profile, str, tuple[Batch, ...]]]:
    """Batches of acts one by one, and the readings of each source together."""
    sources: dict[tuple[str, str], list[Batch]] = {}
    for batch in batches:
        profile = activity.profile_named(batch.profile, settings.profiles_folder)
        # A batch is measured as a whole, so it waits until its last day is reached.
        reached = batch.accepted and batch.last_day is not None and batch.last_day <= through
        for mode in profile.methodologies:
            if profile.lake_kind == "reading" and batch.accepted:
                sources.setdefault((batch.source, mode), []).append(batch)
            elif profile.lake_kind != "reading" and reached and (batch.id, mode) not in done:
                yield profile, mode, (batch,)
    for (_, mode), found in sorted(sources.items()):
        yield activity.profile_named(found[0].profile, settings.profiles_folder), mode, tuple(found)


def _approved(
    session: Any, methodologies: list[Methodology], ids: list[str], kind: str, batches: tuple[Batch, ...]
) -> list[tuple[Stretch, ...]]:
    """The stretches that measure some batches; of readings apart for months and for days."""
    first, last = batches[0].first_day, batches[0].last_day
    # Readings stay open when their version is not installed; a batch of acts is measured once and for all.
    touched = (first, last) if kind != "reading" and first and last else None
    found = stretches(session, ids, methodologies, touched=touched)
    for stretch in found:
        refuse_unsupported(stretch.methodology, kind)
    if kind != "reading":
        return [tuple(found)]
    periods = {stretch.methodology.period for stretch in found}
    return [tuple(one for one in found if one.methodology.period == period) for period in sorted(map(str, periods))]


@dataclass(frozen=True)
class _Run:
    """One run under way: who writes, who computes, and where files for the engine lie."""

    database: Database
    settings: Settings
    connection: psycopg.Connection[Any]
    engine: Engine
    folder: Path
    through: date

    def measure(self, piece: _Piece) -> Measured:
        """One transaction, in which no other version of the piece's methodologies comes into force.

        Who withdraws while it runs is out of it before it is committed.
        """
        with self.connection.transaction():
            allow_time(self.connection)
            if policy.versions_kept(self.connection, piece.versions) != piece.versions:
                raise MethodologyRevised(methodologies=", ".join(piece.versions))
            watched = consent.watch(self.connection, piece.profile.source)
            return self._readings(piece, watched) if piece.profile.lake_kind == "reading" else self._acts(piece, watched)

    def _acts(self, piece: _Piece, watched: consent.Watch) -> Measured:
        (batch,) = piece.batches
        acts = Acts(
            kind=piece.profile.lake_kind,
            mode=piece.mode,
            holders=self._holders(piece.profile),
            files=self._files(piece.batches),
            others=tuple(self._others(batch)),
            declared=self._declared(batch.source),
            tolerance_s=self._tolerance_s(batch),
        )
        batched = Batched(batch.source, batch.id, batch.evidence, _received_on(batch))
        return measure_acts(self.engine, self.connection, batched, acts, piece.stretches, self.folder, watched)

    def _readings(self, piece: _Piece, watched: consent.Watch) -> Measured:
        source, done = piece.profile.source, self.folder / "done.csv"
        write_done(self.connection, source, piece.mode, done)
        weakest = next((batch.evidence for batch in piece.batches if batch.evidence != "verified"), "verified")
        periods = Periods(
            commodity=piece.mode,
            period=str(piece.stretches[0].methodology.period),
            holders=self._holders(piece.profile),
            files=self._files(piece.batches),
            received=tuple((batch.id, _received_on(batch)) for batch in piece.batches),
            stretches=piece.stretches,
            evidence=weakest,
            done=done,
            declared=self._declared(source),
            through=self.through,
            not_asked=piece.not_asked,
            longest_days=max(batch.limits.get(f"plausible:{piece.mode}:bill_longest_days", 1) for batch in piece.batches),
        )
        return measure_periods(self.engine, self.connection, source, periods, watched)

    def _holders(self, profile: Profile) -> str:
        """Give the engine who holds a source's identifiers and consents, as it stands now; under which name."""
        path = self.folder / "links.csv"
        with self.database.begin() as session:
            consent.write_consented(session, scheme=profile.scheme, source=profile.source, to=path)
        return self._told(profile.source, path)

    def _holders_then(self, profile: Profile, batches: list[int]) -> str:
        """The same of those by whose consents these batches were measured, withdrawn since or not."""
        path = self.folder / "links.csv"
        query = "SELECT min(measured_at), max(measured_at) FROM measurement WHERE batch_id = ANY (%s)"
        measured = self.connection.execute(query, (batches,)).fetchone()
        assert measured is not None
        with self.database.begin() as session:
            consent.write_consented_before(
                session, scheme=profile.scheme, source=profile.source, first=measured[0], last=measured[1], to=path
            )
        return self._told(f"{profile.source} before", path)

    def _told(self, holders: str, path: Path) -> str:
        self.engine.read_links(holders, path)
        path.unlink()
        return holders

    def _files(self, batches: tuple[Batch, ...], first: date = date.min, last: date = date.max) -> tuple[str, ...]:
        with self.database.begin() as session:
            files = activity.lake_files(session, [batch.id for batch in batches])
        touched = [file for file in files if first.replace(day=1) <= file.month <= last]
        return tuple(activity.verified(self.settings, touched))

    def _others(self, batch: Batch) -> Iterator[Other]:
        """What other sources brought of these days, if it was measured before: one act counts once."""
        assert batch.first_day is not None and batch.last_day is not None
        first, last = batch.first_day - timedelta(days=1), batch.last_day + timedelta(days=1)
        measured = {id for (id,) in self.connection.execute("SELECT DISTINCT batch_id FROM measurement")}
        with self.database.begin() as session:
            found = [
                other for other in activity.batches(session)
                if other.id in measured and other.source != batch.source and other.kind == batch.kind
                and other.last_day is not None and other.last_day >= first
                and other.first_day is not None and other.first_day <= last
            ]  # fmt: skip
        for source in sorted({other.source for other in found}):
            activity.refuse_outdated(self.connection, source)
            theirs = tuple(other for other in found if other.source == source)
            profile = activity.profile_named(theirs[0].profile, self.settings.profiles_folder)
            yield Other(self._holders_then(profile, [other.id for other in theirs]), self._files(theirs, first, last))

    def _declared(self, source: str) -> Path | None:
        """A file of the source's acts that are used in another mechanism; None: there are none."""
        path = self.folder / "declared.csv"
        with self.database.begin() as session:
            acts = activity.declared_acts(session, source)
        path.write_text("".join(f"{act.hex()}\n" for act in acts))
        return path if acts else None

    def _tolerance_s(self, batch: Batch) -> int:
        with self.database.begin() as session:
            return policy.number_on(session, policy.ONE_ACT_TOLERANCE, _received_on(batch))


def _received_on(batch: Batch) -> date:
    """The city's day on which a batch came."""
    assert batch.received_at is not None
    return batch.received_at.astimezone(CITY_TIME).date()
