"""Whoever breaks the books by hand is found, and the row is named (design section 12, I1 to I5 and I7)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from carbonhui import ledger
from carbonhui.core.database import Database, connection_of
from carbonhui.ledger import CNY, Kind, Leg, Purpose
from tests.ledger.books import ALL_CHECKS, DAY, give, keep, mint_to, organisation, promise, resident


@dataclass
class Scene:
    """A few whole lives of credits, to be broken."""

    earner: int
    friend: int
    bakery: int
    pool: int
    cash: int
    minted: int
    given: int
    paid: int
    settled: int
    undone: int
    budget: int
    group: list[int]
    hold: int
    captured_hold: int
    capture: int
    whole: tuple[int, int]


@pytest.fixture(scope="module")
def scene(town: Database) -> Scene:
    with town.begin() as session:
        earner, friend, bakery = resident(session), resident(session), organisation(session, Kind.MERCHANT)
        pool, bank, cash = (
            ledger.system_account(session, Kind.CANCELLATION_POOL),
            ledger.system_account(session, Kind.BANK, asset=CNY), ledger.system_account(session, Kind.FUND_CASH, asset=CNY),
        )  # fmt: skip
        mint_to(session, earner, 50, vintage=2025)
        [whole] = ledger.blocks_of(session, earner)
        minted = ledger.statement(session, earner).lines[0].transfer
        mint_to(session, earner, 40, vintage=2026)
        mint_to(session, friend, 20, vintage=2026)
        given = give(session, earner, friend, 12, "gift").id
        paid = give(session, friend, bakery, 6, "bread").id
        settled = give(session, bakery, pool, 2, "settlement").id
        ledger.fold(session)
        give(session, friend, bakery, 1, "roll")
        undone = ledger.reverse(session, given, reference="undo-gift", business_date=DAY).id
        budget = ledger.post(
            session, purpose=Purpose.FUND_BUDGET, source=bank, target=cash, amount=900, reference="budget",
            business_date=DAY, asset=CNY,
        ).id  # fmt: skip
        legs = [Leg(purpose=Purpose.GIVE, source=earner, target=friend, amount=n) for n in (3, 4)]
        group = [leg.id for leg in ledger.post_group(session, legs, reference="pair", business_date=DAY)]
        hold = promise(session, earner, bakery, 5, reference="table-for-two")
        captured_hold = promise(session, earner, bakery, 5, reference="cake")
        capture = keep(session, captured_hold, 2, reference="cake-1", final=False).id
    return Scene(
        earner, friend, bakery, pool, cash, minted, given, paid, settled, undone, budget, group, hold, captured_hold, capture, whole
    )


@pytest.fixture
def hand(town: Database, scene: Scene) -> Iterator[Session]:
    """The owner's hand in the books, with every trigger asleep; what it breaks is rolled back after the test."""
    engine = create_engine("postgresql+psycopg://", creator=town.connect_as_owner, poolclass=NullPool)
    with Session(engine) as session:
        connection_of(session).execute("SET LOCAL session_replication_role = replica")
        yield session
        session.rollback()
    engine.dispose()


def found(hand: Session, name: str) -> list[dict[str, Any]]:
    """The rows that one check names."""
    return [row.row for row in ledger.run_checks(hand, [check for check in ALL_CHECKS if check.name == name])[name]]


def breaks(hand: Session, *statements: str) -> None:
    for statement in statements:
        cursor = connection_of(hand).execute(statement)
        if statement.split()[0] in ("UPDATE", "DELETE", "INSERT"):
            assert cursor.rowcount > 0, f"nothing was broken: {statement}"


def test_unbroken_books_pass_every_check(hand: Session) -> None:
    assert not any(ledger.run_checks(hand, ALL_CHECKS).values())


def test_a_store_without_any_movement_passes_every_check(unchecked_database: Database) -> None:
    with unchecked_database.begin() as session:
        assert not any(ledger.run_checks(session, ALL_CHECKS).values())


