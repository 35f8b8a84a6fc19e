"""The one store: PostgreSQL, embedded or somebody's own.

A face opens a transaction with `Database.begin` (or `Database.run`, which tries
again after a deadlock); verbs take the session and never commit.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import Session, sessionmaker

from carbonhui.core import embedded, migrations
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings

#: Every room's tables, for queries; the migrations hold the definitions themselves.
metadata = MetaData()

#: Rows are read and written under this role, which may not touch what is append-only.
APP_ROLE = "carbonhui_app"
DATABASE_NAME = "carbonhui"

#: Serialization failure, deadlock, and our own "begin again".
RETRIED = frozenset({"40001", "40P01"})
ATTEMPTS = 10

Result = TypeVar("Result")

#: Where a kept session remembers the connection that it never gives back.
DRIVER = "driver"


class DatabaseBusy(Refusal):
    """The work met the work of others in the same rows again and again."""

    code = "database_busy"
    sentence = "The books were busy: {attempts} attempts met other work in the same rows. Nothing was done; please try again."
    sentence_zh = "账簿繁忙:{attempts} 次尝试均与其他操作冲突。未作任何更改;请稍后再试。"


class DatabaseUnreachable(Refusal):
    """PostgreSQL does not answer at the address in DATABASE_URL."""

    code = "database_unreachable"
    sentence = "PostgreSQL cannot be reached: {reason}"
    sentence_zh = "无法连接 PostgreSQL:{reason}"


class BeginAgain(Exception):
    """Somebody else changed what this transaction had read; run it once more."""


class Database:
    """An open store: transactions for the faces, and the address for tools."""

    def __init__(self, *, parameters: dict[str, Any], settings: Settings, server: embedded.Server | None) -> None:
        self.parameters = parameters
        self.settings = settings
        self.server = server
        self.engine = _engine(parameters, settings)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        #: Connections of their own, because kept sessions never give theirs back to the pool.
        self._one_statement = _engine(parameters, settings).execution_options(isolation_level="AUTOCOMMIT")
        self._kept: deque[Session] = deque()

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction: committed when the block returns, rolled back when it raises."""
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """One instant of the books, read only and without a time limit: for checks and reports."""
        with self._sessions.begin() as session:
            connection = session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            yield session

    def run(self, work: Callable[[Session], Result]) -> Result:
        """The result of ``work(session)`` in one committed transaction.

        A deadlock or a serialization failure undoes the attempt and tries again,
        after a short random wait that grows with each attempt.

        Raises `DatabaseBusy` after ten attempts; whatever else ``work`` raises is passed on.
        """
        return self._again_while_busy(lambda: self._in_transaction(work))

    def run_one(self, work: Callable[[Session], Result]) -> Result:
        """The result of a verb that writes in one statement only, such as ``ledger.post``.

        The statement is its own transaction: it commits when it succeeds, which saves
        two round trips of three. Reads may come before it; a verb that writes twice
        belongs into `run`. Tries again and refuses as `run` does.
        """
        return self._again_while_busy(lambda: self._in_one_statement(work))

    def _in_transaction(self, work: Callable[[Session], Result]) -> Result:
        with self.begin() as session:
            return work(session)

    def _in_one_statement(self, work: Callable[[Session], Result]) -> Result:
        """Sessions are kept with their connections, because opening one costs more than the statement."""
        session = self._kept.pop() if self._kept else self._kept_anew()
        try:
            result = work(session)
        except Refusal:
            self._kept.append(session)
            raise
        except BaseException:
            session.close()
            raise
        self._kept.append(session)
        return result

    def _kept_anew(self) -> Session:
        session = Session(self._one_statement)
        session.info[DRIVER] = connection_of(session)
        return session

    def _again_while_busy(self, attempted: Callable[[], Result]) -> Result:
        for attempt in range(ATTEMPTS):
            try:
                return attempted()
            except PoolExhausted as error:
                raise DatabaseBusy(attempts=attempt + 1) from error
            except (DBAPIError, psycopg.Error, BeginAgain) as error:
                if not is_retried(error):
                    raise
            time.sleep(random.uniform(0, 0.002 * 2**attempt))
        raise DatabaseBusy(attempts=ATTEMPTS)

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """A plain connection under the application's role, for COPY and for tests."""
        return psycopg.connect(**self.parameters, options=_options(self.settings), autocommit=autocommit)

    def connect_as_owner(self, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """A plain connection as the owner of the tables: migrations, and tests that break the books."""
        return psycopg.connect(**self.parameters, autocommit=autocommit)

    def close(self) -> None:
        while self._kept:
            self._kept.pop().close()
        self._one_statement.dispose()
        self.engine.dispose()
        if self.server is not None:
            self.server.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_database(settings: Settings) -> Database:
    """The store of these settings, with its tables brought up to date.

    Raises `DatabaseUnreachable`, and what `embedded.open_server` and the
    migrations refuse.
    """
    if settings.database_url is not None:
        parameters: dict[str, Any] = {"conninfo": settings.database_url}
        return _prepared(parameters, settings, None)
    server = embedded.open_server(settings)
    try:
        embedded.create_database_if_missing(server, DATABASE_NAME)
        return _prepared(server.parameters(DATABASE_NAME), settings, server)
    except BaseException:
        server.close()
        raise


def _prepared(parameters: dict[str, Any], settings: Settings, server: embedded.Server | None) -> Database:
    try:
        migrations.bring_up_to_date(parameters, profile=settings.profile)
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(reason=str(error).splitlines()[0]) from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is not None:
            raise
        # Not "from error": what cannot be read is repeated there, and with it a password.
        raise DatabaseUnreachable(reason="the address in DATABASE_URL cannot be read") from None
    return Database(parameters=parameters, settings=settings, server=server)


def is_retried(error: BaseException) -> bool:
    """Whether running the same transaction again may well succeed."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, BeginAgain) or getattr(cause, "sqlstate", None) in RETRIED


def connection_of(session: Session) -> psycopg.Connection[Any]:
    """The psycopg connection under a session, for the hot path: the ORM costs six times the work itself."""
    kept: psycopg.Connection[Any] | None = session.info.get(DRIVER)
    if kept is not None:
        return kept
    raw = session.connection().connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def _options(settings: Settings) -> str:
    return " ".join(
        (
            f"-c role={APP_ROLE}",
            f"-c statement_timeout={settings.statement_timeout_ms}",
            f"-c lock_timeout={settings.lock_timeout_ms}",
            f"-c idle_in_transaction_session_timeout={settings.idle_timeout_ms}",
        )
    )


def _engine(parameters: dict[str, Any], settings: Settings) -> Engine:
    def creator() -> psycopg.Connection[Any]:
        return psycopg.connect(**parameters, options=_options(settings), application_name="carbonhui")

    return create_engine(
        "postgresql+psycopg://",
        creator=creator,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=30,
        # A connection that a restart or a failover has ended is replaced before a transaction begins on it.
        pool_pre_ping=True,
        use_native_hstore=False,
    )
