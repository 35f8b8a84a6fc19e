"""Credits are given by mobile number and by code, and whoever is given them says whether they take them (Article 18)."""

from datetime import date, timedelta
from uuid import uuid4

import psycopg
import pytest

from carbonhui import circulation, ledger, participants, policy, privacy
from tests.circulation.statements import statements_of
from tests.circulation.street import LAST_DAY, NOW, TOO_LATE, Street, street
from tests.ledger.books import DAY, breaking, code_of, fresh, mint_to, refusal_of
from tests.participants.people import sqlstate_of

__all__ = ["street"]


# Waiting -------------------------------------------------------------------------------------------


def test_a_gift_by_number_waits_and_moves_when_it_is_accepted(street: Street):
    (giver, _), (receiver, number) = street.with_number(10), street.with_number()
    gift = street.gives(giver, number, 4, greeting="birthday")
    assert (gift.state, gift.until, street.purse(giver, receiver)) == ("waiting", LAST_DAY, [(10, 6), (0, 0)])
    [found] = street.received(receiver)
    assert (found.handle, found.credits, found.greeting) == (gift.handle, 4, "birthday")
    accepted = street.accepts(gift, receiver)
    assert (accepted.state, accepted.ended_on, street.purse(giver, receiver)) == ("accepted", DAY, [(6, 6), (4, 4)])
    assert street.told(giver) == ["gift.sent", "gift.accepted"]
    assert street.told(receiver) == ["gift.waiting", "credit.received"]


def test_the_movement_is_from_giver_to_receiver_and_the_clearing_account_stays_empty(street: Street):
    (giver, _), (receiver, number) = street.with_number(5), street.with_number()
    street.accepts(street.gives(giver, number), receiver)
    with street.database.begin() as session:
        [line] = ledger.statement(session, receiver.account_id).lines
        clearing = ledger.balance_of(session, ledger.system_account(session, ledger.Kind.CLEARING))
    assert (line.purpose, line.counterpart, line.amount) == (ledger.Purpose.GIVE, giver.account_id, 5)
    assert (clearing.posted, clearing.held) == (0, 0)


def test_a_number_that_nobody_has_is_answered_like_any_other(street: Street):
    giver, (_, known), unknown = street.neighbour(10), street.with_number(), street.mobile()
    answers = [street.gives(giver, number) for number in (known, unknown)]
    told = [(a.state, a.credits, a.until, a.ended_on, a.transfer, a.greeting) for a in answers]
    assert told[0] == told[1]
    assert street.told(giver) == ["gift.sent", "gift.sent"]


def test_giving_to_a_known_and_to_an_unknown_number_asks_the_store_the_same_questions(street: Street):
    """Nobody learns by a watch what they do not learn by the answer."""
    giver, (_, known), unknown = street.neighbour(100), street.with_number(), street.mobile()
    street.gives(giver, known)
    asked = []
    for number in (known, unknown, known, unknown):
        asked.append(statements_of(street.database, lambda s, n=number: circulation.give_to_mobile(
            s, street.vault, giver=giver, mobile=n, credits=1, reference=fresh("gift"), on=DAY
        )))  # fmt: skip
    assert asked[0] == asked[1] == asked[2] == asked[3]
    assert len(asked[0]) > 8


def test_whoever_registers_the_number_later_finds_the_gift(street: Street):
    giver, number = street.neighbour(10), street.mobile()
    gift = street.gives(giver, number)
    receiver = street.neighbour(mobile=number)
    assert street.run(lambda s: circulation.meet(s, receiver, on=DAY)) == 1
    assert street.told(receiver) == ["gift.waiting"]
    assert street.run(lambda s: circulation.meet(s, receiver, on=DAY)) == 0
    assert street.accepts(gift, receiver).state == "accepted"
    assert street.purse(giver, receiver) == [(5, 5), (5, 5)]


def test_a_gift_is_found_in_the_list_even_where_no_sign_in_met_it(street: Street):
    giver, number = street.neighbour(10), street.mobile()
    street.gives(giver, number)
    receiver = street.neighbour(mobile=number)
    assert [gift.credits for gift in street.received(receiver)] == [5]


