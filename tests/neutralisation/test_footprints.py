"""A footprint is published factors times quantities, to the milligram and rounded up (Article 22)."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonhui import neutralisation
from carbonhui.core.refusals import Refusal
from carbonhui.neutralisation import Flight, Footprint, Journey

ON = date(2026, 11, 20)


def code_of(work: Any) -> str:
    with pytest.raises(Refusal) as caught:
        work()
    return caught.value.code


# Worked by hand -----------------------------------------------------------------------------------


def test_a_month_of_a_household_is_its_meters_times_their_factors() -> None:
    # 260 kWh x 440.3 g + 18 m3 x 2,162.2 g + 14 m3 x 168 g
    found = neutralisation.household_month(on=ON, electricity_wh=260_000, gas_dm3=18_000, water_litres=14_000)
    assert [line.mg for line in found.lines] == [114_478_000, 38_919_600, 2_352_000]
    assert found.mg == 155_749_600


@pytest.mark.parametrize(
    ("metres", "cabin", "forcing", "mg"),
    [
        (1_890_000, "economy", True, 237_686_400),  # 1,890 km x 125.76 g
        (1_890_000, "economy", False, 140_521_500),  # 1,890 km x 74.35 g
        (3_700_000, "economy", True, 465_312_000),  # the last kilometre of short-haul: x 125.76 g
        (3_700_001, "economy", True, 433_048_118),  # one metre more is long-haul: x 117.04 g, rounded up
        (9_500_000, "first", True, 4_447_330_000),  # 9,500 km x 468.14 g
        (9_500_000, "premium", True, 1_778_970_000),  # x 187.26 g
        (9_500_000, "business", False, 1_907_885_000),  # x 200.83 g
        (800_000, "business", True, 150_904_000),  # x 188.63 g
    ],
)
def test_a_flight_is_by_cabin_and_distance(metres: int, cabin: str, forcing: bool, mg: int) -> None:
    assert neutralisation.flight(on=ON, flights=[Flight(metres=metres, cabin=cabin, forcing=forcing)]).mg == mg


def test_a_cabin_for_which_no_factor_was_published_is_refused_and_not_guessed() -> None:
    assert code_of(lambda: neutralisation.flight(on=ON, flights=[Flight(metres=900_000, cabin="first")])) == "factor_missing"


def test_a_commute_counts_each_way_and_a_car_as_a_whole() -> None:
    # 12 km x 40 ways x 61.364 g by metro; 20 km x 2 ways in one car of three x 162.72 g; cycling emits nothing.
    found = neutralisation.commute(on=ON, journeys=[
        Journey(mode="metro", metres=12_000, trips=40), Journey(mode="car_petrol", metres=20_000, persons=3, trips=2, vehicles=1),
        Journey(mode="bicycle", metres=3_000, trips=40),
    ])  # fmt: skip
    assert [line.mg for line in found.lines] == [29_454_720, 6_508_800]


def test_who_does_not_say_how_many_cars_is_counted_as_one_in_each() -> None:
    found = neutralisation.commute(on=ON, journeys=[Journey(mode="car", metres=1_000, persons=3)])
    assert found.mg == 3 * 167_250


def test_hotel_nights_are_those_of_the_place() -> None:
    assert neutralisation.trip(on=ON, room_nights=3).mg == 160_500_000
    assert neutralisation.trip(on=ON, room_nights=2, hotel="hong_kong").mg == 103_000_000


def test_an_event_is_its_place_and_everybodys_way_to_it() -> None:
    found = neutralisation.event(
        on=ON, headcount=10, electricity_wh=1_000, room_nights=1,
        journeys=[Journey(mode="walk", metres=500, persons=7, trips=2), Journey(mode="rail", metres=100_000, persons=2, trips=2)],
        flights=[Flight(metres=1_000_000, trips=2)],
    )  # fmt: skip
    assert found.mg == 440_300 + 53_500_000 + 2 * 2 * 3_546_000 + 2 * 125_760_000


@pytest.mark.parametrize("headcount", [9, 11])
def test_nobody_comes_to_an_event_without_a_way(headcount: int) -> None:
    journeys = [Journey(mode="metro", metres=5_000, persons=10)]
    assert code_of(lambda: neutralisation.event(on=ON, headcount=headcount, journeys=journeys)) == "headcount_differs"


# Limits -------------------------------------------------------------------------------------------


def test_the_smallest_part_of_a_milligram_counts_as_one() -> None:
    # 1 Wh x 440.3 mg: rounded up, against who emitted.
    assert neutralisation.household_month(on=ON, electricity_wh=1).mg == 441


@given(st.integers(1, 10**12), st.sampled_from(sorted(neutralisation.factors())))
def test_a_line_is_never_less_than_the_exact_product_and_less_than_a_milligram_more(quantity: int, name: str) -> None:
    factor = neutralisation.factors()[name]
    value = factor.on(ON)
    exact = Decimal(quantity) * value.mg / factor.per
    from carbonhui.neutralisation.footprints import _line

    assert 0 <= _line(ON, name, quantity).mg - exact < 1


def test_nothing_emitted_and_too_much_emitted_are_refused() -> None:
    assert code_of(lambda: neutralisation.household_month(on=ON)) == "footprint_empty"
    assert code_of(lambda: neutralisation.commute(on=ON, journeys=[Journey(mode="walk", metres=9_000)])) == "footprint_empty"
    assert code_of(lambda: neutralisation.trip(on=ON, room_nights=10**9)) == "footprint_too_large"
    assert code_of(lambda: neutralisation.measured(mg=2**53, evidence=bytes(32))) == "footprint_too_large"
    assert neutralisation.measured(mg=2**53 - 1, evidence=bytes(32)).mg == 2**53 - 1


def test_a_day_before_the_first_published_value_is_refused_and_a_later_one_takes_the_newest() -> None:
    def month(on: date) -> Footprint:
        return neutralisation.household_month(on=on, electricity_wh=1_000)

    assert code_of(lambda: month(date(2024, 4, 11))) == "factor_missing"
    assert [month(date(2024, 4, 12)).mg, month(date(2024, 12, 19)).mg, month(date(2024, 12, 20)).mg] == [471_500, 471_500, 440_300]


# The factors themselves ---------------------------------------------------------------------------


def test_every_factor_says_where_it_is_from() -> None:
    assert len(neutralisation.factors()) == 32
    for factor in neutralisation.factors().values():
        assert factor.zh and factor.en and factor.publisher and factor.licence and factor.region
        for value in factor.values:
            assert re.search(r"[0-9]", value.source) and value.mg > 0 and 2018 < value.year < 2026


def test_a_factor_is_the_number_that_its_source_says() -> None:
    for factor in neutralisation.factors().values():
        for value in factor.values:
            if said := re.search(r"([0-9.]+) kg CO2", value.source):
                assert Decimal(said[1]) * 1_000_000 == value.mg, factor.id


