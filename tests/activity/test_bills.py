"""Bills and meters of households, in whole small units (Articles 12, 16)."""

from datetime import datetime
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as some

from carbonhui import activity
from carbonhui.activity.units import UNITS, small_units
from tests.activity.conftest import quarantined, text
from tests.activity.forms import BILLS, BILLS_HEADER, METERS, METERS_HEADER

ENGINE = duckdb.connect()


@pytest.fixture
def bills(load, institution):
    def load_them(*rows: str, form: str = BILLS, header: str = BILLS_HEADER, name: str = "b.csv") -> activity.BatchReport:
        return load(text(*rows, header=header), profile=institution(form), name=name)

    return load_them


@pytest.fixture
def meters(load, institution):
    def load_them(*rows: str, form: str = METERS, name: str = "m.csv") -> activity.BatchReport:
        return load(text(*rows, header=METERS_HEADER), profile=institution(form), name=name)

    return load_them


def bill(account="7", start="2026-01-05", end="2026-02-04", use="30", kind="home", note="", tariff=""):
    return f"{account},{start},{end},{use},{kind},{note},{tariff}"


# Units -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS)
@given(whole=some.integers(0, 10**12 - 1), decimals=some.text("0123456789", max_size=30))
def test_every_unit_is_exact_to_the_small_unit(unit, whole, decimals):
    numerator, denominator = UNITS[unit]
    said = f"{whole}.{decimals}" if decimals else str(whole)
    # Of a ratio that is no power of ten what follows the fifteenth decimal is dropped before.
    kept = decimals[:15] if denominator != 1 else decimals
    exact = Fraction(int(f"{whole}{kept}"), 10 ** len(kept)) * numerator / denominator
    assert ENGINE.execute(f"SELECT {small_units('said', *unit)} FROM (SELECT ? AS said)", [said]).fetchall() == [(int(exact),)]


@pytest.mark.parametrize(
    ("said", "dm3"), [("1", 2831), ("0.0003531", 0), ("0.0003532", 1), ("100", 283_168), ("10000000", 28_316_846_592)]
)
def test_a_hundred_cubic_feet_are_so_many_cubic_decimetres(said, dm3):
    assert ENGINE.execute(f"SELECT {small_units('said', 'ccf', 'gas')} FROM (SELECT ? AS said)", [said]).fetchall() == [(dm3,)]


# Bills -------------------------------------------------------------------------------------------


def test_a_bill_covers_its_days_up_to_before_the_day_of_the_reading(bills, lake_rows):
    bills(bill())
    [row] = lake_rows("own")
    assert list(row) == [
        "subject", "meter", "act", "day", "started_at", "ended_at", "used", "minutes", "span", "flags", "mode",
    ]  # fmt: skip
    assert (row["started_at"], row["ended_at"]) == (datetime(2026, 1, 5), datetime(2026, 2, 4))
    assert (str(row["day"]), row["used"], row["minutes"], row["span"], row["mode"]) == ("2026-02-03", 30_000, 30 * 1440, "bill", "gas")
    assert row["meter"] == row["subject"]


def test_a_bill_says_its_days_or_its_beginning(bills, lake_rows):
    form = BILLS.replace('start = "from"\nend = "to"', 'read_on = "to"\nbilling_days = "from"')
    assert bills(bill(start="30"), form=form).accepted == 1
    assert bills(bill(), name="same.csv").duplicate == 1


@pytest.mark.parametrize(
    ("days", "code"), [(9, "bill_too_short"), (10, None), (36, None), (37, "bill_too_long"), (0, "bill_too_short"), (-5, "bill_too_short")]
)
def test_a_bill_is_neither_too_short_nor_too_long(bills, days, code):
    end = f"2026-02-{4 + days:02}" if days >= 0 and days < 25 else {36: "2026-03-12", 37: "2026-03-13", -5: "2026-01-30"}[days]
    report = bills(bill(start="2026-02-04", end=end))
    assert report.refused_by == ({code: 1} if code else {})
    if code:
        assert str(days) in quarantined(report)[0]["sentence"]


@pytest.mark.parametrize("end", ["2026-11-20", "2026-11-21", "2026-02-30", "soon", ""])
def test_a_bill_whose_time_is_not_over_or_does_not_exist_is_refused(bills, end):
    report = bills(bill(start="2026-11-01", end=end))
    assert report.refused_by == ({"impossible_date": 1} if end != "2026-11-20" else {})


