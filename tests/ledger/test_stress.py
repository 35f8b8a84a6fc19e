"""Many who write at once, and writers who are killed at work, leave whole books (design sections 4 and 12).

``CARBONHUI_STRESS=full`` runs the sizes of the acceptance: 8 processes of 2,000 acts, and 200 kills.
"""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pytest

from carbonhui import ledger
from carbonhui.core.database import Database, connection_of
from carbonhui.ledger import Kind
from tests.ledger.books import DAY, broken, mint_to, organisation, resident
from tests.ledger.writers import Told, fold_until_told, write

FULL = os.environ.get("CARBONHUI_STRESS") == "full"
PROCESSES, ROUNDS = 8, 2000 if FULL else 150
KILLS = 200 if FULL else 12


def _town(database: Database) -> tuple[list[int], list[int]]:
    """Fifty accounts, ten of them merchants, with credits for a few acts only."""
    with database.begin() as session:
        persons = [resident(session, 30, vintage=2024 + number % 3) for number in range(40)]
        for person in persons[::2]:
            mint_to(session, person, 9, vintage=2026)
        merchants = [organisation(session, Kind.MERCHANT) for _ in range(10)]
    return persons, merchants


def _all_balances(database: Database, accounts: list[int]) -> list[ledger.Account]:
    with database.begin() as session:
        return [ledger.balance_of(session, account) for account in accounts]


def test_many_processes_at_once_overdraw_nothing_and_leave_whole_books(unchecked_database: Database) -> None:
    persons, merchants = _town(unchecked_database)
    everybody = [*persons, *merchants]
    before = {account.id: account.posted for account in _all_balances(unchecked_database, everybody)}
    began = time.perf_counter()
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(PROCESSES + 1, mp_context=spawn) as pool:
        ends = manager.Event()
        folding = pool.submit(fold_until_told, unchecked_database.parameters, merchants, ends)
        writing = [
            pool.submit(write, unchecked_database.parameters, number, ROUNDS, persons, merchants) for number in range(PROCESSES)
        ]
        told: list[Told] = []
        try:
            told = [each.result() for each in writing]
        finally:
            ends.set()
        folds = folding.result()
    seconds = time.perf_counter() - began

    outcomes, moved = Counter[str](), Counter[int]()
    for each in told:
        outcomes.update(each.outcomes)
        moved.update(each.moved)
    print(f"\n{PROCESSES} x {ROUNDS} acts in {seconds:.1f} s, {sum(each.again for each in told)} begun again, {folds} folds: "
          f"{dict(outcomes.most_common())}")  # fmt: skip
    assert [error for each in told for error in each.errors] == []
    assert outcomes["busy"] == 0
    assert outcomes["not_enough"] > 0 and outcomes["batched not_enough"] > 0 and outcomes["captured"] > 0
    after = _all_balances(unchecked_database, everybody)
    assert all(0 <= account.held <= account.posted for account in after)
    assert sum(account.posted for account in after) == sum(before.values())
    assert {account.id: account.posted - before[account.id] for account in after} == {one: moved[one] for one in everybody}
    assert broken(unchecked_database) == {}


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_a_writer_killed_at_work_loses_nothing_that_was_acknowledged_and_doubles_nothing(unchecked_database: Database) -> None:
    persons, merchants = _town(unchecked_database)
    with unchecked_database.begin() as session:
        for person in persons:
            mint_to(session, person, 2000)
    before = {account.id: account.posted for account in _all_balances(unchecked_database, [*persons, *merchants])}
    choose = random.Random(20261120)
    asked: dict[str, tuple[int, int, int]] = {}
    done: set[str] = set()
    refused: set[str] = set()
    began = time.perf_counter()
    for kill in range(KILLS):
        for words in _killed_at_work(unchecked_database, f"kill-{kill}", persons, merchants, choose):
            if words[0] == "asked":
                asked[words[1]] = (int(words[2]), int(words[3]), int(words[4]))
            elif words[0] in ("done", "refused"):
                (done if words[0] == "done" else refused).add(words[1])

    found = _transfers_under(unchecked_database, asked)
    unknown = asked.keys() - done - refused
    print(f"\n{KILLS} kills in {time.perf_counter() - began:.1f} s: {len(asked)} asked, {len(done)} acknowledged, {len(unknown)} unknown, "
          f"{len(unknown & found.keys())} of them made")  # fmt: skip
    assert len(done) >= 2 * KILLS and len(unknown) <= KILLS
    assert done <= found.keys() and not refused & found.keys()
    assert all(found[reference] == [asked[reference]] for reference in found)
    # What nobody knows is found out by asking again under the same reference.
    with unchecked_database.begin() as session:
        for reference in sorted(unknown):
            source, target, amount = asked[reference]
            posted = ledger.post(
                session, purpose=ledger.Purpose.GIVE, source=source, target=target, amount=amount, reference=reference,
                business_date=DAY,
            )  # fmt: skip
            assert posted.again or reference not in found
    moved: Counter[int] = Counter()
    for [(source, target, amount)] in _transfers_under(unchecked_database, asked).values():
        moved[source] -= amount
        moved[target] += amount
    after = {account.id: account.posted - before[account.id] for account in _all_balances(unchecked_database, list(before))}
    assert after == {account: moved[account] for account in before}
    assert broken(unchecked_database) == {}


def _killed_at_work(database: Database, name: str, persons: list[int], merchants: list[int], choose: random.Random) -> list[list[str]]:
    """What a writer said before it was killed: some acts were acknowledged, and the next was begun a moment ago."""
    words = json.dumps([database.parameters, name, persons, merchants])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.writers", words], stdout=subprocess.PIPE, text=True, bufsize=1
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline().split() == ["ready"]
        lines, acknowledged, after = ["ready"], 0, choose.randint(2, 20)
        while acknowledged < after or not lines[-1].startswith("asked "):
            lines.append(writer.stdout.readline())
            assert lines[-1], "the writer ended by itself"
            acknowledged += lines[-1].startswith("done ")
        # Not a pause for something to happen: how far the act has come is what is drawn.
        time.sleep(choose.uniform(0, 0.004))
        writer.send_signal(signal.SIGKILL)
        # The last line may have been cut in the middle.
        lines += [line for line in writer.stdout if line.endswith("\n")]
    return [line.split() for line in lines]


def _transfers_under(database: Database, references: dict[str, tuple[int, int, int]]) -> dict[str, list[tuple[int, int, int]]]:
    found: dict[str, list[tuple[int, int, int]]] = {}
    with database.begin() as session:
        for reference, *row in connection_of(session).execute(
            "SELECT reference, debit, credit, amount FROM transfer WHERE reference = ANY (%s)", (list(references),)
        ):
            found.setdefault(reference, []).append((row[0], row[1], row[2]))
    return found
