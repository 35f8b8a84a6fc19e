"""A pool that reached its goal is used for what it was made for, by its owner, in time; the rest goes back (Articles 18, 22)."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from carbonhui import circulation, donation, ledger, neutralisation
from carbonhui.ledger import Purpose
from tests.circulation.pooling import DEADLINE, Square, square
from tests.ledger.books import DAY, breaking, code_of, fresh, keep, promise

__all__ = ["square"]
USE_UNTIL = DAY + timedelta(days=90)


def full(square: Square, *credits: int, **words: object) -> tuple[circulation.Pool, list[int]]:
    """A pool that reached its goal, and who put in how much, in this order."""
    payers = [square.rich(one) for one in credits]
    pool = square.pool(goal=sum(credits), **words)
    for payer, one in zip(payers, credits, strict=True):
        square.put(pool, payer, one)
    return square.now_of(pool), payers


def retire(square: Square, pool: circulation.Pool, credits: int) -> None:
    def used(session: Session) -> None:
        account = circulation.use_pool(session, pool.id, owner_account=pool.owner, purpose="neutralisation", on=DAY)
        neutralisation.retire(session, owner=account, credits=credits, reference=fresh("retire"), business_date=DAY)

    square.run(used)


def refund(square: Square, pool: circulation.Pool, merchant: int, credits: int) -> None:
    square.run(lambda s: ledger.post(
        s, purpose=Purpose.REFUND, source=merchant, target=pool.own_account, amount=credits, reference=fresh("refund"), business_date=DAY
    ))  # fmt: skip


def test_what_was_pooled_is_retired_and_everybody_who_put_some_in_is_told_once(square: Square) -> None:
    pool, payers = full(square, 6, 4)
    retire(square, pool, 7)
    retire(square, pool, 2)
    assert square.holds(pool.own_account) == [1]
    assert square.told(payers[0]) == ["pool.contributed", "pool.used"]
    with square.database.begin() as session:
        uses = circulation.uses_of(session, pool)
        assert [(use.purpose, use.credits) for use in uses] == [(Purpose.RETIRE, 7), (Purpose.RETIRE, 2)]
        assert circulation.used_of(session, [pool]) == {pool.id: 9}


def test_more_than_is_there_is_not_used(square: Square) -> None:
    pool, _ = full(square, 6)
    assert code_of(square.database, lambda s: neutralisation.retire(
        s, owner=circulation.use_pool(s, pool.id, owner_account=pool.owner, purpose="neutralisation", on=DAY), credits=7,
        reference=fresh("retire"), business_date=DAY,
    )) == "not_enough"  # fmt: skip
    assert square.now_of(pool).first_used_on is None


def test_nobody_but_its_owner_uses_a_pool_and_only_for_its_purpose_its_target_and_in_time(square: Square) -> None:
    charity, other = square.organisation("charity"), square.organisation("charity")
    green, _ = full(square, 5)
    kind, _ = full(square, 5, purpose="donation", target=charity)
    short = square.pool(goal=5)

    def asked(pool: circulation.Pool, **words: object) -> str:
        said = {"owner_account": pool.owner, "purpose": pool.purpose, "on": DAY, **words}
        return code_of(square.database, lambda s: circulation.use_pool(s, pool.id, **said))

    assert asked(green, owner_account=kind.owner) == "pool_unknown"
    assert asked(green, purpose="donation", target=charity) == "pool_purpose_differs"
    assert asked(kind, target=other) == "pool_target_differs"
    assert asked(kind) == "pool_target_differs"
    assert asked(kind, purpose="purchase", target=charity) == "pool_purpose_differs"
    assert asked(short) == "pool_not_usable"
    assert asked(green, on=USE_UNTIL + timedelta(days=1)) == "pool_not_usable"
    assert [asked(green, on=USE_UNTIL), asked(kind, target=charity)] == ["done", "done"]


def test_a_pool_for_a_charity_is_given_to_it(square: Square) -> None:
    charity = square.organisation("charity")
    pool, _ = full(square, 5, purpose="donation", target=charity)
    square.run(lambda s: donation.donate(
        s, donor=circulation.use_pool(s, pool.id, owner_account=pool.owner, purpose="donation", target=charity, on=DAY),
        charity=charity, credits=5, reference=fresh("donation"), business_date=DAY,
    ))  # fmt: skip
    assert square.holds(charity, pool.own_account) == [5, 0]


# The goal is missed, or the pool is called off ----------------------------------------------------


def test_a_pool_that_missed_its_goal_gives_everybody_exactly_what_they_put_in(square: Square) -> None:
    owner, first, second = square.rich(1), square.rich(50), square.rich(50)
    pool = square.pool(owner, goal=100)
    for payer, credits in ((first, 7), (second, 20), (first, 13)):
        square.put(pool, payer, credits)
    square.conclude(DEADLINE)
    assert (square.now_of(pool).state, square.holds(first, second)) == ("open", [30, 30])
    square.conclude(DEADLINE + timedelta(days=1))
    missed = square.now_of(pool)
    assert (missed.state, missed.returned) == ("missed", 40)
    assert square.holds(first, second, pool.own_account) == [50, 50, 0]
    assert square.told(first)[-2:] == ["credit.returned", "credit.returned"]
    assert square.told(owner) == ["pool.missed"]
    with square.database.begin() as session:
        assert ledger.statement(session, second).lines[0].purpose == Purpose.RETURN
        assert [one.returned for one in circulation.contributions_of(session, first)] == [13, 7]


def test_concluding_twice_or_in_small_steps_gives_back_once(square: Square) -> None:
    """Killed after any step and begun again: each step is a transaction of its own."""
    pools = []
    payers = [square.rich(10) for _ in range(3)]
    for _ in range(3):
        pool = square.pool(goal=100)
        for payer in payers:
            square.put(pool, payer, 2)
        pools.append(pool)
    late = DEADLINE + timedelta(days=1)
    with pytest.raises(RuntimeError), square.database.begin() as session:
        assert circulation.conclude_pools(session, on=late, most=2)
        raise RuntimeError("killed before the commit")
    assert square.conclude(late, most=2) > 3
    assert square.holds(*payers) == [10, 10, 10]
    assert square.conclude(late) == 1
    assert {square.now_of(pool).state for pool in pools} == {"missed"}


def test_a_pool_is_called_off_by_its_owner_only_and_once(square: Square) -> None:
    pool, payer = square.pool(goal=10), square.rich(6)
    square.put(pool, payer, 6)

    def cancelled(owner: int) -> str:
        return code_of(square.database, lambda s: circulation.cancel_pool(s, pool.id, owner_account=owner, on=DAY))

    assert [cancelled(payer), cancelled(pool.owner), cancelled(pool.owner)] == ["pool_unknown", "done", "pool_already_over"]
    assert code_of(square.database, lambda s: circulation.contribute(
        s, pool.id, payer=payer, credits=1, reference=fresh(), business_date=DAY
    )) == "pool_not_open"  # fmt: skip
    square.conclude(DAY)
    assert square.holds(payer, pool.own_account) == [6, 0]


def test_of_a_pool_that_was_not_used_up_in_time_the_newest_contributions_come_back(square: Square) -> None:
    pool, payers = full(square, 5, 5, 5)
    retire(square, pool, 8)
    square.conclude(USE_UNTIL)
    assert square.now_of(pool).state == "reached"
    square.conclude(USE_UNTIL + timedelta(days=1))
    assert square.now_of(pool).state == "ended"
    assert square.holds(*payers, pool.own_account) == [0, 2, 5, 0]


def test_a_pool_that_was_used_in_part_and_then_called_off_gives_back_what_is_left(square: Square) -> None:
    pool, payers = full(square, 5, 5)
    retire(square, pool, 1)
    square.run(lambda s: circulation.cancel_pool(s, pool.id, owner_account=pool.owner, on=DAY))
    square.conclude(DAY)
    assert (square.now_of(pool).state, square.holds(*payers)) == ("ended", [4, 5])


def test_what_was_promised_of_a_pool_waits_until_it_is_kept_or_let_go(square: Square) -> None:
    merchant = square.organisation("merchant")
    pool, payers = full(square, 5, 5, purpose="purchase", target=merchant)
    account = square.use(pool, "purchase", target=merchant)
    hold = square.run(lambda s: promise(s, account, merchant, 6))
    over = USE_UNTIL + timedelta(days=1)
    square.conclude(over)
    assert square.holds(*payers, account) == [0, 4, 6]
    square.run(lambda s: keep(s, hold, 4))
    square.conclude(over)
    assert square.holds(*payers, account, merchant) == [1, 5, 0, 4]


def test_a_late_refund_into_a_pool_that_is_over_finds_its_way_back(square: Square) -> None:
    merchant = square.organisation("merchant")
    pool, payers = full(square, 5, 5, purpose="purchase", target=merchant)
    account = square.use(pool, "purchase", target=merchant)
    square.run(lambda s: ledger.post(
        s, purpose=Purpose.REDEEM, source=account, target=merchant, amount=10, reference=fresh("redeem"), business_date=DAY
    ))  # fmt: skip
    over = USE_UNTIL + timedelta(days=1)
    square.conclude(over)
    refund(square, pool, merchant, 2)
    refund(square, pool, merchant, 6)
    square.conclude(over + timedelta(days=30))
    assert square.holds(*payers, account) == [3, 5, 0]
    with square.database.begin() as session:
        assert [use.credits for use in circulation.uses_of(session, pool)] == [10, -2, -6]
        assert circulation.used_of(session, [square.now_of(pool)]) == {pool.id: 2}


def test_what_is_over_and_empty_keeps_back_nothing_that_is_owed(square: Square) -> None:
    """Pools that were called off before anybody put anything in, more than one step takes, come first."""
    empty, owing, payer = [square.pool() for _ in range(3)], square.pool(), square.rich(6)
    square.put(owing, payer, 6)
    for pool in (*empty, owing):
        square.run(lambda s, pool=pool: circulation.cancel_pool(s, pool.id, owner_account=pool.owner, on=DAY))
    square.conclude(DAY, most=2)
    assert square.holds(payer) == [6]


def test_what_was_promised_of_other_pools_keeps_back_nothing_that_is_owed(square: Square) -> None:
    merchant, payer = square.organisation("merchant"), square.rich(6)
    for _ in range(2):
        pool, _ = full(square, 5, purpose="purchase", target=merchant)
        account = square.use(pool, "purchase", target=merchant)
        square.run(lambda s, account=account: promise(s, account, merchant, 5))
        square.run(lambda s, pool=pool: circulation.cancel_pool(s, pool.id, owner_account=pool.owner, on=DAY))
    owing = square.pool()
    square.put(owing, payer, 6)
    square.run(lambda s: circulation.cancel_pool(s, owing.id, owner_account=owing.owner, on=DAY))
    square.conclude(DAY, most=2)
    assert square.holds(payer) == [6]


def test_those_who_cannot_take_theirs_today_keep_back_nobody_behind_them(square: Square) -> None:
    full_hands, payer = [square.rich(3) for _ in range(2)], square.rich(6)
    first, second = square.pool(goal=100), square.pool(goal=100)
    for hand in full_hands:
        square.put(first, hand, 3)
        square.run(lambda s, hand=hand: ledger.limit_holding(s, hand, credits_max=1))
    square.put(second, payer, 6)
    for pool in (first, second):
        square.run(lambda s, pool=pool: circulation.cancel_pool(s, pool.id, owner_account=pool.owner, on=DAY))
    square.conclude(DAY, most=2)
    assert square.holds(*full_hands, payer) == [0, 0, 6]
    for hand in full_hands:
        square.run(lambda s, hand=hand: ledger.limit_holding(s, hand, credits_max=None))
    square.conclude(DAY + timedelta(days=1))
    assert square.holds(*full_hands) == [3, 3]


def test_what_was_used_is_never_less_than_nothing_while_somebody_puts_in(square: Square) -> None:
    """Whoever reads a pool just before a contribution, and what was used just after, is told that nothing was."""
    pool, payer = square.pool(goal=10), square.rich(6)
    before = square.now_of(pool)
    square.put(pool, payer, 6)
    with square.database.begin() as session:
        assert circulation.used_of(session, [before]) == {pool.id: 0}


# Who is gone --------------------------------------------------------------------------------------


def test_what_cannot_go_back_because_its_payer_is_gone_goes_to_the_cancellation_pool(square: Square) -> None:
    pool, gone, there = square.pool(goal=100), square.rich(9), square.rich(9)
    square.put(pool, gone, 9)
    square.put(pool, there, 9)
    square.erase(gone)
    with square.database.begin() as session:
        before = ledger.balance_of(session, ledger.system_account(session, ledger.Kind.CANCELLATION_POOL)).posted
    square.conclude(DEADLINE + timedelta(days=1))
    assert square.holds(there, pool.own_account) == [9, 0]
    with square.database.begin() as session:
        assert ledger.balance_of(session, ledger.system_account(session, ledger.Kind.CANCELLATION_POOL)).posted == before + 9
    assert square.told(gone) == []


def test_a_pool_whose_owner_is_gone_takes_nothing_more_and_is_called_off(square: Square) -> None:
    pool, payer = square.pool(goal=10), square.rich(6)
    square.put(pool, payer, 6)
    reached, payers = full(square, 5)
    square.erase(pool.owner)
    square.erase(reached.owner)
    assert code_of(square.database, lambda s: circulation.contribute(
        s, pool.id, payer=payers[0], credits=1, reference=fresh(), business_date=DAY
    )) == "pool_not_open"  # fmt: skip
    square.conclude(DAY)
    assert [square.now_of(one).state for one in (pool, reached)] == ["cancelled", "cancelled"]
    assert square.holds(payer, *payers) == [6, 5]


def test_who_may_hold_no_more_just_now_is_given_theirs_another_day_and_hinders_nobody(square: Square) -> None:
    pool, first, full_hand = square.pool(goal=100), square.rich(9), square.rich(9)
    square.put(pool, first, 4)
    square.put(pool, full_hand, 4)
    square.run(lambda s: ledger.limit_holding(s, full_hand, credits_max=6))
    late = DEADLINE + timedelta(days=1)
    square.conclude(late, most=1)
    assert square.holds(first, full_hand, pool.own_account) == [9, 5, 4]
    square.run(lambda s: ledger.limit_holding(s, full_hand, credits_max=None))
    square.conclude(late)
    assert square.holds(full_hand) == [5]
    square.conclude(late + timedelta(days=1))
    assert square.holds(full_hand, pool.own_account) == [9, 0]


# The check ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE pool SET contributed = contributed + 1 WHERE id = {pool}", "UPDATE pool SET contributors = 3 WHERE id = {pool}",
        "UPDATE pool SET returned = 4 WHERE id = {pool}", "UPDATE pool_contribution SET payer = {owner} WHERE pool_id = {pool}",
        "UPDATE pool_contribution SET returned = 4 WHERE pool_id = {pool}", "DELETE FROM pool_contribution WHERE pool_id = {pool}",
        "DELETE FROM pool_return WHERE contribution_id IN (SELECT id FROM pool_contribution WHERE pool_id = {pool})",
        "UPDATE pool_return SET credits = 4 WHERE contribution_id IN (SELECT id FROM pool_contribution WHERE pool_id = {pool})",
        "UPDATE pool_return SET abandoned = true WHERE contribution_id IN (SELECT id FROM pool_contribution WHERE pool_id = {pool})",
    ],
)  # fmt: skip
def test_the_check_names_a_pool_that_says_other_than_the_journal(square: Square, damage: str) -> None:
    pool, payer = square.pool(goal=10), square.rich(5)
    square.put(pool, payer, 5)
    square.run(lambda s: circulation.cancel_pool(s, pool.id, owner_account=pool.owner, on=DAY))
    square.conclude(DAY)
    assert square.broken(*circulation.POOL_CHECKS) == []
    with breaking(square.database) as owner:
        owner.execute("CREATE TEMP TABLE kept_pool AS SELECT * FROM pool")
        owner.execute("CREATE TEMP TABLE kept_c AS SELECT * FROM pool_contribution")
        owner.execute("CREATE TEMP TABLE kept_r AS SELECT * FROM pool_return")
        owner.execute(damage.format(pool=pool.id, owner=pool.owner))
        owner.commit()
        found = square.broken(*circulation.POOL_CHECKS)
        for statement in (
            "DELETE FROM pool_return",
            "DELETE FROM pool_contribution",
            "UPDATE pool p SET (contributed, returned, contributors) = (k.contributed, k.returned, k.contributors) FROM kept_pool k "
            "WHERE k.id = p.id",
            "INSERT INTO pool_contribution OVERRIDING SYSTEM VALUE SELECT * FROM kept_c",
            "INSERT INTO pool_return OVERRIDING SYSTEM VALUE SELECT * FROM kept_r",
        ):
            owner.execute(statement)
    assert pool.id in {row["pool"] for row in found}
    assert square.broken(*circulation.POOL_CHECKS) == []


def test_the_check_names_a_pool_that_was_not_used_and_does_not_hold_what_was_put_in(square: Square) -> None:
    pool, payer = square.pool(goal=10), square.rich(5)
    square.put(pool, payer, 5)

    def moved(source: int, target: int) -> None:
        square.run(lambda s: ledger.post(
            s, purpose=Purpose.GIVE, source=source, target=target, amount=2, reference=fresh(), business_date=DAY
        ))  # fmt: skip

    moved(pool.own_account, payer)
    assert [row["pool"] for row in square.broken(*circulation.POOL_CHECKS)] == [pool.id]
    moved(payer, pool.own_account)
    assert square.broken(*circulation.POOL_CHECKS) == []
