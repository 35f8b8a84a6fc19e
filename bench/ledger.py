"""How fast the books post, beside pgbench's TPC-B on the same server in the same run.

    python -m bench.ledger [--seconds 8] [--rounds 3] [--json]

``post`` is one committed transfer through the Python API (reference, blocks, move
log); ``hot`` is the same with one merchant as everybody's receiver; ``post_many``
is committed batches of 1,000. Each round measures everything once, in turn, so
that a slow minute of the machine touches all alike; the medians are compared.

Each measurement has people of its own, who hold one run of 10,000 credits each as a
mint leaves them; ``--keep`` goes on with the same people, whose credits are by then
scattered over as many small runs as they made gifts.
References ascend for each client, as order numbers do; ``--references random`` makes
them random, which costs a page of index and of log each.
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from bench.home import bench_home
from carbonhui import ledger
from carbonhui.core.database import Database, open_database
from carbonhui.core.settings import Settings, read_settings
from carbonhui.ledger import Kind, Purpose

ACCOUNTS = 10_000
BATCH = 1_000
TODAY = date(2026, 11, 20)


@dataclass
class Book:
    """The prepared store: people with 10,000 credits each, and one merchant."""

    home: str
    people: list[int]
    merchant: int
    ascending: bool = True
    #: Made before the clock starts, because making up a batch is not posting it.
    batches: list[list[ledger.Transfer]] = field(default_factory=list)


def _settings(home: str, clients: int = 1) -> Settings:
    return read_settings({**os.environ, "CARBONHUI_HOME": home, "CARBONHUI_POOL_SIZE": str(clients + 1)}, profile="demo")


def _prepare(home: str, *, ascending: bool = True) -> Book:
    with open_database(_settings(home)) as database, database.begin() as session:
        people = ledger.open_accounts(session, Kind.PERSON, count=ACCOUNTS)
        merchant = ledger.open_account(session, Kind.MERCHANT, name=f"hot-{uuid.uuid4().hex[:8]}")
        ledger.issue(
            session, mint_id=1, vintage=2026, mg_per_credit=100_000, business_date=TODAY,
            accounts=people, credits=[10_000] * ACCOUNTS,
        )
        return Book(home, people, merchant, ascending)


class _Client(random.Random):
    """One client's dice, and its order numbers."""

    def __init__(self, seed: int, *, ascending: bool) -> None:
        super().__init__(seed)
        self.prefix, self.number, self.ascending = f"bench/{seed:016x}", 0, ascending

    def reference(self) -> str:
        self.number += 1
        return f"{self.prefix}/{self.number:09d}" if self.ascending else f"bench/{self.getrandbits(128):032x}"


def _spread(database: Database, book: Book, rng: _Client) -> int:
    source, target = rng.sample(book.people, 2)
    return _one(database, source, target, rng)


def _hot(database: Database, book: Book, rng: _Client) -> int:
    return _one(database, rng.choice(book.people), book.merchant, rng)


def _one(database: Database, source: int, target: int, rng: _Client) -> int:
    reference = rng.reference()

    def work(session: Any) -> None:
        ledger.post(
            session, purpose=Purpose.GIVE, source=source, target=target,
            amount=rng.randint(1, 20), reference=reference, business_date=TODAY,
        )

    database.run_one(work)
    return 1


def _batch(book: Book, rng: _Client) -> list[ledger.Transfer]:
    batch = []
    for _ in range(BATCH):
        source, target = rng.sample(book.people, 2)
        batch.append(
            ledger.Transfer(
                purpose=Purpose.GIVE, source=source, target=target, amount=rng.randint(1, 20),
                reference=rng.reference(), business_date=TODAY,
            )
        )
    return batch


def _many(database: Database, book: Book, rng: _Client) -> int:
    batch = book.batches.pop() if book.batches else _batch(book, rng)
    outcomes = database.run(lambda session: ledger.post_many(session, batch))
    return sum(outcome.id is not None for outcome in outcomes)


WORK: dict[str, Callable[[Database, Book, _Client], int]] = {"post": _spread, "hot": _hot, "post_many": _many}


def _client(what: str, book: Book, seconds: float, seeds: list[int], barrier: Any, answers: Any) -> None:
    """One process of clients, a thread and a connection for each, as a server's worker is."""
    with open_database(_settings(book.home, len(seeds))) as database, ThreadPoolExecutor(len(seeds)) as pool:
        started = threading.Barrier(len(seeds), action=barrier.wait)
        done = [pool.submit(_thread, what, book, database, seconds, _Client(seed, ascending=book.ascending), started) for seed in seeds]
        answers.put(sum(each.result() for each in done))


def _thread(
    what: str, book: Book, database: Database, seconds: float, rng: _Client, started: threading.Barrier
) -> float:
    mine = replace(book, batches=[])
    WORK[what](database, mine, rng)
    if what == "post_many":
        mine.batches = [_batch(mine, rng) for _ in range(int(seconds * 30))]
    started.wait()
    done, began, until = 0, time.perf_counter(), time.perf_counter() + seconds
    while time.perf_counter() < until:
        done += WORK[what](database, mine, rng)
    return done / (time.perf_counter() - began)


