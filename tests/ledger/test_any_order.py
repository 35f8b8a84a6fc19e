"""Whatever is done in whatever order, the books say what a page of arithmetic says (Articles 17-22)."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from carbonhui import ledger
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.ledger import Kind, Purpose, Transfer
from tests.ledger.books import DAY, broken, fresh, give, keep, mint_to, promise

KINDS = (Kind.PERSON, Kind.PERSON, Kind.PERSON, Kind.MERCHANT, Kind.DEPARTMENT)
PLACES, AMOUNTS = st.integers(0, len(KINDS) - 1), st.integers(1, 12)


@dataclass
class Arithmetic:
    """What each place has and has promised: the whole of the law in a few sums."""

    has: list[int] = field(default_factory=lambda: [0] * len(KINDS))
    promised: list[int] = field(default_factory=lambda: [0] * len(KINDS))
    #: Of each hold: giver, receiver, and what is left of it.
    holds: dict[int, list[int]] = field(default_factory=dict)
    #: Of each transfer that was not undone: giver, receiver, amount.
    made: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def may(self, giver: int, receiver: int, amount: int) -> str:
        if giver == receiver:
            return "self_transfer"
        return "done" if self.has[giver] - self.promised[giver] >= amount else "not_enough"

    def move(self, giver: int, receiver: int, amount: int) -> None:
        self.has[giver] -= amount
        self.has[receiver] += amount

    def capture(self, hold: int, amount: int) -> str:
        giver, receiver, left = self.holds[hold]
        if left == 0:
            return "hold_not_open"
        if amount > left:
            return "capture_above_hold"
        self.move(giver, receiver, amount)
        self.promised[giver] -= amount
        self.holds[hold][2] -= amount
        return "done"

    def let_go(self, hold: int) -> int:
        giver, _, left = self.holds[hold]
        self.promised[giver] -= left
        self.holds[hold][2] = 0
        return left


class Town(RuleBasedStateMachine):
    database: Database

    @initialize()
    def people_move_in(self) -> None:
        self.model = Arithmetic()
        with self.database.begin() as session:
            self.accounts = [ledger.open_account(session, kind) for kind in KINDS]

    def attempt(self, work: Any) -> tuple[str, Any]:
        try:
            with self.database.begin() as session:
                return "done", work(session)
        except Refusal as refusal:
            return refusal.code, None

    @rule(place=st.integers(0, 2), amount=st.integers(1, 30), vintage=st.sampled_from([2025, 2026]))
    def issue(self, place: int, amount: int, vintage: int) -> None:
        self.attempt(lambda session: mint_to(session, self.accounts[place], amount, vintage=vintage))
        self.model.has[place] += amount

    @rule(giver=PLACES, receiver=PLACES, amount=AMOUNTS)
    def give(self, giver: int, receiver: int, amount: int) -> None:
        code, posted = self.attempt(lambda session: give(session, self.accounts[giver], self.accounts[receiver], amount))
        assert code == self.model.may(giver, receiver, amount)
        if posted:
            self.model.move(giver, receiver, amount)
            self.model.made[posted.id] = (giver, receiver, amount)

    @rule(giver=PLACES, receiver=PLACES, amount=AMOUNTS)
    def hold(self, giver: int, receiver: int, amount: int) -> None:
        code, hold = self.attempt(lambda session: promise(session, self.accounts[giver], self.accounts[receiver], amount))
        assert code == self.model.may(giver, receiver, amount)
        if hold:
            self.model.promised[giver] += amount
            self.model.holds[hold] = [giver, receiver, amount]

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), amount=AMOUNTS, final=st.booleans())
    def capture(self, data: st.DataObject, amount: int, final: bool) -> None:
        hold = data.draw(st.sampled_from(sorted(self.model.holds)))
        code, _ = self.attempt(lambda session: keep(session, hold, amount, final=final))
        assert code == self.model.capture(hold, amount)
        if code == "done" and final:
            self.model.let_go(hold)

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(sorted(self.model.holds)))
        assert self.attempt(lambda session: ledger.release(session, hold)) == ("done", self.model.let_go(hold))

    @precondition(lambda self: self.model.made)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        transfer = data.draw(st.sampled_from(sorted(self.model.made)))
        giver, receiver, amount = self.model.made[transfer]
        code, _ = self.attempt(lambda session: ledger.reverse(session, transfer, reference=fresh("undo"), business_date=DAY))
        assert code == self.model.may(receiver, giver, amount)
        if code == "done":
            self.model.move(receiver, giver, amount)
            del self.model.made[transfer]

    @rule(wishes=st.lists(st.tuples(PLACES, PLACES, AMOUNTS), max_size=12))
    def post_many(self, wishes: list[tuple[int, int, int]]) -> None:
        batch = [
            Transfer(
                purpose=Purpose.GIVE, source=self.accounts[a], target=self.accounts[b], amount=n, reference=fresh(), business_date=DAY
            )
            for a, b, n in wishes
        ]
        _, outcomes = self.attempt(lambda session: ledger.post_many(session, batch))
        for (giver, receiver, amount), outcome in zip(wishes, outcomes, strict=True):
            assert (outcome.refusal.code if outcome.refusal else "done") == self.model.may(giver, receiver, amount)
            if outcome.id:
                self.model.move(giver, receiver, amount)
                self.model.made[outcome.id] = (giver, receiver, amount)

    @rule(most=st.integers(1, 5))
    def fold(self, most: int) -> None:
        self.attempt(lambda session: ledger.fold(session, most=most))

    @rule(place=PLACES)
    def merge(self, place: int) -> None:
        self.attempt(lambda session: ledger.merge_blocks(session, self.accounts[place]))

    @invariant()
    def the_books_say_what_arithmetic_says(self) -> None:
        if not hasattr(self, "accounts"):
            return
        with self.database.begin() as session:
            found = [ledger.balance_of(session, account) for account in self.accounts]
        assert [account.posted for account in found] == self.model.has
        assert [account.held for account in found] == self.model.promised

    def teardown(self) -> None:
        assert broken(self.database) == {}


@pytest.mark.parametrize("steps", [30])
def test_in_whatever_order_the_books_and_the_arithmetic_agree(town: Database, steps: int) -> None:
    kind = type("ThisTown", (Town,), {"database": town})
    run_state_machine_as_test(kind, settings=settings(max_examples=30, stateful_step_count=steps, deadline=None))
