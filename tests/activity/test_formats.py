"""The same rides in every format: JSON lines and workbooks are read as exactly as CSV (Articles 12, 16)."""

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from carbonhui import activity
from tests.activity.conftest import HEADER, quarantined, text, trip

COLUMNS = HEADER.split(",")
GOOD = dict(zip(COLUMNS, trip(1).split(","), strict=True))


def lines(*rows: object) -> bytes:
    """Rows as JSON lines; a text is a line as it stands."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode("utf-8", "surrogatepass")


def without_act_numbers(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(({**row, "act": None, "subject": None} for row in rows), key=str)


def test_json_lines_say_the_same_as_csv(load, lake_rows):
    rides = [trip(number, number, end=f"08:{number:02}:00") for number in range(10, 40)]
    assert load(text(*rides), name="rides.csv").accepted == 30
    before = lake_rows()
    objects = [dict(zip(COLUMNS, ride.split(","), strict=True)) for ride in rides]
    again = load(lines(*objects), name="rides.jsonl")
    assert (again.accepted, again.duplicate) == (0, 30)
    assert lake_rows() == before


def test_the_order_of_the_keys_is_free_and_null_is_empty(load):
    turned = dict(reversed(GOOD.items()))
    report = load(lines(turned, GOOD | {"trip_id": "2", "user_id": None}), name="rides.ndjson")
    assert (report.accepted, report.refused_by) == (1, {"subject_missing": 1})


@pytest.mark.parametrize("name", ["rides.jsonl.gz", "rides.ndjson.gz"])
def test_packed_json_lines_are_known_by_their_name(load, name):
    assert load(gzip.compress(lines(GOOD)), name=name).accepted == 1


def test_a_number_stays_the_text_that_was_written(load):
    line = json.dumps(GOOD).replace('"trip_id": "1"', '"trip_id": 12345678901234567890123.10').replace('"user_id": "1"', '"user_id": 1e2')
    load(lines(line.replace("08:00:00", "nonsense")), name="rides.jsonl")
    report = load(lines(line.replace("2015-03-02 08:00:00", "soon")), name="other.jsonl")
    [told] = quarantined(report)
    assert (told["trip_id"], told["user_id"]) == ("12345678901234567890123.10", "1e2")


DEFECTS = [
    ("", "not_json"),
    ("{", "not_json"),
    ("[1]", "not_json"),
    ("7", "not_json"),
    (json.dumps(GOOD).replace('"1"', "NaN", 1), "not_json"),
    (json.dumps(GOOD).replace('"1"', "-Infinity", 1), "not_json"),
    (json.dumps(GOOD).replace('"1"', "01", 1), "not_json"),
    (json.dumps(GOOD) + "," , "not_json"),
    ("[" * 90_000, "not_json"),
    ('{"a":' * 20_000, "not_json"),
    ("{}", "keys_missing"),
    (json.dumps({**GOOD, "note": "x"}), "keys_unknown"),
    (json.dumps(GOOD)[:-1] + ', "trip_id": "2"}', "key_twice"),
    (json.dumps(GOOD | {"trip_id": True}), "value_not_text"),
    (json.dumps(GOOD | {"trip_id": [1]}), "value_not_text"),
    (json.dumps(GOOD | {"trip_id": {"trip_id": 1}}), "value_not_text"),
    (json.dumps(GOOD | {"user_id": "\ud800"}), "not_unicode"),
    (json.dumps(GOOD | {"user_id": "x" * 131_072}), "line_too_long"),
]


def test_a_line_that_is_no_ride_is_refused_alone_with_its_number(load):
    good = [GOOD | {"trip_id": str(number), "user_id": str(number)} for number in range(100, 100 + len(DEFECTS))]
    rows = [line for (defect, _), ride in zip(DEFECTS, good, strict=True) for line in (defect, ride)]
    report = load(lines(*rows, *({**GOOD, "trip_id": f"x{n}", "user_id": f"x{n}"} for n in range(9))), name="rides.jsonl")
    assert report.accepted == len(DEFECTS) + 9
    told = quarantined(report)
    assert [(int(row["row"]), row["code"]) for row in told] == [(1 + 2 * at, code) for at, (_, code) in enumerate(DEFECTS)]
    assert all(row["sentence_zh"].endswith("。") for row in told)


def test_the_sentence_names_the_missing_keys_and_never_unknown_ones(load):
    lacking = {key: value for key, value in GOOD.items() if key not in ("user_id", "end_local")}
    report = load(lines(lacking, {**GOOD, "resident-7": 1}), name="rides.jsonl")
    first, second = quarantined(report)
    assert first["sentence"] == "The row lacks the keys user_id, end_local."
    assert second["sentence"] == "The row has 1 keys that the profile does not name."


def test_a_file_that_is_not_json_lines_at_all_is_refused_whole(load):
    for content in (text(trip(1), trip(2)), json.dumps([GOOD, GOOD], indent=1).encode() + b"\n"):
        with pytest.raises(activity.NotJsonLines):
            load(content, name="rides.jsonl")
    with pytest.raises(activity.FileNotUtf8):
        load(json.dumps(GOOD).encode("utf-16") + b"\n\0", name="utf16.jsonl")
    with pytest.raises(activity.FileTruncated):
        load(lines(GOOD)[:-1], name="cut.jsonl")
    with pytest.raises(activity.FileEmpty):
        load(gzip.compress(b""), name="empty.jsonl.gz")


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated(load):
    assert load(b"\xef\xbb\xbf" + lines(GOOD, GOOD | {"trip_id": "2", "user_id": "2"}).replace(b"\n", b"\r\n"), name="r.jsonl").accepted == 2


def test_csv_with_mixed_line_ends_loses_no_row(load, lake_rows):
    rows = [trip(number, number).encode() for number in range(1, 7)]
    content = HEADER.encode() + b"\r\n" + rows[0] + b"\n" + rows[1] + b"\r\n" + rows[2] + b"\n" + rows[3] + b"\r" + rows[4] + b"\n" + rows[5] + b"\r\n"
    report = load(content)
    # A lone carriage return ends no line: the two rides around it are one row, and nobody can tell them apart.
    assert (report.rows_in, report.accepted, report.refused_by) == (5, 4, {"line_break_alone": 1})
    [told] = quarantined(report)
    assert told["as_received"] == (rows[3] + b"\r" + rows[4]).decode()
    assert {row["started_at"] for row in lake_rows()} == {datetime(2025, 3, 2, 8)}


def test_formats_are_told_by_their_beginning_and_their_name(load, tmp_path: Path):
    with pytest.raises(activity.FormatUnknown):
        load(lines(GOOD), name="rides.json")
    with pytest.raises(activity.FormatUnknown):
        load(text(trip(1)), name="rides.xlsx")
    with pytest.raises(activity.ColumnsDiffer):
        load(lines(GOOD), name="rides.csv")
    assert load(text(trip(1)), name="RIDES.CSV").accepted == 1
