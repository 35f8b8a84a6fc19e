"""Thousands of transfers at once, each with its own outcome.

The batch locks every balance row it may write in the order of their ids, reads
what it needs, decides each transfer in its order here, and writes back set-based.
Its rules are those of the stored function ``ledger_post``; a test runs both on the
same transfers and compares.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import psycopg
from sqlalchemy.orm import Session

from carbonhui.core.database import BeginAgain, connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.ledger.posting import CREDIT, SANDBOX, Purpose, check_words
from carbonhui.ledger.refusals import (
    AboveHoldingLimit,
    AccountClosed,
    AccountNeverReceives,
    AccountNeverSends,
    AccountUnknown,
    AssetDiffers,
    NotEnough,
    ReferenceReused,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfer:
    """One movement to make: ``amount`` credits or fen, by ``asset``."""

    purpose: Purpose
    source: int
    target: int
    amount: int
    reference: str
    business_date: date
    asset: int = CREDIT

    @property
    def words(self) -> tuple[int, int, int, int, int]:
        return (self.source, self.target, self.amount, self.asset, int(self.purpose))


class Outcome(NamedTuple):
    """What became of one transfer: its id (``again`` when it had been made before), or its refusal."""

    id: int | None = None
    again: bool = False
    refusal: Refusal | None = None


def post_many(session: Session, transfers: Sequence[Transfer]) -> list[Outcome]:
    """Make each transfer that can be made, in order; an outcome for each, in order.

    A refused transfer changes nothing and does not hinder the others. What arrives
    earlier in the batch can be spent later in it. Refusals are those of `post`.
    """
    outcomes = [_refused_words(transfer) for transfer in transfers]
    meant = [transfer for transfer, outcome in zip(transfers, outcomes, strict=True) if outcome is None]
    if not meant:
        return [outcome for outcome in outcomes if outcome is not None]
    decided = _Batch(connection_of(session), meant).decide_and_write()
    if len(meant) == len(transfers):
        return decided
    following = iter(decided)
    return [next(following) if outcome is None else outcome for outcome in outcomes]


def _refused_words(transfer: Transfer) -> Outcome | None:
    try:
        check_words(
            source=transfer.source, target=transfer.target, amount=transfer.amount, reference=transfer.reference
        )
    except Refusal as refusal:
        return Outcome(refusal=refusal)
    return None


class _Row:
    """One balance row as the batch found it, and what the batch makes of it."""

    __slots__ = ("asset", "blocks", "deferred", "delta", "held", "holding_max", "is_source", "posted", "receives", "sends")

    def __init__(self, row: Sequence[Any]) -> None:
        (_, self.posted, self.held, self.holding_max, self.asset) = row[:5]
        (self.sends, self.receives, self.deferred, self.is_source) = row[5:]
        self.delta = 0
        #: Runs of serials in order; None for an account that only receives in this batch.
        self.blocks: list[tuple[int, int]] | None = None


_COLUMNS = "account_id, posted, held, holding_max, asset, sends, receives, deferred, is_source"
_LOCK = f"""
SELECT {_COLUMNS} FROM balance
WHERE account_id = ANY (%(senders)s::bigint[]) AND NOT is_source
   OR account_id = ANY (%(receivers)s::bigint[]) AND NOT deferred
ORDER BY account_id FOR NO KEY UPDATE
"""
_UNLOCKED = f"SELECT {_COLUMNS} FROM balance WHERE account_id = ANY (%s::bigint[]) AND (deferred OR is_source)"
_BEFORE = """
SELECT reference, id, debit, credit, amount, asset, CASE WHEN hold_id IS NULL AND reverses IS NULL THEN purpose END
FROM transfer WHERE reference = ANY (%s)
"""
# Before the serials are read: what is folded here is what the batch may spend, and its serials are there by then.
_FOLD = """
SELECT account_id, ledger_fold(account_id) FROM balance
WHERE account_id = ANY (%s::bigint[]) AND deferred AND NOT is_source ORDER BY account_id
"""
_BLOCKS = """
SELECT s.id, b.first, b.last
FROM unnest(%s::bigint[], %s::bigint[]) AS s (id, need),
     LATERAL (SELECT first, last FROM (
                  SELECT first, last, sum(last - first + 1) OVER (ORDER BY first ROWS UNBOUNDED PRECEDING) AS upto
                  FROM (SELECT first, last FROM block WHERE account_id = s.id ORDER BY first LIMIT s.need) oldest
              ) summed WHERE upto - (last - first + 1) < s.need) b
