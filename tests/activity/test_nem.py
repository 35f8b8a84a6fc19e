"""Meter data files NEM12 and NEM13: a day of each register, or from one reading to the next (Articles 12, 16)."""

import gzip
import os
from datetime import datetime
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import pytest

from carbonhui import activity
from carbonhui.activity.lines import Row
from carbonhui.activity.nem import read_nem
from carbonhui.activity.profile import NEM_COLUMNS
from tests.activity.conftest import quarantined

BASE = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CARBONHUI_SHARED_DATA") or BASE.parent / "shared" / "data")
METERS = SHARED / "meter-file-formats"

#: Of each file: rows, accepted, refused by reason, and watt-hours by suffix (added up by hand).
EXAMPLES = {
    "NEM12_actual_interval": (2, {"channel_not_use": 1}, 48 * 1_111),
    "NEM12_different_interval_length": (3, {"channel_not_use": 1}, 254_000 + 120_000),
    "NEM12_multiple_meters": (12, {"channel_not_use": 8}, 2 * 96 * 10 + 2 * 96 * 100),
    "NEM12_multiple_quality": (1, {"estimated_reading": 1}, 0),
    "NEM12_no_scheduled_read": (1, {}, 3_760 + 2_080),
    "NEM12_substituted_interval": (2, {"channel_not_use": 1, "estimated_reading": 1}, 0),
    "NEM12_upper_case_units": (2, {"channel_not_use": 1}, 48 * 1_111),
    "NEM13_consumption_data": (1, {"bill_too_long": 1}, 0),
    "NEM13_forward_estimate": (2, {"bill_too_long": 2}, 0),
    "WesternPower": (4, {"channel_not_use": 3}, 0),
}


def needs_meters() -> None:
    if not METERS.is_dir():
        pytest.skip(f"the shared data is not there: {METERS} (set CARBONHUI_SHARED_DATA)")


def load_example(load, name: str) -> activity.BatchReport:
    needs_meters()
    return load(METERS / f"Example_{name}.csv", profile="nem13" if "NEM13" in name else "nem12")


def test_real_files_give_each_registers_day_in_whole_watt_hours(load, lake_rows):
    """Two of them are the same meter's same day, so what the second says is known already."""
    sum_before = 0
    for name, (rows_in, refused_by, watt_hours) in EXAMPLES.items():
        report = load_example(load, name)
        assert (report.rows_in, report.refused_by) == (rows_in, refused_by), name
        used = sum(row["used"] for row in lake_rows("nem"))
        known = 48 * 1_111 * report.duplicate
        assert used - sum_before + known == watt_hours, name
        sum_before = used
    assert all(row["minutes"] == 1440 for row in lake_rows("nem"))


@pytest.mark.parametrize(("name", "refused"), [("NEM12_month_solar", 31), ("NEM12_partialchannel", 1)])
def test_a_month_with_solar_power_keeps_only_what_came_from_the_grid(load, lake_rows, name, refused):
    report = load_example(load, name)
    assert (report.accepted, report.refused_by) == (31, {"channel_not_use": refused})
    wanted, register = {}, ""
    for line in (METERS / f"Example_{name}.csv").read_text().splitlines():
        fields = line.split(",")
        register = fields[4] if fields[0] == "200" else register
        if fields[0] == "300" and register == "E1":
            total = sum(Fraction("0" + value) for value in fields[2:290])
            wanted[datetime.strptime(fields[1], "%Y%m%d")] = total * 1000
    assert {row["started_at"]: row["used"] for row in lake_rows("nem")} == wanted
    assert {row["flags"] for row in lake_rows("nem")} == {"own_pv"}


def nem12(*records: str, end: str = "900\n") -> bytes:
    return ("100,NEM12,202401010000,MDP,RET\n" + "".join(f"{record}\n" for record in records) + end).encode()


def stream(suffix: str = "E1", unit: str = "kWh", minutes: int | str = 30, nmi: str = "N1", configuration: str = "E1") -> str:
    return f"200,{nmi},{configuration},1,{suffix},N1,M1,{unit},{minutes},"


def day(values: list[str], quality: str = "A", date: str = "20240102") -> str:
    return f"300,{date},{','.join(values)},{quality},,,20240103000000,"


HALF_HOURS = ["0.5"] * 48


def read(content: bytes, form: str = "nem12") -> list[tuple[int, Row]]:
    """The numbered rows of a file, before anybody judges them."""
    first, rest = content.split(b"\n", 1)
    return [row for some in read_nem(first, BytesIO(rest), form) for row in some]


def told(row: Row) -> dict[str, str]:
    assert row.code is None, row
    return dict(zip(NEM_COLUMNS, row.values, strict=True))


