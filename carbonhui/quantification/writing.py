"""Putting what was measured into the books: reductions, and that they were measured, in one transaction."""

import io
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv as arrow_csv
from psycopg import sql
from psycopg.types.json import Jsonb

from carbonhui.quantification.versions import Stretch

#: Counts that are sums of milligrams or persons and not of activities.
_SUMS = ("mg", "capped_mg", "persons", "measured")


@dataclass(frozen=True)
class Measured:
    """What became of the activity of one batch and mode (or of one source's readings by month or day, ``batch_id`` None).

    ``activities`` = ``measured`` + all of ``left_out``. ``mg`` is the sum of the
    reductions, each rounded down, of ``persons`` accounts; ``capped_mg`` is what
    caps took off before.
    """

    source: str
    batch_id: int | None
    mode: str
    activities: int
    measured: int
    left_out: dict[str, int]
    mg: int
    persons: int
    capped_mg: int = 0


def measured_of(source: str, batch_id: int | None, mode: str, counts: Counter[str]) -> Measured:
    """The counts of an engine, told as one piece."""
    left_out = {reason: count for reason, count in sorted(counts.items()) if count and reason not in _SUMS}
    activities = counts["measured"] + sum(left_out.values())
    return Measured(
        source, batch_id, mode, activities, counts["measured"], left_out, counts["mg"], counts["persons"],
        counts["capped_mg"],
    )  # fmt: skip


def allow_time(connection: psycopg.Connection[Any]) -> None:
    """A city's month takes longer to write than any request may."""
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def write_person_days(
    connection: psycopg.Connection[Any], blocks: Iterator[pa.RecordBatch], stretch: Stretch, batch_id: int
) -> None:
    """Enter the reductions of one stretch: account_id, day, mg."""
    folder = stretch.methodology
    columns = ("account_id", "day", "mg", "methodology", "fingerprint", "batch_id")
    _copy(connection, "reduction", columns, (
        [*block.columns, *(pa.repeat(value, block.num_rows) for value in (folder.id, folder.fingerprint, batch_id))]
        for block in blocks
    ))  # fmt: skip


def write_periods(
    connection: psycopg.Connection[Any],
    blocks: Iterator[pa.RecordBatch],
    stretches: Sequence[Stretch],
    source: str,
    commodity: str,
) -> None:
    """Enter measured periods, also those of 0 mg, and the reductions among them."""
    kept = [block for block in blocks if block.num_rows]
    ids, fingerprints = (
        pa.array([getattr(stretch.methodology, name) for stretch in stretches], pa.string())
        for name in ("id", "fingerprint")
    )
    _copy(connection, "measured_period", _PERIOD_COLUMNS, (
        [
            block["account_id"], block["first_day"], block["last_day"], block["mg"], block["batch_id"],
            ids.take(block["stretch"]), fingerprints.take(block["stretch"]),
            pa.repeat(source, block.num_rows), pa.repeat(commodity, block.num_rows),
        ]
        for block in kept
    ))  # fmt: skip
    more = [block.filter(pa.compute.greater(block["mg"], 0)) for block in kept]
    _copy(connection, "reduction", ("account_id", "day", "mg", "batch_id", "methodology", "fingerprint"), (
        [
            block["account_id"], block["last_day"], block["mg"], block["batch_id"],
            ids.take(block["stretch"]), fingerprints.take(block["stretch"]),
        ]
        for block in more
    ))  # fmt: skip


_PERIOD_COLUMNS = (
    "account_id", "first_day", "last_day", "mg", "batch_id", "methodology", "fingerprint", "source", "commodity",
)  # fmt: skip


def _copy(
    connection: psycopg.Connection[Any], table: str, columns: Sequence[str], blocks: Iterator[list[Any]]
) -> None:
    """Stream blocks of columns into a table of the store."""
    plain = arrow_csv.WriteOptions(include_header=False)
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
    with connection.cursor().copy(statement) as copy:
        for block in blocks:
            text = io.BytesIO()
            arrow_csv.write_csv(pa.table(block, names=list(columns)), text, plain)
            copy.write(text.getvalue())


@dataclass(frozen=True)
class Taken:
    """What was taken back: milligrams, and how many persons', measured and empty periods' they were."""

    persons: int
    mg: int
    measured: int
    zero: int


def take_back(connection: psycopg.Connection[Any], accounts: Collection[int], commodity: str = "") -> Taken:
    """Take out again what this very transaction entered for some accounts; what others can see is never taken."""
    row = connection.execute("SELECT * FROM quantification_take_back(%s, %s)", (list(accounts), commodity)).fetchone()
    assert row is not None
    return Taken(*map(int, row))


def record_measurement(connection: psycopg.Connection[Any], measured: Measured) -> None:
    """From now on the batch's acts of this mode are measured."""
    connection.execute(
        "INSERT INTO measurement (batch_id, mode, activities, measured, left_out, mg, capped_mg, persons)"
        " VALUES (%(batch_id)s, %(mode)s, %(activities)s, %(measured)s, %(left_out)s, %(mg)s, %(capped_mg)s, %(persons)s)",
        {**vars(measured), "left_out": Jsonb(measured.left_out)},
    )


def write_credited(
    connection: psycopg.Connection[Any], methodology: str, per: str, first: date, last: date, to: Path
) -> None:
    """Write what persons were credited by a methodology in the periods that these days lie in: account, period, mg."""
    query = sql.SQL(
        "COPY (SELECT account_id, date_trunc({per}, day)::date, sum(mg) FROM reduction WHERE methodology = {methodology}"
        " AND day >= date_trunc({per}, {first}::date) AND day < date_trunc({per}, {last}::date) + {one}::interval"
        " GROUP BY 1, 2) TO STDOUT (FORMAT csv)"
    ).format(
        per=sql.Literal(per), methodology=sql.Literal(methodology), first=sql.Literal(first), last=sql.Literal(last),
        one=sql.Literal(f"1 {per}"),
    )  # fmt: skip
    _copy_out(connection, query, to)


def write_done(connection: psycopg.Connection[Any], source: str, commodity: str, to: Path) -> None:
    """Write the periods that were measured of a commodity: account, first and last day, 1 where by this source."""
    query = sql.SQL(
        "COPY (SELECT account_id, first_day, last_day, (source = {})::integer FROM measured_period WHERE commodity = {})"
        " TO STDOUT (FORMAT csv)"
    ).format(sql.Literal(source), sql.Literal(commodity))
    _copy_out(connection, query, to)


def _copy_out(connection: psycopg.Connection[Any], query: sql.Composed, to: Path) -> None:
    with to.open("wb") as file, connection.cursor().copy(query) as rows:
        for block in rows:
            file.write(block)
