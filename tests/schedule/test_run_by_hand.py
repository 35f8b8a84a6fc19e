"""The command that runs the clock: it works until it is asked to stop, and stops cleanly."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from carbonhui.schedule import JOBS, last_runs
from tests.schedule.test_many_schedulers import wait_for

ROOT = Path(__file__).resolve().parents[2]
#: What the API keeps for seven days.
OLD_ANSWER = "INSERT INTO api_answer (id, request, sealed, scope, at) VALUES (sha256('k'), sha256('r'), 's', 'person:1', now() - interval '8 days')"


def test_the_clock_runs_its_jobs_and_stops_when_it_is_asked(database, settings):
    given = psycopg.conninfo.conninfo_to_dict(make_conninfo(**database.parameters))
    url = f"postgresql://{given['user']}@/{given['dbname']}?host={given['host']}" + (f"&port={given['port']}" if "port" in given else "")
    environment = {**os.environ, "DATABASE_URL": url, "CARBONHUI_PROFILE": "demo", "CARBONHUI_HOME": str(settings.home)}
    clock = subprocess.Popen([Path(sys.executable).with_name("carbonhui"), "schedule", "run"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    with database.connect() as connection:
        connection.execute(OLD_ANSWER)

    def done() -> set[str]:
        with database.begin() as session:
            return {run.job for run in last_runs(session).values() if run.outcome == "done"}

    try:
        wait_for(lambda: clock.poll() is not None or len(done()) == len(JOBS), 240)
        clock.send_signal(signal.SIGTERM)
        out, err = clock.communicate(timeout=180)
    finally:
        clock.kill()
        clock.wait()
    assert (clock.returncode, err) == (0, b"")
    assert b"The clock runs" in out
    assert done() == {job.name for job in JOBS}
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM api_answer").fetchone() == (0,)
