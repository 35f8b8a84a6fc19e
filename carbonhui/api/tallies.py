"""Counts of rows that are only ever added, without counting them all at each asking.

Each process remembers up to which number it has counted. What it tells is the books'
own count, so that it makes no difference which of several processes is asked, and
nothing is counted twice. Rows that were entered a moment ago are counted anew each
time, because a transaction that took an earlier number may end after them.
"""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg

#: No transaction that enters such rows lasts longer.
_SETTLED_AFTER_S = 300.0
_ROWS_AT_ONCE = 1_000_000
#: What one asking may take to catch up with, and may count anew.
_PATIENCE_S = 1.0
_ANEW_MAX = 10_000_000


@dataclass(eq=False)
class Tally:
    """How many rows of ``table`` there are for each value of ``label``, by the numbers ``id``.

    ``query`` counts those above one number and up to another: value, count.
    """

    name: str
    says: str
    label: str
    newest: str
    query: str
    _counted: Counter[str] = field(default_factory=Counter)
    _upto: int = 0
    _mark: tuple[int, float] | None = None
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def told(self, connection: psycopg.Connection[Any]) -> dict[str, int] | None:
        """The counts; None while a store that was not looked at for long is still being caught up with."""
        with self._one_at_a_time:
            row = connection.execute(self.newest).fetchone()
            newest = int(row[0] or 0) if row else 0
            self._catch_up(connection, newest)
            if newest - self._upto > _ANEW_MAX:
                return None
            return dict(self._counted + self._between(connection, self._upto, newest))

    def _catch_up(self, connection: psycopg.Connection[Any], newest: int) -> None:
        now = time.monotonic()
        if self._mark is None:
            self._mark = newest, now
        settled, since = self._mark
        if now - since < _SETTLED_AFTER_S:
            return
        while self._upto < settled and time.monotonic() - now < _PATIENCE_S:
            upto = min(self._upto + _ROWS_AT_ONCE, settled)
            self._counted += self._between(connection, self._upto, upto)
            self._upto = upto
        if self._upto == settled:
            self._mark = newest, now

    def _between(self, connection: psycopg.Connection[Any], after: int, upto: int) -> Counter[str]:
        return Counter(dict(connection.execute(self.query, (after, upto)).fetchall()))


def tallies() -> tuple[Tally, ...]:
    """What one process counts."""
    return (
        Tally(
            "carbonhui_pii_reads_total", "Readings of personal data, each of one person's.", "role",
            "SELECT max(id) FROM personal_read",
            "SELECT role, count(*) FROM personal_read WHERE id > %s AND id <= %s GROUP BY role",
        ),
        Tally(
            "carbonhui_ledger_entries_total", "Movements in the books.", "kind",
            "SELECT max(id) FROM transfer",
            "SELECT p.name, count(*) FROM transfer t JOIN purpose p ON p.id = t.purpose WHERE t.id > %s AND t.id <= %s GROUP BY p.name",
        ),
    )  # fmt: skip
