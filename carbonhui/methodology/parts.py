"""What a methodology is made of, besides its formula."""

from dataclasses import dataclass, field
from datetime import date

#: What an act was proved by, unless its institution's profile says otherwise.
VERIFIED = "verified"
#: Where a number was read: S1 the official text itself, S2 press or government news that
#: quotes it, S3 an academic paper, S4 a list that nobody confirmed, C computed from S1-S3,
#: U unverified.
PROVENANCE_CLASSES = ("S1", "S2", "S3", "S4", "C", "U")
#: Numbers of these classes may be shown, and never minted on.
UNCONFIRMED_CLASSES = ("S4", "U")


@dataclass(frozen=True, kw_only=True)
class Said:
    """Something that a methodology says in English, and in Chinese where its author gave both."""

    says: str
    says_zh: str | None = None

    def said(self, language: str) -> str:
        """The words in ``"en"`` or ``"zh"``; the English ones where there are no Chinese."""
        return self.says_zh or self.says if language == "zh" else self.says


@dataclass(frozen=True, kw_only=True)
class Field(Said):
    """One measured number of an activity, in its unit, from ``low`` to ``high``.

    ``by`` and ``of`` are set for a looked-back field only: which lookback brings it, and
    the activity field whose earlier value it is.
    """

    name: str
    unit: str
    low: int
    high: int
    by: str | None = None
    of: str | None = None


@dataclass(frozen=True, kw_only=True)
class Lookback(Said):
    """The host's way of finding what a reading is compared with, and the paper that chose it."""

    name: str
    source: str
    settings: dict[str, int] = field(hash=False)


@dataclass(frozen=True)
class DatedValue:
    """An approved number, in force from ``start`` until the next one.

    ``published`` is None where the day of publication is not known.
    """

    start: date
    value: int
    source: str
    provenance_class: str
    factor_year: int | None = None
    published: date | None = None


@dataclass(frozen=True, kw_only=True)
class Parameter(Said):
    """One number that the committee approves, with its history (Articles 14-15)."""

    name: str
    unit: str
    values: tuple[DatedValue, ...]

    @property
    def low(self) -> int:
        """The smallest value it ever had; the proof of the formula uses it."""
        return min(dated.value for dated in self.values)

    @property
    def high(self) -> int:
        """The largest value it ever had."""
        return max(dated.value for dated in self.values)

    def value_on(self, day: date) -> DatedValue:
        """The number in force on a day, which is not before the first."""
        assert day >= self.values[0].start
        return [dated for dated in self.values if dated.start <= day][-1]


@dataclass(frozen=True)
class Period:
    """Days on which no number changes: from ``start`` until before ``end``, or open."""

    start: date
    end: date | None
    values: dict[str, int]


@dataclass(frozen=True)
class Case:
    """A worked example, as it stands on the committee's paper: what is credited for one record."""

    name: str
    on: date
    quantities: dict[str, int]
    mg: int
    because: str
    evidence: str = VERIFIED


@dataclass(frozen=True, kw_only=True)
class Cap(Said):
    """The most that counts: of a field or of the milligrams, for one record or for one person in one period."""

    field: str
    per: str
    most: int
    source: str


@dataclass(frozen=True, kw_only=True)
class EvidenceWeight(Said):
    """How much of a reduction counts for evidence of a kind, rounded down for each record to whole ``unit_mg``."""

    evidence: str
    numerator: int
    denominator: int
    source: str
    unit_mg: int = 1


@dataclass(frozen=True, kw_only=True)
class ClaimWindow(Said):
    """An activity received more than ``days`` days after its own day is not measured; the host applies it."""

    days: int
    source: str


@dataclass(frozen=True, kw_only=True)
class Exclusion(Said):
    """Whose readings are not measured: those flagged in the ``period``, or anywhere in the ``year``; the host applies it."""

    code: str
    source: str
    per: str = "period"
