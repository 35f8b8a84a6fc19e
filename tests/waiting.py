"""Waiting for what another thread does, by the store's own word instead of by a guess at how long it takes."""

import threading
import time

from carbonhui.core.database import Database

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def comes_to_wait(database: Database, *threads: threading.Thread) -> bool:
    """Whether each of these threads comes to stand before a lock of the store; ``False`` once one ended without.

    The store's own time limit on waiting for a lock ends a thread that nobody lets through.
    """
    with database.connect_as_owner(autocommit=True) as watch:
        while all(thread.is_alive() for thread in threads):
            row = watch.execute(_WAITING).fetchone()
            if row is not None and row[0] >= len(threads):
                return True
            time.sleep(0.002)
    return False
