"""What an engine is asked to measure, said without any engine's words."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from carbonhui.quantification.versions import Stretch


@dataclass(frozen=True)
class Other:
    """Acts of another source that were measured before: of one act received from both, that one counts.

    ``holders`` is the name under which the engine was told who held its identifiers then.
    """

    holders: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Acts:
    """The acts of one batch and one mode: rides (``trip``), or a day's steps or grams (``count``).

    ``holders`` is the name under which the engine was told who holds the identifiers. ``declared`` is a file of the acts that are used in another mechanism. Two reports
    of one mode by two sources are one act if they lie within ``tolerance_s``.
    """

    kind: str
    mode: str
    holders: str
    files: tuple[str, ...]
    others: tuple[Other, ...] = ()
    declared: Path | None = None
    tolerance_s: int = 0


@dataclass(frozen=True)
class PeriodCap:
    """The most milligrams of a person in a day, month or year, and a file of what was credited in them before."""

    per: str
    most_mg: int
    before: Path


@dataclass(frozen=True)
class Run:
    """Days from ``first`` to ``last`` that one stretch covers."""

    first: date
    last: date
    stretch: Stretch
    evidence: str
    caps: tuple[PeriodCap, ...] = ()


@dataclass(frozen=True)
class Periods:
    """All readings of one source and one commodity, and what was measured of its households before.

    ``received`` says on which day each batch came; ``done`` is a file of the measured
    periods (account, first day, last day, and 1 where by this source). ``evidence`` is
    the weakest of all batches.
    ``longest_days`` is the longest period that a bill may stand for. ``not_asked`` are
    days that a rule for other periods measures (months against days): first, and
    before which.
    """

    commodity: str
    period: str
    holders: str
    files: tuple[str, ...]
    received: tuple[tuple[int, date], ...]
    stretches: tuple[Stretch, ...]
    evidence: str
    done: Path
    declared: Path | None
    through: date
    longest_days: int
    not_asked: tuple[tuple[date, date | None], ...] = ()

    def asks(self, last_day: date) -> bool:
        """Whether a period that ends on this day is to be measured now, if it can be."""
        others = any(first <= last_day and (end is None or last_day < end) for first, end in self.not_asked)
        return last_day <= self.through and not others


class Engine(Protocol):
    """Something that can measure. All engines give the same milligrams, to the last one."""

    name: str

    def read_links(self, holders: str, path: Path) -> None:
        """Keep under a name who held which identifier from which day to before which, and consents from which day on."""

    def narrow_links(self, holders: str, accounts: Collection[int], into: str) -> None:
        """Keep under another name the links of these accounts only."""

    def open_acts(self, acts: Acts) -> list[tuple[date, int]]:
        """Begin with a batch's acts of a mode; how many there are on each day."""

    def sum_days(self, run: Run) -> Counter[str]:
        """Measure some days of the opened acts; how many were measured and left out, by reason.

        Also under ``mg`` the milligrams, and under ``capped_mg`` those that a cap took off.
        """

    def person_days(self) -> Iterator[pa.RecordBatch]:
        """account_id, day, mg of the days that were summed last."""

    def persons(self) -> int:
        """How many persons have a reduction of the opened acts."""

    def sum_periods(self, periods: Periods) -> Counter[str]:
        """Measure households' periods that were not measured yet; counts as of `sum_days`."""

    def household_periods(self) -> Iterator[pa.RecordBatch]:
        """account_id, first_day, last_day, stretch, mg, batch_id of the periods that were summed last; also of 0 mg."""

    def close(self) -> None:
        """Let go of everything that the engine holds."""
