"""Electricity is compared with the same month a year before (Article 16)."""

import os
from datetime import date
from pathlib import Path

import pytest

from carbonhui import activity
from tests.quantification.conftest import HALF_HOURS
from tests.quantification.profiles import BILLS, DAYS, WATER

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
    city.enrol("sgsc-monthly")
    report = city.quantify()
    electricity = city.methodology("electricity")
    mg = electricity.reduction_mg(date(2025, 6, 30), used_wh=299_500, days=30, baseline_wh=300_000, baseline_days=30)
    [(_, name, fingerprint, day, found_mg, batch_id)] = city.reductions()
    assert (name, fingerprint, day) == ("electricity", electricity.fingerprint, date(2025, 6, 30))
    assert found_mg == mg == report.mg > 0
    assert batch_id == batch.batch_id
    assert report.left_out == {"no_history": 1}


def test_who_used_more_avoided_nothing_and_is_measured_once(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 301))
    city.enrol("sgsc-monthly")
    assert city.quantify().left_out == {"no_history": 1, "zero": 1}
    assert city.quantify().left_out == {"no_history": 1}


def test_a_february_of_a_leap_year_is_compared_day_for_day(city):
    city.months(month(1, "2012-02", 290, 29 * 48), month(1, "2013-02", 270, 28 * 48))
    city.enrol("sgsc-monthly")
    electricity = city.methodology("electricity")
    mg = electricity.reduction_mg(date(2025, 2, 28), used_wh=270_000, days=28, baseline_wh=290_000, baseline_days=29)
    assert city.quantify().mg == mg > 0


def test_below_95_per_cent_of_the_readings_a_month_does_not_count(city):
    city.months(
        month(1, "2012-06", 300, 1368), month(1, "2013-06", 200, 1368),
        month(2, "2012-06", 300, 1367), month(2, "2013-06", 200),
        month(3, "2012-06", 300), month(3, "2013-06", 200, 1367),
    )
    city.enrol("sgsc-monthly")
    report = city.quantify()
    assert report.left_out == {"coverage_too_low": 3, "no_history": 2}
    assert report.measured == 1


def test_a_month_without_history_stays_open_for_late_data(city):
    city.months(month(1, "2013-06", 200))
    city.enrol("sgsc-monthly")
    assert city.quantify().left_out == {"no_history": 1}
    late = city.months(month(1, "2012-06", 300))
    assert city.quantify().measured == 1
    assert [row[5] for row in city.reductions()] == [late.batch_id - 1]


