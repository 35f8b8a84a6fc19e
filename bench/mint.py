"""How fast reductions become credits, beside PostgreSQL's own price for the same rows in the same run.

    python -m bench.mint [--persons 10000,100000,1000000] [--days 1] [--rounds 1] [--json]

Each person has one reduction a day; the cities of today mint daily. Each size is
measured in a new store, ``--rounds`` times in turn, and the medians are told; their
curve tells whether minting stays linear.

``same rows`` is the yardstick: one connection writes the very rows that the mint
wrote into empty tables of the same shape, indexes and all, and changes as many
reductions and balances, in six hand-written statements that decide nothing.
``bare`` is one row and one balance each: an entry without code, provenance, carry or
exactly-once. ``us of server`` is processor time of the server's processes for
each person, which other work on the machine stretches less than the clock's.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from bench.city import open_city, people
from bench.home import bench_home
from carbonhui import issuance, supervision
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database

#: The residents of the city whose month is worked out at the end.
CITY = 15_000_000

_REDUCTIONS = """
INSERT INTO reduction (account_id, methodology, fingerprint, day, mg, batch_id)
SELECT account_id, 'bench', repeat('0', 64), date '2026-03-01' + d, 100000 + (account_id * 7919 + d * 104729) %% 180000, 1
FROM unnest(%s::bigint[]) WITH ORDINALITY AS a (account_id, n), generate_series(1, %s) d
"""
_MEASURED = "id, account_id, batch_id, mg, day, methodology, fingerprint"
_WRITTEN = ("transfer", "issue", "block", "carry")
_CHANGED = {"reduction": "mint_id = 1", "balance": "posted = posted + 3"}


@dataclass
class Measured:
    """One size: seconds, and what they come to."""

    persons: int
    seconds: float
    same_rows_s: float
    bare_s: float
    server_us: float
    credits: int

    def per_s(self, seconds: float) -> int:
        return int(self.persons / seconds)


def _measure(persons: int, days: int, console: Console) -> Measured:
    with bench_home("mint") as home, open_city(home) as database:
        console.print(f"{persons:,} persons: opening accounts and entering reductions ...", style="dim")
        accounts = people(database, persons)
        with database.connect_as_owner() as connection:
            connection.execute(_REDUCTIONS, (accounts, days))
        with _prepared(database) as connection:
            bare_s = _bare(connection, accounts)
        console.print("minting ...", style="dim")
        used = _server_cpu_s(home)
        report = issuance.mint(database, date(2026, 3, 31), clock=SetClock.on(date(2026, 4, 1)))
        used = _server_cpu_s(home) - used
        with database.snapshot() as session:
            assert all(verdict.holds for verdict in supervision.verify(session)), "the books do not hold"
        with _prepared(database) as connection:
            same_rows_s = _same_rows(connection)
    return Measured(persons, report.seconds, same_rows_s, bare_s, used / persons * 1e6, report.credits)


@contextmanager
def _prepared(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection to a store that has nothing left to write down or to clean up."""
    with database.connect_as_owner(autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        yield connection


def _bare(connection: psycopg.Connection[Any], accounts: list[int]) -> float:
    """Seconds for a row and a balance each, as a person would write them by hand."""
    connection.execute("CREATE TABLE bare_balance (id bigint PRIMARY KEY, posted bigint NOT NULL)")
    connection.execute("CREATE TABLE bare_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account bigint, amount bigint)")
    connection.execute("CREATE INDEX ON bare_entry (account, id)")
    connection.execute("INSERT INTO bare_balance SELECT a, 0 FROM unnest(%s::bigint[]) a", (accounts,))
    began = time.perf_counter()
    with connection.transaction():
        connection.execute("INSERT INTO bare_entry (account, amount) SELECT id, 3 FROM bare_balance")
        connection.execute("UPDATE bare_balance SET posted = posted + 3")
    seconds = time.perf_counter() - began
    connection.execute("DROP TABLE bare_balance, bare_entry")
    return seconds


def _same_rows(connection: psycopg.Connection[Any]) -> float:
    """Seconds for all the rows of the mint, in one transaction and in the order in which they lie."""
    for table in (*_WRITTEN, *_CHANGED):
        connection.execute(f"CREATE TABLE same_{table} (LIKE {table} INCLUDING ALL)")
    connection.execute(f"INSERT INTO same_reduction ({_MEASURED}) SELECT {_MEASURED} FROM reduction")
    connection.execute("INSERT INTO same_balance SELECT * FROM balance")
    connection.execute("CHECKPOINT")
    began = time.perf_counter()
    with connection.transaction():
        for table in _WRITTEN:
            connection.execute(f"INSERT INTO same_{table} SELECT * FROM {table}")
        for table, change in _CHANGED.items():
            connection.execute(f"UPDATE same_{table} SET {change}")
    return time.perf_counter() - began


def _server_cpu_s(home: str) -> float:
    """Seconds of processor time that the server and its processes have used so far; 0 where nobody tells."""
    if not Path("/proc/self/stat").exists():
        return 0.0
    server = (Path(home) / "postgresql" / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended while we looked; the server counts it among its children
        if stat.parent.name == server:
            ticks += sum(map(int, fields[11:15]))
        elif fields[1] == server:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _median(found: list[Measured]) -> Measured:
    """The medians of one size's rounds, each figure by itself."""
    figures = {name: statistics.median(getattr(each, name) for each in found) for name in ("seconds", "same_rows_s", "bare_s", "server_us")}
    return Measured(persons=found[0].persons, credits=found[0].credits, **figures)


def _ratios(sizes: list[Measured]) -> dict[str, Any]:
    """The largest size against its yardsticks, and its cost for a person against the cheapest smaller size's."""
    largest = sizes[-1]
    each = [size.seconds / size.persons for size in sizes]
    return {
        "persons_per_s": largest.per_s(largest.seconds),
        "vs_same_rows": round(largest.same_rows_s / largest.seconds, 2),
        "vs_bare_sql": round(largest.bare_s / largest.seconds, 2),
        "growth": round(each[-1] / min(each[:-1], default=each[-1]), 2),
        "city_month_minutes": round(CITY * each[-1] / 60, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", default="10000,100000,1000000")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    persons = [int(text) for text in options.persons.split(",")]
    rounds = [[_measure(size, options.days, console) for size in persons] for _ in range(options.rounds)]
    sizes = [_median(list(found)) for found in zip(*rounds, strict=True)]
    ratios = _ratios(sizes)
    if options.json:
        json.dump({"sizes": [asdict(each) for each in sizes], "ratios": ratios}, sys.stdout)
        return
    console.print(_table(sizes, options.days))
    for name, ratio in ratios.items():
        console.print(f"{name} = {ratio}")


def _table(sizes: list[Measured], days: int) -> Table:
    table = Table(title=f"Minting: {days} reductions a person become credits")
    for column in ("persons", "s", "persons/s", "same rows/s", "of it", "bare/s", "us of server"):
        table.add_column(column, justify="right")
    for each in sizes:
        table.add_row(
            f"{each.persons:,}", f"{each.seconds:.2f}", f"{each.per_s(each.seconds):,}", f"{each.per_s(each.same_rows_s):,}",
            f"{each.same_rows_s / each.seconds:.2f}", f"{each.per_s(each.bare_s):,}", f"{each.server_us:.1f}",
        )
    return table


if __name__ == "__main__":
    main()
