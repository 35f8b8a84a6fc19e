"""The durable record of the schedule: which due point of which job took effect."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of

#: Old due points are forgotten after so many days; the database itself keeps thirty.
KEPT_DAYS = 90


@dataclass(frozen=True)
class Run:
    """One due point of one job. ``outcome`` is running, failed, done, or broken (a check named rows)."""

    job: str
    due: datetime
    began_at: datetime
    finished_at: datetime | None
    outcome: str
    code: str | None
    attempts: int

    @property
    def took_effect(self) -> bool:
        return self.outcome in ("done", "broken")


def begin_run(session: Session, job: str, due: datetime) -> bool:
    """Note that a due point is being worked on; False when it took effect already."""
    return connection_of(session).execute(
        """INSERT INTO job_run (job, due, outcome) VALUES (%s, %s, 'running')
           ON CONFLICT (job, due) DO UPDATE SET began_at = clock_timestamp(), finished_at = NULL, outcome = 'running', code = NULL,
               attempts = job_run.attempts + 1
           WHERE job_run.outcome IN ('running', 'failed')""",
        (job, due),
    ).rowcount == 1


def claim(session: Session, job: str, due: datetime, *, outcome: str = "done", code: str | None = None) -> bool:
    """Take a due point for this transaction's effect; False when it took effect already.

    Others that try meanwhile wait for the end of this transaction, and then find it taken.
    """
    return connection_of(session).execute(
        """INSERT INTO job_run (job, due, outcome, code, finished_at)
           VALUES (%(job)s, %(due)s, %(outcome)s, %(code)s, clock_timestamp())
           ON CONFLICT (job, due) DO UPDATE SET outcome = %(outcome)s, code = %(code)s, finished_at = clock_timestamp()
           WHERE job_run.outcome IN ('running', 'failed')""",
        {"job": job, "due": due, "outcome": outcome, "code": code},
    ).rowcount == 1


def fail_run(session: Session, job: str, due: datetime, code: str) -> bool:
    """Note that a due point failed, unless it took effect; True when the job was well before."""
    row = connection_of(session).execute(
        """UPDATE job_run SET outcome = 'failed', finished_at = clock_timestamp(), code = %(code)s
           WHERE job = %(job)s AND due = %(due)s AND outcome IN ('running', 'failed') RETURNING attempts""",
        {"job": job, "due": due, "code": code},
    ).fetchone()
    return row == (1,) and _outcome_before(session, job, due) != "failed"


def note_state(session: Session, job: str, hour: datetime, *, code: str | None = None) -> bool:
    """Say of a job without due points of its own that it is well, or why not; True when it no longer is."""
    connection, outcome = connection_of(session), "failed" if code else "done"
    was = connection.execute("SELECT outcome FROM job_run WHERE job = %s AND due = %s", (job, hour)).fetchone()
    connection.execute(
        """INSERT INTO job_run (job, due, outcome, code, finished_at, keyed) VALUES (%s, %s, %s, %s, clock_timestamp(), false)
           ON CONFLICT (job, due) DO UPDATE SET outcome = excluded.outcome, code = excluded.code, finished_at = clock_timestamp()""",
        (job, hour, outcome, code),
    )
    before = was[0] if was else _outcome_before(session, job, hour)
    return outcome == "failed" and before != "failed"


def _outcome_before(session: Session, job: str, due: datetime) -> str | None:
    row = connection_of(session).execute(
        "SELECT outcome FROM job_run WHERE job = %s AND due < %s ORDER BY due DESC LIMIT 1", (job, due)
    ).fetchone()
    return row[0] if row else None


def run_of(session: Session, job: str, due: datetime) -> Run | None:
    """What is recorded of one due point."""
    row = connection_of(session).execute(
        f"SELECT {_FIELDS} FROM job_run WHERE job = %s AND due = %s", (job, due)
    ).fetchone()
    return Run(*row) if row else None


def last_runs(session: Session) -> dict[str, Run]:
    """The newest due point of each job."""
    rows = connection_of(session).execute(f"SELECT DISTINCT ON (job) {_FIELDS} FROM job_run ORDER BY job, due DESC")
    return {row[0]: Run(*row) for row in rows}


def last_successes(session: Session) -> dict[str, datetime]:
    """When each job last took effect: ``carbonhui_job_last_success_timestamp_seconds{job}``."""
    rows = connection_of(session).execute("SELECT job, max(finished_at) FROM job_run WHERE outcome = 'done' GROUP BY job")
    return dict(rows.fetchall())


def trim(session: Session) -> int:
    """Forget due points of long ago, but the newest of each job; how many."""
    return connection_of(session).execute(
        """DELETE FROM job_run r WHERE due < clock_timestamp() - make_interval(days => %s)
             AND EXISTS (SELECT FROM job_run newer WHERE newer.job = r.job AND newer.due > r.due)""",
        (KEPT_DAYS,),
    ).rowcount


_FIELDS = "job, due, began_at, finished_at, outcome, code, attempts"
