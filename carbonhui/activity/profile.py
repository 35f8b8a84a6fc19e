"""What a service institution's file looks like, as data (Article 12)."""

import tomllib
from dataclasses import MISSING, dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from carbonhui.activity.refusals import ProfileInvalid, ProfileUnknown

FOLDER = Path(__file__).parent / "profiles"
#: Columns that our quarantine file puts before the institution's own.
QUARANTINE_COLUMNS = ("row", "code", "sentence", "sentence_zh", "as_received")

Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class TripColumns:
    """Which column says what of one ride. ``times`` is ``local`` or ``offset`` (RFC 3339 with an offset)."""

    key: str
    subject: str
    start: str
    end: str
    times: str
    origin: str
    destination: str


@dataclass(frozen=True, kw_only=True)
class ReadingColumns:
    """Which column says what of one meter reading. ``span`` is ``half_hour`` or ``month``.

    A month counts if at least ``least_coverage_percent`` of its readings are there.
    """

    span: str
    subject: str
    at: str
    use_kwh: str
    readings_per_day: int
    least_coverage_percent: int
    readings: str | None = None


@dataclass(frozen=True, kw_only=True)
class StationColumns:
    """Which column of the station list says what; coordinates are degrees in the named datum."""

    id: str
    latitude: str
    longitude: str
    datum: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is believed of one row; what lies beyond is refused."""

    earliest_day: date
    shortest_s: int = 0
    longest_s: int = 86_400
    fastest_km_per_h: int = 1_000
    most_kwh: int = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How to read one kind of file of one source.

    Two profiles of one ``source`` bring the same acts in two forms, and an act counts
    once. ``moved_years`` are added to every date of demonstration data.
    """

    name: str
    source: str
    kind: str
    says: str
    scheme: str
    methodologies: tuple[str, ...]
    demonstration: bool
    moved_years: int
    columns: tuple[str, ...]
    limits: Limits
    trip: TripColumns | None = None
    reading: ReadingColumns | None = None
    stations: StationColumns | None = None


def profile_names() -> list[str]:
    """The profiles that are installed."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def profile_named(name: str) -> Profile:
    """The installed profile of this name. Raises `ProfileUnknown`, `ProfileInvalid`."""
    if name not in profile_names():
        raise ProfileUnknown(profile=ascii(name)[:60], known=", ".join(profile_names()))
    return read_profile(FOLDER / f"{name}.toml")


def read_profile(path: Path) -> Profile:
    """A profile from its file; an unknown, missing or mistyped key is refused. Raises `ProfileInvalid`."""
    try:
        text: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileInvalid(profile=path.stem, reason=str(error)) from error
    for key, kind in (("trip", TripColumns), ("reading", ReadingColumns), ("stations", StationColumns), ("limits", Limits)):
        if key in text:
            text[key] = _part(path.stem, key, kind, text[key])
    if "name" in text:
        raise ProfileInvalid(profile=path.stem, reason="the file's own name is the profile's name")
    for key in ("columns", "methodologies"):
        text[key] = _texts(path.stem, key, text.get(key))
    profile = _part(path.stem, "profile", Profile, {"name": path.stem} | text)
    _check(profile)
    return profile


def _part(profile: str, where: str, kind: type[Part], values: Any) -> Part:
    if not isinstance(values, dict):
        raise ProfileInvalid(profile=profile, reason=f"{where} is not a table")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    missing = sorted(name for name, field in known.items() if name not in values and field.default is MISSING)
    if unknown or missing:
        raise ProfileInvalid(profile=profile, reason=f"{where}: unknown {unknown}, missing {missing}")
    for name, value in values.items():
        if not _fits(value, known[name].type):
            raise ProfileInvalid(profile=profile, reason=f"{where}.{name} is {value!r}; it must be {known[name].type}")
    return kind(**values)


def _fits(value: object, kind: Any) -> bool:
    """Exactly the type that the field names, so that true is no number; parts were read before."""
    plain = {int: int, str: str, bool: bool, date: date, str | None: str}
    return kind not in plain or type(value) is plain[kind]


def _texts(profile: str, key: str, values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not values or not all(isinstance(value, str) and value for value in values):
        raise ProfileInvalid(profile=profile, reason=f"{key} is not a list of names")
    return tuple(values)


def _check(profile: Profile) -> None:
    """What the parts of a profile must say together."""
    parts = [part for part in (profile.trip, profile.reading, profile.stations) if part is not None]
    named = {value for part in parts[:1] for key, value in vars(part).items() if key not in ("span", "times")}
    reasons = {
        "kind and its table differ": {"trip": profile.trip, "reading": profile.reading}.get(profile.kind) is None,
        "a profile has one of trip and reading": profile.trip is not None and profile.reading is not None,
        "trips need [stations]": profile.trip is not None and profile.stations is None,
        "times is local or offset": profile.trip is not None and profile.trip.times not in ("local", "offset"),
        "span is half_hour or month": profile.reading is not None and profile.reading.span not in ("half_hour", "month"),
        "a month brings its number of readings": profile.reading is not None
        and (profile.reading.span == "month") != (profile.reading.readings is not None),
        "a named column is not among the columns": not {n for n in named if isinstance(n, str)} <= set(profile.columns),
        "a column is named twice": len(set(profile.columns)) < len(profile.columns),
        "a column has a name of the quarantine file": bool(set(profile.columns) & set(QUARANTINE_COLUMNS)),
        "least_coverage_percent is from 1 to 100": profile.reading is not None
        and not 1 <= profile.reading.least_coverage_percent <= 100,
        "only WGS84 coordinates are read": profile.stations is not None and profile.stations.datum != "WGS84",
        "only demonstration data may be moved": profile.moved_years != 0 and not profile.demonstration,
        "moved_years is from 0 to 100": not 0 <= profile.moved_years <= 100,
    }
    for reason, broken in reasons.items():
        if broken:
            raise ProfileInvalid(profile=profile.name, reason=reason)
