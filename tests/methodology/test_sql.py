"""Files of activities are measured by DuckDB, row by row, without a surprise (Article 16)."""

# Annotations stay words: a test's signature that holds DuckDB's types makes its binding
# print a page of leaks when Python ends.
from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from carbonhui.methodology import Formula, Methodology, load
from carbonhui.methodology.engines import duckdb_answers
from carbonhui.methodology.formula import quantity, whole

Write = Callable[..., Path]
METRES = quantity("metres", 0, 9)


@pytest.fixture
def methodology(ferry: Write) -> Methodology:
    return load(ferry())


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def measured(
    duck: duckdb.DuckDBPyConnection, methodology: Methodology, metres: str
) -> list[tuple[int | None, bool]]:
    columns = ", ".join(f"{value} AS {name}" for name, value in methodology.values_on(date(2021, 7, 1)).items())
    rows = f"SELECT {metres} AS metres, {columns}"
    return duck.execute(f"SELECT {methodology.sql()}, {methodology.in_range_sql()} FROM ({rows})").fetchall()


@pytest.mark.parametrize("metres", ["10_000", "10_000::USMALLINT", "10_000::HUGEINT", "10_000::BIGINT"])
def test_a_whole_column_of_any_width_is_measured(
    duck: duckdb.DuckDBPyConnection, methodology: Methodology, metres: str
) -> None:
    assert measured(duck, methodology, metres) == [(1_029_000, True)]


@pytest.mark.parametrize(
    "metres",
    ["-1", "500_001", "NULL", "NULL::INTEGER", "10_000.0", "10_000::DOUBLE", "10_000::DECIMAL(9,2)", "'nan'::DOUBLE"]
    + ["9223372036854775807", "170141183460469231731687303715884105727::HUGEINT"],
)
def test_a_row_that_is_missing_not_whole_or_out_of_range_is_flagged_and_not_measured(
    duck: duckdb.DuckDBPyConnection, methodology: Methodology, metres: str
) -> None:
    assert measured(duck, methodology, metres) == [(None, False)]


def test_a_text_column_is_refused_by_the_engine(
    duck: duckdb.DuckDBPyConnection, methodology: Methodology
) -> None:
    with pytest.raises(duckdb.BinderException):
        measured(duck, methodology, "'10000'")


def test_one_wild_row_does_not_stop_the_others(duck: duckdb.DuckDBPyConnection, methodology: Methodology) -> None:
    duck.execute("CREATE TABLE rides AS SELECT range * 500_000 AS metres, 141_000 AS baseline_mg_per_km,"
                 " 38_100 AS ferry_mg_per_km FROM range(100_000)")  # fmt: skip
    duck.execute("INSERT INTO rides VALUES (9223372036854775807, 141_000, 38_100)")
    [row] = duck.execute(
        f"SELECT sum({methodology.sql()}), count(*) FILTER (NOT {methodology.in_range_sql()}) FROM rides"
    ).fetchall()
    assert row == (500 * 102_900, 99_999)


def test_two_constants_of_32_bits_make_a_number_of_64() -> None:
    formula = Formula(whole(2**31 - 1) * whole(2**31 - 1) + METRES, (METRES,))
    assert duckdb_answers(formula, [{"metres": 1}]) == [(2**31 - 1) ** 2 + 1]


def test_the_result_is_a_64_bit_whole_number(duck: duckdb.DuckDBPyConnection, methodology: Methodology) -> None:
    rows = "SELECT 1 AS metres, 141_000 AS baseline_mg_per_km, 38_100 AS ferry_mg_per_km"
    assert duck.execute(f"SELECT typeof({methodology.sql()}) FROM ({rows})").fetchall() == [("BIGINT",)]
