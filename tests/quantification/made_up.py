"""A made-up city in which everything goes wrong that can: what the engines are given, and what they must agree on."""

import csv
import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from carbonhui import methodology
from carbonhui.quantification.jobs import Acts, Engine, Other, PeriodCap, Periods, Run
from carbonhui.quantification.versions import Stretch

DAY = timedelta(days=1)
_NAMES = {"subject": pa.binary(), "act": pa.binary(), "day": pa.date32()}
_TIMES = {"started_at": pa.timestamp("us"), "ended_at": pa.timestamp("us")}
LAKE = {
    "trip": {
        **_NAMES, **_TIMES, "utc_offset_minutes": pa.int16(), "seconds": pa.int64(), "metres": pa.int64(),
        "trips": pa.int64(), "mode": pa.string(),
    },
    "reading": {
        **_NAMES, **_TIMES, "meter": pa.binary(), "used": pa.int64(), "minutes": pa.int64(), "span": pa.string(),
        "flags": pa.string(), "mode": pa.string(),
    },
    "count": {**_NAMES, "quantity": pa.int64(), "mode": pa.string()},
}  # fmt: skip


def blind(*words: object) -> bytes:
    return hashlib.md5(repr(words).encode(), usedforsecurity=False).digest()


def lake_file(folder: Path, batch: int, kind: str, rows: Iterable[Mapping[str, object]]) -> str:
    """A file of the lake, in the folder of its batch."""
    path = folder / f"batch={batch}-{blind(folder, batch).hex()[:8]}" / "2025-03.parquet"
    path.parent.mkdir()
    listed = sorted(rows, key=lambda row: (row["day"], row["subject"], row["act"]))
    parquet.write_table(pa.Table.from_pylist(listed, schema=pa.schema(list(LAKE[kind].items()))), path)
    return str(path)


def lines(path: Path, rows: Iterable[Iterable[object]]) -> Path:
    """A file as the store writes it: no header, nothing for no value."""
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


# Methodologies -----------------------------------------------------------------------------------

_TOP = """
id = "{id}"
version = "1"
document = "minutes"
articles = [14]
demonstration = false
activity = "{activity}"
[title]
en = "Made up"
zh = "虚构"
[parameters.factor]
says = "Milligrams in a thousand units"
unit = "mg"
[[parameters.factor.values]]
from = 2024-02-01
value = 48_701
source = "minutes"
class = "S1"
[[parameters.factor.values]]
from = 2025-04-01
value = 53_999
source = "minutes"
class = "S1"
[[case]]
name = "nothing"
on = 2025-01-01
activity = {nothing}
{lookback}
mg = 0
because = "nothing"
"""
_FORMULA = '''"""Made up."""

from carbonhui.methodology.formula import Whole, maximum


def reduction_mg({arguments}, factor: Whole) -> Whole:
    """Made up."""
    return {formula}
'''
_HALF = """
[[evidence_weights]]
says = "Half"
evidence = "self_declared"
numerator = 1
denominator = 2
unit_mg = 1_000
source = "minutes"
"""
_RIDE_CAPS = "".join(
    f'[[caps]]\nsays = "At most"\nfield = "{name}"\nper = "activity"\nmost = {most}\nsource = "minutes"\n'
    for name, most in (("metres", 7_000), ("mg", 330_000))
)
_EXCLUSIONS = """
[[exclusions]]
says = "Own solar power"
code = "own_pv"
source = "minutes"
[[exclusions]]
says = "Third tier"
code = "tier_3"
per = "year"
source = "minutes"
"""
_WINDOW = '[claim_window]\nsays = "In time"\ndays = {days}\nsource = "minutes"\n'


def _field(group: str, name: str, high: int, more: str = "", low: int = 0) -> str:
    return f'[{group}.{name}]\nsays = "{name}"\nunit = "1"\nlow = {low}\nhigh = {high}\n{more}\n'


