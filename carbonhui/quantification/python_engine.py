"""The engine for few records, and for checking the others: plain Python, one record after the other.

It reads the same rules apart from the engines of SQL, so that a mistake in either shows.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa

from carbonhui.quantification import python_periods, python_rides
from carbonhui.quantification.jobs import Acts, Periods, Run
from carbonhui.quantification.python_records import Links, blocks, records

_PERSON_DAY = {"account_id": pa.int64(), "day": pa.date32(), "mg": pa.int64()}
_PERIOD = {
    "account_id": pa.int64(), "first_day": pa.date32(), "last_day": pa.date32(), "stretch": pa.int64(),
    "mg": pa.int64(), "batch_id": pa.int64(),
}  # fmt: skip


class PythonEngine:
    """An empty engine; it holds what it measures in memory and writes nothing to its folder."""

    name = "python"

    def __init__(self, folder: Path) -> None:
        self._links: dict[str, Links] = {}
        self._acts: Acts | None = None
        self._days: python_rides.PersonDays = {}
        self._persons: set[int] = set()
        self._answers: list[python_periods.Answer] = []

    def read_links(self, holders: str, path: Path) -> None:
        self._links[holders] = Links.read(path)

    def narrow_links(self, holders: str, accounts: Collection[int], into: str) -> None:
        self._links[into] = self._links[holders].of_accounts(accounts)

    def open_acts(self, acts: Acts) -> list[tuple[date, int]]:
        self._acts, self._persons = acts, set()
        return sorted(Counter(record["day"] for record in records(acts.files, acts.mode)).items())

    def sum_days(self, run: Run) -> Counter[str]:
        assert self._acts is not None
        counts, whole = python_rides.measure_days(self._acts, run, self._links)
        self._days = python_rides.cut(whole, run.caps)
        self._persons |= {person for (person, _), mg in self._days.items() if mg > 0}
        counts["mg"] = sum(self._days.values())
        counts["capped_mg"] = sum(whole.values()) - counts["mg"]
        return counts

    def person_days(self) -> Iterator[pa.RecordBatch]:
        return blocks(
            ({"account_id": person, "day": day, "mg": mg} for (person, day), mg in sorted(self._days.items()) if mg > 0),
            _PERSON_DAY,
        )

    def persons(self) -> int:
        return len(self._persons)

    def sum_periods(self, periods: Periods) -> Counter[str]:
        counts, self._answers = python_periods.measure_periods(periods, self._links[periods.holders])
        counts["mg"] = sum(answer.mg or 0 for answer in self._answers)
        counts["persons"] = len({answer.account_id for answer in self._answers if answer.mg})
        return counts

    def household_periods(self) -> Iterator[pa.RecordBatch]:
        measured = (answer for answer in self._answers if answer.mg is not None)
        return blocks(({name: getattr(answer, name) for name in _PERIOD} for answer in measured), _PERIOD)

    def close(self) -> None:
        """It holds nothing that needs closing."""
