"""Rides: when, how long, how far, by what, and whether that can be believed."""

from carbonhui import privacy
from carbonhui.activity.judging import (
    NOW,
    Rule,
    Work,
    blind,
    date_rules,
    identifier_rules,
    impossible,
    judge,
    keep,
    local_time,
    moved,
    of,
    offset_minutes,
    show_candidates,
    text,
    time_pattern,
)
from carbonhui.activity.limits import limit_sql
from carbonhui.activity.profile import Profile, TripColumns
from carbonhui.activity.stations import write_pairs

_METRES = r"[0-9]{1,9}(\.[0-9]{1,30})?"


def content(profile: Profile) -> tuple[str, ...]:
    """What two deliveries of one ride must agree in. Not the straight line: the station list may have been corrected."""
    measured = profile.trip is not None and profile.trip.metres is not None
    return ("subject", "started_at", "ended_at", "mode", *(("metres",) if measured else ()))


def judge_trips(work: Work) -> None:
    """Fill ``judged`` and show ``candidate`` from ``received``: which rides are believed by themselves."""
    assert work.profile.trip is not None
    parse(work)
    blind(work, "subject", work.profile.scheme)
    if work.profile.stations is not None:
        work.engine.execute("ALTER VIEW parsed RENAME TO plain")
        add_straight_lines(work)
    judge(work.engine, _rules(work, work.profile.trip), work.now_s(work.profile.trip.times))
    write_rides(work)


def parse(work: Work) -> None:
    """Show ``parsed`` of ``received``."""
    trip, profile = work.profile.trip, work.profile
    assert trip is not None
    start, end = of(profile, trip.start), of(profile, trip.end or trip.start)
    pattern = time_pattern(trip.times)
    work.engine.execute(
        f"""
        CREATE VIEW parsed AS
        SELECT *, to_s - from_s AS seconds
        FROM (SELECT *, {moved("start_read", profile)} AS started_at, {moved("end_read", profile)} AS ended_at,
                     epoch_ms({moved("start_read", profile)}) // 1000 - 60 * start_offset AS from_s,
                     epoch_ms({moved("end_read", profile)}) // 1000 - 60 * end_offset AS to_s
              FROM (SELECT row, code, facts, {of(profile, trip.subject)} AS subject_text, {of(profile, trip.key)} AS key_text,
                           {_places(profile, trip)}, {_mode(profile, trip)},
                           {local_time(start, pattern)} AS start_read, {local_time(end, pattern)} AS end_read,
                           {offset_minutes(start, "start_read", trip.times)} AS start_offset, {offset_minutes(end, "end_read", trip.times)} AS end_offset
                    FROM received))
        """
    )


def _places(profile: Profile, trip: TripColumns) -> str:
    """The stations, or the distance as it was measured: an empty one is unknown, and parts of a metre are dropped."""
    if trip.origin is not None and trip.destination is not None:
        return f"{of(profile, trip.origin)} AS origin, {of(profile, trip.destination)} AS destination"
    if trip.metres is None:
        return "'' AS metres_text, NULL::BIGINT AS metres"
    column = of(profile, trip.metres)
    read = f"CASE WHEN regexp_full_match({column}, {text(_METRES)}) THEN split_part({column}, '.', 1)::BIGINT END"
    return f"{column} AS metres_text, {read} AS metres"


def _mode(profile: Profile, trip: TripColumns) -> str:
    if trip.mode_column is None:
        return f"'' AS mode_text, {text(trip.mode)} AS mode"
    column = of(profile, trip.mode_column)
    known = " ".join(f"WHEN {text(value)} THEN {text(mode)}" for value, mode in trip.modes.items())
    return f"{column} AS mode_text, CASE {column} {known} END AS mode"


def add_straight_lines(work: Work) -> None:
    """Show ``parsed``: ``plain`` with the metres between origin and destination, and whether both stand in the station list."""
    write_pairs(work.engine, work.places)
    work.engine.execute(_WITH_PLACES)


_WITH_PLACES = """
CREATE VIEW parsed AS
SELECT plain.*, pairs.metres, o.placed AS origin_placed, d.placed AS destination_placed
FROM plain LEFT JOIN pairs USING (origin, destination)
LEFT JOIN stations o ON o.id = plain.origin LEFT JOIN stations d ON d.id = plain.destination
"""


