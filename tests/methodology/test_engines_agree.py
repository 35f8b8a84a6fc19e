"""One formula gives the same milligram on every engine (Articles 14, 16).

Random formulas meet random records, three ways: by the compiled Python function, by
DuckDB, and step by step with Python's unbounded numbers, which also shows that no
step ever leaves the range that was proven for it.
"""

import operator
import random
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbonhui.core.refusals import Refusal
from carbonhui.methodology.compilers import Formula
from carbonhui.methodology.engines import duckdb_answers
from carbonhui.methodology.formula import (
    HIGHEST,
    LOWEST,
    Condition,
    Constant,
    Expression,
    Quantity,
    Whole,
    all_of,
    any_of,
    maximum,
    minimum,
    quantity,
    where,
)

RECORDS = 60
AGAIN = settings(
    max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

STEPS: dict[str, Callable[..., int | bool]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "quotient": operator.floordiv,
    "floor": operator.floordiv,
    "remainder": operator.mod,
    "modulo": operator.mod,
    "less": operator.lt,
    "at_most": operator.le,
    "more": operator.gt,
    "at_least": operator.ge,
    "equal": operator.eq,
    "unequal": operator.ne,
    "both": lambda a, b: a and b,
    "either": lambda a, b: a or b,
    "where": lambda condition, a, b: a if condition else b,
    "minimum": min,
    "maximum": max,
}
TWO_NUMBERS: list[Callable[[Whole, Whole], Whole]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.floordiv,
    operator.mod,
    operator.mod,
    minimum,
    maximum,
]
COMPARISONS: list[Callable[[Whole, Whole], Condition]] = [
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
]

bounds = st.one_of(
    st.integers(-5, 5),
    st.integers(-1_000, 1_000),
    st.integers(-(2**31) - 2, 2**31 + 2),
    st.integers(LOWEST, HIGHEST),
    st.sampled_from([LOWEST, LOWEST + 1, HIGHEST - 1, HIGHEST, 2**53, 2**31, -(2**31)]),
)
ranges = st.tuples(bounds, bounds).map(lambda pair: (min(pair), max(pair)))


def grown(quantities: list[Quantity], chance: random.Random, steps: int) -> Whole:
    """A formula grown step by step out of the quantities; a step that is refused is left out."""
    constants = chance.choices([0, 1, 2, 3, 7, 97, 1_000, -1, -4, 2**31 - 1, 2**31, 2**40], k=2)
    numbers: list[Whole] = [*quantities, *(Constant(value) for value in constants)]
    conditions: list[Condition] = [quantities[0] >= 0]
    for _ in range(steps):
        a, b = chance.choice(numbers), chance.choice(numbers[-3:])
        try:
            numbers.append(one_step(a, b, conditions, chance))
        except Refusal:
            continue
    return numbers[-1]


def one_step(a: Whole, b: Whole, conditions: list[Condition], chance: random.Random) -> Whole:
    if chance.random() < 0.75:
        return chance.choice(TWO_NUMBERS)(a, b)
    conditions.append(chance.choice(COMPARISONS)(a, b))
    joined = chance.choice([all_of, any_of])(chance.choice(conditions), conditions[-1])
    return where(joined, a, b)


def records_of(quantities: list[Quantity], chance: random.Random) -> list[dict[str, int]]:
    """Records at the ends of the ranges, next to nought, and anywhere between."""

    def one(asked: Quantity) -> int:
        near = [asked.low, asked.high, asked.low + 1, asked.high - 1, -1, 0, 1]
        value = chance.choice([*near, *(chance.randint(asked.low, asked.high) for _ in range(5))])
        return min(max(value, asked.low), asked.high)

    return [{asked.name: one(asked) for asked in quantities} for _ in range(RECORDS)]


def worked(step: Expression, record: dict[str, int]) -> int | bool:
    """The formula worked by hand on unbounded numbers; every number must lie in its proven range."""
    if isinstance(step, Quantity):
        value: int | bool = record[step.name]
    elif isinstance(step, Constant):
        value = step.low
    else:
        value = STEPS[step.operation](*(worked(part, record) for part in step.parts))
    if isinstance(step, Whole):
        assert LOWEST <= step.low <= value <= step.high <= HIGHEST
    return value


@AGAIN
@given(st.lists(ranges, min_size=1, max_size=4), st.integers(0, 2**32), st.integers(1, 12))
def test_python_duckdb_and_paper_agree(spans: list[tuple[int, int]], seed: int, steps: int) -> None:
    chance = random.Random(seed)
    quantities = [quantity(f"q{place}", low, high) for place, (low, high) in enumerate(spans)]
    formula = Formula(grown(quantities, chance, steps), tuple(quantities))
    records = records_of(quantities, chance)
    by_python = [formula.answer(record) for record in records]
    assert by_python == [worked(formula.result, record) for record in records]
    assert by_python == duckdb_answers(formula, records)


@AGAIN
@given(bounds, bounds, st.integers(1, HIGHEST), st.integers(0, 2**32))
def test_division_rounds_down_on_both_engines_whatever_the_sign(one: int, other: int, most: int, seed: int) -> None:
    dividend = quantity("dividend", min(one, other), max(one, other))
    divisor = quantity("divisor", 1, most)
    for operation in (operator.floordiv, operator.mod):
        try:
            formula = Formula(operation(dividend, divisor), (dividend, divisor))
        except Refusal as told:
            assert told.code == "formula_too_wide"
            continue
        records = records_of([dividend, divisor], random.Random(seed))
        expected = [operation(record["dividend"], record["divisor"]) for record in records]
        assert duckdb_answers(formula, records) == expected
        assert [formula.answer(record) for record in records] == expected
