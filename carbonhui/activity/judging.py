"""Judging rows one by one: the first rule that a row breaks is told, and only that one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from carbonhui import privacy
from carbonhui.activity.profile import Profile

#: Plain ASCII without spaces: a full-width digit or a stray space is the sender's to repair.
_IDENTIFIER = "[!-~]{1,100}"
_IDENTIFIER_MOST = 100
_SUBJECTS_AT_ONCE = 50_000
LOCAL = "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
OFFSET = "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"


@dataclass(frozen=True)
class Rule:
    """Rows where ``when`` is true are refused under the code, with facts for its sentence.

    ``when`` and the facts are expressions of the engine over the table ``parsed``.
    """

    when: str
    code: str
    facts: dict[str, str] = field(default_factory=dict)


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
    earliest = profile.limits.earliest_day
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


def moved(expression: str, profile: Profile) -> str:
    return f"({expression} + INTERVAL {profile.moved_years} YEAR)"


def judge(engine: duckdb.DuckDBPyConnection, rules: Sequence[Rule], words: Any = None) -> None:
    """Make ``judged`` of ``parsed``: every row, with the code and the facts of the first rule that it breaks.

    A row that could not even be read keeps the code it has.
    """
    reason = " ".join(f"WHEN {rule.when} THEN {number}" for number, rule in enumerate(rules))
    codes = " ".join(f"WHEN {number} THEN {text(rule.code)}" for number, rule in enumerate(rules))
    facts = " ".join(f"WHEN {number} THEN {_json(rule.facts)}" for number, rule in enumerate(rules))
    engine.execute(
        f"""
        CREATE TABLE judged AS
        SELECT * EXCLUDE (code, facts, reason),
               coalesce(code, CASE reason {codes} END) AS code, coalesce(facts, CASE reason {facts} END) AS facts
        FROM (SELECT *, CASE WHEN code IS NULL THEN CASE {reason} END END AS reason FROM parsed)
        """,
        words,
    )


def _json(facts: dict[str, str]) -> str:
    pairs = ", ".join(f"{text(name)}, {expression}" for name, expression in facts.items())
    return f"json_object({pairs})::VARCHAR"


def blind_subjects(engine: duckdb.DuckDBPyConnection, key: bytes, scheme: str) -> None:
    """Fill ``subjects``: the blind index of each identifier that a believed row has, each computed once."""
    engine.execute("CREATE TABLE subjects (subject_text VARCHAR, subject BLOB)")
    asked = engine.cursor().execute("SELECT DISTINCT subject_text FROM judged WHERE code IS NULL")
    while some := asked.fetchmany(_SUBJECTS_AT_ONCE):
        texts = [found for (found,) in some]
        blind = [privacy.blind_index(key, scheme, found) for found in texts]
        engine.register("block", pa.table({"subject_text": texts, "subject": pa.array(blind, pa.binary())}))
        engine.execute("INSERT INTO subjects SELECT * FROM block")
        engine.unregister("block")
