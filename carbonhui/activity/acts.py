"""A person's own acts, read back from the lake (Article 12): what was received of whoever asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

import duckdb
import psycopg
from sqlalchemy.orm import Session

from carbonhui.activity.lake import LAKE_FORM, exact_path
from carbonhui.activity.profile_files import profile_named
from carbonhui.activity.refusals import ActsRangeTooLong
from carbonhui.core.database import connection_of
from carbonhui.core.settings import Settings
from carbonhui.participants import Link

MOST_DAYS = 31
_MEMORY = "200MB"
_ROWS_AT_ONCE = 200


@dataclass(frozen=True)
class Act:
    """One accepted ride, reading or day's count, without any identifier.

    Times are those of the wall clock where it happened. What the kind of act does not have is None:
    rides have ``metres`` (unknown: None), ``trips`` and ``seconds``, readings ``used`` and ``minutes``, counts ``quantity``.
    """

    source: str
    kind: str
    mode: str
    day: date
    batch: int
    evidence: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    metres: int | None = None
    trips: int | None = None
    seconds: int | None = None
    used: int | None = None
    minutes: int | None = None
    span: str | None = None
    quantity: int | None = None


_COLUMNS = {
    "trip": "started_at, ended_at, metres, trips, seconds",
    "reading": "started_at, ended_at, used, minutes, span",
    "count": "quantity",
}


def subjects_of(session: Session, account: int) -> dict[str, list[Link]]:
    """The links of an account, ended ones too, by scheme."""
    rows = connection_of(session).execute(
        "SELECT scheme, subject, account_id, valid_from, valid_to FROM link WHERE account_id = %s ORDER BY scheme, valid_from", (account,)
    )
    found: dict[str, list[Link]] = {}
    for scheme, *link in rows:
        found.setdefault(scheme, []).append(Link(*link))
    return found


def acts_of(
    settings: Settings,
    session: Session,
    *,
    subjects: Mapping[str, Sequence[Link]],
    first: date,
    last: date,
    limit: int = 200,
) -> list[Act]:
    """The newest accepted acts of some links (`subjects_of`), each only on the days on which the link held.

    At most 31 days, the day from ``first`` to ``last``, newest first. Raises `ActsRangeTooLong`.
    """
    assert 1 <= limit <= 1_000
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        raise ActsRangeTooLong(first=first, last=last, most=MOST_DAYS)
    found: list[Act] = []
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": 1}) as engine:
        for received in _received(settings, connection_of(session), first, last):
            links = subjects.get(received.scheme, ())
            if links:
                found += _acts(engine, received, links, first, last, limit)
    found.sort(key=attrgetter("batch"), reverse=True)
    found.sort(key=lambda act: (act.day, act.started_at or datetime.min), reverse=True)
    return found[:limit]


@dataclass(frozen=True)
class _Received:
    """The lake's files of one source and kind of these days, and the evidence of each batch."""

    source: str
    kind: str
    scheme: str
    files: dict[str, tuple[int, str]]


def _received(settings: Settings, connection: psycopg.Connection[Any], first: date, last: date) -> list[_Received]:
    found: dict[tuple[str, str], _Received] = {}
    for source, kind, profile, batch, evidence, path in connection.execute(_FILES, (LAKE_FORM, last, first, first.replace(day=1), last)):
        if (source, kind) not in found:
            scheme = profile_named(profile, settings.profiles_folder).scheme
            found[source, kind] = _Received(source, kind, scheme, {})
        found[source, kind].files[exact_path(settings.lake / path)] = batch, evidence
    return list(found.values())


_FILES = """
SELECT b.source, b.kind, b.profile, b.id, b.evidence, f.path FROM batch b JOIN batch_file f ON f.batch_id = b.id
WHERE b.lake_form = %s AND b.first_day <= %s AND b.last_day >= %s AND f.month BETWEEN %s AND %s ORDER BY b.source, b.id
"""


def _acts(
    engine: duckdb.DuckDBPyConnection, received: _Received, links: Sequence[Link], first: date, last: date, limit: int
) -> list[Act]:
    columns = _COLUMNS[received.kind]
    words: dict[str, object] = {"files": list(received.files), "first": first, "last": last, "limit": limit}
    held = []
    for number, link in enumerate(links):
        words |= {f"s{number}": link.subject, f"f{number}": link.valid_from, f"t{number}": link.valid_to or date.max}
        held.append(f"(subject = $s{number} AND day >= $f{number} AND day < $t{number})")
    begun = "" if received.kind == "count" else ", started_at DESC"
    rows = engine.execute(
        f"""SELECT filename, mode, day, {columns} FROM read_parquet($files, hive_partitioning = false, filename = true)
            WHERE day BETWEEN $first AND $last AND ({' OR '.join(held)}) ORDER BY day DESC{begun}, act LIMIT $limit""",
        words,
    )
    batches = {path.rsplit("/", 2)[-2]: told for path, told in received.files.items()}
    names = columns.split(", ")
    acts = []
    while block := rows.fetchmany(_ROWS_AT_ONCE):
        for path, mode, day, *values in block:
            batch, evidence = batches[path.rsplit("/", 2)[-2]]
            acts.append(Act(received.source, received.kind, mode, day, batch, evidence, **dict(zip(names, values, strict=True))))
    return acts
