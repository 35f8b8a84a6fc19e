"""Processes that write into one store as hard as they can, for the stress of the ledger (design section 4)."""

import random
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core.database import Database, DatabaseBusy
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings, read_settings
from carbonhui.ledger import Purpose, Transfer

#: `tests.ledger.books` has it too, but brings pytest and other rooms along, which every process here would pay for.
DAY = date(2026, 11, 20)


def opened(parameters: dict[str, Any], *, pool_size: int = 1) -> Database:
    """The store as one of many processes has it: with one connection, and time enough for nine of them on any machine."""
    settings: Settings = read_settings({"CARBONHUI_HOME": str(Path("/nonexistent")), "CARBONHUI_POOL_SIZE": str(pool_size)}, profile="demo")
    patient = replace(settings, statement_timeout_ms=600_000, lock_timeout_ms=300_000, idle_timeout_ms=600_000)
    return Database(parameters=parameters, settings=patient, server=None)


@dataclass
class Told:
    """What one process did: its outcomes by name, and how often a transaction had to begin again."""

    outcomes: Counter[str] = field(default_factory=Counter)
    again: int = 0
    errors: list[str] = field(default_factory=list)
    #: What moved between the accounts, by account, as this process was told.
    moved: Counter[int] = field(default_factory=Counter)


class Writer:
    """One process's work: spends, gifts, holds, captures, releases, refunds and batches, at random."""

    def __init__(self, database: Database, number: int, persons: list[int], merchants: list[int]) -> None:
        self.database = database
        self.name = f"writer-{number}"
        self.random = random.Random(number)
        self.persons, self.merchants = persons, merchants
        self.everybody = [*persons, *merchants]
        self.holds: list[tuple[int, int, int, int]] = []
        self.told = Told()

    def work(self, rounds: int) -> Told:
        acts = [self.give, self.give, self.spend, self.refund, self.hold, self.hold, self.capture, self.release, self.batch, self.undo]
        for number in range(rounds):
            act = self.random.choice(acts)
            try:
                act(f"{self.name}-{number}")
            except DatabaseBusy:
                self.told.outcomes["busy"] += 1
            except Refusal as refusal:
                self.told.outcomes[refusal.code] += 1
            except Exception as error:  # told to the test, which fails on it
                self.told.errors.append(f"{act.__name__}: {type(error).__name__}: {error}")
        return self.told

    def run(self, work: Any) -> Any:
        attempts = 0

        def counted(session: Session) -> Any:
            nonlocal attempts
            attempts += 1
            return work(session)

        try:
            return self.database.run(counted)
        finally:
            self.told.again += max(attempts - 1, 0)

    def remember(self, source: int, target: int, amount: int, what: str) -> None:
        self.told.outcomes[what] += 1
        self.told.moved[source] -= amount
        self.told.moved[target] += amount

    def post(self, purpose: Purpose, source: int, target: int, reference: str) -> int:
        amount = self.random.randint(1, 20)
        posted = self.run(lambda session: ledger.post(
            session, purpose=purpose, source=source, target=target, amount=amount, reference=reference, business_date=DAY
        ))  # fmt: skip
        self.remember(source, target, amount, purpose.name.lower())
        return int(posted.id)

    def two(self) -> tuple[int, int]:
        source, target = self.random.sample(self.persons, 2)
        return source, target

    def give(self, reference: str) -> None:
        self.post(Purpose.GIVE, *self.two(), reference)

    def spend(self, reference: str) -> None:
        self.post(Purpose.REDEEM, self.random.choice(self.persons), self.random.choice(self.merchants), reference)

    def refund(self, reference: str) -> None:
        self.post(Purpose.REFUND, self.random.choice(self.merchants), self.random.choice(self.persons), reference)

    def undo(self, reference: str) -> None:
        source, target = self.two()
        made = self.post(Purpose.GIVE, source, target, reference)
        amount = self.run(lambda session: ledger.transfer_under(session, reference)).amount
        self.run(lambda session: ledger.reverse(session, made, reference=f"{reference}-undone", business_date=DAY))
        self.remember(target, source, amount, "undone")

    def hold(self, reference: str) -> None:
        source, target, amount = self.random.choice(self.everybody), self.random.choice(self.everybody), self.random.randint(1, 15)
        made = self.run(lambda session: ledger.hold(
            session, purpose=Purpose.REDEEM, source=source, target=target, amount=amount, reference=reference,
            business_date=DAY, seconds=3600,
        ))  # fmt: skip
        self.holds.append((made.id, source, target, amount))
        self.told.outcomes["held"] += 1

    def capture(self, reference: str) -> None:
        if not self.holds:
            return
        hold, source, target, amount = self.holds.pop(self.random.randrange(len(self.holds)))
        part, final = self.random.randint(1, amount + 1), self.random.random() < 0.7
        self.run(lambda session: ledger.capture(session, hold, amount=part, reference=reference, business_date=DAY, final=final))
        self.remember(source, target, part, "captured")

    def release(self, _: str) -> None:
        if self.holds:
            hold = self.holds.pop(self.random.randrange(len(self.holds)))[0]
            self.run(lambda session: ledger.release(session, hold))
            self.told.outcomes["released"] += 1

    def batch(self, reference: str) -> None:
        transfers = []
        for number in range(self.random.randint(2, 12)):
            source, target = self.random.choice(self.everybody), self.random.choice(self.everybody)
            transfers.append(Transfer(
                purpose=Purpose.GIVE, source=source, target=target, amount=self.random.randint(1, 10),
                reference=f"{reference}-{number}", business_date=DAY,
            ))  # fmt: skip
        outcomes = self.run(lambda session: ledger.post_many(session, transfers))
        for transfer, outcome in zip(transfers, outcomes, strict=True):
            if outcome.id:
                self.remember(transfer.source, transfer.target, transfer.amount, "batched")
            else:
                self.told.outcomes[f"batched {outcome.refusal.code}"] += 1


