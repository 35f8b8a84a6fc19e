"""Two swipes of a card make one ride, and every row still ends in one place (Articles 12, 16)."""

from datetime import datetime
from itertools import permutations

import pytest

from carbonhui import activity
from tests.activity.conftest import quarantined, text
from tests.activity.forms import SWIPES, SWIPES_HEADER

#: Two stations 1.1 km apart, one 14 km off.
IN, OUT = "c,2026-03-02 08:00:00,in,1,g1", "c,2026-03-02 08:10:00,out,2,g2"


@pytest.fixture
def swipes(load, institution, stations):
    def load_them(*rows: str, name: str = "s.csv", form: str = SWIPES) -> activity.BatchReport:
        return load(text(*rows, header=SWIPES_HEADER), profile=institution(form), name=name, stations=stations)

    return load_them


def counts(report):
    return report.accepted, report.acts, report.duplicate, report.refused_by


def test_an_entry_and_the_next_exit_are_one_ride(swipes, lake_rows):
    assert counts(swipes(OUT, IN)) == (2, 1, 0, {})
    [row] = lake_rows("own")
    assert (row["started_at"], row["ended_at"]) == (datetime(2026, 3, 2, 8), datetime(2026, 3, 2, 8, 10))
    assert (row["seconds"], row["metres"], row["trips"], row["mode"]) == (600, 1111, 1, "metro")


def test_a_boarding_is_a_ride_of_which_nothing_but_its_beginning_is_known(swipes, lake_rows):
    assert counts(swipes("c,2026-03-02 08:00:00,bus,Line 7,b")) == (1, 1, 0, {})
    [row] = lake_rows("own")
    assert (row["seconds"], row["metres"], row["trips"], row["mode"]) == (0, None, 1, "bus")
    assert row["ended_at"] == row["started_at"]


@pytest.mark.parametrize(("out", "acts"), [("11:59:59", 1), ("12:00:00", 1), ("12:00:01", 0)])
def test_a_partner_comes_within_the_longest_ride(swipes, out, acts):
    report = swipes(IN, OUT.replace("08:10:00", out))
    assert report.acts == acts
    assert report.refused_by == ({} if acts else {"swipe_without_partner": 2})
    if not acts:
        assert "14400 s" in quarantined(report)[0]["sentence"]


def test_each_card_is_paired_in_the_order_of_time(swipes):
    report = swipes(
        IN, "c,2026-03-02 08:05:00,in,3,g3", OUT, "c,2026-03-02 08:20:00,out,2,g4",
        "d,2026-03-02 08:01:00,out,2,g2", "d,2026-03-02 08:03:00,in,1,g1",
    )  # fmt: skip
    # The second entry takes the exit; what is left has no partner. 14 km in 300 s are too fast.
    assert [(row["row"], row["code"]) for row in quarantined(report)] == [
        ("2", "swipe_without_partner"), ("3", "too_fast"), ("4", "too_fast"), ("5", "swipe_without_partner"),
        ("6", "swipe_without_partner"), ("7", "swipe_without_partner"),
    ]  # fmt: skip


def test_a_card_leaves_before_it_enters_again_in_the_same_second(swipes):
    again = "c,2026-03-02 08:10:00,in,2,g3", "c,2026-03-02 08:20:00,out,1,g4"
    assert counts(swipes(IN, *again, OUT)) == (4, 2, 0, {})


