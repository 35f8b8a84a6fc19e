"""What the committee's secretary runs before a methodology goes on the table."""

from collections.abc import Sequence
from itertools import islice, product
from pathlib import Path

import duckdb

from carbonhui.core.refusals import Refusal
from carbonhui.methodology.compilers import Formula
from carbonhui.methodology.methodology import Methodology
from carbonhui.methodology.reading import read, wrong_cases
from carbonhui.methodology.refusals import EnginesDisagree

#: The ends of the ranges are tried in every combination, up to this many.
_MOST_CORNERS = 1_024

Record = dict[str, int]


def check(folder: Path) -> list[Refusal]:
    """Every problem of the methodology in a folder; none if it may go to the committee.

    The rules of the files are told one at a time; of a readable methodology, every wrong
    worked case and every record on which Python and DuckDB differ.
    """
    try:
        methodology = read(folder)
        return [*wrong_cases(methodology), *_disagreements(methodology)]
    except Refusal as problem:
        return [problem]


def duckdb_answers(formula: Formula, records: Sequence[Record]) -> list[int | None]:
    """The formula's result for each record by DuckDB, None where a quantity is out of range."""
    names = [asked.name for asked in formula.quantities]
    columns = ", ".join(f'"{name}"' for name in ["place", *names])
    rows = ", ".join(str((place, *(record[name] for name in names))) for place, record in enumerate(records))
    query = f"SELECT {formula.sql()} FROM (VALUES {rows}) AS records({columns}) ORDER BY place"
    with duckdb.connect() as connection:
        return [answer for (answer,) in connection.execute(query).fetchall()]


def _disagreements(methodology: Methodology) -> list[EnginesDisagree]:
    worked = [case.quantities | methodology.values_on(case.on) for case in methodology.cases]
    records = worked + _corners(methodology.formula)
    differing = []
    for record, answer in zip(records, duckdb_answers(methodology.formula, records), strict=True):
        python_mg = methodology.formula.answer(record)
        if answer != python_mg:
            differing.append(EnginesDisagree(record=record, python_mg=python_mg, engine="DuckDB", engine_mg=answer))
    return differing


def _corners(formula: Formula) -> list[Record]:
    ends = [(asked.low, asked.high) for asked in formula.quantities]
    names = [asked.name for asked in formula.quantities]
    return [dict(zip(names, corner, strict=True)) for corner in islice(product(*ends), _MOST_CORNERS)]