def test_every_check_has_a_name_of_its_own_and_says_what_it_means_in_both_languages() -> None:
    assert [check.name for check in ledger.CHECKS] == ["I1", "I2", "I3", "I4", "I5", "I7"]
    assert all(check.says and check.says_zh for check in ALL_CHECKS)


def test_no_more_rows_are_told_than_were_asked(hand: Session, scene: Scene) -> None:
    breaks(hand, "UPDATE transfer SET amount = amount + 1")
    assert len(ledger.run_checks(hand, most=3)["I2"]) == 3


# I1: minted = held by participants + in the market + cancelled + retired --------------------------


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM block WHERE account_id = {s.friend}",
     "DELETE FROM issue WHERE account_id = {s.friend}",
     "UPDATE block SET last = last + 1 WHERE account_id = {s.friend} AND first = (SELECT max(first) FROM block WHERE account_id = {s.friend})",
     "UPDATE block SET account_id = {s.cash} WHERE account_id = {s.friend}",
     "UPDATE block SET account_id = -1 WHERE account_id = {s.friend}"],
)  # fmt: skip
def test_i1_names_the_vintage_in_which_credits_appeared_or_vanished(hand: Session, scene: Scene, statement: str) -> None:
    breaks(hand, statement.format(s=scene))
    assert 2026 in [row["vintage"] for row in found(hand, "I1")]


def test_i1_finds_one_lost_and_one_forged_although_the_total_is_right(hand: Session, scene: Scene) -> None:
    breaks(
        hand, f"DELETE FROM block WHERE first = {scene.whole[0]}",
        f"INSERT INTO block SELECT {scene.earner}, 26990000000000, 26990000000000 + {scene.whole[1] - scene.whole[0]}",
    )  # fmt: skip
    assert {2025, 2026} <= {row["vintage"] for row in found(hand, "I1")}


@pytest.mark.parametrize(
    "statement", ["UPDATE transfer SET amount = amount + 1 WHERE id = {s.minted}", "DELETE FROM transfer WHERE id = {s.minted}",
                  "UPDATE transfer SET purpose = 1 WHERE id = {s.given}", "UPDATE transfer SET purpose = 2 WHERE id = {s.minted}"]
)  # fmt: skip
def test_i1_finds_a_total_minted_that_differs_from_what_was_issued(hand: Session, scene: Scene, statement: str) -> None:
    breaks(hand, "ALTER TABLE transfer DROP CONSTRAINT reference_given", statement.format(s=scene))
    [row] = [row for row in found(hand, "I1") if row["vintage"] is None]
    assert row["minted"] != row["participants"]


# I2: every group sums to zero, and moves as many serials as credits -------------------------------


@pytest.mark.parametrize(
    ("what", "statement"),
    [
        ("given", "UPDATE transfer SET amount = 13 WHERE id = {s.given}"),
        ("given", "UPDATE transfer SET asset = 2 WHERE id = {s.given}"),
        ("budget", "UPDATE transfer SET asset = 1 WHERE id = {s.budget}"),
        ("given", "UPDATE transfer SET debit = credit WHERE id = {s.given}"),
        ("given", "UPDATE transfer SET debit = 999999999 WHERE id = {s.given}"),
        ("given", "UPDATE transfer SET credit = 999999999 WHERE id = {s.given}"),
        ("given", "UPDATE transfer SET credit = {s.cash} WHERE id = {s.given}"),
        ("given", "DELETE FROM move WHERE transfer_id = {s.given}"),
        ("given", "UPDATE move SET first = first + 1 WHERE transfer_id = {s.given}"),
        ("budget", "INSERT INTO move VALUES ({s.budget}, 26000000000000, 26000000000000)"),
        ("minted", "UPDATE issue SET last = last - 1 WHERE transfer_id = {s.minted}"),
        ("minted", "DELETE FROM issue WHERE transfer_id = {s.minted}"),
        ("budget", "UPDATE transfer SET amount = 0 WHERE id = {s.budget}"),
    ],
)
def test_i2_names_the_transfer(hand: Session, scene: Scene, what: str, statement: str) -> None:
    breaks(
        hand, "ALTER TABLE transfer DROP CONSTRAINT no_self_transfer, DROP CONSTRAINT amount_in_range", statement.format(s=scene)
    )
    # A gift that was undone later no longer fits its correction, so the correction may be named as well.
    named = {row["transfer"] for row in found(hand, "I2")}
    assert getattr(scene, what) in named and named <= {getattr(scene, what), scene.undone}


