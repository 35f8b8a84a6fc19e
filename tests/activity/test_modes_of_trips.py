"""Rides of every mode, with a measured distance, a straight line, or none (Articles 12, 16)."""

import pytest

from carbonhui import activity
from tests.activity.conftest import quarantined, text
from tests.activity.forms import RIDES, RIDES_HEADER


@pytest.fixture
def rides(load, institution):
    def load_them(*rows: str, form: str = RIDES, header: str = RIDES_HEADER, name: str = "r.csv") -> activity.BatchReport:
        return load(text(*rows, header=header), profile=institution(form), name=name)

    return load_them


def ride(number, mode="Bus", start="08:00:00", end="08:10:00", metres="900", card=None):
    return f"{number},{card or f'card-{number}'},{mode},2026-03-02 {start},2026-03-02 {end},{metres}"


def test_the_mode_and_the_measured_distance_of_each_row_are_kept(rides, lake_rows):
    rides(ride(1, "Bus"), ride(2, "Metro", metres="12000.9"), ride(3, "Taxi", metres=""))
    rows = sorted(lake_rows("own"), key=lambda row: row["mode"])
    assert [(row["mode"], row["metres"], row["trips"]) for row in rows] == [("bus", 900, 1), ("ev", None, 1), ("metro", 12000, 1)]
    assert list(rows[0]) == [
        "subject", "act", "day", "started_at", "ended_at", "utc_offset_minutes", "seconds", "metres", "trips", "mode",
    ]  # fmt: skip


def test_each_mode_is_judged_by_its_own_thresholds(rides):
    # 100 km/h is the bus's limit and 120 km/h the metro's: in 600 s 16,666 m and 20,000 m.
    report = rides(
        ride(1, "Bus", metres="16666"), ride(2, "Bus", metres="16667"),
        ride(3, "Metro", metres="20000"), ride(4, "Metro", metres="20001"),
        ride(5, "Bus", end="08:01:00"), ride(6, "Bus", end="08:00:59"),
        ride(7, "Metro", end="12:00:00"), ride(8, "Metro", end="12:00:01"),
    )  # fmt: skip
    assert [(row["id"], row["code"]) for row in quarantined(report)] == [
        ("2", "too_fast"), ("4", "too_fast"), ("6", "too_short"), ("8", "too_long"),
    ]  # fmt: skip
    assert "100 km/h" in quarantined(report)[0]["sentence"]
    assert "120 km/h" in quarantined(report)[1]["sentence"]


def test_a_mode_that_the_profile_does_not_name_is_refused(rides):
    report = rides(ride(1, "Tram"), ride(2, "bus"), ride(3, ""))
    assert report.refused_by == {"mode_unknown": 3}
    assert quarantined(report)[0]["sentence"] == "The column mode names no mode of the profile; it knows Bus, Metro, Taxi."


@pytest.mark.parametrize("metres", ["-1", "1e3", "far", "1,000", "１"])
def test_a_distance_that_is_no_plain_number_is_refused(rides, metres):
    assert rides(ride(1, metres=f'"{metres}"')).refused_by == {"value_not_a_number": 1}


def test_another_distance_of_the_same_ride_is_another_content(rides):
    rides(ride(1), name="a.csv")
    report = rides(ride(1, metres="900.5"), ride(2, metres="901"), name="b.csv")
    assert (report.duplicate, report.accepted) == (1, 1)
    assert rides(ride(1, metres="901"), ride(2, metres=""), name="c.csv").refused_by == {"key_reused": 2}


def test_a_boarding_without_an_end_is_a_trip_of_no_known_distance(rides, lake_rows):
    form = RIDES.replace('end = "end"\n', "").replace('metres = "metres"\n', "")
    assert rides(ride(1, end="never", metres="x"), form=form).accepted == 1
    [row] = lake_rows("own")
    assert (row["seconds"], row["metres"], row["trips"], row["started_at"]) == (0, None, 1, row["ended_at"])


def test_nobody_is_on_a_bus_and_on_the_metro_at_once(rides):
    assert rides(ride(1, card="c"), ride(2, "Metro", "08:05:00", "08:30:00", card="c")).refused_by == {"overlapping": 1}


def test_self_declared_rides_are_marked_as_such(load, database):
    header = "ride_id,person,mode,start_at,end_at,metres"
    row = "1,p,bus,2026-03-02T08:00:00+08:00,2026-03-02T08:10:00+08:00,"
    report = load(text(row, header=header), profile="rides-self-declared")
    assert (report.accepted, report.evidence) == (1, "self_declared")
