"""A store prepared for a benchmark: the demonstration's numbers approved, and as many people as are asked for."""

import os

from carbonhui import ledger, methodology
from carbonhui.core.database import Database, open_database
from carbonhui.core.settings import Settings, read_settings
from carbonhui.demo.city import approve_what_is_installed


def bench_settings(home: str) -> Settings:
    """Settings of a benchmark's own home, in the demonstration profile."""
    return read_settings({**os.environ, "CARBONHUI_HOME": home}, profile="demo")


def open_city(home: str) -> Database:
    """The store of that home, with everything approved that a benchmark needs."""
    database = open_database(bench_settings(home))
    database.run(lambda session: approve_what_is_installed(session, methodology.installed_versions()))
    return database


def people(database: Database, count: int) -> list[int]:
    """So many new persons' accounts, opened in pieces that stay within the statement's time limit."""
    opened: list[int] = []
    while len(opened) < count:
        piece = min(100_000, count - len(opened))
        opened += database.run(lambda session, n=piece: ledger.open_accounts(session, "person", count=n))  # type: ignore[misc]
    return opened
