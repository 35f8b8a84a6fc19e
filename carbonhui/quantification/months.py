"""Measuring meter readings, a calendar month at a time, against the same month a year before."""

from pathlib import Path
from typing import Any

import duckdb
import psycopg

from carbonhui.activity import Profile
from carbonhui.quantification.versions import Stretch
from carbonhui.quantification.writing import Measured, allow_time, copy_in


def measure_months(
    engine: duckdb.DuckDBPyConnection,
    connection: psycopg.Connection[Any],
    profiles: list[Profile],
    methodology: str,
    stretches: list[Stretch],
    files: list[str],
    folder: Path,
    *,
    through: str,
) -> Measured:
    """Measure the months of one source that were not measured yet and have a month to compare with.

    A month that lacks its history, enough readings, a version or a holder stays open:
    later data may complete it. A month that was measured stays as it was.
    """
    source = profiles[0].source
    _read_done(engine, connection, methodology, source, folder)
    engine.execute(f"CREATE OR REPLACE TABLE months AS {_months(profiles)}", {"files": files})
    engine.execute(_COMPARED, {"through": through})
    engine.execute(f"CREATE OR REPLACE TABLE answered AS {_answered(stretches)}")
    engine.execute(_HELD)
    measured = _counts(engine, source, methodology)
    with connection.transaction():
        allow_time(connection)
        copy_in(connection, engine, "measured_month", _MONTH_COLUMNS, _done_now(methodology, source))
        copy_in(connection, engine, "reduction", _COLUMNS, _reductions(methodology))
    return measured


def _read_done(
    engine: duckdb.DuckDBPyConnection, connection: psycopg.Connection[Any], methodology: str, source: str, folder: Path
) -> None:
    """Fill ``done`` with the months of each meter that were measured before."""
    path = folder / "done.csv"
    query = psycopg.sql.SQL(
        "COPY (SELECT encode(subject, 'hex'), month FROM measured_month WHERE methodology = {} AND source = {})"
        " TO STDOUT (FORMAT csv)"
    ).format(psycopg.sql.Literal(methodology), psycopg.sql.Literal(source))
    with path.open("wb") as file, connection.cursor().copy(query) as rows:
        for block in rows:
            file.write(block)
    engine.execute(
        "CREATE OR REPLACE TABLE done AS SELECT unhex(subject) AS subject, month FROM read_csv($path, header = false,"
        " auto_detect = false, columns = {'subject': 'VARCHAR', 'month': 'DATE'})",
        {"path": str(path)},
    )
    path.unlink()


def _months(profiles: list[Profile]) -> str:
    """Each meter's months: use, days, whether enough readings are there, and the last batch that brought one.

    Where a month came in half hours and as a sum, the form with the greater coverage
    counts, and of equal ones the half hours; never both.
    """
    parts = [profile.reading for profile in profiles if profile.reading is not None]
    expected = " ".join(f"WHEN '{part.span}' THEN {part.readings_per_day}" for part in parts)
    least = " ".join(f"WHEN '{part.span}' THEN {part.least_coverage_percent}" for part in parts)
    return f"""
        SELECT subject, month, days, wh, batch_id, readings * 100 >= expected * CASE span {least} END AS covered
        FROM (SELECT *, day(last_day(month)) AS days, day(last_day(month)) * CASE span {expected} END AS expected
              FROM (SELECT subject, date_trunc('month', day)::DATE AS month, span, sum(wh)::BIGINT AS wh,
                           sum(readings)::BIGINT AS readings, max({_BATCH}) AS batch_id
                    FROM read_parquet($files, hive_partitioning = false, filename = true)
                    GROUP BY ALL))
        QUALIFY row_number() OVER (PARTITION BY subject, month
                                   ORDER BY readings * 1000000 // expected DESC, span = 'half_hour' DESC) = 1
    """


# A lake file lies in its batch's folder: batch=<number>-<digest>.
_BATCH = "regexp_extract(string_split(filename, '/')[-2], '[0-9]+')::BIGINT"

