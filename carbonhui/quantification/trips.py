"""Measuring rides, a batch at a time."""

from typing import Any

import duckdb
import psycopg

from carbonhui.activity import Batch
from carbonhui.quantification.engine import LINKED
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

    Each ride is rounded down to the milligram by itself, then a person's day is summed.
    """
    engine.execute(f"CREATE OR REPLACE TABLE summed AS {_summed(stretches)}", {"files": files} if stretches else None)
    engine.execute(_HELD)
    measured = _counts(engine, batch, methodology)
    with connection.transaction():
        allow_time(connection)
        record_measurement(connection, measured)
        copy_in(connection, engine, "reduction", _COLUMNS, _reductions(batch.id, methodology))
    return measured


def _summed(stretches: list[Stretch]) -> str:
    """Sums of each subject's days; rides outside the formula's range are counted and have no part in them."""
    if not stretches:
        return _NOTHING
    rides = "(SELECT subject, day, seconds, metres, trips FROM read_parquet($files))"
    rows = " UNION ALL ".join(stretch.sql("subject, day", rides, "day") for stretch in stretches)
    return f"""
        SELECT subject, day, fingerprint, coalesce(sum(mg), 0)::BIGINT AS mg, count(*) AS rides,
               count(*) FILTER (mg IS NULL) AS out_of_range, count(*) FILTER (mg = 0) AS zero
        FROM ({rows}) GROUP BY subject, day, fingerprint
    """


_NOTHING = """
SELECT ''::BLOB AS subject, DATE '1970-01-01' AS day, '' AS fingerprint, 0::BIGINT AS mg, 0::BIGINT AS rides,
       0::BIGINT AS out_of_range, 0::BIGINT AS zero WHERE false
"""

_HELD = f"""
CREATE OR REPLACE TABLE held AS
SELECT summed.* EXCLUDE (subject), account_id FROM summed {LINKED.format(rows="summed")}
"""


def _counts(engine: duckdb.DuckDBPyConnection, batch: Batch, methodology: str) -> Measured:
    rides, out_of_range, unlinked, zero, mg, persons = engine.execute(_TOTALS).fetchall()[0]
    reasons = {
        "no_version_on_day": batch.accepted - rides,
        "out_of_range": out_of_range,
        "unlinked": unlinked,
        "zero": zero,
    }
    left_out = {reason: count for reason, count in reasons.items() if count}
    measured = batch.accepted - sum(left_out.values())
    return Measured(batch.source, batch.id, methodology, batch.accepted, measured, left_out, mg, persons)


_TOTALS = """
SELECT coalesce(sum(rides), 0)::BIGINT, coalesce(sum(out_of_range), 0)::BIGINT,
       coalesce(sum(rides - out_of_range) FILTER (account_id IS NULL), 0)::BIGINT,
       coalesce(sum(zero) FILTER (account_id IS NOT NULL), 0)::BIGINT,
       coalesce(sum(mg) FILTER (account_id IS NOT NULL), 0)::BIGINT,
       count(DISTINCT account_id) FILTER (mg > 0)
FROM held
"""

_COLUMNS = "account_id, methodology, fingerprint, day, mg, batch_id"


def _reductions(batch_id: int, methodology: str) -> str:
    return f"""
        SELECT account_id, '{methodology}' AS methodology, fingerprint, day, sum(mg)::BIGINT AS mg, {batch_id} AS batch_id
        FROM held WHERE account_id IS NOT NULL AND mg > 0 GROUP BY account_id, fingerprint, day ORDER BY account_id, day
    """