"""
_IDS = "SELECT nextval('transfer_id_seq') FROM generate_series(1, %s)"
_SETTLE = """
UPDATE balance b SET posted = b.posted + d.delta FROM unnest(%s::bigint[], %s::bigint[]) AS d (id, delta)
WHERE b.account_id = d.id
"""
_APPEND = "INSERT INTO incoming SELECT * FROM unnest(%s::bigint[], %s::bigint[])"
_SHRUNK = """
UPDATE block b SET last = s.last FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS s (id, first, last)
WHERE b.account_id = s.id AND b.first = s.first
"""
_GONE = """
DELETE FROM block b USING unnest(%s::bigint[], %s::bigint[]) AS g (id, first)
WHERE b.account_id = g.id AND b.first = g.first
"""
_MERGE = """
SELECT count(ledger_merge(p.id, p.first))
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS p (id, first, last)
WHERE EXISTS (SELECT FROM block WHERE account_id = p.id AND first = p.last + 1)
   OR (SELECT last FROM block WHERE account_id = p.id AND first < p.first ORDER BY first DESC LIMIT 1) = p.first - 1
"""


def _array(numbers: Sequence[int]) -> str:
    """A bigint[] literal; the driver's own list adaptation costs five times as much."""
    return "{" + ",".join(map(str, numbers)) + "}"


