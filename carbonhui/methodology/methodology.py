"""A methodology: approved numbers with their dates, one formula, and worked cases."""

from bisect import bisect_right
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

from carbonhui.core.amounts import Milligrams
from carbonhui.methodology.compilers import DUCKDB, Dialect, Formula, refuse_other_names
from carbonhui.methodology.crediting import credited
from carbonhui.methodology.explaining import explained_input, explained_value
from carbonhui.methodology.parts import (
    VERIFIED,
    Cap,
    Case,
    ClaimWindow,
    EvidenceWeight,
    Exclusion,
    Field,
    Lookback,
    Parameter,
    Period,
)
from carbonhui.methodology.refusals import DayBeforeFirstDate, EvidenceNotAccepted


@dataclass(frozen=True, eq=False, kw_only=True)
class Methodology:
    """How one low-carbon act is measured (Articles 14-16).

    ``fingerprint`` is the SHA-256 of the whole folder, whose files are ``files``; two
    methodologies are the same if their fingerprints are. ``folder`` is None for one that
    was read from the archive. ``demonstration`` says that some number was not found in
    an official text, so that nothing may be minted on it outside the demonstration.
    """

    id: str
    title: dict[str, str]
    version: str
    document: str
    articles: tuple[int, ...]
    demonstration: bool
    activity: str
    period: str | None
    fields: dict[str, Field]
    lookbacks: dict[str, Lookback]
    lookback_fields: dict[str, Field]
    parameters: dict[str, Parameter]
    caps: tuple[Cap, ...]
    evidence_weights: tuple[EvidenceWeight, ...]
    claim_window: ClaimWindow | None
    exclusions: tuple[Exclusion, ...]
    cases: tuple[Case, ...]
    formula: Formula
    fingerprint: str
    files: dict[str, bytes] = field(repr=False)
    folder: Path | None

    @property
    def first_day(self) -> date:
        """The first day on which every parameter has a value."""
        return max(parameter.values[0].start for parameter in self.parameters.values())

    @property
    def accepted_evidence(self) -> tuple[str, ...]:
        """The kinds of evidence that count, verified first."""
        return tuple(dict.fromkeys([VERIFIED, *self._weights]))

    def periods(self) -> list[Period]:
        """The periods in which no parameter changes, one after the other without a gap."""
        return list(self._periods)

    def values_on(self, day: date) -> dict[str, int]:
        """The numbers in force on a day; a day before the first is refused."""
        if day < self.first_day:
            raise DayBeforeFirstDate(methodology=self.id, day=day, first_day=self.first_day)
        return dict(self._periods[bisect_right(self._starts, day) - 1].values)

    def weight_for(self, evidence: str) -> tuple[int, int] | None:
        """How much counts for this evidence, as numerator and denominator; None: it is not accepted."""
        weight = self._weights.get(evidence)
        if weight:
            return weight.numerator, weight.denominator
        return (1, 1) if evidence == VERIFIED else None

    def credited(self, evidence: str = VERIFIED) -> Formula:
        """The formula with the caps of one record and the weight of its evidence, as one expression.

        Raises `EvidenceNotAccepted`.
        """
        if evidence not in self._credited:
            accepted = ", ".join(self.accepted_evidence)
            raise EvidenceNotAccepted(methodology=self.id, evidence=ascii(evidence)[:60], accepted=accepted)
        return self._credited[evidence]

    def reduction_mg(self, on: date, **quantities: int) -> Milligrams:
        """The milligrams CO2e that one activity avoided, by the plain formula and the numbers of its own day.

        ``quantities`` names every field and every looked-back field.
        """
        return self._answer(self.formula, on, quantities)

    def credited_mg(self, on: date, evidence: str = VERIFIED, **quantities: int) -> Milligrams:
        """What of a reduction counts for one record: fields cut, the formula, milligrams cut, then weighed.

        Each step rounds down. A person's caps per day, month and year are the host's.
        Raises `EvidenceNotAccepted`.
        """
        return self._answer(self.credited(evidence), on, quantities)

    def _answer(self, formula: Formula, on: date, quantities: dict[str, int]) -> Milligrams:
        refuse_other_names(self.fields | self.lookback_fields, quantities)
        return Milligrams(formula.answer(quantities | self.values_on(on)))

    def sql(self, dialect: Dialect = DUCKDB) -> str:
        """The milligrams of the plain formula over columns named as the fields, looked-back fields and parameters.

        NULL where `in_range_sql` is false: those rows are refused, never counted.
        """
        return self.formula.sql(dialect)

    def credited_sql(self, evidence: str = VERIFIED, dialect: Dialect = DUCKDB) -> str:
        """The milligrams of `credited_mg` over the same columns, NULL in the same rows."""
        return self.credited(evidence).sql(dialect)

    def in_range_sql(self, dialect: Dialect = DUCKDB) -> str:
        """True or false for each row, never NULL: whether all its numbers are whole and in range."""
        return self.formula.in_range_sql(dialect)

    def explain(self, on: date, evidence: str = VERIFIED, **quantities: int) -> dict[str, object]:
        """Why someone got this reduction: the inputs, the numbers with their sources, the formula, the rules."""
        reduction_mg = self.reduction_mg(on, **quantities)
        credited_mg = self.credited_mg(on, evidence, **quantities)
        measured = self.fields | self.lookback_fields
        return {
            "methodology": self.id,
            "title": dict(self.title),
            "version": self.version,
            "document": self.document,
            "fingerprint": self.fingerprint,
            "demonstration": self.demonstration,
            "on": on.isoformat(),
            "evidence": evidence,
            "inputs": {name: explained_input(measured[name], value) for name, value in quantities.items()},
            "values": {name: explained_value(one, on) for name, one in self.parameters.items()},
            "formula": self.formula.on_paper,
            "credited_formula": self.credited(evidence).on_paper,
            "lookbacks": {name: asdict(one) for name, one in self.lookbacks.items()},
            "caps": [asdict(cap) for cap in self.caps],
            "weight": asdict(self._weights[evidence]) if evidence in self._weights else None,
            "claim_window": asdict(self.claim_window) if self.claim_window else None,
            "exclusions": [asdict(exclusion) for exclusion in self.exclusions],
            "reduction_mg": reduction_mg,
            "credited_mg": credited_mg,
        }

    @cached_property
    def _credited(self) -> dict[str, Formula]:
        return {
            evidence: credited(self.formula, self.caps, self._weights.get(evidence)) for evidence in self.accepted_evidence
        }

    @property
    def _weights(self) -> dict[str, EvidenceWeight]:
        return {weight.evidence: weight for weight in self.evidence_weights}

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
