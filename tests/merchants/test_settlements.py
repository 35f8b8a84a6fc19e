"""What merchants received goes to the cancellation pool, each transfer once (Article 20)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from carbonhui import ledger, merchants, participants
from carbonhui.core import migrations
from carbonhui.core.database import Database, connection_of
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, breaking, code_of, free, fresh, holds, organisation, promise, resident
from tests.merchants.settling import TOMORROW, bakery_of, buy, give_back, moved, settled, sums, through, wrong


@pytest.fixture(autouse=True)
def everything_ties(town: Database) -> Iterator[None]:
    yield
    assert wrong(town) == []


def test_a_settlement_nets_what_came_and_what_went_back(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30, 4)
        give_back(session, bakery, shopper, 5)
    made = settled(town, bakery)
    assert sums(made) == {"received": 34, "given": 5, "credits": 29, "items": 3}
    assert (holds(town, bakery), made.number, made.day) == (0, 1, DAY)
    with town.begin() as session:
        assert sum(last - first + 1 for first, last in ledger.runs_of(session, made.transfer_id or 0)) == 29


def test_each_transfer_is_settled_once(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
    settled(town, bakery)
    with town.begin() as session:
        assert through(session, bakery) is None
        buy(session, shopper, bakery, 2)
    assert sums(settled(town, bakery)) == {"received": 2, "credits": 2, "items": 1}


def test_what_is_dated_later_waits_and_what_comes_in_late_goes_with_the_next(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
        buy(session, shopper, bakery, 7, on=TOMORROW)
    assert sums(settled(town, bakery)) == {"received": 30, "credits": 30, "items": 1}
    with town.begin() as session:
        buy(session, shopper, bakery, 2, on=DAY)
    assert sums(settled(town, bakery, TOMORROW)) == {"received": 9, "credits": 9, "items": 2}


def test_a_day_on_which_all_went_back_moves_nothing_and_is_on_record(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
        give_back(session, bakery, shopper, 30)
    assert code_of(town, lambda s: merchants.settle(s, merchant=bakery, reference=fresh(), business_date=DAY)) == "nothing_to_settle"
    payment = fresh()
    with town.begin() as session:
        ledger.post(
            session, purpose=Purpose.GIVE, source=shopper, target=resident(session), amount=1, reference=payment, business_date=DAY
        )
    assert code_of(town, lambda session: through(session, bakery, reference=payment)) == "reference_reused"
    made = settled(town, bakery)
    assert sums(made) == {"received": 30, "given": 30, "items": 2}
    assert made.transfer_id is None


def test_what_was_promised_is_carried_and_goes_once_it_is_free(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
        hold = promise(session, bakery, shopper, 10)
    assert sums(settled(town, bakery)) == {"received": 30, "credits": 20, "carried": 10, "items": 1}
    with town.begin() as session:
        assert through(session, bakery, TOMORROW) is None
        ledger.release(session, hold)
    assert sums(settled(town, bakery, TOMORROW)) == {"brought": 10, "credits": 10}
    assert free(town, bakery) == 0


def test_what_was_given_back_on_the_next_day_before_settlement_is_brought_forward(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
        give_back(session, bakery, shopper, 12, on=TOMORROW)
    assert sums(settled(town, bakery)) == {"received": 30, "credits": 18, "carried": 12, "items": 1}
    assert sums(settled(town, bakery, TOMORROW)) == {"brought": 12, "given": 12, "items": 1}


def test_a_refund_of_the_day_out_of_what_came_the_day_after_is_owed_to_the_next_settlement(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 50, on=TOMORROW)
        give_back(session, bakery, shopper, 20, on=DAY)
    assert sums(settled(town, bakery)) == {"given": 20, "carried": -20, "items": 1}
    assert sums(settled(town, bakery, TOMORROW)) == {"brought": -20, "received": 50, "credits": 30, "items": 1}


def test_gifts_of_the_merchant_before_settlement_are_listed_too(town: Database) -> None:
    with town.begin() as session:
        bakery, _ = bakery_of(session, 30)
        moved(session, Purpose.DONATE, bakery, organisation(session, Kind.CHARITY), 8)
    assert sums(settled(town, bakery)) == {"received": 30, "given": 8, "credits": 22, "items": 2}


def test_where_one_merchant_pays_another_both_list_it(town: Database) -> None:
    with town.begin() as session:
        bakery, _ = bakery_of(session, 30)
        mill = organisation(session, Kind.MERCHANT)
        paid = buy(session, bakery, mill, 25)
    settled(town, bakery)
    with town.begin() as session:
        assert not merchants.settled(session, paid)
    assert sums(settled(town, mill)) == {"received": 25, "credits": 25, "items": 1}
    with town.begin() as session:
        assert merchants.settled(session, paid)


def test_whether_a_payment_was_settled_can_be_asked(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session)
        paid, later = buy(session, shopper, bakery, 3), buy(session, shopper, bakery, 4, on=TOMORROW)
        assert not merchants.settled(session, paid)
    settled(town, bakery)
    with town.begin() as session:
        assert [merchants.settled(session, transfer) for transfer in (paid, later)] == [True, False]


def test_the_same_reference_again_is_the_first_settlement_and_anothers_is_refused(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
        mill, _ = bakery_of(session, 10)
        payment = fresh()
        ledger.post(
            session, purpose=Purpose.REDEEM, source=shopper, target=mill, amount=1, reference=payment, business_date=DAY
        )
    reference = fresh("settlement")
    first = town.run(lambda session: through(session, bakery, reference=reference))
    with town.begin() as session:
        buy(session, shopper, bakery, 5)
    assert town.run(lambda session: through(session, bakery, reference=reference)) == first
    for taken in (reference, payment):
        assert code_of(town, lambda session, taken=taken: through(session, mill, reference=taken)) == "reference_reused"
    assert (holds(town, bakery), holds(town, mill)) == (5, 11)


def test_only_merchants_are_settled(town: Database) -> None:
    with town.begin() as session:
        charity = organisation(session, Kind.CHARITY)
    assert code_of(town, lambda session: through(session, charity)) == "account_kind_differs"


def test_a_payment_that_was_entered_long_after_it_drew_its_number_is_found(town: Database) -> None:
    """Its number lies below what the settlement before looked through."""
    with town.begin() as session:
        bakery, shopper = bakery_of(session)
        other = resident(session, 100)
    with town.begin() as slow:
        late = buy(slow, shopper, bakery, 6)
        with town.begin() as session:
            early = buy(session, other, bakery, 4)
        with breaking(town) as owner:
            owner.execute("UPDATE transfer SET at = at - interval '3 days' WHERE id = %s", (early,))
        assert sums(settled(town, bakery)) == {"received": 4, "credits": 4, "items": 1}
    with town.begin() as session:
        row = connection_of(session).execute("SELECT looked_through FROM settlement WHERE merchant = %s", (bakery,)).fetchone()
        assert row is not None and row[0] == early > late
    assert sums(settled(town, bakery)) == {"received": 6, "credits": 6, "items": 1}


def test_what_was_looked_through_is_not_read_again(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 1, 2, 3)
        later = buy(session, shopper, bakery, 4, on=TOMORROW)
        buy(session, shopper, bakery, 5)
    with breaking(town) as owner:
        owner.execute("UPDATE transfer SET at = at - interval '3 days' WHERE credit = %s", (bakery,))
    made = settled(town, bakery)
    with town.begin() as session:
        rows = connection_of(session).execute("SELECT looked_through FROM settlement WHERE id = %s", (made.id,)).fetchall()
    assert rows == [(later - 1,)], "what waits for its day stays in sight"
    assert sums(settled(town, bakery, TOMORROW)) == {"received": 4, "credits": 4, "items": 1}


def test_what_was_entered_within_a_day_stays_in_sight(town: Database) -> None:
    """Two that are committed late and come to nothing together would not show in the balance."""
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
        other = resident(session, 9)
    with town.begin() as slow:
        buy(slow, shopper, bakery, 6)
        with town.begin() as session:
            buy(session, other, bakery, 4)
        made = settled(town, bakery)
        give_back(slow, bakery, shopper, 6)
    assert sums(made) == {"received": 34, "credits": 34, "items": 2}
    with town.begin() as session:
        looked = connection_of(session).execute("SELECT looked_through FROM settlement WHERE id = %s", (made.id,)).fetchone()
    assert looked == (0,)
    assert sums(settled(town, bakery)) == {"received": 6, "given": 6, "items": 2}


def test_settlements_at_once_and_payments_meanwhile_lose_nothing_and_move_nothing_twice(town: Database) -> None:
    with town.begin() as session:
        bakery, _ = bakery_of(session)
        shoppers = [resident(session, 60) for _ in range(4)]

    def shop(shopper: int) -> None:
        for _ in range(30):
            with town.begin() as session:
                buy(session, shopper, bakery, 2)

    def settle_often() -> int:
        made = [town.run(lambda session: through(session, bakery)) for _ in range(15)]
        return sum(one.credits for one in made if one)

    with ThreadPoolExecutor(6) as threads:
        settling = [threads.submit(settle_often) for _ in range(2)]
        for done in [threads.submit(shop, shopper) for shopper in shoppers]:
            done.result()
        moved_meanwhile = sum(done.result() for done in settling)
    last = town.run(lambda session: through(session, bakery))
    assert moved_meanwhile + (last.credits if last else 0) == 240
    assert holds(town, bakery) == 0


def _sandbox_shop(session: Session, credits: int) -> int:
    source = ledger.system_account(session, Kind.SANDBOX_SOURCE, asset=ledger.SANDBOX)
    payer = ledger.open_account(session, Kind.PERSON, asset=ledger.SANDBOX)
    shop = organisation(session, Kind.MERCHANT, asset=ledger.SANDBOX)
    moved(session, Purpose.SANDBOX_GRANT, source, payer, 100, asset=ledger.SANDBOX)
    moved(session, Purpose.REDEEM, payer, shop, credits, asset=ledger.SANDBOX)
    return shop


def test_sandbox_credits_are_settled_apart(town: Database) -> None:
    with town.begin() as session:
        shop = _sandbox_shop(session, 30)
    pool = _cancelled(town)
    made = settled(town, shop)
    assert (made.sandbox, made.credits) == (True, 30)
    assert _cancelled(town) == pool
    with town.begin() as session:
        sandbox_pool = ledger.system_account(session, Kind.CANCELLATION_POOL, asset=ledger.SANDBOX)
        assert ledger.balance_of(session, sandbox_pool).posted == 30


def _cancelled(town: Database) -> int:
    with town.begin() as session:
        return ledger.balance_of(session, ledger.system_account(session, Kind.CANCELLATION_POOL)).posted


def test_the_clock_settles_everybody_through_yesterday_once(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
        mill, _ = bakery_of(session, 12)
        buy(session, shopper, mill, 5, on=TOMORROW)
        shop = _sandbox_shop(session, 9)
        closed, customer = bakery_of(session, 6)
        give_back(session, closed, customer, 6)
        ledger.close_account(session, closed)
    before = _cancelled(town)
    first = merchants.settle_day(town, on=TOMORROW)
    assert first.settlements >= 4
    assert first.credits == _cancelled(town) - before >= 42
    assert first.refused == ()
    assert (holds(town, bakery), holds(town, mill), holds(town, shop)) == (0, 5, 0)
    with town.begin() as session:
        assert [sums(one) for one in merchants.settlements_of(session, closed)] == [{"received": 6, "given": 6, "items": 2}]
        buy(session, shopper, bakery, 1)
    again = merchants.settle_day(town, on=TOMORROW)
    assert (again.settlements, again.credits, holds(town, bakery)) == (first.settlements, first.credits, 1)


def test_a_merchant_who_is_refused_holds_up_nobody(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
        mill, _ = bakery_of(session, 12)
        ledger.post(
            session, purpose=Purpose.GIVE, source=shopper, target=resident(session), amount=1,
            reference=f"settlement-{bakery}-2026-12-01", business_date=DAY,
        )  # fmt: skip
    done = merchants.settle_day(town, on=DAY.replace(month=12, day=2))
    assert done.refused == ((bakery, "reference_reused"),)
    assert (holds(town, bakery), holds(town, mill)) == (30, 0)


def test_settlements_are_found_by_their_handle_only(town: Database) -> None:
    with town.begin() as session:
        bakery, _ = bakery_of(session, 30)
    made = settled(town, bakery)
    with town.begin() as session:
        assert merchants.settlement(session, str(made.handle)) == made
    for handle in (participants.__name__, "00000000-0000-4000-8000-000000000000"):
        assert code_of(town, lambda session, handle=handle: merchants.settlement(session, handle)) == "settlement_unknown"


def test_settlements_of_the_releases_before_are_entered_with_what_they_took(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30, 4)
        give_back(session, bakery, shopper, 5)
        promise(session, bakery, shopper, 3)
    merchants_before = settled(town, bakery)
    with town.begin() as session:
        buy(session, shopper, bakery, 20)
    second = settled(town, bakery)
    with town.begin() as session:
        buy(session, shopper, bakery, 2)
    with breaking(town) as owner:
        owner.execute("DROP TABLE settlement, settlement_item")
        owner.execute((migrations.STEPS / "0026_settlement.sql").read_text("utf-8").encode())
    with town.begin() as session:
        rows = connection_of(session).execute(
            "SELECT number, brought, received, given, credits, carried, items, transfer_id FROM settlement WHERE merchant = %s ORDER BY 1",
            (bakery,),
        ).fetchall()
    assert rows == [(1, 0, 34, 5, 26, 3, 3, merchants_before.transfer_id), (2, 3, 20, 0, 20, 3, 1, second.transfer_id)]
    assert sums(settled(town, bakery)) == {"brought": 3, "received": 2, "credits": 2, "carried": 3, "items": 1}
