"""A methodology is arithmetic on whole numbers (Article 14)."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from carbonhui.core.refusals import Refusal
from carbonhui.methodology.compilers import Formula
from carbonhui.methodology.formula import (
    DEEPEST,
    HIGHEST,
    LOWEST,
    Quantity,
    Whole,
    all_of,
    any_of,
    maximum,
    minimum,
    quantity,
    where,
)

METRES = quantity("metres", 0, 100_000)
CHANGE = quantity("change", -7, 9)
BACK = quantity("back", -9, -2)
DAYS = quantity("days", 1, 31)


def code_of(build: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as told:
        build()
    assert told.value.text("en") and told.value.text("zh")
    return told.value.code


@pytest.mark.parametrize("value", [1.5, 2.0, True, "7", None, Decimal(3)])
def test_only_whole_numbers_enter_a_formula(value: object) -> None:
    assert code_of(lambda: METRES * value) == "formula_value_not_whole"  # type: ignore[operator]
    assert code_of(lambda: value + METRES) == "formula_value_not_whole"  # type: ignore[operator]
    assert code_of(lambda: maximum(METRES, value)) == "formula_value_not_whole"  # type: ignore[arg-type]
    assert code_of(lambda: value == DAYS * METRES) == "formula_value_not_whole"


@pytest.mark.parametrize(
    "build",
    [lambda: METRES / 2, lambda: 2 / METRES, lambda: METRES**2, lambda: 2**METRES, lambda: METRES & DAYS],
)
def test_an_operator_that_leaves_the_whole_numbers_is_refused(build: Callable[[], object]) -> None:
    assert code_of(build) == "formula_operator_not_exact"


@pytest.mark.parametrize(
    "build",
    [
        lambda: 1 if METRES else 2,
        lambda: 0 < METRES < 10,
        lambda: METRES > 3 and METRES < 5,
        lambda: not METRES,
        lambda: max(METRES, DAYS),
    ],
)
def test_a_formula_has_no_truth_before_it_has_numbers(build: Callable[[], object]) -> None:
    assert code_of(build) == "formula_tested_for_truth"


def test_a_choice_asks_for_a_comparison() -> None:
    assert code_of(lambda: where(METRES, 1, 2)) == "formula_condition_expected"  # type: ignore[arg-type]
    assert code_of(lambda: where(True, 1, 2)) == "formula_condition_expected"  # type: ignore[arg-type]
    assert code_of(lambda: all_of(METRES > 1, DAYS)) == "formula_condition_expected"  # type: ignore[arg-type]
    assert code_of(lambda: (METRES > 1) | 1) == "formula_condition_expected"  # type: ignore[operator]


def test_a_comparison_is_not_a_number() -> None:
    assert code_of(lambda: (METRES > 1) * 5) == "formula_value_not_whole"
    assert code_of(lambda: DAYS * (METRES > 1)) == "formula_value_not_whole"
    assert code_of(lambda: (METRES > 1) == (DAYS > 1)) == "formula_value_not_whole"


@pytest.mark.parametrize("divisor", [0, -1, METRES, CHANGE, BACK])
def test_a_divisor_that_may_be_nought_or_less_is_refused(divisor: Whole | int) -> None:
    assert code_of(lambda: 10 // (divisor * DAYS)) == "formula_divisor_not_positive"
    assert code_of(lambda: METRES % divisor) == "formula_divisor_not_positive"


def test_a_divisor_made_positive_is_taken() -> None:
    assert (METRES // maximum(1, CHANGE)).low == 0


@pytest.mark.parametrize(
    ("result", "low", "high"),
    [
        (METRES + CHANGE, -7, 100_009),
        (METRES - CHANGE, -9, 100_007),
        (3 - CHANGE, -6, 10),
        (-CHANGE, -9, 7),
        (CHANGE * BACK, -81, 63),
        (CHANGE * CHANGE, -63, 81),
        (METRES // DAYS, 0, 100_000),
        (CHANGE // 2, -4, 4),
        (BACK // DAYS, -9, -1),
        (METRES % DAYS, 0, 30),
        (CHANGE % 100, 0, 99),
        (BACK % 4, 0, 3),
        (DAYS % 100, 1, 31),
        (DAYS % 20, 0, 19),
        (minimum(METRES, CHANGE), -7, 9),
        (maximum(METRES, CHANGE), 0, 100_000),
        (minimum(METRES, 60_000), 0, 60_000),
        (maximum(0, BACK), 0, 0),
        (where(METRES > 5, CHANGE, 40), -7, 40),
    ],
)
def test_each_step_knows_its_range(result: Whole, low: int, high: int) -> None:
    assert (result.low, result.high) == (low, high)


def test_the_last_number_of_64_bits_is_taken_and_the_next_is_refused() -> None:
    last = quantity("last", LOWEST, HIGHEST)
    assert (last.low, last.high) == (LOWEST, HIGHEST)
    assert code_of(lambda: last + 1) == "formula_too_wide"
    assert code_of(lambda: last - 1) == "formula_too_wide"
    assert code_of(lambda: -last) == "formula_too_wide"
    assert code_of(lambda: METRES + 2**63) == "formula_too_wide"
    assert code_of(lambda: quantity("wider", LOWEST - 1, 0)) == "formula_too_wide"


def test_an_overflow_in_the_middle_is_refused_although_the_end_would_fit() -> None:
    watts = quantity("watts", 0, 2**40)
    with pytest.raises(Refusal) as told:
        watts * watts // 2**40
    assert told.value.code == "formula_too_wide"
    assert str(2**80) in str(told.value) and str(HIGHEST) in str(told.value)


def test_what_division_needs_on_the_way_is_proven_too() -> None:
    lowest = quantity("lowest", LOWEST, 0)
    assert code_of(lambda: lowest // 3) == "formula_too_wide"
    assert code_of(lambda: CHANGE % (2**62 + 1)) == "formula_too_wide"
    assert (CHANGE % 2**62).high == 2**62 - 1
    assert (METRES % HIGHEST).high == 100_000


def test_a_formula_too_large_for_paper_is_refused() -> None:
    def deep() -> None:
        result: Whole = METRES
        for _ in range(DEEPEST):
            result = maximum(result, 1)

    def doubling() -> None:
        result: Whole = CHANGE
        for _ in range(40):
            result = minimum(result, result)

    def divided_again() -> None:
        result: Whole = CHANGE
        for _ in range(12):
            result = result // 2

    assert {code_of(build) for build in (deep, doubling, divided_again)} == {"formula_too_large"}


@pytest.mark.parametrize("name", ["", "Metres", "9lives", "a b", 'a"b', "class", "on", "self", "米", "x" * 61, "__x"])
def test_a_quantity_has_a_name_that_every_engine_reads_alike(name: str) -> None:
    assert code_of(lambda: quantity(name, 0, 1)) == "formula_name_not_allowed"


def test_a_range_is_whole_and_not_empty() -> None:
    assert code_of(lambda: quantity("metres", 1, 0)) == "formula_range_empty"
    assert code_of(lambda: quantity("metres", 0, 1.5)) == "formula_value_not_whole"  # type: ignore[arg-type]
    assert quantity("metres", 1, 1).low == 1


def answer(result: Whole, **values: int) -> int:
    asked: list[Quantity] = [one for one in (METRES, CHANGE, BACK, DAYS) if one.name in values]
    return Formula(result, tuple(asked)).answer(values)


def test_a_formula_answers_for_one_record() -> None:
    assert answer(METRES * 48_700 // 1_000, metres=3_000) == 146_100
    assert answer(CHANGE // 2, change=-7) == -4
    assert answer(CHANGE % 4, change=-7) == 1
    assert answer(where(any_of(METRES < 5, METRES > 50), 1, 2), metres=50) == 2
    assert answer(where((METRES >= 5) & (METRES != 50), 1, 2), metres=50) == 2
    assert answer(where((METRES <= 5) | (METRES == 50), 1, 2), metres=50) == 1


def test_a_quantity_may_be_called_after_a_function() -> None:
    named_min = quantity("min", 0, 9)
    assert Formula(minimum(named_min, 3), (named_min,)).answer({"min": 7}) == 3


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"metres": -1}, "quantity_out_of_range"),
        ({"metres": 100_001}, "quantity_out_of_range"),
        ({"metres": 10**5_000}, "quantity_out_of_range"),
        ({"metres": 5.0}, "quantity_not_whole"),
        ({"metres": True}, "quantity_not_whole"),
        ({"metres": None}, "quantity_not_whole"),
        ({}, "quantities_differ"),
        ({"metres": 1, "miles": 1}, "quantities_differ"),
    ],
)
def test_a_record_outside_the_declared_ranges_is_refused(values: dict[str, int], code: str) -> None:
    assert code_of(lambda: Formula(METRES * 2, (METRES,)).answer(values)) == code


def test_the_ends_of_a_range_belong_to_it() -> None:
    assert answer(METRES * 2, metres=0) == 0
    assert answer(METRES * 2, metres=100_000) == 200_000
