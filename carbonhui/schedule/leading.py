"""Which of several schedulers leads: the one whose session holds the lock.

The lock belongs to the session, so it is free the moment its holder dies. A holder
that stands still (paused, swapped out, cut off) cannot be told from a living one by
its connection; so the session ends by itself when nothing was asked on it for as
long as the lease, and PostgreSQL, which nobody paused, sees to that.
"""

import threading
from typing import Any

import psycopg

from carbonhui.core.database import Database

_LOCK = 440141


class Lead:
    """One scheduler's claim to lead."""

    def __init__(self, database: Database, *, lease_s: float) -> None:
        self._database = database
        self._lease_ms = int(lease_s * 1000)
        self._connection: psycopg.Connection[Any] | None = None
        self._held = False
        self._one_at_a_time = threading.Lock()

    @property
    def held(self) -> bool:
        return self._held

    def keep(self) -> bool:
        """Prolong the lease, or try for the lead; whether this scheduler leads now."""
        with self._one_at_a_time:
            try:
                self._held = self._asked()
            except psycopg.Error:
                self._let_go()
            return self._held

    def close(self) -> None:
        """Leave the lead to others, at once."""
        with self._one_at_a_time:
            self._let_go()

    def _asked(self) -> bool:
        if self._connection is None:
            self._connection = self._database.connect(autocommit=True)
            self._connection.execute(f"SET idle_session_timeout = {self._lease_ms}")
        if self._held:
            self._connection.execute("SELECT 1")
            return True
        return self._connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone() == (True,)

    def _let_go(self) -> None:
        self._held = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
