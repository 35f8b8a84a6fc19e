"""Published numbers come out of the installed methodologies to the milligram (Articles 8, 14-16)."""

from datetime import date, timedelta

import pytest

from carbonhui import methodology
from tests.methodologies.conftest import Credited

WUHAN_1 = date(2023, 10, 1)
WUHAN_2 = date(2025, 5, 23)
LATER = date(2025, 9, 30)
A_MONTH = {"days": 30, "baseline_days": 30}


# Rides -------------------------------------------------------------------------------------------


def test_one_guangzhou_metro_trip_is_515_5_grams_by_the_mean(credited: Credited) -> None:
    assert credited("metro", LATER, trips=1) == 515_500


def test_one_guangzhou_metro_trip_is_541_9_grams_by_substitution(credited: Credited) -> None:
    assert credited("metro_substitution", LATER, trips=1) == 541_900


def test_ten_kilometres_by_shenzhens_metro_are_467_grams(credited: Credited) -> None:
    assert credited("metro_shenzhen", LATER, metres=10_000) == 467_000


def test_ten_kilometres_by_shenzhens_electric_bus_are_269_grams(credited: Credited) -> None:
    assert credited("bus_shenzhen", LATER, metres=10_000) == 269_000


def test_wuhans_rides_of_october_2023_are_measured_by_version_1(credited: Credited) -> None:
    assert credited("bus_wuhan", WUHAN_1, trips=1) == 150_000
    assert credited("cycling_wuhan", WUHAN_1, metres=3_000) == 120_000
    assert credited("metro_wuhan", WUHAN_1, trips=1) == 170_000


def test_wuhans_rides_of_23_may_2025_are_measured_by_version_2(credited: Credited) -> None:
    assert credited("bus_wuhan", WUHAN_2, trips=1) == 212_500
    assert credited("cycling_wuhan", WUHAN_2, metres=3_000) == 279_900
    assert credited("metro_wuhan", WUHAN_2, metres=10_000) == 784_000


def test_the_day_before_the_revision_is_still_measured_by_version_1(credited: Credited) -> None:
    day_before = WUHAN_2 - timedelta(days=1)
    assert credited("bus_wuhan", day_before, trips=1) == 150_000
    assert credited("cycling_wuhan", day_before, metres=3_000) == 120_000
    assert credited("metro_wuhan", day_before, trips=1) == 170_000


def test_wuhans_second_metro_is_paid_by_the_kilometre_and_knows_no_rides(credited: Credited) -> None:
    with pytest.raises(methodology.QuantitiesDiffer):
        credited("metro_wuhan", WUHAN_2, trips=1)


@pytest.mark.parametrize("id", ["bus_wuhan", "metro_wuhan", "cycling_wuhan"])
def test_both_versions_of_wuhan_are_installed_and_the_newest_is_the_second(
    id: str, versions: list[methodology.Methodology]
) -> None:
    assert [one.version for one in versions if one.id == id] == ["1", "2"]
    assert methodology.installed()[id].version == "2"


def test_an_electric_car_ride_of_24_kilometres_is_168_grams(credited: Credited) -> None:
    assert credited("ev_ride", WUHAN_1, metres=24_000) == 168_000


def test_a_shared_bicycle_kilometre_is_48_7_grams(credited: Credited) -> None:
    assert credited("cycling", LATER, metres=1_000) == 48_700


# What a person only declares ---------------------------------------------------------------------


def test_a_self_declared_bus_ride_is_52_grams_the_floor_of_half(credited: Credited) -> None:
    assert credited("bus_hubei", LATER, trips=1) == 105_000
    assert credited("bus_hubei", LATER, "self_declared", trips=1) == 52_000


def test_a_self_declared_metro_ride_is_137_grams_exactly_half(credited: Credited) -> None:
    assert credited("metro_hubei", LATER, trips=1) == 274_000
    assert credited("metro_hubei", LATER, "self_declared", trips=1) == 137_000


@pytest.mark.parametrize("id", ["metro", "metro_substitution", "bus_shenzhen", "ev_ride"])
def test_a_methodology_without_a_weight_takes_no_declared_ride(id: str, credited: Credited) -> None:
    with pytest.raises(methodology.EvidenceNotAccepted):
        credited(id, LATER, "self_declared", trips=1)


# Walking -----------------------------------------------------------------------------------------


