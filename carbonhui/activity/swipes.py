"""Card swipes: an entry and the exit that follows it are one ride, and a boarding is one by itself.

Pairing comes before all other judgement: a swipe at an unknown station still keeps its
partner from being paired with another.
"""

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
    local_time,
    moved,
    of,
    offset_minutes,
    text,
    time_pattern,
)
from carbonhui.activity.limits import limit
from carbonhui.activity.profile import Profile, SwipeColumns
from carbonhui.activity.trips import (
    add_straight_lines,
    distance_rules,
    duration_rules,
    station_rules,
    write_rides,
)


def content(profile: Profile) -> tuple[str, ...]:
    """What two deliveries of one ride must agree in."""
    return ("subject", "started_at", "ended_at", "mode")


def judge_swipes(work: Work) -> None:
    """Fill ``judged`` and show ``candidate`` from ``received``, fill ``follows`` with second swipes and copies, ``lonely`` with the rest."""
    judge_each(work)
    blind(work, "subject", work.profile.scheme)
    work.engine.execute("CREATE TABLE swipes AS SELECT * FROM ruled")
    _pair(work)
    add_straight_lines(work)
    judge(work.engine, _ride_rules(work))
    write_rides(work)
    work.engine.execute("ALTER VIEW judged RENAME TO judged_rides")
    work.engine.execute(_ALL_JUDGED)


_ALL_JUDGED = """
CREATE VIEW judged AS
SELECT * FROM judged_rides
UNION ALL BY NAME SELECT row, code || ' ' || coalesce(facts, '{}') AS refusal FROM swipes WHERE code IS NOT NULL
"""


def judge_each(work: Work) -> None:
    """Show ``ruled``: the swipes, each by itself."""
    parse(work)
    judge(work.engine, _rules(work), work.now_s(_swipe(work).times))


def _swipe(work: Work) -> SwipeColumns:
    assert work.profile.swipe is not None
    return work.profile.swipe


def parse(work: Work) -> None:
    """Show ``parsed`` of ``received``: one row for each swipe."""
    swipe, profile = _swipe(work), work.profile
    at, kind = of(profile, swipe.at), of(profile, swipe.kind_column)
    # A unit separator stands in no honest value, so no two keys of several columns are one text.
    key = f"concat_ws(chr(31), {', '.join(of(profile, column) for column in swipe.key)})"
    work.engine.execute(
        f"""
        CREATE VIEW parsed AS
        SELECT row, code, facts, {of(profile, swipe.subject)} AS subject_text, {key} AS key_text,
               {kind} AS kind_text, {_kind(kind, swipe)} AS kind, {of(profile, swipe.station)} AS station,
               {local_time(at, time_pattern(swipe.times))} AS at_read, {offset_minutes(at, "at_read", swipe.times)} AS at_offset,
               {moved("at_read", profile)} AS swiped_at, epoch_ms(swiped_at) // 1000 - 60 * at_offset AS at_s
        FROM received
        """
    )


def _kind(column: str, swipe: SwipeColumns) -> str:
    kinds = {"entry": swipe.entry, "exit": swipe.exit, "boarding": swipe.boarding}
    told = " ".join(f"WHEN {text(value)} THEN {text(kind)}" for kind, value in kinds.items() if value is not None)
    return f"CASE {column} {told} END"


def _rules(work: Work) -> list[Rule]:
    swipe = _swipe(work)
    known = ", ".join(value for value in (swipe.entry, swipe.exit, swipe.boarding) if value is not None)
    return [
        *identifier_rules(swipe.subject, "subject_text", "subject_missing"),
        *date_rules(swipe.at, "at_read", "swiped_at", work.profile),
        impossible(swipe.at, f"at_s > {NOW}", "it lies in the future", "在将来"),
        Rule("kind IS NULL", "swipe_kind_unknown", {"column": text(swipe.kind_column), "known": text(known)}),
    ]


def _pair(work: Work) -> None:
    """Make ``plain`` of the rides that ``swipes`` give, and ``follows`` and ``lonely`` of the other swipes."""
    engine, swipe = work.engine, _swipe(work)
    engine.execute("DROP VIEW ruled")
    engine.execute("DROP VIEW parsed")
    engine.execute(_FIRSTS)
    engine.execute(_ORDERED, {"most": limit(work.limits, swipe.ride_mode, "longest_s")})
    engine.execute(_RIDES, {"ride_mode": swipe.ride_mode, "boarding_mode": swipe.boarding_mode})
    engine.execute("INSERT INTO follows SELECT exit_row, row, false FROM plain WHERE exit_row IS NOT NULL")
    engine.execute(_COPIES)
    engine.execute(_REUSED)
    engine.execute(_LONELY.format(act=privacy.blind_index_sql("key_text")), work.act_words)


