"""Any number of schedulers, killed, paused and cut off: each due point takes effect exactly once (design section 10)."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from carbonhui.core.database import Database

ROOT = Path(__file__).resolve().parents[2]
EFFECTS = "CREATE TABLE effect (job text, due timestamptz, by text, at timestamptz DEFAULT clock_timestamp()); GRANT ALL ON effect TO carbonhui_app"

HARMS = ["cut off", "killed", "paused"]


class Crew:
    """Some scheduler processes of one store."""

    def __init__(self, database: Database, *, takes_s: float) -> None:
        self.database = database
        self.takes_s = takes_s
        self.members: list[subprocess.Popen[bytes]] = []
        with database.connect_as_owner() as connection:
            connection.execute(EFFECTS)

    def hire(self) -> None:
        words = [sys.executable, "-m", "tests.schedule.process", make_conninfo(**self.database.parameters)]
        # A member inherits it: asked to stop before it can listen, it stops when it can.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            words += [f"m{len(self.members)}", str(self.takes_s)]
            self.members.append(subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def ready(self) -> None:
        for member in self.members:
            if member.poll() is None:
                assert member.stdout is not None and member.stdout.readline()

    def leader(self) -> subprocess.Popen[bytes] | None:
        """Whoever made the newest effect, if it still lives."""
        rows = self.query("SELECT by FROM effect ORDER BY at DESC LIMIT 1")
        member = self.members[int(rows[0][0][1:])] if rows else None
        return member if member is not None and member.poll() is None else None

    def query(self, statement: str) -> list[tuple]:
        with self.database.connect_as_owner() as connection:
            return connection.execute(statement).fetchall()

    def cut_off_the_leader(self) -> None:
        """End the session that holds the lead, as an administrator or a failover would."""
        self.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 440141 AND granted")


@contextmanager
def crew(database: Database, size: int, *, takes_s: float = 0.05) -> Iterator[Crew]:
    members = Crew(database, takes_s=takes_s)
    try:
        for _ in range(size):
            members.hire()
        members.ready()
        yield members
    finally:
        for member in members.members:
            member.kill()
            member.wait()
            assert member.stdout is not None
            member.stdout.close()


def twice(members: Crew) -> list[tuple]:
    return members.query("SELECT job, due, count(*) FROM effect GROUP BY job, due HAVING count(*) > 1")


def unaccounted(members: Crew) -> list[tuple]:
    """Effects without a run that says so, and runs that say so without an effect."""
    return members.query(
        """SELECT * FROM (SELECT job, due FROM job_run WHERE outcome = 'done') r FULL JOIN (SELECT job, due FROM effect) e USING (job, due)
           WHERE NOT EXISTS (SELECT FROM effect x WHERE x.job = job AND x.due = due)
              OR NOT EXISTS (SELECT FROM job_run y WHERE y.job = job AND y.due = due AND y.outcome = 'done')"""
    )


def disturb(members: Crew, chance: random.Random, harms: list[str]) -> None:
    """Harm whoever leads in each of these ways, in any order."""
    for harm in chance.sample(harms, len(harms)):
        time.sleep(chance.uniform(0.1, 0.5))
        wait_for(lambda: members.leader() is not None)
        leader = members.leader()
        assert leader is not None, "nobody but this test ends a scheduler"
        if harm == "cut off":
            members.cut_off_the_leader()
        elif harm == "killed":
            leader.send_signal(signal.SIGKILL)
            leader.wait()
            members.hire()
        else:
            leader.send_signal(signal.SIGSTOP)
            # Its session lives on, and still another leads once the lease is over.
            wait_for(lambda leader=leader: members.leader() is not leader)
            leader.send_signal(signal.SIGCONT)


def test_two_and_then_four_schedulers_killed_paused_and_cut_off_do_each_due_point_once(database):
    with crew(database, 2) as members:
        disturb(members, random.Random(2), HARMS)
        members.hire()
        members.hire()
        disturb(members, random.Random(4), HARMS)
        [[healed]] = members.query("SELECT clock_timestamp()")
        wait_for(lambda: members.query("SELECT max(due) FROM effect")[0][0] > healed)
        # Who is asked to stop does, and cleanly.
        for member in (living := [member for member in members.members if member.poll() is None]):
            member.send_signal(signal.SIGTERM)
        assert [member.wait(180) for member in living] == [0] * len(living)
        assert twice(members) == []
        assert unaccounted(members) == []
        assert len(members.query("SELECT DISTINCT by FROM effect")) >= 2, "the lead went from one to another"


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited too long"
        time.sleep(0.05)
