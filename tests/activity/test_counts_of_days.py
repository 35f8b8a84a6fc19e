"""Steps, clothes and square metres: whole quantities of a day (Articles 12, 16)."""

from datetime import date

import pytest

from tests.activity.conftest import quarantined, text
from tests.activity.forms import PICKUPS, PICKUPS_HEADER, STEPS, STEPS_HEADER


@pytest.fixture
def steps(load, institution):
    return lambda *rows, name="s.csv": load(text(*rows, header=STEPS_HEADER), profile=institution(STEPS), name=name)


@pytest.fixture
def pickups(load, institution):
    return lambda *rows, name="p.csv": load(text(*rows, header=PICKUPS_HEADER), profile=institution(PICKUPS), name=name)


def test_a_days_steps_are_one_act(steps, lake_rows):
    report = steps("p,2026-03-01,8000", "p,2026-03-02,9000", "q,2026-03-01,0", "p,2026-03-01,8000")
    assert (report.accepted, report.duplicate) == (3, 1)
    [row] = [row for row in lake_rows("own") if row["quantity"] == 9000]
    assert list(row) == ["subject", "act", "day", "quantity", "mode"]
    assert (row["day"], row["mode"]) == (date(2026, 3, 2), "walking")


def test_other_steps_of_a_day_that_was_told_are_refused(steps):
    steps("p,2026-03-01,8000")
    assert steps("p,2026-03-01,8001", name="b.csv").refused_by == {"key_reused": 1}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("p,2026-03-01,-1", "negative_quantity"), ("p,2026-03-01,1.5", "value_not_a_number"), ("p,2026-03-01,", "value_not_a_number"),
        ("p,2026-03-01,many", "value_not_a_number"), (",2026-03-01,5", "subject_missing"), ("p,2026-11-20,5", "impossible_date"),
        ("p,2026-11-19,5", None), ("p,2019-12-31,5", "impossible_date"), ("p,01/03/2026,5", "impossible_date"),
    ],
)  # fmt: skip
def test_what_is_no_quantity_of_a_day_is_refused(steps, row, code):
    assert steps(row).refused_by == ({code: 1} if code else {})


def test_several_quantities_of_one_day_stay_within_the_most_of_a_day(pickups, lake_rows):
    # 200,000 g a day.
    first = pickups("1,t,2026-03-01,150000,", "2,t,2026-03-01,50001,", "3,t,2026-03-01,50000,", "4,t,2026-03-02,200000,", "5,u,2026-03-01,200001,")
    assert [(row["id"], row["code"]) for row in quarantined(first)] == [("2", "quantity_too_high"), ("5", "quantity_too_high")]
    assert "200001" in quarantined(first)[0]["sentence"]
    # The refused one is in nobody's way, and the day is full in every later file too.
    later = pickups("6,t,2026-03-01,1,", "7,u,2026-03-01,200000,", "8,t,2026-03-03,1,", name="later.csv")
    assert [(row["id"], row["code"]) for row in quarantined(later)] == [("6", "quantity_too_high")]
    assert sum(row["quantity"] for row in lake_rows("own")) == 600_001


def test_a_pickup_is_known_by_its_number(pickups):
    pickups("1,t,2026-03-01,100,")
    report = pickups("1,t,2026-03-01,100,", "1,t,2026-03-02,100,", ",t,2026-03-02,100,", name="b.csv")
    assert (report.duplicate, report.refused_by) == (1, {"key_missing": 1, "key_reused": 1})


def test_what_was_sold_elsewhere_is_not_counted_here(pickups):
    report = pickups("1,t,2026-03-01,100,CCER", "2,t,2026-03-01,100, ")
    assert (report.accepted, report.refused_by) == (1, {"used_elsewhere": 1})
    assert "(CCER)" in quarantined(report)[0]["sentence"]


@pytest.mark.parametrize(
    ("profile", "header", "row"),
    [
        ("steps-self-declared", "person,day,steps", "p,2026-03-01,8000"),
        ("clothes-pickup", "pickup_id,phone,day,grams,other_mechanism", "1,t,2026-03-01,900,"),
        ("green-building-demo", "household,day,square_metres", "h,2026-03-01,120"),
    ],
)
def test_the_shipped_forms_take_their_files(load, profile, header, row):
    assert load(text(row, header=header), profile=profile).accepted == 1
