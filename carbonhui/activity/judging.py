"""Judging rows one by one: the first rule that a row breaks is told, and only that one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from carbonhui import privacy
from carbonhui.activity.lake import exact_path
from carbonhui.activity.profile import Profile
from carbonhui.activity.stations import Place
from carbonhui.core.clock import CITY_TIME

#: What may stand in any identifier that is believed, whole or put together of several columns.
_PRINTABLE = "[ -~]+"
#: Plain ASCII without spaces: a full-width digit or a stray space is the sender's to repair.
_IDENTIFIER = "[!-~]{1,100}"
_IDENTIFIER_MOST = 100
_SUBJECTS_AT_ONCE = 50_000
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
LOCAL = "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
OFFSET = "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"


@dataclass(frozen=True)
class Work:
    """One file under way: the engine with its rows, and all that they are judged by."""

    engine: duckdb.DuckDBPyConnection
    profile: Profile
    limits: dict[str, int]
    key: bytes
    now: datetime
    places: dict[str, list[Place]]

    @property
    def act_words(self) -> dict[str, bytes]:
        """The parameters under which this source's acts are blinded in the engine."""
        return privacy.sql_words(self.key, f"{self.profile.source}.act")

    def now_s(self, times: str) -> int:
        """The instant by the same clock as the source's times, in seconds."""
        offset = self.now.astimezone(CITY_TIME).utcoffset()
        assert offset is not None
        return int(self.now.timestamp()) + (int(offset.total_seconds()) if times == "local" else 0)

    @property
    def city_now(self) -> datetime:
        return self.now.astimezone(CITY_TIME).replace(tzinfo=None)


@dataclass(frozen=True)
class Rule:
    """Rows where ``when`` is true are refused under the code, with facts for its sentence.

    ``when`` and the facts are expressions of the engine over ``parsed``; `NOW` is the time by the source's clock.
    """

    when: str
    code: str
    facts: dict[str, str] = field(default_factory=dict)


NOW = "getvariable('now')"


def text(value: object) -> str:
    """A constant text in the engine's words."""
    return "'" + str(value).replace("'", "''") + "'"


def of(profile: Profile, column: str) -> str:
    """The staged column that holds one of the profile's columns."""
    return f"c{profile.columns.index(column)}"


def identifier_rules(column: str, expression: str, missing: str) -> list[Rule]:
    return [
        Rule(f"trim({expression}) = ''", missing, {"column": text(column)}),
        Rule(
            f"NOT regexp_full_match({expression}, {text(_IDENTIFIER)})",
            "identifier_unreadable",
            {"column": text(column), "most": str(_IDENTIFIER_MOST)},
        ),
    ]


def impossible(column: str, when: str, why: str, why_zh: str) -> Rule:
    return Rule(when, "impossible_date", {"column": text(column), "why": text(why), "why_zh": text(why_zh)})


def date_rules(column: str, read: str, moved: str, profile: Profile) -> list[Rule]:
    """A time is readable, exists, also after the moving of demonstration data, and is not of a dim past."""
    earliest = profile.earliest_day
    unmoved = f"the day does not exist {profile.moved_years} years later"
    return [
        impossible(column, f"{read} IS NULL", "it is not a date and time that exists", "不是存在的日期时间"),
        impossible(column, f"{read} < DATE {text(earliest)}", f"it is before {earliest}", f"早于 {earliest}"),
        impossible(column, f"day({moved}) <> day({read})", unmoved, f"该日在 {profile.moved_years} 年后不存在"),
    ]


def local_time(column: str, pattern: str = LOCAL) -> str:
    """The wall time that a text says, or NULL."""
    read = f"try_strptime(replace(left({column}, 19), 'T', ' '), '%Y-%m-%d %H:%M:%S')"
    return f"CASE WHEN regexp_full_match({column}, {text(pattern)}) THEN {read} END"


def start_of_day(column: str) -> str:
    """The midnight with which a day begins, said as a date or as that midnight, or NULL."""
    padded = f"CASE WHEN regexp_full_match({column}, {text(DAY)}) THEN {column} || ' 00:00:00' ELSE {column} END"
    return local_time(f"({padded})")


def offset_minutes(column: str, wall: str, times: str) -> str:
    """Minutes that the wall time is ahead of UTC; 0 where the source tells no offset, NULL where the time is not readable."""
    if times == "local":
        return "0"
    instant = f"TRY_CAST(CASE WHEN {wall} IS NOT NULL THEN {column} END AS TIMESTAMPTZ)"
    return f"(epoch_ms({wall}) - epoch_ms({instant})) // 60000"


def time_pattern(times: str) -> str:
    return LOCAL + OFFSET if times == "offset" else LOCAL