def test_who_takes_over_another_number_does_not_find_what_waited_for_the_former_holder(street: Street):
    giver, (former, number) = street.neighbour(10), street.with_number()
    gift = street.gives(giver, number)
    other = street.mobile()
    street.run(lambda s: participants.change_mobile(s, street.vault, former, mobile=other))
    newcomer = street.neighbour(mobile=number)
    assert street.received(newcomer) == []
    assert street.accepts(gift, former).state == "accepted"


def test_nobody_else_sees_answers_or_takes_back_a_gift(street: Street):
    giver, (receiver, number), stranger = street.neighbour(10), street.with_number(), street.neighbour()
    gift = street.gives(giver, number)
    for work in (
        lambda s: circulation.gift_of(s, gift.handle, stranger),
        lambda s: circulation.accept_gift(s, gift.handle, receiver=stranger, on=DAY),
        lambda s: circulation.accept_gift(s, gift.handle, receiver=giver, on=DAY),
        lambda s: circulation.decline_gift(s, gift.handle, receiver=stranger, on=DAY),
        lambda s: circulation.cancel_gift(s, gift.handle, giver=receiver, on=DAY),
        lambda s: circulation.accept_gift(s, uuid4(), receiver=receiver, on=DAY),
    ):
        assert code_of(street.database, work) == "gift_unknown"


# Ending --------------------------------------------------------------------------------------------


def test_a_declined_gift_is_the_givers_again(street: Street):
    giver, (receiver, number) = street.neighbour(10), street.with_number()
    gift = street.gives(giver, number)
    assert street.declines(gift, receiver).state == street.declines(gift, receiver).state == "declined"
    assert street.purse(giver, receiver) == [(10, 10), (0, 0)]
    assert street.told(giver) == ["gift.sent", "gift.declined"]


def test_the_giver_takes_back_what_still_waits(street: Street):
    giver, (receiver, number) = street.neighbour(10), street.with_number()
    gift = street.gives(giver, number)
    assert street.cancels(gift, giver).state == "cancelled"
    assert street.purse(giver) == [(10, 10)]
    assert street.told(receiver) == ["gift.waiting", "gift.cancelled"]
    refusal = refusal_of(street.database, lambda s: circulation.accept_gift(s, gift.handle, receiver=receiver, on=DAY))
    assert (refusal.code, refusal.facts["state"]) == ("gift_not_waiting", "cancelled")


def test_what_is_accepted_is_accepted_once_and_never_taken_back(street: Street):
    giver, (receiver, number) = street.neighbour(10), street.with_number()
    gift = street.gives(giver, number)
    first, again = street.accepts(gift, receiver), street.accepts(gift, receiver)
    assert first == again
    assert street.purse(giver, receiver) == [(5, 5), (5, 5)]
    for work in (
        lambda s: circulation.cancel_gift(s, gift.handle, giver=giver, on=DAY),
        lambda s: circulation.decline_gift(s, gift.handle, receiver=receiver, on=DAY),
    ):
        assert code_of(street.database, work) == "gift_not_waiting"
    assert street.told(receiver) == ["gift.waiting", "credit.received"]


def test_a_gift_can_be_accepted_on_its_last_day_and_not_a_day_later(street: Street):
    giver, (receiver, number) = street.neighbour(10), street.with_number()
    in_time, late = street.gives(giver, number), street.gives(giver, number)
    assert street.accepts(in_time, receiver, on=LAST_DAY).state == "accepted"
    refusal = refusal_of(street.database, lambda s: circulation.accept_gift(s, late.handle, receiver=receiver, on=TOO_LATE))
    assert (refusal.code, refusal.facts["state"]) == ("gift_not_waiting", "lapsed")
    assert street.run(lambda s: circulation.lapse_gifts(s, on=LAST_DAY)) == 0
    street.run(lambda s: circulation.lapse_gifts(s, on=TOO_LATE))
    assert street.run(lambda s: circulation.gift_of(s, late.handle, giver)).state == "lapsed"
    assert street.purse(giver) == [(5, 5)]
    assert street.told(giver)[-1] == "gift.lapsed"