class _Batch:
    def __init__(self, connection: psycopg.Connection[Any], transfers: list[Transfer]) -> None:
        self.connection = connection
        self.transfers = transfers
        self.rows: dict[int, _Row] = {}
        #: What was made under each reference before, or earlier in this batch: its id, and its words or the transfer.
        self.before: dict[str, tuple[int, Transfer | tuple[int, ...]]] = {}
        self.kept_blocks: dict[int, list[tuple[int, int]]] = {}
        self.received: list[tuple[int, int, int]] = []
        self.moves: list[tuple[int, int, int]] = []
        self.made: list[tuple[int, Transfer]] = []

    def decide_and_write(self) -> list[Outcome]:
        self._read()
        outcomes = [self._decide(transfer) for transfer in self.transfers]
        if self.made:
            self._write()
        return outcomes

    def _read(self) -> None:
        needs: dict[int, int] = {}
        for transfer in self.transfers:
            if transfer.asset == CREDIT:
                needs[transfer.source] = needs.get(transfer.source, 0) + transfer.amount
        named = {transfer.source for transfer in self.transfers} | {transfer.target for transfer in self.transfers}
        senders = _array(sorted({transfer.source for transfer in self.transfers}))
        receivers = _array(sorted({transfer.target for transfer in self.transfers}))
        run = self.connection.execute
        with self.connection.pipeline():
            locked = run(_LOCK, {"senders": senders, "receivers": receivers}, prepare=True)
            folded = run(_FOLD, (senders,), prepare=True)
            unlocked = run(_UNLOCKED, (_array(sorted(named)),))
            before = run(_BEFORE, ([transfer.reference for transfer in self.transfers],), prepare=True)
            blocks = run(_BLOCKS, (_array(list(needs)), _array(list(needs.values()))), prepare=True)
            ids = run(_IDS, (len(self.transfers),), prepare=True)
        self.locked = {row[0]: _Row(row) for row in locked.fetchall()}
        self.rows = {row[0]: _Row(row) for row in unlocked.fetchall()} | self.locked
        self.before = {row[0]: (row[1], tuple(row[2:])) for row in before.fetchall()}
        for account in needs:
            self.kept_blocks[account] = []
        for account, first, last in blocks.fetchall():
            self.kept_blocks[account].append((first, last))
        for account, kept in self.kept_blocks.items():
            if account in self.rows:
                self.rows[account].blocks = list(kept)
        self.ids = iter([row[0] for row in ids.fetchall()])
        for account, amount in folded:
            self.locked[account].posted += amount

    def _decide(self, transfer: Transfer) -> Outcome:
        known = self.before.get(transfer.reference)
        if known is not None:
            words = known[1].words if isinstance(known[1], Transfer) else known[1]
            if words == transfer.words:
                return Outcome(id=known[0], again=True)
            return Outcome(refusal=ReferenceReused(reference=transfer.reference))
        giver, taker = self.rows.get(transfer.source), self.rows.get(transfer.target)
        refusal = self._refusal(transfer, giver, taker)
        if refusal is not None:
            return Outcome(refusal=refusal)
        assert giver is not None and taker is not None
        new_id, amount = next(self.ids), transfer.amount
        giver.delta -= amount
        giver.posted -= amount
        taker.delta += amount
        taker.posted += amount
        if transfer.asset == CREDIT:
            self._move(new_id, transfer, giver, taker)
        self.before[transfer.reference] = (new_id, transfer)
        self.made.append((new_id, transfer))
        return Outcome(new_id)

    def _refusal(self, transfer: Transfer, giver: _Row | None, taker: _Row | None) -> Refusal | None:
        if giver is None or taker is None:
            return AccountUnknown(account=transfer.source if giver is None else transfer.target)
        if giver.asset != transfer.asset or taker.asset != transfer.asset:
            wrong = transfer.source if giver.asset != transfer.asset else transfer.target
            return AssetDiffers(account=wrong, asset="credit" if transfer.asset == CREDIT else "cny")
        if not giver.sends or (giver.is_source and transfer.asset == CREDIT):
            return (AccountNeverSends if giver.receives else AccountClosed)(account=transfer.source)
        if not taker.receives:
            return (AccountNeverReceives if taker.sends else AccountClosed)(account=transfer.target)
        available = giver.posted - giver.held
        if not giver.is_source and available < transfer.amount:
            unit = {CREDIT: "credit", SANDBOX: "sandbox credit"}.get(transfer.asset, "fen")
            return NotEnough(account=transfer.source, asked=transfer.amount, available=available, unit=unit)
        if taker.holding_max is not None and taker.posted + transfer.amount > taker.holding_max:
            held = taker.posted
            return AboveHoldingLimit(account=transfer.target, limit=taker.holding_max, held=held, asked=transfer.amount)
        return None

    def _move(self, new_id: int, transfer: Transfer, giver: _Row, taker: _Row) -> None:
        need = transfer.amount
        blocks = giver.blocks
        while need:
            assert blocks, "an account owns as many serials as its balance says"
            first, last = blocks[0]
            taken_first = max(first, last - need + 1)
            if taken_first == first:
                del blocks[0]
            else:
                blocks[0] = (first, taken_first - 1)
            self.moves.append((new_id, taken_first, last))
            if taker.blocks is None:
                self.received.append((transfer.target, taken_first, last))
            else:
                insort(taker.blocks, (taken_first, last))
            need -= last - taken_first + 1

    def _write(self) -> None:
        cursor = self.connection.cursor()
        try:
            self._copy_transfers(cursor)
        except psycopg.errors.UniqueViolation as error:
            # Another batch used one of these references a moment ago; the next attempt will see it.
            raise BeginAgain from error
        self._settle_balances()
        if self.moves:
            self._write_blocks(cursor)

    def _copy_transfers(self, cursor: psycopg.Cursor[Any]) -> None:
        lines = [
            f"{i}\t{i}\t{t.source}\t{t.target}\t{t.amount}\t{t.business_date}\t{t.asset}\t{t.purpose:d}\t{_escaped(t.reference)}"
            for i, t in self.made
        ]
        _copy(cursor, "transfer (id, group_id, debit, credit, amount, business_date, asset, purpose, reference)", lines)

    def _settle_balances(self) -> None:
        changed = [(account, row.delta) for account, row in self.rows.items() if row.delta]
        settled = [(account, delta) for account, delta in changed if account in self.locked]
        appended = [(account, delta) for account, delta in changed if account not in self.locked]
        if settled:
            self.connection.execute(_SETTLE, (_array([a for a, _ in settled]), _array([d for _, d in settled])), prepare=True)
        if appended:
            self.connection.execute(_APPEND, (_array([a for a, _ in appended]), _array([d for _, d in appended])), prepare=True)

    def _write_blocks(self, cursor: psycopg.Cursor[Any]) -> None:
        gone: list[tuple[int, int]] = []
        shrunk: list[tuple[int, int, int]] = []
        new: list[tuple[int, int, int]] = list(self.received)
        for account, kept in self.kept_blocks.items():
            row = self.rows.get(account)
            if row is None or row.blocks is None or row.blocks == kept:
                continue
            before, after = dict(kept), dict(row.blocks)
            gone.extend((account, first) for first in before.keys() - after.keys())
            new.extend((account, first, last) for first, last in after.items() if first not in before)
            shrunk.extend((account, first, last) for first, last in after.items() if before.get(first, last) != last)
        self._run_on_columns(_GONE, gone)
        self._run_on_columns(_SHRUNK, shrunk)
        _copy(cursor, "block (account_id, first, last)", [f"{a}\t{f}\t{last}" for a, f, last in new])
        _copy(cursor, "move (transfer_id, first, last)", [f"{t}\t{f}\t{last}" for t, f, last in self.moves])
        self._run_on_columns(_MERGE, [piece for piece in new if not self.rows[piece[0]].deferred])

    def _run_on_columns(self, statement: str, rows: Sequence[tuple[int, ...]]) -> None:
        if rows:
            self.connection.execute(statement, [_array(column) for column in zip(*rows, strict=True)], prepare=True)


def _escaped(reference: str) -> str:
    """COPY's text form; a reference is printable ASCII, so only the backslash needs care."""
    return reference.replace("\\", "\\\\")


def _copy(cursor: psycopg.Cursor[Any], into: str, lines: list[str]) -> None:
    if lines:
        with cursor.copy(f"COPY {into} FROM STDIN") as copy:
            copy.write("\n".join(lines) + "\n")
