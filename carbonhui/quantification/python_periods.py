"""Measuring readings one household after the other: its month or day against what it is compared with."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby, pairwise
from operator import attrgetter, itemgetter

from carbonhui.methodology import Lookback
from carbonhui.quantification.jobs import Periods
from carbonhui.quantification.python_records import Links, Record, credited_mg, declared_acts, lines, records
from carbonhui.quantification.versions import Stretch

MINUTES_PER_DAY = 1_440
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Answer:
    """A household's period with its milligrams, or the reason why it has none."""

    account_id: int
    first_day: date
    last_day: date
    batch_id: int
    stretch: int = -1
    lacking: str | None = None
    mg: int | None = None

    @property
    def why(self) -> str:
        """Measured, or why not."""
        if self.lacking is not None:
            return self.lacking
        if self.mg is None:
            return "out_of_range"
        return "measured" if self.mg > 0 else "zero"


def measure_periods(periods: Periods, links: Links) -> tuple[Counter[str], list[Answer]]:
    """Every household's period that is not measured yet, and what became of the readings."""
    counts: Counter[str] = Counter()
    uses, unknown = _uses(_readings(periods, counts), periods)
    reason = "period_unknown" if periods.period == "month" else "no_daily_readings"
    counts[reason] += sum(periods.asks(last_day) for last_day in unknown)
    held = [replace(use, account_id=links.holder(use.subject, use.first, use.last)) for use in uses]
    nobodys = {
        (use.subject, use.meter, use.period, links.why_nobody(use.subject, use.first, use.last))
        for use in held if use.account_id is None and periods.asks(use.last)
    }  # fmt: skip
    counts.update(why for *_, why in nobodys)
    answers = _Homes(periods, _households(held, periods)).answers()
    counts.update(answer.why for answer in answers)
    return counts, answers


# Meters ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Use:
    """What a meter counted on some days of one period; ``form``: in intervals of a day or less, or as a sum of more."""

    subject: bytes
    meter: bytes
    period: date
    form: str
    first: date
    last: date
    used: int
    minutes: int
    batch_id: int
    flags: frozenset[str]
    account_id: int | None = None


def _readings(periods: Periods, counts: Counter[str]) -> list[Record]:
    """The commodity's readings, without those that are used in another mechanism."""
    declared = declared_acts(periods.declared)
    found = list(records(periods.files, periods.commodity))
    counts["used_elsewhere"] += sum(record["act"] in declared for record in found)
    return [record for record in found if record["act"] not in declared]


def _uses(readings: list[Record], periods: Periods) -> tuple[list[_Use], list[date]]:
    """The meters' uses by period, and the last days of the sums of which that cannot be said."""
    by_day = [record for record in readings if record["span"] in ("half_hour", "hour", "day")]
    sums = [record for record in readings if record["span"] in ("month", "bill")]
    billed = [record for record in readings if record["span"] == "billed_month"]
    if periods.period == "day":
        return [_interval(record, record["day"]) for record in by_day], [record["day"] for record in sums + billed]
    uses = [_interval(record, record["day"].replace(day=1)) for record in by_day]
    uses += [use for record in sums for use in _split(record, record["started_at"].date())]
    unknown = []
    for record, first in _began(billed):
        if first is not None and first <= record["day"] < first + timedelta(days=periods.longest_days):
            uses += _split(record, first)
        else:
            unknown.append(record["day"])
    return uses, unknown


def _began(billed: list[Record]) -> Iterator[tuple[Record, date | None]]:
    """Bills of which only the month is known, and when each began: where the one before it ended.

    That is believed only where the bill before it or the one after it is as many months
    apart as well: a bill that is missing would stretch the next.
    """
    order = itemgetter("subject", "meter", "started_at", "ended_at", "act")
    for _, series in groupby(sorted(billed, key=order), key=itemgetter("subject", "meter")):
        bills = list(series)
        months = [12 * bill["started_at"].year + bill["started_at"].month for bill in bills]
        steps = [later - earlier for earlier, later in pairwise(months)]
        for place, bill in enumerate(bills):
            step = steps[place - 1] if place else None
            even = step is not None and step in (steps[place - 2] if place > 1 else None, *steps[place : place + 1])
            yield bill, bills[place - 1]["ended_at"].date() if even else None


