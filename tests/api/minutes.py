"""A minute of the store that does not end while a test counts the requests of one."""

from collections.abc import Iterator
from contextlib import contextmanager

from carbonhui.core.database import Database

_DEFINITION = "SELECT pg_get_functiondef('lease_rate'::regproc)"
_NOW = "clock_timestamp()"


@contextmanager
def held_minute(database: Database) -> Iterator[None]:
    """Leases are given by a clock that stands in the middle of the minute that it is now."""
    with database.connect_as_owner(autocommit=True) as owner:
        [[real]] = owner.execute(_DEFINITION).fetchall()
        [[now]] = owner.execute("SELECT date_trunc('minute', clock_timestamp())::text").fetchall()
        assert real.count(_NOW) == 1
        owner.execute(real.replace(_NOW, f"timestamptz '{now}' + interval '30 s'"))
        try:
            yield
        finally:
            owner.execute(real)