def test_a_gift_whose_promise_ended_by_itself_is_not_accepted(street: Street):
    """The clock stood still for days: the promise is gone, and the gift must not take what was never kept for it."""
    giver, (receiver, number) = street.neighbour(5), street.with_number()
    gift = street.gives(giver, number)
    with breaking(street.database) as owner:
        owner.execute("UPDATE hold SET expires_at = clock_timestamp() WHERE id = %s", (gift.hold,))
    assert street.run(lambda s: ledger.expire(s)) == 1
    refusal = refusal_of(street.database, lambda s: circulation.accept_gift(s, gift.handle, receiver=receiver, on=DAY))
    assert (refusal.code, refusal.facts["state"]) == ("gift_not_waiting", "lapsed")
    assert street.broken() == []
    street.run(lambda s: circulation.lapse_gifts(s, on=TOO_LATE))
    assert street.purse(giver, receiver) == [(5, 5), (0, 0)]


def test_gifts_lapse_a_few_at_a_time_and_begin_anew_where_it_stopped(street: Street):
    people = [street.neighbour(2) for _ in range(5)]
    for person in people:
        street.gives(person, street.mobile(), 2)
    ended = [street.run(lambda s: circulation.lapse_gifts(s, on=TOO_LATE, most=2)) for _ in range(4)]
    assert ended[:2] == [2, 2] and ended[-1] == 0
    assert street.purse(*people) == [(2, 2)] * 5


def test_the_number_is_forgotten_as_soon_as_the_gift_ends(street: Street):
    giver, (receiver, number) = street.neighbour(10), street.with_number()
    for end in (street.accepts, street.declines):
        end(street.gives(giver, number), receiver)
    street.cancels(street.gives(giver, street.mobile()), giver)
    assert street.rows(f"SELECT DISTINCT mobile_digest FROM gift WHERE giver = {giver.account_id}") == [(None,)]


# Limits --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("credits", [0, -1, 11, 2**53, 10**30, True, 1.0])
def test_nobody_gives_what_they_do_not_have_nor_nothing(street: Street, credits: int):
    giver, (_, number) = street.neighbour(10), street.with_number()
    code = code_of(street.database, lambda s: circulation.give_to_mobile(
        s, street.vault, giver=giver, mobile=number, credits=credits, reference=fresh("gift"), on=DAY
    ))  # fmt: skip
    assert code in ("not_enough", "amount_out_of_range", "amount_not_whole")
    assert street.purse(giver) == [(10, 10)]


def test_what_waits_cannot_be_spent_and_not_be_given_twice(street: Street):
    giver, (_, number) = street.neighbour(10), street.with_number()
    street.gives(giver, number, 6)
    assert code_of(street.database, lambda s: circulation.give_to_mobile(
        s, street.vault, giver=giver, mobile=number, credits=5, reference=fresh("gift"), on=DAY
    )) == "not_enough"  # fmt: skip
    street.gives(giver, number, 4)


def test_nobody_gives_to_their_own_number(street: Street):
    giver, number = street.with_number(10)
    assert code_of(street.database, lambda s: circulation.give_to_mobile(
        s, street.vault, giver=giver, mobile=number, credits=1, reference=fresh("gift"), on=DAY
    )) == "self_transfer"  # fmt: skip
    unknown = street.mobile()
    street.gives(giver, unknown, 1)
    street.run(lambda s: participants.change_mobile(s, street.vault, giver, mobile=unknown))
    assert street.received(giver) == []


def test_only_so_many_gifts_of_one_person_wait(street: Street):
    giver = street.neighbour(10)
    with street.decided(policy.GIFTS_WAITING_MAX, 2):
        waiting = [street.gives(giver, street.mobile(), 1) for _ in range(2)]
        refusal = refusal_of(street.database, lambda s: circulation.give_to_mobile(
            s, street.vault, giver=giver, mobile=street.mobile(), credits=1, reference=fresh("gift"), on=DAY
        ))  # fmt: skip
        assert (refusal.code, refusal.facts) == ("too_many_waiting", {"waiting": 2, "most": 2})
        street.cancels(waiting[0], giver)
        street.gives(giver, street.mobile(), 1)


