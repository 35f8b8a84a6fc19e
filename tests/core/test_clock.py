"""What day it is, in the city's own time (design section 4: business date)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from carbonhui.core.clock import CITY_TIME, SetClock, SystemClock


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 12, 31, 15, 59, 59, 999_999, tzinfo=UTC), date(2026, 12, 31)),
        (datetime(2026, 12, 31, 16, 0, 0, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2027, 1, 1, 15, 59, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2028, 2, 28, 16, 0, tzinfo=UTC), date(2028, 2, 29)),
    ],
)
def test_the_citys_day_begins_at_sixteen_hours_universal_time(instant: datetime, day: date) -> None:
    assert SetClock(instant).today() == day
    assert SetClock(instant).now() == instant


@pytest.mark.parametrize("day", [date(2018, 1, 1), date(2026, 7, 1), date(2099, 12, 31)])
def test_a_clock_set_on_a_day_stands_at_noon_and_stays(day: date) -> None:
    clock = SetClock.on(day)
    assert (clock.today(), clock.today(), clock.now().hour, clock.now().tzinfo) == (day, day, 12, CITY_TIME)
    assert clock.now().astimezone(UTC).hour == 4


def test_a_set_clock_may_be_put_forward() -> None:
    clock = SetClock.on(date(2026, 12, 31))
    clock.instant += timedelta(days=1)
    assert clock.today() == date(2027, 1, 1)


def test_the_machines_clock_knows_its_zone_and_the_citys_day() -> None:
    before = datetime.now(UTC)
    now, today = SystemClock().now(), SystemClock().today()
    assert now.tzinfo is not None and before <= now <= datetime.now(UTC)
    assert today in {moment.astimezone(CITY_TIME).date() for moment in (before, datetime.now(UTC))}
