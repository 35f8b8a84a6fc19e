"""Running one due point, and noting how that ended."""

import logging
from datetime import UTC, datetime

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbonhui import notifications
from carbonhui.core.refusals import Refusal
from carbonhui.schedule.jobs import Ended, Job, Works
from carbonhui.schedule.records import begin_run, claim, fail_run, note_state, run_of

log = logging.getLogger(__name__)

#: Longest rest between two attempts at one due point.
REST_S_MAX = 900.0
#: SQLSTATE lock_not_available.
_LOCKED = "55P03"


def run_due(works: Works, job: Job, due: datetime) -> Ended:
    """Do a job for one due point, unless it took effect before. Raises what the work raises."""
    if not works.database.run(lambda session: begin_run(session, job.name, due)):
        return Ended()
    ended = job.work(works)

    def take_effect(session: Session) -> None:
        if claim(session, job.name, due, outcome=ended.outcome, code=ended.code):
            job.effect(session, works, ended)

    works.database.run(take_effect)
    return ended


def run_by_hand(works: Works, job: Job) -> Ended:
    """Do a job now, beside its due points. Raises what the work raises."""
    ended = job.work(works)
    works.database.run(lambda session: job.effect(session, works, ended))
    return ended


def attempt(works: Works, job: Job, due: datetime) -> float:
    """Run a due point and note how that ended; the seconds until it may be tried again, 0 when it took effect.

    A job that fails must not end the clock, so here, and only here, every exception is
    caught. It is noted by its code; its words may hold a person's data and go nowhere.
    """
    try:
        if job.keyed:
            run_due(works, job, due)
        else:
            job.work(works)
            works.database.run(lambda session: note_state(session, job.name, _hour(due)))
        return 0.0
    except Exception as error:
        if isinstance(error, job.busy) or _sqlstate(error) == _LOCKED:
            log.info("job %s waits for another who does it", job.name)
            return job.rest_s
        code = code_of(error)
        log.error("job %s failed: %s at %s", job.name, code, _place(error))
        return _note_failure(works, job, due, code)


def code_of(error: Exception) -> str:
    """A stable code for what went wrong, without its words."""
    if isinstance(error, Refusal):
        return error.code
    sqlstate = _sqlstate(error)
    return f"database_{sqlstate}" if sqlstate else f"unexpected_{type(error).__name__}"[:80]


def _sqlstate(error: Exception) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return cause.sqlstate or "unreachable" if isinstance(cause, psycopg.Error) else None


def _place(error: Exception) -> str:
    """The file and line where it went wrong."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "nowhere"


def _note_failure(works: Works, job: Job, due: datetime, code: str) -> float:
    def note(session: Session) -> int:
        if job.keyed:
            fell_ill = fail_run(session, job.name, due, code)
        else:
            fell_ill = note_state(session, job.name, _hour(due), code=code)
        if fell_ill:
            notifications.announce(session, "job.failed", payload={"job": job.name, "reason": code})
        run = run_of(session, job.name, due)
        return run.attempts if run else 1

    try:
        attempts = works.database.run(note)
    except (psycopg.Error, DBAPIError, Refusal):
        log.error("the failure of job %s cannot be noted", job.name)
        attempts = 1
    return float(min(job.rest_s * 2 ** min(attempts - 1, 20), REST_S_MAX))


def _hour(due: datetime) -> datetime:
    return due.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
