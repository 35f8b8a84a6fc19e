"""Files that cannot be taken at all: nothing of them is loaded, and they can be sent again (Article 12)."""

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from carbonhui import activity
from carbonhui.activity import lines
from tests.activity.conftest import HEADER, quarantined, text, trip

GOOD = text(*(trip(number, number) for number in range(1, 200)))


def parquet_of(table: pa.Table) -> bytes:
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


HALF_HOURS = pa.table({"customer_id": ["7"], "reading_datetime": ["2012-03-01 08:00:00"], "general_supply_kwh": [0.5]})

WHOLE = [
    ("cut.csv.gz", gzip.compress(GOOD)[:-20], activity.FileTruncated),
    ("trailer.csv.gz", gzip.compress(GOOD)[:-1], activity.FileTruncated),
    ("crc.csv.gz", gzip.compress(GOOD)[:-8] + bytes(8), activity.FileDamaged),
    ("garbage.csv.gz", gzip.compress(GOOD)[:60] + bytes(60), activity.FileDamaged),
    ("cut.csv", GOOD[:-1], activity.FileTruncated),
    ("middle.csv", GOOD[:-30], activity.FileTruncated),
    ("header-only-cut.csv", HEADER.encode(), activity.FileTruncated),
    ("empty.csv", b"", activity.FileEmpty),
    ("header.csv", text(), activity.FileEmpty),
    ("header.csv.gz", gzip.compress(text()), activity.FileEmpty),
    ("nothing.csv.gz", gzip.compress(b""), activity.ColumnsDiffer),
    ("no-header.csv", GOOD.split(b"\n", 1)[1], activity.ColumnsDiffer),
    ("renamed.csv", text(trip(1), header=HEADER.replace("user_id", "rider")), activity.ColumnsDiffer),
    ("swapped.csv", text(trip(1), header=HEADER.replace("start_local,end_local", "end_local,start_local")), activity.ColumnsDiffer),
    ("fewer.csv", text("1,2,3", header="trip_id,user_id,start_local"), activity.ColumnsDiffer),
    ("semicolons.csv", GOOD.replace(b",", b";"), activity.ColumnsDiffer),
    ("twice.csv", text(trip(1), header="row,row," + HEADER), activity.ColumnsDiffer),
    ("utf16.csv", GOOD.decode().encode("utf-16"), activity.FileNotUtf8),
    ("utf16-no-bom.csv", GOOD.decode().encode("utf-16-le"), activity.FileNotUtf8),
    ("gbk.csv", text(trip(1, "居民七号")).decode().encode("gbk"), activity.FileNotUtf8),
    ("gbk-header.csv", text(trip(1), header="行程,用户").decode().encode("gbk"), activity.FileNotUtf8),
    ("rides.zip", b"PK\x03\x04" + bytes(40), activity.FormatUnknown),
    ("rides.csv.gz", GOOD, activity.FormatUnknown),
    ("rides.parquet", GOOD, activity.FormatUnknown),
    ("binary.csv", bytes(range(256)) * 10, activity.FileNotUtf8),
    ("cut.parquet", parquet_of(HALF_HOURS)[:-10], activity.FileTruncated),
    ("tiny.parquet", b"PAR1PAR1", activity.FileTruncated),
    ("hollow.parquet", b"PAR1" + bytes(100) + b"PAR1", activity.FileDamaged),
    ("other.parquet", parquet_of(HALF_HOURS.rename_columns(["customer", "at", "kwh"])), activity.ColumnsDiffer),
    ("none.parquet", parquet_of(HALF_HOURS.slice(0, 0)), activity.FileEmpty),
]


def test_a_file_that_cannot_be_taken_is_refused_whole_and_leaves_nothing(load, database):
    for name, content, kind in WHOLE:
        profile = "sgsc-halfhourly" if name.endswith("parquet") else "mibici"
        with pytest.raises(kind) as refused:
            load(content, name=name, profile=profile)
        assert name in refused.value.text("zh"), name
    with database.begin() as session:
        assert activity.batches(session) == []
    left = [path for path in database.settings.home.rglob("*") if path.is_file() and path.suffix != ".key"]
    assert {path.name for path in left} == {name for name, *_ in WHOLE} | {"stations.csv"}
    assert load(GOOD, name="cut.csv").accepted == 199


def test_what_was_found_and_expected_is_named_but_never_somebodys_data(load):
    with pytest.raises(activity.ColumnsDiffer) as renamed:
        load(text(trip(1), header=HEADER.replace("user_id", "rider")))
    assert "rider" in str(renamed.value)
    assert "user_id" in str(renamed.value)
    with pytest.raises(activity.ColumnsDiffer) as headless:
        load(text(trip(1, "resident-8"), header=trip(2, "resident-7")))
    assert "resident" not in str(headless.value)


