"""One act counts once, across sources, evidence and mechanisms (Article 16)."""

from datetime import date

import psycopg
import pytest

from carbonhui import activity
from tests.quantification.profiles import BILLS, SELF_DECLARED, STEPS, TRANSIT

TRIPS = "trip,card,mode,begun,ended,metres"
DAY = date(2025, 5, 6)


def trip(number: int, mode: str, begun: str, ended: str, card: str = "1") -> str:
    return f"{number},{card},{mode},{DAY} {begun}:00,{DAY} {ended}:00,5000"


@pytest.fixture
def city(city):
    city.profile("transit", TRANSIT)
    city.profile("check-in", SELF_DECLARED)
    for id in ("metro_wuhan", "bus_wuhan", "cycling_wuhan"):
        city.approve(id, start=date(2023, 6, 2), version="1")
    for id in ("metro_hubei", "bus_hubei"):
        city.approve(id, start=city.methodology(id).first_day)
    return city


def both(city, operators: list[str], own: list[str]):
    """The operator's rides are measured first, then the same person's own reports."""
    city.receive("transit", TRIPS, *operators)
    city.enrol("transit")
    city.receive("check-in", TRIPS, *own)
    city.link("check-in", city.holder("transit.card"))
    return city.quantify()


def test_a_ride_that_the_operator_reported_is_not_credited_again_to_the_rider_who_declares_it(city):
    report = both(city, [trip(1, "bus", "08:00", "08:30")], [trip(9, "bus", "08:05", "08:25"), trip(10, "bus", "12:00", "12:20")])
    assert report.left_out == {"claimed_before": 1}
    assert [(row[1], row[4]) for row in city.reductions()] == [("bus_wuhan", 150_000), ("bus_hubei", 52_000)]


def test_a_self_declared_ride_bars_the_operators_report_that_comes_later(city):
    city.receive("check-in", TRIPS, trip(9, "bus", "08:05", "08:25"))
    city.enrol("check-in")
    city.quantify()
    city.receive("transit", TRIPS, trip(1, "bus", "08:00", "08:30"))
    city.link("transit", city.holder("check-in.phone"))
    assert city.quantify().left_out == {"claimed_before": 1}
    assert [row[1] for row in city.reductions()] == ["bus_hubei"]


def test_nobody_rides_a_bus_and_the_metro_at_once(city):
    report = both(city, [trip(1, "metro", "08:00", "08:30")], [trip(9, "bus", "08:29", "08:40")])
    assert report.left_out == {"claimed_before": 1}


def test_a_bus_may_follow_the_metro_within_the_minute(city):
    report = both(city, [trip(1, "metro", "08:00", "08:30")], [trip(9, "bus", "08:30", "08:40")])
    assert report.left_out == {}


def test_two_reports_of_one_mode_within_the_approved_seconds_are_one_act(city):
    """The approved tolerance is 300 s: a report that begins 299 s after the other ended is the same ride."""
    near = trip(9, "bus", "08:34", "08:50").replace("08:34:00", "08:34:59")
    report = both(city, [trip(1, "bus", "08:00", "08:30")], [near, trip(10, "bus", "12:00", "12:10")])
    assert report.left_out == {"claimed_before": 1}


def test_reports_further_apart_than_the_approved_seconds_are_two_acts(city):
    report = both(city, [trip(1, "bus", "08:00", "08:30")], [trip(9, "bus", "08:35", "08:50")])
    assert report.left_out == {}


def test_a_boarding_without_an_exit_lies_within_the_ride_that_another_operator_reports(city):
    without_exit = TRANSIT.replace('"transit"', '"boardings"').replace("transit.card", "boardings.card")
    for line in ('end         = "ended"\n', 'metres      = "metres"\n', ', "ended", "metres"'):
        without_exit = without_exit.replace(line, "")
    city.profile("boardings", without_exit)
    city.receive("transit", TRIPS, trip(1, "bus", "08:00", "08:30"))
    city.enrol("transit")
    city.receive("boardings", "trip,card,mode,begun", f"1,7,bus,{DAY} 08:10:00", f"2,7,bus,{DAY} 09:10:00")
    city.link("boardings", city.holder("transit.card"))
    report = city.quantify()
    assert report.left_out == {"claimed_before": 1}
    assert report.measured == 2


def test_another_persons_ride_is_another_act(city):
    city.receive("transit", TRIPS, trip(1, "bus", "08:00", "08:30"))
    city.enrol("transit")
    city.receive("check-in", TRIPS, trip(9, "bus", "08:05", "08:25"))
    city.enrol("check-in")
    assert city.quantify().left_out == {}


def test_steps_of_one_day_count_once_whichever_device_told_them(city):
    city.profile("steps", STEPS)
    city.profile("bracelet", STEPS.replace('"steps"', '"bracelet"', 1).replace("steps.phone", "bracelet.id"))
    city.approve("walking", start=city.methodology("walking").first_day)
    city.receive("steps", "phone,day,steps", f"1,{DAY},5000")
    city.enrol("steps")
    city.receive("bracelet", "phone,day,steps", f"b,{DAY},5100", f"b,{date(2025, 5, 7)},100")
    city.link("bracelet", city.holder("steps.phone"))
    assert city.quantify().left_out == {"claimed_before": 1}
    assert [row[4] for row in city.reductions()] == [100_000, 2_000]


def test_an_act_that_is_used_in_another_mechanism_is_not_measured(city, tmp_path):
    city.receive("transit", TRIPS, trip(1, "bus", "08:00", "08:30"), trip(2, "bus", "12:00", "12:30"))
    city.enrol("transit")
    (tmp_path / "elsewhere.csv").write_text("\n".join([TRIPS, trip(1, "bus", "08:00", "08:30")]) + "\n")
    activity.declare_elsewhere(
        city.database, city.database.settings, tmp_path / "elsewhere.csv", "transit", mechanism="CCER", declared_by="t", clock=city.clock
    )
    report = city.quantify()
    assert (report.measured, report.left_out) == (1, {"used_elsewhere": 1})


def test_a_households_days_count_once_whichever_company_sent_them(city):
    """The second company's bill of a month that the first company's readings were measured for is left out."""
    city.profile("power", BILLS)
    city.approve("electricity")
    city.months("1,2012-06,300,1440,1440,1", "1,2013-06,200,1440,1440,1")
    city.enrol("sgsc-monthly")
    header = "customer,from,until,kwh,pv,tier"
    city.receive("power", header, "9,2024-06-01,2024-07-01,300,no,1", "9,2025-06-01,2025-07-01,100,no,1")
    city.link("power", city.holder("sgsc.customer"))
    report = city.quantify()
    assert report.measured == 1
    assert report.left_out["claimed_before"] == 1


def test_the_store_refuses_a_household_day_that_is_measured_twice(city):
    values = "(1, 'electricity', '2025-06-01', %s, 5, 's', 'm', 'f', %s)"
    batch = city.receive("transit", TRIPS, trip(1, "bus", "08:00", "08:30")).batch_id
    with city.database.connect() as connection:
        insert = "INSERT INTO measured_period (account_id, commodity, first_day, last_day, mg, source, methodology, fingerprint, batch_id) VALUES "
        connection.execute(insert + values, ("2025-06-30", batch))
        with pytest.raises(psycopg.errors.ExclusionViolation, match="one_use_counts_once"):
            connection.execute(insert + values, ("2025-06-01", batch))