def _flags(record: Record) -> frozenset[str]:
    return frozenset((record["flags"] or "").split())


def _interval(record: Record, period: date) -> _Use:
    return _Use(
        record["subject"], record["meter"], period, "interval", record["day"], record["day"], record["used"],
        record["minutes"], record["batch_id"], _flags(record),
    )  # fmt: skip


def _split(record: Record, first: date) -> Iterator[_Use]:
    """A sum's days, month by month. Each month ends where the even use rounds down to, so that the parts make the whole."""
    days = (record["day"] - first).days + 1
    begin, told = first, 0
    while begin <= record["day"]:
        end = min(_month_end(begin), record["day"])
        used_by_then = record["used"] * ((end - first).days + 1) // days
        minutes = record["minutes"] if record["span"] == "month" else ((end - begin).days + 1) * MINUTES_PER_DAY
        yield _Use(
            record["subject"], record["meter"], begin.replace(day=1), "sum", begin, end, used_by_then - told, minutes,
            record["batch_id"], _flags(record),
        )  # fmt: skip
        begin, told = end + _ONE_DAY, used_by_then


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - _ONE_DAY


# Households --------------------------------------------------------------------------------------


@dataclass
class _Home:
    """One household's period: the sum of the meters that it held on the days themselves."""

    account_id: int
    first: date
    last: date
    used: int = 0
    minutes: int = 0
    batch_id: int = 0
    flags: set[str] = field(default_factory=set)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def meters(self) -> int:
        """How often its minutes fill the period, to the nearest whole; two meters one after the other are one."""
        whole = self.days * MINUTES_PER_DAY
        return max(1, (2 * self.minutes + whole) // (2 * whole))

    def covered(self, least_percent: int) -> bool:
        """Enough minutes for the meters that there are, and not so many that there may be one more."""
        whole = self.meters * self.days * MINUTES_PER_DAY
        return whole * least_percent <= 100 * self.minutes <= whole * (200 - least_percent)


def _households(held: list[_Use], periods: Periods) -> list[_Home]:
    homes: dict[tuple[int, date], _Home] = {}
    for use in _best(held) if periods.period == "month" else held:
        if use.account_id is not None:
            last = _month_end(use.period) if periods.period == "month" else use.period
            home = homes.setdefault((use.account_id, use.period), _Home(use.account_id, use.period, last))
            home.used += use.used
            home.minutes += use.minutes
            home.batch_id = max(home.batch_id, use.batch_id)
            home.flags |= use.flags
    return list(homes.values())


def _best(held: list[_Use]) -> Iterator[_Use]:
    """A household's month of a meter counts once: by the form with more minutes, of equal ones by intervals."""
    of = attrgetter("account_id", "meter", "period")
    linked = sorted((use for use in held if use.account_id is not None), key=of)
    for _, uses in groupby(linked, key=of):
        forms: dict[str, list[_Use]] = {"interval": [], "sum": []}
        for use in uses:
            forms[use.form].append(use)
        intervals, sums = (sum(use.minutes for use in forms[form]) for form in ("interval", "sum"))
        if forms["interval"] and (intervals >= sums or not forms["sum"]):
            yield from forms["interval"]
        else:
            yield from forms["sum"]


# Answers -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Done:
    first: date
    last: date
    own: bool

    def touches(self, home: _Home) -> bool:
        return self.first <= home.last and home.first <= self.last


class _Lacking(Exception):
    """A period that has no answer, for a reason that is counted."""


class _Homes:
    """All households' periods, among which each finds its own past and its city."""

    def __init__(self, periods: Periods, homes: list[_Home]) -> None:
        self._periods = periods
        self._received = dict(periods.received)
        self._all = {(home.account_id, home.first): home for home in homes}
        self._city: dict[date, list[_Home]] = defaultdict(list)
        self._year: dict[tuple[int, int], set[str]] = defaultdict(set)
        for home in homes:
            self._city[home.first].append(home)
            self._year[home.account_id, home.first.year] |= home.flags
        self._done: dict[int, list[_Done]] = defaultdict(list)
        for person, first, last, own in lines(periods.done):
            self._done[int(person)].append(_Done(date.fromisoformat(first), date.fromisoformat(last), own == "1"))

    def answers(self) -> list[Answer]:
        """One for each period that ended and was not measured from this source before."""
        waiting = [home for home in self._all.values() if self._periods.asks(home.last) and not self._measured(home)]
        return [self._answer(home) for home in sorted(waiting, key=attrgetter("account_id", "first"))]

    def _measured(self, home: _Home) -> bool:
        return any(done.own and done.touches(home) for done in self._done[home.account_id])

    def _answer(self, home: _Home) -> Answer:
        answer = Answer(home.account_id, home.first, home.last, home.batch_id)
        for number, stretch in enumerate(self._periods.stretches):
            if stretch.covers(home.last):
                answer = replace(answer, stretch=number)
                try:
                    return replace(answer, mg=self._mg(home, stretch))
                except _Lacking as lacking:
                    return replace(answer, lacking=str(lacking))
        return replace(answer, lacking="no_version_on_day")

    def _mg(self, home: _Home, stretch: Stretch) -> int | None:
        """The milligrams of a period; None: out of range. Raises `_Lacking` with the first thing that is not there."""
        methodology = stretch.methodology
        if any(done.touches(home) for done in self._done[home.account_id]):
            raise _Lacking("claimed_before")
        if methodology.weight_for(self._periods.evidence) is None:
            raise _Lacking("evidence_not_accepted")
        self._refuse_late_or_excluded(home, stretch)
        if not home.covered(max(one.settings["least_coverage_percent"] for one in methodology.lookbacks.values())):
            raise _Lacking("coverage_too_low")
        before = {name: _LOOKBACKS[name](self, home, lookback) for name, lookback in methodology.lookbacks.items()}
        given: dict[str, int | None] = {name: home.days if name == "days" else home.used for name in methodology.fields}
        for name, looked in methodology.lookback_fields.items():
            assert looked.by is not None
            used, days = before[looked.by]
            given[name] = days if looked.of == "days" else used
        return credited_mg(stretch, self._periods.evidence, given)

    def _refuse_late_or_excluded(self, home: _Home, stretch: Stretch) -> None:
        window = stretch.methodology.claim_window
        if window is not None and self._received[home.batch_id] > home.last + timedelta(days=window.days):
            raise _Lacking("claim_window_over")
        for one in stretch.methodology.exclusions:
            if one.code in (self._year[home.account_id, home.first.year] if one.per == "year" else home.flags):
                raise _Lacking(f"excluded_{one.code}")

    # Each lookback answers with a use, and with the days that it is the use of.

    def _same_month_last_year(self, home: _Home, lookback: Lookback) -> tuple[int, int]:
        past = self._all.get((home.account_id, home.first.replace(year=home.first.year - 1)))
        if past is None:
            raise _Lacking("no_history")
        if not past.covered(lookback.settings["least_coverage_percent"]):
            raise _Lacking("coverage_too_low")
        if past.meters != home.meters:
            raise _Lacking("meters_differ")
        return past.used, past.days

    def _mean_of_previous_days(self, home: _Home, lookback: Lookback) -> tuple[int, int]:
        """Rounded down, against the household; only days with as many meters as now are like this one."""
        settings = lookback.settings
        newest = settings["newest"]
        days = (home.first - timedelta(days=back) for back in range(newest, newest + settings["days"]))
        past = [self._all[home.account_id, day] for day in days if (home.account_id, day) in self._all]
        alike = [
            one.used for one in past if one.meters == home.meters and one.covered(settings["least_coverage_percent"])
        ]
        if len(alike) < settings["least_days"]:
            raise _Lacking("no_history")
        return sum(alike) // len(alike), 1

    def _city_mean(self, home: _Home, lookback: Lookback) -> tuple[int, int]:
        """Rounded down, against the household."""
        settings = lookback.settings
        covered = [one.used for one in self._city[home.first] if one.covered(settings["least_coverage_percent"])]
        if len(covered) < settings["least_households"]:
            raise _Lacking("no_city_mean")
        return sum(covered) // len(covered), 1


_LOOKBACKS = {
    "same_month_last_year": _Homes._same_month_last_year,
    "mean_of_previous_days": _Homes._mean_of_previous_days,
    "city_mean": _Homes._city_mean,
}