@pytest.mark.parametrize(
    ("entry", "exit", "code"),
    [
        (IN, OUT.replace(",2,", ",1,"), "round_trip"), (IN, OUT.replace(",2,", ",99,"), "unknown_station"),
        (IN.replace(",1,", ",,"), OUT, "unknown_station"), (IN, OUT.replace(",2,", ",4,"), "station_without_coordinates"),
        (IN, OUT.replace("08:10:00", "08:00:59"), "too_short"), (IN, OUT.replace(",2,", ",3,"), "too_fast"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_ride_is_told_of_both_its_swipes(swipes, entry, exit, code):
    entry, exit = (swipe.replace("08:10:00", "08:05:00") for swipe in (entry, exit))
    report = swipes(entry, exit)
    assert counts(report) == (0, 0, 0, {code: 2})
    assert [row["row"] for row in quarantined(report)] == ["2", "3"]


def test_a_swipe_at_an_unknown_station_does_not_give_its_partner_away(swipes):
    report = swipes(IN, "c,2026-03-02 08:10:00,out,99,g2", "c,2026-03-02 09:00:00,out,2,g2")
    assert report.refused_by == {"unknown_station": 2, "swipe_without_partner": 1}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("c,2026-03-02 08:00:00,jump,1,g", "swipe_kind_unknown"), (",2026-03-02 08:00:00,in,1,g", "subject_missing"),
        ("c,soon,in,1,g", "impossible_date"), ("c,2026-11-20 12:00:01,bus,1,g", "impossible_date"), ("c,2026-11-20 12:00:00,bus,1,g", None),
    ],
)  # fmt: skip
def test_a_swipe_that_cannot_be_understood_is_refused_alone(swipes, row, code):
    assert swipes(row, IN, OUT).refused_by == ({code: 1} if code else {})


def test_the_same_swipe_twice_is_a_duplicate_of_the_first(swipes):
    assert counts(swipes(IN, OUT, OUT, IN, IN)) == (2, 1, 3, {})
    bus = "d,2026-03-02 08:00:00,bus,,b"
    assert counts(swipes(bus, bus, name="bus.csv")) == (1, 1, 1, {})


def test_a_copy_of_a_refused_swipe_is_refused_with_it(swipes):
    assert counts(swipes(IN, IN, OUT.replace(",2,", ",1,"), OUT.replace(",2,", ",1,"))) == (0, 0, 0, {"round_trip": 4})
    assert counts(swipes(IN, IN, name="lonely.csv")) == (0, 0, 0, {"swipe_without_partner": 2})


def test_one_key_with_two_contents_is_refused(swipes):
    assert counts(swipes(IN, IN.replace(",1,", ",3,"), OUT)) == (2, 1, 0, {"key_reused": 1})


def test_a_refused_swipe_can_be_sent_again_with_its_partner(swipes, lake_rows):
    assert counts(swipes(IN, name="monday.csv")) == (0, 0, 0, {"swipe_without_partner": 1})
    assert counts(swipes(OUT, name="tuesday.csv")) == (0, 0, 0, {"swipe_without_partner": 1})
    assert counts(swipes(IN, OUT, name="both.csv")) == (2, 1, 0, {})
    assert len(lake_rows("own")) == 1


def test_what_came_before_is_a_duplicate_together_and_alone(swipes):
    swipes(IN, OUT, name="first.csv")
    assert counts(swipes(OUT, IN, name="again.csv")) == (0, 0, 2, {})
    assert counts(swipes(IN, name="entry.csv")) == (0, 0, 1, {})
    assert counts(swipes(OUT, name="exit.csv")) == (0, 0, 1, {})
    assert counts(swipes(IN, OUT.replace("08:10:00", "08:12:00"), name="other.csv")) == (0, 0, 0, {"key_reused": 2})


def test_a_ride_during_another_is_refused_with_both_its_swipes(swipes):
    swipes(IN, OUT.replace("08:10:00", "08:30:00"), name="first.csv")
    report = swipes("c,2026-03-02 08:10:00,in,1,g", "c,2026-03-02 08:20:00,out,2,g", "c,2026-03-02 08:29:00,bus,,b", name="late.csv")
    assert counts(report) == (0, 0, 0, {"overlapping": 3})
    assert counts(swipes("c,2026-03-02 08:30:00,bus,,b", name="after.csv")) == (1, 1, 0, {})


def test_the_order_of_rows_does_not_matter(swipes):
    day = [IN, OUT, "c,2026-03-02 08:10:00,bus,,b", "c,2026-03-02 09:00:00,in,2,g"]
    # Every order on a card of its own.
    cards = [row.replace("c,", f"c{number},", 1) for number, rows in enumerate(permutations(day)) for row in rows]
    assert counts(swipes(*cards)) == (24 * 3, 24 * 2, 0, {"swipe_without_partner": 24})


def test_without_buses_a_profile_names_no_boarding(swipes):
    form = SWIPES.replace('boarding = "bus"\n', "").replace('boarding_mode = "bus"\n', "").replace('bus = ["bus_wuhan"]\n', "")
    assert counts(swipes(IN, OUT, "c,2026-03-02 09:00:00,bus,,b", form=form)) == (2, 1, 0, {"swipe_kind_unknown": 1})
