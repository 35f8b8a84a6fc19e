"""Declaring acts to be used in another mechanism, such as a national market (Article 16)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from carbonhui import privacy
from carbonhui.activity import counts, readings, swipes
from carbonhui.activity.batches import refuse_outdated, source_files, source_locked
from carbonhui.activity.judging import Work, blind, identifier_rules, judge, of
from carbonhui.activity.limits import Limits, limits_on
from carbonhui.activity.profile import Profile
from carbonhui.activity.profile_files import profile_for
from carbonhui.activity.quarantine import first_refused
from carbonhui.activity.receiving import Received, look_at
from carbonhui.activity.refusals import ColumnsDiffer, DeclarationIncomplete, DeclarationUnreadable
from carbonhui.activity.staging import stage, staging
from carbonhui.core.clock import CITY_TIME, Clock, SystemClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings

_ACTS_AT_ONCE = 50_000


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What became of one declaration: its acts were new or known, and some had been loaded before.

    Two swipes of one ride are two rows and one act.
    """

    source: str
    mechanism: str
    rows_in: int
    acts: int
    new: int
    known: int
    loaded_before: int


def declare_elsewhere(
    database: Database,
    settings: Settings,
    path: Path,
    profile: str,
    *,
    mechanism: str,
    declared_by: str,
    clock: Clock | None = None,
) -> Declaration:
    """Take in a file of acts that are used in another mechanism: from now on they are refused here.

    The file has the profile's form, or only the column of the act's number. It is taken
    whole or not at all. Acts that were loaded before stay in the lake; those that were
    not measured yet are not measured any more.

    Raises `DeclarationIncomplete`, `DeclarationUnreadable`, and the refusals of a whole file.
    """
    for field, text in (("mechanism", mechanism), ("declared_by", declared_by)):
        if not text.strip():
            raise DeclarationIncomplete(field=field)
    chosen = profile_for(settings, profile)
    received = look_at(path)
    now = (clock or SystemClock()).now()
    with (
        source_locked(database, chosen.source) as connection,
        staging(settings.home / "intake" / chosen.source) as engine,
    ):
        refuse_outdated(connection, chosen.source)
        work = _work(engine, settings, chosen, connection, now)
        rows_in = _write_acts(work, received)
        return _declare(work, connection, settings, rows_in, mechanism, declared_by)


def _work(
    engine: duckdb.DuckDBPyConnection, settings: Settings, profile: Profile, connection: psycopg.Connection[Any], now: datetime
) -> Work:
    limits: Limits = {}
    if profile.reading is not None:
        # A bill that is too long to be one names no act.
        with connection.transaction():
            limits = limits_on(connection, profile, now.astimezone(CITY_TIME).date())
    return Work(engine, profile, limits, privacy.load_or_make_key(settings.blind_key_file), now, {})


def _write_acts(work: Work, received: Received) -> int:
    """Fill ``acts`` from the file; the number of its rows. Raises `DeclarationUnreadable`."""
    key = _key_column(work.profile)
    rows_in, columns = _stage(work, received, key)
    if key is not None:
        _judge_keys(work, of(columns, key), key)
    else:
        _JUDGES[work.profile.kind](work)
    _refuse_unreadable(work.engine, received.path)
    work.engine.execute(f"CREATE TABLE acts AS SELECT DISTINCT {_act(work.profile)} AS act FROM {_from(work.profile)}", work.act_words)
    return rows_in


def _key_column(profile: Profile) -> str | None:
    """The column that alone names the act, if there is one."""
    if profile.trip is not None:
        return profile.trip.key
    return profile.count.key if profile.count is not None else None


def _stage(work: Work, received: Received, key: str | None) -> tuple[int, Profile]:
    """The rows of the file, and the profile whose columns it has: all of them, or the act's number only."""
    try:
        return stage(work.engine, received, work.profile), work.profile
    except ColumnsDiffer:
        if key is None:
            raise
        numbers_only = replace(work.profile, columns=(key,))
        return stage(work.engine, received, numbers_only), numbers_only


def _judge_keys(work: Work, column: str, name: str) -> None:
    work.engine.execute(f"CREATE VIEW parsed AS SELECT row, code, facts, {column} AS key_text FROM received")
    judge(work.engine, identifier_rules(name, "key_text", "key_missing"))


def _judge_readings(work: Work) -> None:
    readings.parse(work)
    judge(work.engine, readings.identity_rules(work), work.city_now)
    blind(work, "subject", work.profile.scheme)
    readings.blind_meters(work)


def _judge_counts(work: Work) -> None:
    counts.parse(work)
    judge(work.engine, counts.identity_rules(work), work.city_now)
    blind(work, "subject", work.profile.scheme)


_JUDGES: dict[str, Callable[[Work], None]] = {
    "reading": _judge_readings,
    "count": _judge_counts,
    "swipe": swipes.judge_each,
}


def _act(profile: Profile) -> str:
    if profile.reading is not None:
        return readings.act(profile)
    return counts.act(profile) if profile.count is not None else privacy.blind_index_sql("key_text")


def _from(profile: Profile) -> str:
    """A ride's act is the swipe with which it begins."""
    if profile.swipe is not None:
        return "ruled WHERE kind <> 'exit'"
    if profile.reading is not None:
        return "ruled JOIN subjects USING (subject_text) JOIN meters USING (meter_text)"
    return "ruled" if _key_column(profile) else "ruled JOIN subjects USING (subject_text)"


def _refuse_unreadable(engine: duckdb.DuckDBPyConnection, path: Path) -> None:
    engine.execute("CREATE TABLE refused AS SELECT row, code, facts FROM ruled WHERE code IS NOT NULL")
    for row, _, why, why_zh in first_refused(engine, 1):
        found = engine.execute("SELECT count(*) FROM refused").fetchall()[0][0]
        raise DeclarationUnreadable(path=path, found=found, row=row, why=why, why_zh=why_zh)


def _declare(
    work: Work, connection: psycopg.Connection[Any], settings: Settings, rows_in: int, mechanism: str, declared_by: str
) -> Declaration:
    files = source_files(connection, settings.lake, work.profile.source)
    [acts] = work.engine.execute("SELECT count(*) FROM acts").fetchall()[0]
    new = _record(work, connection, mechanism, declared_by)
    return Declaration(
        source=work.profile.source, mechanism=mechanism, rows_in=rows_in, acts=acts, new=new, known=acts - new,
        loaded_before=_loaded(work.engine, files),
    )  # fmt: skip


def _record(work: Work, connection: psycopg.Connection[Any], mechanism: str, declared_by: str) -> int:
    """How many of ``acts`` were not declared before; now all are."""
    new = 0
    asked = work.engine.cursor().execute("SELECT act FROM acts ORDER BY act")
    with connection.transaction(), connection.cursor() as cursor:
        while some := asked.fetchmany(_ACTS_AT_ONCE):
            cursor.execute(
                "INSERT INTO used_elsewhere (source, act, mechanism, declared_by, declared_at)"
                " SELECT %s, act, %s, %s, %s FROM unnest(%s::bytea[]) AS act ON CONFLICT DO NOTHING",
                (work.profile.source, mechanism, declared_by, work.now, [act for (act,) in some]),
            )
            new += cursor.rowcount
    return new


def _loaded(engine: duckdb.DuckDBPyConnection, files: list[str]) -> int:
    if not files:
        return 0
    known = "SELECT count(*) FROM acts SEMI JOIN read_parquet($files, hive_partitioning = false) AS lake USING (act)"
    return int(engine.execute(known, {"files": files}).fetchall()[0][0])