def test_who_makes_and_takes_back_all_day_is_stopped_until_tomorrow(street: Street):
    """Each tells somebody: nobody's inbox is filled by gifts and requests that are taken back at once."""
    (giver, _), (receiver, number) = street.with_number(10), street.with_number()
    with street.decided(policy.GIFTS_WAITING_MAX, 2):
        for _ in range(2):
            street.cancels(street.gives(giver, number, 1), giver)
            request = street.asks(giver, number)
            street.run(lambda s, request=request: circulation.cancel_request(s, request.handle, asker=giver, on=DAY))
        for verb, who in ((circulation.give_to_mobile, "giver"), (circulation.ask_mobile, "asker")):
            words = {who: giver, "mobile": number, "credits": 1}
            refusal = refusal_of(street.database, lambda s, verb=verb, words=words: verb(
                s, street.vault, **words, reference=fresh(), on=DAY
            ))  # fmt: skip
            assert (refusal.code, refusal.facts) == ("too_many_taken_back", {"taken_back": 2, "most": 2})
            assert code_of(street.database, lambda s, verb=verb, words=words: verb(
                s, street.vault, **words, reference=fresh(), on=DAY + timedelta(days=1)
            )) == "done"  # fmt: skip
    assert len(street.told(receiver)) == 10


def test_a_person_holds_no_more_by_gifts_than_the_city_lets_them(street: Street):
    giver, (receiver, number) = street.neighbour(20), street.with_number(3)
    with street.decided(policy.PERSON_HOLDING_MAX, 8):
        fits, over = street.gives(giver, number, 5), street.gives(giver, number, 1)
        assert street.accepts(fits, receiver).state == "accepted"
        refusal = refusal_of(street.database, lambda s: circulation.accept_gift(s, over.handle, receiver=receiver, on=DAY))
        assert (refusal.code, refusal.facts) == ("receiver_full", {"most": 8})
        assert street.purse(giver, receiver) == [(15, 14), (8, 8)]
        assert street.accepts(fits, receiver).state == "accepted"
        code = street.shows(receiver)
        assert code_of(street.database, lambda s: circulation.give_by_code(
            s, street.vault, giver=giver, receive_code=code, credits=1, reference=fresh("gift"), on=DAY, now=NOW
        )) == "receiver_full"  # fmt: skip


def test_what_a_person_put_into_pools_counts_towards_what_they_hold(street: Street):
    """Nobody makes room for gifts by parking credits in a pool and calling it off."""
    giver, (receiver, number) = street.neighbour(20), street.with_number(8)

    def pooled(goal: int, credits: int) -> circulation.Pool:
        pool = street.run(lambda s: circulation.open_pool(
            s, street.vault, owner=receiver.account_id, title="x", goal_credits=goal, purpose="neutralisation", target=None,
            deadline=LAST_DAY, on=DAY,
        ))  # fmt: skip
        street.run(lambda s: circulation.contribute(
            s, pool.id, payer=receiver.account_id, credits=credits, reference=fresh("contribution"), business_date=DAY
        ))  # fmt: skip
        return pool

    def accepting(gift: circulation.Gift) -> str:
        return code_of(street.database, lambda s: circulation.accept_gift(s, gift.handle, receiver=receiver, on=DAY))

    with street.decided(policy.PERSON_HOLDING_MAX, 8):
        parked, spent = pooled(100, 5), pooled(3, 3)
        gift = street.gives(giver, number, 1)
        assert (street.purse(receiver), accepting(gift)) == ([(0, 0)], "receiver_full")

        def used(session):
            account = circulation.use_pool(session, spent.id, owner_account=receiver.account_id, purpose="neutralisation", on=DAY)
            retirement = ledger.system_account(session, ledger.Kind.RETIREMENT)
            ledger.post(
                session, purpose=ledger.Purpose.RETIRE, source=account, target=retirement, amount=3, reference=fresh(), business_date=DAY
            )  # fmt: skip

        street.run(used)
        assert accepting(gift) == "done"
        assert accepting(street.gives(giver, number, 2)) == "done"
        over = street.gives(giver, number, 1)
        assert accepting(over) == "receiver_full"
        street.run(lambda s: circulation.cancel_pool(s, parked.id, owner_account=receiver.account_id, on=DAY))
        assert accepting(over) == "receiver_full"
        while street.run(lambda s: circulation.conclude_pools(s, on=DAY)):
            pass
        assert (street.purse(receiver), accepting(over)) == ([(8, 8)], "receiver_full")


