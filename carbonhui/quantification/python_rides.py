"""Measuring rides and counts one by one: each act by itself, then a person's day."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from carbonhui.quantification.jobs import Acts, PeriodCap, Run
from carbonhui.quantification.python_records import Links, Record, credited_mg, declared_acts, lines, records

#: Milligrams by person and day.
PersonDays = dict[tuple[int, date], int]
_ONE_DAY = timedelta(days=1)


def measure_days(acts: Acts, run: Run, links: Mapping[str, Links]) -> tuple[Counter[str], PersonDays]:
    """The milligrams of each person's day, and what became of the acts."""
    declared = declared_acts(acts.declared)
    claims = _Claims(acts, run, links)
    counts: Counter[str] = Counter()
    days: PersonDays = defaultdict(int)
    for record in records(acts.files, acts.mode):
        if run.first <= record["day"] <= run.last:
            mg = credited_mg(run.stretch, run.evidence, _quantities(acts, run, record))
            on_the_day = record["subject"], record["day"], record["day"]
            person = links[acts.holders].holder(*on_the_day)
            fate = _fate(record, mg, person, declared, claims)
            if fate == "nobodys":
                fate = links[acts.holders].why_nobody(*on_the_day)
            counts[fate] += 1
            if fate == "measured":
                assert person is not None
                assert mg is not None
                days[person, record["day"]] += mg
    return counts, days


def _quantities(acts: Acts, run: Run, record: Record) -> dict[str, int | None]:
    """A ride brings its own numbers; a count has one, whatever the methodology calls it."""
    return {name: record[name if acts.kind == "trip" else "quantity"] for name in run.stretch.methodology.fields}


def _fate(record: Record, mg: int | None, person: int | None, declared: set[bytes], claims: "_Claims") -> str:
    """Measured, or the first reason why not. An act that is worth nothing to anybody takes no one else's place."""
    if record["act"] in declared:
        return "used_elsewhere"
    if mg is not None and person is not None and claims.hold(person, record):
        return "claimed_before"
    if mg is None:
        return "out_of_range"
    if person is None:
        return "nobodys"
    return "measured" if mg > 0 else "zero"


@dataclass(frozen=True)
class _Seconds:
    """From when to before when somebody was under way; a boarding takes up its one second."""

    mode: str
    begin: int
    end: int

    def meets(self, other: "_Seconds", tolerance_s: int) -> bool:
        """One person is on one ride at a time; clocks of two sources may differ about one and the same ride."""
        near = tolerance_s if self.mode == other.mode else 0
        return self.begin - near < other.end and other.begin < self.end + near


class _Claims:
    """The acts of other sources that were measured before."""

    def __init__(self, acts: Acts, run: Run, links: Mapping[str, Links]) -> None:
        self._kind, self._tolerance_s = acts.kind, acts.tolerance_s
        self._counted: set[tuple[int, date, str]] = set()
        self._rides: dict[int, list[_Seconds]] = defaultdict(list)
        for other in acts.others:
            for record in records(other.files):
                person = links[other.holders].holder(record["subject"], record["day"], record["day"])
                # A ride over midnight, or one in another time zone, meets rides of the days beside.
                if person is not None and run.first - _ONE_DAY <= record["day"] <= run.last + _ONE_DAY:
                    self._keep(person, record)

    def _keep(self, person: int, record: Record) -> None:
        if self._kind == "count":
            self._counted.add((person, record["day"], record["mode"]))
        else:
            self._rides[person].append(_seconds(record))

    def hold(self, person: int, record: Record) -> bool:
        """Whether another source brought this act of the person before."""
        if self._kind == "count":
            return (person, record["day"], record["mode"]) in self._counted
        mine = _seconds(record)
        return any(mine.meets(theirs, self._tolerance_s) for theirs in self._rides.get(person, []))


def _seconds(record: Record) -> _Seconds:
    begin, end = (_clock(record[name], record["utc_offset_minutes"]) for name in ("started_at", "ended_at"))
    return _Seconds(record["mode"], begin, max(end, begin + 1))


def _clock(wall: datetime, utc_offset_minutes: int) -> int:
    """Whole seconds since 1970 of what a clock on the wall showed."""
    return (wall - timedelta(minutes=utc_offset_minutes) - datetime(1970, 1, 1)) // timedelta(seconds=1)


def cut(days: PersonDays, caps: Iterable[PeriodCap]) -> PersonDays:
    """What the periods' caps leave of persons' days, one cap after the other, earlier days first."""
    for cap in caps:
        days = dict(_cut(days, cap))
    return days


def _cut(days: PersonDays, cap: PeriodCap) -> Iterator[tuple[tuple[int, date], int]]:
    credited: Counter[tuple[int, date]] = Counter(
        {(int(person), date.fromisoformat(period)): int(mg) for person, period, mg in lines(cap.before)}
    )
    for (person, day), mg in sorted(days.items()):
        period = person, _period_of(day, cap.per)
        left = max(0, cap.most_mg - credited[period])
        credited[period] += min(mg, left)
        yield (person, day), min(mg, left)


def _period_of(day: date, per: str) -> date:
    """The first day of the day, month or year that a day lies in."""
    return {"day": day, "month": day.replace(day=1), "year": day.replace(month=1, day=1)}[per]
