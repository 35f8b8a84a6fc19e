"""A lake of many rides for a benchmark: the demonstration's real trips, replicated with shifted numbers.

Their defects stay in them (too long, too short, too fast, round trips), so what is
measured has something to refuse.
"""

from importlib.resources import as_file, files
from pathlib import Path

import duckdb

from carbonhui.activity.profile_files import profile_named
from carbonhui.activity.stations import read_stations, shortest_metres

#: Rides of one person in the month.
RIDES_A_PERSON = 60
_FILES = 8


def write_rides(folder: Path, rows: int) -> int:
    """Write so many rides of March 2026 in the lake's own shape and order, in a few files; the number of persons.

    A person's number becomes a subject as `subject_of` says.
    """
    persons = max(1, rows // RIDES_A_PERSON)
    folder.mkdir(parents=True)
    with duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(folder / "overflow")}) as engine:
        real = _read_real(engine)
        engine.execute(_SHIFTED.format(real=real, persons=persons, rows=rows))
        for number in range(_FILES):
            first, last = 31 * number // _FILES + 1, 31 * (number + 1) // _FILES
            engine.execute(_WRITE.format(first=first, last=last, path=folder / f"{number}.parquet"))
    return persons


def subject_of(number: str) -> str:
    """The blind index that a person's number stands for here, in SQL that DuckDB reads."""
    return f"unhex(md5({number}::VARCHAR))"


def _read_real(engine: duckdb.DuckDBPyConnection) -> int:
    """The demonstration's trips with seconds and metres; how many there are."""
    with as_file(files("carbonhui.demo") / "data") as data:
        places, _ = read_stations(profile_named("bayarea-2014"), data / "stations.csv")
        engine.execute(
            "CREATE TABLE given AS SELECT * FROM read_csv($path, all_varchar = true)", {"path": str(data / "trips.csv.gz")}
        )
    asked = engine.execute("SELECT DISTINCT start_station_id, end_station_id FROM given").fetchall()
    pairs = [(start, end, shortest_metres(places.get(start, []), places.get(end, []))) for start, end in asked]
    engine.execute("CREATE TABLE pairs (start_station_id VARCHAR, end_station_id VARCHAR, metres BIGINT)")
    engine.executemany("INSERT INTO pairs VALUES (?, ?, ?)", pairs)
    engine.execute(_REAL)
    return int(engine.execute("SELECT count(*) FROM real").fetchall()[0][0])


_REAL = """
CREATE TABLE real AS
SELECT row_number() OVER () - 1 AS number, left(start_at, 19)::TIMESTAMP AS begun, duration_s::BIGINT AS seconds, metres
FROM given JOIN pairs USING (start_station_id, end_station_id)
"""
# Each copy of a trip gets another rider, day and number; its hour, length and distance stay.
_SHIFTED = """
CREATE VIEW shifted AS
SELECT ((i * 2654435761) % {persons})::BIGINT AS rider, i, seconds, metres,
       1 + (hash(i) % 31)::INTEGER AS day_of_month, begun::TIME AS time_of_day
FROM (SELECT i, i % {real} AS number FROM range({rows}) t (i)) JOIN real USING (number)
"""
_WRITE = """
COPY (
    SELECT unhex(md5(rider::VARCHAR)) AS subject, unhex(md5('act' || i)) AS act,
           DATE '2026-03-01' + (day_of_month - 1) AS day, DATE '2026-03-01' + (day_of_month - 1) + time_of_day AS started_at,
           DATE '2026-03-01' + (day_of_month - 1) + time_of_day + to_seconds(seconds) AS ended_at,
           480::SMALLINT AS utc_offset_minutes, seconds, metres, 1::BIGINT AS trips, 'bicycle' AS mode
    FROM shifted WHERE day_of_month BETWEEN {first} AND {last} ORDER BY day, subject, act
) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""
