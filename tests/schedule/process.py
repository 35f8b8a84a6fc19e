"""One scheduler process of the tests: jobs of every second that leave a row for each effect.

Run with the store's address, a name, and how long an effect takes.
"""

import signal

# Before any thread begins and anything slow is imported: who is asked to stop early stops when it is ready to.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import replace  # noqa: E402
from datetime import UTC, datetime  # noqa: E402

from sqlalchemy.orm import Session  # noqa: E402

from carbonhui.core.clock import SystemClock  # noqa: E402
from carbonhui.core.database import Database, connection_of  # noqa: E402
from carbonhui.core.settings import read_settings  # noqa: E402
from carbonhui.schedule import Ended, Every, Job, Works, start  # noqa: E402

LEASE_S = 0.8


def main(address: str, name: str, takes_s: float) -> None:
    settings = replace(read_settings(profile="demo"), pool_size=4, idle_timeout_ms=1000, lock_timeout_ms=500)
    database = Database(parameters={"conninfo": address}, settings=settings, server=None)

    def leave_a_row(job: str) -> Callable[[Session, Works, Ended], None]:
        def effect(session: Session, works: Works, ended: Ended) -> None:
            # The due point as the job itself would know it is not told; the row of the run says it.
            connection_of(session).execute(
                "INSERT INTO effect (job, due, by) SELECT job, due, %s FROM job_run WHERE job = %s AND xmin::text = txid_current()::text",
                (name, job),
            )
            time.sleep(takes_s)

        return effect

    jobs = tuple(Job(job, (), Every(seconds), effect=leave_a_row(job), rest_s=0.2) for job, seconds in (("one", 1), ("two", 2)))
    scheduler = start(database, settings, None, SystemClock(), jobs=jobs, tick_s=0.05, lease_s=LEASE_S)  # type: ignore[arg-type]
    print("ready", datetime.now(UTC), flush=True)
    signal.sigwait({signal.SIGTERM})
    assert scheduler.stop(patience_s=120)
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
