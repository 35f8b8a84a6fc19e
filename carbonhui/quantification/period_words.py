"""The statements that measure readings: a household's month or day against what it is compared with.

A household is an account; its use of a period is the sum of the meters that it held on
the days themselves. So two meters add up, a meter that took another's place goes on
where that stopped, and who moved in has no history of the one who moved out.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from carbonhui.quantification.jobs import Periods
from carbonhui.quantification.ride_words import CONSENTING, LINKED
from carbonhui.quantification.versions import Stretch
from carbonhui.quantification.words import Words, day, text

MINUTES_PER_DAY = 1_440
#: Spans whose readings fill a day or less; the others are sums over more days.
INTERVALS = ("half_hour", "hour", "day")
Rows = Callable[[str], list[tuple[Any, ...]]]


def steps(periods: Periods, words: Words, links: str, rows: Rows) -> Iterator[tuple[str, str]]:
    """The tables from the lake to ``answered``, one after the other; each may ask what was made before it."""
    codes = _codes(periods)
    yield "readings", _readings(periods)
    yield "days", _days(codes)
    yield "sums", _sums(periods, words, codes)
    if periods.period == "month":
        yield "calendar", _calendar(rows)
        yield "pieces", _pieces(words, codes)
        yield "held", _held(links, codes, "pieces")
        yield "household", _months(words, codes)
    else:
        yield "held", _held(links, codes, "(SELECT *, first_day AS month, 'interval' AS form FROM days)")
        yield "household", _household(words, codes, "held", "first_day")
    yield "received", _received(periods)
    yield "waiting", _waiting(periods, codes)
    yield "answered", " UNION ALL ".join(_answered(periods, words, codes))


def _codes(periods: Periods) -> list[str]:
    """The codes of everybody whom some methodology excludes."""
    return sorted({one.code for stretch in periods.stretches for one in stretch.methodology.exclusions})


def _flags(codes: list[str], how: str) -> str:
    return "".join(f", {how.format(code=code)} AS flag_{code}" for code in codes)


def _readings(periods: Periods) -> str:
    """The commodity's rows, without those that are used in another mechanism."""
    declared = " AND NOT EXISTS (SELECT 1 FROM declared WHERE declared.act = lake.act)" if periods.declared else ""
    return f"SELECT * FROM lake WHERE mode = {text(periods.commodity)}{declared}"


_FLAG = "max(CASE WHEN instr(concat(' ', flags, ' '), ' {code} ') > 0 THEN 1 ELSE 0 END)"


def _days(codes: list[str]) -> str:
    """What each meter counted on each day of which it sent readings."""
    return f"""
        SELECT subject, meter, day AS first_day, day AS last_day, CAST(sum(used) AS BIGINT) AS used,
               CAST(sum(minutes) AS BIGINT) AS minutes, max(batch_id) AS batch_id{_flags(codes, _FLAG)}
        FROM readings WHERE span IN ({', '.join(map(text, INTERVALS))})
        GROUP BY subject, meter, day
    """


def _sums(periods: Periods, words: Words, codes: list[str]) -> str:
    """Sums over more days: months, bills, and bills of which only the month is known.

    Such a bill is taken to begin where the one before it ended. That is believed only
    where the bill before or the one after it is as far apart as well, and up to the
    longest that a bill may stand for; a bill that is missing would stretch the next.
    Of the others the period is unknown.
    """
    flags = _flags(codes, _FLAG.removeprefix("max(").removesuffix(")"))
    columns = f"subject, meter, day AS last_day, used, minutes, batch_id, span{flags}"
    month = "extract(YEAR FROM started_at) * 12 + extract(MONTH FROM started_at)"
    # No two rows are the same act, so every engine finds the same order.
    ordered = "OVER (PARTITION BY subject, meter ORDER BY started_at, ended_at, act)"
    even = "(month - lag_1 = lag_1 - lag_2 OR month - lag_1 = lead_1 - month)"
    believed = f"{even} AND {words.days_between.format('began', 'day')} BETWEEN 0 AND {periods.longest_days} - 1"
    return f"""
        SELECT *, {words.days_between.format('first_day', 'last_day')} + 1 AS days FROM (
            SELECT {columns}, CAST(started_at AS DATE) AS first_day FROM readings WHERE span IN ('month', 'bill')
            UNION ALL
            SELECT {columns}, CASE WHEN {believed} THEN began END AS first_day
            FROM (SELECT *, lag(month) {ordered} AS lag_1, lag(month, 2) {ordered} AS lag_2,
                         lead(month) {ordered} AS lead_1,
                         CAST(lag(ended_at) {ordered} AS DATE) AS began
                  FROM (SELECT *, {month} AS month FROM readings WHERE span = 'billed_month') AS billed) AS lagged
        ) AS summed
    """