# The same swipe may have come twice; the first is judged, and the others follow it.
_FIRSTS = """
CREATE TABLE firsts AS
SELECT * FROM swipes WHERE code IS NULL QUALIFY row_number() OVER (PARTITION BY key_text ORDER BY row) = 1
"""
# A card leaves before it enters again in the same second.
_ORDERED = """
CREATE TABLE ordered AS
SELECT *, kind = 'entry' AND next_kind = 'exit' AND next_s - at_s <= $most AS begins,
       kind = 'exit' AND last_kind = 'entry' AND at_s - last_s <= $most AS ends
FROM (SELECT *, lead(kind) OVER cards AS next_kind, lead(at_s) OVER cards AS next_s, lead(row) OVER cards AS next_row,
             lead(swiped_at) OVER cards AS next_at, lead(station) OVER cards AS next_station,
             lag(kind) OVER cards AS last_kind, lag(at_s) OVER cards AS last_s
      FROM firsts WHERE kind IN ('entry', 'exit')
      WINDOW cards AS (PARTITION BY subject_text ORDER BY at_s, kind DESC, row))
"""
_RIDES = """
CREATE TABLE plain AS
SELECT row, next_row AS exit_row, code, facts, subject_text, key_text, station AS origin, next_station AS destination,
       swiped_at AS started_at, next_at AS ended_at, at_offset AS start_offset, at_s AS from_s, next_s AS to_s,
       next_s - at_s AS seconds, $ride_mode::VARCHAR AS mode
FROM ordered WHERE begins
UNION ALL
SELECT row, NULL, code, facts, subject_text, key_text, '', '', swiped_at, swiped_at, at_offset, at_s, at_s, 0, $boarding_mode::VARCHAR
FROM firsts WHERE kind = 'boarding'
"""
_COPIES = """
INSERT INTO follows
SELECT swipes.row, coalesce(plain.row, firsts.row), true
FROM swipes JOIN firsts USING (key_text) LEFT JOIN plain ON plain.exit_row = firsts.row
WHERE swipes.code IS NULL AND swipes.row <> firsts.row
      AND (swipes.subject_text, swipes.at_s, swipes.kind, swipes.station) = (firsts.subject_text, firsts.at_s, firsts.kind, firsts.station)
"""
_REUSED = """
INSERT INTO settled
SELECT swipes.row, 'refused', 'key_reused', '{}'
FROM swipes JOIN firsts USING (key_text) ANTI JOIN follows ON follows.row = swipes.row
WHERE swipes.code IS NULL AND swipes.row <> firsts.row
"""
_LONELY = """
CREATE TABLE lonely AS
SELECT row, kind, kind_text, swiped_at, subject, {act} AS act
FROM ordered JOIN subjects USING (subject_text) WHERE NOT coalesce(begins, false) AND NOT coalesce(ends, false)
"""


def _ride_rules(work: Work) -> list[Rule]:
    """Of a boarding nothing but its time is known."""
    ride = "exit_row IS NOT NULL"
    station = _swipe(work).station
    return [*station_rules(station, station, ride), *duration_rules(work, ride), *distance_rules(work, ride)]


def settle_lonely(work: Work, lake_files: list[str]) -> None:
    """A swipe without its partner is refused, unless its ride was received before: then it is known already."""
    engine = work.engine
    if lake_files:
        engine.execute(_KNOWN_LONELY, {"files": lake_files, "ride_mode": _swipe(work).ride_mode})
    most = limit(work.limits, _swipe(work).ride_mode, "longest_s")
    engine.execute(
        "INSERT INTO settled SELECT row, 'refused', 'swipe_without_partner',"
        f" json_object('found', left(kind_text, 40), 'most', {most}) FROM lonely ANTI JOIN settled USING (row)"
    )


_KNOWN_LONELY = """
INSERT INTO settled
SELECT row, 'duplicate', NULL, '{}'
FROM lonely SEMI JOIN (SELECT subject, ended_at, act FROM read_parquet($files, hive_partitioning = false)
                       WHERE mode = $ride_mode) AS ride
     ON (lonely.kind = 'entry' AND lonely.act = ride.act)
        OR (lonely.kind = 'exit' AND lonely.subject = ride.subject AND lonely.swiped_at = ride.ended_at)
"""

