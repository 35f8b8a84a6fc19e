"""Judging rows by one another: what came before, in this file or in any, counts once (Article 16).

``settled`` says of each row that is not accepted why not; what was received first stays.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import duckdb
import pyarrow as pa

from carbonhui.activity.judging import text

_ROWS_AT_ONCE = 50_000


def prepare(engine: duckdb.DuckDBPyConnection) -> None:
    """Make ``settled``, and ``follows``: rows whose fate is that of another one, their leader.

    A copy follows its first; the second swipe of a ride follows the one with which the ride began.
    """
    engine.execute("CREATE TABLE settled (row BIGINT, outcome VARCHAR, code VARCHAR, facts VARCHAR)")
    engine.execute("CREATE TABLE follows (row BIGINT, leader BIGINT, copy BOOLEAN)")


def settle_elsewhere(engine: duckdb.DuckDBPyConnection, declared: Path) -> None:
    """Refuse the acts that were declared to be used in another mechanism; the file has act and mechanism."""
    engine.execute(
        "INSERT INTO settled SELECT row, 'refused', 'used_elsewhere', json_object('mechanism', mechanism)"
        " FROM candidate JOIN (SELECT unhex(act) AS act, mechanism FROM read_csv($path, header = false, auto_detect = false,"
        " columns = {'act': 'VARCHAR', 'mechanism': 'VARCHAR'})) AS declared USING (act)",
        {"path": str(declared)},
    )


def settle_duplicates(
    engine: duckdb.DuckDBPyConnection, content: tuple[str, ...], lake_files: list[str], *, may_hide_meters: bool = False
) -> None:
    """Put into ``settled`` the acts that the lake holds already, then those that this file says again.

    The same words again are a duplicate; the same act in other words is refused as
    ``key_reused``, because which of the two is true only the institution can say. Where
    they may be two meters that the file does not tell apart, all of them are refused.
    """
    if lake_files:
        engine.execute(_MET_AGAIN, {"files": lake_files})
        known = f"SELECT act, {_row(content)} AS content FROM read_parquet($files, hive_partitioning = false)"
        engine.execute(_settle(content, known), {"files": lake_files})
    _find_said_again(engine)
    if may_hide_meters:
        engine.execute(_SEVERAL_METERS.format(content=_row(content)))
    first = _FIRST_IN_FILE.format(content=_row(content))
    engine.execute(_settle(content, first, but="AND again.row <> first.row"))


def _row(content: tuple[str, ...]) -> str:
    return f"row({', '.join(content)})"


def _find_said_again(engine: duckdb.DuckDBPyConnection) -> None:
    """Fill ``again`` with the acts that this file says more than once, a share of all possible acts at a time.

    Blind indexes are spread evenly, so each share fits in memory, where counting is many times faster.
    """
    shares = min(_MOST_SHARES, 1 + _count(engine, "candidate") // _ACTS_A_SHARE)
    bounds = [UUID(int=_LAST_ACT * share // shares) for share in range(shares + 1)]
    engine.execute("CREATE TABLE repeated (act_id UUID)")
    for first, last in itertools.pairwise(bounds):
        engine.execute(_REPEATED, {"first": first, "last": last})
    engine.execute(_SAID_AGAIN)


_ACTS_A_SHARE = 1_000_000
_MOST_SHARES = 64
_LAST_ACT = (1 << 128) - 1
_REPEATED = """
INSERT INTO repeated
SELECT act_id FROM candidate WHERE act_id BETWEEN $first AND $last GROUP BY act_id HAVING count(*) > 1
"""
# ``again`` has the few rows whose act occurs more than once, so that only they are compared word by word.
_MET_AGAIN = """
CREATE OR REPLACE TABLE again AS
SELECT * FROM candidate SEMI JOIN (SELECT act::UUID AS act_id FROM read_parquet($files, hive_partitioning = false)) USING (act_id)
"""
_SAID_AGAIN = """
CREATE OR REPLACE TABLE again AS
SELECT * FROM candidate ANTI JOIN settled USING (row)
WHERE act_id IN (SELECT act_id FROM repeated)
"""
_SEVERAL_METERS = """
INSERT INTO settled
SELECT row, 'refused', 'several_meters', json_object('found', contents)
FROM again JOIN (SELECT act, count(DISTINCT {content}) AS contents FROM again GROUP BY act HAVING contents > 1) USING (act)
"""
_FIRST_IN_FILE = """
SELECT arg_min(row, row) AS row, act, arg_min({content}, row) AS content
FROM again ANTI JOIN settled USING (row) GROUP BY act HAVING count(*) > 1
"""


def _settle(content: tuple[str, ...], first: str, but: str = "") -> str:
    ours = _row(tuple(f"again.{name}" for name in content))
    return f"""
        INSERT INTO settled
        SELECT row, CASE WHEN same THEN 'duplicate' ELSE 'refused' END, CASE WHEN NOT same THEN 'key_reused' END, '{{}}'
        FROM (SELECT again.row, bool_and({ours} IS NOT DISTINCT FROM first.content) AS same
              FROM again ANTI JOIN settled USING (row) JOIN ({first}) AS first USING (act)
              WHERE true {but} GROUP BY again.row)
    """


@dataclass(frozen=True)
class Overlaps:
    """Whose acts may not overlap, how that is told, and where the lake's acts begin and end (as seconds)."""

    who: str
    code: str
    at: str
    known: str
    begins: str
    ends: str


