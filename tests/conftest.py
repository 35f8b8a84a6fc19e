"""One embedded PostgreSQL for the whole run, and a fresh copy of one template store for each test.

Every test ends with the checks of the books: a test that leaves them broken fails.
"""

import fcntl
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy.orm import Session

from carbonhui import approvals, ledger, policy
from carbonhui.core import embedded, migrations
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings, read_settings
from carbonhui.demo.city import BELIEVED

hypothesis_settings.register_profile(
    "carbonhui", deadline=None, derandomize=True,
    # How long the examples take is the machine's matter.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
hypothesis_settings.load_profile("carbonhui")

_NUMBERS = itertools.count()
_MEMORY_BYTES = 8 << 30


def pytest_configure(config: pytest.Config) -> None:
    # Many tests start programs, and each would compile the whole product for itself.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # Spark's Java is young when a test ends: what it compiles thoroughly in that time never pays.
    os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    if "CARBONHUI_TEST_HOME" not in os.environ:
        # Root's PostgreSQL runs as another user, who must be able to reach it: pytest's own folders are closed.
        home = tempfile.mkdtemp(prefix="carbonhui-test-", dir=_memory())
        Path(home).chmod(0o755)
        os.environ["CARBONHUI_TEST_HOME"] = home
        config.add_cleanup(lambda: _remove(Path(home)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    from tests.turns import Turns

    return Turns(config, log)


def _memory() -> Path | None:
    """Memory that is used as a disk, where there is plenty: copying a store takes a tenth of the time there."""
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK | os.X_OK)):
        return None
    found = os.statvfs(memory)
    return memory if found.f_bavail * found.f_frsize >= _MEMORY_BYTES and not found.f_flag & os.ST_NOEXEC else None


def _remove(home: Path) -> None:
    if (home / "server").exists():
        embedded.wait_until_stopped(home / "server")
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def server_settings() -> Settings:
    home = Path(os.environ["CARBONHUI_TEST_HOME"])
    return read_settings({**os.environ, "CARBONHUI_HOME": str(home / "server"), "DATABASE_URL": ""}, profile="demo")


@pytest.fixture(scope="session")
def server(server_settings: Settings) -> Iterator[embedded.Server]:
    with embedded.open_server(server_settings) as opened:
        with (Path(os.environ["CARBONHUI_TEST_HOME"]) / "template.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _make_templates(opened, server_settings)
        yield opened


def _make_templates(server: embedded.Server, settings: Settings) -> None:
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'template_city'").fetchone():
            return
        connection.execute("CREATE DATABASE template_books")
        migrations.bring_up_to_date(server.parameters("template_books"), profile=None)
        connection.execute("CREATE DATABASE template_city TEMPLATE template_books")
    with Database(parameters=server.parameters("template_city"), settings=settings, server=None) as city, city.begin() as session:
        for name, number in BELIEVED:
            approve_number(session, name, number)


def approve_number(session: Session, name: str, number: int, start: date = date(2018, 1, 1)) -> None:
    """All three bodies decide, and the number is in force."""
    matter = policy.propose_number(
        session, name, number=number, start=start, source="minutes", proposed_by="office", demonstration=False
    )
    for body in approvals.BODIES:
        approvals.decide(session, matter, body=body, approved=True, decided_by=body, document_number="1")
    policy.come_into_force(session, matter)


@pytest.fixture
def template() -> str:
    """Which template the test's store is a copy of: bare books, or ``template_city`` with approved thresholds."""
    return "template_books"


@pytest.fixture
def settings(tmp_path: Path, server_settings: Settings) -> Settings:
    return replace(
        server_settings, home=tmp_path, lake=tmp_path / "lake", blind_key_file=tmp_path / "blind-index.key", keys=tmp_path / "keys",
        pool_size=8,
    )


def _cloned(server: embedded.Server, template: str) -> str:
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


@pytest.fixture
def unchecked_database(server: embedded.Server, settings: Settings, template: str) -> Iterator[Database]:
    """A fresh store whose books may be left broken: for the tests that break them by hand."""
    name = _cloned(server, template)
    parameters = server.parameters(name)
    migrations.bring_up_to_date(parameters, profile=settings.profile)
    opened = Database(parameters=parameters, settings=settings, server=None)
    yield opened
    opened.close()
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(unchecked_database: Database) -> Iterator[Database]:
    """A fresh store of the demonstration profile; its books are checked when the test is done."""
    yield unchecked_database
    with unchecked_database.begin() as session:
        broken = {name: rows for name, rows in ledger.run_checks(session).items() if rows}
    assert broken == {}


@pytest.fixture
def clock() -> SetClock:
    """Noon of 20 November 2026, city time."""
    return SetClock.on(date(2026, 11, 20))
