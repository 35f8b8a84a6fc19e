"""A room of the engine for one file: what is too much for memory goes to disk in the home folder."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from carbonhui.activity.lake import exact_path
from carbonhui.activity.lines import LONGEST_LINE_BYTES, Cut, read_blocks
from carbonhui.activity.profile import Profile
from carbonhui.activity.receiving import (
    LINE_BREAK,
    Received,
    opened_text,
    read_header,
    refuse_if_changed,
    refuse_other_columns,
)
from carbonhui.activity.refusals import FileDamaged, FileEmpty, FileNotUtf8, FileTruncated

MEMORY = "1GB"


@contextmanager
def staging(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine whose tables and overflow lie in this folder, which is emptied before and after.

    Only one loader of a source works at a time, so what lies there is left from one that died.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": str(folder / "overflow"),
        # Nothing is fetched over the network while a file is read.
        "autoinstall_known_extensions": False,
    }
    engine = duckdb.connect(str(folder / "staging.duckdb"), config=settings)
    engine.execute("SET enable_progress_bar = false")
    try:
        yield engine
    finally:
        engine.close()
        shutil.rmtree(folder)


def stage(engine: duckdb.DuckDBPyConnection, received: Received, profile: Profile) -> int:
    """Put every row of the file into the table ``received``, as text; the number of rows.

    Columns: ``row`` as a spreadsheet numbers it (the header is row 1; the rows of a
    Parquet file begin at 1), ``code``, ``facts``, ``as_received``, and ``c0`` ... in the
    profile's order.

    Raises the refusals of a whole file.
    """
    if received.format == "parquet":
        _stage_parquet(engine, received, profile)
    else:
        _stage_text(engine, received, profile)
    count, broken = one(engine, "SELECT count(*), count(*) FILTER (code = 'not_utf8') FROM received")
    if count == 0:
        raise FileEmpty(path=received.path)
    if broken * 2 > count:
        raise FileNotUtf8(path=received.path, reason=f"{broken} of {count} rows")
    return int(count)


def one(engine: duckdb.DuckDBPyConnection, query: str, words: object = None) -> tuple[int, ...]:
    """The only row of a query that has one."""
    row = engine.execute(query, words).fetchone()
    assert row is not None
    return tuple(row)


def _stage_text(engine: duckdb.DuckDBPyConnection, received: Received, profile: Profile) -> None:
    own = [f"c{number} VARCHAR" for number in range(len(profile.columns))]
    engine.execute(
        f"CREATE TABLE received (row BIGINT, code VARCHAR, facts VARCHAR, as_received VARCHAR, {', '.join(own)})"
    )
    row = 2
    with opened_text(received) as text:
        header = read_header(text, received, profile, LONGEST_LINE_BYTES)
        places = [f"c{header.index(name)}" for name in profile.columns]
        try:
            for block in read_blocks(text, len(header)):
                _insert(engine, block, row, places)
                row += block.num_rows
        except Cut:
            raise FileTruncated(path=received.path, **LINE_BREAK) from None


def _insert(engine: duckdb.DuckDBPyConnection, block: pa.Table, row: int, places: list[str]) -> None:
    numbered = block.append_column("row", pa.array(range(row, row + block.num_rows), pa.int64()))
    engine.register("block", numbered)
    engine.execute(f"INSERT INTO received SELECT row, code, facts, as_received, {', '.join(places)} FROM block")
    engine.unregister("block")


def _stage_parquet(engine: duckdb.DuckDBPyConnection, received: Received, profile: Profile) -> None:
    path = {"path": exact_path(received.path)}
    try:
        described = engine.execute("DESCRIBE SELECT * FROM read_parquet($path, hive_partitioning = false)", path).fetchall()
        refuse_other_columns(received.path, profile, [name for name, *_ in described])
        kinds = {name: kind for name, kind, *_ in described}
        columns = ", ".join(f"{_as_text(name, kinds[name])} AS c{at}" for at, name in enumerate(profile.columns))
        engine.execute(
            "CREATE TABLE received AS SELECT file_row_number + 1 AS row, NULL::VARCHAR AS code, NULL::VARCHAR AS facts,"
            f" NULL::VARCHAR AS as_received, {columns} FROM read_parquet($path, file_row_number = true, hive_partitioning = false)",
            path,
        )
    except duckdb.Error as error:
        refuse_if_changed(received)
        # The engine's own words may quote the file.
        raise FileDamaged(path=received.path, reason=type(error).__name__) from None
    refuse_if_changed(received)


def _as_text(name: str, kind: str) -> str:
    """A value in the words a CSV file would have.

    The shortest decimal that gives the same binary number is what the meter said; for
    tiny and huge numbers it would have an exponent, which is written out.
    """
    column = '"' + name.replace('"', '""') + '"'
    text = f"coalesce({column}::VARCHAR, '')"
    if kind in ("FLOAT", "DOUBLE"):
        return f"CASE WHEN {text} LIKE '%e%' THEN coalesce(TRY_CAST({column} AS DECIMAL(38, 12))::VARCHAR, {text}) ELSE {text} END"
    return text
