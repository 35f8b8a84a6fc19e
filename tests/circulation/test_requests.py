"""One person asks another for credits, and whoever is asked decides (Article 18)."""

from datetime import date, timedelta

import pytest

from carbonhui import circulation, participants, policy
from tests.circulation.statements import statements_of
from tests.circulation.street import LAST_DAY, NOW, TOO_LATE, Street, street
from tests.ledger.books import DAY, code_of, fresh, refusal_of

__all__ = ["street"]


def accepts(street: Street, request: circulation.Request, asked, on=DAY) -> circulation.Request:
    return street.run(lambda s: circulation.accept_request(s, request.handle, asked=asked, on=on))


def accepting(street: Street, request: circulation.Request, asked, on=DAY) -> str:
    """What accepting is answered."""
    return code_of(street.database, lambda s: circulation.accept_request(s, request.handle, asked=asked, on=on))


def test_whoever_is_asked_gives_at_once(street: Street):
    asker, (asked, number) = street.neighbour(), street.with_number(10)
    request = street.asks(asker, number, 4, reason="family")
    assert (request.state, request.until, street.purse(asker, asked)) == ("waiting", LAST_DAY, [(0, 0), (10, 10)])
    [found] = street.run(lambda s: circulation.requests_of(s, asked, made=False, on=DAY))
    assert (found.handle, found.reason) == (request.handle, "family")
    assert accepts(street, request, asked).state == accepts(street, request, asked).state == "accepted"
    assert street.purse(asker, asked) == [(4, 4), (6, 6)]
    assert street.told(asker) == ["credit.received", "request.accepted"]
    assert street.told(asked) == ["request.received", "gift.made"]


def test_a_request_can_be_made_by_the_code_that_the_other_shows(street: Street):
    asker, asked = street.neighbour(), street.neighbour(10)
    words = {"asker": asker, "receive_code": street.shows(asked), "credits": 3, "reference": fresh("request"), "on": DAY}
    request = street.run(lambda s: circulation.ask_by_code(s, street.vault, **words, now=NOW))
    again = street.run(lambda s: circulation.ask_by_code(s, street.vault, **words, now=NOW + timedelta(hours=1)))
    assert again == request
    assert accepts(street, request, asked).state == "accepted"
    late, made_up = {"now": NOW + timedelta(minutes=6)}, {"now": NOW, "receive_code": "40" + "0" * 34}
    for wrong in (late, made_up):
        said = {**words, "reference": fresh(), **wrong}
        assert code_of(street.database, lambda s, said=said: circulation.ask_by_code(s, street.vault, **said)) == "receive_code_invalid"


def test_whoever_is_asked_may_decline_and_whoever_asks_may_take_it_back(street: Street):
    asker, (asked, number) = street.neighbour(), street.with_number(10)
    declined = street.asks(asker, number)
    assert street.run(lambda s: circulation.decline_request(s, declined.handle, asked=asked, on=DAY)).state == "declined"
    cancelled = street.asks(asker, number)
    assert street.run(lambda s: circulation.cancel_request(s, cancelled.handle, asker=asker, on=DAY)).state == "cancelled"
    for request in (declined, cancelled):
        assert accepting(street, request, asked) == "request_not_waiting"
    assert street.purse(asker, asked) == [(0, 0), (10, 10)]
    assert street.told(asker) == ["request.declined"]
    assert street.told(asked) == ["request.received", "request.received", "request.cancelled"]


def test_who_may_take_nothing_by_now_is_given_nothing_and_the_other_is_not_told_why(street: Street):
    asker, (asked, number) = street.neighbour(), street.with_number(10)
    request = street.asks(asker, number, 4)
    born = street.id_number(date(2015, 3, 2))
    restricted = street.run(lambda s: participants.prove_real_name(s, street.vault, asker, name="张小明", id_number=born, on=DAY))
    assert restricted.state == "restricted"
    assert accepting(street, request, asked) == "request_not_waiting"
    assert street.purse(asker, asked) == [(0, 0), (10, 10)]
    assert street.run(lambda s: circulation.decline_request(s, request.handle, asked=asked, on=DAY)).state == "declined"


def test_a_request_lapses(street: Street):
    asker, (asked, number) = street.neighbour(), street.with_number(10)
    request = street.asks(asker, number)
    assert accepting(street, request, asked, on=TOO_LATE) == "request_not_waiting"
    street.run(lambda s: circulation.lapse_gifts(s, on=TOO_LATE))
    assert street.run(lambda s: circulation.request_of(s, request.handle, asker)).state == "lapsed"
    assert street.told(asker) == ["request.lapsed"]


