"""The lake: accepted activity as Parquet, one file for each batch and calendar month.

By source, because duplicates and overlaps are looked for within one; by batch, because
a batch is measured at once and a batch that was never recorded must count for nothing;
by month, because a late trip needs its neighbours of a month and not of twenty years.
"""

import os
import re
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from carbonhui.activity.receiving import digest_of

#: The shape of the files; those of another are not read (`LakeOutdated`).
LAKE_FORM = 2
#: What the lake keeps of each kind of act, in this order.
LAKE_COLUMNS = {
    "trip": "subject, act, day, started_at, ended_at, utc_offset_minutes, seconds, metres, trips, mode",
    "reading": "subject, meter, act, day, started_at, ended_at, used, minutes, span, flags, mode",
    "count": "subject, act, day, quantity, mode",
}


@dataclass(frozen=True)
class LakeFile:
    """One recorded file; ``path`` is inside the lake."""

    batch_id: int
    month: date
    path: str
    rows: int
    digest: bytes


def write_lake(
    engine: duckdb.DuckDBPyConnection, lake: Path, *, source: str, batch_id: int, digest: bytes, columns: str
) -> list[LakeFile]:
    """Write ``accepted`` into the lake, whole and on the disk, and say which files there are.

    Nobody reads them before the batch is recorded. What an unrecorded batch left under
    the same name is replaced.
    """
    folder = lake / f"source={source}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in folder.glob(".draft-*"):
        shutil.rmtree(left)
    draft = folder / f".draft-{batch_id}"
    draft.mkdir(mode=0o700)
    final = folder / f"batch={batch_id}-{digest.hex()[:8]}"
    files = [
        _write_month(engine, draft, LakeFile(batch_id, month, f"{folder.name}/{final.name}/{month:%Y-%m}.parquet", rows, b""), columns)
        for month, rows in engine.execute(_MONTHS).fetchall()
    ]
    shutil.rmtree(final, ignore_errors=True)
    sync(draft)
    draft.rename(final)
    sync(folder)
    return files


_MONTHS = """
SELECT date_trunc('month', day)::DATE AS month, count(*) FROM accepted GROUP BY month ORDER BY month
"""


def _write_month(engine: duckdb.DuckDBPyConnection, draft: Path, file: LakeFile, columns: str) -> LakeFile:
    path = draft / Path(file.path).name
    # By day and subject: days prune, and a subject's rows of a day stand together and compress.
    engine.execute(
        f"COPY (SELECT {columns} FROM (SELECT * FROM accepted WHERE day BETWEEN $month AND last_day($month) ORDER BY day, subject_id, act_id))"
        f" TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet, COMPRESSION zstd)",
        {"month": file.month},
    )
    sync(path)
    return LakeFile(file.batch_id, file.month, file.path, file.rows, digest_of(path))


def exact_path(path: Path) -> str:
    """The path as the engine must be told it, so that a star in a name is a star and not every file."""
    return re.sub(r"[*?\[]", lambda mark: f"[{mark[0]}]", str(path))


def sync(path: Path) -> None:
    """What is written there stays there through a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