def test_7250_steps_are_145_grams(credited: Credited) -> None:
    assert credited("walking", LATER, steps=7_250) == 145_000


def test_walking_is_capped_at_296_grams_a_day(credited: Credited, versions: list[methodology.Methodology]) -> None:
    walking = next(one for one in versions if one.id == "walking")
    (cap,) = walking.caps
    assert (cap.field, cap.per, cap.most) == ("mg", "day", 296_000)
    # The cap is a person's and a day's, so one record is not cut by it.
    assert credited("walking", LATER, steps=14_800) == 296_000
    assert credited("walking", LATER, steps=14_801) == 296_020


# Electricity, water, gas -------------------------------------------------------------------------


def test_ten_kilowatt_hours_by_guangdongs_factor_of_2022_are_4403_grams(credited: Credited) -> None:
    saved = credited("electricity_guangdong", LATER, used_wh=190_000, baseline_wh=200_000, **A_MONTH)
    assert saved == 4_403_000


def test_ten_kilowatt_hours_by_the_south_grid_of_2023_are_4042_grams(credited: Credited) -> None:
    saved = credited("electricity", date(2026, 2, 1), used_wh=190_000, baseline_wh=200_000, **A_MONTH)
    assert saved == 4_042_000


def test_ten_cubic_metres_of_water_are_1680_grams(credited: Credited) -> None:
    saved = credited("water", LATER, used_litres=15_000, baseline_litres=25_000, **A_MONTH)
    assert saved == 1_680_000


def test_one_cubic_metre_of_gas_is_2162_2_grams(credited: Credited) -> None:
    assert credited("gas", LATER, used_dm3=9_000, baseline_dm3=10_000, **A_MONTH) == 2_162_200


def test_the_factor_of_gas_is_what_its_energy_and_carbon_give(versions: list[methodology.Methodology]) -> None:
    gas = next(one for one in versions if one.id == "gas")
    # 38,931 kJ/m3 x 15.3 gC/MJ x 0.99 x 44/12, in milligrams and without a fraction until the last step.
    worked_out_mg = 38_931 * 153 * 99 * 44 // (12 * 1_000)
    assert worked_out_mg == 2_162_188
    assert 0 <= gas.values_on(LATER)["mg_per_m3"] - worked_out_mg < 100


# Electricity by the day --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used_wh", "city_mean_wh", "own_mean_wh", "mg"),
    [
        (10_000, 8_000, 12_000, 625_000),
        (7_999, 8_000, 12_000, 312),
        (8_000, 8_000, 12_000, 1_250_000),
        (8_001, 8_000, 8_001, 0),
        (13_000, 8_000, 12_000, 0),
    ],
    ids=["above the city", "just below the city", "at the city's mean", "as its own week", "above both"],
)
def test_a_household_above_its_city_is_compared_with_its_own_week(
    used_wh: int, city_mean_wh: int, own_mean_wh: int, mg: int, credited: Credited
) -> None:
    saved = credited(
        "electricity_daily", date(2023, 7, 1), used_wh=used_wh, city_mean_wh=city_mean_wh, own_mean_wh=own_mean_wh
    )
    assert saved == mg


def test_the_window_of_the_own_week_is_data(versions: list[methodology.Methodology]) -> None:
    daily = next(one for one in versions if one.id == "electricity_daily")
    week = daily.lookbacks["mean_of_previous_days"].settings
    assert (week["days"], week["newest"]) == (7, 1)


def test_solar_power_excludes_the_month_and_the_third_tier_the_year(versions: list[methodology.Methodology]) -> None:
    for id in ("electricity", "electricity_guangdong"):
        (found,) = (one for one in versions if one.id == id)
        assert {one.code: one.per for one in found.exclusions} == {"own_pv": "period", "tier_3": "year"}


# Used clothes, green building --------------------------------------------------------------------


def test_a_kilogram_of_used_clothes_is_3_6_kilograms(credited: Credited) -> None:
    assert credited("clothes", LATER, grams=1_000) == 3_600_000


def test_a_green_building_has_no_factor_and_says_so(versions: list[methodology.Methodology]) -> None:
    building = next(one for one in versions if one.id == "green_building")
    (value,) = building.parameters["mg_per_square_metre"].values
    assert building.demonstration
    assert value.provenance_class == "U"
    assert "no factor found" in value.source
    assert "演示" in building.title["zh"]