def _calendar(rows: Rows) -> str:
    """The months from the first to the last of the sums."""
    ((first, last),) = rows("SELECT min(first_day), max(last_day) FROM sums")
    months = []
    month = (first or date(2000, 1, 1)).replace(day=1)
    while month <= (last or date(2000, 1, 1)):
        following = (month + timedelta(days=31)).replace(day=1)
        months.append(f"({day(month)}, {day(following - timedelta(days=1))})")
        month = following
    return f"SELECT * FROM (VALUES {', '.join(months)}) AS v (month, month_end)"


def _pieces(words: Words, codes: list[str]) -> str:
    """Every meter's use by calendar month: days as they are, sums split by days so that their parts make the whole."""
    names = "".join(f", flag_{code}" for code in codes)
    before = words.days_between.format("first_day", "low")
    through = f"{words.days_between.format('first_day', 'high')} + 1"
    upto = words.quotient(f"(used * ({through}))", "days")
    part = f"{upto} - {words.quotient(f'(used * ({before}))', 'days')}"
    whole = f"({words.days_between.format('low', 'high')} + 1) * {MINUTES_PER_DAY}"
    return f"""
        SELECT subject, meter, first_day, last_day, used, minutes, batch_id{names},
               CAST(date_trunc('month', first_day) AS DATE) AS month, 'interval' AS form
        FROM days
        UNION ALL
        SELECT subject, meter, low AS first_day, high AS last_day, CAST({part} AS BIGINT) AS used,
               CAST(CASE WHEN span = 'month' THEN minutes ELSE {whole} END AS BIGINT) AS minutes, batch_id{names},
               month, 'sum' AS form
        FROM (SELECT sums.*, month, CASE WHEN first_day > month THEN first_day ELSE month END AS low,
                     CASE WHEN last_day < month_end THEN last_day ELSE month_end END AS high
              FROM sums JOIN calendar ON first_day <= month_end AND last_day >= month) AS split
    """


def _held(links: str, codes: list[str], pieces: str) -> str:
    """Each piece with the account that held the meter on all its days and consents to them; none: nobody did, or does."""
    names = "".join(f", p.flag_{code} AS flag_{code}" for code in codes)
    return f"""
        SELECT {CONSENTING.format('p.first_day')} AS account_id, {LINKED} AS linked, p.subject AS subject, p.meter AS meter, p.first_day AS first_day, p.last_day AS last_day,
               p.month AS month, p.form AS form, p.used AS used, p.minutes AS minutes, p.batch_id AS batch_id{names}
        FROM {pieces} AS p LEFT JOIN {links} AS held
             ON held.subject = p.subject AND p.first_day >= held.valid_from
                AND (p.last_day < held.valid_to OR held.valid_to IS NULL)
    """


def _months(words: Words, codes: list[str]) -> str:
    """Households' months; where one came in intervals and as a sum, the form with more minutes, of equal ones the intervals."""
    by_form = f"""
        SELECT account_id, meter, month, form, CAST(sum(used) AS BIGINT) AS used, CAST(sum(minutes) AS BIGINT) AS minutes,
               max(batch_id) AS batch_id{_flags(codes, 'max(flag_{code})')}
        FROM held WHERE account_id IS NOT NULL GROUP BY account_id, meter, month, form
    """
    best = f"""(SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY account_id, meter, month ORDER BY minutes DESC, form) AS place
                FROM ({by_form}) AS forms) AS placed WHERE place = 1)"""
    return _household(words, codes, best, "month")


def _household(words: Words, codes: list[str], rows: str, first: str) -> str:
    """What a household used in a period, of how many days, with how many meters.

    ``meters`` is how often its minutes fill the period, rounded to the nearest, at
    least one: two meters side by side are two, one after the other are one.
    """
    last = "last_day(first_day)" if first == "month" else "first_day"
    full = f"(days * {MINUTES_PER_DAY})"
    filled = words.quotient(f"(2 * minutes + {full})", f"(2 * {full})")
    names = "".join(f", flag_{code}" for code in codes)
    yearly = "".join(
        f", max(flag_{code}) OVER (PARTITION BY account_id, CAST(date_trunc('year', first_day) AS DATE)) AS year_{code}"
        for code in codes
    )
    return f"""
        SELECT account_id, first_day, last_day, CAST(days AS BIGINT) AS days, used, minutes, batch_id{names}{yearly},
               CASE WHEN {filled} < 1 THEN 1 ELSE {filled} END AS meters
        FROM (SELECT *, {words.days_between.format('first_day', 'last_day')} + 1 AS days
              FROM (SELECT *, {last} AS last_day
                    FROM (SELECT account_id, {first} AS first_day, CAST(sum(used) AS BIGINT) AS used,
                                 CAST(sum(minutes) AS BIGINT) AS minutes, max(batch_id) AS batch_id{_flags(codes, 'max(flag_{code})')}
                          FROM {rows} AS parts WHERE account_id IS NOT NULL GROUP BY account_id, {first}) AS added) AS ended) AS dated
    """