def test_overlapping_bills_of_one_meter_are_refused_and_the_first_stays(bills, lake_rows):
    first = bills(bill(), bill(start="2026-02-03", end="2026-03-04"), bill(start="2026-02-04", end="2026-03-05"), bill("8"))
    assert first.refused_by == {"bill_overlapping": 1}
    assert quarantined(first)[0]["sentence"] == "The day 2026-02-03 stands in another accepted bill of the same meter."
    late = bills(bill(start="2025-12-10", end="2026-01-06"), bill(start="2025-12-10", end="2026-01-05", use="29"), name="late.csv")
    # Both begin on one day: they are one act in two contents.
    assert late.refused_by == {"several_meters": 2}
    assert bills(bill(start="2025-12-10", end="2026-01-06"), name="later.csv").refused_by == {"bill_overlapping": 1}
    assert bills(bill(start="2025-12-10", end="2026-01-05"), name="latest.csv").accepted == 1
    assert len(lake_rows("own")) == 4


def test_only_households_that_were_read_are_taken(bills):
    report = bills(
        bill("1", kind="shop"), bill("2", kind=""), bill("3", kind="flat"), bill("4", note="E"), bill("5", note="ESTIMATED read"),
        bill("6", note="EE"),
    )  # fmt: skip
    assert [(row["account"], row["code"]) for row in quarantined(report)] == [
        ("1", "not_residential"), ("2", "not_residential"), ("4", "estimated_reading"), ("5", "estimated_reading"),
    ]  # fmt: skip


def test_what_a_methodology_may_exclude_is_flagged_in_order_and_once(bills, lake_rows):
    bills(bill("1"), bill("2", tariff="3"), bill("3", tariff="pv"), bill("4", note="pv", tariff="pv"), bill("5", note="pv", tariff="3"))
    assert sorted(row["flags"] for row in lake_rows("own")) == ["", "own_pv", "own_pv tier_3", "own_pv tier_3", "tier_3"]


@pytest.mark.parametrize(("use", "accepted"), [("3000", 1), ("3000.000", 1), ("3000.001", 0)])
def test_a_bill_above_what_a_household_uses_in_its_days_is_refused(bills, use, accepted):
    # 100,000 dm3 a day for 30 days.
    report = bills(bill(use=use))
    assert report.accepted == accepted
    if not accepted:
        [told] = quarantined(report)
        assert told["sentence"] == (
            "The column use comes to 100001 dm3 a day; one household uses at most 100000 dm3 a day."
        )


# Meters ------------------------------------------------------------------------------------------


def test_two_contents_of_one_customer_and_bill_are_two_meters_that_nobody_can_tell_apart(bills):
    report = bills(bill(), bill(use="31"), bill(), bill("8"))
    assert (report.accepted, report.refused_by) == (1, {"several_meters": 3})
    assert quarantined(report)[0]["sentence"].startswith("2 different readings")
    # What came alone is known, so another content of a later file is a correction that only the institution can explain.
    assert bills(bill("8", use="1"), bill("8", use="2"), bill("8"), name="2.csv").refused_by == {"key_reused": 2}


def test_with_a_meters_number_there_may_be_several(meters, lake_rows):
    report = meters("7,a,2026-03-01,5,96", "7,b,2026-03-01,6,48", "7,a,2026-03-01,5.0,96")
    assert (report.accepted, report.duplicate) == (2, 1)
    rows = lake_rows("own")
    assert len({row["subject"] for row in rows}) == 1
    assert len({row["meter"] for row in rows} | {row["subject"] for row in rows}) == 3
    assert sorted(row["minutes"] for row in rows) == [720, 1440]


def test_two_contents_of_one_numbered_meter_are_no_two_meters(meters):
    form = METERS.replace('span = "day"', 'span = "month"')
    report = meters("7,a,2026-03,5,96", "7,a,2026-03,6,96", "7,b,2026-03,6,96", form=form)
    assert (report.accepted, report.refused_by) == (2, {"key_reused": 1})


def test_one_meters_reading_counts_once_whoever_claims_it(meters):
    meters("7,a,2026-03-01,5,96")
    assert meters("8,a,2026-03-01,5,96", name="b.csv").refused_by == {"key_reused": 1}


def test_a_reading_without_its_meter_is_refused(meters):
    report = meters("7,,2026-03-01,5,96", "7,a b,2026-03-01,5,96")
    assert report.refused_by == {"meter_missing": 1, "identifier_unreadable": 1}