def test_what_a_person_earns_is_never_refused_by_the_holding_limit(street: Street):
    receiver = street.neighbour()
    with street.decided(policy.PERSON_HOLDING_MAX, 5):
        street.run(lambda s: mint_to(s, receiver.account_id, 50))
    assert street.purse(receiver) == [(50, 50)]


# Repeating -----------------------------------------------------------------------------------------


def test_a_gift_that_is_repeated_is_made_once(street: Street):
    giver, (receiver, number) = street.neighbour(10), street.with_number()
    reference = fresh("gift")
    first = street.gives(giver, number, 3, reference=reference)
    assert street.gives(giver, number, 3, reference=reference) == first
    assert street.purse(giver) == [(10, 7)]
    for words in ({"credits": 4}, {"greeting": "love"}, {"mobile": street.mobile()}, {"giver": receiver}):
        said = {"giver": giver, "mobile": number, "credits": 3, "reference": reference, "on": DAY, **words}
        assert code_of(street.database, lambda s, said=said: circulation.give_to_mobile(s, street.vault, **said)) == "reference_reused"
    accepted = street.accepts(first, receiver)
    assert street.gives(giver, number, 3, reference=reference) == accepted


def test_a_gift_by_code_that_is_repeated_is_made_once_even_when_the_code_is_old(street: Street):
    giver, receiver, other = street.neighbour(10), street.neighbour(), street.neighbour()
    code, reference = street.shows(receiver), fresh("gift")
    first = street.gives_by_code(giver, code, 3, reference=reference)
    assert street.gives_by_code(giver, code, 3, reference=reference, now=NOW + timedelta(hours=1)) == first
    assert street.purse(giver, receiver) == [(7, 7), (3, 3)]
    again = street.shows(other)
    assert code_of(street.database, lambda s: circulation.give_by_code(
        s, street.vault, giver=giver, receive_code=again, credits=3, reference=reference, on=DAY, now=NOW
    )) == "reference_reused"  # fmt: skip
    assert code_of(street.database, lambda s: circulation.give_to_mobile(
        s, street.vault, giver=giver, mobile=street.mobile(), credits=3, reference=reference, on=DAY
    )) == "reference_reused"  # fmt: skip


# By code -------------------------------------------------------------------------------------------


def test_a_gift_by_code_is_made_at_once(street: Street):
    giver, receiver = street.neighbour(10), street.neighbour()
    gift = street.gives_by_code(giver, street.shows(receiver), 4, greeting="thanks")
    assert (gift.state, gift.receiver, street.purse(giver, receiver)) == ("accepted", receiver.account_id, [(6, 6), (4, 4)])
    assert street.told(giver) == ["gift.made"]
    assert street.told(receiver) == ["credit.received"]
    assert [found.handle for found in street.received(receiver)] == [gift.handle]


def test_a_code_is_good_for_five_minutes(street: Street):
    giver, receiver = street.neighbour(10), street.neighbour()
    code = street.shows(receiver)
    for seconds, said in ((0, "done"), (300, "done"), (301, "receive_code_invalid"), (-1, "receive_code_invalid")):
        assert code_of(street.database, lambda s, at=NOW + timedelta(seconds=seconds): circulation.give_by_code(
            s, street.vault, giver=giver, receive_code=code, credits=1, reference=fresh("gift"), on=DAY, now=at
        )) == said  # fmt: skip


