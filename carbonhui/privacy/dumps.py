"""Dumps of the data without the keys, and of the keys apart, so that no old backup brings back the erased.

The dump of the data is PostgreSQL's own (custom format, for ``pg_restore``) without
the rows of data keys and blind indexes. The dump of the keys is a CSV file of these rows and of
who was erased, kept for a short time only. The list of the erased is kept for good: it
holds numbers and times, nothing personal.
"""

import csv
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, pq
from sqlalchemy.orm import Session

from carbonhui.core import embedded
from carbonhui.core.database import connection_of
from carbonhui.core.settings import Settings
from carbonhui.privacy.keepers import Wrapped
from carbonhui.privacy.refusals import DumpUnusable, KeyMissing
from carbonhui.privacy.vault import Vault

#: Whose rows are in no dump of the data.
APART = ("data_key", "personal_index")


def dump_data(parameters: dict[str, Any], settings: Settings, to: Path) -> None:
    """Write the whole store without data keys and blind indexes, by ``pg_dump``.

    ``parameters`` are those of the store (`Database.parameters`); a password goes to the
    program by its environment, where other users do not see it.

    Raises `DumpUnusable`, and what `embedded.find_binaries` refuses.
    """
    program = embedded.find_binaries(settings) / "pg_dump"
    draft = to.with_name(f".{to.name}.part")
    command = [str(program), "--format=custom", f"--file={draft}", *(f"--exclude-table-data=public.{table}" for table in APART)]
    try:
        done = subprocess.run(
            command, env=_environment(parameters), umask=0o077, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise _unusable(to, done.stderr.strip().splitlines()[-1:])
        draft.replace(to)
    except OSError as error:
        raise _unusable(to, [error.strerror or type(error).__name__]) from error
    finally:
        draft.unlink(missing_ok=True)


def _environment(parameters: dict[str, Any]) -> dict[str, str]:
    """The address as libpq's environment variables, and little else."""
    parsed = pq.Conninfo.parse(conninfo.make_conninfo(**parameters).encode())
    given = {
        option.envvar.decode(): option.val.decode()
        for option in parsed
        if option.envvar is not None and option.val is not None
    }
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "HOME") if name in os.environ} | given


def dump_keys(session: Session, to: Path) -> int:
    """Write every data key, blind index and erasure, of one instant; how many rows.

    Whoever has this file and a dump of the data still needs the key-encryption key.

    Raises `DumpUnusable`.
    """
    return _dump(session, _KEYS, to)


def dump_erased(session: Session, to: Path) -> int:
    """Write who was erased and when, to be kept for good; how many. Raises `DumpUnusable`."""
    return _dump(session, _ERASED, to)


_ERASED = "SELECT 'erased', id::text, erased_at::text, '', '', '' FROM data_subject WHERE erased_at IS NOT NULL"
_KEYS = f"""
SELECT 'key', subject::text, encode(wrapped, 'hex'), kek, algorithm, made_at::text FROM data_key
UNION ALL
SELECT 'index', subject::text, scheme, encode(digest, 'hex'), key_version::text, algorithm FROM personal_index
UNION ALL
{_ERASED}
"""


