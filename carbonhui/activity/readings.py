"""Meter readings and bills: how much was used in what time, in whole small units."""

from carbonhui import privacy
from carbonhui.activity.judging import (
    Rule,
    Work,
    blind,
    identifier_rules,
    judge,
    keep,
    of,
    show_candidates,
    text,
    whole_number,
)
from carbonhui.activity.limits import limit
from carbonhui.activity.profile import SMALL_UNITS, Profile, ReadingColumns
from carbonhui.activity.spans import MINUTES_PER_DAY, minutes, minutes_believed, read_times, time_rules
from carbonhui.activity.units import small_units

#: What two deliveries of one reading must agree in.
CONTENT = ("subject", "ended_at", "used", "minutes", "flags")
#: Of these a household has one, so two without a meter's number are of two meters.
_ONE_A_PERIOD = ("month", "bill", "billed_month")
_NEGATIVE = r"-[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?"


def content(profile: Profile) -> tuple[str, ...]:
    return CONTENT


def may_hide_meters(profile: Profile) -> bool:
    """Whether two contents of one subject and period may be two meters that the file does not tell apart."""
    reading = profile.reading
    return reading is not None and not reading.meter and reading.span in _ONE_A_PERIOD


def judge_readings(work: Work) -> None:
    """Fill ``judged`` and show ``candidate`` from ``received``: which readings are believed by themselves."""
    parse(work)
    blind(work, "subject", work.profile.scheme)
    blind_meters(work)
    judge(work.engine, _rules(work), work.city_now)
    keep(work, _KEPT | {"act_id": f"{act(work.profile)}::UUID"}, "subject", "meter")
    reading = _reading(work.profile)
    show_candidates(work.engine, f"{_CANDIDATE}, {text(reading.span)} AS span, {text(reading.commodity)} AS mode")


def parse(work: Work) -> None:
    """Show ``parsed`` of ``received``."""
    profile, reading = work.profile, _reading(work.profile)
    subject = text(reading.subject_constant) if reading.subject is None else of(profile, reading.subject)
    use = of(profile, reading.use)
    counted = whole_number(of(profile, reading.readings)) if reading.readings else "NULL::BIGINT"
    work.engine.execute(
        f"""
        CREATE VIEW parsed AS
        SELECT *, ({minutes(reading)})::BIGINT AS minutes
        FROM (SELECT row, code, facts, {subject} AS subject_text, {_meter(profile, reading)},
                     {use} AS use_text, {small_units(use, reading.unit, reading.commodity)} AS used,
                     {counted} AS readings, {_flags(profile, reading)} AS flags,
                     {_household(profile, reading)} AS residential, {_guessed(profile, reading)} AS estimated,
                     {read_times(profile, reading)}
              FROM received)
        """
    )


def _reading(profile: Profile) -> ReadingColumns:
    assert profile.reading is not None
    return profile.reading


def _meter(profile: Profile, reading: ReadingColumns) -> str:
    """The meter's number, whole and in the columns of which it is made; '' where the profile names none."""
    columns = [of(profile, column) for column in reading.meter]
    apart = "".join(f", {column} AS meter_{number}" for number, column in enumerate(columns))
    return (f"concat_ws(' ', {', '.join(columns)})" if columns else "''") + f" AS meter_text{apart}"


def _flags(profile: Profile, reading: ReadingColumns) -> str:
    """The codes whose column holds their value, sorted, with a space between."""
    cases = []
    for code in sorted({flag.code for flag in reading.flags}):
        told = [f"{of(profile, flag.column)} = {text(flag.value)}" for flag in reading.flags if flag.code == code]
        cases.append(f"CASE WHEN {' OR '.join(told)} THEN {text(code)} END")
    return f"concat_ws(' ', {', '.join(cases)})" if cases else "''"


def _household(profile: Profile, reading: ReadingColumns) -> str:
    if reading.residential is None:
        return "true"
    return f"{of(profile, reading.residential.column)} IN ({', '.join(map(text, reading.residential.values))})"


def _guessed(profile: Profile, reading: ReadingColumns) -> str:
    if reading.estimated is None:
        return "false"
    column = of(profile, reading.estimated.column)
    told = [f"{column} = {text(value)}" for value in reading.estimated.values]
    told += [f"contains(lower({column}), {text(word.lower())})" for word in reading.estimated.contains]
    return f"({' OR '.join(told)})"


def identity_rules(work: Work) -> list[Rule]:
    """What a row must have so that its act is known."""
    reading = _reading(work.profile)
    rules = [] if reading.subject is None else identifier_rules(reading.subject, "subject_text", "subject_missing")
    for number, column in enumerate(reading.meter):
        rules += identifier_rules(column, f"meter_{number}", "meter_missing")
    return rules + time_rules(work, reading)


def _rules(work: Work) -> list[Rule]:
    reading = _reading(work.profile)
    return [
        *identity_rules(work),
        *_kept_out(reading),
        *_use_rules(work, reading),
    ]


def _kept_out(reading: ReadingColumns) -> list[Rule]:
    """What is no household's measurement, however well it reads."""
    rules = []
    if reading.residential is not None:
        facts = {"column": text(reading.residential.column), "wanted": text(", ".join(reading.residential.values))}
        rules.append(Rule("NOT residential", "not_residential", facts))
    if reading.estimated is not None:
        rules.append(Rule("estimated", "estimated_reading", {"column": text(reading.estimated.column)}))
    return rules


def _use_rules(work: Work, reading: ReadingColumns) -> list[Rule]:
    use = {"column": text(reading.use)}
    most = limit(work.limits, reading.commodity, "most_per_day")
    within = minutes_believed(work, reading)
    # A day's use, rounded up: told of a use above the limit, it is above the limit.
    found = f"(used * {MINUTES_PER_DAY} + {within} - 1) // ({within})"
    unit = text(SMALL_UNITS[reading.commodity])
    return [
        Rule(f"regexp_full_match(use_text, {text(_NEGATIVE)})", "negative_use", use),
        Rule("used IS NULL", "value_not_a_number", use),
        Rule(
            f"used * {MINUTES_PER_DAY} > {most}::BIGINT * ({within})",
            "use_too_high",
            use | {"found": found, "most": str(most), "unit": unit},
        ),
    ]


def blind_meters(work: Work) -> None:
    """Fill ``meters``; where the profile names no meter, the subject stands for it."""
    if _reading(work.profile).meter:
        blind(work, "meter", f"{work.profile.source}.meter")
    else:
        work.engine.execute("CREATE TABLE meters AS SELECT '' AS meter_text, NULL::BLOB AS meter")


def act(profile: Profile) -> str:
    """A reading has no number of its own: the meter, the time and the length of time say which one it is."""
    span = _reading(profile).span
    return privacy.blind_index_sql(f"hex(coalesce(meter, subject)) || ' {span} ' || started_at::VARCHAR")


_KEPT = {
    "subject_id": "subject::UUID",
    "meter_id": "coalesce(meter, subject)::UUID",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "used": "used",
    "minutes": "minutes",
    "flags": "flags",
}
_CANDIDATE = """
subject_id, act_id, meter_id, subject_id::BLOB AS subject, meter_id::BLOB AS meter, act_id::BLOB AS act,
(ended_at - INTERVAL 1 SECOND)::DATE AS day, started_at, ended_at, used, minutes, flags, 0 AS utc_offset_minutes,
epoch_ms(started_at) // 1000 AS from_s, epoch_ms(ended_at) // 1000 AS to_s"""