def test_i2_finds_a_group_whose_head_is_missing(hand: Session, scene: Scene) -> None:
    head, leg = scene.group
    breaks(hand, f"DELETE FROM transfer WHERE id = {head}")
    assert (leg, head) in [(row["transfer"], row["group_id"]) for row in found(hand, "I2")]


def test_i2_finds_a_group_that_leads_nowhere_or_to_another_groups_leg(hand: Session, scene: Scene) -> None:
    breaks(hand, f"UPDATE transfer SET group_id = {scene.group[1]} WHERE id = {scene.budget}")
    assert [row["transfer"] for row in found(hand, "I2")] == [scene.budget]


def test_i2_finds_a_leg_of_another_day(hand: Session, scene: Scene) -> None:
    breaks(hand, f"UPDATE transfer SET business_date = business_date - 1 WHERE id = {scene.group[1]}")
    assert [row["transfer"] for row in found(hand, "I2")] == [scene.group[1]]


# I3: no negative balance, none above its limit ----------------------------------------------------


@pytest.mark.parametrize("words", ["posted = -1", "held = posted + 1", "held = -1", "holding_max = posted - 1"])
def test_i3_names_the_account(hand: Session, scene: Scene, words: str) -> None:
    breaks(
        hand, "ALTER TABLE balance DROP CONSTRAINT no_account_overdrawn, DROP CONSTRAINT no_account_above_its_limit",
        f"UPDATE balance SET {words} WHERE account_id = {scene.earner}",
    )  # fmt: skip
    assert [row["account"] for row in found(hand, "I3")] == [scene.earner]


def test_i3_counts_what_is_not_folded_yet(hand: Session, scene: Scene) -> None:
    breaks(hand, f"INSERT INTO incoming VALUES ({scene.bakery}, -100)")
    assert [row["account"] for row in found(hand, "I3")] == [scene.bakery]


def test_i3_lets_only_a_source_go_below_nothing(hand: Session, scene: Scene) -> None:
    breaks(hand, "ALTER TABLE balance DROP CONSTRAINT no_account_overdrawn", "UPDATE balance SET is_source = false WHERE is_source")
    assert {row["account"] for row in found(hand, "I3")} == {ledger.account_named(hand, name) for name in ("bank", "issuance")}


# I4: each serial exists once, with one owner and a legal history ----------------------------------


def _serials(hand: Session) -> list[tuple[str, int | None, int | None]]:
    return [(row["what"], row["account"], row["transfer"]) for row in found(hand, "I4")]


def test_i4_names_a_forged_block(hand: Session, scene: Scene) -> None:
    breaks(hand, f"INSERT INTO block VALUES ({scene.friend}, 26990000000005, 26990000000009)")
    rows = found(hand, "I4")
    assert ("owned but never minted", 26990000000005, 26990000000009) in [(r["what"], r["first"], r["last"]) for r in rows]
    assert ("owned by who never received it", scene.friend, None) in _serials(hand)


def test_i4_names_both_owners_of_a_block_that_changed_hands_without_a_transfer(hand: Session, scene: Scene) -> None:
    breaks(hand, f"UPDATE block SET account_id = {scene.friend} WHERE account_id = {scene.earner}")
    assert {account for what, account, _ in _serials(hand) if "received it" in what} == {scene.earner, scene.friend}


@pytest.mark.parametrize("owner", ["friend", "earner"])
def test_i4_names_a_serial_that_is_owned_twice(hand: Session, scene: Scene, owner: str) -> None:
    thief = getattr(scene, owner)
    breaks(hand, f"INSERT INTO block SELECT {thief}, first + 1, last FROM block WHERE account_id = {scene.earner} LIMIT 1")
    assert ("owned twice", thief, None) in _serials(hand)


