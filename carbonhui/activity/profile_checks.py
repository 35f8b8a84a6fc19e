"""What the parts of a profile must say together: the first contradiction is told."""

import re
from collections.abc import Iterator

from carbonhui.activity.profile import (
    COUNT_MODES,
    LAKE_KINDS,
    NEM_COLUMNS,
    QUARANTINE_COLUMNS,
    SMALL_UNITS,
    TRIP_MODES,
    CountColumns,
    Profile,
    ReadingColumns,
    SwipeColumns,
    TripColumns,
)
from carbonhui.activity.units import UNITS

EVIDENCE = ("verified", "self_declared")
FORMS = ("table", "nem12", "nem13")
TIMES = ("local", "offset")
SPANS = ("half_hour", "hour", "day", "month", "bill", "billed_month")
DATUMS = ("WGS84", "GCJ-02")
MINUTES_PER_DAY = 1440
#: Source and scheme stand in the names of folders and of blind indexes.
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def disagreement(profile: Profile, other: Profile) -> str | None:
    """The name of what two profiles of one source say differently of their acts."""
    if profile.source != other.source:
        return None
    differing = (
        name
        for name in ("lake_kind", "scheme", "methodologies", "moved_years", "demonstration")
        if getattr(profile, name) != getattr(other, name)
    )
    return next(differing, None)


def wrong_with(profile: Profile) -> str | None:
    """Why this profile cannot be used, or None."""
    return next((reason for reason, broken in _contradictions(profile) if broken), None)


def _contradictions(profile: Profile) -> Iterator[tuple[str, bool]]:
    yield "kind is trip, swipe, reading or count", profile.kind not in LAKE_KINDS
    parts = {kind: getattr(profile, kind) for kind in LAKE_KINDS if getattr(profile, kind) is not None}
    yield "kind and its table differ: a profile has exactly the table of its kind", list(parts) != [profile.kind]
    yield "source is of small letters, digits and . _ -", not _PLAIN.fullmatch(profile.source)
    yield "scheme is of small letters, digits and . _ -", not _PLAIN.fullmatch(profile.scheme)
    yield "evidence is verified or self_declared", profile.evidence not in EVIDENCE
    yield "form is table, nem12 or nem13", profile.form not in FORMS
    yield "only demonstration data may be moved", profile.moved_years != 0 and not profile.demonstration
    yield "moved_years is from 0 to 100", not 0 <= profile.moved_years <= 100
    yield from _column_contradictions(profile)
    if profile.trip is not None:
        yield from _trip_contradictions(profile.trip, profile)
    if profile.swipe is not None:
        yield from _swipe_contradictions(profile.swipe, profile)
    if profile.reading is not None:
        yield from _reading_contradictions(profile.reading, profile)
    if profile.count is not None:
        yield from _count_contradictions(profile.count, profile)
    yield "datum is WGS84 or GCJ-02", profile.stations is not None and profile.stations.datum not in DATUMS
    yield from _methodology_contradictions(profile)


def _column_contradictions(profile: Profile) -> Iterator[tuple[str, bool]]:
    yield "a column is named twice", len(set(profile.columns)) < len(profile.columns)
    yield "a column has a name of the quarantine file", bool(set(profile.columns) & set(QUARANTINE_COLUMNS))
    missing = sorted(set(_named_columns(profile)) - set(profile.columns))
    yield f"{', '.join(missing)} is a named column that is not among the columns", bool(missing)
    nem = profile.form != "table"
    yield "the forms nem12 and nem13 bring readings", nem and profile.kind != "reading"
    yield f"the columns of the form {profile.form} are {', '.join(NEM_COLUMNS)}", nem and profile.columns != NEM_COLUMNS


_COLUMN_KEYS = (
    "key", "subject", "start", "end", "origin", "destination", "metres", "mode_column", "at", "kind_column", "station",
    "use", "meter", "read_on", "billing_days", "readings", "day", "quantity",
)  # fmt: skip


def _named_columns(profile: Profile) -> Iterator[str]:
    """Every column that some part of the profile speaks of."""
    part = getattr(profile, profile.kind)
    for key in _COLUMN_KEYS:
        value = getattr(part, key, None)
        yield from ((value,) if isinstance(value, str) else value or ())
    named = [profile.elsewhere]
    if profile.reading is not None:
        named += [profile.reading.residential, profile.reading.estimated, *profile.reading.flags]  # type: ignore[list-item]
    yield from (one.column for one in named if one is not None)


