"""Calling a stored function in the fewest steps the driver allows.

A payment is one call of one function. The driver's cursors adapt types, keep
results and run a small state machine for each call, which costs as much as the
call's own work here; libpq, which the driver exposes, does none of that.
"""

import itertools
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import pq

from carbonhui.core.database import BeginAgain

_NUMBERS = itertools.count()

#: The statements that each connection has prepared, by their text.
_PREPARED: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()


def answer_of(connection: psycopg.Connection[Any], statement: str, words: tuple[Any, ...]) -> int:
    """The single whole number that a statement answers; ``words`` are ints, texts, days, booleans or None.

    Raises what the driver raises for the same failure, and `BeginAgain` where a
    transaction that was begun by hand has to be done anew.
    """
    if not connection.autocommit:
        # Inside a transaction the driver keeps count: it begins with the first statement, and it forgets
        # what it prepared when one is rolled back.
        row = connection.execute(statement, words, prepare=True).fetchone()
        assert row is not None
        return int(row[0])
    given = [_text(word) for word in words]
    with connection.lock:
        result = _executed(connection, statement, given)
        if result.error_field(pq.DiagnosticField.SQLSTATE) == _FORGOTTEN:
            # The driver threw away all prepared statements, as it does when a part of a transaction was rolled back.
            _PREPARED.pop(connection)
            if connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
                raise BeginAgain
            result = _executed(connection, statement, given)
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise _error(connection, result)
    value = result.get_value(0, 0)
    assert value is not None
    return int(value)


#: SQLSTATE invalid_sql_statement_name.
_FORGOTTEN = b"26000"


def _executed(connection: psycopg.Connection[Any], statement: str, given: list[bytes | None]) -> pq.abc.PGresult:
    name = _PREPARED.setdefault(connection, {}).get(statement) or _prepare(connection, statement)
    # The stub asks for bytes only; libpq and the driver take None as NULL.
    return connection.pgconn.exec_prepared(name, given)  # type: ignore[arg-type]


def _prepare(connection: psycopg.Connection[Any], statement: str) -> bytes:
    known = _PREPARED[connection]
    name = f"carbonhui_{next(_NUMBERS)}".encode()
    pieces = statement.split("%s")
    numbered = "".join(f"{piece}${at}" for at, piece in enumerate(pieces[:-1], 1)) + pieces[-1]
    result = connection.pgconn.prepare(name, numbered.encode())
    if result.status != pq.ExecStatus.COMMAND_OK:
        raise _error(connection, result)
    known[statement] = name
    return name


def _text(word: Any) -> bytes | None:
    if word is None:
        return None
    if isinstance(word, bool):
        return b"t" if word else b"f"
    if isinstance(word, int):
        return b"%d" % word
    if isinstance(word, str):
        return word.encode()
    if isinstance(word, date):
        return word.isoformat().encode()
    assert isinstance(word, list)
    return ("{" + ",".join(map(str, word)) + "}").encode()


def _error(connection: psycopg.Connection[Any], result: pq.abc.PGresult) -> psycopg.Error:
    if connection.pgconn.status == pq.ConnStatus.BAD:
        return psycopg.OperationalError(connection.pgconn.get_error_message())
    return psycopg.errors.error_from_result(result, encoding="utf-8")
