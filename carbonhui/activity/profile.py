"""What a service institution's file looks like, as data (Article 12).

``profile_files`` reads these from TOML and ``profile_checks`` says what the parts must say together.
"""

from dataclasses import dataclass, field
from datetime import date

#: Columns that our quarantine file puts before the institution's own.
QUARANTINE_COLUMNS = ("row", "code", "sentence", "sentence_zh", "as_received")
#: What the reader of meter files (NEM12, NEM13) makes of each meter's day or period.
NEM_COLUMNS = (
    "nmi", "register", "suffix", "meter_serial", "unit", "start", "end", "value", "minutes", "quality", "export",
)  # fmt: skip
#: What the lake keeps of each kind of profile.
LAKE_KINDS = {"trip": "trip", "swipe": "trip", "reading": "reading", "count": "count"}
TRIP_MODES = ("bicycle", "metro", "bus", "ev")
#: The whole small unit of each commodity.
SMALL_UNITS = {"electricity": "Wh", "water": "litre", "gas": "dm3"}
COUNT_MODES = ("walking", "clothes", "building")


@dataclass(frozen=True, kw_only=True)
class TripColumns:
    """Which column says what of one ride. ``times`` is ``local`` or ``offset`` (RFC 3339 with an offset).

    The distance is measured (``metres``), the straight line between two stations, or
    unknown. The mode is one for all rows, or said by a column whose values ``modes`` names.
    """

    key: str
    subject: str
    start: str
    times: str
    end: str | None = None
    origin: str | None = None
    destination: str | None = None
    metres: str | None = None
    mode: str | None = None
    mode_column: str | None = None
    modes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SwipeColumns:
    """Which column says what of one swipe of a card at a gate or on a bus.

    ``entry``, ``exit`` and ``boarding`` are values of ``kind_column``. The columns of
    ``key`` together tell one swipe from every other.
    """

    subject: str
    at: str
    times: str
    kind_column: str
    station: str
    entry: str
    exit: str
    ride_mode: str
    key: tuple[str, ...]
    boarding: str | None = None
    boarding_mode: str | None = None


@dataclass(frozen=True, kw_only=True)
class OneOf:
    """Rows whose column holds one of these values."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """Rows that are no measurement: their column holds one of the values, or one of the words anywhere in it."""

    column: str
    values: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Flag:
    """Rows whose column holds this value carry the code, which a methodology may exclude."""

    column: str
    value: str
    code: str


@dataclass(frozen=True, kw_only=True)
class ReadingColumns:
    """Which column says what of one meter reading or bill.

    ``span`` says how long a time it covers: ``half_hour``, ``hour``, ``day``, ``month``
    (from ``at`` on), ``bill`` (``start`` to before ``end``, or the ``billing_days``
    before ``read_on``), or ``billed_month`` (only the month in which it was billed).
    ``readings`` is how many of ``readings_per_day`` a day there really are.
    """

    commodity: str
    span: str
    use: str
    unit: str
    subject: str | None = None
    subject_constant: str | None = None
    meter: tuple[str, ...] = ()
    at: str | None = None
    start: str | None = None
    end: str | None = None
    read_on: str | None = None
    billing_days: str | None = None
    readings: str | None = None
    readings_per_day: int | None = None
    residential: OneOf | None = None
    estimated: Estimated | None = None
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CountColumns:
    """Which column says what of a day's whole quantity: steps, grams, square metres."""

    subject: str
    day: str
    quantity: str
    mode: str
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class StationColumns:
    """Which column of the station list says what; coordinates are degrees in the named datum."""

    id: str
    latitude: str
    longitude: str
    datum: str


@dataclass(frozen=True, kw_only=True)
class ElsewhereColumn:
    """The column that is not empty where an act is used in another mechanism."""

    column: str


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How to read one kind of file of one source.

    Two profiles of one ``source`` bring the same acts in two forms, and an act counts
    once. ``methodologies`` are named for each mode or commodity in order of preference.
    ``moved_years`` are added to every date of demonstration data. ``digest`` is the
    SHA-256 of the profile's own text.
    """

    name: str
    digest: bytes
    source: str
    kind: str
    says: str
    scheme: str
    methodologies: dict[str, tuple[str, ...]]
    demonstration: bool
    moved_years: int
    columns: tuple[str, ...]
    earliest_day: date
    evidence: str = "verified"
    form: str = "table"
    trip: TripColumns | None = None
    swipe: SwipeColumns | None = None
    reading: ReadingColumns | None = None
    count: CountColumns | None = None
    stations: StationColumns | None = None
    elsewhere: ElsewhereColumn | None = None

    @property
    def lake_kind(self) -> str:
        """``trip``, ``reading`` or ``count``: what the lake keeps of these rows."""
        return LAKE_KINDS[self.kind]

    @property
    def subject_column(self) -> str | None:
        """The column that says whose row it is; None where all rows are of one constant."""
        found: str | None = getattr(self, self.kind).subject
        return found

    @property
    def modes(self) -> tuple[str, ...]:
        """Every mode or commodity that these rows may have."""
        if self.trip is not None:
            return tuple(sorted({self.trip.mode} - {None} or set(self.trip.modes.values())))  # type: ignore[arg-type]
        if self.swipe is not None:
            return tuple(sorted({self.swipe.ride_mode, self.swipe.boarding_mode} - {None}))  # type: ignore[arg-type]
        if self.reading is not None:
            return (self.reading.commodity,)
        return (self.count.mode,) if self.count is not None else ()
