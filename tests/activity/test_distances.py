"""Straight lines in whole metres (Article 16)."""

from math import asin, cos, floor, radians, sin, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from carbonhui.activity.rules import cosine, straight_line_metres
from carbonhui.activity.stations import shortest_metres

LATITUDES = some.integers(-66_000_000, 66_000_000)
LONGITUDES = some.integers(-180_000_000, 180_000_000)
NEAR = some.integers(-300_000, 300_000)


def great_circle(a_lat: int, a_lon: int, b_lat: int, b_lon: int) -> float:
    p, q = radians(a_lat / 1e6), radians(b_lat / 1e6)
    half = sin((q - p) / 2) ** 2 + cos(p) * cos(q) * sin(radians((b_lon - a_lon) / 1e6) / 2) ** 2
    return 2 * 6_371_008.8 * asin(sqrt(half))


@given(LATITUDES, LONGITUDES, NEAR, NEAR)
def test_a_line_within_a_city_is_the_great_circle_to_the_metre_or_half_a_per_cent(latitude, longitude, north, east):
    other = (longitude + east + 180_000_000) % 360_000_000 - 180_000_000
    metres = straight_line_metres(latitude, longitude, latitude + north, other)
    wanted = great_circle(latitude, longitude, latitude + north, other)
    assert abs(metres - wanted) <= max(1.001, wanted * 0.005)


@given(LATITUDES, LONGITUDES, NEAR, NEAR)
def test_there_and_back_are_equal(latitude, longitude, north, east):
    there = straight_line_metres(latitude, longitude, latitude + north, longitude + east)
    assert there == straight_line_metres(latitude + north, longitude + east, latitude, longitude)
    assert there >= 0


@pytest.mark.parametrize("degrees", range(-90, 91, 15))
def test_the_cosine_is_right_to_twelve_digits(degrees):
    assert abs(cosine(degrees * 1_000_000) / 10**15 - cos(radians(degrees))) < 1e-12


def test_the_line_rounds_down():
    wanted = great_circle(23_129_000, 113_264_000, 23_129_000, 113_274_000)
    assert straight_line_metres(23_129_000, 113_264_000, 23_129_000, 113_274_000) == floor(wanted) == 1022


def test_a_station_without_a_place_has_no_distance():
    assert shortest_metres([], [(0, 0)]) is None
    assert shortest_metres([(0, 0), (0, 9_000)], [(0, 10_000)]) == straight_line_metres(0, 9_000, 0, 10_000)
