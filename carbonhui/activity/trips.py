"""Rides between stations: when, how long, how far, and whether that can be believed."""

from datetime import datetime

import duckdb

from carbonhui import privacy
from carbonhui.activity.judging import (
    LOCAL,
    OFFSET,
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
from carbonhui.activity.profile import Profile, TripColumns
from carbonhui.activity.stations import Place, write_pairs
from carbonhui.core.clock import CITY_TIME

#: What the lake keeps of a ride.
LAKE_COLUMNS = "subject, act, day, started_at, ended_at, utc_offset_minutes, seconds, metres, trips"
#: What two deliveries of one ride must agree in. Not the distance: the station list may have been corrected.
CONTENT = "subject, started_at, ended_at"


def judge_trips(
    engine: duckdb.DuckDBPyConnection, profile: Profile, key: bytes, places: dict[str, list[Place]], now: datetime
) -> None:
    """Fill ``judged`` and ``candidate`` from ``received``: which rides are believed by themselves."""
    assert profile.trip is not None
    _parse(engine, profile, profile.trip)
    write_pairs(engine, places)
    engine.execute("ALTER TABLE parsed RENAME TO plain")
    engine.execute(_WITH_PLACES)
    judge(engine, _rules(profile, profile.trip), {"now": _now_s(profile.trip, now)})
    blind_subjects(engine, key, profile.scheme)
    engine.execute(_CANDIDATES, privacy.sql_words(key, f"{profile.source}.act"))


def _parse(engine: duckdb.DuckDBPyConnection, profile: Profile, trip: TripColumns) -> None:
    start, end = of(profile, trip.start), of(profile, trip.end)
    pattern = LOCAL + OFFSET if trip.times == "offset" else LOCAL
    engine.execute(
        f"""
        CREATE TABLE parsed AS
        SELECT *, {moved("start_read", profile)} AS started_at, {moved("end_read", profile)} AS ended_at,
               epoch_ms({moved("start_read", profile)}) // 1000 - 60 * start_offset AS from_s,
               epoch_ms({moved("end_read", profile)}) // 1000 - 60 * end_offset AS to_s
        FROM (SELECT row, code, facts, {of(profile, trip.subject)} AS subject_text, {of(profile, trip.key)} AS key_text,
                     {of(profile, trip.origin)} AS origin, {of(profile, trip.destination)} AS destination,
                     {local_time(start, pattern)} AS start_read, {local_time(end, pattern)} AS end_read,
                     {_offset_minutes(start, trip)} AS start_offset, {_offset_minutes(end, trip)} AS end_offset
              FROM received)
        """
    )


def _offset_minutes(column: str, trip: TripColumns) -> str:
    """Minutes that the wall time is ahead of UTC; 0 where the source tells no offset."""
    if trip.times == "local":
        return "0"
    size = f"TRY_CAST({column}[-5:-4] AS INTEGER) * 60 + TRY_CAST({column}[-2:] AS INTEGER)"
    return f"CASE WHEN {column}[-6] = '-' THEN -({size}) WHEN {column}[-6] = '+' THEN {size} ELSE 0 END"


def _now_s(trip: TripColumns, now: datetime) -> int:
    """The instant by the same clock as the source's times."""
    offset = now.astimezone(CITY_TIME).utcoffset()
    assert offset is not None
    return int(now.timestamp()) + (int(offset.total_seconds()) if trip.times == "local" else 0)


_WITH_PLACES = """
CREATE TABLE parsed AS
SELECT plain.*, plain.to_s - plain.from_s AS seconds, pairs.metres, o.placed AS origin_placed, d.placed AS destination_placed
FROM plain LEFT JOIN pairs USING (origin, destination)
LEFT JOIN stations o ON o.id = plain.origin LEFT JOIN stations d ON d.id = plain.destination
"""


def _rules(profile: Profile, trip: TripColumns) -> list[Rule]:
    limits = profile.limits
    return [
        *identifier_rules(trip.subject, "subject_text", "subject_missing"),
        *identifier_rules(trip.key, "key_text", "key_missing"),
        *date_rules(trip.start, "start_read", "started_at", profile),
        *date_rules(trip.end, "end_read", "ended_at", profile),
        impossible(trip.end, "seconds < 0", "the trip ends before it begins", "结束早于开始"),
        impossible(trip.end, "to_s > $now", "it lies in the future", "在将来"),
        *_station_rules(trip.origin, "origin"),
        *_station_rules(trip.destination, "destination"),
        Rule(f"seconds < {limits.shortest_s}", "too_short", {"found": "seconds", "least": str(limits.shortest_s)}),
        Rule(f"seconds > {limits.longest_s}", "too_long", {"found": "seconds", "most": str(limits.longest_s)}),
        Rule("origin = destination", "round_trip", {"station": "origin[:40]"}),
        Rule(
            f"metres * 3600 > {limits.fastest_km_per_h * 1000} * seconds",
            "too_fast",
            {"metres": "metres", "seconds": "seconds", "most": str(limits.fastest_km_per_h)},
        ),
    ]


def _station_rules(column: str, name: str) -> list[Rule]:
    facts = {"column": text(column), "station": f"{name}[:40]"}
    return [
        Rule(f"{name}_placed IS NULL", "unknown_station", facts),
        Rule(f"NOT {name}_placed", "station_without_coordinates", facts),
    ]


_CANDIDATES = f"""
CREATE TABLE candidate AS
SELECT row, subject, {privacy.blind_index_sql("key_text")} AS act, started_at::DATE AS day, started_at, ended_at,
       start_offset::SMALLINT AS utc_offset_minutes, seconds, metres, 1::BIGINT AS trips, from_s, to_s
FROM judged JOIN subjects USING (subject_text) WHERE code IS NULL
"""
