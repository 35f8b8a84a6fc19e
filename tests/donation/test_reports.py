"""What a charity did with what a campaign received is told to everybody, and is never more than that (Article 21)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from carbonhui import donation, ledger, policy
from tests.circulation.pooling import Square, square
from tests.donation.charities import Charity, charity
from tests.ledger.books import DAY, breaking, fresh, put_in_force
from tests.participants.people import sqlstate_of

__all__ = ["charity", "square"]


# What became of it --------------------------------------------------------------------------------


def test_what_a_charity_retired_and_redeemed_is_recorded_for_the_campaign_it_was_for(square: Square, charity: Charity) -> None:
    campaign, merchant = charity.campaign(), square.organisation("merchant")
    charity.receives(campaign, 10)
    retired, redeemed = charity.retires(4), charity.redeems(3, merchant)
    assert [charity.records(campaign, retired, "retired"), charity.records(campaign, redeemed, "redeemed")] == ["done", "done"]
    report = charity.report(campaign)
    assert (report.used, report.left) == ({"redeemed": 3, "retired": 4}, 3)
    uses = square.run(lambda s: donation.campaign_uses(s, campaign))
    assert [(use.transfer_id, use.what, use.credits) for use in uses] == [(retired, "retired", 4), (redeemed, "redeemed", 3)]
    moved = square.run(lambda s: donation.movements_of(s, charity.account))
    assert [(one.id, one.credits, one.campaign_id) for one in moved] == [(redeemed, 3, campaign.id), (retired, 4, campaign.id)]


def test_no_more_is_recorded_as_used_than_was_received_by_one_credit(square: Square, charity: Charity) -> None:
    campaign = charity.campaign()
    charity.receives(campaign, 10)
    charity.receives(None, 11)
    assert charity.records(campaign, charity.retires(11), "retired") == "campaign_uses_more"
    assert charity.records(campaign, charity.retires(10), "retired") == "done"
    assert charity.report(campaign).left == 0


def test_uses_recorded_at_once_never_pass_what_was_received(square: Square, charity: Charity) -> None:
    campaign = charity.campaign()
    charity.receives(campaign, 5)
    charity.receives(None, 100)
    transfers = [charity.retires(1) for _ in range(12)]
    with ThreadPoolExecutor(8) as desks:
        told = list(desks.map(lambda transfer: charity.records(campaign, transfer, "retired"), transfers))
    assert sorted(told) == ["campaign_uses_more"] * 7 + ["done"] * 5
    assert charity.report(campaign).left == 0


def test_a_movement_is_recorded_once_as_what_it_was_and_only_the_charitys_own(square: Square, charity: Charity) -> None:
    campaign, other = charity.campaign(), charity.campaign()
    charity.receives(campaign, 10)
    charity.receives(other, 10)
    gift = charity.receives(None, 1)
    retired = charity.retires(2)
    stranger = Charity(square, charity.organisation, square.organisation("charity", 5))
    foreign = stranger.retires(1)
    assert charity.records(campaign, retired, "redeemed") == "use_differs"
    assert charity.records(campaign, retired, "sold") == "use_differs"
    assert charity.records(campaign, retired, "refunded") == "use_differs"
    assert charity.records(campaign, foreign, "retired") == "use_differs"
    assert charity.records(campaign, gift.id, "retired") == "use_differs"
    assert charity.records(campaign, 10**15, "retired") == "use_differs"
    assert stranger.records(campaign, foreign, "retired") == "campaign_unknown"
    assert charity.records(campaign, retired, "retired") == "done"
    assert [charity.records(one, retired, "retired") for one in (campaign, other)] == ["use_already_recorded", "use_already_recorded"]


def test_what_happened_before_a_campaign_was_given_anything_is_no_use_of_it(square: Square, charity: Charity) -> None:
    charity.receives(None, 4)
    campaign, early = charity.campaign(), charity.retires(4)
    assert charity.records(campaign, early, "retired") == "use_differs"
    charity.receives(campaign, 10)
    assert charity.records(campaign, early, "retired") == "use_differs"
    assert charity.records(campaign, charity.retires(4), "retired") == "done"
    assert charity.report(campaign).left == 6


def test_what_a_merchant_refunded_is_left_again(square: Square, charity: Charity) -> None:
    campaign, merchant = charity.campaign(), square.organisation("merchant")
    charity.receives(campaign, 10)
    redeemed = charity.redeems(6, merchant)
    refunded = square.run(lambda s: ledger.post(
        s, purpose=ledger.Purpose.REFUND, source=merchant, target=charity.account, amount=2, reference=fresh("refund"), business_date=DAY
    )).id  # fmt: skip
    assert charity.records(campaign, refunded, "refunded") == "campaign_uses_more"
    assert [charity.records(campaign, redeemed, "redeemed"), charity.records(campaign, refunded, "refunded")] == ["done", "done"]
    assert (charity.report(campaign).left, charity.report(campaign).used) == (6, {"redeemed": 6, "refunded": 2})


def test_what_the_city_does_not_let_a_charity_do_is_not_recorded(square: Square, charity: Charity) -> None:
    campaign = charity.campaign()
    charity.receives(campaign, 10)
    start = date(2030, 1, 1)
    before, after = charity.retires(1, start - timedelta(days=1)), charity.retires(1, start)
    square.run(lambda s: put_in_force(s, policy.CHARITY_MAY_RETIRE, 0, start))
    assert [charity.records(campaign, one, "retired") for one in (before, after)] == ["done", "not_permitted"]
    assert charity.report(campaign).left == 9


def test_a_gift_that_was_corrected_is_no_gift(square: Square, charity: Charity) -> None:
    campaign, donor = charity.campaign(), square.rich(5)
    posted = charity.receives(campaign, 5, donor)
    square.run(lambda s: ledger.reverse(s, posted.id, reference=fresh("correction"), business_date=DAY))
    assert (charity.report(campaign).credits, charity.report(campaign).left, square.holds(donor)) == (0, 0, [5])


# What the store itself holds ----------------------------------------------------------------------


def test_the_store_itself_lets_no_campaign_use_more_than_it_received_nor_rewrite_what_was_signed(
    square: Square, charity: Charity
) -> None:
    campaign = charity.campaign()
    gift = charity.receives(campaign, 5)
    use = "INSERT INTO donation_use (transfer_id, campaign_id, what, credits, business_date) VALUES ({}, {}, '{}', {}, '2026-11-20')"
    for statement in (
        use.format(900_001, campaign.id, "retired", 6), use.format(900_001, campaign.id, "refunded", 1),
        f"UPDATE donation_campaign SET title = 'x' WHERE id = {campaign.id}",
        f"UPDATE donation_campaign SET goal_credits = 1 WHERE id = {campaign.id}",
        f"UPDATE donation_campaign SET state = 'refused' WHERE id = {campaign.id}",
        f"DELETE FROM donation_campaign WHERE id = {campaign.id}",
        f"UPDATE donation_gift SET credits = 6 WHERE transfer_id = {gift.id}", "TRUNCATE donation_gift", "TRUNCATE donation_use",
    ):  # fmt: skip
        assert sqlstate_of(square.database, statement) is not None, statement


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE donation_gift SET credits = credits + 1 WHERE transfer_id = {gift}", "DELETE FROM donation_gift WHERE transfer_id = {gift}",
        "UPDATE donation_gift SET giver_kind = 2 WHERE transfer_id = {gift}",
        "UPDATE donation_gift SET giver = charity WHERE transfer_id = {gift}",
        "UPDATE donation_use SET credits = 1 WHERE transfer_id = {use}",
        "UPDATE donation_use SET transfer_id = 900002 WHERE transfer_id = {use}",
        "UPDATE donation_gift SET campaign_id = NULL WHERE transfer_id = {gift}",
    ],
)  # fmt: skip
def test_the_check_names_what_the_report_says_and_the_journal_does_not(square: Square, charity: Charity, damage: str) -> None:
    campaign = charity.campaign()
    gift = charity.receives(campaign, 5).id
    merchant = square.organisation("merchant")
    use = charity.redeems(3, merchant)
    assert charity.records(campaign, use, "redeemed") == "done"
    assert square.broken(*donation.CHECKS) == []
    with breaking(square.database) as owner:
        owner.execute("CREATE TEMP TABLE kept_gift AS SELECT * FROM donation_gift")
        owner.execute("CREATE TEMP TABLE kept_use AS SELECT * FROM donation_use")
        assert owner.execute(damage.format(gift=gift, use=use)).rowcount == 1
        owner.commit()
        found = square.broken(*donation.CHECKS)
        for table, kept in (("donation_gift", "kept_gift"), ("donation_use", "kept_use")):
            owner.execute(f"DELETE FROM {table}")
            owner.execute(f"INSERT INTO {table} SELECT * FROM {kept}")
    assert {row["transfer"] for row in found} & {gift, use, 900_002, None}
    assert square.broken(*donation.CHECKS) == []
