"""How fast activity is measured, beside one hand-written SQL sum over the same files in the same run.

    python -m bench.quantify [--rows 20000000] [--store] [--json]

``rows_per_s`` is from Parquet to the sum per person and day: read, links at the
activity's day, dated numbers, plausibility, range check, formula. The yardstick sums
the product per person and day with the factor written into the statement and without
any of the rest. With ``--store`` the reductions are also entered in PostgreSQL, by
`quantification.quantify` itself. Each is measured in a process of its own, so that
its peak memory is its own.
"""

import argparse
import json
import multiprocessing
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as parquet
from rich.console import Console
from rich.table import Table

from bench.city import open_city, people
from bench.home import bench_home
from bench.rides import subject_of, write_rides
from carbonhui import activity, consent, methodology, quantification
from carbonhui.activity import Batch, LakeFile
from carbonhui.activity.batches import record
from carbonhui.activity.receiving import digest_of
from carbonhui.core.database import Database
from carbonhui.quantification.duckdb_engine import DuckdbEngine
from carbonhui.quantification.jobs import Acts, Run
from carbonhui.quantification.measuring import ACTS_AT_ONCE
from carbonhui.quantification.versions import Stretch

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
#: What the intake believes of a bicycle trip, tested here on every row once more.
PLAUSIBLE = "seconds BETWEEN 60 AND 10800 AND metres > 0 AND metres * 3600 <= 35000 * seconds"


class PlausibleEngine(DuckdbEngine):
    """The product's engine over a lake whose rows were not judged at the door."""

    def view(self, name: str, files: Sequence[str], *, batch: bool = False) -> None:
        super().view(f"{name}_as_received", files, batch=batch)
        self._engine.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {name}_as_received WHERE {PLAUSIBLE}")


def _write_links(folder: Path, persons: int) -> Path:
    path = folder / "links.csv"
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT hex({subject_of('i')}), i + 1, DATE '2000-01-01', NULL, DATE '2000-01-01' FROM range({persons}) t (i))"
            f" TO '{path}' (FORMAT csv, HEADER false)"
        )
    return path


def _files(lake: Path) -> tuple[str, ...]:
    return tuple(sorted(str(path) for path in lake.glob("*.parquet")))


def _stretch() -> Stretch:
    cycling = methodology.installed()["cycling"]
    period = next(one for one in cycling.periods() if one.start <= FIRST and (one.end is None or one.end > LAST))
    return Stretch(period.start, period.end, cycling, period.values)


def product(folder: Path) -> dict[str, Any]:
    """The product's own measuring of the whole month, nothing entered in a store."""
    engine = PlausibleEngine(folder)
    began = time.perf_counter()
    engine.read_links("riders", folder / "links.csv")
    counts: Counter[str] = Counter()
    person_days = 0
    days = engine.open_acts(Acts("trip", "bicycle", "riders", _files(folder / "lake")))
    for first, last in _together(days):
        counts.update(engine.sum_days(Run(first, last, _stretch(), "verified")))
        person_days += engine.rows("SELECT count(*) FROM capped WHERE mg > 0")[0][0]
    seconds = time.perf_counter() - began
    engine.close()
    return {"seconds": seconds, "counts": dict(counts), "person_days": person_days, "peak_gib": _peak_gib()}


def _together(days: list[tuple[date, int]]) -> list[tuple[date, date]]:
    """Runs of days as the product makes them."""
    runs: list[tuple[date, date, int]] = []
    for day, count in days:
        if runs and runs[-1][2] + count <= ACTS_AT_ONCE:
            runs[-1] = (runs[-1][0], day, runs[-1][2] + count)
        else:
            runs.append((day, day, count))
    return [(first, last) for first, last, _ in runs]


_SINGLE_SUM = """
CREATE OR REPLACE TEMP TABLE summed AS
SELECT subject, day, sum(metres * 48700 // 1000) AS mg FROM read_parquet({files}) GROUP BY subject, day
"""


def yardstick(folder: Path) -> dict[str, Any]:
    """One sum per person and day, file by file, as one would write it by hand."""
    engine = DuckdbEngine(folder)
    began = time.perf_counter()
    for file in _files(folder / "lake"):
        engine.rows(_SINGLE_SUM.format(files=[file]))
    seconds = time.perf_counter() - began
    engine.close()
    return {"seconds": seconds, "peak_gib": _peak_gib()}