@pytest.mark.parametrize(
    ("unit", "kwh"), [("kWh", "24"), ("KWH", "24"), ("Wh", "0.024"), ("wh", "0.024"), ("MWh", "24000")]
)
def test_units_are_converted_exactly(unit, kwh):
    [(number, row)] = read(nem12(stream(unit=unit), day(HALF_HOURS)))
    assert number == 3
    assert (told(row)["value"], told(row)["unit"]) == (kwh, "kWh")


def test_what_is_finer_than_a_float_is_added_up_exactly():
    [(_, row)] = read(nem12(stream(), day(["0.1"] * 24 + ["100000000000.000000000001"] * 24)))
    assert told(row)["value"] == "2400000000002.400000000024"


@pytest.mark.parametrize(("minutes", "count"), [(5, 288), (10, 144), (15, 96), (30, 48)])
def test_a_day_has_as_many_values_as_intervals(minutes, count):
    short, good, long = (day(["0.001"] * (count + more)) for more in (-1, 0, 1))
    rows = [row for _, row in read(nem12(stream(minutes=minutes), short, good, long))]
    assert [row.code for row in rows] == ["interval_count_wrong", None, "interval_count_wrong"]
    assert [rows[at].facts["found"] for at in (0, 2)] == [count - 1, count + 1]


def test_intervals_that_are_not_there_are_not_measured(load, lake_rows):
    load(nem12(stream(), day(["0.5"] * 40 + [""] * 8)), name="m.csv", profile="nem12")
    assert [(row["used"], row["minutes"]) for row in lake_rows("nem")] == [(20_000, 1_200)]


@pytest.mark.parametrize(
    ("quality", "events", "worst"),
    [
        ("A", [], "A"),
        ("F14", [], "F"),
        ("a", [], "A"),
        ("A", ["400,1,10,A,79,note"], "A"),
        ("V", ["400,1,20,F14,76,", "400,21,48,A,,"], "F"),
        ("V", ["400,1,20,S14,76,", "400,21,48,F,,"], "S"),
        ("V", ["400,1,20,E52,76,", "400,21,48,S14,,"], "E"),
        ("V", ["400,1,47,E52,76,", "400,48,48,N,,"], "N"),
        ("A", ["400,3,3,N,,"], "N"),
    ],
)
def test_a_day_is_as_good_as_its_worst_interval(quality, events, worst):
    [(_, row)] = read(nem12(stream(), day(HALF_HOURS, quality), *events))
    assert told(row)["quality"] == worst


def test_only_a_day_that_was_measured_is_accepted(load):
    days = [day(HALF_HOURS, quality, date=f"2024010{at}") for at, quality in enumerate(("A", "F14", "S14", "E52", "N"), start=1)]
    report = load(nem12(stream(), *days), name="m.csv", profile="nem12")
    assert (report.accepted, report.refused_by) == (1, {"estimated_reading": 4})
    assert [row["quality"] for row in quarantined(report)] == ["F", "S", "E", "N"]


def test_a_household_that_feeds_the_grid_is_marked_on_all_its_registers(load, lake_rows):
    content = nem12(
        stream(nmi="N1"), day(HALF_HOURS), stream("B1", nmi="N1"), day(HALF_HOURS),
        stream(nmi="N2", configuration="E1B1"), day(HALF_HOURS), stream(nmi="N3"), day(HALF_HOURS),
    )  # fmt: skip
    assert load(content, name="m.csv", profile="nem12").refused_by == {"channel_not_use": 1}
    assert sorted(row["flags"] for row in lake_rows("nem")) == ["", "own_pv", "own_pv"]


UNREADABLE = [
    ([stream(), "300"], "interval_count_wrong"),
    ([stream(), "300,20240102"], "interval_count_wrong"),
    ([stream(), day(HALF_HOURS, date="20240230")], "record_unreadable"),
    ([stream(), day(HALF_HOURS, date="soon")], "record_unreadable"),
    ([stream(), day(HALF_HOURS, date="00010101")], "record_unreadable"),
    ([stream(), day(HALF_HOURS, "")], "record_unreadable"),
    ([stream(), day(HALF_HOURS, "Q")], "record_unreadable"),
    ([stream(), day(HALF_HOURS, "V")], "record_unreadable"),
    ([stream(), day(HALF_HOURS, "V"), "400,1,47,A,,"], "record_unreadable"),
    ([stream(), day(HALF_HOURS, "V"), "400,1,30,A,,", "400,30,48,A,,"], "record_unreadable"),
    ([stream(), day(HALF_HOURS), "400,0,48,A,,"], "record_unreadable"),
    ([stream(), day(HALF_HOURS), "400,9,3,A,,"], "record_unreadable"),
    ([stream(), day(HALF_HOURS), "400"], "record_unreadable"),
    ([stream(minutes=7), day(HALF_HOURS)], "record_unreadable"),
    ([day(HALF_HOURS)], "record_unreadable"),
    ([stream(), "400,1,48,A,,"], "record_unreadable"),
    (["250,N1,11"], "record_unreadable"),
    (["999,x"], "record_unreadable"),
    (['200,"N1'], "record_unreadable"),
    ([stream(), day(["-0.5", *HALF_HOURS[1:]])], "negative_use"),
    ([stream(), day(["1e3", *HALF_HOURS[1:]])], "interval_count_wrong"),
    ([stream("Q1", "kVArh"), day(HALF_HOURS)], "channel_not_use"),
    ([stream("E1", "kVArh"), day(HALF_HOURS)], "channel_not_use"),
    ([stream("E1", ""), "300,20240102"], "channel_not_use"),
    ([stream(), "300," + "9," * 70_000], "line_too_long"),
]


