"""Judging rows by one another: what came before, in this file or in any, counts once (Article 16).

``settled`` says of each row that is not accepted why not; what was received first stays.
"""

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from carbonhui.activity.judging import text

_OVERLAPS_AT_ONCE = 50_000


def settle_duplicates(engine: duckdb.DuckDBPyConnection, content: str, lake_files: list[str]) -> None:
    """Put into ``settled`` the acts that the lake holds already, then those that this file says again.

    The same words again are a duplicate; the same act in other words is refused as
    ``key_reused``, because which of the two is true only the institution can say.
    """
    engine.execute("CREATE TABLE settled (row BIGINT, outcome VARCHAR, code VARCHAR, facts VARCHAR)")
    if lake_files:
        engine.execute(_settle(content, f"SELECT act, {content} FROM read_parquet($files, hive_partitioning = false)"), {"files": lake_files})
    engine.execute(_settle(content, _FIRST_IN_FILE.format(content=content), but="AND candidate.row <> first.row"))


_FIRST_IN_FILE = """
SELECT arg_min(row, row) AS row, act, arg_min(({content}), row) AS content
FROM candidate WHERE row NOT IN (SELECT row FROM settled) GROUP BY act HAVING count(*) > 1
"""


def _settle(content: str, first: str, but: str = "") -> str:
    theirs = "first.content" if but else f"row({', '.join('first.' + name for name in content.split(', '))})"
    ours = f"row({', '.join('candidate.' + name for name in content.split(', '))})"
    return f"""
        INSERT INTO settled
        SELECT row, CASE WHEN same THEN 'duplicate' ELSE 'refused' END, CASE WHEN NOT same THEN 'key_reused' END, '{{}}'
        FROM (SELECT candidate.row, bool_and({ours} = {theirs}) AS same
              FROM candidate JOIN ({first}) AS first USING (act)
              WHERE candidate.row NOT IN (SELECT row FROM settled) {but} GROUP BY candidate.row)
    """


def settle_overlaps(engine: duckdb.DuckDBPyConnection, lake_files: list[str]) -> None:
    """Refuse the trips during which their subject was on another accepted trip: nobody rides two bicycles.

    The trips of the lake stay; of this file's trips the one that begins first stays, and a
    refused trip is in nobody's way. Only trips that touch another are walked through.
    """
    engine.execute("CREATE TABLE walked (subject BLOB, from_s BIGINT, to_s BIGINT, row BIGINT)")
    engine.execute(
        "INSERT INTO walked SELECT subject, from_s, to_s, row FROM candidate ANTI JOIN settled USING (row)"
    )
    if lake_files:
        engine.execute(_KNOWN, {"files": lake_files})
    walk = engine.cursor().execute(_TOUCHING)
    for rows in _overlapping(walk):
        engine.register("block", pa.table({"row": [row for row, _ in rows], "at": [at for _, at in rows]}))
        engine.execute(
            "INSERT INTO settled SELECT b.row, 'refused', 'overlapping',"
            " json_object('at', strftime(make_timestamp((b.at + 60 * c.utc_offset_minutes) * 1000000), '%Y-%m-%d %H:%M:%S'))"
            " FROM block b JOIN candidate c USING (row)"
        )
        engine.unregister("block")


_KNOWN = """
INSERT INTO walked
SELECT subject, started - 60 * utc_offset_minutes, started - 60 * utc_offset_minutes + seconds, NULL
FROM (SELECT *, epoch_ms(started_at) // 1000 AS started FROM read_parquet($files, hive_partitioning = false))
WHERE subject IN (SELECT subject FROM candidate)
"""

# Subjects' trips in order, in stretches without a gap; stretches of one trip need no walk.
# next_known is the beginning of the subject's next trip that the lake holds.
_TOUCHING = """
SELECT subject, from_s, to_s, row, next_known
FROM (SELECT *, count(*) OVER (PARTITION BY subject, stretch) AS in_stretch
      FROM (SELECT *, sum((from_s >= coalesce(latest, from_s))::INTEGER) OVER ordered AS stretch
            FROM (SELECT *, max(to_s) OVER (ordered ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest,
                         min(CASE WHEN row IS NULL THEN from_s END)
                             OVER (ordered ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_known
                  FROM walked WINDOW ordered AS (PARTITION BY subject ORDER BY from_s, row NULLS FIRST))
            WINDOW ordered AS (PARTITION BY subject ORDER BY from_s, row NULLS FIRST)))
WHERE in_stretch > 1
ORDER BY subject, from_s, row NULLS FIRST
"""


def _overlapping(walk: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[int, int]]]:
    """The rows that are refused and the instant at which the subject was on two trips, many at a time."""
    subject, end = None, 0
    while some := walk.fetchmany(_OVERLAPS_AT_ONCE):
        found = []
        for whose, from_s, to_s, row, next_known in some:
            if whose != subject:
                subject, end = whose, 0
            if row is not None and from_s < end:
                found.append((row, from_s))
            elif row is not None and next_known is not None and to_s > next_known:
                found.append((row, next_known))
            else:
                end = max(end, to_s)
        if found:
            yield found


def tally(engine: duckdb.DuckDBPyConnection) -> tuple[int, int, dict[str, int]]:
    """How many rows were accepted and duplicate, and how many refused under each code."""
    engine.execute(_REFUSED)
    refused = dict(engine.execute("SELECT code, count(*) FROM refused GROUP BY code ORDER BY code").fetchall())
    query = f"SELECT count(*) FROM settled WHERE outcome = {text('duplicate')}"
    duplicate = engine.execute(query).fetchall()[0][0]
    engine.execute("CREATE TABLE accepted AS SELECT candidate.* FROM candidate ANTI JOIN settled USING (row)")
    accepted = engine.execute("SELECT count(*) FROM accepted").fetchall()[0][0]
    return accepted, duplicate, refused


_REFUSED = """
CREATE TABLE refused AS
SELECT row, code, facts FROM judged WHERE code IS NOT NULL
UNION ALL
SELECT row, code, facts FROM settled WHERE outcome = 'refused'
"""
