"""Whatever a file holds, each of its rows ends in exactly one place."""

import os
import tracemalloc
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from carbonhui import activity
from carbonhui.core.refusals import Refusal
from tests.activity.conftest import HEADER, STATIONS, trip

BASE = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CARBONHUI_SHARED_DATA") or BASE.parent / "shared" / "data")
RIDES = SHARED / "mibici-guadalajara"

cells = some.one_of(
    some.sampled_from(["1", "2", "3", "4", "9", "", "2015-03-02 08:00:00", "2015-03-02 08:20:00", '"', '"a"', "\r", "\0", "１", "=1"]),
    some.text(max_size=6),
)
good = some.builds(
    lambda number, user, hour, minutes: trip(number, user, f"{hour:02}:00:00", f"{hour:02}:{minutes:02}:30"),
    some.integers(1, 12), some.integers(1, 3), some.integers(0, 23), some.integers(0, 59),
)
rows = some.one_of(good, good, some.lists(cells, max_size=8).map(",".join)).map(lambda row: row.encode("utf-8", "surrogatepass"))
dirt = some.one_of(rows, rows, rows, some.binary(max_size=20))


@limits(max_examples=60, suppress_health_check=list(HealthCheck))
@given(content=some.lists(dirt, max_size=25))
def test_random_rows_with_random_defects_are_never_lost(database, clock, tmp_path, content):
    stations = tmp_path / "stations.csv"
    stations.write_text(STATIONS)
    path = tmp_path / "rides.csv"
    path.write_bytes(b"\n".join([HEADER.encode(), *content]) + b"\n")
    try:
        report = activity.load(
            database, database.settings, path, "mibici", received_by="t", stations=stations, clock=clock
        )
    except Refusal:
        return
    assert report.accepted + report.duplicate + report.refused == report.rows_in
    assert report.rows_in <= path.read_bytes().count(b"\n") - 1


def needs_rides() -> None:
    if not RIDES.is_dir():
        pytest.skip(f"the shared data is not there: {RIDES} (set CARBONHUI_SHARED_DATA)")


def test_a_real_month_is_judged_as_a_plain_reading_of_the_rules_says(database, clock):
    needs_rides()
    path = RIDES / "trips_2014-12.csv.gz"
    report = activity.load(
        database, database.settings, path, "mibici", received_by="t", stations=RIDES / "stations.csv", clock=clock
    )
    assert (report.rows_in, report.duplicate) == (23_967, 0)
    expected = _plain_reading(path)
    assert {code: count for code, count in report.refused_by.items() if code != "too_fast"} == {
        code: count for code, count in expected.items() if code != "too_fast"
    }
    # Speed was compared with the great circle in floats here, so a ride at the very limit may differ.
    assert abs(report.refused_by["too_fast"] - expected["too_fast"]) <= 1


def _plain_reading(path: Path) -> dict[str, int]:
    """The same rules, one ride after the other, without the engine's windows and integers."""
    with duckdb.connect() as engine:
        rides = engine.execute(
            f"""SELECT t.*, o.lat, o.lon, d.lat, d.lon FROM read_csv('{path}') t
                JOIN read_csv('{RIDES / "stations.csv"}') o ON o.id = origin_station
                JOIN read_csv('{RIDES / "stations.csv"}') d ON d.id = dest_station ORDER BY start_local, trip_id"""
        ).fetchall()
    from tests.activity.test_distances import great_circle

    found: dict[str, int] = defaultdict(int)
    until: dict[int, datetime] = {}
    for _, user, start, end, origin, destination, *places in rides:
        took = end - start
        metres = great_circle(*(round(place * 1e6) for place in places))
        if took < timedelta(seconds=60):
            found["too_short"] += 1
        elif took > timedelta(hours=3):
            found["too_long"] += 1
        elif origin == destination:
            found["round_trip"] += 1
        elif metres * 3.6 > 35 * took.total_seconds():
            found["too_fast"] += 1
        elif start < until.get(user, datetime.min):
            found["overlapping"] += 1
        else:
            until[user] = end
    return dict(found)


def test_memory_does_not_grow_with_the_file(database, clock, tmp_path, monkeypatch):
    from carbonhui.activity import lines

    monkeypatch.setattr(lines, "BLOCK_BYTES", 64 * 1024)
    stations = tmp_path / "stations.csv"
    stations.write_text(STATIONS)

    def peak(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write(HEADER + "\n")
            file.writelines(trip(number, number % 50, end="08:00:10") + "\n" for number in range(count))
        tracemalloc.start()
        activity.load(database, database.settings, path, "mibici", received_by="t", stations=stations, clock=clock)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    # Refused rows are written 10,000 at a time: from 20,000 on the peak stands still.
    assert peak(50_000) < peak(20_000) * 1.2