def test_paths_that_are_no_files_are_refused(load, tmp_path: Path):
    with pytest.raises(activity.FileNotFound):
        load(tmp_path / "missing.csv")
    with pytest.raises(activity.NotAFile):
        load(tmp_path)
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    with pytest.raises(activity.FileUnreadable):
        load(tmp_path / "loop.csv")


@pytest.mark.parametrize("change", ["grew", "was cut", "was replaced"])
def test_a_file_that_changes_while_it_is_read_is_refused(load, tmp_path: Path, database, change: str):
    path = tmp_path / "growing.csv"
    path.write_bytes(GOOD)

    def change_it(step: str, rows: int) -> None:
        if step == "reading":
            path.write_bytes({"grew": GOOD + GOOD[-40:], "was cut": GOOD[:-25], "was replaced": GOOD.replace(b"8:10", b"8:11")}[change])

    with pytest.raises(activity.FileChanged):
        load(path, progress=change_it)
    with database.begin() as session:
        assert activity.batches(session) == []


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated(load, lake_rows):
    content = b"\xef\xbb\xbf" + text(trip(1), trip(2, 2), '3,3,"2015-03-02 08:00:00",2015-03-02 08:10:00,1,2').replace(b"\n", b"\r\n")
    assert load(content).accepted == 3


def test_line_breaks_inside_quotes_belong_to_the_value(load):
    report = load(text('1,"two\nlines",2015-03-02 08:00:00,2015-03-02 08:10:00,1,2', trip(2, 2)))
    assert (report.rows_in, report.accepted, report.refused_by) == (2, 1, {"identifier_unreadable": 1})
    [told] = quarantined(report)
    assert told["user_id"] == "two\nlines"


def test_a_quotation_mark_without_partner_costs_its_own_line_only(load):
    rows = [trip(number, number) for number in range(1, 50)]
    rows[3] = rows[3].replace("4,4", '4,"4')
    rows[40] = rows[40].replace("41,41", '41,41"x')
    report = load(text(*rows))
    assert (report.rows_in, report.accepted, report.refused_by) == (49, 47, {"quote_not_closed": 2})


def test_a_line_of_ten_megabytes_is_refused_and_the_rest_is_not(load):
    long = "9," + "x" * 10_000_000
    report = load(text(trip(1), long, trip(2, 2), "8," + "y" * lines.LONGEST_LINE_BYTES, trip(3, 3)))
    assert (report.accepted, report.refused_by) == (3, {"line_too_long": 2})
    assert [len(told["as_received"]) for told in quarantined(report)] == [1000, 1000]


def test_single_lines_that_are_not_utf8_are_refused_alone(load):
    content = text(*(trip(number, number) for number in range(9))) + b"99,\xff\xfe,2015-03-02 08:00:00,2015-03-02 08:10:00,1,2\n"
    report = load(content)
    assert (report.accepted, report.refused_by) == (9, {"not_utf8": 1})
    [told] = quarantined(report)
    assert told["as_received"].startswith("99,\\xff\\xfe,")


def test_zero_bytes_are_no_crash(load):
    report = load(text(trip(1), "2,\0,2015-03-02 08:00:00,2015-03-02 08:10:00,1,2", "\0"))
    assert (report.rows_in, report.accepted) == (3, 1)


def test_both_readers_read_the_same_rows(monkeypatch):
    plain = text(*(trip(number, f"u{number}") for number in range(3000))).split(b"\n", 1)[1]
    fast = pa.concat_tables(lines.read_blocks(io.BytesIO(plain), 6))
    monkeypatch.setattr(lines, "_fast", lambda block, width: None)
    for size in (997, 4 * 1024 * 1024):
        monkeypatch.setattr(lines, "BLOCK_BYTES", size)
        assert pa.concat_tables(lines.read_blocks(io.BytesIO(plain), 6)).to_pylist() == fast.to_pylist()


def test_stations_are_needed_and_must_be_readable(load, tmp_path: Path):
    with pytest.raises(activity.StationsNeeded):
        load(GOOD, stations=None)
    for content in (b"id,lat\n1,2\n", b"id,lat,lon\n1,here,3\n", b"id,lat,lon\n1,91,3\n", "id,lat,lon\n居民".encode("gbk"), b""):
        (tmp_path / "bad.csv").write_bytes(content)
        with pytest.raises(activity.StationsUnreadable):
            load(GOOD, stations=tmp_path / "bad.csv")
    with pytest.raises(activity.StationsUnreadable):
        load(GOOD, stations=tmp_path / "missing.csv")


def test_a_star_in_a_name_is_a_star(load):
    load(parquet_of(HALF_HOURS), name="a.parquet", profile="sgsc-halfhourly")
    other = HALF_HOURS.set_column(0, "customer_id", pa.array(["8"]))
    assert load(parquet_of(other), name="[*].parquet", profile="sgsc-halfhourly").rows_in == 1