def test_i4_names_a_serial_that_is_owned_twice_from_its_first_on(hand: Session, scene: Scene) -> None:
    breaks(
        hand, "DROP INDEX one_owner_per_serial",
        f"INSERT INTO block SELECT {scene.pool}, first, last FROM block WHERE account_id = {scene.friend} LIMIT 1",
    )  # fmt: skip
    assert "owned twice" in [what for what, _, _ in _serials(hand)]


def test_i4_names_a_short_block_inside_a_long_one_that_has_others_between(hand: Session, scene: Scene) -> None:
    first = scene.whole[0]
    breaks(hand, f"INSERT INTO block VALUES ({scene.friend}, {first + 1}, {first + 2}), ({scene.pool}, {first + 8}, {first + 9})")
    assert {("owned twice", scene.friend, None), ("owned twice", scene.pool, None)} <= set(_serials(hand))


def test_i4_names_serials_that_nobody_owns(hand: Session, scene: Scene) -> None:
    first, last = scene.whole
    breaks(hand, f"DELETE FROM block WHERE first = {first}")
    rows = [(row["first"], row["last"]) for row in found(hand, "I4") if row["what"] == "minted but owned by nobody"]
    assert len(rows) == 1 and rows[0][0] == first and rows[0][1] <= last


def test_i4_names_serials_that_were_issued_twice(hand: Session, scene: Scene) -> None:
    breaks(hand, f"INSERT INTO issue SELECT first + 1, last, {scene.friend}, transfer_id, 1, 1 FROM issue WHERE transfer_id = {scene.minted}")
    assert ("issued twice", scene.friend, None) in _serials(hand)


def test_i4_names_the_transfer_that_moved_what_was_never_minted(hand: Session, scene: Scene) -> None:
    breaks(hand, f"INSERT INTO move VALUES ({scene.given}, 26990000000005, 26990000000009)")
    assert ("moved by who did not have it", scene.earner, scene.given) in _serials(hand)


def test_i4_names_the_transfer_out_of_the_pool_even_when_all_sums_are_right(hand: Session, scene: Scene) -> None:
    breaks(
        hand,
        f"""INSERT INTO transfer (id, group_id, debit, credit, amount, business_date, asset, purpose, reference)
            VALUES (77777, 77777, {scene.pool}, {scene.friend}, 2, '2026-11-20', 1, 2, 'raised-from-the-dead')""",
        f"INSERT INTO move SELECT 77777, first, last FROM block WHERE account_id = {scene.pool}",
        f"UPDATE block SET account_id = {scene.friend} WHERE account_id = {scene.pool}",
        f"INSERT INTO incoming VALUES ({scene.pool}, -2), ({scene.friend}, 2)",
    )
    assert _serials(hand) == [("left an account that never sends", scene.pool, 77777)]
    assert not found(hand, "I5")


def test_i4_finds_blocks_that_were_exchanged_although_their_count_and_sum_are_right(hand: Session) -> None:
    """One owns the first and fourth serial of a run, the other the second and third; then the other way round."""
    outer, inner = resident(hand, 4), resident(hand)
    [(first, _)] = ledger.blocks_of(hand, outer)
    give(hand, outer, inner, 3)
    give(hand, inner, outer, 1)
    assert ledger.blocks_of(hand, inner) == [(first + 1, first + 2)]
    assert not found(hand, "I4")
    breaks(hand, f"UPDATE block SET account_id = {outer} + {inner} - account_id WHERE account_id IN ({outer}, {inner})")
    assert {account for _, account, _ in _serials(hand)} == {outer, inner}


def test_i4_finds_a_serial_that_was_moved_by_somebody_who_never_had_it(hand: Session, scene: Scene) -> None:
    """A gift and its return are rewritten to the serials of a third; everybody's sums stay right."""
    there = give(hand, scene.earner, scene.friend, 1).id
    back = give(hand, scene.friend, scene.earner, 1).id
    [(first, _)] = ledger.blocks_of(hand, scene.pool)[:1]
    breaks(hand, f"UPDATE move SET first = {first}, last = {first} WHERE transfer_id IN ({there}, {back})")
    assert {there, back} & {transfer for _, _, transfer in _serials(hand)}