def _dump(session: Session, query: str, to: Path) -> int:
    connection = connection_of(session)
    connection.execute("SET LOCAL statement_timeout = 0")
    draft = to.with_name(f".{to.name}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            cursor = connection.cursor()
            with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as rows:
                for block in rows:
                    file.write(block)
            file.write(f"end,{cursor.rowcount},,,,\n".encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(to)
    except OSError as error:
        raise _unusable(to, [error.strerror or type(error).__name__]) from error
    finally:
        draft.unlink(missing_ok=True)
    return cursor.rowcount


@dataclass(frozen=True)
class Restored:
    """What came back, and what did not and why."""

    keys: int
    indexes: int
    #: Subjects whose keys were in the dump and who were erased since.
    refused: int
    #: Subjects of the dump that the restored data does not know: begun after the dump of the data.
    unknown: int


def restore_keys(session: Session, vault: Vault, *, keys: Path, erased: Path) -> Restored:
    """Bring the data keys and indexes of a dump back, but of nobody who was erased.

    ``erased`` is the newest list of erased subjects. Whoever is on it, or on the list
    inside the dump, is erased in the restored data as well. Everything or nothing is
    restored.

    Raises `DumpUnusable`; `KeyMissing` and `SealBroken` when the key-encryption key that
    wrapped the dump is not here or was retired.
    """
    connection = connection_of(session)
    connection.execute("SET LOCAL statement_timeout = 0")
    try:
        _load(connection, (keys, erased))
        for statement in _APPLY_ERASURES:
            connection.execute(statement)
        _prove_keys(connection, vault)
        counted = [connection.execute(statement).rowcount for statement in (_BRING_KEYS, _BRING_INDEXES)]
    except (psycopg.DataError, psycopg.IntegrityError):
        # Not "from error": it repeats a line of the dump.
        raise DumpUnusable(path=keys, reason="a line is not one of a dump", reason_zh="有一行内容不属于备份") from None
    refused, unknown = (_count(connection, query) for query in (_REFUSED, _UNKNOWN))
    return Restored(keys=counted[0], indexes=counted[1], refused=refused, unknown=unknown)


def _load(connection: psycopg.Connection[Any], paths: tuple[Path, ...]) -> None:
    connection.execute("DROP TABLE IF EXISTS pg_temp.returning_row")
    connection.execute(_TABLE)
    with connection.cursor().copy("COPY returning_row FROM STDIN") as copy:
        for path in paths:
            for row in _rows(path):
                copy.write_row(row)


def _count(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _rows(path: Path) -> Iterator[list[str]]:
    """The lines of a dump but the last, which says how many they are; without it the file was cut short."""
    count, told = 0, ""
    try:
        with path.open(encoding="ascii", newline="") as file:
            for row in csv.reader(file):
                if told or len(row) != 6:
                    raise DumpUnusable(path=path, reason="it is not a dump of keys", reason_zh="不是密钥备份")
                if row[0] == "end":
                    told = row[1]
                    continue
                count += 1
                yield row
    except OSError as error:
        raise _unusable(path, [error.strerror or type(error).__name__]) from error
    except (UnicodeDecodeError, csv.Error):
        raise DumpUnusable(path=path, reason="it is not a dump of keys", reason_zh="不是密钥备份") from None
    if told != str(count):
        raise DumpUnusable(path=path, reason="its end is missing", reason_zh="备份不完整")


def _prove_keys(connection: psycopg.Connection[Any], vault: Vault) -> None:
    """One key of each key-encryption key is opened before anything is brought back."""
    for kek, subject, sealed, algorithm, retired in connection.execute(_ONE_OF_EACH).fetchall():
        if retired:
            raise KeyMissing(key=f"kek {kek}", place="those that are not retired")
        vault.open_key(subject, Wrapped(kek=kek, algorithm=algorithm, sealed=sealed))


_TABLE = """
CREATE TEMPORARY TABLE returning_row (kind text, subject bigint, a text, b text, c text, d text) ON COMMIT DROP
"""
_APPLY_ERASURES = (
    """
    UPDATE data_subject s SET erased_at = e.at
    FROM (SELECT subject, min(a::timestamptz) AS at FROM returning_row WHERE kind = 'erased' GROUP BY subject) e
    WHERE s.id = e.subject AND s.erased_at IS NULL
    """,
    "DELETE FROM data_key USING data_subject s WHERE s.id = subject AND s.erased_at IS NOT NULL",
    "DELETE FROM personal_field USING data_subject s WHERE s.id = subject AND s.erased_at IS NOT NULL",
    "DELETE FROM personal_index USING data_subject s WHERE s.id = subject AND s.erased_at IS NOT NULL",
)
_ONE_OF_EACH = """
SELECT DISTINCT ON (r.b) r.b, r.subject, decode(r.a, 'hex'), r.c, t.name IS NOT NULL
FROM returning_row r JOIN data_subject s ON s.id = r.subject LEFT JOIN retired_key t ON t.name = 'kek ' || r.b
WHERE r.kind = 'key' AND s.erased_at IS NULL ORDER BY r.b
"""
_BRING_KEYS = """
INSERT INTO data_key (subject, wrapped, kek, algorithm, made_at)
SELECT r.subject, decode(r.a, 'hex'), r.b, r.c, r.d::timestamptz
FROM returning_row r JOIN data_subject s ON s.id = r.subject
WHERE r.kind = 'key' AND s.erased_at IS NULL ORDER BY r.subject ON CONFLICT DO NOTHING
"""
_BRING_INDEXES = """
INSERT INTO personal_index (subject, scheme, digest, key_version, algorithm)
SELECT r.subject, r.a, decode(r.b, 'hex'), r.c::integer, r.d
FROM returning_row r JOIN data_subject s ON s.id = r.subject
LEFT JOIN retired_key t ON t.name = 'index ' || r.a || ' ' || r.c
WHERE r.kind = 'index' AND s.erased_at IS NULL AND t.name IS NULL ORDER BY r.subject ON CONFLICT DO NOTHING
"""
_REFUSED = """
SELECT count(*) FROM returning_row r JOIN data_subject s ON s.id = r.subject WHERE r.kind = 'key' AND s.erased_at IS NOT NULL
"""
_UNKNOWN = """
SELECT count(*) FROM returning_row r LEFT JOIN data_subject s ON s.id = r.subject WHERE r.kind = 'key' AND s.id IS NULL
"""


def _unusable(path: Path, said: list[str]) -> DumpUnusable:
    """The system's own words are the same in both languages."""
    reason = "".join(said) or "the program failed"
    return DumpUnusable(path=path, reason=reason, reason_zh=reason)
