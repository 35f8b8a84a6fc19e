"""One transaction for each request, in as few round trips as it can have.

A pool that asks each connection whether it lives, opens a session and begins with a
statement of its own costs as much as the work of a small request. Here sessions keep
their connections, BEGIN travels with the first statement of the request and COMMIT
with the last.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from psycopg import pq
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from carbonhui.api.refusals import ServiceUnavailable
from carbonhui.core.database import ATTEMPTS, DRIVER, BeginAgain, Database, DatabaseBusy, is_retried

Result = TypeVar("Result")

#: How long a request waits for a connection before it is told to come again.
PATIENCE_SECONDS = 3
_UNIQUE_VIOLATION = b"23505"


class ConnectionLost(Exception):
    """The connection ended before the transaction began: nothing was done."""


class Kept:
    """A session that keeps its connection; transactions are begun and ended by hand."""

    def __init__(self, database: Database) -> None:
        self.connection = database.connect(autocommit=True)
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: self.connection, poolclass=NullPool, isolation_level="AUTOCOMMIT",
            use_native_hstore=False,
        )  # fmt: skip
        self.session = Session(engine, expire_on_commit=False)
        self.session.connection()
        self.session.info[DRIVER] = self.connection

    def ask(self, statements: bytes) -> bytes | None:
        """The single value of the last of these statements, which go in one round trip."""
        result = self.connection.pgconn.exec_(statements)
        if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            return result.get_value(0, 0) if result.ntuples else None
        raise psycopg.errors.error_from_result(result)

    def begin(self, statement: bytes = b"") -> bytes | None:
        """Begin a transaction with its first statement. Raises `ConnectionLost`."""
        try:
            return self.ask(b"BEGIN;" + statement)
        except psycopg.Error as error:
            if self.is_lost(error):
                raise ConnectionLost from error
            raise

    def is_lost(self, error: BaseException) -> bool:
        """Whether this error says that the connection has ended; the first word of that may still come as an answer."""
        return self.connection.pgconn.status == pq.ConnStatus.BAD or _sqlstate(error).startswith(("57P", "08"))

    def commit(self, statement: bytes = b"") -> None:
        """Commit, with the last statement. Raises `BeginAgain` when somebody else entered the same row."""
        self.session.flush()
        try:
            self.ask(statement + b"COMMIT")
        except psycopg.errors.UniqueViolation as error:
            if statement:
                raise BeginAgain from error
            raise
        assert self.is_idle, "the transaction did not end"

    def rollback(self) -> None:
        self.connection.pgconn.exec_(b"ROLLBACK")

    def clear(self) -> bool:
        """Forget what the session remembers; whether it can be used again."""
        if not self.is_idle or not self.session.is_active or self.session.in_nested_transaction():
            return False
        if self.session.identity_map or self.session.new:
            self.session.expunge_all()
        return True

    @property
    def is_idle(self) -> bool:
        return self.connection.pgconn.transaction_status == pq.TransactionStatus.IDLE

    def close(self) -> None:
        # The connection first: a session whose connection is gone says good-bye to nobody.
        self.connection.close()
        self.session.invalidate()


class Transactions:
    """The kept sessions of one process, at most as many as the pool is large."""

    def __init__(self, database: Database, *, retried: Callable[[str], None] = lambda _: None) -> None:
        self._database = database
        self._retried = retried
        self._free: deque[Kept] = deque()
        self._places = threading.BoundedSemaphore(database.settings.pool_size)

    def run(self, begin: bytes, work: "Callable[[Kept, bytes | None], Result]") -> Result:
        """The result of ``work``, which commits or leaves the transaction to be rolled back.

        A deadlock, a serialization failure or a connection that was dead before it
        began is tried again. Raises `DatabaseBusy`, `ServiceUnavailable`.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._once(begin, work)
            except ConnectionLost:
                self.close()
            except (DBAPIError, psycopg.Error, BeginAgain) as error:
                if not is_retried(error):
                    raise
                self._retried(_sqlstate(error))
            time.sleep(random.uniform(0, 0.002 * 2**attempt))
        raise DatabaseBusy(attempts=ATTEMPTS)

    def _once(self, begin: bytes, work: "Callable[[Kept, bytes | None], Result]") -> Result:
        with self.lend() as kept:
            first = kept.begin(begin)
            try:
                return work(kept, first)
            finally:
                if not kept.is_idle:
                    kept.rollback()

    def run_alone(self, ask: "Callable[[Kept], Result]") -> Result:
        """The result of work that reads in one statement, which is its own transaction."""
        for attempt in range(2):
            with self.lend() as kept:
                try:
                    return ask(kept)
                except (DBAPIError, psycopg.Error) as error:
                    # What one statement did not do, because its connection was gone, may be asked again.
                    if attempt or not kept.is_lost(error):
                        raise
            self.close()
        raise AssertionError("the second attempt returns or raises")

    @contextmanager
    def lend(self) -> Iterator[Kept]:
        """A kept session for a while, outside any transaction. Raises `ServiceUnavailable`."""
        if not self._places.acquire(timeout=PATIENCE_SECONDS):
            raise ServiceUnavailable
        try:
            kept = self._one()
            try:
                yield kept
            finally:
                if kept.clear():
                    self._free.append(kept)
                else:
                    kept.close()
        finally:
            self._places.release()

    def _one(self) -> Kept:
        try:
            return self._free.pop()
        except IndexError:
            return Kept(self._database)

    def close(self) -> None:
        """End the connections that nobody is using."""
        while self._free:
            self._free.pop().close()


def _sqlstate(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) or "again"
