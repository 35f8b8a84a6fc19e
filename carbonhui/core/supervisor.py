"""One small process keeps the embedded PostgreSQL running while anybody uses it.

A client (`carbonhui.core.embedded`) starts it and it outlives that client. Every
client holds a shared lock; when the supervisor gets that lock for itself, nobody
is left, however the clients died, and it stops PostgreSQL and goes. It runs on
the standard library alone, so that nothing in a client's environment breaks it.

Four files in the home say who is there; the kernel drops each lock with the last
process that holds it.

- ``clients.lock``: shared by every client.
- ``supervisor.lock``: the one who starts the server, who hands it to the supervisor.
- ``server.lock``: every process of PostgreSQL itself, by inheritance.
- ``server.json``: the postmaster that the present supervisor answers for.
"""

import contextlib
import ctypes
import fcntl
import json
import locale
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

PORT = 5432
SUPERUSER = "carbonhui"
POLL_SECONDS = 0.2
STOP_SECONDS = 60

#: macOS allows 103 bytes for the name of a socket, Linux 107.
LONGEST_SOCKET_NAME = 103
PR_SET_PDEATHSIG = 1
SHOWS_PROCESSES = Path("/proc/self/cwd").exists()

CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "wal_level": "replica",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "password_encryption": "scram-sha-256",
}


@dataclass(frozen=True)
class Home:
    """The directory that holds one installation, and what stands where in it."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "postgresql"

    @property
    def log(self) -> Path:
        return self.root / "postgresql.log"

    @property
    def record(self) -> Path:
        return self.root / "server.json"

    @property
    def clients_lock(self) -> Path:
        return self.root / "clients.lock"

    @property
    def supervisor_lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def server_lock(self) -> Path:
        return self.root / "server.lock"


@dataclass(frozen=True)
class Person:
    """The user whom PostgreSQL runs as, when that is not the user who starts it."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> "Person":
        """Raises `KeyError` when this machine knows no such user."""
        entry = pwd.getpwnam(name)
        return cls(name, entry.pw_uid, entry.pw_gid)


