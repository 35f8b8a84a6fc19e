"""Stations named by Chinese map services stand where they stand (Article 16)."""

import csv
import os
from decimal import Decimal
from math import cos, hypot, pi, radians, sin, sqrt
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as some

from carbonhui.activity.gcj02 import to_wgs84
from carbonhui.activity.profile import StationColumns
from carbonhui.activity.stations import read_stations
from tests.activity.test_distances import great_circle

BASE = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CARBONHUI_SHARED_DATA") or BASE.parent / "shared" / "data")
STATIONS = SHARED / "metro-stations-gz-sz"

INSIDE = {"latitude": some.integers(829_300, 55_827_100), "longitude": some.integers(72_004_000, 137_834_700)}


def moved(latitude: float, longitude: float) -> tuple[float, float]:
    """The published way from WGS84 to GCJ-02, in floats."""
    x, y = longitude - 105, latitude - 35
    waves = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3 + (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3 + (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    axis, eccentricity = 6_378_245.0, 0.00669342162296594323
    flat = 1 - eccentricity * sin(radians(latitude)) ** 2
    north = north * 180 / (axis * (1 - eccentricity) / (flat * sqrt(flat)) * pi)
    east = east * 180 / (axis / sqrt(flat) * cos(radians(latitude)) * pi)
    return latitude + north, longitude + east


@given(**INSIDE)
def test_moved_back_and_forth_a_place_is_where_it_was_to_a_quarter_of_a_metre(latitude, longitude):
    found = to_wgs84(latitude, longitude)
    back = moved(found[0] / 1e6, found[1] / 1e6)
    north = (back[0] * 1e6 - latitude) * 0.111195
    east = (back[1] * 1e6 - longitude) * 0.111195 * cos(radians(back[0]))
    assert hypot(north, east) < 0.25


@given(**INSIDE)
def test_inside_the_country_a_place_moves_by_at_most_some_hundred_metres(latitude, longitude):
    assert 1 < great_circle(latitude, longitude, *to_wgs84(latitude, longitude)) < 1_500


@pytest.mark.parametrize(
    "place", [(0, 0), (20_680_000, -103_350_000), (829_299, 100_000_000), (55_827_101, 100_000_000),
              (30_000_000, 72_003_999), (30_000_000, 137_834_701), (-33_870_000, 151_200_000)]
)  # fmt: skip
def test_outside_the_country_nothing_moves(place):
    assert to_wgs84(*place) == place


def test_the_same_numbers_on_every_machine():
    assert to_wgs84(22_532_083, 114_118_666) == (22_534_770, 114_113_559)
    assert to_wgs84(39_908_823, 116_397_470) == (39_907_422, 116_391_229)


def test_real_stations_come_to_where_the_open_map_has_them():
    if not STATIONS.is_dir():
        pytest.skip(f"the shared data is not there: {STATIONS} (set CARBONHUI_SHARED_DATA)")
    true: dict[str, list[tuple[int, int]]] = {}
    for row in _rows("shenzhen_osm_2016-02-16.csv"):
        true.setdefault(row["name_zh"], []).append((_micro(row["lat"]), _micro(row["lon"])))
    given = {row["name_zh"]: (_micro(row["lat_gcj02"]), _micro(row["lon_gcj02"])) for row in _rows("shenzhen_szmc_gcj02.csv")}
    both = sorted(given.keys() & true.keys())
    before = median(min(great_circle(*given[name], *place) for place in true[name]) for name in both)
    after = median(min(great_circle(*to_wgs84(*given[name]), *place) for place in true[name]) for name in both)
    # 56 stations of both lists: 603 m apart as given, 29 m once moved back.
    assert len(both) > 50
    assert before > 500
    assert after < 40


def _rows(name: str) -> list[dict[str, str]]:
    with (STATIONS / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _micro(degrees: str) -> int:
    return int(Decimal(degrees) * 1_000_000)


@pytest.mark.parametrize(("datum", "place"), [("GCJ-02", (22_534_770, 114_113_559)), ("WGS84", (22_532_083, 114_118_666))])
def test_a_list_is_read_in_the_datum_that_its_profile_names(tmp_path, datum, place):
    class Named:
        name = "any"
        stations = StationColumns(id="id", latitude="lat", longitude="lon", datum=datum)

    path = tmp_path / "stations.csv"
    path.write_text("id,lat,lon\n1,22.532083,114.118666\n2,,\n")
    assert read_stations(Named, path)[0] == {"1": [place], "2": []}  # type: ignore[arg-type]
