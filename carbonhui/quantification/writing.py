"""Putting what was measured into the books: reductions, and that they were measured, in one transaction."""

import io
from dataclasses import dataclass
from typing import Any

import duckdb
import psycopg
import pyarrow.csv as arrow_csv
from psycopg.types.json import Jsonb

_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Measured:
    """What became of the activity of one batch (or of one source's months, ``batch_id`` None).

    ``activities`` = ``measured`` + all of ``left_out``. ``mg`` is the sum of the
    reductions, each rounded down, of ``persons`` accounts.
    """

    source: str
    batch_id: int | None
    methodology: str
    activities: int
    measured: int
    left_out: dict[str, int]
    mg: int
    persons: int


def copy_in(
    connection: psycopg.Connection[Any], engine: duckdb.DuckDBPyConnection, table: str, columns: str, query: str
) -> None:
    """Stream the rows of the engine's query into a table of the store, in blocks of bounded size."""
    rows: Any = engine.sql(query).to_arrow_reader(_ROWS_AT_ONCE)
    plain = arrow_csv.WriteOptions(include_header=False)
    with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)") as copy:
        for block in rows:
            text = io.BytesIO()
            arrow_csv.write_csv(block, text, plain)
            copy.write(text.getvalue())


def allow_time(connection: psycopg.Connection[Any]) -> None:
    """A city's month takes longer to write than any request may."""
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def record_measurement(connection: psycopg.Connection[Any], measured: Measured) -> None:
    """From now on the batch is measured by this methodology."""
    assert measured.activities == measured.measured + sum(measured.left_out.values())
    connection.execute(
        "INSERT INTO measurement (batch_id, methodology, activities, measured, left_out, mg, persons)"
        " VALUES (%(batch_id)s, %(methodology)s, %(activities)s, %(measured)s, %(left_out)s, %(mg)s, %(persons)s)",
        {**vars(measured), "left_out": Jsonb(measured.left_out)},
    )
