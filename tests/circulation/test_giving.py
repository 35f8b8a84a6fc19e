"""Credits are given freely from person to person (Article 18)."""

from typing import Any

import pytest

from carbonhui import circulation, ledger
from carbonhui.core.database import Database
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, code_of, fresh, holds, organisation, promise, resident


def words(giver: int, receiver: int, credits: int, reference: str | None = None) -> dict[str, Any]:
    return {
        "giver": giver, "receiver": receiver, "credits": credits, "reference": reference or fresh("gift"), "business_date": DAY
    }  # fmt: skip


def test_what_a_resident_gives_her_neighbour_has(town: Database) -> None:
    with town.begin() as session:
        resident_, neighbour = resident(session, 10), resident(session)
        circulation.give(session, **words(resident_, neighbour, 10))
        assert ledger.statement(session, neighbour).lines[0].purpose == Purpose.GIVE
    assert (holds(town, resident_), holds(town, neighbour)) == (0, 10)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.PERSON])
def test_only_persons_are_given_to(town: Database, kind: Kind) -> None:
    with town.begin() as session:
        giver = resident(session, 10)
        other = organisation(session, kind) if kind <= Kind.ORGANISATION else ledger.system_account(session, kind)
    assert code_of(town, lambda session: circulation.give(session, **words(giver, other, 1))) == "account_kind_differs"
    assert holds(town, giver) == 10


@pytest.mark.parametrize("kind", [Kind.MERCHANT, Kind.DEPARTMENT, Kind.CHARITY, Kind.ORGANISATION, Kind.CAMPAIGN])
def test_only_persons_give_to_persons(town: Database, kind: Kind) -> None:
    """What merchants and departments received is not theirs to pass on, and a pool owes it to others (Articles 18-20)."""
    with town.begin() as session:
        giver, neighbour = organisation(session, kind), resident(session)
        ledger.post(
            session, purpose=Purpose.GIVE, source=resident(session, 5), target=giver, amount=5, reference=fresh(), business_date=DAY
        )  # fmt: skip
    assert code_of(town, lambda session: circulation.give(session, **words(giver, neighbour, 1))) == "account_kind_differs"
    assert (holds(town, giver), holds(town, neighbour)) == (5, 0)


def test_nobody_gives_more_than_is_free_nor_to_himself_nor_nothing(town: Database) -> None:
    with town.begin() as session:
        giver, neighbour = resident(session, 10), resident(session)
        promise(session, giver, neighbour, 4)
    for receiver, credits, code in (
        (neighbour, 7, "not_enough"), (giver, 1, "self_transfer"), (neighbour, 0, "amount_out_of_range"),
        (neighbour, -1, "amount_out_of_range"), (999_999_999, 1, "account_unknown"), (neighbour, 6, "done"),
    ):  # fmt: skip
        assert code_of(town, lambda session, r=receiver, n=credits: circulation.give(session, **words(giver, r, n))) == code
    assert holds(town, neighbour) == 6


def test_a_gift_that_is_repeated_is_given_once(town: Database) -> None:
    with town.begin() as session:
        giver, neighbour = resident(session, 10), resident(session)
    gift = words(giver, neighbour, 3)
    for again in (False, True, True):
        with town.begin() as session:
            assert circulation.give(session, **gift).again is again
    assert code_of(town, lambda session: circulation.give(session, **(gift | {"credits": 4}))) == "reference_reused"
    assert holds(town, neighbour) == 3
