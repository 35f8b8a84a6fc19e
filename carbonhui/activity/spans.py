"""What time a reading covers: from ``started_at`` to before ``ended_at``, and how much of it was measured."""

from carbonhui.activity.judging import (
    NOW,
    Rule,
    Work,
    date_rules,
    impossible,
    local_time,
    moved,
    of,
    start_of_day,
    text,
    whole_number,
)
from carbonhui.activity.limits import limit
from carbonhui.activity.profile import Profile, ReadingColumns

MINUTES_PER_DAY = 1440
_LENGTHS = {
    "half_hour": "30 MINUTE", "hour": "1 HOUR", "day": "1 DAY", "month": "1 MONTH", "billed_month": "1 MONTH",
}  # fmt: skip


def read_times(profile: Profile, reading: ReadingColumns) -> str:
    """The columns ``at_read``, ``until_read``, ``billed_days``, ``started_at`` and ``ended_at`` of the staged row."""
    if reading.span == "bill":
        return _bill(profile, reading)
    assert reading.at is not None
    column = of(profile, reading.at)
    if reading.span in ("month", "billed_month"):
        read = local_time(f"({column} || '-01 00:00:00')")
    else:
        read = start_of_day(column) if reading.span == "day" else local_time(column)
    return (
        f"{read} AS at_read, NULL::TIMESTAMP AS until_read, NULL::BIGINT AS billed_days,"
        f" {moved('at_read', profile)} AS started_at, started_at + INTERVAL {_LENGTHS[reading.span]} AS ended_at"
    )


def _bill(profile: Profile, reading: ReadingColumns) -> str:
    """A bill ends before the day on which the meter was read: that day's use stands in the next one."""
    if reading.read_on is not None and reading.billing_days is not None:
        days = whole_number(of(profile, reading.billing_days))
        return (
            f"{_day(of(profile, reading.read_on))} AS at_read, at_read AS until_read, {days} AS billed_days,"
            f" {moved('at_read', profile)} AS ended_at,"
            " CASE WHEN billed_days <= 100000 THEN ended_at - to_days(billed_days::INTEGER) END AS started_at"
        )
    assert reading.start is not None
    assert reading.end is not None
    return (
        f"{_day(of(profile, reading.start))} AS at_read, {_day(of(profile, reading.end))} AS until_read,"
        f" {moved('at_read', profile)} AS started_at, {moved('until_read', profile)} AS ended_at,"
        " datediff('day', started_at, ended_at) AS billed_days"
    )


def _day(column: str) -> str:
    return f"date_trunc('day', {start_of_day(column)})"


def minutes(reading: ReadingColumns) -> str:
    """How many minutes were really measured; of a time that is not known, none."""
    if reading.span == "billed_month":
        return "0"
    if reading.readings is None or reading.readings_per_day is None:
        return "datediff('minute', started_at, ended_at)"
    return f"readings * {MINUTES_PER_DAY // reading.readings_per_day}"


def time_rules(work: Work, reading: ReadingColumns) -> list[Rule]:
    """The time exists, is over, and is of the length that its span says."""
    over = ("the time it covers is not over", "所涵盖的时段尚未结束")
    if reading.span == "bill":
        return _bill_rules(work, reading, over)
    assert reading.at is not None
    return [
        *date_rules(reading.at, "at_read", "started_at", work.profile),
        impossible(reading.at, f"ended_at > {NOW}", *over),
        *_beginning_rules(reading.at, reading.span),
        *_coverage_rules(reading),
    ]


def _beginning_rules(column: str, span: str) -> list[Rule]:
    off = {
        "half_hour": ("minute(at_read) % 30 <> 0 OR second(at_read) <> 0", "it is not on the half hour", "不在整点或半点"),
        "hour": ("minute(at_read) <> 0 OR second(at_read) <> 0", "it is not on the hour", "不在整点"),
        "day": ("at_read <> date_trunc('day', at_read)", "the day does not begin at midnight", "不是从零点开始"),
    }
    return [impossible(column, *off[span])] if span in off else []


def _coverage_rules(reading: ReadingColumns) -> list[Rule]:
    """A day or month says how many readings it has, and no more than fit."""
    if reading.readings is None:
        return []
    most = f"{reading.readings_per_day} * datediff('day', started_at, ended_at)"
    column = {"column": text(reading.readings)}
    return [
        Rule("readings IS NULL", "value_not_a_number", column),
        Rule(f"readings NOT BETWEEN 1 AND {most}", "readings_out_of_range", column | {"found": "readings", "most": most}),
    ]


def _bill_rules(work: Work, reading: ReadingColumns, over: tuple[str, str]) -> list[Rule]:
    first = reading.start or reading.read_on
    last = reading.end or reading.read_on
    assert first is not None
    assert last is not None
    begins = "started_at" if reading.start else "ended_at"
    rules = date_rules(first, "at_read", begins, work.profile)
    if reading.start is not None:
        rules += date_rules(last, "until_read", "ended_at", work.profile)
    if reading.billing_days is not None:
        rules.append(Rule("billed_days IS NULL", "value_not_a_number", {"column": text(reading.billing_days)}))
    least = limit(work.limits, reading.commodity, "bill_shortest_days")
    most = limit(work.limits, reading.commodity, "bill_longest_days")
    return [
        *rules,
        impossible(last, f"ended_at > {NOW}", *over),
        Rule(f"billed_days < {least}", "bill_too_short", {"found": "billed_days", "least": str(least)}),
        Rule(f"billed_days > {most}", "bill_too_long", {"found": "billed_days", "most": str(most)}),
    ]


def minutes_believed(work: Work, reading: ReadingColumns) -> str:
    """Minutes in which the use may have been: of a month that only was billed, those of the longest bill."""
    if reading.span == "billed_month":
        return str(limit(work.limits, reading.commodity, "bill_longest_days") * MINUTES_PER_DAY)
    return "datediff('minute', started_at, ended_at)"
