"""One home for all commands of a run, used as a person would: through the words of the command line.

Root's PostgreSQL runs as another user, to whom pytest's own folders are closed; so the home lies in /tmp.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from carbonhui import ledger
from carbonhui.cli import carbonhui
from carbonhui.core import embedded
from carbonhui.core.database import Database, open_database
from carbonhui.core.settings import read_settings

#: 1 and 2 stand 4.4 km apart, so that a month of rides is credits enough for every test.
STATIONS = "id,name,lat,lon\n1,North,20.680000,-103.350000\n2,South,20.640000,-103.350000\n"
HEADER = "trip_id,user_id,start_local,end_local,origin_station,dest_station"


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Told]


def environment(home: Path, **more: str) -> dict[str, str | None]:
    """This home and nothing of the machine's own settings."""
    ours = {name: None for name in os.environ if name.startswith("CARBONHUI_")}
    return {**ours, "DATABASE_URL": None, "CARBONHUI_HOME": str(home), "CARBONHUI_PROFILE": "demo", **more}


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="carbonhui-cli-"))
    made.chmod(0o755)
    yield made
    embedded.wait_until_stopped(made)
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def store(home: Path) -> Iterator[Database]:
    """The same books from inside. While it is open, no command has to start the server again."""
    settings = read_settings({name: value for name, value in environment(home).items() if value})
    with open_database(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def run(home: Path, store: Database) -> Run:
    """Run one command; what is not exit 0 must be meant."""

    def run_it(*words: object, code: int = 0, **settings: str) -> Told:
        answer = CliRunner().invoke(carbonhui, [str(word) for word in words], env=environment(home, **settings))
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == code, answer.output
        return Told(answer.exit_code, answer.stdout, answer.stderr)

    return run_it


@pytest.fixture(scope="session")
def rides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A month of two riders, with one ride too short to be one; and the stations."""
    folder = tmp_path_factory.mktemp("rides")
    rows = [
        f"{user}{day:02},{user},2015-03-{day:02} 08:00:00,2015-03-{day:02} 08:10:00,1,2"
        for user in (1, 2)
        for day in range(1, 31)
    ]
    rows.append("999,1,2015-03-31 09:00:00,2015-03-31 09:00:05,1,2")
    (folder / "rides.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    (folder / "stations.csv").write_text(STATIONS)
    return folder / "rides.csv", folder / "stations.csv"


@dataclass(frozen=True)
class Riders:
    """Two residents with credits, by account number, and what the commands said on the way."""

    first: int
    second: int
    told: dict[str, Told]


@pytest.fixture(scope="session")
def riders(run: Run, store: Database, rides: tuple[Path, Path]) -> Riders:
    """From a file to credits, one command after the other."""
    file, stations = rides
    told = {
        "approved": run("approve-demonstration"),
        "loaded": run("activity", "load", file, "--as", "mibici", "--stations", stations),
        "enrolled": run("enrol", "mibici"),
        "measured": run("quantify"),
        "minted": run("mint", "--through", "2025-12-31"),
    }
    with store.begin() as session:
        first, second = ledger.largest_earners(session, most=2)
    return Riders(first, second, told)
