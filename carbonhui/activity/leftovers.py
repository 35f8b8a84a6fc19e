"""What was received and is not needed any more goes (Article 13; PIPL articles 19 and 47).

The lake holds blind indexes only. Identifiers as they were received lie in quarantine
files, and for the time of an intake in the folders ``intake`` and ``uploads`` of the home.
"""

import csv
import gzip
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.activity.batches import SOURCE_LOCK
from carbonhui.activity.profile import Profile
from carbonhui.activity.profile_files import profile_named, profile_names
from carbonhui.activity.quarantine import KEPT_DAYS, csv_writer, draft_of, drafted, put_in_place
from carbonhui.core.clock import Clock
from carbonhui.core.database import Database, connection_of
from carbonhui.core.settings import Settings

#: Nobody writes a draft or reads an upload for so long; who began it has died.
_ABANDONED_S = 24 * 3600
#: Longer than any value of a row that was received.
_LONGEST_VALUE = 2**31 - 1


def purge_files(database: Database, settings: Settings, *, clock: Clock) -> int:
    """Remove what was kept for long enough, and what a loader that died left behind; how many files and folders.

    Quarantine files live for 30 days from their reception. It may be repeated at will,
    beside loaders at work.
    """
    oldest = (clock.now() - timedelta(days=KEPT_DAYS)).timestamp()
    gone = _remove_older(settings.home / "quarantine", "*.csv.gz", oldest)
    gone += _remove_older(settings.home / "quarantine", ".*.draft", time.time() - _ABANDONED_S)
    gone += _remove_older(settings.home / "uploads", "*", time.time() - _ABANDONED_S)
    with database.connect(autocommit=True) as connection:
        for folder in _found(settings.home / "intake", "*"):
            with _alone(connection, folder.name) as is_alone:
                if is_alone:
                    gone += _remove(folder)
    return gone


@contextmanager
def upload_folder(settings: Settings) -> Iterator[Path]:
    """A folder for a file that is being received, gone at the end; `purge_files` takes those of who died."""
    uploads = settings.home / "uploads"
    uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=uploads) as folder:
        yield Path(folder)


def owe_forgetting(session: Session, account: int) -> None:
    """Note, together with an erasure, that an account's refused rows have to go: files cannot roll back with it."""
    connection_of(session).execute("INSERT INTO refused_to_forget (account_id) VALUES (%s) ON CONFLICT DO NOTHING", (account,))


def forget_refused(database: Database, settings: Settings) -> int:
    """Take what was refused of erased persons out of the quarantine files; how many rows.

    Their rows are those of the identifiers that they had links of, whose blind index is
    all that is known of them; a row whose identifier cannot be read stays until its file
    goes. Each file is replaced as a whole, and the erasure's note goes last: killed
    anywhere it is done again. A source that is being loaded is left for the next time.
    """
    with database.connect(autocommit=True) as connection:
        owed = [account for (account,) in connection.execute("SELECT account_id FROM refused_to_forget ORDER BY 1").fetchall()]
        theirs: dict[str, set[bytes]] = defaultdict(set)
        for scheme, subject in connection.execute("SELECT scheme, subject FROM link WHERE account_id = ANY (%s)", (owed,)):
            theirs[scheme].add(subject)
        gone, is_done = 0, True
        for source, profiles in _profiles(settings, theirs).items():
            with _alone(connection, source) as is_alone:
                is_done &= is_alone
                gone += sum(_forget(settings, profile, theirs[profile.scheme]) for profile in profiles if is_alone)
        if theirs:
            _remove_unreadable(settings)
        if is_done:
            connection.execute("DELETE FROM refused_to_forget WHERE account_id = ANY (%s)", (owed,))
        return gone


def _profiles(settings: Settings, schemes: Collection[str]) -> Mapping[str, list[Profile]]:
    """The profiles whose subjects are of these schemes, by source."""
    found: dict[str, list[Profile]] = defaultdict(list)
    for name in profile_names(settings.profiles_folder) if schemes else ():
        profile = profile_named(name, settings.profiles_folder)
        if profile.scheme in schemes:
            found[profile.source].append(profile)
    return found


def _forget(settings: Settings, profile: Profile, subjects: Collection[bytes]) -> int:
    key = privacy.load_or_make_key(settings.blind_key_file)

    def is_theirs(identifier: str) -> bool:
        return bool(identifier.strip()) and privacy.blind_index(key, profile.scheme, identifier) in subjects

    files = [path for path in _found(settings.home / "quarantine", "*.csv.gz") if _profile_of(path) == profile.name]
    return sum(_forget_in(path, profile, is_theirs) for path in files)


def _remove_unreadable(settings: Settings) -> None:
    """Files whose profile is gone: nobody can send them again, and nobody can tell whose the rows are."""
    names = set(profile_names(settings.profiles_folder))
    for path in _found(settings.home / "quarantine", "*.csv.gz"):
        if _profile_of(path) not in names:
            _remove(path)


def _profile_of(path: Path) -> str:
    return path.name.rsplit("-batch-", 1)[0]


def _forget_in(path: Path, profile: Profile, is_theirs: Callable[[str], bool]) -> int:
    """Write a quarantine file anew without their rows, a row at a time; how many they were."""
    csv.field_size_limit(_LONGEST_VALUE)
    gone, kept = 0, path.stat().st_mtime_ns
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text, drafted(path) as draft:
        rows, writer = csv.reader(text), csv_writer(draft)
        header = next(rows)
        # Of a file whose profile has other columns by now, or none for subjects, nobody can tell whose the rows are: all go.
        column = header.index(profile.subject_column) if profile.subject_column in header else None
        writer.writerow(header)
        for row in rows:
            if column is None or is_theirs(row[column]):
                gone += 1
            else:
                writer.writerow(row)
    if gone:
        put_in_place(path, modified_ns=kept)
    else:
        draft_of(path).unlink()
    return gone


@contextmanager
def _alone(connection: psycopg.Connection[Any], source: str) -> Iterator[bool]:
    """Whether nobody loads the source now; then nobody begins meanwhile."""
    words = (SOURCE_LOCK, source)
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", words).fetchone()
    if row != (True,):
        yield False
        return
    try:
        yield True
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", words)


def _found(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern)) if folder.is_dir() else []


def _remove_older(folder: Path, pattern: str, oldest: float) -> int:
    return sum(_remove(path) for path in _found(folder, pattern) if path.lstat().st_mtime < oldest)


def _remove(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return 1