@pytest.mark.parametrize(("records", "code"), UNREADABLE)
def test_a_record_that_cannot_be_read_is_one_refused_row_and_its_neighbours_are_not(records, code):
    good = [stream(nmi="G1"), day(HALF_HOURS)]
    rows = [row for _, row in read(nem12(*records, *good))]
    assert [row.code for row in rows] == [code, None]


def test_the_reason_is_told_with_the_line_number(load):
    records = [stream(), day(HALF_HOURS), day(HALF_HOURS[1:]), day(HALF_HOURS, date="20240230"), "250,N1", stream(nmi=""), day(HALF_HOURS)]
    report = load(nem12(*records), name="m.csv", profile="nem12")
    assert [(int(row["row"]), row["code"]) for row in quarantined(report)] == [
        (4, "interval_count_wrong"), (5, "record_unreadable"), (6, "record_unreadable"), (8, "subject_missing"),
    ]  # fmt: skip
    sentences = [row["sentence"] for row in quarantined(report)]
    assert sentences[0] == "The record has 47 values; a day of 30 minute intervals has 48."
    assert sentences[1] == "The record cannot be read: it holds a date that does not exist."


def test_records_after_the_end_are_refused_and_a_file_without_end_is_cut(load):
    report = load(nem12(stream(), day(HALF_HOURS), "900", day(HALF_HOURS)), name="m.csv", profile="nem12")
    assert (report.accepted, report.refused_by) == (1, {"record_unreadable": 2})
    for end in ("", "300,20240102,1", "90"):
        with pytest.raises(activity.FileTruncated, match="900"):
            load(nem12(stream(), day(HALF_HOURS), end=end), name="cut.csv", profile="nem12")
    assert load(nem12(stream(nmi="N9"), day(HALF_HOURS), end="900"), name="whole.csv", profile="nem12").accepted == 1


def test_a_file_of_the_other_form_is_refused_whole(load):
    needs_meters()
    with pytest.raises(activity.NotAMeterFile, match="NEM13"):
        load(METERS / "Example_WesternPower.csv", profile="nem13")
    with pytest.raises(activity.ColumnsDiffer):
        load(b"hello,world\n1,2\n", name="m.csv", profile="nem12")


PERIOD = "250,N1,11,1,11,11,M1,E,100,20240101000000,A,,,150.5,20240131000000,A,,,50.5,kWh,,20240201000000,"


def nem13(*records: str) -> bytes:
    return nem12(*records).replace(b"NEM12", b"NEM13")


def test_a_period_runs_from_one_reading_to_the_next(load, lake_rows):
    load(nem13(PERIOD, "550,N,,A,"), name="m.csv", profile="nem13")
    [row] = lake_rows("nem")
    assert (row["started_at"], row["ended_at"], row["used"]) == (datetime(2024, 1, 1), datetime(2024, 1, 31), 50_500)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (",E,100,", ",I,100,", "channel_not_use"),
        ("kWh", "kVArh", "channel_not_use"),
        ("20240101000000", "20240101", "record_unreadable"),
        ("20240131000000", "20240231000000", "record_unreadable"),
        ("00,A,,,50.5", "00,X,,,50.5", "record_unreadable"),
        (",50.5,", ",-50.5,", "negative_use"),
        (",50.5,", ",fifty,", "value_not_a_number"),
    ],
)
def test_a_period_that_is_no_use_or_cannot_be_read_is_refused(old, new, code):
    [(_, row)] = read(nem13(PERIOD.replace(old, new)), "nem13")
    assert row.code == code


def test_a_period_is_as_good_as_the_worse_of_its_readings():
    for old in ("00,A,,,150.5", "00,A,,,50.5"):
        [(_, row)] = read(nem13(PERIOD.replace(old, old.replace("A", "E64"))), "nem13")
        assert told(row)["quality"] == "E"


def test_a_repaired_quarantine_file_can_be_sent_as_csv(load):
    report = load(nem12(stream(), day(HALF_HOURS, "S14")), name="m.csv", profile="nem12")
    assert report.quarantine is not None
    repaired = gzip.decompress(report.quarantine.read_bytes()).replace(b"24,1440,S,", b"24,1440,A,")
    assert load(repaired, name="repaired.csv", profile="nem12").accepted == 1