def test_i4_finds_a_move_without_its_transfer(hand: Session, scene: Scene) -> None:
    breaks(hand, f"INSERT INTO move VALUES (77777, {scene.whole[0]}, {scene.whole[0]})")
    assert 77777 in [transfer for _, _, transfer in _serials(hand)] + [row["transfer"] for row in found(hand, "I2")]


def test_i4_finds_an_issue_to_somebody_else_than_its_transfer_says(hand: Session, scene: Scene) -> None:
    breaks(hand, f"UPDATE issue SET account_id = {scene.friend} WHERE transfer_id = {scene.minted}")
    assert scene.minted in [transfer for _, _, transfer in _serials(hand)] + [row["transfer"] for row in found(hand, "I2")]


def test_i4_finds_an_issue_without_its_transfer(hand: Session, scene: Scene) -> None:
    breaks(hand, f"UPDATE issue SET transfer_id = 77777 WHERE transfer_id = {scene.minted}")
    assert 77777 in [row["transfer"] for row in found(hand, "I2")]


# I5: balance = fold of transfers = serials owned; held = open promises ----------------------------


@pytest.mark.parametrize(
    ("who", "statement"),
    [
        (["earner"], "UPDATE balance SET posted = posted + 1 WHERE account_id = {s.earner}"),
        (["cash"], "UPDATE balance SET posted = posted + 1 WHERE account_id = {s.cash}"),
        (["earner"], "DELETE FROM balance WHERE account_id = {s.earner}"),
        (["bakery"], "DELETE FROM incoming WHERE account_id = {s.bakery}"),
        (["bakery"], "INSERT INTO incoming VALUES ({s.bakery}, 1)"),
        (["earner", "friend"], "DELETE FROM transfer WHERE id = {s.given}"),
        (["earner", "friend"], "UPDATE transfer SET amount = amount + 1 WHERE id = {s.given}"),
        (["bank", "cash"], "UPDATE transfer SET amount = amount + 1 WHERE id = {s.budget}"),
        (["bank", "cash"], "DELETE FROM transfer WHERE id = {s.budget}"),
        (["earner", "friend"], "UPDATE transfer SET debit = credit, credit = debit WHERE id = {s.given}"),
        (["friend"], "DELETE FROM block WHERE account_id = {s.friend}"),
        (["friend"], "INSERT INTO block VALUES ({s.friend}, 26990000000005, 26990000000009)"),
        (["cash"], "INSERT INTO block VALUES ({s.cash}, 26990000000005, 26990000000009)"),
        (["earner", "friend"], "UPDATE block SET account_id = {s.friend} WHERE first = {s.whole[0]}"),
        (["earner"], "UPDATE balance SET held = held + 1 WHERE account_id = {s.earner}"),
        (["earner"], "UPDATE balance SET held = held - 1 WHERE account_id = {s.earner}"),
        (["friend"], "UPDATE balance SET held = 1 WHERE account_id = {s.friend}"),
        (["earner"], "UPDATE hold SET state = 'released' WHERE id = {s.hold}"),
        (["earner"], "DELETE FROM hold WHERE id = {s.hold}"),
        (["earner"], "UPDATE hold SET amount = amount + 1 WHERE id = {s.hold}"),
        (["earner", "friend"], "UPDATE hold SET account_id = {s.friend} WHERE id = {s.hold}"),
        (["earner"], "UPDATE hold SET captured = captured + 1 WHERE id = {s.captured_hold}"),
    ],
)
def test_i5_names_the_accounts(hand: Session, scene: Scene, who: list[str], statement: str) -> None:
    breaks(hand, statement.format(s=scene))
    bank = ledger.account_named(hand, "bank")
    wanted = {bank if name == "bank" else getattr(scene, name) for name in who}
    assert {row["account"] for row in found(hand, "I5")} == wanted