def test_who_has_too_little_refuses_without_ending_the_request(street: Street):
    asker, (asked, number) = street.neighbour(), street.with_number(3)
    request = street.asks(asker, number, 4)
    assert code_of(street.database, lambda s: circulation.accept_request(s, request.handle, asked=asked, on=DAY)) == "not_enough"
    assert street.run(lambda s: circulation.request_of(s, request.handle, asked)).state == "waiting"


def test_nobody_is_asked_again_before_they_answered_whether_the_number_is_known_or_not(street: Street):
    asker, (_, known), unknown = street.neighbour(), street.with_number(), street.mobile()
    for number in (known, unknown):
        street.asks(asker, number)
        assert code_of(street.database, lambda s, n=number: circulation.ask_mobile(
            s, street.vault, asker=asker, mobile=n, credits=1, reference=fresh(), on=DAY
        )) == "request_waits_already"  # fmt: skip


def test_a_request_that_is_repeated_is_made_once(street: Street):
    asker, (_, number), reference = street.neighbour(), street.with_number(), fresh("request")
    first = street.asks(asker, number, reference=reference)
    assert street.asks(asker, number, reference=reference) == first
    for words in ({"credits": 6}, {"mobile": street.mobile()}, {"reason": "pool"}, {"asker": street.neighbour()}):
        said = {"asker": asker, "mobile": number, "credits": 5, "reference": reference, "on": DAY, **words}
        assert code_of(street.database, lambda s, said=said: circulation.ask_mobile(s, street.vault, **said)) == "reference_reused"


def test_asking_a_known_and_an_unknown_number_asks_the_store_the_same_questions(street: Street):
    asker, numbers = street.neighbour(), [street.with_number()[1], street.mobile(), street.with_number()[1], street.mobile()]
    asked = [
        statements_of(street.database, lambda s, n=number: circulation.ask_mobile(
            s, street.vault, asker=asker, mobile=n, credits=1, reference=fresh("request"), on=DAY
        ))
        for number in numbers
    ]  # fmt: skip
    assert all(one == asked[0] for one in asked) and len(asked[0]) > 5


def test_whoever_registers_the_number_later_is_asked_then(street: Street):
    asker, number = street.neighbour(), street.mobile()
    request = street.asks(asker, number)
    asked = street.neighbour(10, mobile=number)
    assert street.run(lambda s: circulation.meet(s, asked, on=DAY)) == 1
    assert street.told(asked) == ["request.received"]
    assert accepts(street, request, asked).state == "accepted"


def test_nobody_else_sees_or_answers_a_request_nor_asks_themselves(street: Street):
    (asker, own), (asked, number), stranger = street.with_number(), street.with_number(10), street.neighbour(10)
    request = street.asks(asker, number)
    for work in (
        lambda s: circulation.request_of(s, request.handle, stranger),
        lambda s: circulation.accept_request(s, request.handle, asked=stranger, on=DAY),
        lambda s: circulation.accept_request(s, request.handle, asked=asker, on=DAY),
        lambda s: circulation.decline_request(s, request.handle, asked=stranger, on=DAY),
        lambda s: circulation.cancel_request(s, request.handle, asker=asked, on=DAY),
    ):
        assert code_of(street.database, work) == "request_unknown"
    assert code_of(street.database, lambda s: circulation.ask_mobile(
        s, street.vault, asker=asker, mobile=own, credits=1, reference=fresh(), on=DAY
    )) == "self_transfer"  # fmt: skip


def test_only_so_many_requests_of_one_person_wait(street: Street):
    asker = street.neighbour()
    with street.decided(policy.GIFTS_WAITING_MAX, 1):
        street.asks(asker, street.mobile())
        assert refusal_of(street.database, lambda s: circulation.ask_mobile(
            s, street.vault, asker=asker, mobile=street.mobile(), credits=1, reference=fresh(), on=DAY
        )).facts == {"waiting": 1, "most": 1}  # fmt: skip


@pytest.mark.parametrize("credits", [0, -1, 2**53, 10**30, True, 1.5])
def test_nobody_asks_for_nothing_or_for_more_than_there_can_be(street: Street, credits):
    assert code_of(street.database, lambda s: circulation.ask_mobile(
        s, street.vault, asker=street.neighbour(), mobile=street.mobile(), credits=credits, reference=fresh(), on=DAY
    )) in ("amount_out_of_range", "amount_not_whole")  # fmt: skip