_WALL_S = "epoch_ms(started_at) // 1000"
#: Nobody rides two bicycles.
OF_TRIPS = Overlaps(
    "subject", "overlapping", "%Y-%m-%d %H:%M:%S", "true",
    f"{_WALL_S} - 60 * utc_offset_minutes", f"{_WALL_S} - 60 * utc_offset_minutes + seconds",
)  # fmt: skip
#: One meter's use of one day stands in one bill.
OF_BILLS = Overlaps("meter", "bill_overlapping", "%Y-%m-%d", "span = 'bill'", _WALL_S, "epoch_ms(ended_at) // 1000")


def settle_overlaps(engine: duckdb.DuckDBPyConnection, overlaps: Overlaps, lake_files: list[str]) -> None:
    """Refuse the acts during which another accepted act of the same subject or meter was under way.

    Those of the lake stay; of this file's the one that begins first stays, and a refused
    one is in nobody's way. Only acts that touch another are walked through.
    """
    who = overlaps.who
    engine.execute("CREATE TABLE around (who UUID, from_s BIGINT, to_s BIGINT)")
    if lake_files:
        engine.execute(
            f"INSERT INTO around SELECT {who}::UUID AS who, {overlaps.begins}, {overlaps.ends}"
            " FROM read_parquet($files, hive_partitioning = false)"
            f" WHERE {overlaps.known} AND who IN (SELECT {who}_id FROM candidate)",
            {"files": lake_files},
        )
    engine.execute(_ACTS.format(who=f"{who}_id"))
    engine.execute(_WALKED)
    walk = engine.cursor().execute(_TOUCHING)
    for rows in _overlapping(walk):
        engine.register("block", pa.table({"row": [row for row, _ in rows], "at": [at for _, at in rows]}))
        engine.execute(
            f"INSERT INTO settled SELECT b.row, 'refused', {text(overlaps.code)},"
            f" json_object('at', strftime(make_timestamp((b.at + 60 * c.utc_offset_minutes) * 1000000), {text(overlaps.at)}))"
            " FROM block b JOIN candidate c USING (row)"
        )
        engine.unregister("block")


_ACTS = """
CREATE VIEW acts AS
SELECT {who} AS who, from_s, to_s, row FROM candidate ANTI JOIN settled USING (row)
UNION ALL SELECT who, from_s, to_s, NULL FROM around
"""
# If of somebody's acts in order any two are under way at once, then so are some two neighbours.
_WALKED = """
CREATE TABLE walked AS
SELECT * FROM acts WHERE who IN (
    SELECT who FROM (SELECT who, from_s < lag(to_s) OVER (PARTITION BY who ORDER BY from_s, row NULLS FIRST) AS touches FROM acts)
    WHERE touches)
"""
# Whose acts in order, in stretches without a gap; stretches of one act need no walk.
# next_known is the beginning of the next act that the lake holds.
_TOUCHING = """
SELECT who, from_s, to_s, row, next_known
FROM (SELECT *, count(*) OVER (PARTITION BY who, stretch) AS in_stretch
      FROM (SELECT *, sum((from_s >= coalesce(latest, from_s))::INTEGER) OVER ordered AS stretch
            FROM (SELECT *, max(to_s) OVER (ordered ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest,
                         min(CASE WHEN row IS NULL THEN from_s END)
                             OVER (ordered ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_known
                  FROM walked WINDOW ordered AS (PARTITION BY who ORDER BY from_s, row NULLS FIRST))
            WINDOW ordered AS (PARTITION BY who ORDER BY from_s, row NULLS FIRST)))
WHERE in_stretch > 1
ORDER BY who, from_s, row NULLS FIRST
"""