def _rules(work: Work, trip: TripColumns) -> list[Rule]:
    end = trip.end or trip.start
    return [
        *identifier_rules(trip.subject, "subject_text", "subject_missing"),
        *identifier_rules(trip.key, "key_text", "key_missing"),
        *date_rules(trip.start, "start_read", "started_at", work.profile),
        *date_rules(end, "end_read", "ended_at", work.profile),
        impossible(end, "seconds < 0", "the trip ends before it begins", "结束早于开始"),
        impossible(end, f"to_s > {NOW}", "it lies in the future", "在将来"),
        *_mode_rules(trip),
        *(station_rules(trip.origin, trip.destination) if trip.origin and trip.destination else []),
        *(duration_rules(work) if trip.end else []),
        *(distance_rules(work) if trip.origin else _measured_rules(work, trip)),
    ]


def _mode_rules(trip: TripColumns) -> list[Rule]:
    if trip.mode_column is None:
        return []
    return [Rule("mode IS NULL", "mode_unknown", {"column": text(trip.mode_column), "known": text(", ".join(trip.modes))})]


def station_rules(origin_column: str, destination_column: str, only: str = "true") -> list[Rule]:
    """Both stations stand in the list, with coordinates."""
    rules = []
    for column, name in ((origin_column, "origin"), (destination_column, "destination")):
        facts = {"column": text(column), "station": f"{name}[:40]"}
        rules.append(Rule(f"{only} AND {name}_placed IS NULL", "unknown_station", facts))
        rules.append(Rule(f"{only} AND NOT {name}_placed", "station_without_coordinates", facts))
    return rules


def duration_rules(work: Work, only: str = "true") -> list[Rule]:
    shortest, longest = (limit_sql(work.limits, work.profile, what) for what in ("shortest_s", "longest_s"))
    return [
        Rule(f"{only} AND seconds < {shortest}", "too_short", {"found": "seconds", "least": shortest}),
        Rule(f"{only} AND seconds > {longest}", "too_long", {"found": "seconds", "most": longest}),
    ]


def distance_rules(work: Work, only: str = "true") -> list[Rule]:
    """Between two stations, and not faster than is believed."""
    return [
        Rule(f"{only} AND origin = destination", "round_trip", {"station": "origin[:40]"}),
        _too_fast(work),
    ]


def _too_fast(work: Work) -> Rule:
    most = limit_sql(work.limits, work.profile, "fastest_km_per_h")
    facts = {"metres": "metres", "seconds": "seconds", "most": most}
    return Rule(f"metres * 3600 > {most} * 1000 * seconds", "too_fast", facts)


def _measured_rules(work: Work, trip: TripColumns) -> list[Rule]:
    if trip.metres is None:
        return []
    unread = "metres IS NULL AND metres_text <> ''"
    return [Rule(unread, "value_not_a_number", {"column": text(trip.metres)}), _too_fast(work)]


def write_rides(work: Work) -> None:
    """Keep the rides of ``ruled``, the acts of those that are believed blinded."""
    modes = work.profile.modes
    keep(work, _KEPT | ({"mode": "mode"} if len(modes) > 1 else {}), "subject")
    show_candidates(work.engine, _CANDIDATE + (", mode" if len(modes) > 1 else f", {text(modes[0])} AS mode"))


# Sixteen bytes as a UUID lie in the row itself; as a BLOB they lie elsewhere and take twice the memory.
_KEPT = {
    "subject_id": "subject::UUID",
    "act_id": f"{privacy.blind_index_sql('key_text')}::UUID",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "utc_offset_minutes": "start_offset::SMALLINT",
    "seconds": "seconds::INTEGER",
    "metres": "metres::INTEGER",
}
_CANDIDATE = """
subject_id, act_id, subject_id::BLOB AS subject, act_id::BLOB AS act, started_at::DATE AS day, started_at, ended_at,
utc_offset_minutes, seconds::BIGINT AS seconds, metres::BIGINT AS metres, 1::BIGINT AS trips,
epoch_ms(started_at) // 1000 - 60 * utc_offset_minutes AS from_s,
epoch_ms(started_at) // 1000 - 60 * utc_offset_minutes + seconds AS to_s"""