def _methodology(
    folder: Path, id: str, activity: str, formula: str, text: str, nothing: Mapping[str, int], before: Mapping[str, int] | None = None
) -> methodology.Methodology:
    def table(numbers: Mapping[str, int]) -> str:
        return "{ " + ", ".join(f"{name} = {value}" for name, value in numbers.items()) + " }"

    home = folder / id
    home.mkdir()
    lookback = "lookback = " + table(before) if before else ""
    top = _TOP.format(id=id, activity=activity, nothing=table(nothing), lookback=lookback)
    period, rest = text.split("\n", 1)
    (home / "methodology.toml").write_text(f"{period}\n{top}\n{rest}")
    arguments = ", ".join(f"{name}: Whole" for name in [*nothing, *(before or {})])
    (home / "formula.py").write_text(_FORMULA.format(arguments=arguments, formula=formula))
    return methodology.load(home)


def ride(folder: Path) -> methodology.Methodology:
    fields = _field("fields", "metres", 9_000) + _field("fields", "seconds", 3_600) + _field("fields", "trips", 1)
    formula = "(metres * factor + seconds) * trips // 1_000"
    return _methodology(folder, "ride", "trip", formula, f"\n{fields}{_HALF}{_RIDE_CAPS}", {"metres": 0, "seconds": 0, "trips": 0})


def walk(folder: Path) -> methodology.Methodology:
    return _methodology(
        folder, "walk", "count", "steps * factor // 1_000_000", f"\n{_field('fields', 'steps', 50_000)}{_HALF}", {"steps": 0}
    )


def monthly(folder: Path, id: str, more: str) -> methodology.Methodology:
    fields = _field("fields", "used_wh", 900_000) + _field("fields", "days", 31, low=1)
    lookback = '[lookback.same_month_last_year]\nsays = "before"\nsource = "minutes"\nleast_coverage_percent = 90\n'
    before = "".join(
        _field("lookback_fields", name, high, f'by = "same_month_last_year"\nof = "{of}"', low)
        for name, of, low, high in (("before_wh", "used_wh", 0, 900_000), ("before_days", "days", 1, 31))
    )
    return _methodology(
        folder, id, "reading", "maximum(0, before_wh * days // before_days - used_wh) * factor // 1_000",
        f'period = "month"\n{fields}{lookback}{before}{more}', {"used_wh": 0, "days": 1}, {"before_wh": 0, "before_days": 1},
    )  # fmt: skip


def daily(folder: Path) -> methodology.Methodology:
    fields = _field("fields", "used_wh", 30_000) + _field("fields", "days", 1, low=1)
    lookbacks = (
        '[lookback.city_mean]\nsays = "city"\nsource = "minutes"\nleast_households = 6\nleast_coverage_percent = 90\n'
        '[lookback.mean_of_previous_days]\nsays = "own"\nsource = "minutes"\ndays = 5\nnewest = 2\nleast_days = 4\n'
        "least_coverage_percent = 80\n"
    )
    before = "".join(
        _field("lookback_fields", name, high, f'by = "{by}"\nof = "{of}"', low)
        for name, by, of, low, high in (
            ("city_wh", "city_mean", "used_wh", 0, 30_000), ("own_wh", "mean_of_previous_days", "used_wh", 0, 30_000),
            ("own_days", "mean_of_previous_days", "days", 1, 1),
        )
    )  # fmt: skip
    return _methodology(
        folder, "daily", "reading", "maximum(0, city_wh - used_wh) * factor // 1_000 + maximum(0, own_wh * days // own_days - used_wh)",
        f'period = "day"\n{fields}{lookbacks}{before}{_EXCLUSIONS}{_WINDOW.format(days=670)}', {"used_wh": 0, "days": 1},
        {"city_wh": 0, "own_wh": 0, "own_days": 1},
    )  # fmt: skip


def stretches(*folders: methodology.Methodology, until: date | None = None) -> tuple[Stretch, ...]:
    """The days of each methodology's numbers; the first methodology gives way to the second on ``until``."""
    found = []
    for place, folder in enumerate(folders):
        for period in folder.periods():
            start = max(period.start, until) if until and place else period.start
            end = min(period.end or date.max, until or date.max) if place == 0 else period.end
            if end is None or start < end:
                found.append(Stretch(start, None if end == date.max else end, folder, period.values))
    return tuple(sorted(found, key=lambda stretch: stretch.start))


# The city ----------------------------------------------------------------------------------------


