"""A stored function is called on a prepared statement, which the driver may throw away at any time."""

import psycopg
import pytest

from carbonhui.core.calling import answer_of
from carbonhui.core.database import BeginAgain, Database

ADD = "SELECT %s::bigint + 1"


def _fail_in_part(connection: psycopg.Connection) -> None:
    connection.execute("SELECT 0", prepare=True)
    with pytest.raises(psycopg.errors.DivisionByZero), connection.transaction():
        connection.execute("SELECT 1 / 0")
    connection.execute("SELECT 1")  # with the next statement the driver throws away what was prepared


def test_without_a_transaction_it_is_prepared_anew(unchecked_database: Database):
    with unchecked_database.connect(autocommit=True) as connection:
        assert answer_of(connection, ADD, (1,)) == 2
        connection.execute("DEALLOCATE ALL")
        assert answer_of(connection, ADD, (2,)) == 3


def test_in_a_transaction_begun_by_hand_the_transaction_is_done_anew(unchecked_database: Database):
    with unchecked_database.connect(autocommit=True) as connection:
        assert answer_of(connection, ADD, (1,)) == 2
        connection.pgconn.exec_(b"BEGIN")
        _fail_in_part(connection)
        with pytest.raises(BeginAgain):
            answer_of(connection, ADD, (2,))
        connection.pgconn.exec_(b"ROLLBACK")
        connection.pgconn.exec_(b"BEGIN")
        assert answer_of(connection, ADD, (2,)) == 3
        connection.pgconn.exec_(b"COMMIT")
