"""Electricity is compared with the same month a year before (Article 16)."""

import os
from datetime import date
from pathlib import Path

import pytest

from carbonhui import activity
from tests.quantification.conftest import HALF_HOURS

BASE = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CARBONHUI_SHARED_DATA") or BASE.parent / "shared" / "data") / "sgsc-electricity-au"


def month(customer: int, when: str, kwh: object, readings: int = 1440) -> str:
    return f"{customer},{when},{kwh},{readings},1440,1"


@pytest.fixture
def city(city):
    city.approve("electricity")
    return city


def test_a_household_that_used_less_avoided_something(city):
    batch = city.months(month(1, "2012-06", 300), month(1, "2013-06", "299.5"))
    city.enrol("sgsc")
    report = city.quantify()
    electricity = city.methodologies["electricity"]
    mg = electricity.reduction_mg(date(2025, 6, 30), used_wh=299_500, days=30, baseline_wh=300_000, baseline_days=30)
    [(_, name, fingerprint, day, found_mg, batch_id)] = city.reductions()
    assert (name, fingerprint, day) == ("electricity", electricity.fingerprint, date(2025, 6, 30))
    assert found_mg == mg == report.mg > 0
    assert batch_id == batch.batch_id
    assert report.left_out == {"no_history": 1}


def test_who_used_more_avoided_nothing_and_is_measured_once(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 301))
    city.enrol("sgsc")
    assert city.quantify().left_out == {"no_history": 1, "zero": 1}
    assert city.quantify().left_out == {"no_history": 1}


def test_a_february_of_a_leap_year_is_compared_day_for_day(city):
    city.months(month(1, "2012-02", 290, 29 * 48), month(1, "2013-02", 270, 28 * 48))
    city.enrol("sgsc")
    electricity = city.methodologies["electricity"]
    mg = electricity.reduction_mg(date(2025, 2, 28), used_wh=270_000, days=28, baseline_wh=290_000, baseline_days=29)
    assert city.quantify().mg == mg > 0


def test_below_95_per_cent_of_the_readings_a_month_does_not_count(city):
    city.months(
        month(1, "2012-06", 300, 1368), month(1, "2013-06", 200, 1368),
        month(2, "2012-06", 300, 1367), month(2, "2013-06", 200),
        month(3, "2012-06", 300), month(3, "2013-06", 200, 1367),
    )
    city.enrol("sgsc")
    report = city.quantify()
    assert report.left_out == {"coverage_too_low": 3, "no_history": 2}
    assert report.measured == 1


def test_a_month_without_history_stays_open_for_late_data(city):
    city.months(month(1, "2013-06", 200))
    city.enrol("sgsc")
    assert city.quantify().left_out == {"no_history": 1}
    late = city.months(month(1, "2012-06", 300))
    assert city.quantify().measured == 1
    assert [row[5] for row in city.reductions()] == [late.batch_id - 1]


def test_a_month_whose_meter_had_no_holder_stays_open(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    assert city.quantify().left_out == {"no_history": 1, "unlinked": 1}
    city.enrol("sgsc")
    assert city.quantify().measured == 1


def test_a_month_that_came_in_two_forms_counts_once(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    half_hours = [f"1,2013-06-{day:02} {hour:02}:{minute},0.1" for day in range(1, 31) for hour in range(24) for minute in ("00:00", "30:00")]
    city.receive("sgsc-halfhourly", HALF_HOURS, *half_hours)
    city.enrol("sgsc")
    city.quantify()
    electricity = city.methodologies["electricity"]
    # Both forms are complete, so the half hours count: 1,440 times 100 Wh.
    mg = electricity.reduction_mg(date(2025, 6, 30), used_wh=144_000, days=30, baseline_wh=300_000, baseline_days=30)
    assert [row[4] for row in city.reductions()] == [mg]


def test_the_form_with_more_readings_counts(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    city.receive("sgsc-halfhourly", HALF_HOURS, "1,2013-06-01 00:00:00,0.1")
    city.enrol("sgsc")
    city.quantify()
    assert len(city.reductions()) == 1


def test_a_measured_month_is_not_measured_again_when_more_comes(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 290, 1400))
    city.enrol("sgsc")
    city.quantify()
    before = city.reductions()
    city.receive("sgsc-halfhourly", HALF_HOURS, "1,2013-06-01 00:00:00,0.1")
    assert city.quantify().measured == 0
    assert city.reductions() == before


def test_two_meters_of_one_person_are_one_reduction(city):
    from carbonhui import participants

    city.months(*(month(meter, when, kwh) for meter in (1, 2) for when, kwh in (("2012-06", 300), ("2013-06", 200))))
    with city.database.begin() as session:
        first, second = activity.subjects(session, city.database.settings, "sgsc")
        participants.enrol(session, "sgsc.customer", [first], date(2020, 1, 1))
        [link] = participants.accounts_of(session, "sgsc.customer")
        participants.link(session, scheme="sgsc.customer", subject=second, account_id=link.account_id, valid_from=date(2020, 1, 1))
    report = city.quantify()
    assert report.measured == 2
    assert [row[4] for row in city.reductions()] == [report.mg]


def test_a_month_counts_through_its_last_day(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    city.enrol("sgsc")
    assert city.quantify(through=date(2025, 6, 29)).measured == 0
    assert city.quantify(through=date(2025, 6, 30)).measured == 1


def test_only_the_named_methodologies_measure(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    city.enrol("sgsc")
    assert city.quantify(only=["cycling"]).pieces == ()
    assert city.quantify(only=["electricity"]).measured == 1


def test_forty_real_households_have_272_months_to_compare(city):
    if not SHARED.is_dir():
        pytest.skip(f"the shared data is not there: {SHARED} (set CARBONHUI_SHARED_DATA)")
    report = activity.load(
        city.database, city.database.settings, SHARED / "monthly.csv.gz", "sgsc-monthly", received_by="t", clock=city.clock
    )
    assert report.accepted == report.rows_in == 854
    city.enrol("sgsc")
    found = city.quantify()
    assert found.measured + found.left_out["zero"] == 272
    assert found.activities == 854
