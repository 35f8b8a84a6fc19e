"""What was received, as it is recorded in the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from carbonhui.activity.lake import LAKE_FORM, LakeFile, exact_path
from carbonhui.activity.profile import Profile
from carbonhui.activity.receiving import digest_of
from carbonhui.activity.refusals import LakeFileDiffers, LakeOutdated, SourceBusy
from carbonhui.core.database import Database, connection_of
from carbonhui.core.settings import Settings

#: The first key of the lock on a source; the second is its name's hash.
SOURCE_LOCK = 440120


@dataclass(frozen=True)
class Batch:
    """One received file. Every one of its ``rows_in`` was accepted, duplicate or refused.

    ``acts`` is how many rows of the lake the accepted rows make. ``limits`` are the
    approved thresholds, by name, that were in force on the day it was received.
    """

    id: int
    source: str
    profile: str
    kind: str
    file_name: str
    digest: bytes
    stations_digest: bytes | None
    moved_years: int
    received_by: str
    rows_in: int
    accepted: int
    duplicate: int
    refused: int
    refused_by: dict[str, int]
    first_day: date | None
    last_day: date | None
    quarantine: str | None
    received_at: datetime
    evidence: str
    acts: int
    limits: dict[str, int]
    profile_digest: bytes | None
    lake_form: int = LAKE_FORM


_COLUMNS = (
    "id, source, profile, kind, file_name, digest, stations_digest, moved_years, received_by, rows_in, accepted,"
    " duplicate, refused, refused_by, first_day, last_day, quarantine, received_at, evidence, acts, limits, profile_digest,"
    " lake_form"
)


@contextmanager
def source_locked(database: Database, source: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that alone may load this source; what it records is recorded only while it holds the lock.

    Raises `SourceBusy` after the lock timeout.
    """
    with database.connect(autocommit=True) as connection:
        try:
            connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (SOURCE_LOCK, source))
        except psycopg.errors.LockNotAvailable as error:
            raise SourceBusy(source=source) from error
        yield connection


def refuse_outdated(connection: psycopg.Connection[Any], source: str) -> None:
    """Raises `LakeOutdated` if a batch of the source lies in an older form."""
    row = connection.execute(
        "SELECT min(lake_form) FROM batch WHERE source = %s AND lake_form <> %s", (source, LAKE_FORM)
    ).fetchone()
    if row is not None and row[0] is not None:
        raise LakeOutdated(source=source, found=row[0], wanted=LAKE_FORM)


def loaded_before(
    connection: psycopg.Connection[Any], profile: Profile, digest: bytes, stations_digest: bytes | None, limits: dict[str, int]
) -> Batch | None:
    """The batch of the same bytes, judged by the same profile, station list and thresholds, if there is one."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM batch WHERE profile = %s AND digest = %s AND stations_digest IS NOT DISTINCT FROM %s"
        " AND profile_digest = %s AND limits = %s",
        (profile.name, digest, stations_digest, profile.digest, Jsonb(limits)),
    ).fetchone()
    return Batch(*row) if row else None


def next_batch_id(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT nextval('batch_id_seq')").fetchone()
    assert row is not None
    return int(row[0])


def record(connection: psycopg.Connection[Any], batch: Batch, files: list[LakeFile]) -> None:
    """From now on the batch counts: its row and its files, in one transaction."""
    assert sum(file.rows for file in files) == batch.acts
    words = {**vars(batch), "refused_by": Jsonb(batch.refused_by), "limits": Jsonb(batch.limits)}
    values = ", ".join(f"%({name})s" for name in _COLUMNS.split(", "))
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO batch ({_COLUMNS}) VALUES ({values})", words)
        cursor.executemany(
            "INSERT INTO batch_file (batch_id, month, path, rows, digest) VALUES (%s, %s, %s, %s, %s)",
            [(file.batch_id, file.month, file.path, file.rows, file.digest) for file in files],
        )


def source_files(
    connection: psycopg.Connection[Any], lake: Path, source: str, *, first: date = date.min, last: date = date.max
) -> list[str]:
    """The recorded lake files of a source whose month touches the days from first to last."""
    rows = connection.execute(
        "SELECT path FROM batch_file JOIN batch ON batch.id = batch_id"
        " WHERE source = %s AND month BETWEEN %s AND %s ORDER BY batch_id, month",
        (source, first.replace(day=1), last),
    )
    return [exact_path(lake / path) for (path,) in rows]


def batches(session: Session, source: str | None = None) -> list[Batch]:
    """What was received, oldest first; of one source or of all."""
    rows = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM batch WHERE %(source)s::text IS NULL OR source = %(source)s ORDER BY id",
        {"source": source},
    )
    return [Batch(*row) for row in rows]


def lake_files(session: Session, batch_ids: list[int]) -> list[LakeFile]:
    """The recorded files of these batches."""
    rows = connection_of(session).execute(
        "SELECT batch_id, month, path, rows, digest FROM batch_file WHERE batch_id = ANY (%s) ORDER BY batch_id, month",
        (batch_ids,),
    )
    return [LakeFile(*row) for row in rows]


def verified(settings: Settings, files: list[LakeFile]) -> list[str]:
    """The paths of recorded files for the engine, each read through and found as it was recorded.

    Credits are made of these rows, so a file that somebody changed or took away must
    be noticed before it is measured. Raises `LakeFileDiffers`.
    """
    for file in files:
        path = settings.lake / file.path
        if not path.is_file() or digest_of(path) != file.digest:
            raise LakeFileDiffers(path=file.path, batch=file.batch_id)
    return [exact_path(settings.lake / file.path) for file in files]


def subjects(session: Session, settings: Settings, source: str) -> list[bytes]:
    """The blind indexes of everybody who appears in a source, in their order."""
    paths = source_files(connection_of(session), settings.lake, source)
    if not paths:
        return []
    with duckdb.connect() as engine:
        query = "SELECT DISTINCT subject FROM read_parquet($files, hive_partitioning = false) ORDER BY subject"
        return [found for (found,) in engine.execute(query, {"files": paths}).fetchall()]
