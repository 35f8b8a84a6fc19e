"""Promises: what is promised cannot be spent elsewhere, and is kept, let go, or runs out (design section 4)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core.database import Database, connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.ledger import CNY, Kind, Purpose
from tests.ledger.books import (
    DAY,
    code_of,
    free,
    fresh,
    give,
    holds,
    keep,
    organisation,
    promise,
    refusal_of,
    resident,
)


def _state(database: Database, hold: int) -> str | None:
    with database.begin() as session:
        return ledger.hold_state(session, hold)


def _shopper_and_bakery(session: Session, credits: int = 10) -> tuple[int, int]:
    return resident(session, credits), organisation(session, Kind.MERCHANT)


def test_what_is_promised_stays_with_its_owner_and_cannot_be_spent_elsewhere(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        neighbour = resident(session)
        promise(session, shopper, bakery, 7)
    assert (holds(town, shopper), free(town, shopper), holds(town, bakery)) == (10, 3, 0)
    refusal = refusal_of(town, lambda session: give(session, shopper, neighbour, 4))
    assert refusal.code == "not_enough" and refusal.facts["available"] == 3
    assert code_of(town, lambda session: promise(session, shopper, bakery, 4)) == "not_enough"
    with town.begin() as session:
        [outcome] = ledger.post_many(session, [
            ledger.Transfer(purpose=Purpose.GIVE, source=shopper, target=neighbour, amount=4, reference=fresh(), business_date=DAY)
        ])  # fmt: skip
        assert outcome.refusal is not None and outcome.refusal.code == "not_enough"
        promise(session, shopper, neighbour, 3)
    assert free(town, shopper) == 0


def test_a_promise_is_kept_wholly(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 7)
        assert ledger.hold_state(session, hold) == "open"
        keep(session, hold, 7)
    assert (holds(town, shopper), free(town, shopper), holds(town, bakery)) == (3, 3, 7)
    assert _state(town, hold) == "captured"


@pytest.mark.parametrize("final", [True, False])
def test_a_promise_is_kept_in_part_and_the_rest_let_go_or_still_promised(town: Database, final: bool) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 7)
        keep(session, hold, 2, final=final)
    assert (holds(town, shopper), holds(town, bakery)) == (8, 2)
    assert free(town, shopper) == (8 if final else 3)
    assert _state(town, hold) == ("captured" if final else "open")
    assert code_of(town, lambda session: keep(session, hold, 5)) == ("hold_not_open" if final else "done")


def test_several_part_captures_end_with_the_last_credit(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 7)
        for part in (1, 2, 4):
            keep(session, hold, part, final=False)
    assert _state(town, hold) == "captured"
    assert (holds(town, shopper), free(town, shopper), holds(town, bakery)) == (3, 3, 7)


def test_not_one_more_than_remains_in_a_promise_can_be_captured(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 7)
        keep(session, hold, 2, final=False)
    refusal = refusal_of(town, lambda session: keep(session, hold, 6))
    assert (refusal.code, refusal.facts) == ("capture_above_hold", {"hold": hold, "asked": 6, "remaining": 5})
    with town.begin() as session:
        keep(session, hold, 5)
    assert holds(town, bakery) == 7


def test_a_promise_that_was_let_go_is_free_again_and_cannot_be_kept(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 7)
        keep(session, hold, 2, final=False)
    with town.begin() as session:
        assert ledger.release(session, hold) == 5
    with town.begin() as session:
        assert ledger.release(session, hold) == 0
    assert (free(town, shopper), _state(town, hold)) == (8, "released")
    refusal = refusal_of(town, lambda session: keep(session, hold, 1))
    assert (refusal.code, refusal.facts) == ("hold_not_open", {"hold": hold, "state": "released"})


def _let_time_pass(database: Database, hold: int) -> None:
    """Put the promise's end a moment into the past; nothing else reads the clock."""
    with database.connect() as connection:
        connection.execute("UPDATE hold SET expires_at = clock_timestamp() - interval '1 ms' WHERE id = %s", (hold,))