def _received(periods: Periods) -> str:
    rows = ", ".join(f"(CAST({batch} AS BIGINT), {day(received)})" for batch, received in periods.received)
    return f"SELECT * FROM (VALUES {rows}) AS v (batch_id, received_on)"


def _waiting(periods: Periods, codes: list[str]) -> str:
    """The periods that this source's readings were not measured for yet; ``taken``: another source's were."""
    overlapping = "done.account_id = h.account_id AND done.first_day <= h.last_day AND done.last_day >= h.first_day"
    return f"""
        SELECT h.*, received_on,
               CASE WHEN EXISTS (SELECT 1 FROM done WHERE {overlapping}) THEN 1 ELSE 0 END AS taken
        FROM household AS h JOIN received ON received.batch_id = h.batch_id
        WHERE {_asked(periods, 'h.last_day')}
          AND NOT EXISTS (SELECT 1 FROM done WHERE {overlapping} AND own = 1)
    """


def _asked(periods: Periods, last_day: str) -> str:
    """`Periods.asks` of a column."""
    parts = [f"{last_day} <= {day(periods.through)}"]
    for first, end in periods.not_asked:
        parts.append(f"NOT ({last_day} >= {day(first)}{f' AND {last_day} < {day(end)}' if end else ''})")
    return " AND ".join(parts)


def _answered(periods: Periods, words: Words, codes: list[str]) -> Iterator[str]:
    """Every waiting period with its milligrams, or the reason why it has none."""
    columns = "account_id, first_day, last_day, batch_id, stretch, lacking"
    covered = []
    for number, stretch in enumerate(periods.stretches):
        within = _within(stretch)
        covered.append(within)
        accepted = stretch.methodology.weight_for(periods.evidence) is not None
        rows = f"({_compared(stretch, accepted, number, words, within)})"
        evidence = periods.evidence if accepted else "verified"
        yield stretch.sql(columns, rows, _given(stretch), evidence, words.formula)
    uncovered = " AND ".join(f"NOT ({within})" for within in covered) or "1 = 1"
    yield (
        "SELECT account_id, first_day, last_day, batch_id, -1 AS stretch, 'no_version_on_day' AS lacking,"
        f" CAST(NULL AS BIGINT) AS mg FROM waiting AS now WHERE {uncovered}"
    )


def _within(stretch: Stretch) -> str:
    until = f" AND now.last_day < {day(stretch.end)}" if stretch.end else ""
    return f"now.last_day >= {day(stretch.start)}{until}"


#: By which column of the compared rows the host gives a lookback's amount, and its days.
_LOOKED_BACK = {"same_month_last_year": "before", "mean_of_previous_days": "mean", "city_mean": "city"}


def _given(stretch: Stretch) -> dict[str, str]:
    given = {name: "days" if name == "days" else "used" for name in stretch.methodology.fields}
    for name, field in stretch.methodology.lookback_fields.items():
        assert field.by is not None
        given[name] = f"{_LOOKED_BACK[field.by]}_{'days' if field.of == 'days' else 'used'}"
    return given


def _compared(stretch: Stretch, accepted: bool, number: int, words: Words, within: str) -> str:
    """The waiting periods of a stretch beside what they are compared with."""
    joins, columns, reasons = [], [], _own_reasons(stretch, accepted, words)
    for name, lookback in stretch.methodology.lookbacks.items():
        join, column, more = _LOOKBACKS[name](lookback.settings, words)
        joins.append(join)
        columns.append(column)
        reasons += more
    lacking = " ".join(f"WHEN {when} THEN {text(why)}" for when, why in reasons)
    return (
        f"SELECT now.*, CAST({number} AS BIGINT) AS stretch, {', '.join(columns)}, CASE {lacking} END AS lacking"
        f" FROM waiting AS now {' '.join(joins)} WHERE {within}"
    )


def _own_reasons(stretch: Stretch, accepted: bool, words: Words) -> list[tuple[str, str]]:
    """Why a period is not measured, whatever it would be compared with."""
    folder = stretch.methodology
    reasons = [("now.taken = 1", "claimed_before")]
    if not accepted:
        reasons.append(("1 = 1", "evidence_not_accepted"))
    if folder.claim_window is not None:
        late = words.days_between.format("now.last_day", "now.received_on")
        reasons.append((f"{late} > {folder.claim_window.days}", "claim_window_over"))
    for one in folder.exclusions:
        reasons.append((f"now.{'year' if one.per == 'year' else 'flag'}_{one.code} = 1", f"excluded_{one.code}"))
    least = max(lookback.settings["least_coverage_percent"] for lookback in folder.lookbacks.values())
    return [*reasons, (f"NOT ({_covered('now', least)})", "coverage_too_low")]


