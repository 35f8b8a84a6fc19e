"""When a job is due: pure arithmetic over instants."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from carbonhui.core.clock import CITY_TIME


class Rule(Protocol):
    """Says which due point an instant belongs to."""

    def newest(self, now: datetime) -> datetime:
        """The newest due point at or before an instant, in UTC."""
        ...


@dataclass(frozen=True)
class Daily:
    """Once a day at an hour of the city, which keeps one time zone without summer time.

    >>> Daily(2, 30).newest(datetime(2026, 11, 20, 2, 29, tzinfo=CITY_TIME)).astimezone(CITY_TIME).isoformat()
    '2026-11-19T02:30:00+08:00'
    """

    hour: int
    minute: int

    def newest(self, now: datetime) -> datetime:
        here = now.astimezone(CITY_TIME)
        due = datetime.combine(here.date(), time(self.hour, self.minute), CITY_TIME)
        return (due if due <= here else due - timedelta(days=1)).astimezone(UTC)


@dataclass(frozen=True)
class Every:
    """Every so many seconds, counted from 1970, so that all processes mean the same points.

    >>> Every(60).newest(datetime(2026, 11, 20, 2, 29, 59, tzinfo=UTC)).isoformat()
    '2026-11-20T02:29:00+00:00'
    """

    seconds: int

    def newest(self, now: datetime) -> datetime:
        whole = int(now.timestamp() // self.seconds) * self.seconds
        return datetime.fromtimestamp(whole, UTC)
