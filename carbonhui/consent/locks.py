"""Who waits for whom when consents change while activity is measured.

Two-key advisory locks, by source. The **rules** (texts, agreements) are shared by whoever
measures, from the beginning to the commit: they do not change meanwhile. **Withdrawals**
never wait for measuring; they share a lock that measuring takes alone for the moment in
which it takes out who withdrew and commits, so that no withdrawal falls between the two.
"""

from typing import Any

import psycopg
from sqlalchemy.orm import Session

from carbonhui.consent.refusals import ConsentBusy
from carbonhui.core.database import connection_of

_RULES = 440150
_WITHDRAWALS = 440151


def hold_rules(session: Session, source: str) -> None:
    """Wait until nobody measures the source, and change its rules alone until the transaction ends. Raises `ConsentBusy`."""
    try:
        connection_of(session).execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_RULES, source))
    except psycopg.errors.LockNotAvailable as error:
        raise ConsentBusy(source=source) from error


def share_rules(connection: psycopg.Connection[Any], source: str) -> None:
    """The source's texts and agreements stay as they are until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s, hashtext(%s))", (_RULES, source))


def share_withdrawals(session: Session, source: str) -> None:
    """Withdraw beside others, and not in the moment in which measuring is committed. Raises `ConsentBusy`."""
    try:
        connection_of(session).execute("SELECT pg_advisory_xact_lock_shared(%s, hashtext(%s))", (_WITHDRAWALS, source))
    except psycopg.errors.LockNotAvailable as error:
        raise ConsentBusy(source=source) from error


def hold_withdrawals(connection: psycopg.Connection[Any], source: str) -> None:
    """Wait for those who are withdrawing; who comes later waits until the transaction ends."""
    # Many minutes of work hang on it, and a withdrawal that stands still is ended by its own time limit.
    connection.execute("SET LOCAL lock_timeout = 0")
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_WITHDRAWALS, source))


def pass_withdrawals(connection: psycopg.Connection[Any], source: str) -> None:
    """Wait for those who are withdrawing at this moment, and let the next go on."""
    connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (_WITHDRAWALS, source))
    connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_WITHDRAWALS, source))
