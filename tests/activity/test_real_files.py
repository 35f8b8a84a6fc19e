"""Real open data, judged as a plain reading of the rules says (Articles 12, 16)."""

import csv
import gzip
from collections import Counter, defaultdict
from datetime import datetime

import pytest

from carbonhui import activity
from tests.activity.test_counts_add_up import SHARED

HOUSEHOLDS = ("RESIDENTIAL_SINGLE", "RESIDENTIAL_MULTI")


@pytest.fixture
def real(database, clock):
    def load(path: str, profile: str, stations: str | None = None) -> activity.BatchReport:
        if not SHARED.is_dir():
            pytest.skip(f"the shared data is not there: {SHARED} (set CARBONHUI_SHARED_DATA)")
        places = SHARED / stations if stations else None
        return activity.load(
            database, database.settings, SHARED / path, profile, received_by="t", stations=places, clock=clock
        )

    return load


def rows(path: str) -> list[dict[str, str]]:
    opened = gzip.open if path.endswith(".gz") else open
    with opened(SHARED / path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_water_bills_of_santa_monica(real):
    report = real("santamonica-water/bills.csv.gz", "santamonica-water")
    expected: Counter[str] = Counter()
    months: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows("santamonica-water/bills.csv.gz"):
        if row["cust_class"] not in HOUSEHOLDS:
            expected["not_residential"] += 1
        elif float(row["usage_ccf"]) * 2831.6846592 > 100_000 * 70:
            expected["use_too_high"] += 1
        else:
            months[row["cust_id"], row["month"]].append(row["usage_ccf"])
    for uses in months.values():
        if len({float(use) for use in uses}) > 1:
            expected["several_meters"] += len(uses)
    assert report.rows_in == 156_624
    assert report.refused_by == dict(expected) == {"not_residential": 35_349, "several_meters": 10_557, "use_too_high": 4}
    assert (report.accepted, report.duplicate) == (110_381, 333)


def test_the_swipes_of_shenzhen(real):
    report = real(
        "metro-stations-gz-sz/shenzhen_card_swipes_100.csv", "shenzhen-swipes", "metro-stations-gz-sz/shenzhen_szmc_gcj02.csv"
    )
    swipes = sorted(rows("metro-stations-gz-sz/shenzhen_card_swipes_100.csv"), key=lambda row: row["deal_date"])
    kinds = Counter(row["deal_type"] for row in swipes)
    assert kinds == {"地铁入站": 64, "地铁出站": 26, "巴士": 10}
    known = {row["name_zh"] for row in rows("metro-stations-gz-sz/shenzhen_szmc_gcj02.csv")}
    expected, last = Counter[str](), dict[str, dict[str, str]]()
    for row in swipes:
        before = last.pop(row["card_no"], None)
        if row["deal_type"] == "地铁入站":
            last[row["card_no"]] = row
        elif row["deal_type"] == "地铁出站" and before is not None:
            took = datetime.fromisoformat(row["deal_date"]) - datetime.fromisoformat(before["deal_date"])
            assert 60 <= took.total_seconds() <= 14_400
            pair = {before["station"], row["station"]}
            expected["unknown_station" if not pair <= known else "round_trip" if len(pair) == 1 else "ride"] += 2
    expected["swipe_without_partner"] = 90 - expected.total()
    assert report.refused_by == dict(expected) == {"swipe_without_partner": 78, "round_trip": 8, "unknown_station": 4}
    assert (report.rows_in, report.accepted, report.acts) == (100, 10, 10)


@pytest.mark.parametrize("profile", ["utilities2-electricity", "utilities2-gas"])
def test_the_bills_of_one_residence(real, profile):
    report = real("household-bills-utilities2/bills.csv", profile)
    # Two bills of the end of 2006 lie in the future once they are moved by twenty years.
    assert report.refused_by == {"estimated_reading": 1, "impossible_date": 2}
    assert (report.rows_in, report.accepted, report.duplicate) == (77, 74, 0)


#: Rows in, accepted, duplicate, refused. Quarterly bills are longer than the demonstration believes.
METER_FILES = {
    "Example_NEM12_actual_interval": (2, 1, 0, {"channel_not_use": 1}),
    "Example_NEM12_different_interval_length": (3, 2, 0, {"channel_not_use": 1}),
    "Example_NEM12_month_solar": (62, 31, 0, {"channel_not_use": 31}),
    "Example_NEM12_multiple_meters": (12, 4, 0, {"channel_not_use": 8}),
    "Example_NEM12_multiple_quality": (1, 0, 0, {"estimated_reading": 1}),
    "Example_NEM12_no_scheduled_read": (1, 1, 0, {}),
    "Example_NEM12_substituted_interval": (2, 0, 0, {"channel_not_use": 1, "estimated_reading": 1}),
    "Example_NEM13_consumption_data": (1, 0, 0, {"bill_too_long": 1}),
    "Example_NEM13_forward_estimate": (2, 0, 0, {"bill_too_long": 2}),
}


@pytest.mark.parametrize("name", METER_FILES)
def test_the_meter_files_of_the_exchange_format(real, name):
    report = real(f"meter-file-formats/{name}.csv", "nem13" if "NEM13" in name else "nem12")
    assert (report.rows_in, report.accepted, report.duplicate, report.refused_by) == METER_FILES[name]


def test_a_household_that_feeds_in_is_flagged(real, lake_rows):
    real("meter-file-formats/Example_NEM12_month_solar.csv", "nem12")
    assert {row["flags"] for row in lake_rows("nem")} == {"own_pv"}
    real("meter-file-formats/Example_NEM12_actual_interval.csv", "nem12")
    assert {row["flags"] for row in lake_rows("nem")} == {"own_pv", ""}


def test_every_month_of_the_readings_came_both_ways(real):
    halves = real("sgsc-electricity-au/halfhourly.parquet", "sgsc-halfhourly")
    months = real("sgsc-electricity-au/monthly.csv.gz", "sgsc-monthly")
    assert (halves.accepted, months.accepted) == (1_158_669, 854)
    assert (halves.refused_by, months.refused_by) == ({}, {})


def test_rides_without_a_rider(real):
    report = real("bayarea-bikeshare-2014/trips_2014_01-08.csv.gz", "bayarea-2014", "bayarea-bikeshare-2014/stations.csv")
    assert (report.rows_in, report.accepted) == (215_244, 205_138)
    assert report.refused_by == {"overlapping": 1, "round_trip": 7_110, "too_fast": 7, "too_long": 2_988}