def _overlapping(walk: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[int, int]]]:
    """The rows that are refused and the instant at which there were two acts at once, many at a time."""
    who, end = None, 0
    while some := walk.fetchmany(_ROWS_AT_ONCE):
        found = []
        for whose, from_s, to_s, row, next_known in some:
            if whose != who:
                who, end = whose, 0
            if row is not None and from_s < end:
                found.append((row, from_s))
            elif row is not None and next_known is not None and to_s > next_known:
                found.append((row, next_known))
            else:
                end = max(end, to_s)
        if found:
            yield found


def settle_day_totals(engine: duckdb.DuckDBPyConnection, most: int, lake_files: list[str]) -> None:
    """Refuse the quantities with which a subject's day would pass the most that is believed.

    What the lake holds stays; of this file what stands first counts. Only the days that
    pass the limit are walked through.
    """
    engine.execute("CREATE TABLE held (subject BLOB, day DATE, quantity BIGINT)")
    if lake_files:
        engine.execute(_HELD, {"files": lake_files})
    walk = engine.cursor().execute(_ABOVE, {"most": most})
    for rows in _above(walk, most):
        engine.register("block", pa.table({"row": [row for row, _ in rows], "total": [total for _, total in rows]}))
        engine.execute(
            "INSERT INTO settled SELECT row, 'refused', 'quantity_too_high',"
            f" json_object('found', total, 'most', {most}) FROM block"
        )
        engine.unregister("block")


_HELD = """
INSERT INTO held
SELECT subject, day, sum(quantity)::BIGINT FROM read_parquet($files, hive_partitioning = false)
WHERE subject IN (SELECT subject FROM candidate) GROUP BY subject, day
"""
_ABOVE = """
SELECT subject, day, row, quantity, before
FROM (SELECT candidate.*, coalesce(held.quantity, 0) AS before, sum(candidate.quantity) OVER (PARTITION BY subject, day) AS new
      FROM candidate ANTI JOIN settled USING (row) LEFT JOIN held USING (subject, day))
WHERE before + new > $most ORDER BY subject, day, row
"""


def _above(walk: duckdb.DuckDBPyConnection, most: int) -> Iterator[list[tuple[int, int]]]:
    """The rows that are refused and what the day would come to with them, many at a time."""
    whose, total = None, 0
    while some := walk.fetchmany(_ROWS_AT_ONCE):
        found = []
        for subject, day, row, quantity, before in some:
            if (subject, day) != whose:
                whose, total = (subject, day), before
            if total + quantity > most:
                found.append((row, total + quantity))
            else:
                total += quantity
        if found:
            yield found


@dataclass(frozen=True)
class Tally:
    """Rows that were accepted and duplicate, rows refused by code, and the acts that the accepted rows make."""

    accepted: int
    duplicate: int
    refused_by: dict[str, int]
    acts: int


def tally(engine: duckdb.DuckDBPyConnection) -> Tally:
    """Fill ``accepted`` (acts) and ``refused`` (rows), and count where each row ended."""
    engine.execute("CREATE VIEW accepted AS SELECT candidate.* FROM candidate ANTI JOIN settled USING (row)")
    engine.execute(_REFUSED)
    refused = dict(engine.execute("SELECT code, count(*) FROM refused GROUP BY code ORDER BY code").fetchall())
    acts = _count(engine, "accepted")
    seconds = _count(engine, "follows JOIN accepted ON leader = accepted.row WHERE NOT copy")
    copies = _count(engine, "follows JOIN accepted ON leader = accepted.row WHERE copy")
    known = _count(engine, "settled WHERE outcome = 'duplicate'")
    follow_known = _count(engine, "follows JOIN settled ON leader = settled.row WHERE outcome = 'duplicate'")
    return Tally(acts + seconds, known + follow_known + copies, refused, acts)


def _count(engine: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(engine.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


_REFUSED = """
CREATE TABLE refused AS
WITH leaders AS (
    SELECT row, split_part(refusal, ' ', 1) AS code, substr(refusal, strpos(refusal, ' ') + 1) AS facts
    FROM judged WHERE refusal IS NOT NULL
    UNION ALL
    SELECT row, code, facts FROM settled WHERE outcome = 'refused'
)
SELECT row, code, facts FROM leaders
UNION ALL
SELECT follows.row, code, facts FROM follows JOIN leaders ON follows.leader = leaders.row
"""