def test_a_code_cannot_be_altered_or_made_up(street: Street):
    receiver = street.neighbour()
    code = street.shows(receiver)
    assert circulation.account_behind(street.vault, code, now=NOW) == receiver.account_id
    altered = [f"{code[:at]}{(int(code[at]) + 1) % 10}{code[at + 1:]}" for at in range(len(code))]
    guessed = [f"{code[:14]}{number:022d}" for number in range(0, 10**22, 10**19)]
    for wrong in (*altered, *guessed, "", code[:-1], code + "0", "47" + code[2:], "４０" + code[2:], code.replace("0", "٠")):
        with pytest.raises(circulation.ReceiveCodeInvalid):
            circulation.account_behind(street.vault, wrong, now=NOW)


def test_a_code_shows_neither_the_account_nor_the_same_twice(street: Street):
    one, two = street.neighbour(), street.neighbour()
    codes = {street.shows(who, NOW + timedelta(seconds=number)) for who in (one, two) for number in range(50)}
    assert len(codes) == 100
    assert all(code.startswith("40") and len(code) == 36 for code in codes)


# Whose age or state forbids ------------------------------------------------------------------------


def test_somebody_restricted_neither_gives_nor_takes(street: Street):
    giver, child = street.neighbour(10), street.neighbour(10)
    number = street.mobile()
    street.run(lambda s: participants.change_mobile(s, street.vault, child, mobile=number))
    gift = street.gives(giver, number)
    code = street.shows(child)
    restricted = street.run(lambda s: participants.prove_real_name(
        s, street.vault, child, name="张小明", id_number=street.id_number(date(2015, 3, 2)), on=DAY
    ))  # fmt: skip
    assert restricted.state == "restricted"
    for work in (
        lambda s: circulation.give_to_mobile(
            s, street.vault, giver=restricted, mobile=street.mobile(), credits=1, reference=fresh(), on=DAY
        ),
        lambda s: circulation.accept_gift(s, gift.handle, receiver=restricted, on=DAY),
        lambda s: circulation.ask_mobile(s, street.vault, asker=restricted, mobile=street.mobile(), credits=1, reference=fresh(), on=DAY),
    ):
        assert code_of(street.database, work) == "person_restricted"
    assert code_of(street.database, lambda s: circulation.give_by_code(
        s, street.vault, giver=giver, receive_code=code, credits=1, reference=fresh(), on=DAY, now=NOW
    )) == "receive_code_invalid"  # fmt: skip


def test_who_leaves_leaves_nothing_waiting(street: Street):
    (leaver, number), friend = street.with_number(10), street.neighbour(10)
    sent, got = street.gives(leaver, street.mobile(), 4), street.gives(friend, number, 3)
    asked = street.asks(friend, number)
    asks = street.asks(leaver, street.mobile())
    assert code_of(street.database, lambda s: participants.erase_person(s, street.vault, leaver, on=DAY)) == "erasure_waits_for_holds"

    def leave(session):
        assert circulation.end_waiting(session, leaver, on=TOO_LATE) == 4
        participants.erase_person(session, street.vault, leaver, on=TOO_LATE)

    street.run(leave)
    assert street.purse(friend) == [(10, 10)]
    states = {name: street.rows(f"SELECT state FROM {table} WHERE id = {one.id}") for name, table, one in (
        ("sent", "gift", sent), ("got", "gift", got), ("asked", "credit_request", asked), ("asks", "credit_request", asks)
    )}  # fmt: skip
    assert states == {"sent": [("cancelled",)], "got": [("declined",)], "asked": [("declined",)], "asks": [("cancelled",)]}


def test_a_gift_to_the_number_of_somebody_erased_waits_for_nobody_and_comes_back(street: Street):
    (leaver, number), giver = street.with_number(), street.neighbour(10)
    street.run(lambda s: participants.erase_person(s, street.vault, leaver, on=DAY))
    gift = street.gives(giver, number)
    assert gift.receiver is None
    street.run(lambda s: circulation.lapse_gifts(s, on=TOO_LATE))
    assert street.purse(giver) == [(10, 10)]