def test_a_meter_of_several_columns_is_told_by_all_of_them(load, institution, lake_rows):
    form = METERS.replace('meter = "meter"', 'meter = ["account", "meter"]')
    report = load(text("7,a,2026-03-01,5,96", "8,a,2026-03-01,5,96", header=METERS_HEADER), profile=institution(form))
    assert report.accepted == 2


@pytest.mark.parametrize(("readings", "code"), [("96", None), ("1", None), ("0", "readings_out_of_range"), ("97", "readings_out_of_range"), ("", "value_not_a_number")])
def test_a_day_has_as_many_readings_as_fit(meters, readings, code):
    assert meters(f"7,a,2026-03-01,5,{readings}").refused_by == ({code: 1} if code else {})


SPANS = [
    ("half_hour", "2026-03-01 08:30:00", 30, None), ("half_hour", "2026-03-01 08:15:00", 0, "impossible_date"),
    ("hour", "2026-03-01 08:00:00", 60, None), ("hour", "2026-03-01 08:30:00", 0, "impossible_date"),
    ("hour", "2026-11-20 11:00:00", 60, None), ("hour", "2026-11-20 12:00:00", 0, "impossible_date"),
    ("day", "2026-11-19", 1440, None), ("day", "2026-11-20", 0, "impossible_date"),
    ("day", "2026-03-01 00:00:00", 1440, None), ("day", "2026-03-01 00:30:00", 0, "impossible_date"),
    ("month", "2026-02", 28 * 1440, None), ("month", "2026-02-01", 0, "impossible_date"),
    ("billed_month", "2026-02", 0, None), ("billed_month", "2026-11", 0, "impossible_date"),
]  # fmt: skip


@pytest.mark.parametrize(("span", "at", "minutes", "code"), SPANS)
def test_each_span_covers_its_time(meters, lake_rows, span, at, minutes, code):
    form = METERS.replace('span = "day"', f'span = "{span}"').replace('readings = "readings"\nreadings_per_day = 96\n', "")
    assert meters(f"7,a,{at},5,", form=form).refused_by == ({code: 1} if code else {})
    assert [(row["span"], row["minutes"]) for row in lake_rows("own")] == ([] if code else [(span, minutes)])


@pytest.mark.parametrize(
    ("span", "at", "most"), [("half_hour", "2026-03-01 08:30:00", "50"), ("hour", "2026-03-01 08:00:00", "100"), ("day", "2026-03-01", "2400"),
                             ("month", "2026-02", "67200"), ("billed_month", "2026-02", "86400")]
)  # fmt: skip
def test_what_a_household_uses_in_a_day_bounds_every_span(meters, span, at, most):
    form = METERS.replace('span = "day"', f'span = "{span}"').replace('readings = "readings"\nreadings_per_day = 96\n', "")
    report = meters(f"7,a,{at},{most},", f"7,b,{at},{most}.001,", form=form)
    assert (report.accepted, report.refused_by) == (1, {"use_too_high": 1})


def test_of_a_month_that_was_billed_only_the_month_is_known(load, lake_rows):
    header = "cust_id,month,usage_ccf,cust_class,cust_class_from_utility"
    load(text("1,2014-03,10,RESIDENTIAL_SINGLE,W1", header=header), profile="santamonica-water")
    [row] = lake_rows("santamonica-water")
    assert (row["started_at"], row["ended_at"], str(row["day"])) == (datetime(2024, 3, 1), datetime(2024, 4, 1), "2024-03-31")
    assert (row["used"], row["minutes"], row["span"]) == (28_316, 0, "billed_month")


def test_a_constant_stands_for_the_only_customer(load, lake_rows):
    header = "read_date,billing_days,kwh,gas_ccf,therms,elec_bill_usd,gas_bill_usd,total_bill_usd,mean_temp_f,notes"
    load(text("2000-01-28,30,533,164,168.0,43.3,95.88,139.18,18,", header=header), profile="utilities2-electricity")
    load(text("2000-01-28,30,533,164,168.0,43.3,95.88,139.18,18,", header=header), profile="utilities2-gas")
    electricity, gas = lake_rows("utilities2-electricity"), lake_rows("utilities2-gas")
    assert (electricity[0]["used"], gas[0]["used"]) == (533_000, 464_396)
    assert electricity[0]["subject"] == gas[0]["subject"]
    assert (str(gas[0]["started_at"]), str(gas[0]["day"])) == ("2019-12-29 00:00:00", "2020-01-27")
