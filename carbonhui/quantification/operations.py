"""Measuring what was received and not measured yet (Article 16)."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from carbonhui import activity
from carbonhui.activity import Batch
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.methodology import Methodology
from carbonhui.quantification.engine import measuring_engine, read_links
from carbonhui.quantification.months import measure_months
from carbonhui.quantification.refusals import MethodologyNotInstalled, QuantificationBusy
from carbonhui.quantification.trips import measure_batch
from carbonhui.quantification.versions import Stretch, refuse_unsupported, stretches
from carbonhui.quantification.writing import Measured

#: Told each piece of work when it is done, and how many there are in all.
Progress = Callable[[Measured, int], None]
_LOCK = 440121


@dataclass(frozen=True)
class QuantifyReport:
    """What was measured in one run, piece by piece."""

    pieces: tuple[Measured, ...]
    seconds: float

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
    """Work to do: one batch of trips, or all months of one source, by one methodology."""

    source: str
    methodology: str
    batches: tuple[Batch, ...]
    stretches: tuple[Stretch, ...]


def quantify(
    database: Database,
    settings: Settings,
    methodologies: dict[str, Methodology],
    *,
    through: date | None = None,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> QuantifyReport:
    """Measure every act up to a day that was not measured before; measuring again changes nothing.

    Each batch of trips, and each source's months, is one transaction of its own, so a
    run that dies loses nothing and is simply started again. ``methodologies`` may hold
    older folders too; each day finds its own by the approved fingerprint. ``only``
    names the methodologies to measure by, all if it is not given.

    Raises `QuantificationBusy`, `MethodologyNotInstalled`, `MethodologyNotApproved`,
    `MethodologyChanged`, `MethodologyUnsupported` before anything is measured, and
    `activity.LakeFileDiffers`.
    """
    started = time.monotonic()
    pieces: list[Measured] = []
    with _alone(database) as connection, measuring_engine(settings) as (engine, folder):
        work = _work(database, connection, methodologies, through or date.max, only)
        scheme = None
        for piece in sorted(work, key=lambda piece: _profiles(piece.source)[0].scheme):
            if scheme != _profiles(piece.source)[0].scheme:
                scheme = _profiles(piece.source)[0].scheme
                with database.begin() as session:
                    read_links(engine, session, scheme, folder)
            pieces.append(_measure(database, settings, connection, engine, folder, piece, through or date.max))
            if progress is not None:
                progress(pieces[-1], len(work))
    return QuantifyReport(tuple(pieces), time.monotonic() - started)


@contextmanager
def _alone(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection that alone measures; everything is written through it."""
    with database.connect(autocommit=True) as connection:
        try:
            connection.execute("SELECT pg_advisory_lock(%s, 0)", (_LOCK,))
        except psycopg.errors.LockNotAvailable as error:
            raise QuantificationBusy from error
        yield connection


def _profiles(source: str) -> list[activity.Profile]:
    """The profiles of one source; they share the scheme and the methodologies."""
    found = [activity.profile_named(name) for name in activity.profile_names()]
    return [profile for profile in found if profile.source == source]


def _work(
    database: Database,
    connection: psycopg.Connection[Any],
    methodologies: dict[str, Methodology],
    through: date,
    only: Collection[str] | None,
) -> list[_Piece]:
    """What is to be measured; everything that must be approved and installed for it is looked at first."""
    done = set(connection.execute("SELECT batch_id, methodology FROM measurement").fetchall())
    with database.begin() as session:
        found = [batch for batch in activity.batches(session) if batch.accepted]
        wanted = _wanted(found, done, through, only)
        return [
            _Piece(source, id, batches, tuple(_approved(session, methodologies, source, id, batches)))
            for source, id, batches in wanted
        ]


def _wanted(
    found: list[Batch], done: set[tuple[int, str]], through: date, only: Collection[str] | None
) -> list[tuple[str, str, tuple[Batch, ...]]]:
    wanted = []
    for source in sorted({batch.source for batch in found}):
        for id in _profiles(source)[0].methodologies:
            mine = [batch for batch in found if batch.source == source and (only is None or id in only)]
            if mine and mine[0].kind == "reading":
                wanted.append((source, id, tuple(mine)))
            else:
                # A batch is measured as a whole, so it waits until its last day is reached.
                open_now = [batch for batch in mine if (batch.id, id) not in done and _reached(batch, through)]
                wanted += [(source, id, (batch,)) for batch in open_now]
    return wanted


def _reached(batch: Batch, through: date) -> bool:
    return batch.last_day is not None and batch.last_day <= through


def _approved(
    session: Any, methodologies: dict[str, Methodology], source: str, id: str, batches: tuple[Batch, ...]
) -> list[Stretch]:
    folders = [folder for folder in methodologies.values() if folder.id == id]
    if not folders:
        raise MethodologyNotInstalled(methodology=id, source=source)
    for folder in folders:
        refuse_unsupported(folder, batches[0].kind)
    first, last = batches[0].first_day, batches[0].last_day
    # Months stay open when their version is not installed; a batch of trips is measured once and for all.
    touched = (first, last) if batches[0].kind == "trip" and first and last else None
    return stretches(session, id, folders, touched=touched)


def _measure(
    database: Database,
    settings: Settings,
    connection: psycopg.Connection[Any],
    engine: duckdb.DuckDBPyConnection,
    folder: Path,
    piece: _Piece,
    through: date,
) -> Measured:
    with database.begin() as session:
        files = activity.lake_files(session, [batch.id for batch in piece.batches])
    paths = activity.verified(settings, files)
    if piece.batches[0].kind == "trip":
        return measure_batch(engine, connection, piece.batches[0], piece.methodology, list(piece.stretches), paths)
    profiles = _profiles(piece.source)
    day = through.isoformat()
    return measure_months(
        engine, connection, profiles, piece.methodology, list(piece.stretches), paths, folder, through=day
    )
