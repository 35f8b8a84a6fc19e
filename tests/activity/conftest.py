"""Small files of activity, made on the spot."""

import csv
import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from carbonhui import activity
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database

HEADER = "trip_id,user_id,start_local,end_local,origin_station,dest_station"
#: 1 and 2 stand 1.1 km apart, 3 is 14 km off, 4 has no coordinates, 5 stands in the list twice.
STATIONS = """id,name,lat,lon
1,North,20.680000,-103.350000
2,South,20.670000,-103.350000
3,Far,20.800000,-103.350000
4,Nowhere,,
5,Moved,20.690000,-103.350000
5,Moved,20.675000,-103.350000
"""

Load = Callable[..., activity.BatchReport]


def trip(number: int | str, user: int | str = 1, start: str = "08:00:00", end: str = "08:10:00", day: str = "2015-03-02") -> str:
    """One honest ride of ten minutes from station 1 to station 2."""
    return f"{number},{user},{day} {start},{day} {end},1,2"


def text(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def packed(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def quarantined(report: activity.BatchReport) -> list[dict[str, str]]:
    assert report.quarantine is not None
    with gzip.open(report.quarantine, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def template() -> str:
    """Files are judged by approved thresholds."""
    return "template_city"


@pytest.fixture
def stations(tmp_path: Path) -> Path:
    path = tmp_path / "stations.csv"
    path.write_text(STATIONS)
    return path


@pytest.fixture
def load(database: Database, clock: SetClock, tmp_path: Path, stations: Path) -> Load:
    """Load bytes (or a file) of rides and check what must hold of every report."""

    def load_it(content: bytes | Path, *, name: str = "rides.csv", profile: str = "mibici", **more: object) -> activity.BatchReport:
        path = content if isinstance(content, Path) else tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        if profile in ("mibici", "bayarea-2014"):
            more.setdefault("stations", stations)
        report = activity.load(database, database.settings, path, profile, received_by="the depot", clock=clock, **more)
        assert report.accepted + report.duplicate + report.refused == report.rows_in
        assert sum(report.refused_by.values()) == report.refused
        if report.refused:
            assert Counter(row["code"] for row in quarantined(report)) == report.refused_by
        return report

    return load_it


@pytest.fixture
def institution(database: Database) -> Callable[..., str]:
    """Put an institution's own profile where the product looks for it; its name."""

    def write(text: str, name: str = "own") -> str:
        database.settings.profiles_folder.mkdir(parents=True, exist_ok=True)
        (database.settings.profiles_folder / f"{name}.toml").write_text(text, encoding="utf-8")
        return name

    return write


@pytest.fixture
def lake_rows(database: Database) -> Callable[[str], list[dict[str, object]]]:
    """Every row of the recorded lake files of a source."""

    def read(source: str = "mibici") -> list[dict[str, object]]:
        import pyarrow.parquet as parquet

        with database.begin() as session:
            ids = [batch.id for batch in activity.batches(session, source)]
            files = activity.verified(database.settings, activity.lake_files(session, ids))
        return [row for file in files for row in parquet.ParquetFile(file).read().to_pylist()]

    return read
