"""The quarantine file: every refused row as it was received, with the reason, ready to be repaired and sent again.

It holds identifiers as the institution wrote them, so only its owner may read it, and it
lives for `KEPT_DAYS` only (`leftovers.py`). Cells are never altered: one that begins
with = + - or @ is what was received, and a spreadsheet may take it for a formula.
"""

import _csv
import csv
import functools
import gzip
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

import duckdb

from carbonhui.activity.lake import sync
from carbonhui.activity.profile import QUARANTINE_COLUMNS, Profile
from carbonhui.activity.refusals import RefusedRowsGone
from carbonhui.activity.row_refusals import ROW_REFUSALS

#: A month to repair refused rows and send them again: institutions deliver daily or monthly. Nobody needs them longer.
KEPT_DAYS = 30
_ROWS_AT_ONCE = 10_000


def write_quarantine(engine: duckdb.DuckDBPyConnection, path: Path, profile: Profile, now: datetime) -> None:
    """Write the rows of ``refused``, in the order of the file, to a CSV.gz at this path, whose age counts from ``now``."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with drafted(path) as text:
        _write_rows(engine, csv_writer(text), profile)
    put_in_place(path, modified_ns=int(now.timestamp()) * 1_000_000_000)


def quarantine_file(home: Path, name: str) -> Path:
    """Where a batch's refused rows lie. Raises `RefusedRowsGone` when they were kept for long enough."""
    path = home / "quarantine" / name
    if not path.is_file():
        raise RefusedRowsGone(days=KEPT_DAYS)
    return path


def draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.draft")


@contextmanager
def drafted(path: Path) -> Iterator[TextIO]:
    """Text that will be this CSV.gz once it is put in place; until then it lies beside it, its owner's alone."""
    draft = draft_of(path)
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(descriptor, "wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", mtime=0, compresslevel=6) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        yield text


def put_in_place(path: Path, *, modified_ns: int) -> None:
    """Let a whole draft take the place of what was there, through a power failure too."""
    draft = draft_of(path)
    os.utime(draft, ns=(modified_ns, modified_ns))
    sync(draft)
    draft.replace(path)
    sync(path.parent)


def csv_writer(text: TextIO) -> "_csv.Writer":
    return csv.writer(text, lineterminator="\r\n")


def _write_rows(engine: duckdb.DuckDBPyConnection, writer: "_csv.Writer", profile: Profile) -> None:
    own = ", ".join(f"c{number}" for number in range(len(profile.columns)))
    writer.writerow([*QUARANTINE_COLUMNS, *profile.columns])
    asked = engine.cursor().execute(
        f"SELECT row, refused.code, refused.facts, coalesce(as_received, ''), {own}"
        " FROM refused JOIN received USING (row) ORDER BY row"
    )
    while rows := asked.fetchmany(_ROWS_AT_ONCE):
        writer.writerows(_quarantined(*row) for row in rows)


def _quarantined(row: int, code: str, facts: str, as_received: str, *values: str) -> list[object]:
    return [row, code, *_sentences(code, facts), as_received, *values]


@functools.lru_cache(maxsize=10_000)
def _sentences(code: str, facts: str) -> tuple[str, str]:
    """Why, in both languages; many rows are refused with the same words."""
    refusal = ROW_REFUSALS[code](**json.loads(facts))
    return refusal.text("en"), refusal.text("zh")


RefusedRow = tuple[int, str, str, str]


def first_refused(engine: duckdb.DuckDBPyConnection, most: int, subject: str = "NULL") -> tuple[RefusedRow, ...]:
    """The first rows of ``refused``: number, code, and why in both languages.

    ``subject`` is the staged column of the subject, which is told to nobody even where
    a wrong profile takes it for something else.
    """
    asked = (
        f"SELECT row, refused.code, refused.facts, {subject} FROM refused JOIN received USING (row) ORDER BY row LIMIT {most}"
    )
    return tuple(_told(*row) for row in engine.execute(asked).fetchall())


def _told(row: int, code: str, facts: str, subject: str | None) -> RefusedRow:
    shown = {name: "***" if subject and fact == subject[:40] else fact for name, fact in json.loads(facts).items()}
    refusal = ROW_REFUSALS[code](**shown)
    return row, code, refusal.text("en"), refusal.text("zh")