def test_who_gives_is_seen_masked_and_the_reading_is_on_their_record(street: Street):
    giver = street.proven(name="欧阳小明")
    receiver = street.neighbour()
    reader = privacy.Reader(actor=f"person:{receiver.id}", role="person", purpose="gift_or_request")
    seen = street.run(lambda s: circulation.seen_as(s, street.vault, giver.account_id, reader))
    number = street.run(lambda s: participants.profile_of(s, street.vault, giver, reader))["mobile"]
    assert (seen.name, seen.mobile) == ("***明", f"{number[3:6]}****{number[-4:]}")
    reads = street.run(lambda s: privacy.reads_of(s, giver.subject, limit=10))
    assert [read.actor for read in reads] == [f"person:{receiver.id}"] * 2


# The store itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [
    "UPDATE gift SET credits = credits + 1", "UPDATE gift SET giver = 1", "UPDATE gift SET state = 'waiting', ended_on = NULL",
    "DELETE FROM gift", "TRUNCATE gift CASCADE", "UPDATE gift SET until = '2099-01-01'", "UPDATE credit_request SET credits = 9",
    "DELETE FROM credit_request", "UPDATE gift SET receiver = 1", "UPDATE credit_request SET asked = 1",
])  # fmt: skip
def test_nobody_rewrites_a_gift_not_even_the_owner(street: Street, words: str):
    giver, (receiver, number) = street.neighbour(10), street.with_number()
    street.gives(giver, number)
    street.accepts(street.gives(giver, number), receiver)
    street.asks(giver, number)
    assert sqlstate_of(street.database, words) == "CH001"


def test_the_check_sees_what_was_broken_by_hand(street: Street):
    giver, (receiver, number) = street.neighbour(10), street.with_number()
    waiting, done = street.gives(giver, number), street.accepts(street.gives(giver, number), receiver)
    assert street.broken() == []
    for breaks, mends, gift in (
        (f"UPDATE gift SET credits = 1 WHERE id = {waiting.id}", f"UPDATE gift SET credits = 5 WHERE id = {waiting.id}", waiting),
        (f"UPDATE gift SET credits = 1 WHERE id = {done.id}", f"UPDATE gift SET credits = 5 WHERE id = {done.id}", done),
        (f"UPDATE gift SET state = 'lapsed', ended_on = given_on, mobile_digest = NULL, key_version = NULL WHERE id = {waiting.id}",
         f"UPDATE gift SET state = 'waiting', ended_on = NULL WHERE id = {waiting.id}", waiting),
    ):  # fmt: skip
        with breaking(street.database) as owner:
            owner.execute(breaks)
        with street.database.begin() as session:
            rows = ledger.run_checks(session, circulation.CHECKS)["I14"]
        with breaking(street.database) as owner:
            owner.execute(mends)
        assert [row.row["gift"] for row in rows] == [gift.id]
    assert street.broken() == []


def test_the_check_sees_credits_left_on_a_clearing_account(street: Street):
    giver = street.neighbour(10)
    clearing = street.run(lambda s: ledger.system_account(s, ledger.Kind.CLEARING))
    street.run(lambda s: ledger.post(
        s, purpose=ledger.Purpose.GIVE, source=giver.account_id, target=clearing, amount=3, reference=fresh(), business_date=DAY
    ))  # fmt: skip
    with street.database.begin() as session:
        [row] = ledger.run_checks(session, circulation.CHECKS)["I14"]
    assert row.row["account"] == clearing
    street.run(lambda s: ledger.post(
        s, purpose=ledger.Purpose.GIVE, source=clearing, target=giver.account_id, amount=3, reference=fresh(), business_date=DAY
    ))  # fmt: skip
    assert street.broken() == []


def test_two_gifts_of_one_promise_are_refused_by_the_store(street: Street):
    giver = street.neighbour(10)
    gift = street.gives(giver, street.mobile())
    with pytest.raises(psycopg.errors.UniqueViolation), street.database.connect() as connection:
        connection.execute(
            """INSERT INTO gift (giver, credits, greeting, state, hold_id, reference, given_on, until)
               SELECT giver, credits, greeting, state, hold_id, 'other', given_on, until FROM gift WHERE id = %s""", (gift.id,)
        )  # fmt: skip
