"""Measuring rides, a batch at a time and in it some days at a time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import psycopg

from carbonhui.activity import Batch
from carbonhui.quantification.versions import Stretch
from carbonhui.quantification.writing import Measured, allow_time, copy_in, record_measurement

#: Days are measured together up to this many rides, so that neither many small days nor one long month costs much.
_RIDES_AT_ONCE = 3_000_000


@dataclass(frozen=True)
class _Days:
    """Days from ``first`` to ``last`` that one stretch covers (None: no version does)."""

    first: date
    last: date
    rides: int
    stretch: Stretch | None


def measure_batch(
    engine: duckdb.DuckDBPyConnection,
    connection: psycopg.Connection[Any],
    batch: Batch,
    methodology: str,
    stretches: list[Stretch],
    files: list[str],
) -> Measured:
    """Measure every ride of a batch, for good: what nobody held an identifier for stays uncounted.

    Each ride is rounded down to the milligram by itself, then a person's day is
    summed. The lake lies in the order of days, so each row is read once, and memory
    holds no more than the riders of some days.
    """
    engine.execute("CREATE OR REPLACE TABLE persons (account_id BIGINT)")
    counts: Counter[str] = Counter(measured=0, mg=0)
    with connection.transaction():
        allow_time(connection)
        for days in _together(engine.execute(_DAYS, {"files": files}).fetchall(), stretches):
            if days.stretch is None:
                counts["no_version_on_day"] += days.rides
                continue
            counts.update(_sum(engine, days, days.stretch, files))
            copy_in(connection, engine, "reduction", _COLUMNS, _reductions(batch.id, methodology, days.stretch))
        measured = _measured(batch, methodology, counts, _persons(engine))
        record_measurement(connection, measured)
    return measured


_DAYS = "SELECT day, count(*) FROM read_parquet($files, hive_partitioning = false) GROUP BY day ORDER BY day"


def _together(days: list[tuple[date, int]], stretches: list[Stretch]) -> Iterator[_Days]:
    """The days in runs of one stretch and of bounded size."""
    run: _Days | None = None
    for day, rides in days:
        stretch = next((one for one in stretches if one.covers(day)), None)
        if run is not None and run.stretch is stretch and run.rides + rides <= _RIDES_AT_ONCE:
            run = _Days(run.first, day, run.rides + rides, stretch)
            continue
        if run is not None:
            yield run
        run = _Days(day, day, rides, stretch)
    if run is not None:
        yield run


def _sum(engine: duckdb.DuckDBPyConnection, days: _Days, stretch: Stretch, files: list[str]) -> dict[str, int]:
    """Fill ``summed`` with each person's milligrams of each day; how many rides were measured and left out."""
    words = {"files": files, "first": days.first, "last": days.last}
    rides = stretch.sql("subject, day", _RIDES)
    engine.execute(f"CREATE OR REPLACE TABLE summed AS {_SUMMED.format(rides=rides)}", words)
    engine.execute("INSERT INTO persons SELECT DISTINCT account_id FROM summed WHERE mg > 0")
    in_range, out_of_range = engine.execute(f"SELECT count(mg), count(*) - count(mg) FROM ({rides})", words).fetchall()[0]
    held, zero, mg = engine.execute(_TOTALS).fetchall()[0]
    return {
        "out_of_range": out_of_range,
        "unlinked": in_range - held,
        "zero": zero,
        "measured": held - zero,
        "mg": mg,
    }


_RIDES = "(SELECT * FROM read_parquet($files, hive_partitioning = false) WHERE day BETWEEN $first AND $last)"
_SUMMED = """
SELECT account_id, rides.day, sum(mg)::BIGINT AS mg, count(*) AS rides, count(*) FILTER (mg = 0) AS zero
FROM ({rides}) AS rides
JOIN (SELECT * FROM links WHERE valid_from <= $last AND (valid_to > $first OR valid_to IS NULL)) AS held
     ON held.subject = rides.subject AND rides.day >= held.valid_from
     AND (rides.day < held.valid_to OR held.valid_to IS NULL)
WHERE mg IS NOT NULL GROUP BY account_id, rides.day
"""
_TOTALS = "SELECT coalesce(sum(rides), 0)::BIGINT, coalesce(sum(zero), 0)::BIGINT, coalesce(sum(mg), 0)::BIGINT FROM summed"

_COLUMNS = "account_id, methodology, fingerprint, day, mg, batch_id"


def _reductions(batch_id: int, methodology: str, stretch: Stretch) -> str:
    return f"""
        SELECT account_id, '{methodology}' AS methodology, '{stretch.methodology.fingerprint}' AS fingerprint,
               day, mg, {batch_id} AS batch_id
        FROM summed WHERE mg > 0 ORDER BY account_id, day
    """


def _persons(engine: duckdb.DuckDBPyConnection) -> int:
    return int(engine.execute("SELECT count(DISTINCT account_id) FROM persons").fetchall()[0][0])


def _measured(batch: Batch, methodology: str, counts: Counter[str], persons: int) -> Measured:
    left_out = {reason: count for reason, count in sorted(counts.items()) if count and reason not in ("measured", "mg")}
    return Measured(
        batch.source, batch.id, methodology, batch.accepted, counts["measured"], left_out, counts["mg"], persons
    )