def test_a_month_whose_meter_had_no_holder_stays_open(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    assert city.quantify().left_out == {"unlinked": 2}
    city.enrol("sgsc-monthly")
    assert city.quantify().measured == 1


def test_a_month_that_came_in_two_forms_counts_once(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    half_hours = [f"1,2013-06-{day:02} {hour:02}:{minute},0.1" for day in range(1, 31) for hour in range(24) for minute in ("00:00", "30:00")]
    city.receive("sgsc-halfhourly", HALF_HOURS, *half_hours)
    city.enrol("sgsc-monthly")
    city.quantify()
    electricity = city.methodology("electricity")
    # Both forms are complete, so the half hours count: 1,440 times 100 Wh.
    mg = electricity.reduction_mg(date(2025, 6, 30), used_wh=144_000, days=30, baseline_wh=300_000, baseline_days=30)
    assert [row[4] for row in city.reductions()] == [mg]


def test_the_form_with_more_readings_counts(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    city.receive("sgsc-halfhourly", HALF_HOURS, "1,2013-06-01 00:00:00,0.1")
    city.enrol("sgsc-monthly")
    city.quantify()
    assert len(city.reductions()) == 1


def test_a_measured_month_is_not_measured_again_when_more_comes(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 290, 1400))
    city.enrol("sgsc-monthly")
    city.quantify()
    before = city.reductions()
    city.receive("sgsc-halfhourly", HALF_HOURS, "1,2013-06-01 00:00:00,0.1")
    assert city.quantify().measured == 0
    assert city.reductions() == before


def test_two_meters_of_one_household_are_added_up(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    city.enrol("sgsc-monthly")
    city.months(month(2, "2012-06", 30), month(2, "2013-06", 50))
    city.link("sgsc-monthly", city.holder("sgsc.customer"))
    report = city.quantify()
    mg = city.methodology("electricity").reduction_mg(
        date(2025, 6, 30), used_wh=250_000, days=30, baseline_wh=330_000, baseline_days=30
    )
    assert (report.measured, report.mg) == (1, mg)
    assert [row[4] for row in city.reductions()] == [mg]


def test_a_meter_that_is_there_this_year_only_makes_the_years_incomparable(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    city.enrol("sgsc-monthly")
    city.months(month(2, "2012-06", 30))
    city.link("sgsc-monthly", city.holder("sgsc.customer"))
    assert city.quantify().left_out == {"meters_differ": 1, "no_history": 1}
    assert city.reductions() == []


def test_a_meter_that_took_anothers_place_goes_on_where_that_stopped(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 90, 720))
    city.enrol("sgsc-monthly")
    city.months(month(2, "2013-06", 100, 720))
    city.link("sgsc-monthly", city.holder("sgsc.customer"))
    assert city.quantify().measured == 1
    mg = city.methodology("electricity").reduction_mg(
        date(2025, 6, 30), used_wh=190_000, days=30, baseline_wh=300_000, baseline_days=30
    )
    assert [row[4] for row in city.reductions()] == [mg]


def test_who_moved_in_has_no_history_of_the_one_who_moved_out(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    city.enrol("sgsc-monthly", since=date(2024, 12, 1))
    assert city.quantify().left_out == {"no_history": 1, "unlinked": 1}


def test_a_month_counts_through_its_last_day(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    city.enrol("sgsc-monthly")
    assert city.quantify(through=date(2025, 6, 29)).measured == 0
    assert city.quantify(through=date(2025, 6, 30)).measured == 1


def test_only_the_named_methodologies_measure(city):
    city.months(month(1, "2012-06", 300), month(1, "2013-06", 200))
    city.enrol("sgsc-monthly")
    assert city.quantify(only=["cycling"]).pieces == ()
    assert city.quantify(only=["electricity"]).measured == 1


def test_forty_real_households_have_272_months_to_compare(city):
    if not SHARED.is_dir():
        pytest.skip(f"the shared data is not there: {SHARED} (set CARBONHUI_SHARED_DATA)")
    report = activity.load(
        city.database, city.database.settings, SHARED / "monthly.csv.gz", "sgsc-monthly", received_by="t", clock=city.clock
    )
    assert report.accepted == report.rows_in == 854
    city.enrol("sgsc-monthly")
    found = city.quantify()
    assert found.measured + found.left_out["zero"] == 272
    assert found.activities == 854


BILL = "customer,from,until,kwh,pv,tier"


@pytest.fixture
def billed(city):
    city.profile("power", BILLS)
    return city


def test_bills_of_uneven_length_are_weighed_by_days_into_calendar_months(billed):
    """30 days from 16 June at 10 kWh a day, before and after them 20 kWh a day: June 2024 is 300 + 150 kWh."""
    billed.receive(
        "power", BILL, "1,2024-05-17,2024-06-16,600,no,1", "1,2024-06-16,2024-07-16,300,no,1",
        "1,2025-05-17,2025-06-16,300,no,1", "1,2025-06-16,2025-07-16,300,no,1",
    )  # fmt: skip
    billed.enrol("power")
    report = billed.quantify()
    mg = billed.methodology("electricity").reduction_mg(
        date(2025, 6, 30), used_wh=300_000, days=30, baseline_wh=450_000, baseline_days=30
    )
    assert [(row[3], row[4]) for row in billed.reductions()] == [(date(2025, 6, 30), mg)]
    # May and July are covered in part only.
    assert report.left_out == {"coverage_too_low": 4, "no_history": 1}


def test_the_days_of_a_bill_are_shared_without_losing_a_watt_hour(billed):
    billed.receive("power", BILL, "1,2024-05-30,2024-07-02,333,no,1", "1,2025-05-30,2025-07-02,100,no,1")
    billed.enrol("power")
    billed.quantify()
    june_2024, june_2025 = (used * 32 // 33 - used * 2 // 33 for used in (333_000, 100_000))
    mg = billed.methodology("electricity").reduction_mg(
        date(2025, 6, 30), used_wh=june_2025, days=30, baseline_wh=june_2024, baseline_days=30
    )
    assert [row[4] for row in billed.reductions()] == [mg]


def test_own_solar_panels_exclude_the_month_and_tier_three_the_year(billed):
    billed.receive(
        "power", BILL,
        *(f"{customer},{year}-06-01,{year}-07-01,{kwh},no,1" for customer in (1, 2, 3) for year, kwh in ((2024, 300), (2025, 200))),
        "1,2024-07-01,2024-08-01,300,no,1", "1,2025-07-01,2025-08-01,200,yes,1",
        "2,2024-07-01,2024-08-01,300,no,1", "2,2025-07-01,2025-08-01,200,no,3",
    )  # fmt: skip
    billed.enrol("power")
    report = billed.quantify()
    assert report.left_out["excluded_own_pv"] == 1
    assert report.left_out["excluded_tier_3"] == 2
    assert sorted(row[3].month for row in billed.reductions()) == [6, 6]


WATER_BILL = "customer,month,m3"


@pytest.fixture
def watered(city):
    city.profile("water-works", WATER)
    city.approve("water", start=city.methodology("water").first_day)
    return city


def test_a_bill_of_which_only_the_month_is_known_begins_where_the_one_before_it_ended(watered):
    """Billed every second month: the bill of June is for May and June, and June is half of it by days."""
    watered.receive(
        "water-works", WATER_BILL, *(f"1,{year}-{month:02},{used}" for year, used in ((2024, 61), (2025, 30)) for month in (2, 4, 6)),
    )  # fmt: skip
    watered.enrol("water-works")
    report = watered.quantify()
    # Of the first bill nobody knows where it begins, and the step of ten months between the years is like no other.
    assert report.left_out == {"no_history": 4, "period_unknown": 2}
    assert {row[3] for row in watered.reductions()} == {date(2025, month, day) for month, day in ((3, 31), (4, 30), (5, 31), (6, 30))}
    *_, may, june = watered.reductions()
    mg = [
        watered.methodology("water").reduction_mg(
            date(2025, month, days), used_litres=now, days=days, baseline_litres=before, baseline_days=days
        )
        for month, days, now, before in ((5, 31, 30_000 * 31 // 61, 31_000), (6, 30, 30_000 - 30_000 * 31 // 61, 30_000))
    ]
    assert [may[4], june[4]] == mg


def test_a_bill_that_is_missing_does_not_stretch_the_next_one(watered):
    watered.receive(
        "water-works", WATER_BILL, *(f"1,{year}-{month:02},30" for year in (2024, 2025) for month in range(1, 10)
                                     if (year, month) != (2025, 5)),
    )  # fmt: skip
    watered.enrol("water-works")
    report = watered.quantify()
    # The first bill of each year, and June's, which would be for May as well.
    assert report.left_out["period_unknown"] == 3
    assert {row[3].month for row in watered.reductions()} & {5, 6} == set()


DAILY = "customer,day,kwh"


@pytest.fixture
def daily(city):
    city.profile("smart-meters", DAYS)
    city.approve("electricity_daily", start=city.methodology("electricity_daily").first_day)
    return city


def days(customer: int, kwh: list[object], first: int = 1) -> list[str]:
    return [f"{customer},2022-07-{first + at:02},{use}" for at, use in enumerate(kwh)]


def test_a_household_above_the_citys_mean_is_compared_with_its_own_week(daily):
    """Shenzhen: seven days of 12 kWh, then 10 kWh, at 0.3125 kg/kWh: 0.625 kg. Twenty others use little."""
    others = [row for customer in range(2, 22) for row in days(customer, [1] * 8)]
    daily.receive("smart-meters", DAILY, *days(1, [12] * 7 + [10]), *others)
    daily.enrol("smart-meters")
    report = daily.quantify()
    assert report.left_out == {"no_history": 7 * 21}
    assert max(row[4] for row in daily.reductions()) == 625_000
    # The twenty are below the city's mean of 30,000 Wh // 21 and are compared with that.
    mean_wh = 30_000 // 21
    assert sorted(row[4] for row in daily.reductions())[:20] == [(mean_wh - 1_000) * 312_500 // 1_000] * 20


def test_fewer_than_seven_days_before_are_no_history_and_fewer_than_twenty_households_no_mean(daily):
    daily.receive("smart-meters", DAILY, *days(1, [12] * 6 + [10]), *days(2, [5] * 8))
    daily.enrol("smart-meters")
    assert daily.quantify().left_out["no_city_mean"] == 15
    assert daily.reductions() == []


def test_monthly_sums_cannot_tell_days(city):
    city.approve("electricity_daily", start=city.methodology("electricity_daily").first_day)
    city.months(month(1, "2012-06", 300))
    city.enrol("sgsc-monthly")
    assert city.quantify(only=["electricity_daily"]).left_out == {"no_daily_readings": 1}