class MadeUpCity:
    """What one seed makes up, and all that an engine is asked about it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random, self.folder = random.Random(seed), folder
        self.links = {scheme: lines(folder / f"{scheme}.csv", self._links(scheme)) for scheme in ("ours", "theirs", "homes")}
        self.ride, self.walk = ride(folder), walk(folder)
        # The second has no weight for what people say themselves, so it does not accept it.
        self.monthly = monthly(folder, "monthly", _EXCLUSIONS + _HALF + _WINDOW.format(days=340)), monthly(folder, "strict", "")
        self.daily = daily(folder)
        self.rides = lake_file(folder, 1, "trip", self._rides("ours"))
        self.other_rides = lake_file(folder, 2, "trip", self._rides("theirs"))
        self.walks = lake_file(folder, 3, "count", self._walks("ours"))
        self.other_walks = lake_file(folder, 4, "count", self._walks("theirs"))
        self.readings = self._readings()
        self.acts, self.periods = list(self._acts()), list(self._periods())

    def answers(self, engine: Engine) -> Iterator[object]:
        """Every answer of an engine, in order."""
        for scheme, path in self.links.items():
            engine.read_links(scheme, path)
        engine.narrow_links("ours", range(5, 25), "some")
        for acts, folder, caps in self.acts:
            yield from self._measured(engine, acts, folder, caps)
        for periods in self.periods:
            counts = engine.sum_periods(periods)
            yield told(counts), rows(engine.household_periods())

    def _acts(self) -> Iterator[tuple[Acts, methodology.Methodology, tuple[PeriodCap, ...]]]:
        declared = lines(self.folder / "declared.csv", ([act.hex()] for act in self._some_acts(self.rides)))
        caps = tuple(
            PeriodCap(per, most, lines(self.folder / f"before-{per}.csv", self._credited(per)))
            for per, most in (("day", 250_000), ("month", 600_000), ("year", 900_000))
        )
        plain = Acts("trip", "bicycle", "ours", (self.rides,))
        yield plain, self.ride, ()
        other = (Other("theirs", (self.other_rides,)),)
        yield Acts("trip", "bicycle", "ours", (self.rides,), other, declared, tolerance_s=300), self.ride, caps
        yield Acts("trip", "bus", "ours", (self.rides,), other), self.ride, caps[2:]
        yield Acts("trip", "bicycle", "some", (self.rides,), other), self.ride, caps[:1]
        yield Acts("count", "walking", "ours", (self.walks,), (Other("theirs", (self.other_walks,)),)), self.walk, caps[1:2]

    def _measured(
        self, engine: Engine, acts: Acts, folder: methodology.Methodology, caps: tuple[PeriodCap, ...]
    ) -> Iterator[object]:
        yield engine.open_acts(acts)
        before, after = stretches(folder)
        # Two parts of a month, then the next month by the next numbers.
        for first, last, stretch, evidence in (
            (date(2025, 3, 26), date(2025, 3, 28), before, "verified"),
            (date(2025, 3, 29), date(2025, 3, 31), before, "self_declared"),
            (date(2025, 4, 1), date(2025, 4, 6), after, "verified"),
        ):
            counts = engine.sum_days(Run(first, last, stretch, evidence, caps))
            yield told(counts), rows(engine.person_days()), engine.persons()

    def _periods(self) -> Iterator[Periods]:
        done = lines(self.folder / "done.csv", self._done())
        files, received = self.readings
        declared = lines(self.folder / "declared-readings.csv", ([act.hex()] for act in self._some_acts(*files)))
        both = stretches(*self.monthly, until=date(2025, 6, 1))
        for evidence, found, out in (("verified", both, None), ("self_declared", both, declared)):
            yield Periods("electricity", "month", "homes", files, received, found, evidence, done, out, date(2025, 11, 30), 61)
        found, asked = stretches(self.daily), ((date(2024, 5, 1), date(2024, 5, 9)), (date(2025, 4, 20), None))
        yield Periods("electricity", "day", "homes", files, received, found, "verified", done, declared, date(2025, 4, 20), 70, asked)

    # What is made up

    def _links(self, scheme: str) -> Iterator[tuple[object, ...]]:
        """Everybody but one; some hand their identifier on to a neighbour, and some consent from a day on or not at all."""
        moods = random.Random(scheme)

        def of(account: int) -> tuple[object, object]:
            since = moods.choice([*[date(2020, 1, 1)] * 7, date(2025, 3, 31), date(2025, 4, 10), None])
            return (account, since) if since else ("", "")

        for number in range(1, 40):
            account = number if scheme != "homes" else 100 + (number // 2 if number < 8 else number)
            moved = self.random.choice([date(2025, 3, 30), date(2025, 4, 1), date(2025, 5, 16), None, None, None])
            holder, since = of(account)
            yield blind(scheme, number).hex(), holder, date(2020, 1, 1), moved or "", since
            if moved is not None and self.random.random() < 0.7:
                holder, since = of(account + 50)
                yield blind(scheme, number).hex(), holder, moved + self.random.choice([0, 1]) * DAY, "", since

    def _rides(self, scheme: str) -> Iterator[dict[str, object]]:
        for number in range(700):
            day = date(2025, 3, 26) + self.random.randrange(12) * DAY
            begin = datetime.combine(day, time(self.random.choice([0, 8, 8, 23]), self.random.randrange(60)))
            begin += timedelta(seconds=self.random.choice([0, 0, 1, 59]))
            lasted = self.random.choice([0, 60, 300, 600, 3_600, 4_000])
            yield {
                "subject": blind(scheme, self.random.randrange(42)), "act": blind(scheme, "ride", number), "day": day,
                "started_at": begin, "ended_at": begin + timedelta(seconds=lasted),
                "utc_offset_minutes": self.random.choice([480, 480, 480, 540, -420]), "seconds": lasted,
                "metres": self.random.choice([None, 0, 1, 6_999, 7_001, 9_000, 9_001, self.random.randrange(9_000)]), "trips": 1,
                "mode": self.random.choice(["bicycle", "bicycle", "bus"]),
            }  # fmt: skip

    def _walks(self, scheme: str) -> Iterator[dict[str, object]]:
        for subject in range(42):
            for number in range(12):
                if self.random.random() < 0.6:
                    yield {
                        "subject": blind(scheme, subject), "act": blind(scheme, subject, number), "mode": self.random.choice(["walking", "walking", "clothes"]),
                        "day": date(2025, 3, 26) + number * DAY,
                        "quantity": self.random.choice([0, 19, 50_000, 50_001, self.random.randrange(50_000)]),
                    }  # fmt: skip

    def _some_acts(self, *files: str) -> list[bytes]:
        acts = [act for file in files for act in parquet.read_table(file)["act"].to_pylist()]
        return [*self.random.sample(acts, len(acts) // 40), blind("nobody's")]

    def _credited(self, per: str) -> Iterator[tuple[object, ...]]:
        starts = {"day": [26, 27, 28, 29, 30, 31], "month": [1], "year": [1]}[per]
        for account in self.random.sample(range(1, 90), 30):
            for start in starts:
                yield account, date(2025, 1 if per == "year" else 3, start), self.random.randrange(1_000_000)

    def _done(self) -> Iterator[tuple[object, ...]]:
        for account in self.random.sample(range(100, 190), 25):
            first = date(2025, self.random.randrange(1, 8), 1)
            yield account, first, first + self.random.choice([0, 15, 27]) * DAY, self.random.randrange(2)

    # Readings

    def _readings(self) -> tuple[tuple[str, ...], tuple[tuple[int, date], ...]]:
        batches: dict[int, list[dict[str, object]]] = {11: [], 12: [], 13: []}
        for number in range(1, 42):
            for row in self._home(number):
                batches[self.random.choice([11, 11, 11, 12, 13])].append(row)
        files = tuple(lake_file(self.folder, batch, "reading", found) for batch, found in batches.items())
        return files, ((11, date(2025, 12, 1)), (12, date(2026, 1, 10)), (13, date(2026, 3, 1)))

    def _home(self, number: int) -> Iterator[dict[str, object]]:
        meter = self._meter(number)
        how = (self._by_day, self._by_month, self._by_bill, self._billed, self._replaced, self._twice)[number % 6]
        for row in how(number, meter):
            if self.random.random() > 0.01:
                yield {"act": blind(number, row["meter"], row["span"], row["started_at"])} | row

    def _meter(self, number: int) -> bytes:
        return blind("meter", number, self.random.random())

    def _row(self, number: int, meter: bytes, span: str, first: date, after: date, used: int, minutes: int) -> dict[str, object]:
        flags = self.random.choices(["", "own_pv", "tier_3", "own_pv tier_3", "own_pv2"], [2_000, 20, 1, 1, 20])[0]
        return {
            "subject": blind("homes", number), "meter": meter, "day": after - DAY,
            "started_at": datetime.combine(first, time()), "ended_at": datetime.combine(after, time()),
            "used": used, "minutes": minutes, "span": span, "flags": flags, "mode": "electricity",
        }  # fmt: skip

    def _by_day(
        self, number: int, meter: bytes, first: date = date(2024, 2, 26), last: date | None = None
    ) -> Iterator[dict[str, object]]:
        """Days, some of them hour by hour; in the end the homes stop one after the other."""
        last = last or date(2025, 4, 10 + number % 10)
        day = first + self.random.randrange(4) * DAY
        while day <= last:
            used = self.random.choice([0, 31_000, *[self.random.randrange(5_000, 12_000)] * 40])
            missing = self.random.choices([0, 3, 12], [40, 1, 1])[0]
            if day.day % 9:
                yield self._row(number, meter, "day", day, day + DAY, used, (24 - missing) * 60)
            else:
                for hour in range(missing, 24):
                    row = self._row(number, meter, "hour", day, day + DAY, used // 24, 60)
                    yield row | {"started_at": datetime.combine(day, time(hour))}
            day += DAY

    def _by_month(self, number: int, meter: bytes) -> Iterator[dict[str, object]]:
        for first, after in _months(1):
            # A tenth of thirty days is 4,320 minutes.
            missing = self.random.choices([0, 4_320, 4_321, -4_320, -4_321, 20_000], [20, 2, 2, 2, 2, 1])[0]
            used = self.random.choice([0, 901_000, *[self.random.randrange(100_000, 300_000)] * 30])
            minutes = (after - first).days * 1_440 - missing
            yield self._row(number, meter, "month", first, after, used, minutes)

    def _by_bill(self, number: int, meter: bytes) -> Iterator[dict[str, object]]:
        first = date(2024, 1, 3)
        while first < date(2025, 12, 1):
            after = first + self.random.randrange(10, 45) * DAY
            yield self._row(number, meter, "bill", first, after, self.random.randrange(300_000), (after - first).days * 1_440)
            first = after + self.random.choices([0, 2], [12, 1])[0] * DAY

    def _billed(self, number: int, meter: bytes) -> Iterator[dict[str, object]]:
        step = self.random.choice([1, 2, 2, 3])
        for first, after in _months(step):
            if self.random.random() < 0.95:
                yield self._row(number, meter, "billed_month", first, after, self.random.randrange(400_000), 0)

    def _replaced(self, number: int, meter: bytes) -> Iterator[dict[str, object]]:
        """One meter until a day, another from the next; sometimes the first is left where it was, and there are two."""
        until = date(2025, self.random.randrange(1, 4), self.random.randrange(1, 28))
        yield from self._by_day(number, meter, last=until if number % 4 else None)
        yield from self._by_day(number, self._meter(number), first=until + DAY)

    def _twice(self, number: int, meter: bytes) -> Iterator[dict[str, object]]:
        """The same meter by days and by months."""
        yield from self._by_day(number, meter)
        yield from self._by_month(number, meter)


def _months(step: int) -> Iterator[tuple[date, date]]:
    """Every so manieth month of two years: its first day, and the first day after it."""
    for number in range(0, 24, step):
        first = date(2024 + number // 12, number % 12 + 1, 1)
        yield first, (first + timedelta(days=31)).replace(day=1)


def told(counts: Counter[str]) -> dict[str, int]:
    """What was counted at all."""
    return {why: count for why, count in sorted(counts.items()) if count}


def rows(blocks: Iterable[pa.RecordBatch]) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for block in blocks for row in block.to_pylist()]


def digest(answers: Iterable[object]) -> str:
    return hashlib.sha256(json.dumps(list(answers), default=str).encode()).hexdigest()
