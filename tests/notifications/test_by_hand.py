"""What the clock and the API do with webhooks, a person does by hand."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from carbonhui import notifications
from carbonhui.cli import carbonhui
from carbonhui.core import embedded
from carbonhui.core.database import Database, open_database
from carbonhui.core.settings import read_settings
from tests.notifications.conftest import ORGANISATION, Receiver


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    # Root's PostgreSQL runs as another user, to whom pytest's own folders are closed.
    made = Path(tempfile.mkdtemp(prefix="carbonhui-cli-"))
    made.chmod(0o755)
    yield made
    embedded.wait_until_stopped(made)
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str | None]:
    ours: dict[str, str | None] = {name: None for name in os.environ if name.startswith("CARBONHUI_")}
    return {**ours, "DATABASE_URL": None, "CARBONHUI_HOME": str(home), "CARBONHUI_PROFILE": "demo"}


@pytest.fixture(scope="module")
def store(environment: dict[str, str | None]) -> Iterator[Database]:
    with open_database(read_settings({name: value for name, value in environment.items() if value})) as opened:
        yield opened


@pytest.fixture(scope="module")
def run(environment, store):
    def run_it(*words: object, code: int = 0) -> str:
        answer = CliRunner().invoke(carbonhui, [str(word) for word in words], env=environment)
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == code, answer.output
        return answer.output

    return run_it


def test_an_endpoint_is_added_told_rotated_disabled_resumed_and_removed_by_hand(run, store, receiver: Receiver):
    endpoint, secret = run("webhook", "add", ORGANISATION, receiver.url, "--topic", "credit.received").split()
    assert secret.startswith("whsec_")
    assert "webhook_host_refused" in run("webhook", "add", ORGANISATION, "https://10.0.0.1/", "--topic", "credit.received", code=3)
    run("webhook", "ping", endpoint)
    assert "1 attempts: 1 delivered" in run("webhook", "relay")
    assert run("webhook", "rotate", endpoint).strip() not in (secret, "")
    assert "active" in run("webhook", "list", ORGANISATION)
    receiver.script = lambda received: (410, b"")
    run("webhook", "ping", endpoint)
    assert "1 endpoints disabled" in run("webhook", "relay")
    assert "gone" in run("webhook", "dead", "--organisation", ORGANISATION)
    with store.begin() as session:
        (letter,) = notifications.dead_letters(session)
    run("webhook", "resume", endpoint)
    run("webhook", "replay", letter.delivery)
    receiver.script = lambda received: (204, b"")
    assert "1 delivered" in run("webhook", "relay")
    assert "0 wait" in run("webhook", "dead")
    run("webhook", "remove", endpoint)
    assert "webhook_endpoint_unknown" in run("webhook", "rotate", endpoint, code=3)


def test_the_staff_read_their_notices_by_hand(run, store):
    with store.begin() as session:
        notifications.announce(session, "job.failed", payload={"job": "verify", "reason": "database_busy"})
    assert "The job verify failed: database_busy." in run("notices")
    assert "任务 verify 失败" in run("--language", "zh", "notices")


def test_the_schedule_is_looked_at_and_its_purge_done_by_hand(run, store):
    told = run("schedule", "status")
    assert "quantify_and_mint" in told and "never" in told
    with store.connect() as connection:
        connection.execute(
            "INSERT INTO api_answer (id, request, sealed, scope, at)"
            " VALUES (sha256('k'), sha256('r'), 's', 'person:1', now() - interval '8 days')"
        )
    assert "forgotten" in run("schedule", "purge")
    with store.connect() as connection:
        assert connection.execute("SELECT count(*) FROM api_answer WHERE scope = 'person:1'").fetchone() == (0,)