def _trip_contradictions(trip: TripColumns, profile: Profile) -> Iterator[tuple[str, bool]]:
    yield "times is local or offset", trip.times not in TIMES
    yield "a trip has an origin and a destination, or neither", (trip.origin is None) != (trip.destination is None)
    yield "origin and destination need [stations], and [stations] needs them", (trip.origin is None) != (
        profile.stations is None
    )
    yield "a distance is measured or taken from stations, not both", trip.metres is not None and trip.origin is not None
    yield "a distance needs an end, so that its speed can be judged", trip.end is None and (
        trip.metres is not None or trip.origin is not None
    )
    yield "a trip has mode, or mode_column and [trip.modes]", (
        (trip.mode is None) == (trip.mode_column is None) or (trip.mode_column is None) != (not trip.modes)
    )
    yield f"the modes of trips are {', '.join(TRIP_MODES)}", not set(profile.modes) <= set(TRIP_MODES)


def _swipe_contradictions(swipe: SwipeColumns, profile: Profile) -> Iterator[tuple[str, bool]]:
    kinds = [value for value in (swipe.entry, swipe.exit, swipe.boarding) if value is not None]
    yield "times is local or offset", swipe.times not in TIMES
    yield "swipes need [stations]", profile.stations is None
    yield "entry, exit and boarding are different values", len(set(kinds)) < len(kinds)
    yield "boarding and boarding_mode come together", (swipe.boarding is None) != (swipe.boarding_mode is None)
    yield f"the modes of trips are {', '.join(TRIP_MODES)}", not set(profile.modes) <= set(TRIP_MODES)


def _reading_contradictions(reading: ReadingColumns, profile: Profile) -> Iterator[tuple[str, bool]]:
    yield f"commodity is {', '.join(SMALL_UNITS)}", reading.commodity not in SMALL_UNITS
    yield f"span is {', '.join(SPANS)}", reading.span not in SPANS
    yield "a reading has subject or subject_constant", (reading.subject is None) == (reading.subject_constant is None)
    yield "subject_constant is for demonstration data only", (
        reading.subject_constant is not None and not profile.demonstration
    )
    yield from _time_contradictions(reading)
    known = sorted(unit for unit, commodity in UNITS if commodity == reading.commodity)
    yield f"the units of {reading.commodity} are {', '.join(known)}", reading.unit not in known
    estimated = reading.estimated
    yield "[reading.estimated] has values or contains", estimated is not None and not (estimated.values or estimated.contains)
    yield "a flag's code is of small letters, digits and _", not all(_CODE.fullmatch(flag.code) for flag in reading.flags)
    yield "readings do not come from stations", profile.stations is not None


def _time_contradictions(reading: ReadingColumns) -> Iterator[tuple[str, bool]]:
    times = ("at", "start", "end", "read_on", "billing_days")
    given = {name for name in times if getattr(reading, name) is not None}
    if reading.span == "bill":
        yield "a bill has start and end, or read_on and billing_days", given not in (
            {"start", "end"}, {"read_on", "billing_days"},
        )  # fmt: skip
    else:
        yield f"the span {reading.span} has at and no other time", given != {"at"}
    counted = reading.readings is not None
    yield "readings and readings_per_day come together", counted != (reading.readings_per_day is not None)
    yield "only a day or a month is counted in readings", counted and reading.span not in ("day", "month")
    yield "readings_per_day divides the 1440 minutes of a day", (
        reading.readings_per_day is not None
        and (reading.readings_per_day < 1 or MINUTES_PER_DAY % reading.readings_per_day != 0)
    )


def _count_contradictions(count: CountColumns, profile: Profile) -> Iterator[tuple[str, bool]]:
    yield f"the modes of counts are {', '.join(COUNT_MODES)}", count.mode not in COUNT_MODES
    yield "counts do not come from stations", profile.stations is not None


def _methodology_contradictions(profile: Profile) -> Iterator[tuple[str, bool]]:
    found, wanted = sorted(profile.methodologies), list(profile.modes)
    yield f"[methodologies] has exactly the modes {', '.join(wanted)}", found != wanted
    repeated = any(len(set(ids)) < len(ids) for ids in profile.methodologies.values())
    yield "a methodology is named twice for one mode", repeated
