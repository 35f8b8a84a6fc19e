"""How fast reductions become credits, beside one hand-written SQL statement in the same run.

    python -m bench.mint [--persons 10000,100000,1000000] [--days 1] [--json]

Each person has one reduction a day; the cities of today mint daily. The yardstick writes one bare
row per person and adds it to a bare balance: what PostgreSQL itself charges for
one credit entry, without codes, provenance, carry or exactly-once.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.city import open_city, people
from bench.home import bench_home
from carbonhui import issuance, supervision
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database

_REDUCTIONS = """
INSERT INTO reduction (account_id, methodology, fingerprint, day, mg, batch_id)
SELECT account_id, 'bench', repeat('0', 64), date '2026-03-01' + d, 100000 + (account_id * 7919 + d * 104729) %% 180000, 1
FROM unnest(%s::bigint[]) WITH ORDINALITY AS a (account_id, n), generate_series(1, %s) d
"""


@dataclass
class Measured:
    """One size: persons a second, the yardstick's, and the credits that were made."""

    persons: int
    persons_per_s: int
    bare_per_s: int
    credits: int
    seconds: float


def _bare(database: Database, accounts: list[int]) -> float:
    """Seconds for a row and a balance each, as a person would write them by hand."""
    with database.connect_as_owner() as connection:
        connection.execute("CREATE TABLE bare_balance (id bigint PRIMARY KEY, posted bigint NOT NULL)")
        connection.execute("CREATE TABLE bare_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account bigint, amount bigint)")
        connection.execute("CREATE INDEX ON bare_entry (account, id)")
        connection.execute("INSERT INTO bare_balance SELECT a, 0 FROM unnest(%s::bigint[]) a", (accounts,))
        connection.commit()
        began = time.perf_counter()
        connection.execute("INSERT INTO bare_entry (account, amount) SELECT id, 3 FROM bare_balance")
        connection.execute("UPDATE bare_balance SET posted = posted + 3")
        connection.commit()
        seconds = time.perf_counter() - began
        connection.execute("DROP TABLE bare_balance, bare_entry")
        connection.commit()
    return seconds


def _measure(persons: int, days: int, console: Console) -> Measured:
    with bench_home("mint") as home, open_city(home) as database:
        console.print(f"{persons:,} persons: opening accounts and entering reductions ...", style="dim")
        accounts = people(database, persons)
        with database.connect_as_owner() as connection:
            connection.execute(_REDUCTIONS, (accounts, days))
        with database.connect_as_owner(autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        bare = _bare(database, accounts)
        console.print("minting ...", style="dim")
        report = issuance.mint(database, date(2026, 3, 31), clock=SetClock.on(date(2026, 4, 1)))
        with database.snapshot() as session:
            assert all(verdict.holds for verdict in supervision.verify(session)), "the books do not hold"
    return Measured(persons, int(persons / report.seconds), int(persons / bare), report.credits, round(report.seconds, 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", default="10000,100000")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    found = [_measure(int(text), options.days, console) for text in options.persons.split(",")]
    largest = found[-1]
    ratios: dict[str, Any] = {
        "persons_per_s": largest.persons_per_s,
        "vs_bare_sql": round(largest.persons_per_s / largest.bare_per_s, 2),
    }
    if options.json:
        json.dump({"sizes": [asdict(each) for each in found], "ratios": ratios}, sys.stdout)
        return
    table = Table(title=f"Minting: {options.days} reductions a person become credits")
    for column in ("persons", "persons/s", "bare SQL persons/s", "credits", "s"):
        table.add_column(column, justify="right")
    for each in found:
        table.add_row(f"{each.persons:,}", f"{each.persons_per_s:,}", f"{each.bare_per_s:,}", f"{each.credits:,}", str(each.seconds))
    console.print(table)
    for name, ratio in ratios.items():
        console.print(f"{name} = {ratio}")


if __name__ == "__main__":
    main()
