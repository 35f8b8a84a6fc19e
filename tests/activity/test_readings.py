"""Meter readings: whole watt-hours, whole months (Articles 12, 16)."""

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from carbonhui import activity
from tests.activity.conftest import quarantined, text

HALF = "customer_id,reading_datetime,general_supply_kwh"
MONTH = "customer_id,month,kwh,readings,expected,coverage"


@pytest.fixture
def half_hours(load: Callable[..., activity.BatchReport]) -> Callable[..., activity.BatchReport]:
    return lambda *rows, name="h.csv": load(text(*rows, header=HALF), name=name, profile="sgsc-halfhourly")


@pytest.fixture
def months(load: Callable[..., activity.BatchReport]) -> Callable[..., activity.BatchReport]:
    return lambda *rows, name="m.csv": load(text(*rows, header=MONTH), name=name, profile="sgsc-monthly")


def test_kilowatt_hours_become_watt_hours_digit_by_digit(half_hours, lake_rows):
    said = {"0": 0, "1": 1000, "0.001": 1, "0.0019": 1, "5.907": 5907, "1.1": 1100, "007.5": 7500, "49.9999999999999999": 49999}
    half_hours(*(f"{number},2012-03-01 08:00:00,{kwh}" for number, kwh in enumerate(said)))
    assert sorted(row["used"] for row in lake_rows("sgsc")) == sorted(said.values())


def test_what_is_no_use_is_refused(half_hours):
    rows = {
        "1,2012-03-01 08:00:00,-0.1": "negative_use",
        "1,2012-03-01 08:00:00,": "value_not_a_number",
        "1,2012-03-01 08:00:00,1e-3": "value_not_a_number",
        "1,2012-03-01 08:00:00,１": "value_not_a_number",
        "1,2012-03-01 08:00:00,nan": "value_not_a_number",
        '1,2012-03-01 08:00:00,"1,5"': "value_not_a_number",
        "1,2012-03-01 08:00:00,.5": "value_not_a_number",
        "1,2012-03-01 08:00:00,99999999999999999999": "value_not_a_number",
        "1,2012-03-01 08:00:00,50.001": "use_too_high",
        "1,2012-03-01 08:10:00,1": "impossible_date",
        "1,2012-02-30 08:00:00,1": "impossible_date",
        "1,2014-11-20 12:00:00,1": "impossible_date",
        ",2012-03-01 08:00:00,1": "subject_missing",
    }
    assert [told["code"] for told in quarantined(half_hours(*rows))] == list(rows.values())


def test_what_is_no_month_is_refused(months):
    rows = {
        "1,2012-13,1,1,1440,1": "impossible_date",
        "1,2012-3,1,1,1440,1": "impossible_date",
        "1,2014-11,1,1,1440,1": "impossible_date",
        "1,2012-04,1,0,1440,1": "readings_out_of_range",
        "1,2012-04,1,1441,1440,1": "readings_out_of_range",
        "1,2012-04,1,many,1440,1": "value_not_a_number",
    }
    report = months(*rows, "1,2012-04,1,1440,1440,1")
    assert [told["code"] for told in quarantined(report)] == list(rows.values())
    assert report.accepted == 1


def test_a_leap_day_keeps_its_place_twelve_years_later(half_hours, lake_rows):
    half_hours("1,2012-02-29 08:00:00,1")
    assert [str(row["day"]) for row in lake_rows("sgsc")] == ["2024-02-29"]


def test_one_meters_half_hour_counts_once_and_a_correction_is_refused(half_hours):
    half_hours("1,2012-03-01 08:00:00,1", "2,2012-03-01 08:00:00,1")
    report = half_hours("1,2012-03-01 08:00:00,1.000", "1,2012-03-01 08:00:00,2", "1,2012-03-01 08:30:00,1", name="more.csv")
    assert (report.accepted, report.duplicate, report.refused_by) == (1, 1, {"key_reused": 1})


def test_binary_numbers_of_a_parquet_file_are_read_as_the_meter_said_them(load, lake_rows):
    said = [0.1, 0.029, 1.005, 0.00001, 1e-300, 4.35, float("nan"), None, -1e-7]
    table = pa.table(
        {
            "customer_id": [str(number) for number in range(len(said))],
            "reading_datetime": pa.array([1330588800000] * len(said), pa.timestamp("ms")),
            "general_supply_kwh": pa.array(said, pa.float64()),
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    report = load(file.getvalue(), name="h.parquet", profile="sgsc-halfhourly")
    assert report.refused_by == {"negative_use": 1, "value_not_a_number": 2}
    assert sorted(row["used"] for row in lake_rows("sgsc")) == [0, 0, 29, 100, 1005, 4350]
    assert [told["row"] for told in quarantined(report)] == ["7", "8", "9"]


def test_the_quarantine_of_a_parquet_file_is_repaired_as_csv(load):
    table = pa.table({"customer_id": ["1"], "reading_datetime": ["2012-03-01 08:00:00"], "general_supply_kwh": [-2.0]})
    file = io.BytesIO()
    parquet.write_table(table, file)
    first = load(file.getvalue(), name="h.parquet", profile="sgsc-halfhourly")
    import gzip

    repaired = gzip.decompress(first.quarantine.read_bytes()).replace(b",-2.0", b",2.0")
    assert load(repaired, name="repaired.csv", profile="sgsc-halfhourly").accepted == 1
