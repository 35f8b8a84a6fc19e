"""Which rides are believed, and what the institution is told of the others (Articles 12, 16)."""

import gzip
from datetime import date, datetime

from carbonhui import privacy
from tests.activity.conftest import quarantined, text, trip

DEFECTS = [
    ("1,,2015-03-02 08:00:00,2015-03-02 08:10:00,1,2", "subject_missing"),
    ("1,   ,2015-03-02 08:00:00,2015-03-02 08:10:00,1,2", "subject_missing"),
    ("1,１２,2015-03-02 08:00:00,2015-03-02 08:10:00,1,2", "identifier_unreadable"),
    ("１,7,2015-03-02 08:00:00,2015-03-02 08:10:00,1,2", "identifier_unreadable"),
    ("1, 7,2015-03-02 08:00:00,2015-03-02 08:10:00,1,2", "identifier_unreadable"),
    (",7,2015-03-02 08:00:00,2015-03-02 08:10:00,1,2", "key_missing"),
    ("1,7,2015-02-30 08:00:00,2015-03-02 08:10:00,1,2", "impossible_date"),
    ("1,7,2015-03-02 24:00:00,2015-03-03 00:10:00,1,2", "impossible_date"),
    ("1,7,soon,2015-03-02 08:10:00,1,2", "impossible_date"),
    ("1,7,,2015-03-02 08:10:00,1,2", "impossible_date"),
    ("1,7,２015-03-02 08:00:00,2015-03-02 08:10:00,1,2", "impossible_date"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 07:59:59,1,2", "impossible_date"),
    ("1,7,2016-11-20 08:00:00,2016-11-20 12:10:00,1,2", "impossible_date"),
    ("1,7,1899-03-02 08:00:00,1899-03-02 08:10:00,1,2", "impossible_date"),
    ("1,7,2016-02-29 08:00:00,2016-02-29 08:10:00,1,2", "impossible_date"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 08:10:00,99,2", "unknown_station"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 08:10:00,1,", "unknown_station"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 08:10:00,1,4", "station_without_coordinates"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 08:00:59,1,2", "too_short"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 11:00:01,1,2", "too_long"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 08:10:00,2,2", "round_trip"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 08:22:51,1,3", "too_fast"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 08:10:00,1", "columns_missing"),
    ("", "columns_missing"),
    ("1,7,2015-03-02 08:00:00,2015-03-02 08:10:00,1,2,3", "columns_too_many"),
    ('1,7,"2015-03-02 08:00:00,2015-03-02 08:10:00,1,2', "quote_not_closed"),
]


BELIEVED = [
    "1,7,2015-03-02 08:00:00,2015-03-02 08:01:55,1,2",
    "2,8,2015-03-02 08:00:00,2015-03-02 11:00:00,1,2",
    "3,9,2015-03-02 08:00:00,2015-03-02 08:22:53,1,3",
    "4,10,2015-03-02T08:00:00,2015-03-02T08:10:00,1,2",
    "5,11,2016-11-20 11:00:00,2016-11-20 12:00:00,1,2",
    '"6","12","2015-03-02 08:00:00","2015-03-02 08:10:00","1","2"',
    "7,13,2015-03-02 08:00:00,2015-03-02 08:01:00,2,5",
]


def test_a_row_that_is_not_believed_is_refused_and_its_neighbours_are_not(load):
    rows = [line for number, (row, _) in enumerate(DEFECTS) for line in (row, trip(f"good-{number}", f"good-{number}"))]
    report = load(text(*rows))
    assert report.accepted == len(DEFECTS)
    told = quarantined(report)
    assert [(int(row["row"]), row["code"]) for row in told] == [
        (2 + 2 * number, code) for number, (_, code) in enumerate(DEFECTS)
    ]
    for row in told:
        assert row["sentence"].endswith(".")
        assert row["sentence_zh"].endswith("。")


def test_at_the_limit_itself_a_ride_is_believed(load):
    report = load(text(*BELIEVED))
    assert (report.accepted, report.refused_by) == (len(BELIEVED), {})


def test_the_sentence_names_the_numbers_and_no_subject(load):
    report = load(text("1,resident-7,2015-03-02 08:00:00,2015-03-02 08:00:59,1,2"))
    [told] = quarantined(report)
    assert told["sentence"] == "The trip took 59 s; a trip takes at least 60 s."
    assert told["sentence_zh"] == "行程用时 59 秒;至少应为 60 秒。"
    assert told["user_id"] == "resident-7"


def test_of_two_rides_at_once_the_one_that_began_first_counts(load):
    report = load(
        text(
            trip(1, start="08:05:00", end="08:20:00"),
            trip(2, start="08:00:00", end="08:10:00"),
            trip(3, start="08:10:00", end="08:15:00"),
            trip(4, user=2, start="08:05:00", end="08:20:00"),
        )
    )
    assert report.refused_by == {"overlapping": 1}
    # The refused ride is in nobody's way: the one that began as the first ended is accepted.
    assert [told["trip_id"] for told in quarantined(report)] == ["1"]


def test_a_late_ride_that_overlaps_what_was_accepted_before_is_refused(load):
    load(text(trip(1, start="08:10:00", end="08:30:00"), trip(2, start="09:00:00", end="09:30:00")), name="first.csv")
    late = load(
        text(
            trip(3, start="08:00:00", end="08:11:00"),
            trip(4, start="08:29:00", end="08:40:00"),
            trip(5, start="08:31:00", end="08:59:00"),
            trip(6, start="08:50:00", end="09:10:00"),
        ),
        name="late.csv",
    )
    assert late.refused_by == {"overlapping": 3}
    assert {told["trip_id"] for told in quarantined(late)} == {"3", "4", "6"}


def test_a_ride_over_midnight_meets_the_next_month(load):
    load(text("1,7,2015-03-31 23:50:00,2015-04-01 00:20:00,1,2"), name="march.csv")
    assert load(text("2,7,2015-04-01 00:10:00,2015-04-01 00:30:00,1,2"), name="april.csv").refused_by == {"overlapping": 1}


def test_the_lake_holds_no_identifier_and_whole_numbers(load, lake_rows, database):
    load(text(trip("T-123", "resident-7")))
    [row] = lake_rows()
    key = privacy.load_or_make_key(database.settings.blind_key_file)
    assert row["subject"] == privacy.blind_index(key, "mibici.user", "resident-7")
    assert row["act"] == privacy.blind_index(key, "mibici.act", "T-123")
    assert (row["day"], row["started_at"], row["seconds"], row["metres"], row["trips"]) == (
        date(2025, 3, 2), datetime(2025, 3, 2, 8), 600, 1111, 1,
    )
    for file in database.settings.lake.rglob("*"):
        assert not file.is_file() or b"resident-7" not in file.read_bytes()


def test_of_a_station_that_moved_the_shorter_way_counts(load, lake_rows):
    load(text("1,7,2015-03-02 08:00:00,2015-03-02 08:10:00,5,2"))
    assert [row["metres"] for row in lake_rows()] == [555]


def test_times_with_offsets_are_compared_as_instants(load, lake_rows, tmp_path):
    header = "trip_id,duration_s,start_at,start_station_id,end_at,end_station_id,bike_id,subscription_type"
    stations = "station_id,lat,lon\n1,37.78,-122.40\n2,37.79,-122.40\n"
    rows = [
        # The clocks go back at 02:00 to 01:00: by the wall this ride ends before it begins.
        "1,900,2013-11-03T01:55:00-07:00,1,2013-11-03T01:10:00-08:00,2,9,Customer",
        "2,900,2013-11-03T01:55:00-07:00,1,2013-11-03T01:50:00-07:00,2,8,Customer",
        "3,900,2013-11-03T01:55:00,1,2013-11-03T01:50:00-07:00,2,8,Customer",
    ]
    places = tmp_path / "places.csv"
    places.write_text(stations)
    report = load(text(*rows, header=header), profile="bayarea-2014", stations=places)
    assert report.refused_by == {"impossible_date": 2}
    assert [(row["seconds"], row["utc_offset_minutes"]) for row in lake_rows("bayarea-bikeshare")] == [(900, -420)]


def test_a_repaired_quarantine_file_is_loaded_as_it_is(load):
    first = load(text(trip(1), trip(2, 2, end="08:00:10"), "3,3,2015-03-02 08:00:00", trip(4, 4)))
    assert (first.accepted, first.refused) == (2, 2)
    lines = gzip.decompress(first.quarantine.read_bytes()).decode()
    again = load(lines.encode(), name="unrepaired.csv")
    assert (again.accepted, again.refused_by) == (0, {"impossible_date": 1, "too_short": 1})
    repaired = lines.replace("08:00:10", "08:10:10").replace("3,3,2015-03-02 08:00:00,,,", "3,3,2015-03-02 08:00:00,2015-03-02 08:09:00,1,2")
    assert load(repaired.encode(), name="repaired.csv").accepted == 2


def test_cells_that_a_spreadsheet_takes_for_formulas_stay_as_received(load):
    report = load(text('"=1+1",7,2015-03-02 08:00:00,"@SUM(1,2)",1,2'))
    [told] = quarantined(report)
    assert (told["trip_id"], told["end_local"]) == ("=1+1", "@SUM(1,2)")


def test_the_quarantine_file_is_its_owners_alone(load):
    report = load(text(trip(1, end="08:00:01")))
    assert report.quarantine.stat().st_mode & 0o077 == 0
    assert report.quarantine.parent.stat().st_mode & 0o077 == 0


def test_without_refused_rows_there_is_no_quarantine_file(load):
    assert load(text(trip(1))).quarantine is None
