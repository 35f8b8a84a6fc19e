"""The engines that must give the same milligram, and how each is asked."""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from carbonhui.core.spark import spark_session, why_no_spark
from carbonhui.methodology.compilers import DUCKDB, SPARK, Dialect, Formula

Record = dict[str, int]
#: For each record the milligrams, and None where a quantity is out of range.
Answers = list[int | None]


@dataclass(frozen=True)
class Engine:
    """Something that works a formula, and why it cannot be asked here (None: it can)."""

    answers: Callable[[Formula, Sequence[Record]], Answers]
    why_not: Callable[[], str | None]


def duckdb_answers(formula: Formula, records: Sequence[Record]) -> Answers:
    """The formula's result for each record by DuckDB."""
    with duckdb.connect() as connection:
        return _in_order(connection.execute(_query(formula, records, DUCKDB)).fetchall())


def spark_answers(formula: Formula, records: Sequence[Record]) -> Answers:
    """The formula's result for each record by Spark SQL."""
    return _in_order(running_spark().sql(_query(formula, records, SPARK)).collect())


def python_answers(formula: Formula, records: Sequence[Record]) -> Answers:
    """The formula's result for each record, one by one."""
    return [formula.answer(record) for record in records]


def _query(formula: Formula, records: Sequence[Record], dialect: Dialect) -> str:
    names = [asked.name for asked in formula.quantities]
    columns = ", ".join(dialect.column.format(name) for name in ["place", *names])
    rows = ", ".join(_row([place, *(record[name] for name in names)], dialect) for place, record in enumerate(records))
    return f"SELECT place, {formula.sql(dialect)} FROM (SELECT * FROM (VALUES {rows}) AS told({columns})) AS records"


def _in_order(rows: Iterable[tuple[int, int | None]]) -> Answers:
    """The answers in the order of the records; sorting them in the engine would cost Spark more than the formula."""
    return [answer for _, answer in sorted(rows, key=lambda row: row[0])]


def _row(values: list[int], dialect: Dialect) -> str:
    return f"({', '.join(dialect.constant.format(value) for value in values)})"


def running_spark() -> Any:
    """One session for all questions, because Spark takes seconds to start; where somebody stopped it, another."""
    return spark_session(_spark_folder())


@cache
def _spark_folder() -> Path:
    """Where Spark keeps its files; they go when the program ends."""
    folder = Path(tempfile.mkdtemp(prefix="carbonhui-spark-"))
    atexit.register(_close, folder)
    return folder


def _close(folder: Path) -> None:
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()
    shutil.rmtree(folder, ignore_errors=True)


#: Every dialect is tried by the engine that speaks it.
ENGINES: Mapping[str, Engine] = {
    "Python": Engine(python_answers, lambda: None),
    "DuckDB": Engine(duckdb_answers, lambda: None),
    "Spark": Engine(spark_answers, why_no_spark),
}
