"""What somebody did with credits is in their copy, and an erasure ends what still waits (Articles 18-22, PIPL articles 45, 47)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from argon2 import PasswordHasher

from carbonhui import (
    circulation,
    donation,
    export,
    ledger,
    merchants,
    neutralisation,
    participants,
    policy,
    privacy,
    publicfees,
)
from carbonhui.core.amounts import Credits
from carbonhui.core.clock import SetClock
from carbonhui.core.settings import Settings
from carbonhui.participants import Person, staff
from tests.ledger.books import broken, fresh, opened_store, put_in_force
from tests.participants.people import NOON, TODAY
from tests.publicfees.offices import METER, Offices

READER = privacy.Reader(actor="person:1", role="person", purpose="export")


@pytest.fixture(scope="module")
def town(server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    home = tmp_path_factory.mktemp("used")
    settings = replace(server_settings, keys=home / "keys")
    with pytest.MonkeyPatch.context() as patch, opened_store(server, settings) as store:
        patch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        settings = replace(store.settings, lake=home / "lake")
        with store.begin() as session:
            put_in_force(session, policy.PAR, 20_000, date(2020, 1, 1))
            put_in_force(session, policy.OFFSET_CAP, 10, date(2020, 1, 1))
        yield Offices(store, privacy.open_vault(settings), settings)
        assert broken(store) == {}


def mobile_of(town: Offices, person: Person) -> str:
    return town.run(lambda s: privacy.read(s, town.vault, person.subject, ["mobile"], READER))["mobile"]


def given(town: Offices, giver: Person, receiver: Person, credits: int) -> circulation.Gift:
    mobile = mobile_of(town, receiver)
    return town.run(lambda s: circulation.give_to_mobile(
        s, town.vault, giver=giver, mobile=mobile, credits=Credits(credits), reference=fresh("gift"), on=TODAY
    ))  # fmt: skip


def pool_of(town: Offices, owner: Person, goal: int = 9) -> circulation.Pool:
    return town.run(lambda s: circulation.open_pool(
        s, town.vault, owner=owner.account_id, title="一起抵消春游", goal_credits=Credits(goal), purpose="neutralisation", target=None,
        deadline=date(2026, 12, 1), on=TODAY,
    ))  # fmt: skip


def copy_of(town: Offices, person: Person) -> dict[str, list[dict[str, Any]]]:
    found = town.run(lambda s: export.everything(s, town.vault, town.settings, person, READER))
    return {name: matter["rows"] for name, matter in found["matters"].items()}


def erase(town: Offices, person: Person) -> participants.Erased:
    return town.run(lambda s: export.erase(
        s, town.vault, person, on=TODAY, clock=SetClock.on(TODAY), by=f"person:{person.id}"
    ))  # fmt: skip


def test_what_was_given_asked_and_pooled_is_in_the_copy_of_both_sides(town: Offices):
    giver, receiver = town.rich(100), town.rich(10)
    gift = given(town, giver, receiver, 7)
    mobile = mobile_of(town, giver)
    request = town.run(lambda s: circulation.ask_mobile(
        s, town.vault, asker=receiver, mobile=mobile, credits=Credits(3), reference=fresh("request"), on=TODAY
    ))  # fmt: skip
    pool = pool_of(town, giver)
    town.run(lambda s: circulation.contribute(
        s, pool.id, payer=receiver.account_id, credits=Credits(4), reference=fresh("contribution"), business_date=TODAY
    ))  # fmt: skip
    of_giver, of_receiver = copy_of(town, giver), copy_of(town, receiver)
    assert [(row["gift"], row["side"], row["credits"], row["state"]) for row in of_giver["gifts"]] == [(str(gift.handle), "given", 7, "waiting")]
    assert [row["side"] for row in of_receiver["gifts"]] == ["received"]
    assert [(row["request"], row["side"]) for row in of_receiver["requests"]] == [(str(request.handle), "asked")]
    assert [row["side"] for row in of_giver["requests"]] == ["was_asked"]
    assert [(row["pool"], row["goal_credits"], row["contributed"]) for row in of_giver["pools"]] == [(str(pool.handle), 9, 4)]
    assert "一起抵消春游" in [row["value"] for row in of_giver["personal_fields"]]
    assert [(row["pool"], row["credits"]) for row in of_receiver["contributions"]] == [(str(pool.handle), 4)]
    assert of_receiver["pools"] == [] and "一起抵消春游" not in str(of_receiver)
    assert of_receiver["statement"][0]["sentence"] == "You put 4 credits into a pool."
    for copy in (of_giver, of_receiver):
        assert not {"giver", "receiver", "asker", "asked", "owner"} & {column for rows in copy.values() for row in rows for column in row}


def test_payments_refunds_and_limits_are_in_the_copy(town: Offices):
    payer, shop = town.rich(100), town.approved("merchant")
    code = merchants.payment_code(town.vault, account=payer.account_id, now=NOON).code
    charge = town.run(lambda s: merchants.authorise(
        s, town.vault, organisation=shop.id, out_trade_no="T-1", payment_code=code, credits=12, money_fen=300, on=TODAY, now=NOON
    )).charge  # fmt: skip
    assert charge is not None
    town.run(lambda s: merchants.refund(s, charge, out_refund_no="R-1", credits=5, on=TODAY))
    town.run(lambda s: merchants.limit_payments(s, payer.account_id, merchants.PaymentLimits(50, 80)))
    copy = copy_of(town, payer)
    [paid] = copy["payments"]
    assert (paid["trade"], paid["merchant"], paid["out_trade_no"], paid["credits"], paid["money_fen"], paid["refunded"], paid["state"]) == (
        str(charge.handle), shop.name, "T-1", 12, 300, 5, "captured"
    )
    assert [(row["out_refund_no"], row["credits"]) for row in copy["refunds"]] == [("R-1", 5)]
    assert copy["payment_limits"] == [{"per_payment_max": 50, "per_day_max": 80}]
    assert [row["sentence"] for row in copy["statement"]][:2] == [
        f"5 credits came back to you from {shop.name}.", f"You paid 12 credits at {shop.name}."
    ]


def test_bills_that_were_shown_looked_up_and_offset_are_in_the_copy(town: Offices):
    person, department = town.rich(100), town.waterworks()
    bill = town.presented(department)
    town.run(lambda s: publicfees.look_up_bill(
        s, town.vault, account=person.account_id, department=department.handle, number=bill.number, payer_reference=METER, on=TODAY
    ))  # fmt: skip
    town.offset(bill, person, 44)
    copy = copy_of(town, person)
    assert [(row["bill"], row["credits"], row["undone_on"]) for row in copy["bills"]] == [(bill.number, 44, None)]
    assert [(row["bill"], row["total_fen"], row["addressed"]) for row in copy["bills_shown"]] == [(bill.number, 8_800, False)]
    assert [row["tries"] for row in copy["bills_tried"]] == [1]
    town.taken_back(department, bill)
    assert copy_of(town, person)["bills"][0]["undone_because"] == "cancelled"


def test_donations_and_certificates_are_in_the_copy_with_what_was_written_on_them(town: Offices):
    person, charity = town.rich(100), town.approved("charity")
    town.run(lambda s: donation.donate(
        s, donor=person.account_id, charity=charity.account_id, credits=Credits(6), reference=fresh("donation"), business_date=TODAY
    ))  # fmt: skip
    footprint = neutralisation.measured(mg=1_000_000, evidence=b"\x07" * 32)
    made = town.run(lambda s: neutralisation.neutralise(
        s, town.vault, account=person.account_id, payer=person.account_id, subject=person.subject, footprint=footprint,
        beneficiary="王𠮷", reason="=1+1 的婚礼", reference=fresh("certificate"), business_date=TODAY,
    ))  # fmt: skip
    copy = copy_of(town, person)
    assert [(row["charity"], row["campaign"], row["credits"]) for row in copy["donations"]] == [(charity.name, None, 6)]
    assert [(row["certificate"], row["credits"], row["footprint_mg"]) for row in copy["certificates"]] == [(made.number, 10, 1_000_000)]
    assert copy["statement"][0]["sentence"] == f"You retired 10 credits against emissions, for good (certificate {made.number})."
    assert copy["statement"][0]["sentence_zh"] == f"您永久注销 10 碳惠以中和排放(证书 {made.number})。"
    assert {"王𠮷", "=1+1 的婚礼"} <= {row["value"] for row in copy["personal_fields"]}


# Erasing ------------------------------------------------------------------------------------------


def test_an_erasure_gives_waiting_gifts_back_and_takes_its_own_back(town: Offices):
    leaving, other = town.rich(100), town.rich(100)
    own, theirs = given(town, leaving, other, 7), given(town, other, leaving, 8)
    assert erase(town, leaving).credits == 100
    states = town.run(lambda s: (circulation.gift_of(s, own.handle, other).state, circulation.gift_of(s, theirs.handle, other).state))
    assert states == ("cancelled", "declined")
    assert (town.credits(other).posted, town.credits(other).held) == (100, 0)


def test_an_erasure_waits_for_a_payment_that_is_authorised(town: Offices):
    payer, shop = town.rich(100), town.approved("merchant")
    code = merchants.payment_code(town.vault, account=payer.account_id, now=NOON).code
    charge = town.run(lambda s: merchants.authorise(
        s, town.vault, organisation=shop.id, out_trade_no="T-2", payment_code=code, credits=12, capture=False, on=TODAY, now=NOON
    )).charge  # fmt: skip
    with pytest.raises(participants.ErasureWaitsForHolds):
        erase(town, payer)
    assert charge is not None
    town.run(lambda s: merchants.void(s, charge))
    assert erase(town, payer).credits == 100


def test_an_erasure_forgets_bills_and_limits_and_what_was_written(town: Offices):
    person, department = town.rich(100), town.waterworks()
    town.bill_for(person, department)
    town.run(lambda s: merchants.limit_payments(s, person.account_id, merchants.PaymentLimits(50, None)))
    pool = pool_of(town, person)
    erase(town, person)
    assert town.rows(f"SELECT FROM bill_shown WHERE account_id = {person.account_id}") == []
    assert town.rows(f"SELECT FROM payment_limit WHERE account_id = {person.account_id}") == []
    assert town.run(lambda s: circulation.pool_titles(s, town.vault, [pool], READER)) == {}


def test_the_pool_of_who_left_gives_everybody_back_what_they_put_in(town: Offices):
    owner, friend, gone = town.rich(100), town.rich(10), town.rich(10)
    pool = pool_of(town, owner)
    for payer in (friend, gone):
        town.run(lambda s, payer=payer: circulation.contribute(
            s, pool.id, payer=payer.account_id, credits=Credits(4), reference=fresh("contribution"), business_date=TODAY
        ))  # fmt: skip
    erase(town, owner)
    assert erase(town, gone).credits == 6
    while town.run(lambda s: circulation.conclude_pools(s, on=TODAY, most=10)):
        pass
    assert town.credits(friend).posted == 10
    assert town.run(lambda s: ledger.balance_of(s, pool.own_account)).posted == 0
    assert town.rows(f"SELECT purpose FROM transfer WHERE debit = {pool.own_account} ORDER BY purpose") == [(12,), (15,)]
