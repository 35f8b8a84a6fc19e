"""Persons, merchants and departments give credits to charities (Article 21)."""

from typing import Any

import pytest

from carbonhui import donation, ledger
from carbonhui.core.database import Database
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, code_of, fresh, give, holds, organisation, resident


def words(donor: int, charity: int, credits: int) -> dict[str, Any]:
    return {"donor": donor, "charity": charity, "credits": credits, "reference": fresh("donation"), "business_date": DAY}


@pytest.mark.parametrize("kind", [Kind.PERSON, Kind.MERCHANT, Kind.DEPARTMENT, Kind.ORGANISATION])
def test_whoever_has_credits_may_donate_them(town: Database, kind: Kind) -> None:
    with town.begin() as session:
        charity = organisation(session, Kind.CHARITY)
        donor = resident(session) if kind == Kind.PERSON else organisation(session, kind)
        give(session, resident(session, 9), donor, 9)
        donation.donate(session, **words(donor, charity, 8))
        assert ledger.statement(session, charity).lines[0].purpose == Purpose.DONATE
    assert (holds(town, donor), holds(town, charity)) == (1, 8)
    assert code_of(town, lambda session: donation.donate(session, **words(donor, charity, 2))) == "not_enough"


@pytest.mark.parametrize("kind", [Kind.PERSON, Kind.MERCHANT, Kind.DEPARTMENT, Kind.ORGANISATION, Kind.CANCELLATION_POOL])
def test_only_a_charity_takes_donations(town: Database, kind: Kind) -> None:
    with town.begin() as session:
        donor = resident(session, 9)
        other = resident(session) if kind == Kind.PERSON else ledger.open_account(session, kind, name=fresh("other"))
    assert code_of(town, lambda session: donation.donate(session, **words(donor, other, 1))) == "account_kind_differs"


def test_a_donation_that_is_repeated_is_made_once(town: Database) -> None:
    with town.begin() as session:
        donor, charity = resident(session, 9), organisation(session, Kind.CHARITY)
    gift = words(donor, charity, 2)
    for again in (False, True):
        with town.begin() as session:
            assert donation.donate(session, **gift).again is again
    assert code_of(town, lambda session: donation.donate(session, **(gift | {"credits": 1}))) == "reference_reused"
    assert holds(town, charity) == 2