def try_lock(path: Path, kind: int) -> int | None:
    """A descriptor that holds this lock, or nothing while somebody stands in the way."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(descriptor)
        if isinstance(problem, BlockingIOError):
            return None
        raise
    return descriptor


def first_closed(path: Path, person: Person) -> Path | None:
    """The first directory on the way to this path that the person may not pass.

    What does not exist yet is not in the way. Only the mode is read, no access list.
    """
    real = path.resolve()
    for step in (*reversed(real.parents), real):
        if step.is_dir() and not step.stat().st_mode & _passing_bit(step.stat(), person):
            return step
    return None


def _passing_bit(status: os.stat_result, person: Person) -> int:
    if status.st_uid == person.uid:
        return 0o100
    return 0o010 if status.st_gid == person.gid else 0o001


def version_of(binaries: Path) -> str:
    """The version these binaries give themselves, such as ``18.1``."""
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[2]


def postmaster_says(data: Path) -> list[str]:
    """What the postmaster last wrote of itself, line by line: its pid first, its state in the eighth."""
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text(errors="replace").splitlines()]
    except FileNotFoundError:
        return []


def supervise(home: Home, binaries: Path, person: Person | None) -> None:
    """Serve this home until nobody uses it. The caller holds ``supervisor.lock``."""
    server_lock = _lock_when_nobody_serves(home)
    reachable = _reachable(binaries, home, person)
    if not (home.data / "PG_VERSION").exists():
        _make_database(home, reachable, person, server_lock)
    sockets = _fresh_socket_directory(home, person)
    postgres = _begin(_postgres_command(home, reachable, sockets), person, signal.SIGQUIT, server_lock)
    try:
        _answer_for(home, postgres.pid, sockets)
        _watch(home, postgres)
    finally:
        home.record.unlink(missing_ok=True)
        _end(home, postgres)
        shutil.rmtree(sockets, ignore_errors=True)


def _lock_when_nobody_serves(home: Home) -> int:
    """Wait until no process of an earlier server is left, and say so with ``server.lock``.

    An earlier supervisor may have been killed. Its postmaster is asked to stop, as
    the kernel has asked it already on Linux; backends without a postmaster can only
    be killed, because PostgreSQL starts no second server beside them.
    """
    asked = 0
    while (lock := try_lock(home.server_lock, fcntl.LOCK_EX)) is None:
        processes = _processes_of(home.data)
        postmaster = next((pid for pid in processes if [str(pid)] == postmaster_says(home.data)[:1]), None)
        if postmaster is None:
            _kill(processes, signal.SIGKILL)
        elif postmaster != asked:
            _kill([postmaster], signal.SIGQUIT)
            asked = postmaster
        time.sleep(0.05)
    if SHOWS_PROCESSES and not _processes_of(home.data):
        # Its pid may be a zombie's or a stranger's by now, and PostgreSQL would take either for a live server.
        (home.data / "postmaster.pid").unlink(missing_ok=True)
    return lock


def _processes_of(data: Path) -> list[int]:
    """The processes of the PostgreSQL server of this directory.

    Their working directory tells them from all others, where the system shows it.
    Elsewhere the postmaster's own word is taken, as ``server.lock`` proves that one lives.
    """
    if not data.exists():
        return []
    if not SHOWS_PROCESSES:
        return [int(line) for line in postmaster_says(data)[:1]]
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _serves(entry, data)]


def _serves(process: Path, data: Path) -> bool:
    try:
        program = (process / "exe").readlink().name
        ours = process.stat().st_uid == data.stat().st_uid
        return ours and program.startswith("postgres") and (process / "cwd").samefile(data)
    except OSError:
        # It ended while we looked, or belongs to somebody whose processes we may not see.
        return False


def _kill(processes: list[int], with_signal: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, with_signal)


def _reachable(binaries: Path, home: Home, person: Person | None) -> Path:
    """These binaries, or a copy in the home where the person can come to them.

    The wheel keeps its libraries beside the package and finds them by a relative
    path, so the copy keeps that distance.
    """
    if person is None:
        return binaries
    real = binaries.resolve()
    prefix, above = real.parent, real.parents[2]
    parts = [real, prefix / "lib", prefix / "share", Path(f"{prefix.parent}.libs")]
    present = [part for part in parts if part.is_dir()]
    if all(first_closed(part, person) is None for part in present):
        return binaries
    made = (real / "postgres").stat()
    copy = home.root / "binaries" / f"{version_of(real)}-{made.st_size:x}-{int(made.st_mtime):x}"
    if not copy.exists():
        _copy(present, above, copy)
    return copy / real.relative_to(above)


def _copy(parts: list[Path], above: Path, copy: Path) -> None:
    """Copy the parts, open to every reader, and let them appear all at once."""
    shutil.rmtree(copy.parent, ignore_errors=True)
    unfinished = copy.with_name("unfinished")
    for part in parts:
        shutil.copytree(part, unfinished / part.relative_to(above))
    for path in (copy.parent, unfinished, *unfinished.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runs else 0o644)
    unfinished.rename(copy)


def _make_database(home: Home, binaries: Path, person: Person | None, server_lock: int) -> None:
    """Make the data directory elsewhere and move it in, so that half a one is never seen."""
    unfinished = home.root / "postgresql.unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    _private_directory(unfinished, person)
    initdb = [str(binaries / "initdb"), "-D", str(unfinished), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "-k"]
    initdb += ["--no-instructions", *_locale_options(binaries)]
    if _begin(initdb, person, signal.SIGKILL, server_lock).wait() != 0:
        sys.exit(1)
    unfinished.rename(home.data)
    entries = os.open(home.root, os.O_RDONLY)
    os.fsync(entries)
    os.close(entries)


def _locale_options(binaries: Path) -> list[str]:
    """Code-point order on every machine; PostgreSQL brings it along itself since 17."""
    if int(version_of(binaries).split(".")[0]) >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return ["--locale=C"]
    return ["--locale=C.UTF-8"]


def _fresh_socket_directory(home: Home, person: Person | None) -> Path:
    """A directory that only the server's user may enter, with a name short enough for a socket.

    A comma or a quotation mark in it would read as a list of directories.
    """
    inside = home.root / "socket"
    name = os.fsencode(inside / f".s.PGSQL.{PORT}")
    if len(name) <= LONGEST_SOCKET_NAME and not {",", '"'} & set(str(inside)):
        shutil.rmtree(inside, ignore_errors=True)
        _private_directory(inside, person)
        return inside
    outside = Path(tempfile.mkdtemp(prefix="carbonhui-"))
    _give_to(outside, person)
    return outside


def _private_directory(path: Path, person: Person | None) -> None:
    path.mkdir(mode=0o700)
    _give_to(path, person)


def _give_to(path: Path, person: Person | None) -> None:
    if person is not None:
        os.chown(path, person.uid, person.gid)


def _postgres_command(home: Home, binaries: Path, sockets: Path) -> list[str]:
    command = [str(binaries / "postgres"), "-D", str(home.data), "-p", str(PORT), "-k", str(sockets)]
    for name, value in (CONFIGURATION | {"shared_buffers": f"{_shared_buffers_mb()}MB"}).items():
        command += ["-c", f"{name}={value}"]
    return command


def _shared_buffers_mb() -> int:
    """256 MB, or an eighth of a small machine's memory."""
    memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    return max(16, min(256, memory_mb // 8))


def _begin(
    command: Sequence[str], person: Person | None, ending: signal.Signals, server_lock: int
) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL that does not outlive this supervisor and carries ``server.lock``."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        pass_fds=(server_lock,),
        user=None if person is None else person.uid,
        group=None if person is None else person.gid,
        extra_groups=None if person is None else [],
        preexec_fn=_ends_with_us(ending),
    )


def _ends_with_us(ending: signal.Signals) -> Callable[[], None] | None:
    """What a child of ours does before its program starts, so that it gets this signal when we die.

    Only Linux can promise it. The promise is lost when the user changes, and Python
    changes the user before it calls this.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def promise() -> None:
        prctl(PR_SET_PDEATHSIG, int(ending), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return promise


def _answer_for(home: Home, pid: int, sockets: Path) -> None:
    unfinished = home.record.with_suffix(".unfinished")
    unfinished.write_text(json.dumps({"pid": pid, "sockets": str(sockets)}))
    unfinished.rename(home.record)


def _watch(home: Home, postgres: subprocess.Popen[bytes]) -> None:
    """Return when nobody uses the server any more, keeping newcomers out, or when it has died.

    A start is never broken off: recovery would begin again from nothing.
    """
    while postgres.poll() is None:
        if postmaster_says(home.data)[7:] == ["ready"] and try_lock(home.clients_lock, fcntl.LOCK_EX) is not None:
            return
        time.sleep(POLL_SECONDS)


def _end(home: Home, postgres: subprocess.Popen[bytes]) -> None:
    """Stop the server in order, or less so if it hangs, as PostgreSQL 18 can while it recovers from a crash.

    Nothing that was committed depends on which.
    """
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        postgres.send_signal(request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            postgres.wait(STOP_SECONDS)
            break
    if SHOWS_PROCESSES:
        _kill(_processes_of(home.data), signal.SIGKILL)


def _leave(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def main(home: str, binaries: str, user: str, supervisor_lock: str) -> None:
    """Leave the client's family, keep the lock it handed over, and serve."""
    if os.fork() > 0:
        os._exit(0)
    os.set_inheritable(int(supervisor_lock), False)
    signal.signal(signal.SIGTERM, _leave)
    supervise(Home(Path(home)), Path(binaries), Person.named(user) if user else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
