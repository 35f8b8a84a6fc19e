"""Which statements a verb sends to the store, in order: what somebody with a watch could tell apart."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import psycopg
from sqlalchemy.orm import Session

from carbonhui.core.database import Database


def statements_of(database: Database, work: Callable[[Session], Any]) -> list[str]:
    """The text of every statement, without its values."""
    sent: list[str] = []
    execute = psycopg.Connection.execute

    def noted(self: Any, query: Any, *words: Any, **options: Any) -> Any:
        sent.append(str(query))
        return execute(self, query, *words, **options)

    with patch.object(psycopg.Connection, "execute", noted):
        database.run(work)
    return sent