@pytest.mark.parametrize(
    "statement",
    ["UPDATE transfer SET hold_id = NULL WHERE id = {s.capture}", "UPDATE transfer SET hold_id = {s.hold} WHERE id = {s.capture}",
     "UPDATE transfer SET hold_id = {s.hold} WHERE id = {s.given}"],
)  # fmt: skip
def test_i5_finds_a_capture_that_its_promise_does_not_know(hand: Session, scene: Scene, statement: str) -> None:
    breaks(hand, statement.format(s=scene))
    assert scene.earner in {row["account"] for row in found(hand, "I5")}


def test_i5_finds_a_capture_of_a_promise_that_was_never_made(hand: Session, scene: Scene) -> None:
    breaks(hand, f"UPDATE transfer SET hold_id = 77777 WHERE id = {scene.given}")
    assert len(found(hand, "I5")) == 1


# I7: one reference, one effect --------------------------------------------------------------------


def test_i7_names_a_reference_with_two_effects(hand: Session, scene: Scene) -> None:
    breaks(hand, "DROP INDEX one_reference_one_effect", f"UPDATE transfer SET reference = 'gift' WHERE id = {scene.paid}")
    [row] = found(hand, "I7")
    assert (row["reference"], row["effects"], row["first_transfer"], row["last_transfer"]) == ("gift", 2, scene.given, scene.paid)


def test_i7_names_a_promise_made_twice(hand: Session, scene: Scene) -> None:
    breaks(hand, "ALTER TABLE hold DROP CONSTRAINT hold_reference_key", f"UPDATE hold SET reference = 'cake' WHERE id = {scene.hold}")
    assert [row["reference"] for row in found(hand, "I7")] == ["cake"]


def test_i7_names_a_movement_without_a_reference(hand: Session, scene: Scene) -> None:
    breaks(hand, "ALTER TABLE transfer DROP CONSTRAINT reference_given", f"UPDATE transfer SET reference = NULL WHERE id = {scene.paid}")
    assert [row["first_transfer"] for row in found(hand, "I7")] == [scene.paid]


def test_i7_names_a_transfer_that_was_undone_twice(hand: Session, scene: Scene) -> None:
    breaks(hand, "DROP INDEX reversed_once", f"UPDATE transfer SET reverses = {scene.given} WHERE id = {scene.paid}")
    assert {scene.undone, scene.paid} in [{row["first_transfer"], row["last_transfer"]} for row in found(hand, "I7")]


def _anything(hand: Session) -> list[str]:
    return [name for name, rows in ledger.run_checks(hand, ALL_CHECKS).items() if rows]


@pytest.mark.parametrize(
    "words", ["reverses = 77777", "reverses = {s.budget}", "reverses = {s.paid}"], ids=["unknown", "other_asset", "other_parties"]
)
def test_a_correction_of_what_it_does_not_undo_is_found(hand: Session, scene: Scene, words: str) -> None:
    breaks(hand, f"UPDATE transfer SET {words.format(s=scene)} WHERE id = {scene.undone}")
    assert _anything(hand)


def test_a_closed_account_that_holds_credits_is_found(hand: Session, scene: Scene) -> None:
    breaks(hand, f"UPDATE account SET closed_at = now() WHERE id = {scene.friend}")
    assert _anything(hand)


def test_a_balance_that_may_do_what_its_kind_may_not_is_found(hand: Session, scene: Scene) -> None:
    breaks(hand, f"UPDATE balance SET sends = true, is_source = true WHERE account_id = {scene.pool}")
    assert _anything(hand)


#: What each breakage leaves unbroken elsewhere is not asked: one check that names the row is enough.
BREAKAGES: dict[str, Callable[[Scene], str]] = {
    "a transfer is deleted with its moves": lambda s: f"WITH gone AS (DELETE FROM move WHERE transfer_id = {s.given}) DELETE FROM transfer WHERE id = {s.given}",
    "an account is deleted": lambda s: f"DELETE FROM account WHERE id = {s.friend}",
    "everything that was ever minted to one is deleted": lambda s: f"DELETE FROM issue WHERE account_id = {s.friend}",
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKAGES)
def test_other_breakages_are_found(hand: Session, scene: Scene, name: str) -> None:
    breaks(hand, BREAKAGES[name](scene))
    assert _anything(hand)
