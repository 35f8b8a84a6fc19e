"""Proposing a dated value, bringing it into force, reading what is in force."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from carbonhui import approvals
from carbonhui.core.database import connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.policy.refusals import (
    DemonstrationOnly,
    NotApproved,
    NotInForce,
    PolicyUnknown,
    TextMissing,
    ValueOfThePast,
    ValueOutOfRange,
    ValuesOverlap,
)


@dataclass(frozen=True)
class Value:
    """One value in force: ``number`` or ``fingerprint``, from ``start`` to before ``end`` (None: open)."""

    name: str
    number: int | None
    fingerprint: str | None
    start: date
    end: date | None
    source: str
    demonstration: bool
    matter: int


@dataclass(frozen=True)
class Version:
    """An approved methodology: its fingerprint, from ``start`` to before ``end`` (None: open)."""

    fingerprint: str
    start: date
    end: date | None


def methodology_name(methodology: str) -> str:
    """The name under which a methodology's fingerprints are governed."""
    return f"methodology:{methodology}"


def plausible_name(mode: str, what: str) -> str:
    """The name under which is governed what is believed of one act, such as ``plausible:bus:longest_s``."""
    return f"plausible:{mode}:{what}"


def propose_number(
    session: Session, name: str, *, number: int, start: date, source: str, proposed_by: str, demonstration: bool
) -> int:
    """Propose a number from a day on; the matter to be decided.

    Raises `PolicyUnknown`, `ValueOutOfRange`, `TextMissing`.
    """
    row = connection_of(session).execute(
        "SELECT id, lowest, highest FROM policy_name WHERE name = %s AND lowest IS NOT NULL", (name,)
    ).fetchone()
    if row is None:
        raise PolicyUnknown(name=ascii(name)[:60])
    if type(number) is not int or not row[1] <= number <= row[2]:
        raise ValueOutOfRange(name=name, number=number, lowest=row[1], highest=row[2])
    _refuse_missing(source, proposed_by)
    matter = approvals.propose(session, kind="policy", title=f"{name} = {number} from {start}", proposed_by=proposed_by)
    _keep(session, row[0], matter, start, source, demonstration, number=number)
    return matter


def propose_fingerprint(
    session: Session, methodology: str, *, fingerprint: str, start: date, source: str, proposed_by: str, demonstration: bool
) -> int:
    """Propose a version of a methodology from a day on; the matter to be decided. Raises `TextMissing`."""
    _refuse_missing(source, proposed_by)
    name = methodology_name(methodology)
    connection = connection_of(session)
    connection.execute(
        "INSERT INTO policy_name (name, says) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (name, "Fingerprint of the methodology that measures from this day on (Articles 14, 15)"),
    )
    row = connection.execute("SELECT id FROM policy_name WHERE name = %s", (name,)).fetchone()
    assert row is not None
    title = f"{name} {fingerprint[:12]} from {start}"
    matter = approvals.propose(session, kind="methodology", title=title, proposed_by=proposed_by)
    _keep(session, row[0], matter, start, source, demonstration, fingerprint=fingerprint)
    return matter


def _refuse_missing(source: str, proposed_by: str) -> None:
    for field, text in (("source", source), ("proposer", proposed_by)):
        if not text.strip():
            raise TextMissing(field=field)


def _keep(
    session: Session, name_id: int, matter: int, start: date, source: str, demonstration: bool,
    *, number: int | None = None, fingerprint: str | None = None,
) -> None:
    connection_of(session).execute(
        """INSERT INTO policy_value (name_id, number, fingerprint, proposed, source, demonstration, matter_id)
           VALUES (%s, %s, %s, daterange(%s, NULL), %s, %s, %s)""",
        (name_id, number, fingerprint, start, source, demonstration, matter),
    )


def come_into_force(session: Session, matter: int) -> None:
    """Put an approved value in force from its day on, ending the one before it.

    Raises `NotApproved`, `DemonstrationOnly`, `ValueOfThePast` when people were
    credited by another value on its days, `ValuesOverlap` when a value of the
    same day or a later one is in force already.
    """
    connection = connection_of(session)
    row = connection.execute(
        """SELECT v.id, v.name_id, lower(v.proposed), n.name FROM policy_value v JOIN policy_name n ON n.id = v.name_id
           WHERE v.matter_id = %s""",
        (matter,),
    ).fetchone()
    if row is None:
        raise approvals.MatterUnknown(matter=matter)
    value_id, name_id, start, name = row
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK, name_id))
    try:
        connection.execute(
            """UPDATE policy_in_force SET valid = daterange(lower(valid), %(start)s)
               WHERE name_id = %(name)s AND upper(valid) IS NULL AND lower(valid) < %(start)s""",
            {"name": name_id, "start": start},
        )
        connection.execute(
            "INSERT INTO policy_in_force (value_id, name_id, valid) VALUES (%s, %s, daterange(%s, NULL))",
            (value_id, name_id, start),
        )
    except psycopg.errors.ExclusionViolation as error:
        raise ValuesOverlap(name=name, day=start) from error
    except psycopg.errors.UniqueViolation as error:
        raise ValuesOverlap(name=name, day=start) from error
    except psycopg.Error as error:
        refusal = _refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


