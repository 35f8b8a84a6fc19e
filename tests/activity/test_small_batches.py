"""Rows that come without a file go the same way as a file's (Articles 12, 16)."""

import csv
import gzip

import pytest

from carbonhui import activity
from carbonhui.activity.small_batches import MOST_ROWS
from tests.activity.conftest import HEADER, text, trip


@pytest.fixture
def load_rows(database, clock, stations):
    def load_them(rows, profile: str = "mibici") -> activity.BatchReport:
        places = stations if profile == "mibici" else None
        return activity.load_rows(
            database, database.settings, rows, profile, received_by="the depot", stations=places, clock=clock
        )

    return load_them


def row(line: str) -> dict[str, str]:
    return dict(zip(HEADER.split(","), line.split(","), strict=True))


def test_rows_are_judged_recorded_and_reported_as_a_files(load_rows, load, lake_rows, database):
    report = load_rows([row(trip(1)), row(trip(1)), row(trip(2, 2, end="08:00:01"))])
    assert (report.rows_in, report.accepted, report.duplicate, report.refused_by) == (3, 1, 1, {"too_short": 1})
    with gzip.open(report.quarantine, "rt", encoding="utf-8", newline="") as file:
        assert [(told["row"], told["code"], told["user_id"]) for told in csv.DictReader(file)] == [("3", "too_short", "2")]
    # A ride that came so is known when it comes in a file.
    assert load(text(trip(1), trip(3, 3))).duplicate == 1
    assert len(lake_rows()) == 2
    with database.begin() as session:
        assert activity.batches(session)[0].file_name == "rows"


def test_the_same_rows_again_change_nothing_in_whatever_order_their_columns_came(load_rows):
    first = load_rows([row(trip(1))])
    again = load_rows([dict(reversed(row(trip(1)).items()))])
    assert (again.already_loaded_as, again.duplicate) == (first.batch_id, 1)
    assert load_rows([row(trip(2, 2)), row(trip(1))]).already_loaded_as is None


def test_a_row_of_other_columns_is_refused_alone(load_rows):
    good = row(trip(1))
    report = load_rows([
        good, {name: value for name, value in good.items() if name != "user_id"}, good | {"extra": "1"}, {},
        good | {"trip_id": "\ud800"}, good | {"row": "7", "code": "x", "trip_id": "2", "user_id": "2"},
    ])  # fmt: skip
    assert (report.accepted, report.refused_by) == (2, {"keys_missing": 2, "keys_unknown": 1, "not_unicode": 1})


def test_ten_thousand_rows_come_at_once_and_no_more(load_rows):
    rows = [row(trip(number, number)) for number in range(MOST_ROWS + 1)]
    with pytest.raises(activity.TooManyRows, match="10001"):
        load_rows(rows)
    assert load_rows(rows[1:]).accepted == MOST_ROWS


@pytest.mark.parametrize("rows", [[], [["1", "2"]], [{"trip_id": 1}], [{1: "1"}], ["trip"], [None]])
def test_what_is_no_rows_of_texts_is_refused_whole(load_rows, rows):
    with pytest.raises(activity.RowsUnusable):
        load_rows(rows)