def store(folder: Path) -> dict[str, Any]:
    """The verb itself, with PostgreSQL: digests verified, reductions entered."""
    with open_city(str(folder)) as database:
        began = time.perf_counter()
        report = quantification.quantify(database, database.settings, methodology.installed_versions())
        return {"seconds": time.perf_counter() - began, "rows": report.activities, "peak_gib": _peak_gib()}


def _peak_gib() -> float:
    """This program's own peak; what getrusage tells starts from the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 2**20  # type: ignore[index]


def _alone(what: Callable[[Path], dict[str, Any]], folder: Path) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(what, folder).result()


def _prepare_store(database: Database, rows: int, persons: int) -> None:
    """Move the rides into the store's lake as one recorded batch, and link everybody."""
    settings = database.settings
    folder = settings.lake / "source=mibici" / "batch=1-bench"
    folder.mkdir(parents=True)
    recorded = []
    for number, path in enumerate(_files(settings.home / "lake")):
        kept = folder / f"{number}.parquet"
        Path(path).rename(kept)
        count = parquet.ParquetFile(kept).metadata.num_rows
        # One file for each month is all that the record knows, so each stands for a month of its own.
        recorded.append(LakeFile(1, date(2026, number + 1, 1), str(kept.relative_to(settings.lake)), count, digest_of(kept)))
    accounts = people(database, persons)
    with database.connect_as_owner() as connection:
        connection.execute(
            f"""INSERT INTO link (scheme, subject, account_id, valid_from)
               SELECT '{activity.profile_named("mibici").scheme}', decode(md5((n - 1)::text), 'hex'), a, '2000-01-01'
               FROM unnest(%s::bigint[]) WITH ORDINALITY AS given (a, n)""",
            (accounts,),
        )
        record(connection, _batch(rows), recorded)
    database.run(lambda session: consent.grant_for_demo(
        session, source="mibici", scheme=activity.profile_named("mibici").scheme, on=LAST
    ))  # fmt: skip


def _batch(rows: int) -> Batch:
    return Batch(
        id=1, source="mibici", profile="mibici", kind="trip", file_name="bench", digest=bytes(32), stations_digest=None,
        moved_years=0, received_by="bench", rows_in=rows, accepted=rows, duplicate=0, refused=0, refused_by={},
        first_day=FIRST, last_day=LAST, quarantine=None, received_at=datetime.now(UTC), evidence="verified", acts=rows, limits={}, profile_digest=bytes(32),
    )  # fmt: skip


def run(rows: int, console: Console, *, with_store: bool) -> dict[str, Any]:
    """Rates, peak memory in GiB, and ratios."""
    with bench_home("quantify") as home:
        folder = Path(home)
        console.print(f"writing {rows:,} rides ...", style="dim")
        persons = write_rides(folder / "lake", rows)
        _write_links(folder, persons)
        console.print("measuring ...", style="dim")
        single = min((_alone(yardstick, folder) for _ in range(2)), key=lambda one: one["seconds"])
        ours = min((_alone(product, folder) for _ in range(2)), key=lambda one: one["seconds"])
        ratios = {
            "rows_per_s": int(rows / ours["seconds"]),
            "vs_single_sum": round(single["seconds"] / ours["seconds"], 2),
            "peak_gib": round(ours["peak_gib"], 2),
            "person_days": ours["person_days"],
        }
        if with_store:
            console.print("entering in PostgreSQL ...", style="dim")
            with open_city(home) as database:
                _prepare_store(database, rows, persons)
            entered = _alone(store, folder)
            ratios |= {
                "with_store_per_s": int(rows / entered["seconds"]),
                "with_store_peak_gib": round(entered["peak_gib"], 2),
            }
    return {"rows": rows, "persons": persons, "single_sum": single, "product": ours, "ratios": ratios}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--store", action="store_true", help="also enter the reductions in PostgreSQL")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    result = run(options.rows, console, with_store=options.store)
    if options.json:
        json.dump(result, sys.stdout)
        return
    table = Table(title=f"Measuring {result['rows']:,} rides of {result['persons']:,} persons")
    table.add_column("what")
    table.add_column("", justify="right")
    for name, value in result["ratios"].items():
        table.add_row(name, f"{value:,}")
    console.print(table)
    console.print(f"measured and left out: {result['product']['counts']}")


if __name__ == "__main__":
    main()
