"""A charity's campaign is opened by two of the staff and takes gifts on its days (Article 21)."""

from datetime import date, timedelta

import pytest

from carbonhui import donation, participants, policy
from carbonhui.ledger import Kind
from tests.circulation.pooling import Square, square
from tests.donation.charities import LAST, WORDS, Charity, ask, charity, decide
from tests.ledger.books import DAY, code_of, fresh, put_in_force

__all__ = ["charity", "square"]


def state_of(square: Square, campaign: donation.Campaign) -> str:
    return square.run(lambda s: donation.campaign_numbered(s, campaign.id)).state


# Opening ------------------------------------------------------------------------------------------


def test_a_campaign_takes_nothing_before_a_registrar_asked_and_an_approver_agreed(square: Square, charity: Charity) -> None:
    campaign, donor = charity.proposes(), square.rich(10)

    def given() -> str:
        return code_of(square.database, lambda s: donation.donate(
            s, donor=donor, charity=charity.account, credits=1, reference=fresh(), business_date=DAY, campaign=campaign.id
        ))  # fmt: skip

    assert given() == "campaign_not_open"
    asked = ask(square, campaign)
    assert (asked.kind, asked.words["title"], asked.words["last_day"]) == ("donation_campaign", "净滩行动", "2026-12-31")
    assert given() == "campaign_not_open"
    assert decide(square, asked.id).state == "approved"
    assert given() == "done"


def test_a_campaign_that_is_refused_is_over(square: Square, charity: Charity) -> None:
    campaign = charity.proposes()
    asked = ask(square, campaign)
    assert decide(square, asked.id, agreed=False).state == "refused"
    approver, registrar = square.staff("approver"), square.staff("registrar")
    assert (
        code_of(square.database, lambda s: donation.decide_campaign(s, asked.id, agreed=True, by=approver, on=DAY))
        == "countersignature_unknown"
    )
    assert (
        code_of(square.database, lambda s: donation.ask_campaign(s, campaign.id, reason="x", by=registrar, on=DAY)) == "campaign_decided"
    )


def test_two_of_the_staff_open_a_campaign_each_with_their_own_role(square: Square, charity: Charity) -> None:
    campaign, both, auditor = charity.proposes(), square.staff("registrar", "approver"), square.staff("auditor")
    assert code_of(square.database, lambda s: donation.ask_campaign(s, campaign.id, reason="x", by=auditor, on=DAY)) == "role_missing"
    assert (
        code_of(square.database, lambda s: donation.ask_campaign(s, campaign.id, reason=" ", by=both, on=DAY))
        == "campaign_reason_missing"
    )
    asked = ask(square, campaign, both)
    assert code_of(square.database, lambda s: donation.ask_campaign(s, campaign.id, reason="x", by=both, on=DAY)) == "asked_already"
    for by, code in ((auditor, "role_missing"), (both, "own_countersignature")):
        assert code_of(square.database, lambda s, by=by: donation.decide_campaign(s, asked.id, agreed=True, by=by, on=DAY)) == code
    assert state_of(square, campaign) == "proposed"


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (DAY - timedelta(days=1), LAST, "campaign_days_wrong"), (LAST, DAY, "campaign_days_wrong"), (DAY, DAY, "done"),
        (DAY, DAY + timedelta(days=731), "done"), (DAY, DAY + timedelta(days=732), "campaign_days_wrong"),
    ],
)  # fmt: skip
def test_a_campaign_has_days_ahead_of_it(square: Square, charity: Charity, first: date, last: date, code: str) -> None:
    words = {**WORDS, "first_day": first, "last_day": last, "on": DAY}
    assert code_of(square.database, lambda s: donation.propose_campaign(s, charity.organisation, **words)) == code


def test_only_an_approved_charity_proposes_and_one_that_was_suspended_meanwhile_is_not_opened(square: Square, charity: Charity) -> None:
    merchant = square.approved("merchant")
    assert code_of(square.database, lambda s: donation.propose_campaign(s, merchant, **WORDS, on=DAY)) == "campaign_unknown"
    asked = ask(square, charity.proposes())
    square.step(charity.organisation, "suspend")
    approver = square.staff("approver")
    assert (
        code_of(square.database, lambda s: donation.propose_campaign(s, charity.organisation, **WORDS, on=DAY))
        == "organisation_not_approved"
    )
    assert (
        code_of(square.database, lambda s: donation.decide_campaign(s, asked.id, agreed=True, by=approver, on=DAY))
        == "organisation_not_approved"
    )


# Giving -------------------------------------------------------------------------------------------


