"""Measuring with SQL: the same statements for every engine that reads SQL.

Statements are built from our own words, numbers and days only; nothing in them was
received from anybody.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from carbonhui.quantification import period_words, ride_words
from carbonhui.quantification.jobs import Acts, Periods, Run
from carbonhui.quantification.words import Words

LINK_COLUMNS = {"subject": "VARCHAR", "account_id": "BIGINT", "valid_from": "DATE", "valid_to": "DATE", "since": "DATE"}


class SqlEngine(ABC):
    """What an engine of SQL does, in terms of five things that each does in its own way."""

    name: str
    words: Words

    def __init__(self) -> None:
        self._acts: Acts | None = None
        self._links: dict[str, str] = {}
        #: Links of which somebody holds more than one identifier.
        self._several: set[str] = set()

    @abstractmethod
    def view(self, name: str, files: Sequence[str], *, batch: bool = False) -> None:
        """The rows of lake files under a name; with ``batch`` also which batch each came with, as batch_id."""

    @abstractmethod
    def table(self, name: str, query: str) -> None:
        """Keep a query's rows under a name, in place of what had it before."""

    @abstractmethod
    def read_csv(self, name: str, path: Path, columns: Mapping[str, str]) -> None:
        """Keep the rows of a CSV file without header; an empty cell is no value."""

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A few rows."""

    @abstractmethod
    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """Many rows, some at a time."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything."""

    def read_links(self, holders: str, path: Path) -> None:
        name = self._links.setdefault(holders, f"links_{len(self._links)}")
        self.read_csv(f"{name}_text", path, LINK_COLUMNS)
        self.table(name, f"SELECT unhex(subject) AS subject, account_id, valid_from, valid_to, since FROM {name}_text")
        self._several.discard(holders)
        if self.rows(ride_words.SEVERAL.format(links=name)):
            self._several.add(holders)

    def narrow_links(self, holders: str, accounts: Collection[int], into: str) -> None:
        name = self._links.setdefault(into, f"links_{len(self._links)}")
        listed = ", ".join(map(str, sorted(accounts)))
        self.table(name, f"SELECT * FROM {self._links[holders]} WHERE account_id IN ({listed})")
        self._several.discard(into)
        if holders in self._several:
            self._several.add(into)

    def open_acts(self, acts: Acts) -> list[tuple[date, int]]:
        self._acts = acts
        self.view("lake", acts.files)
        if acts.declared is not None:
            self._read_declared(acts.declared)
        for number, other in enumerate(acts.others):
            self.view(f"other_{number}", other.files)
        self.table("persons", "SELECT CAST(0 AS BIGINT) AS account_id WHERE 1 = 0")
        query = f"SELECT day, count(*) FROM lake WHERE mode = '{acts.mode}' GROUP BY day ORDER BY day"
        return [(found, int(count)) for found, count in self.rows(query)]

    def _read_declared(self, path: Path) -> None:
        self.read_csv("declared_text", path, {"act": "VARCHAR"})
        self.table("declared", "SELECT DISTINCT unhex(act) AS act FROM declared_text")

    def sum_days(self, run: Run) -> Counter[str]:
        acts = self._acts
        assert acts is not None
        links = self._links[acts.holders]
        barring = ride_words.barring(acts, run, self.words, links, self._links)
        for name, query in barring:
            self.table(name, query)
        several = acts.holders in self._several
        self.table("summed", ride_words.summed(acts, run, self.words, links, barred=bool(barring), several=several))
        counts = self._counts(barred=bool(barring))
        self._cap(run)
        self._credit(counts)
        return counts

    def _counts(self, *, barred: bool) -> Counter[str]:
        names = ("out_of_range", "unlinked", "no_consent", "zero", "measured")
        (found,) = self.rows(ride_words.COUNTS)
        counts: Counter[str] = Counter(dict(zip(names, map(int, found), strict=True)))
        if barred:
            counts.update({why: int(count) for why, count in self.rows(ride_words.BARRED)})
        return counts

    def _cap(self, run: Run) -> None:
        self.table("capped", ride_words.CREDITED)
        for number, cap in enumerate(run.caps):
            self.read_csv("before", cap.before, {"account_id": "BIGINT", "period": "DATE", "mg": "BIGINT"})
            name = f"capped_{number % 2}"
            self.table(name, ride_words.capped(cap, "capped" if number == 0 else f"capped_{(number - 1) % 2}"))
        self._person_days = f"capped_{(len(run.caps) - 1) % 2}" if run.caps else "capped"

    def _credit(self, counts: Counter[str]) -> None:
        """Add the milligrams, before and after the caps, and remember who has some."""
        ((whole_mg,),) = self.rows("SELECT CAST(coalesce(sum(mg), 0) AS BIGINT) FROM capped")
        ((mg,),) = self.rows(f"SELECT CAST(coalesce(sum(mg), 0) AS BIGINT) FROM {self._person_days}")
        counts.update(mg=int(mg), capped_mg=int(whole_mg) - int(mg))
        self.table(
            "persons",
            f"SELECT account_id FROM persons UNION SELECT account_id FROM {self._person_days} WHERE mg > 0",
        )

    def person_days(self) -> Iterator[pa.RecordBatch]:
        return self.stream(
            f"SELECT account_id, day, mg FROM {self._person_days} WHERE mg > 0 ORDER BY account_id, day"
        )

    def persons(self) -> int:
        ((found,),) = self.rows("SELECT count(*) FROM persons")
        return int(found)

    def sum_periods(self, periods: Periods) -> Counter[str]:
        links = self._links[periods.holders]
        self.view("lake", periods.files, batch=True)
        if periods.declared is not None:
            self._read_declared(periods.declared)
        self.read_csv("done", periods.done, {"account_id": "BIGINT", "first_day": "DATE", "last_day": "DATE", "own": "INTEGER"})
        for name, query in period_words.steps(periods, self.words, links, self.rows):
            self.table(name, query)
        counts: Counter[str] = Counter()
        for query in period_words.counts(periods):
            counts.update({why: int(count) for why, count in self.rows(query)})
        ((mg, persons),) = self.rows(period_words.TOTALS)
        counts.update(mg=int(mg), persons=int(persons))
        return counts

    def household_periods(self) -> Iterator[pa.RecordBatch]:
        return self.stream(period_words.ANSWERS)
