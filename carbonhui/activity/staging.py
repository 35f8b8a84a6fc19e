"""A room of the engine for one file: what is too much for memory goes to disk in the home folder."""

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from carbonhui.activity.formats import json_rows, text_rows, workbook_rows
from carbonhui.activity.judging import in_staging, text
from carbonhui.activity.lake import exact_path
from carbonhui.activity.profile import NEM_COLUMNS, Profile
from carbonhui.activity.receiving import Received, refuse_if_changed, refuse_other_columns
from carbonhui.activity.refusals import FileDamaged, FileEmpty, FileNotUtf8, NotJsonLines

#: The whole process stays below 1 GiB: what Python and the reading of a block need comes on top.
MEMORY = "600MB"
#: Each thread needs its share of the memory, so a machine of many processors must not have many.
MOST_THREADS = 4

#: A column whose values come so often is written once for each value.
_REPEATED = 4
_GROUP_ROWS = 1_000_000


@contextmanager
def staging(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine whose overflow lies in this folder, which is emptied before and after.

    Only one loader of a source works at a time, so what lies there is left from one that died.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "threads": min(MOST_THREADS, os.cpu_count() or 1),
        "temp_directory": str(folder / "overflow"),
        # Nothing is fetched over the network while a file is read.
        "autoinstall_known_extensions": False,
    }
    engine = duckdb.connect(config=settings)
    engine.execute("SET enable_progress_bar = false")
    try:
        yield engine
    finally:
        engine.close()
        shutil.rmtree(folder)


def stage(engine: duckdb.DuckDBPyConnection, received: Received, profile: Profile) -> int:
    """Show every row of the file as ``received``, as text; the number of rows.

    The rows lie in a Parquet file of the staging folder, because most of them are read
    once and few are ever looked at again.

    Columns: ``row`` as a spreadsheet numbers it (the header is row 1; the rows of a
    Parquet file and the lines of files without a header begin at 1), ``code``, ``facts``, ``as_received``, and ``c0`` ... in the
    profile's order.

    Raises the refusals of a whole file.
    """
    if received.format == "parquet":
        _stage_parquet(engine, received, profile)
    else:
        _stage_rows(engine, received, profile)
    counted = "count(*), count(*) FILTER (code = 'not_utf8'), count(*) FILTER (code = 'not_json')"
    count, broken, strange = one(engine, f"SELECT {counted} FROM received")
    if count == 0:
        raise FileEmpty(path=received.path)
    if broken * 2 > count:
        raise FileNotUtf8(path=received.path, reason=f"{broken} of {count} rows")
    if strange * 2 > count:
        raise NotJsonLines(path=received.path, found=strange, wanted=count)
    return int(count)


def one(engine: duckdb.DuckDBPyConnection, query: str, words: object = None) -> tuple[int, ...]:
    """The only row of a query that has one."""
    row = engine.execute(query, words).fetchone()
    assert row is not None
    return tuple(row)


def _stage_rows(engine: duckdb.DuckDBPyConnection, received: Received, profile: Profile) -> None:
    reader = {"csv": text_rows, "json_lines": json_rows, "workbook": workbook_rows}[received.format]
    write_rows(engine, reader(received, profile), len(profile.columns))
    if profile.form != "table":
        _show_exporting(engine)


def write_rows(engine: duckdb.DuckDBPyConnection, blocks: Iterator[pa.Table], width: int) -> None:
    """Keep these rows in the staging folder and show them as ``received``."""
    path = _rows_file(engine)
    names = ["code", "facts", "as_received", *(f"c{number}" for number in range(width))]
    schema = pa.schema([("row", pa.int64()), *((name, pa.string()) for name in names)])
    first = next(blocks, schema.empty_table())
    repetitive = [name for name in names if pc.count_distinct(first[name]).as_py() * _REPEATED <= first.num_rows]
    with parquet.ParquetWriter(path, schema, compression="lz4", use_dictionary=repetitive, write_statistics=["row"]) as writer:
        for block in itertools.chain([first], blocks):
            writer.write_table(block, row_group_size=_GROUP_ROWS)
    _show_rows(engine)


def _rows_file(engine: duckdb.DuckDBPyConnection) -> Path:
    return in_staging(engine, "received.parquet")


def _show_rows(engine: duckdb.DuckDBPyConnection, columns: str = "*") -> None:
    path = text(exact_path(_rows_file(engine)))
    engine.execute(f"CREATE OR REPLACE VIEW received AS SELECT {columns} FROM read_parquet({path}, hive_partitioning = false)")


def _show_exporting(engine: duckdb.DuckDBPyConnection) -> None:
    """A household that feeds the grid has its own generation, whichever of its channels a row is of."""
    export = f"c{NEM_COLUMNS.index('export')}"
    engine.execute(f"CREATE TABLE exporting AS SELECT DISTINCT c0 FROM received WHERE {export} = '1'")
    _show_rows(engine, f"* REPLACE (CASE WHEN c0 IN (SELECT c0 FROM exporting) THEN '1' ELSE {export} END AS {export})")


def _stage_parquet(engine: duckdb.DuckDBPyConnection, received: Received, profile: Profile) -> None:
    path = {"path": exact_path(received.path)}
    try:
        described = engine.execute("DESCRIBE SELECT * FROM read_parquet($path, hive_partitioning = false)", path).fetchall()
        refuse_other_columns(received.path, profile, [name for name, *_ in described])
        kinds = {name: kind for name, kind, *_ in described}
        columns = ", ".join(f"{_as_text(name, kinds[name])} AS c{at}" for at, name in enumerate(profile.columns))
        engine.execute(
            "COPY (SELECT file_row_number + 1 AS row, NULL::VARCHAR AS code, NULL::VARCHAR AS facts, NULL::VARCHAR AS as_received,"
            f" {columns} FROM read_parquet($path, file_row_number = true, hive_partitioning = false))"
            f" TO {text(_rows_file(engine))} (FORMAT parquet, COMPRESSION lz4_raw)",
            path,
        )
    except duckdb.Error as error:
        refuse_if_changed(received)
        # The engine's own words may quote the file.
        raise FileDamaged(path=received.path, reason=type(error).__name__) from None
    refuse_if_changed(received)
    _show_rows(engine)


def _as_text(name: str, kind: str) -> str:
    """A value in the words a CSV file would have.

    The shortest decimal that gives the same binary number is what the meter said; for
    tiny and huge numbers it would have an exponent, which is written out.
    """
    column = '"' + name.replace('"', '""') + '"'
    words = f"coalesce({column}::VARCHAR, '')"
    if kind in ("FLOAT", "DOUBLE"):
        return f"CASE WHEN {words} LIKE '%e%' THEN coalesce(TRY_CAST({column} AS DECIMAL(38, 12))::VARCHAR, {words}) ELSE {words} END"
    return words