def _measure(what: str, book: Book, clients: int, seconds: float) -> float:
    """Operations per second of so many clients, shared out over at most two processes as pgbench's over its threads."""
    context = multiprocessing.get_context("spawn")
    workers = min(clients, 2)
    barrier, answers = context.Barrier(workers), context.Queue()
    seeds = [random.SystemRandom().getrandbits(64) for _ in range(clients)]
    processes = [
        context.Process(target=_client, args=(what, book, seconds, seeds[at::workers], barrier, answers))
        for at in range(workers)
    ]
    for process in processes:
        process.start()
    total = sum(answers.get(timeout=seconds + 120) for _ in processes)
    for process in processes:
        process.join()
    return float(total)


def _pgbench(database: Database, *arguments: str) -> str:
    assert database.server is not None, "the yardstick needs the embedded server's pgbench"
    where = database.server.parameters("tpcb")
    command = [database.server.bin / "pgbench", "-h", where["host"], "-p", str(where["port"]), "-U", where["user"], *arguments, "tpcb"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _tpcb(database: Database, clients: int, seconds: float) -> float:
    output = _pgbench(database, "-n", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(int(seconds)))
    found = re.search(r"tps = ([0-9.]+)", output)
    assert found, output
    return float(found[1])


def run(seconds: float, rounds: int, scale: int, ascending: bool, keep: bool, console: Console) -> dict[str, Any]:
    """Rates per second by name, and the ratios of their medians."""
    with bench_home("ledger") as home:
        kept = _prepare(home, ascending=ascending)

        def book() -> Book:
            return kept if keep else _prepare(home, ascending=ascending)

        rates: dict[str, list[float]] = {}
        with open_database(_settings(home)) as database:
            _make_tpcb(database, scale)
            for number in range(rounds):
                for name, measure in _plan(database, book, seconds).items():
                    console.print(f"round {number + 1}: {name} ...", style="dim")
                    _settle(database)
                    rates.setdefault(name, []).append(measure())
            with database.begin() as session:
                assert not any(ledger.run_checks(session).values()), "the books do not hold after the benchmark"
    medians = {name: statistics.median(found) for name, found in rates.items()}
    return {"seconds": seconds, "rates": rates, "medians": medians, "ratios": _ratios(medians)}


def _make_tpcb(database: Database, scale: int) -> None:
    assert database.server is not None
    with psycopg.connect(**database.server.parameters("postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'tpcb'").fetchone():
            connection.execute("CREATE DATABASE tpcb")
    _pgbench(database, "-i", "-q", "-s", str(scale))


def _settle(database: Database) -> None:
    """A checkpoint before each measurement, so that none pays for the one before."""
    with database.connect_as_owner(autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _plan(database: Database, book: Callable[[], Book], seconds: float) -> dict[str, Callable[[], float]]:
    plan: dict[str, Callable[[], float]] = {}
    for clients in (1, 8):
        plan[f"tpcb c{clients}"] = lambda c=clients: _tpcb(database, c, seconds)  # type: ignore[misc]
        plan[f"post c{clients}"] = lambda c=clients: _measure("post", book(), c, seconds)  # type: ignore[misc]
        plan[f"post_many c{clients}"] = lambda c=clients: _measure("post_many", book(), c, seconds)  # type: ignore[misc]
    plan["post_many c2"] = lambda: _measure("post_many", book(), 2, seconds)
    plan["hot c8"] = lambda: _measure("hot", book(), 8, seconds)
    return plan


def _ratios(medians: dict[str, float]) -> dict[str, float]:
    best_many = max(rate for name, rate in medians.items() if name.startswith("post_many"))
    return {
        "post_vs_tpcb": round(medians["post c8"] / medians["tpcb c8"], 2),
        "post_vs_tpcb_c1": round(medians["post c1"] / medians["tpcb c1"], 2),
        "post_many_vs_tpcb": round(best_many / medians["tpcb c8"], 2),
        "post_many_vs_tpcb_c1": round(medians["post_many c1"] / medians["tpcb c1"], 2),
        "hot_vs_spread": round(medians["hot c8"] / medians["post c8"], 2),
    }


def _show(result: dict[str, Any], console: Console) -> None:
    table = Table(title="Transfers per second (one commit each; post_many: one commit per 1,000)")
    for column in ("what", "median", "lowest", "highest"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, found in result["rates"].items():
        table.add_row(name, *(f"{value:,.0f}" for value in (statistics.median(found), min(found), max(found))))
    console.print(table)
    for name, ratio in result["ratios"].items():
        console.print(f"{name} = {ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=int, default=50, help="pgbench's scale: 50 is five million rows")
    parser.add_argument("--references", choices=("ascending", "random"), default="ascending")
    parser.add_argument("--keep", action="store_true", help="go on with the same people, fragmented as they are")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    result = run(options.seconds, options.rounds, options.scale, options.references == "ascending", options.keep, console)
    if options.json:
        json.dump(result, sys.stdout)
    else:
        _show(result, console)


if __name__ == "__main__":
    assert Path("bench").is_dir(), "run it from the project's root"
    main()
