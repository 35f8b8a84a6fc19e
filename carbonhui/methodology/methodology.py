"""A methodology: approved numbers with their dates, one formula, and worked cases."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from carbonhui.core.amounts import Milligrams
from carbonhui.methodology.compilers import DUCKDB, Dialect, Formula, refuse_other_names
from carbonhui.methodology.parts import Cap, Case, EvidenceWeight, Exclusion, Field, Parameter, Period
from carbonhui.methodology.refusals import DayBeforeFirstDate


@dataclass(frozen=True, eq=False, kw_only=True)
class Methodology:
    """How one low-carbon act is measured (Articles 14-16).

    ``fingerprint`` is the SHA-256 of the whole folder; two methodologies are the same
    if their fingerprints are. ``demonstration`` says that some number was not found in
    an official text, so that nothing may be minted on it outside the demonstration.
    """

    id: str
    title: dict[str, str]
    version: str
    document: str
    articles: tuple[int, ...]
    demonstration: bool
    activity: str
    fields: dict[str, Field]
    lookback: str | None
    lookback_fields: dict[str, Field]
    parameters: dict[str, Parameter]
    caps: tuple[Cap, ...]
    evidence_weights: tuple[EvidenceWeight, ...]
    exclusions: tuple[Exclusion, ...]
    cases: tuple[Case, ...]
    formula: Formula
    fingerprint: str
    folder: Path

    @property
    def first_day(self) -> date:
        """The first day on which every parameter has a value."""
        return max(parameter.values[0].start for parameter in self.parameters.values())

    def periods(self) -> list[Period]:
        """The periods in which no parameter changes, one after the other without a gap."""
        return list(self._periods)

    def values_on(self, day: date) -> dict[str, int]:
        """The numbers in force on a day; a day before the first is refused."""
        if day < self.first_day:
            raise DayBeforeFirstDate(methodology=self.id, day=day, first_day=self.first_day)
        return dict(self._periods[bisect_right(self._starts, day) - 1].values)

    def reduction_mg(self, on: date, **quantities: int) -> Milligrams:
        """The milligrams CO2e that one activity avoided, by the numbers of its own day.

        ``quantities`` names every field and every looked-back field.
        """
        refuse_other_names(self.fields | self.lookback_fields, quantities)
        return Milligrams(self.formula.answer(quantities | self.values_on(on)))

    def sql(self, dialect: Dialect = DUCKDB) -> str:
        """The milligrams over columns named as the fields, looked-back fields and parameters.

        NULL where `in_range_sql` is false: those rows are refused, never counted.
        """
        return self.formula.sql(dialect)

    def in_range_sql(self, dialect: Dialect = DUCKDB) -> str:
        """True or false for each row, never NULL: whether all its numbers are whole and in range."""
        return self.formula.in_range_sql(dialect)

    def explain(self, on: date, **quantities: int) -> dict[str, object]:
        """Why someone got this reduction: the inputs, the numbers with their sources, the formula."""
        reduction_mg = self.reduction_mg(on, **quantities)
        measured = self.fields | self.lookback_fields
        return {
            "methodology": self.id,
            "title": dict(self.title),
            "version": self.version,
            "document": self.document,
            "fingerprint": self.fingerprint,
            "demonstration": self.demonstration,
            "on": on.isoformat(),
            "inputs": {name: _explained_input(measured[name], value) for name, value in quantities.items()},
            "values": {name: _explained_value(one, on) for name, one in self.parameters.items()},
            "formula": self.formula.on_paper,
            "reduction_mg": reduction_mg,
        }

    @cached_property
    def _periods(self) -> tuple[Period, ...]:
        later = {dated.start for parameter in self.parameters.values() for dated in parameter.values}
        starts = sorted(start for start in later if start >= self.first_day)
        ends = [*starts[1:], None]
        return tuple(Period(start, end, self._values(start)) for start, end in zip(starts, ends, strict=True))

    @cached_property
    def _starts(self) -> list[date]:
        return [period.start for period in self._periods]

    def _values(self, day: date) -> dict[str, int]:
        return {name: parameter.value_on(day).value for name, parameter in self.parameters.items()}


def _explained_input(field: Field, value: int) -> dict[str, object]:
    return {"value": value, "unit": field.unit, "says": field.says}


def _explained_value(parameter: Parameter, on: date) -> dict[str, object]:
    dated = parameter.value_on(on)
    return {
        "value": dated.value,
        "unit": parameter.unit,
        "says": parameter.says,
        "from": dated.start.isoformat(),
        "source": dated.source,
        "class": dated.provenance_class,
        "factor_year": dated.factor_year,
        "published": dated.published.isoformat() if dated.published else None,
    }
