"""Meter readings: how much was used in a half hour or in a month, in whole watt-hours."""

from datetime import datetime

import duckdb

from carbonhui import privacy
from carbonhui.activity.judging import (
    Rule,
    blind_subjects,
    date_rules,
    identifier_rules,
    impossible,
    judge,
    local_time,
    moved,
    of,
    text,
)
from carbonhui.activity.profile import Profile, ReadingColumns
from carbonhui.core.clock import CITY_TIME

#: What the lake keeps of a reading.
LAKE_COLUMNS = "subject, act, day, started_at, ended_at, wh, readings, span"
#: What two deliveries of one reading must agree in.
CONTENT = "wh, readings"
_NUMBER = r"[0-9]{1,12}(\.[0-9]{1,30})?"
_WHOLE = "[0-9]{1,9}"


def judge_readings(engine: duckdb.DuckDBPyConnection, profile: Profile, key: bytes, now: datetime) -> None:
    """Fill ``judged`` and ``candidate`` from ``received``: which readings are believed by themselves."""
    assert profile.reading is not None
    _parse(engine, profile, profile.reading)
    city_now = now.astimezone(CITY_TIME).replace(tzinfo=None)
    judge(engine, _rules(profile, profile.reading), {"now": city_now})
    blind_subjects(engine, key, profile.scheme)
    engine.execute(_candidates(profile.reading), privacy.sql_words(key, f"{profile.source}.act"))


def _parse(engine: duckdb.DuckDBPyConnection, profile: Profile, reading: ReadingColumns) -> None:
    at, use = of(profile, reading.at), of(profile, reading.use_kwh)
    by_month = reading.span == "month"
    read = local_time(f"({at} || '-01 00:00:00')") if by_month else local_time(at)
    readings = _whole(of(profile, reading.readings)) if reading.readings else "1"
    engine.execute(
        f"""
        CREATE TABLE parsed AS
        SELECT *, started_at + INTERVAL {'1 MONTH' if by_month else '30 MINUTE'} AS ended_at
        FROM (SELECT *, {moved("at_read", profile)} AS started_at
              FROM (SELECT row, code, facts, {of(profile, reading.subject)} AS subject_text, {read} AS at_read,
                           {use} AS use_text, {_watt_hours(use)} AS wh, {readings} AS readings
                    FROM received))
        """
    )


def _watt_hours(column: str) -> str:
    """Whole watt-hours of a number of kWh, digit by digit: no float, and what is finer than 1 Wh is dropped.

    Dropping is not in anybody's favour: the same meter's month a year ago loses as much.
    """
    thousandths = f"rpad(left(split_part({column}, '.', 2), 3), 3, '0')"
    value = f"split_part({column}, '.', 1)::BIGINT * 1000 + {thousandths}::BIGINT"
    return f"CASE WHEN regexp_full_match({column}, {text(_NUMBER)}) THEN {value} END"


def _whole(column: str) -> str:
    return f"CASE WHEN regexp_full_match({column}, {text(_WHOLE)}) THEN {column}::BIGINT END"


def _rules(profile: Profile, reading: ReadingColumns) -> list[Rule]:
    negative = r"-[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?"
    most = profile.limits.most_kwh
    use = {"column": text(reading.use_kwh)}
    return [
        *identifier_rules(reading.subject, "subject_text", "subject_missing"),
        *date_rules(reading.at, "at_read", "started_at", profile),
        impossible(reading.at, "ended_at > $now", "the time it covers is not over", "所涵盖的时段尚未结束"),
        *_span_rules(reading),
        Rule(f"regexp_full_match(use_text, {text(negative)})", "negative_use", use),
        Rule("wh IS NULL", "value_not_a_number", use),
        Rule(f"wh > {most * 1000}", "use_too_high", use | {"most": str(most)}),
    ]


def _span_rules(reading: ReadingColumns) -> list[Rule]:
    """A half hour begins on the half hour; a month says how many readings it has, and no more than fit."""
    if reading.readings is None:
        off = "minute(at_read) % 30 <> 0 OR second(at_read) <> 0"
        return [impossible(reading.at, off, "it is not on the half hour", "不在整点或半点")]
    most = f"{reading.readings_per_day} * day(last_day(at_read))"
    column = {"column": text(reading.readings)}
    return [
        Rule("readings IS NULL", "value_not_a_number", column),
        Rule(
            f"readings NOT BETWEEN 1 AND {most}", "readings_out_of_range", column | {"found": "readings", "most": most}
        ),
    ]


def _candidates(reading: ReadingColumns) -> str:
    """A reading has no number of its own: the subject, the time and the length of time say which one it is."""
    act = privacy.blind_index_sql(f"hex(subject) || ' {reading.span} ' || started_at::VARCHAR")
    return f"""
        CREATE TABLE candidate AS
        SELECT row, subject, {act} AS act, (ended_at - INTERVAL 1 SECOND)::DATE AS day, started_at, ended_at,
               wh, readings::BIGINT AS readings, {text(reading.span)} AS span
        FROM judged JOIN subjects USING (subject_text) WHERE code IS NULL
    """
