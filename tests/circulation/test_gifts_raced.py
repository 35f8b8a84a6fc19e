"""Many hands at one gift: it moves once or comes back once, and no purse holds more than the city lets it (Article 18)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from carbonhui import circulation, policy
from carbonhui.core.refusals import Refusal
from carbonhui.participants import Person
from tests.circulation.street import TOO_LATE, Street, street
from tests.ledger.books import DAY, fresh

__all__ = ["street"]

RACES = 25


def raced(*works: Callable[[], Any]) -> list[str]:
    """All at once; ``done`` or the refusal's code of each."""
    line = Barrier(len(works))

    def run(work: Callable[[], Any]) -> str:
        line.wait()
        try:
            work()
        except Refusal as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(len(works)) as hands:
        return list(hands.map(run, works))


def test_accepting_and_taking_back_at_once_does_one_of_them(street: Street):
    seen: Counter[str] = Counter()
    for _ in range(RACES):
        giver, (receiver, number) = street.neighbour(5), street.with_number()
        gift = street.gives(giver, number)
        said = raced(
            lambda g=gift, r=receiver: street.accepts(g, r), lambda g=gift, w=giver: street.cancels(g, w),
            lambda g=gift, r=receiver: street.accepts(g, r),
        )  # fmt: skip
        state = street.run(lambda s, g=gift, w=giver: circulation.gift_of(s, g.handle, w)).state
        assert (said[1] == "done") == (state == "cancelled")
        assert (said[0] == said[2] == "done") == (state == "accepted")
        assert street.purse(giver, receiver) == ([(5, 5), (0, 0)] if state == "cancelled" else [(0, 0), (5, 5)])
        seen[state] += 1
    assert sum(seen.values()) == RACES


def test_lapsing_by_two_clocks_and_declining_at_once_frees_the_credits_once(street: Street):
    for _ in range(RACES):
        giver, (receiver, number) = street.neighbour(5), street.with_number()
        gift = street.gives(giver, number)
        raced(
            lambda: street.run(lambda s: circulation.lapse_gifts(s, on=TOO_LATE)),
            lambda: street.run(lambda s: circulation.lapse_gifts(s, on=TOO_LATE)),
            lambda g=gift, r=receiver: street.declines(g, r),
        )
        street.run(lambda s: circulation.lapse_gifts(s, on=TOO_LATE))
        assert street.purse(giver) == [(5, 5)]


def test_no_two_givers_together_bring_a_person_above_the_holding_limit(street: Street):
    with street.decided(policy.PERSON_HOLDING_MAX, 8):
        for _ in range(RACES):
            one, two, receiver = street.neighbour(5), street.neighbour(5), street.neighbour()
            code = street.shows(receiver)
            said = raced(*(lambda g=giver, c=code: street.gives_by_code(g, c, 5) for giver in (one, two)))
            assert sorted(said) == ["done", "receiver_full"]
            assert street.purse(receiver) == [(5, 5)]


def test_no_two_at_once_pass_the_limit_of_what_waits(street: Street):
    with street.decided(policy.GIFTS_WAITING_MAX, 1):
        for _ in range(RACES):
            giver, numbers = street.neighbour(5), [street.mobile(), street.mobile()]
            said = raced(*(lambda n=number, g=giver: street.gives(g, n, 1) for number in numbers))
            assert sorted(said) == ["done", "too_many_waiting"]


def test_the_same_gift_sent_twice_at_once_is_made_once(street: Street):
    for _ in range(RACES):
        giver, (_, number), reference = street.neighbour(5), street.with_number(), fresh("gift")
        assert raced(*(lambda g=giver, n=number, r=reference: street.gives(g, n, 2, reference=r) for _ in range(3))) == ["done"] * 3
        assert street.purse(giver) == [(5, 3)]


def test_gifts_both_ways_at_once_never_wait_for_each_other(street: Street):
    """Without a second attempt: purses are locked in the order of their numbers, whoever gives."""

    def accepts(gift: circulation.Gift, receiver: Person) -> None:
        with street.database.begin() as session:
            circulation.accept_gift(session, gift.handle, receiver=receiver, on=DAY)

    for _ in range(RACES):
        (one, first), (two, second) = street.with_number(5), street.with_number(5)
        there, back = street.gives(one, second), street.gives(two, first)
        assert raced(lambda g=there, w=two: accepts(g, w), lambda g=back, w=one: accepts(g, w)) == ["done", "done"]
        assert street.purse(one, two) == [(5, 5), (5, 5)]


def test_a_request_accepted_twice_at_once_gives_once(street: Street):
    for _ in range(RACES):
        asker, (asked, number) = street.neighbour(), street.with_number(10)
        request = street.asks(asker, number)
        said = raced(*(
            lambda r=request, a=asked: street.run(lambda s: circulation.accept_request(s, r.handle, asked=a, on=DAY)) for _ in range(3)
        ))  # fmt: skip
        assert said == ["done"] * 3
        assert street.purse(asker, asked) == [(5, 5), (5, 5)]