def _refusal_of(error: psycopg.Error) -> Refusal | None:
    for kind in (NotApproved, DemonstrationOnly, ValueOfThePast):
        if error.diag.message_hint == kind.code:
            return kind(**json.loads(error.diag.message_primary or "{}"))
    return None


_VALUES = """
SELECT n.name, v.number, v.fingerprint, lower(f.valid), upper(f.valid), v.source, v.demonstration, v.matter_id
FROM policy_in_force f JOIN policy_value v ON v.id = f.value_id JOIN policy_name n ON n.id = f.name_id
WHERE %(name)s::text IS NULL OR n.name = %(name)s ORDER BY n.name, lower(f.valid)
"""


def values(session: Session, name: str | None = None) -> list[Value]:
    """What was, is and will be in force, by name and day."""
    return [Value(*row) for row in connection_of(session).execute(_VALUES, {"name": name})]


#: Two-key advisory locks: who reads a value in order to credit somebody by it shares the name's lock until the
#: end of the transaction, and who brings another into force waits for them.
_LOCK = 440116


def number_on(session: Session, name: str, day: date) -> int:
    """The number in force on a day, which stays so until the transaction ends. Raises `NotInForce`."""
    connection = connection_of(session)
    connection.execute(
        "SELECT pg_advisory_xact_lock_shared(%s, id) FROM policy_name WHERE name = %s", (_LOCK, name), prepare=True
    )
    row = connection.execute(
        """SELECT v.number FROM policy_in_force f JOIN policy_value v ON v.id = f.value_id
           JOIN policy_name n ON n.id = f.name_id WHERE n.name = %s AND f.valid @> %s::date AND v.number IS NOT NULL""",
        (name, day),
    ).fetchone()
    if row is None:
        raise NotInForce(name=name, day=day)
    return int(row[0])


def numbers_on(connection: psycopg.Connection[Any], names: Iterable[str], day: date) -> dict[str, int]:
    """Those of these numbers that are in force on a day, which stay so until the transaction ends.

    It takes a plain connection, because whoever loads a file holds a lock of its own on one.
    """
    wanted = sorted(names)
    connection.execute(
        "SELECT pg_advisory_xact_lock_shared(%s, id) FROM (SELECT id FROM policy_name WHERE name = ANY (%s) ORDER BY id) n",
        (_LOCK, wanted),
    )
    rows = connection.execute(
        """SELECT n.name, v.number FROM policy_in_force f JOIN policy_value v ON v.id = f.value_id
           JOIN policy_name n ON n.id = f.name_id
           WHERE n.name = ANY (%s) AND f.valid @> %s::date AND v.number IS NOT NULL ORDER BY n.name""",
        (wanted, day),
    )
    return {name: int(number) for name, number in rows}


def versions_in_force(session: Session, methodology: str) -> list[Version]:
    """The approved versions of a methodology, by day."""
    found = values(session, methodology_name(methodology))
    return [Version(value.fingerprint, value.start, value.end) for value in found if value.fingerprint is not None]


def versions_kept(connection: psycopg.Connection[Any], methodologies: Iterable[str]) -> dict[str, list[Version]]:
    """The approved versions of each methodology by day, which stay so until the transaction ends.

    Whoever measures by them holds a connection of its own.
    """
    names = {methodology_name(one): one for one in sorted(methodologies)}
    connection.execute(
        "SELECT pg_advisory_xact_lock_shared(%s, id) FROM (SELECT id FROM policy_name WHERE name = ANY (%s) ORDER BY id) n",
        (_LOCK, list(names)),
    )
    found: dict[str, list[Version]] = {one: [] for one in names.values()}
    for name, _, fingerprint, start, end, *_ in connection.execute(
        _VALUES.replace("%(name)s::text IS NULL OR n.name = %(name)s", "n.name = ANY (%(names)s)"), {"names": list(names)}
    ):
        found[names[name]].append(Version(fingerprint, start, end))
    return found
