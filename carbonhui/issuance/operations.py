"""Minting through a day: part by part, in transactions small enough to be killed and started again."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from carbonhui import ledger, policy
from carbonhui.core.clock import Clock
from carbonhui.core.database import Database, connection_of
from carbonhui.issuance.refusals import MintRunning, RatioChanged

#: Reductions consumed in one transaction: large enough to be fast, small enough to lose little when killed.
ROWS_AT_ONCE = 50_000
WORKERS = 2
_LOCK = 440117

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Part:
    """The days of one vintage year at one exchange ratio, ``first`` to ``last`` inclusive."""

    vintage: int
    mg_per_credit: int
    first: date
    last: date


@dataclass(frozen=True)
class MintReport:
    """What one mint made. ``persons`` counts a person once for each part."""

    mint: int
    through: date
    persons: int
    reductions: int
    reduced_mg: int
    credits: int
    seconds: float


@dataclass
class Step:
    """One transaction's work: the last account that it reached, and its sums."""

    account: int
    persons: int
    reductions: int
    mg: int
    credits: int


def parts_through(session: Session, through: date) -> list[Part]:
    """What waits to be minted, oldest first. Raises `policy.NotInForce` for a day without a ratio."""
    row = connection_of(session).execute(
        "SELECT min(day), max(day) FROM reduction WHERE mint_id IS NULL AND day <= %s", (through,)
    ).fetchone()
    assert row is not None
    first, last = row
    if first is None:
        return []
    policy.number_on(session, policy.EXCHANGE_RATIO, first)
    parts = []
    for value in policy.values(session, policy.EXCHANGE_RATIO):
        assert value.number is not None
        begins = max(value.start, first)
        ends = min(value.end - timedelta(days=1) if value.end else last, last)
        for year in range(begins.year, ends.year + 1):
            begin, end = max(begins, date(year, 1, 1)), min(ends, date(year, 12, 31))
            if begin <= end:
                parts.append(Part(year, value.number, begin, end))
    return parts


def mint_next(
    session: Session, part: Part, *, mint: int, business_date: date, after: int, upto: int, rows: int = ROWS_AT_ONCE
) -> Step | None:
    """Mint the next accounts of a part, those above ``after`` and up to ``upto``; None when none is left.

    One transaction's worth: about ``rows`` reductions, never splitting one account's.
    Raises `RatioChanged` when the part's ratio is no longer the one in force on its days.
    """
    for day in (part.first, part.last):
        if policy.number_on(session, policy.EXCHANGE_RATIO, day) != part.mg_per_credit:
            raise RatioChanged(first=part.first, last=part.last)
    source = ledger.system_account(session, ledger.Kind.ISSUANCE)
    row = connection_of(session).execute(
        "SELECT * FROM issuance_mint_next(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (mint, source, part.vintage, part.mg_per_credit, part.first, part.last, business_date, after, upto, rows),
    ).fetchone()
    assert row is not None
    return None if row[0] is None else Step(*row)


def mint(
    database: Database, through: date, *, clock: Clock, workers: int = WORKERS, progress: Progress | None = None
) -> MintReport:
    """Mint every reduction with an activity day up to ``through`` that is not minted yet.

    This verb is many transactions, each complete in itself: killed anywhere and
    started again it goes on where it was, and nothing is minted twice.

    Raises `MintRunning`, `RatioChanged`, `policy.NotInForce`.
    """
    began = time.perf_counter()
    with _alone(database):
        number = database.run(lambda session: _begin(session, through))
        parts = database.run(lambda session: parts_through(session, through))
        steps = [step for part in parts for step in _mint_part(database, part, number, clock, workers, progress)]
        database.run(lambda session: _finish(session, number))
    return MintReport(
        mint=number,
        through=through,
        persons=sum(step.persons for step in steps),
        reductions=sum(step.reductions for step in steps),
        reduced_mg=sum(step.mg for step in steps),
        credits=sum(step.credits for step in steps),
        seconds=time.perf_counter() - began,
    )


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """Nobody else mints meanwhile. Raises `MintRunning`."""
    with database.connect(autocommit=True) as guard:
        row = guard.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if row != (True,):
            raise MintRunning()
        try:
            yield
        finally:
            # The server notices a closed connection some time later, and who mints next should not be refused until then.
            if not guard.broken:
                guard.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _begin(session: Session, through: date) -> int:
    ledger.system_account(session, ledger.Kind.ISSUANCE)
    row = connection_of(session).execute(
        """WITH unfinished AS (SELECT id FROM mint WHERE through = %(day)s AND finished_at IS NULL LIMIT 1),
                new AS (INSERT INTO mint (through) SELECT %(day)s WHERE NOT EXISTS (SELECT FROM unfinished) RETURNING id)
           SELECT id FROM unfinished UNION ALL SELECT id FROM new""",
        {"day": through},
    ).fetchone()
    assert row is not None
    return int(row[0])


def _finish(session: Session, number: int) -> None:
    connection_of(session).execute("UPDATE mint SET finished_at = clock_timestamp() WHERE id = %s", (number,))


def _mint_part(
    database: Database, part: Part, number: int, clock: Clock, workers: int, progress: Progress | None
) -> list[Step]:
    """The accounts are shared out in as many ranges as there are workers, so that no two meet in one row."""
    with database.begin() as session:
        row = connection_of(session).execute("SELECT min(id), max(id) FROM account WHERE kind = 1").fetchone()
    if row is None or row[0] is None:
        return []
    lowest, highest = row[0] - 1, row[1]
    edges = [lowest + (highest - lowest) * at // workers for at in range(workers + 1)]
    stopping = threading.Event()
    telling = threading.Lock()  # one call of progress at a time, so that it need not know of the workers

    def step_after(after: int, upto: int) -> Step | None:
        day = clock.today()
        return database.run(
            lambda session: mint_next(session, part, mint=number, business_date=day, after=after, upto=upto)
        )

    def of_range(after: int, upto: int) -> list[Step]:
        steps: list[Step] = []
        try:
            while not stopping.is_set() and (step := step_after(after, upto)) is not None:
                steps.append(step)
                after = step.account
                if progress is not None:
                    with telling:
                        progress(step.persons)
        except BaseException:
            stopping.set()
            raise
        return steps

    with ThreadPoolExecutor(workers) as pool:
        found = [pool.submit(of_range, after, upto) for after, upto in zip(edges, edges[1:], strict=False)]
        return [step for each in found for step in each.result()]


def carry_of(session: Session, account: int) -> int:
    """The milligrams that an account carries towards its next credit."""
    row = connection_of(session).execute("SELECT carry_mg FROM carry WHERE account_id = %s", (account,)).fetchone()
    return int(row[0]) if row else 0
