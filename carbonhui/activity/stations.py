"""Where the stations stand, and how far apart the pairs that occur are."""

import csv
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from carbonhui.activity.gcj02 import to_wgs84
from carbonhui.activity.profile import Profile, StationColumns
from carbonhui.activity.receiving import digest_of
from carbonhui.activity.refusals import StationsNeeded, StationsUnreadable
from carbonhui.activity.rules import straight_line_metres

#: Latitude and longitude in whole microdegrees.
Place = tuple[int, int]
_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?")
_PAIRS_AT_ONCE = 50_000


def read_stations(profile: Profile, path: Path | None) -> tuple[dict[str, list[Place]], bytes]:
    """The places of each station, and the digest of the list.

    A station that stands in the list twice has moved, and the list does not say when:
    it has both places. A station without coordinates has none. Digits beyond the
    microdegree (11 cm) are dropped. Coordinates of Chinese map services (GCJ-02) become WGS84.

    Raises `StationsNeeded`, `StationsUnreadable`.
    """
    assert profile.stations is not None
    if path is None:
        raise StationsNeeded(profile=profile.name)
    try:
        digest = digest_of(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            _refuse_missing_columns(path, profile.stations, rows.fieldnames or [])
            return _places(path, profile.stations, rows), digest
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StationsUnreadable(path=path, reason=reason) from error


def _refuse_missing_columns(path: Path, columns: StationColumns, found: object) -> None:
    wanted = [columns.id, columns.latitude, columns.longitude]
    if not isinstance(found, list) or not set(wanted) <= set(found):
        raise StationsUnreadable(path=path, reason=f"it lacks one of the columns {', '.join(wanted)}")


def _places(path: Path, columns: StationColumns, rows: "csv.DictReader[str]") -> dict[str, list[Place]]:
    places: dict[str, list[Place]] = {}
    for row in rows:
        station = (row[columns.id] or "").strip()
        texts = [(row[name] or "").strip() for name in (columns.latitude, columns.longitude)]
        found = places.setdefault(station, [])
        if all(texts):
            place = _place(path, rows.line_num, texts)
            found.append(to_wgs84(*place) if columns.datum == "GCJ-02" else place)
    return places


def _place(path: Path, line: int, texts: list[str]) -> Place:
    if not all(_DEGREES.fullmatch(text) for text in texts):
        raise StationsUnreadable(path=path, reason=f"line {line} holds coordinates that are no degrees")
    latitude, longitude = (int(Decimal(text) * 1_000_000) for text in texts)
    if abs(latitude) > 90_000_000 or abs(longitude) > 180_000_000:
        raise StationsUnreadable(path=path, reason=f"line {line} holds coordinates outside the globe")
    return latitude, longitude


def shortest_metres(origins: list[Place], destinations: list[Place]) -> int | None:
    """The shortest line between any of the places of two stations; None where one has no place.

    Shortest, because of a station that moved nobody can say where it stood that day.
    """
    lines = [straight_line_metres(*origin, *destination) for origin in origins for destination in destinations]
    return min(lines, default=None)


def write_pairs(engine: duckdb.DuckDBPyConnection, places: dict[str, list[Place]]) -> None:
    """Fill the tables ``stations`` and ``pairs``: only the pairs that the trips of ``plain`` have."""
    engine.register("block", pa.table({"id": list(places), "placed": [bool(found) for found in places.values()]}))
    engine.execute("CREATE TABLE stations AS SELECT id::VARCHAR AS id, placed FROM block")
    engine.unregister("block")
    engine.execute("CREATE TABLE pairs (origin VARCHAR, destination VARCHAR, metres BIGINT)")
    asked = engine.cursor().execute("SELECT DISTINCT origin, destination FROM plain")
    while some := asked.fetchmany(_PAIRS_AT_ONCE):
        metres = [shortest_metres(places.get(origin, []), places.get(destination, [])) for origin, destination in some]
        columns = [pa.array(column, pa.string()) for column in zip(*some, strict=True)]
        engine.register("block", pa.table([*columns, pa.array(metres, pa.int64())], ["origin", "destination", "metres"]))
        engine.execute("INSERT INTO pairs SELECT * FROM block")
        engine.unregister("block")
