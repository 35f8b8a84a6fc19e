"""What the clock does, and a person can do by hand (Articles 13, 16, 17; design section 10).

Any number of schedulers may run on one store; one leads. Each due point of each job
takes effect once: its row is written in the transaction of the effect itself.
"""

from carbonhui.schedule.jobs import JOBS, Ended, Job, Works, with_purge
from carbonhui.schedule.records import Run, last_runs, last_successes
from carbonhui.schedule.rules import Daily, Every, Rule
from carbonhui.schedule.running import run_by_hand
from carbonhui.schedule.scheduling import Scheduler, start

__all__ = [
    "JOBS",
    "Daily",
    "Ended",
    "Every",
    "Job",
    "Rule",
    "Run",
    "Scheduler",
    "Works",
    "last_runs",
    "last_successes",
    "run_by_hand",
    "start",
    "with_purge",
]