def _covered(name: str, least: int) -> str:
    """Enough minutes for the meters that there are, and not so many that there may be one more."""
    full = f"{name}.meters * {name}.days * {MINUTES_PER_DAY}"
    return f"{name}.minutes * 100 BETWEEN {full} * {least} AND {full} * {200 - least}"


Looked = tuple[str, str, list[tuple[str, str]]]


def _same_month_last_year(settings: dict[str, int], words: Words) -> Looked:
    join = (
        "LEFT JOIN household AS past ON past.account_id = now.account_id"
        " AND past.first_day = CAST(now.first_day - INTERVAL 1 YEAR AS DATE)"
    )
    reasons = [
        ("past.account_id IS NULL", "no_history"),
        (f"NOT ({_covered('past', settings['least_coverage_percent'])})", "coverage_too_low"),
        ("past.meters <> now.meters", "meters_differ"),
    ]
    return join, "past.used AS before_used, past.days AS before_days", reasons


def _mean_of_previous_days(settings: dict[str, int], words: Words) -> Looked:
    oldest = settings["newest"] + settings["days"] - 1
    join = f"""
        LEFT JOIN (SELECT n.account_id, n.last_day, count(*) AS found, CAST(sum(past.used) AS BIGINT) AS used
                   FROM waiting AS n JOIN household AS past
                        ON past.account_id = n.account_id AND past.meters = n.meters
                           AND past.last_day >= {words.day_after.format('n.last_day', -oldest)}
                           AND past.last_day <= {words.day_after.format('n.last_day', -settings['newest'])}
                   WHERE {_covered('past', settings['least_coverage_percent'])}
                   GROUP BY n.account_id, n.last_day) AS mean
        ON mean.account_id = now.account_id AND mean.last_day = now.last_day"""
    enough = f"coalesce(mean.found, 0) < {settings['least_days']}"
    mean = words.quotient("mean.used", "mean.found")
    return join, f"CASE WHEN mean.found > 0 THEN {mean} END AS mean_used, 1 AS mean_days", [(enough, "no_history")]


def _city_mean(settings: dict[str, int], words: Words) -> Looked:
    mean = words.quotient("CAST(sum(c.used) AS BIGINT)", "count(*)")
    join = f"""
        LEFT JOIN (SELECT c.last_day, count(*) AS found, {mean} AS used FROM household AS c
                   WHERE {_covered("c", settings['least_coverage_percent'])} GROUP BY c.last_day) AS city
        ON city.last_day = now.last_day"""
    enough = f"coalesce(city.found, 0) < {settings['least_households']}"
    return join, "city.used AS city_used, 1 AS city_days", [(enough, "no_city_mean")]


_LOOKBACKS: dict[str, Callable[[dict[str, int], Words], Looked]] = {
    "same_month_last_year": _same_month_last_year,
    "mean_of_previous_days": _mean_of_previous_days,
    "city_mean": _city_mean,
}


def counts(periods: Periods) -> list[str]:
    """Statements whose rows are reasons and how many periods or rows they stand for."""
    asked = _asked(periods, "last_day")
    found = [
        "SELECT CASE WHEN lacking IS NOT NULL THEN lacking WHEN mg IS NULL THEN 'out_of_range' WHEN mg = 0 THEN 'zero'"
        " ELSE 'measured' END AS why, count(*) FROM answered GROUP BY 1",
        "SELECT CASE WHEN linked THEN 'no_consent' ELSE 'unlinked' END AS why, count(*)"
        " FROM (SELECT DISTINCT subject, meter, month, linked FROM held"
        f" WHERE account_id IS NULL AND {asked}) AS nobodys GROUP BY 1",
    ]
    if periods.period == "month":
        found.append(f"SELECT 'period_unknown', count(*) FROM sums WHERE first_day IS NULL AND {asked}")
    else:
        found.append(f"SELECT 'no_daily_readings', count(*) FROM sums WHERE {asked}")
    if periods.declared is not None:
        found.append(
            f"SELECT 'used_elsewhere', count(*) FROM lake JOIN declared ON declared.act = lake.act WHERE mode = {text(periods.commodity)}"
        )
    return found


TOTALS = """
SELECT CAST(coalesce(sum(mg), 0) AS BIGINT), count(DISTINCT account_id) FROM answered WHERE lacking IS NULL AND mg > 0
"""
ANSWERS = """
SELECT account_id, first_day, last_day, stretch, mg, batch_id FROM answered
WHERE lacking IS NULL AND mg IS NOT NULL ORDER BY account_id, first_day
"""
