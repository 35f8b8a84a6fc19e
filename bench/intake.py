"""How fast a file is taken in, from its bytes to the recorded lake, beside DuckDB alone in the same run.

    python -m bench.intake [--rows 5000000] [--json]

The file has the demonstration's real trips, replicated with other numbers and other
bicycles, their defects kept. ``activity.load`` takes it in, and then a second file of
the same days by other bicycles, when the lake holds the first. The yardstick only
reads the first file as text and writes it sorted to Parquet, nothing judged, blinded
or compared. Each runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import itertools
import json
import multiprocessing
import re
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from bench.city import bench_settings, open_city
from bench.home import bench_home
from carbonhui import activity
from carbonhui.core.database import open_database

PROFILE = "bayarea-2014"
#: Apart by more than there are trip numbers.
_APART = 1_000_000
_MEMORY = "600MB"


def write_csv(path: Path, rows: int, first_copy: int = 0) -> int:
    """Write so many trips, copy after copy of the real ones; the number of copies."""
    with as_file(files("carbonhui.demo") / "data" / "trips.csv.gz") as real, duckdb.connect() as engine:
        engine.execute("SET enable_progress_bar = false")
        engine.execute(
            "CREATE TABLE given AS SELECT row_number() OVER () AS number, * FROM read_csv($path, all_varchar = true)",
            {"path": str(real)},
        )
        [given] = engine.execute("SELECT count(*) FROM given").fetchall()[0]
        copies = -(-rows // given)
        engine.execute(_COPIES.format(first=first_copy, end=first_copy + copies, apart=_APART, rows=rows, path=path))
    return int(copies)


_COPIES = """
COPY (
    SELECT trip_id::BIGINT + {apart} * copy AS trip_id, duration_s, start_at, start_station_id, end_at, end_station_id,
           bike_id || '-' || copy AS bike_id, subscription_type
    FROM (SELECT range AS copy FROM range({first}, {end})), given ORDER BY copy, number LIMIT {rows}
) TO '{path}' (FORMAT csv, QUOTE '')
"""


def take_in(home: str, path: Path) -> dict[str, Any]:
    """One file through the product's own verb, and how long each of its steps took."""
    steps: list[tuple[str, float, float]] = []
    with as_file(files("carbonhui.demo") / "data" / "stations.csv") as stations, open_database(bench_settings(home)) as database:
        report = activity.load(
            database, database.settings, path, PROFILE, received_by="bench", stations=stations,
            progress=lambda step, _: steps.append((step, time.perf_counter(), time.process_time())),
        )  # fmt: skip
        steps.append(("end", time.perf_counter(), time.process_time()))
    return {
        "seconds": report.seconds,
        "rows_per_s": int(report.rows_in / report.seconds),
        "steps": {
            step: (round(later[1] - began, 2), round(later[2] - used, 2))
            for (step, began, used), later in itertools.pairwise(steps)
        },
        "accepted": report.accepted,
        "duplicate": report.duplicate,
        "refused_by": report.refused_by,
        **_used(),
    }


def yardstick(home: str, path: Path) -> dict[str, Any]:
    """DuckDB alone: the same text, read and written sorted."""
    began = time.perf_counter()
    with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": f"{home}/overflow"}) as engine:
        engine.execute("SET enable_progress_bar = false")
        engine.execute(
            f"COPY (SELECT * FROM read_csv('{path}', all_varchar = true) ORDER BY start_at[:10], bike_id, trip_id)"
            f" TO '{home}/yardstick.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
    return {"seconds": time.perf_counter() - began, **_used()}


def _used() -> dict[str, float]:
    """This program's own peak of memory, and the seconds of both processors."""
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 2**20  # type: ignore[index]
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"peak_gib": round(peak, 2), "cpu_s": round(used.ru_utime + used.ru_stime, 2)}


def _alone(what: Callable[[str, Path], dict[str, Any]], home: str, path: Path) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(what, home, path).result()


def run(rows: int, console: Console) -> dict[str, Any]:
    """The yardstick, the first file, and the second beside the first."""
    with bench_home("intake") as home:
        first, second = Path(home) / "first.csv", Path(home) / "second.csv"
        console.print(f"writing two files of {rows:,} trips ...", style="dim")
        copies = write_csv(first, rows)
        write_csv(second, rows, copies)
        console.print("taking in ...", style="dim")
        bare = _alone(yardstick, home, first)
        # It stays open, so that the embedded server is not started anew for each file.
        with open_city(home):
            result = {"yardstick": bare, "first": _alone(take_in, home, first), "second": _alone(take_in, home, second)}
    return {"rows": rows, "vs_yardstick": round(bare["seconds"] / result["first"]["seconds"], 2), **result}


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
    table = Table(title=f"Taking in {result['rows']:,} trips; the first file runs at {result['vs_yardstick']} of the yardstick")
    for column in ("what", "s", "rows/s", "peak GiB", "processor s", "steps: s (of both processors)"):
        table.add_column(column)
    for name in ("yardstick", "first", "second"):
        one = result[name]
        steps = ", ".join(f"{step} {seconds} ({used})" for step, (seconds, used) in one.get("steps", {}).items())
        rate = int(result["rows"] / one["seconds"])
        table.add_row(name, f"{one['seconds']:.1f}", f"{rate:,}", str(one["peak_gib"]), str(one["cpu_s"]), steps)
    console.print(table)
    console.print(f"accepted {result['first']['accepted']:,}, refused {result['first']['refused_by']}")


if __name__ == "__main__":
    main()
