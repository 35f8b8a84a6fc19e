"""What a methodology is made of, besides its formula."""

from dataclasses import dataclass
from datetime import date

#: The host's ways of finding what a record is compared with.
LOOKBACKS = ("same_month_last_year", "mean_of_last_7_days", "city_mean")
#: The kinds of activity that the lake holds.
ACTIVITIES = ("trip", "reading")
#: Where a number was read: S1 the official text itself, S2 press or government news that
#: quotes it, S3 an academic paper, S4 a list that nobody confirmed, C computed from S1-S3,
#: U unverified.
PROVENANCE_CLASSES = ("S1", "S2", "S3", "S4", "C", "U")
#: Numbers of these classes may be shown, and never minted on.
UNCONFIRMED_CLASSES = ("S4", "U")


@dataclass(frozen=True)
class Field:
    """One measured number of an activity, in its unit, from ``low`` to ``high``.

    ``of`` is set for a looked-back field only: the activity field whose earlier value it is.
    """

    name: str
    says: str
    unit: str
    low: int
    high: int
    of: str | None = None


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


@dataclass(frozen=True)
class Parameter:
    """One number that the committee approves, with its history (Articles 14-15)."""

    name: str
    says: str
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
    """A worked example, as it stands on the committee's paper."""

    name: str
    on: date
    quantities: dict[str, int]
    mg: int
    because: str


@dataclass(frozen=True)
class Cap:
    """The most of a field that counts for one person in one period; the host applies it."""

    says: str
    field: str
    per: str
    most: int
    source: str


@dataclass(frozen=True)
class EvidenceWeight:
    """How much of a reduction counts for weaker evidence, rounded down; the host applies it."""

    says: str
    evidence: str
    numerator: int
    denominator: int
    source: str


@dataclass(frozen=True)
class Exclusion:
    """Who or what the methodology does not measure; the host applies it."""

    says: str
    code: str
    source: str
