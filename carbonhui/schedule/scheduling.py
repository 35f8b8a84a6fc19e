"""The scheduler of one process: it watches for the lead, and while it leads it runs what is due."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.jobstores.memory import MemoryJobStore  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from carbonhui.core.clock import Clock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.schedule.jobs import JOBS, Job, Vault, Works
from carbonhui.schedule.leading import Lead
from carbonhui.schedule.running import attempt

TICK_S = 1.0
LEASE_S = 15.0
#: How long `Scheduler.stop` waits for jobs under way.
PATIENCE_S = 20.0


class Scheduler:
    """Runs in threads of its own until it is stopped. Of several schedulers of one store, one leads."""

    def __init__(self, works: Works, jobs: Sequence[Job], *, tick_s: float, lease_s: float) -> None:
        self.works = works
        self.jobs = tuple(jobs)
        self._lead = Lead(works.database, lease_s=lease_s)
        #: How many of each job were handed to the threads, and how many have begun.
        self._taken: Counter[str] = Counter()
        self._begun = 0
        self._settled: dict[str, datetime] = {}
        self._rests: dict[str, float] = {}
        self._changed = threading.Condition()
        self._stopping = False
        # What APScheduler says of each tick is of no use to anybody.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        threads = 1 + sum(job.at_once for job in self.jobs)
        self._clockwork = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(threads)},
            # Late is run, never skipped.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        self._clockwork.add_job(self._watch, "interval", seconds=tick_s, next_run_time=datetime.now(UTC))

    @property
    def leads(self) -> bool:
        """Whether this is the scheduler that runs the jobs."""
        return self._lead.held

    def start(self) -> None:
        self._clockwork.start()

    def stop(self, *, patience_s: float = PATIENCE_S) -> bool:
        """Begin nothing new, wait for what is under way, and leave the lead; whether all came to its end.

        What did not may be killed: every job survives that.
        """
        with self._changed:
            self._stopping = True
        self._clockwork.shutdown(wait=False)
        with self._changed:
            ended = self._changed.wait_for(lambda: self._begun == 0, timeout=patience_s)
        self._lead.close()
        return ended

    def _watch(self) -> None:
        if self._stopping or not self._lead.keep():
            return
        now = self.works.clock.now()
        for job in self.jobs:
            due = job.due.newest(now)
            if self._take(job, due):
                self._clockwork.add_job(self._run, args=(job, due))

    def _take(self, job: Job, due: datetime) -> bool:
        """Whether a due point is to be run now; then it counts as taken."""
        with self._changed:
            if (
                self._stopping
                or self._taken[job.name] >= job.at_once
                or self._settled.get(job.name) == due
                or time.monotonic() < self._rests.get(job.name, 0.0)
            ):
                return False
            if not job.keyed:
                self._settled[job.name] = due
            self._taken[job.name] += 1
            return True

    def _run(self, job: Job, due: datetime) -> None:
        with self._changed:
            if self._stopping:
                return
            self._begun += 1
        rest_s = 0.0
        try:
            rest_s = attempt(self.works, job, due)
        finally:
            with self._changed:
                if rest_s:
                    self._rests[job.name] = time.monotonic() + rest_s
                elif job.keyed:
                    self._settled[job.name] = due
                self._taken[job.name] -= 1
                self._begun -= 1
                self._changed.notify_all()


def start(
    database: Database,
    settings: Settings,
    vault: Vault,
    clock: Clock,
    *,
    jobs: Sequence[Job] = JOBS,
    tick_s: float = TICK_S,
    lease_s: float = LEASE_S,
) -> Scheduler:
    """A running scheduler; `Scheduler.stop` ends it."""
    scheduler = Scheduler(Works(database, settings, vault, clock), jobs, tick_s=tick_s, lease_s=lease_s)
    scheduler.start()
    return scheduler
