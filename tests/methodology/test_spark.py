"""Spark SQL gives the same milligram, where there is a Spark (Articles 14, 16)."""

import operator
import random
from pathlib import Path
from typing import Any

import pytest

from carbonhui.core.spark import OLDEST_JAVA, why_no_spark
from carbonhui.methodology import SPARK, Formula, check, load
from carbonhui.methodology.engines import ENGINES, running_spark, spark_answers
from carbonhui.methodology.formula import HIGHEST, LOWEST, quantity
from tests.methodology.test_engines_agree import grown, records_of

reason = why_no_spark()
with_spark = pytest.mark.skipif(reason is not None, reason=str(reason))

ENDS = [LOWEST, -(2**31) - 1, -1_000, -7, -1, 0, 1, 7, 1_000, 2**31, HIGHEST]


@pytest.fixture(scope="module")
def spark() -> Any:
    return running_spark()


@with_spark
@pytest.mark.parametrize("seed", range(12))
def test_random_formulas_on_random_records_agree(seed: int) -> None:
    chance = random.Random(seed)
    spans = [sorted(chance.sample(ENDS, 2)) for _ in range(chance.randint(1, 4))]
    quantities = [quantity(f"q{place}", low, high) for place, (low, high) in enumerate(spans)]
    formula = Formula(grown(quantities, chance, 9), tuple(quantities))
    records = records_of(quantities, chance)
    assert spark_answers(formula, records) == [formula.answer(record) for record in records]


@with_spark
@pytest.mark.parametrize("operation", [operator.floordiv, operator.mod])
@pytest.mark.parametrize("low", [LOWEST + 2**20, -10, 0])
def test_division_rounds_down_whatever_the_sign(operation: Any, low: int) -> None:
    dividend, divisor = quantity("dividend", low, HIGHEST), quantity("divisor", 1, 2**20)
    formula = Formula(operation(dividend, divisor), (dividend, divisor))
    records = records_of([dividend, divisor], random.Random(low))
    assert spark_answers(formula, records) == [operation(record["dividend"], record["divisor"]) for record in records]


@with_spark
def test_the_shipped_and_the_sample_pass_on_spark_too(household: Any) -> None:
    assert "Spark" in ENGINES
    assert check(household()) == []


@with_spark
@pytest.mark.parametrize(
    ("metres", "expected"),
    [
        ("10000", (1_029_000, True)),
        ("CAST(10000 AS SMALLINT)", (1_029_000, True)),
        ("10000L", (1_029_000, True)),
        ("-1", (None, False)),
        ("500001", (None, False)),
        ("CAST(NULL AS INT)", (None, False)),
        ("CAST(NULL AS BIGINT)", (None, False)),
        ("10000.0", (None, False)),
        ("CAST(10000 AS DOUBLE)", (None, False)),
        ("9223372036854775807", (None, False)),
    ],
)
def test_a_row_that_is_missing_not_whole_or_out_of_range_is_flagged_and_not_measured(
    spark: Any, ferry: Any, metres: str, expected: tuple[int | None, bool]
) -> None:
    found = load(ferry())
    rows = f"SELECT {metres} AS metres, 141000 AS baseline_mg_per_km, 38100 AS ferry_mg_per_km"
    [row] = spark.sql(f"SELECT {found.sql(SPARK)}, {found.in_range_sql(SPARK)} FROM ({rows})").collect()
    assert tuple(row) == expected


@with_spark
def test_one_wild_row_does_not_stop_the_others(spark: Any, ferry: Any) -> None:
    found = load(ferry())
    numbers = "CAST(141000 AS BIGINT) AS baseline_mg_per_km, CAST(38100 AS BIGINT) AS ferry_mg_per_km"
    rides = f"SELECT id * 500000 AS metres, {numbers} FROM range(1000) UNION ALL SELECT 9223372036854775807, {numbers}"
    told = f"sum({found.sql(SPARK)}), count_if(NOT {found.in_range_sql(SPARK)}), first(typeof({found.sql(SPARK)}))"
    [row] = spark.sql(f"SELECT {told} FROM ({rides})").collect()
    assert tuple(row) == (500 * 102_900, 999, "bigint")


def test_a_machine_without_java_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr("carbonhui.core.spark.find_spec", lambda name: object())
    assert why_no_spark() == f"Spark needs Java {OLDEST_JAVA} or later, and none is in JAVA_HOME or on the path"


@pytest.mark.parametrize(
    ("script", "told"),
    [("echo 'openjdk version \"11.0.2\"' >&2", "is 11"), ("exit 1", "is not one"), ("echo 'openjdk version \"21\"' >&2", None)],
)
def test_an_old_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, told: str | None) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr("carbonhui.core.spark.find_spec", lambda name: object())
    said = why_no_spark()
    assert said is None if told is None else said is not None and said.endswith(told)


def test_a_machine_without_pyspark_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carbonhui.core.spark.find_spec", lambda name: None)
    assert why_no_spark() == "pyspark is not installed; the extra carbonhui[spark] brings it"


def test_a_cluster_needs_no_java_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPARK_REMOTE", "sc://cluster")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr("carbonhui.core.spark.find_spec", lambda name: object())
    assert why_no_spark() is None


