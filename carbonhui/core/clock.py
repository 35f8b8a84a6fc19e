"""What day it is, in the city's own time.

The business date of a movement comes from here, so that a test (or a replay) can
say what day it is. The instant at which a row was entered comes from the database.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

#: Guangzhou keeps one time zone, without summer time.
CITY_TIME = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Says the instant; the city's day follows from it."""

    def now(self) -> datetime: ...

    def today(self) -> date: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return self.now().astimezone(CITY_TIME).date()


@dataclass
class SetClock:
    """A clock that stands where it is set, for tests and for the demonstration."""

    instant: datetime

    @classmethod
    def on(cls, day: date) -> "SetClock":
        """A clock that stands at noon of this day, city time."""
        return cls(datetime(day.year, day.month, day.day, 12, tzinfo=CITY_TIME))

    def now(self) -> datetime:
        return self.instant

    def today(self) -> date:
        return self.instant.astimezone(CITY_TIME).date()
