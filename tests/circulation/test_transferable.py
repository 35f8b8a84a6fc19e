"""Whether credits may be given at all is the city's policy: Guangzhou yes, Shenzhen no, Fuzhou not known (Article 18)."""

import pytest

from carbonhui import circulation, policy
from tests.circulation.street import LAST_DAY, NOW, Street, opened_street, street
from tests.ledger.books import DAY, code_of, fresh, put_in_force

__all__ = ["street"]


def tried(street: Street) -> dict[str, str]:
    """The code of every way to give."""
    giver, (receiver, number) = street.neighbour(10), street.with_number(10)
    code = street.shows(receiver)
    ways = {
        "give": lambda s: circulation.give(
            s, giver=giver.account_id, receiver=receiver.account_id, credits=1, reference=fresh(), business_date=DAY
        ),
        "by number": lambda s: circulation.give_to_mobile(
            s, street.vault, giver=giver, mobile=number, credits=1, reference=fresh(), on=DAY
        ),
        "by code": lambda s: circulation.give_by_code(
            s, street.vault, giver=giver, receive_code=code, credits=1, reference=fresh(), on=DAY, now=NOW
        ),
        "ask": lambda s: circulation.ask_mobile(s, street.vault, asker=giver, mobile=number, credits=1, reference=fresh(), on=DAY),
    }  # fmt: skip
    return {name: code_of(street.database, work) for name, work in ways.items()}


@pytest.mark.parametrize(("profile", "code"), [
    ("guangzhou", "done"), ("demo", "done"), ("shenzhen", "not_permitted"), ("fuzhou", "rule_not_found"),
])  # fmt: skip
def test_each_city_answers_by_its_own_policy(server, server_settings, tmp_path, profile: str, code: str):
    with opened_street(server, server_settings, profile=profile, keys=tmp_path / "keys") as city:
        assert set(tried(city).values()) == {code}


def test_the_three_bodies_can_let_fuzhou_give(server, server_settings, tmp_path):
    with opened_street(server, server_settings, profile="fuzhou", keys=tmp_path / "keys") as city:
        city.run(lambda s: put_in_force(s, policy.CREDITS_TRANSFERABLE, 1, DAY))
        assert set(tried(city).values()) == {"done"}


def test_a_gift_that_waits_when_giving_ends_is_not_accepted_and_comes_back(street: Street):
    giver, (receiver, number) = street.neighbour(10), street.with_number()
    gift = street.gives(giver, number)
    with street.decided(policy.CREDITS_TRANSFERABLE, 0, LAST_DAY):
        said = code_of(street.database, lambda s: circulation.accept_gift(s, gift.handle, receiver=receiver, on=LAST_DAY))
        assert said == "not_permitted"
        assert street.declines(gift, receiver, on=LAST_DAY).state == "declined"
    assert street.purse(giver) == [(10, 10)]