def write(parameters: dict[str, Any], number: int, rounds: int, persons: list[int], merchants: list[int]) -> Told:
    """The whole of one process."""
    with opened(parameters) as database:
        return Writer(database, number, persons, merchants).work(rounds)


def fold_until_told(parameters: dict[str, Any], merchants: list[int], ends: Any) -> int:
    """What the schedule does meanwhile: fold receipts and join runs of serials, until ``ends`` is set."""
    rounds = 0
    with opened(parameters) as database:
        while not ends.is_set():
            database.run(lambda session: ledger.fold(session))
            merchant = merchants[rounds % len(merchants)]
            database.run(lambda session, merchant=merchant: ledger.merge_blocks(session, merchant))
            rounds += 1
    return rounds


def write_until_killed(parameters: dict[str, Any], name: str, persons: list[int], merchants: list[int]) -> None:
    """Give and pay without end; print each reference before it is used and again after its commit."""
    choose = random.Random(name)
    with opened(parameters) as database:
        database.run(lambda session: ledger.balance_of(session, persons[0]))
        print("ready", flush=True)
        number = 0
        while True:
            reference = f"{name}-{number}"
            source, target = choose.choice(persons), choose.choice([*persons, *merchants])
            amount = choose.randint(1, 5)
            number += 1
            if source == target:
                continue
            print("asked", reference, source, target, amount, flush=True)
            try:
                if number % 4:
                    database.run(lambda session, r=reference, s=source, t=target, n=amount: ledger.post(
                        session, purpose=Purpose.GIVE, source=s, target=t, amount=n, reference=r, business_date=DAY
                    ))  # fmt: skip
                else:
                    transfer = Transfer(
                        purpose=Purpose.GIVE, source=source, target=target, amount=amount, reference=reference, business_date=DAY
                    )
                    [outcome] = database.run(lambda session, t=transfer: ledger.post_many(session, [t]))
                    if outcome.refusal is not None:
                        raise outcome.refusal
            except Refusal:
                print("refused", reference, flush=True)
            else:
                print("done", reference, flush=True)


if __name__ == "__main__":
    import json

    write_until_killed(*json.loads(sys.argv[1]))