# The activity day of a month is its last day.
_COMPARED = """
CREATE OR REPLACE TABLE compared AS
SELECT now.subject, now.month, last_day(now.month) AS day, now.batch_id, now.wh AS used_wh, now.days,
       before.wh AS baseline_wh, before.days AS baseline_days,
       CASE WHEN NOT now.covered THEN 'coverage_too_low' WHEN before.month IS NULL THEN 'no_history'
            WHEN NOT before.covered THEN 'coverage_too_low' END AS lacking
FROM months AS now LEFT JOIN months AS before
     ON before.subject = now.subject AND before.month = (now.month - INTERVAL 1 YEAR)::DATE
WHERE last_day(now.month) <= CAST($through AS DATE)
  AND NOT EXISTS (SELECT 1 FROM done WHERE done.subject = now.subject AND done.month = now.month)
"""


def _answered(stretches: list[Stretch]) -> str:
    """Every compared month with its milligrams, or the reason why it has none."""
    columns = "subject, month, day, batch_id"
    rows = [stretch.sql(f"{columns}, '{stretch.methodology.fingerprint}' AS fingerprint", _within(stretch)) for stretch in stretches]
    nothing = f"SELECT {columns}, '' AS fingerprint, 0::BIGINT AS mg FROM compared WHERE false"
    return f"""
        SELECT compared.subject, compared.month, compared.day, compared.batch_id, fingerprint, mg,
               CASE WHEN lacking IS NOT NULL THEN lacking WHEN fingerprint IS NULL THEN 'no_version_on_day'
                    WHEN mg IS NULL THEN 'out_of_range' END AS lacking
        FROM compared LEFT JOIN ({' UNION ALL '.join([nothing, *rows])}) AS found
             ON found.subject = compared.subject AND found.month = compared.month
    """


def _within(stretch: Stretch) -> str:
    until = f" AND day < DATE '{stretch.end}'" if stretch.end else ""
    return f"(SELECT * FROM compared WHERE lacking IS NULL AND day >= DATE '{stretch.start}'{until})"


_HELD = """
CREATE OR REPLACE TABLE held AS
SELECT answered.* EXCLUDE (lacking), account_id,
       CASE WHEN lacking IS NOT NULL THEN lacking WHEN account_id IS NULL THEN 'unlinked' END AS lacking
FROM answered
LEFT JOIN links ON links.subject = answered.subject AND answered.day >= links.valid_from
     AND (answered.day < links.valid_to OR links.valid_to IS NULL)
"""


def _counts(engine: duckdb.DuckDBPyConnection, source: str, methodology: str) -> Measured:
    query = "SELECT CASE WHEN lacking IS NULL AND mg = 0 THEN 'zero' ELSE lacking END AS why, count(*) FROM held GROUP BY why"
    counts = dict(engine.execute(query).fetchall())
    measured = counts.pop(None, 0)
    mg, persons = engine.execute(
        "SELECT coalesce(sum(mg), 0)::BIGINT, count(DISTINCT account_id) FROM held WHERE lacking IS NULL AND mg > 0"
    ).fetchall()[0]
    left_out = dict(sorted(counts.items()))
    return Measured(source, None, methodology, measured + sum(left_out.values()), measured, left_out, mg, persons)


_MONTH_COLUMNS = "methodology, source, subject, month, batch_id, mg"
_COLUMNS = "account_id, methodology, fingerprint, day, mg, batch_id"


def _done_now(methodology: str, source: str) -> str:
    return f"""
        SELECT '{methodology}' AS methodology, '{source}' AS source, '\\x' || lower(hex(subject)) AS subject, month, batch_id, mg
        FROM held WHERE lacking IS NULL
    """


def _reductions(methodology: str) -> str:
    return f"""
        SELECT account_id, '{methodology}' AS methodology, fingerprint, day, sum(mg)::BIGINT AS mg, batch_id
        FROM held WHERE lacking IS NULL AND mg > 0 GROUP BY account_id, fingerprint, day, batch_id ORDER BY account_id, day
    """
