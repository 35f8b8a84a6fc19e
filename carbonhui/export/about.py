"""Whose copy is made, and how a value is told in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.core.clock import CITY_TIME
from carbonhui.core.database import connection_of
from carbonhui.core.settings import Settings
from carbonhui.participants import Person

Value = str | int | bool | None
Row = tuple[Value, ...]


@dataclass(frozen=True)
class About:
    """Whose copy is made, by whom, and with what."""

    session: Session
    vault: privacy.Vault
    settings: Settings
    person: Person
    reader: privacy.Reader

    def asked(self, statement: str) -> Iterator[Row]:
        """The rows of a query about the person (``id``), the account or the subject."""
        words = {"id": self.person.id, "account": self.person.account_id, "subject": self.person.subject}
        for row in connection_of(self.session).execute(statement, words).fetchall():
            yield tuple(plain(value) for value in row)


def plain(value: Any) -> Value:
    """A value as JSON and a sheet can hold it: whole numbers, yes and no, texts; instants in city time."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, datetime):
        return (value.astimezone(CITY_TIME) if value.tzinfo else value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
