"""A suspended organisation takes no credits (Articles 18-21, 37)."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from carbonhui import donation, ledger, merchants, participants, policy, publicfees
from carbonhui.core.amounts import Credits, Fen
from tests.ledger.books import DAY, holds, mint_to, put_in_force
from tests.participants.people import Town

Use = Callable[[Session, int, int, str], ledger.Posted]


def redeemed(session: Session, payer: int, merchant: int, reference: str) -> ledger.Posted:
    return merchants.redeem(session, payer=payer, merchant=merchant, credits=Credits(5), reference=reference, business_date=DAY)


def offset(session: Session, payer: int, department: int, reference: str) -> ledger.Posted:
    return publicfees.offset_bill(
        session, resident=payer, department=department, bill=reference, bill_fen=Fen(10_000), credits=Credits(5),
        reference=reference, business_date=DAY,
    )  # fmt: skip


def donated(session: Session, payer: int, charity: int, reference: str) -> ledger.Posted:
    return donation.donate(session, donor=payer, charity=charity, credits=Credits(5), reference=reference, business_date=DAY)


@pytest.fixture(scope="module", autouse=True)
def values(town: Town) -> None:
    def approved(session: Session) -> None:
        put_in_force(session, policy.PAR, 20_000, DAY.replace(year=2020))
        put_in_force(session, policy.OFFSET_CAP, 10, DAY.replace(year=2020))

    town.run(approved)


@pytest.mark.parametrize(("kind", "use"), [("merchant", redeemed), ("department", offset), ("charity", donated)])
def test_a_suspended_organisation_takes_no_credits_until_it_is_resumed(town: Town, kind: str, use: Use) -> None:
    payer, taker = town.resident().account_id, town.approved(kind)
    account = taker.account_id
    assert account is not None
    town.run(lambda session: mint_to(session, payer, 20))
    made = town.run(lambda session: use(session, payer, account, f"{kind}-1"))
    town.step(taker, "suspend")
    with pytest.raises(participants.OrganisationNotApproved) as caught:
        town.run(lambda session: use(session, payer, account, f"{kind}-2"))
    assert caught.value.facts["state"] == "suspended"
    assert town.run(lambda session: use(session, payer, account, f"{kind}-1")).id == made.id
    assert holds(town.database, account) == 5
    town.step(taker, "resume")
    town.run(lambda session: use(session, payer, account, f"{kind}-2"))
    assert holds(town.database, account) == 10


def test_a_suspended_merchant_still_hands_on_what_it_took(town: Town) -> None:
    payer, bakery = town.resident().account_id, town.approved("merchant")
    account = bakery.account_id
    assert account is not None
    town.run(lambda session: mint_to(session, payer, 5))
    town.run(lambda session: redeemed(session, payer, account, "last-sale"))
    town.step(bakery, "suspend")
    town.run(lambda session: merchants.settle(session, merchant=account, reference="last-settlement", business_date=DAY))
    assert holds(town.database, account) == 0
