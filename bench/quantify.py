"""How fast activity is measured, beside one hand-written SQL sum over the same files in the same run.

    python -m bench.quantify [--rows 20000000] [--json]

``rows_per_s`` is from Parquet to the sum per person and day: read, dated numbers,
range check, formula, links at the activity's day. ``with_store_per_s`` also counts
verifying the files' digests and entering the reductions in PostgreSQL. The yardstick
sums the product per person and day with the factor written into the statement.
Everything is measured in a process of its own, so that its peak memory is its own.
"""

import argparse
import hashlib
import json
import multiprocessing
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
from rich.console import Console
from rich.table import Table

from bench.city import open_city, people
from bench.home import bench_home
from carbonhui import activity, methodology, quantification
from carbonhui.activity import Batch, LakeFile
from carbonhui.activity.batches import record
from carbonhui.core.database import Database
from carbonhui.quantification import trips
from carbonhui.quantification.engine import measuring_engine, read_links
from carbonhui.quantification.versions import stretches

TRIPS_A_PERSON = 60


def _write_lake(path: Path, rows: int, persons: int) -> None:
    """A month of rides, in the lake's own shape and order."""
    path.parent.mkdir(parents=True)
    with duckdb.connect(config={"memory_limit": "4GB"}) as engine:
        engine.execute(f"""
            COPY (
                SELECT unhex(md5((i % {persons})::VARCHAR)) AS subject, 'bench-' || i AS act,
                       DATE '2025-03-01' + (hash(i) % 31)::INTEGER AS day,
                       TIMESTAMP '2025-03-01' AS started_at, TIMESTAMP '2025-03-01 00:10:00' AS ended_at,
                       600::BIGINT AS seconds, (300 + hash(i * 7) % 4000)::BIGINT AS metres, 1::BIGINT AS trips
                FROM range({rows}) t (i) ORDER BY day, subject
            ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
        """)


def _prepare(database: Database, rows: int) -> Path:
    persons = max(1, rows // TRIPS_A_PERSON)
    inside = "source=mibici/bench/2025-03.parquet"
    path = database.settings.lake / inside
    _write_lake(path, rows, persons)
    digest = hashlib.sha256(path.read_bytes()).digest()
    accounts = people(database, persons)
    with database.connect_as_owner() as connection:
        connection.execute(
            """INSERT INTO link (scheme, subject, account_id, valid_from)
               SELECT %s, decode(md5((n - 1)::text), 'hex'), a, '2000-01-01'
               FROM unnest(%s::bigint[]) WITH ORDINALITY AS given (a, n)""",
            (_scheme(), accounts),
        )
        batch = Batch(
            id=1, source="mibici", profile="mibici", kind="trip", file_name="bench", digest=digest, stations_digest=digest,
            moved_years=0, received_by="bench", rows_in=rows, accepted=rows, duplicate=0, refused=0, refused_by={},
            first_day=date(2025, 3, 1), last_day=date(2025, 3, 31), quarantine=None,
        )
        record(connection, batch, [LakeFile(1, date(2025, 3, 1), inside, rows, digest)])
    return path


def _scheme() -> str:
    return activity.profile_named("mibici").scheme


_SINGLE_SUM = """
CREATE OR REPLACE TABLE summed AS
SELECT subject, day, sum(metres * 48700 // 1000) AS mg FROM read_parquet($files) GROUP BY subject, day
"""


def _yardstick(database: Database, path: Path) -> float:
    with measuring_engine(database.settings) as (engine, _):
        began = time.perf_counter()
        engine.execute(_SINGLE_SUM, {"files": [str(path)]})
        return time.perf_counter() - began


def _engine_only(database: Database, path: Path) -> float:
    """Seconds of the product's own measuring, links included, with nothing entered in the store."""
    with measuring_engine(database.settings) as (engine, folder), database.connect() as connection:
        with database.begin() as session:
            read_links(engine, session, _scheme(), folder)
            known = stretches(session, "cycling", methodology.installed().values(), touched=None)
            (batch,) = activity.batches(session)
        with connection.transaction(force_rollback=True), mock.patch.object(trips, "copy_in"):
            began = time.perf_counter()
            trips.measure_batch(engine, connection, batch, "cycling", known, [str(path)])
            return time.perf_counter() - began


def _peak_kib() -> int:
    """This program's own peak; what getrusage tells starts from the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])  # type: ignore[index]


def _measure(home: str, rows: int) -> dict[str, float]:
    """Seconds of each way, and this process's own peak memory in GiB."""
    with open_city(home) as database:
        path = next(database.settings.lake.rglob("*.parquet"))
        single = min(_yardstick(database, path) for _ in range(2))
        engine = min(_engine_only(database, path) for _ in range(2))
        report = quantification.quantify(database, database.settings, methodology.installed())
        assert report.activities == report.measured == rows
    peak_gib = _peak_kib() / 2**20
    return {"single_sum": single, "engine": engine, "with_store": report.seconds, "peak_gib": peak_gib}


def run(rows: int, console: Console) -> dict[str, Any]:
    """Rates, peak memory in GiB, and ratios."""
    with bench_home("quantify") as home:
        console.print(f"writing {rows:,} rides ...", style="dim")
        with open_city(home) as database:
            _prepare(database, rows)
        console.print("measuring ...", style="dim")
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
            found = alone.submit(_measure, home, rows).result()
    ratios = {
        "rows_per_s": int(rows / found["engine"]),
        "with_store_per_s": int(rows / found["with_store"]),
        "vs_single_sum": round(found["single_sum"] / found["engine"], 2),
        "peak_gib": round(found["peak_gib"], 2),
    }
    return {"rows": rows, "seconds": {name: round(value, 2) for name, value in found.items()}, "ratios": ratios}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    result = run(options.rows, console)
    if options.json:
        json.dump(result, sys.stdout)
        return
    table = Table(title=f"Measuring {result['rows']:,} rides")
    table.add_column("what")
    table.add_column("", justify="right")
    for name, value in result["ratios"].items():
        table.add_row(name, f"{value:,}")
    console.print(table)


if __name__ == "__main__":
    main()