def test_persons_merchants_and_departments_give_to_a_campaign_and_the_report_says_how_much_each_kind_gave(
    square: Square, charity: Charity
) -> None:
    campaign = charity.campaign(goal_credits=10)
    person = square.rich(20)
    merchant, department = square.organisation("merchant", 5), square.organisation("department", 5)
    for donor, credits in ((person, 7), (person, 3), (merchant, 5), (department, 4)):
        charity.receives(campaign, credits, donor)
    charity.receives(None, 6)
    report = charity.report(campaign)
    assert [(one.kind, one.gifts, one.credits) for one in report.received] == [
        (Kind.PERSON, 2, 10),
        (Kind.MERCHANT, 1, 5),
        (Kind.DEPARTMENT, 1, 4),
    ]
    assert (report.credits, report.left, report.used) == (19, 19, {})
    assert square.holds(charity.account) == [25]
    assert square.told(person) == ["donation.made", "donation.made"]
    assert [(gift.campaign_id, gift.credits) for gift in square.run(lambda s: donation.gifts_of(s, person))] == [
        (campaign.id, 3),
        (campaign.id, 7),
    ]


@pytest.mark.parametrize("day", [DAY - timedelta(days=1), LAST + timedelta(days=1)])
def test_nothing_is_taken_before_the_first_day_or_after_the_last(square: Square, charity: Charity, day: date) -> None:
    campaign, donor = charity.campaign(), square.rich(5)

    def given(on: date) -> str:
        return code_of(square.database, lambda s: donation.donate(
            s, donor=donor, charity=charity.account, credits=1, reference=fresh(), business_date=on, campaign=campaign.id
        ))  # fmt: skip

    assert given(day) == "campaign_not_open"
    assert (given(DAY), given(LAST)) == ("done", "done")


def test_an_ended_campaign_and_a_suspended_charity_take_nothing(square: Square, charity: Charity) -> None:
    ended, other, donor = charity.campaign(), charity.campaign(), square.rich(5)
    stranger = square.run(lambda s: participants.organisation_of_account(s, square.organisation("charity")))
    assert code_of(square.database, lambda s: donation.end_campaign(s, ended.id, charity=stranger, on=DAY)) == "campaign_unknown"
    square.run(lambda s: donation.end_campaign(s, ended.id, charity=charity.organisation, on=DAY))
    assert (
        code_of(square.database, lambda s: donation.end_campaign(s, ended.id, charity=charity.organisation, on=DAY)) == "campaign_decided"
    )

    def given(campaign: int | None) -> str:
        return code_of(square.database, lambda s: donation.donate(
            s, donor=donor, charity=charity.account, credits=1, reference=fresh(), business_date=DAY, campaign=campaign
        ))  # fmt: skip

    assert [given(ended.id), given(other.id), given(None), given(999_999)] == ["campaign_not_open", "done", "done", "campaign_unknown"]
    square.step(charity.organisation, "suspend")
    assert [given(other.id), given(None)] == ["organisation_not_approved", "organisation_not_approved"]


def test_a_campaign_is_its_own_charitys(square: Square, charity: Charity) -> None:
    campaign, other, donor = charity.campaign(), square.organisation("charity"), square.rich(5)
    assert code_of(square.database, lambda s: donation.donate(
        s, donor=donor, charity=other, credits=1, reference=fresh(), business_date=DAY, campaign=campaign.id
    )) == "campaign_unknown"  # fmt: skip


def test_a_gift_that_is_repeated_is_given_once_and_stays_what_it_was_for(square: Square, charity: Charity) -> None:
    campaign, donor, reference = charity.campaign(), square.rich(9), fresh("donation")
    assert not charity.receives(campaign, 4, donor, reference=reference).again
    square.run(lambda s: donation.end_campaign(s, campaign.id, charity=charity.organisation, on=DAY))
    assert charity.receives(campaign, 4, donor, reference=reference).again
    assert code_of(square.database, lambda s: donation.donate(
        s, donor=donor, charity=charity.account, credits=4, reference=reference, business_date=DAY
    )) == "reference_reused"  # fmt: skip
    assert (square.holds(donor, charity.account), charity.report(campaign).credits) == ([5, 4], 4)


def test_a_charity_passes_nothing_on_as_a_gift_and_neither_does_the_system(square: Square, charity: Charity) -> None:
    giver = square.organisation("charity", 5)
    assert code_of(square.database, lambda s: donation.donate(
        s, donor=giver, charity=charity.account, credits=1, reference=fresh(), business_date=DAY
    )) == "donor_not_taken"  # fmt: skip


def test_where_the_city_does_not_let_credits_be_donated_nobody_donates(square: Square, charity: Charity) -> None:
    start, donor = date(2028, 1, 1), square.rich(5)
    square.run(lambda s: put_in_force(s, policy.CREDITS_DONATABLE, 0, start))
    for day, code in ((start - timedelta(days=1), "done"), (start, "not_permitted")):
        assert code_of(square.database, lambda s, day=day: donation.donate(
            s, donor=donor, charity=charity.account, credits=1, reference=fresh(), business_date=day
        )) == code  # fmt: skip
