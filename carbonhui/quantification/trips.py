"""Measuring rides, a batch at a time and in it a day at a time."""

from collections import Counter
from datetime import date
from typing import Any

import duckdb
import psycopg

from carbonhui.activity import Batch
from carbonhui.quantification.versions import Stretch
from carbonhui.quantification.writing import Measured, allow_time, copy_in, record_measurement


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
    summed. The lake lies in the order of days, so a day at a time reads each row once
    and needs no more memory than the busiest day's riders.
    """
    engine.execute("CREATE OR REPLACE TABLE persons (account_id BIGINT)")
    days = engine.execute(_DAYS, {"files": files}).fetchall()
    counts: Counter[str] = Counter(measured=0, mg=0)
    with connection.transaction():
        allow_time(connection)
        for day, rides in days:
            stretch = next((one for one in stretches if one.covers(day)), None)
            if stretch is None:
                counts["no_version_on_day"] += rides
                continue
            counts.update(_sum_day(engine, day, stretch, files))
            copy_in(connection, engine, "reduction", _COLUMNS, _reductions(batch.id, methodology, stretch, day))
        measured = _measured(batch, methodology, counts, _persons(engine))
        record_measurement(connection, measured)
    return measured


_DAYS = "SELECT day, count(*) FROM read_parquet($files) GROUP BY day ORDER BY day"


def _sum_day(engine: duckdb.DuckDBPyConnection, day: date, stretch: Stretch, files: list[str]) -> dict[str, int]:
    """Fill ``summed`` with each person's milligrams of a day; how many rides were measured and left out."""
    words = {"files": files, "day": day}
    rides = stretch.sql("subject", "(SELECT * FROM read_parquet($files) WHERE day = $day)")
    engine.execute(f"CREATE OR REPLACE TABLE summed AS {_SUMMED.format(rides=rides)}", words)
    engine.execute("INSERT INTO persons SELECT account_id FROM summed WHERE mg > 0")
    in_range, out_of_range = engine.execute(f"SELECT count(mg), count(*) - count(mg) FROM ({rides})", words).fetchall()[0]
    held, zero, mg = engine.execute(_TOTALS).fetchall()[0]
    return {
        "out_of_range": out_of_range,
        "unlinked": in_range - held,
        "zero": zero,
        "measured": held - zero,
        "mg": mg,
    }


_SUMMED = """
SELECT account_id, sum(mg)::BIGINT AS mg, count(*) AS rides, count(*) FILTER (mg = 0) AS zero
FROM ({rides}) AS rides
JOIN (SELECT subject, account_id FROM links WHERE valid_from <= $day AND (valid_to > $day OR valid_to IS NULL)) AS held
     ON held.subject = rides.subject
WHERE mg IS NOT NULL GROUP BY account_id
"""
_TOTALS = "SELECT coalesce(sum(rides), 0)::BIGINT, coalesce(sum(zero), 0)::BIGINT, coalesce(sum(mg), 0)::BIGINT FROM summed"

_COLUMNS = "account_id, methodology, fingerprint, day, mg, batch_id"


def _reductions(batch_id: int, methodology: str, stretch: Stretch, day: date) -> str:
    return f"""
        SELECT account_id, '{methodology}' AS methodology, '{stretch.methodology.fingerprint}' AS fingerprint,
               DATE '{day}' AS day, mg, {batch_id} AS batch_id
        FROM summed WHERE mg > 0 ORDER BY account_id
    """


def _persons(engine: duckdb.DuckDBPyConnection) -> int:
    return int(engine.execute("SELECT count(DISTINCT account_id) FROM persons").fetchall()[0][0])


def _measured(batch: Batch, methodology: str, counts: Counter[str], persons: int) -> Measured:
    left_out = {reason: count for reason, count in sorted(counts.items()) if count and reason not in ("measured", "mg")}
    return Measured(
        batch.source, batch.id, methodology, batch.accepted, counts["measured"], left_out, counts["mg"], persons
    )