def test_a_promise_runs_out_by_the_databases_clock(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold, longer = promise(session, shopper, bakery, 3), promise(session, shopper, bakery, 4)
        assert ledger.expire(session) == 0
    _let_time_pass(town, hold)
    with town.begin() as session:
        assert ledger.expire(session) == 1
        assert ledger.expire(session) == 0
    assert (_state(town, hold), _state(town, longer), free(town, shopper)) == ("expired", "open", 6)


def test_a_promise_past_its_time_cannot_be_kept_even_before_anybody_ended_it(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 3)
    _let_time_pass(town, hold)
    refusal = refusal_of(town, lambda session: keep(session, hold, 3))
    assert (refusal.code, refusal.facts["state"]) == ("hold_not_open", "expired")
    with town.begin() as session:
        ledger.expire(session)
    assert code_of(town, lambda session: keep(session, hold, 3)) == "hold_not_open"
    assert free(town, shopper) == 10


def test_a_promise_lasts_as_long_as_was_asked(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 3, seconds=2_592_000)
        row = connection_of(session).execute(
            "SELECT expires_at - at BETWEEN interval '29 days 23 hours 59 minutes' AND interval '30 days 1 minute' FROM hold WHERE id = %s",
            (hold,),
        ).fetchone()
    assert row == (True,)


@pytest.mark.parametrize("seconds", [0, -1, 2_592_001])
def test_a_promise_lasts_one_second_to_thirty_days(town: Database, seconds: int) -> None:
    with pytest.raises(AssertionError), town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        promise(session, shopper, bakery, 3, seconds=seconds)


def test_only_due_promises_up_to_the_number_asked_are_ended(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        made = [promise(session, shopper, bakery, 1) for _ in range(5)]
    for hold in made:
        _let_time_pass(town, hold)
    ended = []
    for _ in range(4):
        with town.begin() as session:
            ended.append(ledger.expire(session, most=2))
    assert ended == [2, 2, 1, 0]


def test_a_promise_is_made_once_under_one_reference(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        neighbour = resident(session)
    words: dict[str, Any] = {
        "purpose": Purpose.REDEEM, "source": shopper, "target": bakery, "amount": 7, "reference": fresh("promise"),
        "business_date": DAY, "seconds": 3600,
    }  # fmt: skip
    with town.begin() as session:
        first = ledger.hold(session, **words)
    with town.begin() as session:
        assert ledger.hold(session, **words) == ledger.Hold(first.id, again=True)
    assert free(town, shopper) == 3
    for changed in ({"amount": 6}, {"target": neighbour}, {"source": neighbour}, {"purpose": Purpose.GIVE}, {"asset": CNY}):
        other = words | changed
        assert code_of(town, lambda session, other=other: ledger.hold(session, **other)) == "reference_reused", changed
    with town.begin() as session:
        keep(session, first.id, 7)
        assert ledger.hold(session, **words) == ledger.Hold(first.id, again=True)
    assert (holds(town, shopper), free(town, shopper)) == (3, 3)


def test_a_capture_has_one_effect_under_one_reference(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold, another = promise(session, shopper, bakery, 5), promise(session, shopper, bakery, 5)
    reference = fresh("capture")
    with town.begin() as session:
        first = keep(session, hold, 3, reference=reference)
    with town.begin() as session:
        assert keep(session, hold, 3, reference=reference) == ledger.Posted(first.id, again=True)
    assert (holds(town, bakery), _state(town, hold)) == (3, "captured")
    assert code_of(town, lambda session: keep(session, hold, 2, reference=reference)) == "reference_reused"
    assert code_of(town, lambda session: keep(session, another, 3, reference=reference)) == "reference_reused"
    assert free(town, shopper) == 2


def test_a_capture_and_a_plain_transfer_do_not_share_a_reference(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 3)
        used, captured = fresh(), fresh("capture")
        words: dict[str, Any] = {"purpose": Purpose.REDEEM, "source": shopper, "target": bakery, "amount": 3, "business_date": DAY}
        ledger.post(session, reference=used, **words)
    assert code_of(town, lambda session: keep(session, hold, 3, reference=used)) == "reference_reused"
    assert (_state(town, hold), free(town, shopper)) == ("open", 4)
    with town.begin() as session:
        keep(session, hold, 3, reference=captured)
    assert code_of(town, lambda session: ledger.post(session, reference=captured, **words)) == "reference_reused"
    with town.begin() as session:
        [outcome] = ledger.post_many(session, [ledger.Transfer(reference=captured, **words)])
    assert outcome.refusal is not None and outcome.refusal.code == "reference_reused"


def test_a_promise_that_nobody_made_cannot_be_kept(town: Database) -> None:
    for number in (0, -1, 999_999_999):
        refusal = refusal_of(town, lambda session, number=number: keep(session, number, 1))
        assert (refusal.code, refusal.facts) == ("hold_unknown", {"hold": number})
        with town.begin() as session:
            assert ledger.release(session, number) == 0
            assert ledger.hold_state(session, number) is None


def test_an_account_with_an_open_promise_cannot_be_closed(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session, 3)
        promise(session, shopper, bakery, 3)
    assert code_of(town, lambda session: ledger.close_account(session, shopper)) == "account_not_empty"


def test_a_promise_to_somebody_who_closed_meanwhile_cannot_be_kept_but_let_go(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 3)
        ledger.close_account(session, bakery)
    refusal = refusal_of(town, lambda session: keep(session, hold, 3))
    assert (refusal.code, refusal.facts) == ("account_closed", {"account": bakery})
    with town.begin() as session:
        assert ledger.release(session, hold) == 3
    assert free(town, shopper) == 10


def test_a_promise_is_refused_as_a_transfer_is(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        pool, mint = (ledger.system_account(session, kind) for kind in (Kind.CANCELLATION_POOL, Kind.ISSUANCE))
        purse = ledger.open_account(session, Kind.PERSON, asset=CNY)
    for source, target, amount, code in (
        (shopper, bakery, 0, "amount_out_of_range"), (shopper, shopper, 1, "self_transfer"),
        (shopper, 999_999_999, 1, "account_unknown"), (999_999_999, shopper, 1, "account_unknown"),
        (pool, shopper, 1, "account_never_sends"), (shopper, mint, 1, "account_never_receives"),
        (shopper, purse, 1, "asset_differs"), (shopper, bakery, 11, "not_enough"),
    ):  # fmt: skip
        assert code_of(town, lambda session, a=source, b=target, n=amount: promise(session, a, b, n)) == code
    assert free(town, shopper) == 10


def test_a_promise_of_the_bank_is_refused_and_not_tried_for_ever(town: Database) -> None:
    with town.begin() as session:
        bank, cash = (ledger.system_account(session, kind, asset=CNY) for kind in (Kind.BANK, Kind.FUND_CASH))
    words: dict[str, Any] = {"purpose": Purpose.FUND_BUDGET, "source": bank, "target": cash, "amount": 5, "asset": CNY}
    with pytest.raises(Refusal), town.begin() as session:
        ledger.hold(session, reference=fresh(), business_date=DAY, seconds=5, **words)


def test_a_big_receiver_may_promise_what_was_not_folded_yet(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        give(session, shopper, bakery, 6)
    assert code_of(town, lambda session: promise(session, bakery, shopper, 7)) == "not_enough"
    with town.begin() as session:
        hold = promise(session, bakery, shopper, 6)
    assert free(town, bakery) == 0
    with town.begin() as session:
        keep(session, hold, 6)
    assert (holds(town, shopper), holds(town, bakery)) == (10, 0)


def test_a_promise_above_the_receivers_limit_cannot_be_kept(town: Database) -> None:
    with town.begin() as session:
        hoarder, giver = resident(session), resident(session, 10)
        ledger.limit_holding(session, hoarder, credits_max=5)
        hold = promise(session, giver, hoarder, 6)
    assert code_of(town, lambda session: keep(session, hold, 6)) == "above_holding_limit"
    with town.begin() as session:
        keep(session, hold, 5)
    assert (holds(town, hoarder), free(town, giver)) == (5, 5)


def test_of_eight_captures_at_once_only_as_many_as_the_promise_bears_are_made(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = _shopper_and_bakery(session)
        hold = promise(session, shopper, bakery, 9)
    together = threading.Barrier(8)

    def ask(_: int) -> str:
        together.wait()
        try:
            town.run(lambda session: keep(session, hold, 2, final=False))
        except (ledger.CaptureAboveHold, ledger.HoldNotOpen) as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(ask, range(8)))
    assert outcomes.count("done") == 4 and outcomes.count("capture_above_hold") == 4
    assert (holds(town, bakery), free(town, shopper)) == (8, 1)


def test_a_promise_is_either_kept_or_let_go_when_both_are_asked_at_once(town: Database) -> None:
    for _ in range(10):
        with town.begin() as session:
            shopper, bakery = _shopper_and_bakery(session)
            hold = promise(session, shopper, bakery, 9)
        together = threading.Barrier(2)

        def let_go(hold: int = hold, together: threading.Barrier = together) -> int:
            together.wait()
            return town.run(lambda session: ledger.release(session, hold))

        def capture(hold: int = hold, together: threading.Barrier = together) -> bool:
            together.wait()
            try:
                town.run(lambda session: keep(session, hold, 9))
            except ledger.HoldNotOpen:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            freed, kept = pool.submit(let_go), pool.submit(capture)
            assert (freed.result(), kept.result()) in ((9, False), (0, True))
        assert free(town, shopper) + holds(town, bakery) == 10