def whole_number(column: str) -> str:
    """A whole number of 0 or more, or NULL."""
    return f"CASE WHEN regexp_full_match({column}, '[0-9]{{1,9}}') THEN {column}::BIGINT END"


def moved(expression: str, profile: Profile) -> str:
    return f"({expression} + INTERVAL {profile.moved_years} YEAR)"


def judge_elsewhere(work: Work) -> None:
    """Refuse the rows whose column says that the act is used in another mechanism."""
    if work.profile.elsewhere is not None:
        column = of(work.profile, work.profile.elsewhere.column)
        used = f"code IS NULL AND trim({column}) <> ''"
        work.engine.execute(
            f"""
            CREATE TEMP VIEW received AS
            SELECT * REPLACE (CASE WHEN {used} THEN 'used_elsewhere' ELSE code END AS code,
                              CASE WHEN {used} THEN json_object('mechanism', left(trim({column}), 40))::VARCHAR ELSE facts END AS facts)
            FROM memory.main.received
            """
        )


def judge(engine: duckdb.DuckDBPyConnection, rules: Sequence[Rule], now: int | datetime | None = None) -> None:
    """Make the view ``ruled`` of ``parsed``: every row, with the code and the facts of the first rule that it breaks.

    A row that could not even be read keeps the code it has.
    """
    reason = " ".join(f"WHEN {rule.when} THEN {number}" for number, rule in enumerate(rules))
    codes = " ".join(f"WHEN {number} THEN {text(rule.code)}" for number, rule in enumerate(rules))
    facts = " ".join(f"WHEN {number} THEN {_json(rule.facts)}" for number, rule in enumerate(rules))
    engine.execute("SET VARIABLE now = $now", {"now": now})
    engine.execute(
        f"""
        CREATE OR REPLACE VIEW ruled AS
        SELECT * EXCLUDE (code, facts, reason),
               coalesce(code, CASE reason {codes} END) AS code, coalesce(facts, CASE reason {facts} END) AS facts
        FROM (SELECT *, CASE WHEN code IS NULL THEN CASE {reason} END END AS reason FROM parsed)
        """
    )


def keep(work: Work, columns: dict[str, str], *identifiers: str) -> None:
    """Show as ``judged`` what is believed of each row of ``ruled``, narrow, and of the others only why not.

    ``refusal`` is code, space and facts. Each of the identifiers has a table of blind
    indexes. It lies in a file, so that settling has the engine's memory for itself.
    """
    path = in_staging(work.engine, "judged.parquet")
    believed = ", ".join(f"CASE WHEN code IS NULL THEN {value} END AS {name}" for name, value in columns.items())
    joined = " ".join(f"LEFT JOIN {name}s USING ({name}_text)" for name in identifiers)
    work.engine.execute(
        f"COPY (SELECT row, code || ' ' || coalesce(facts, '{{}}') AS refusal, {believed} FROM ruled {joined})"
        f" TO {text(path)} (FORMAT parquet, COMPRESSION lz4_raw)",
        work.act_words,
    )
    work.engine.execute(f"CREATE VIEW judged AS SELECT * FROM read_parquet({text(exact_path(path))}, hive_partitioning = false)")


def in_staging(engine: duckdb.DuckDBPyConnection, name: str) -> Path:
    """A file of this name in the folder where the engine's overflow lies."""
    overflow = engine.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]
    return Path(overflow).with_name(name)


def show_candidates(engine: duckdb.DuckDBPyConnection, columns: str) -> None:
    """Make the view ``candidate`` of the believed rows of ``judged``: as the lake has them, and with what settling needs."""
    engine.execute(f"CREATE VIEW candidate AS SELECT row, {columns} FROM judged WHERE refusal IS NULL")


def _json(facts: dict[str, str]) -> str:
    pairs = ", ".join(f"{text(name)}, {expression}" for name, expression in facts.items())
    return f"json_object({pairs})::VARCHAR"


def blind(work: Work, what: str, scheme: str) -> None:
    """Fill a table with the blind index of each identifier of one column of ``parsed``, each computed once."""
    engine = work.engine
    engine.execute(f"CREATE TABLE {what}s ({what}_text VARCHAR, {what} BLOB)")
    asked = engine.cursor().execute(
        f"SELECT {what}_text FROM (SELECT DISTINCT {what}_text FROM parsed WHERE code IS NULL)"
        f" WHERE trim({what}_text) <> '' AND regexp_full_match({what}_text, {text(_PRINTABLE)})"
    )
    while some := asked.fetchmany(_SUBJECTS_AT_ONCE):
        texts = [found for (found,) in some]
        indexes = [privacy.blind_index(work.key, scheme, found) for found in texts]
        engine.register("block", pa.table({"text": texts, "blind": pa.array(indexes, pa.binary())}))
        engine.execute(f"INSERT INTO {what}s SELECT * FROM block")
        engine.unregister("block")
