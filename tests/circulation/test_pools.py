"""Many put credits together for one purpose, up to a goal and until a day (Articles 18, 22)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from carbonhui import circulation, ledger, participants, policy, privacy
from carbonhui.ledger import Kind, Purpose
from tests.circulation.pooling import DEADLINE, Square, square
from tests.ledger.books import DAY, code_of, fresh, put_in_force, refusal_of
from tests.participants.people import self_reader, sqlstate_of

__all__ = ["square"]


def test_what_many_put_in_reaches_the_goal_with_the_last_credit(square: Square) -> None:
    owner, first, second = square.rich(5), square.rich(8), square.rich(8)
    pool = square.pool(owner, goal=10)
    assert square.put(pool, first, 4).credits == 4
    assert (square.now_of(pool).state, square.now_of(pool).missing) == ("open", 6)
    square.put(pool, second, 6)
    reached = square.now_of(pool)
    assert (reached.state, reached.contributed, reached.contributors, reached.missing) == ("reached", 10, 2, 0)
    assert reached.use_until == DAY + timedelta(days=90)
    assert square.holds(first, second, pool.own_account) == [4, 2, 10]
    assert square.told(first) == ["pool.contributed"]
    assert square.told(owner) == ["pool.reached"]


def test_more_than_is_missing_is_refused_and_told_what_is_missing(square: Square) -> None:
    pool, payer = square.pool(goal=10), square.rich(100)
    refused = refusal_of(square.database, lambda s: circulation.contribute(
        s, pool.id, payer=payer, credits=11, reference=fresh(), business_date=DAY
    ))  # fmt: skip
    assert (refused.code, refused.facts) == ("pool_takes_less", {"asked": 11, "missing": 10})
    square.put(pool, payer, 10)
    assert square.now_of(pool).state == "reached"
    assert square.holds(payer) == [90]


@pytest.mark.parametrize(
    ("credits", "code"), [(0, "amount_out_of_range"), (-1, "amount_out_of_range"), (2**53, "amount_out_of_range"), (7, "not_enough")]
)
def test_nobody_puts_in_nothing_or_what_they_have_not(square: Square, credits: int, code: str) -> None:
    pool, payer = square.pool(goal=10), square.rich(6)
    assert code_of(square.database, lambda s: circulation.contribute(
        s, pool.id, payer=payer, credits=credits, reference=fresh(), business_date=DAY
    )) == code  # fmt: skip
    assert (square.now_of(pool).contributed, square.now_of(pool).contributors) == (0, 0)


def test_a_contribution_that_is_repeated_is_made_once_even_when_the_pool_is_full_by_then(square: Square) -> None:
    pool, payer, other = square.pool(goal=10), square.rich(20), square.rich(20)
    reference = fresh("contribution")
    first = square.put(pool, payer, 10, reference=reference)
    again = square.put(pool, payer, 10, reference=reference)
    assert (again.id, again.again, first.again) == (first.id, True, False)
    for words in ({"payer": payer, "credits": 9}, {"payer": other, "credits": 10}):
        assert code_of(square.database, lambda s, w=words: circulation.contribute(
            s, pool.id, reference=reference, business_date=DAY, **w
        )) == "reference_reused"  # fmt: skip
    assert square.holds(payer, other) == [10, 20]


def test_the_same_contribution_sent_by_eight_telephones_at_once_is_made_once(square: Square) -> None:
    pool, payer, reference = square.pool(goal=10), square.rich(100), fresh("contribution")
    with ThreadPoolExecutor(8) as phones:
        made = list(phones.map(lambda _: square.put(pool, payer, 3, reference=reference), range(8)))
    assert [one.again for one in made].count(False) == 1
    assert (square.now_of(pool).contributed, square.holds(payer)) == (3, [97])


def test_of_those_who_offer_the_last_credits_at_once_as_many_get_in_as_there_is_room_for(square: Square) -> None:
    """Raced by sixteen: the goal is never passed, and what was refused was not taken."""
    payers = [square.rich(10) for _ in range(16)]

    def offer(work: tuple[circulation.Pool, int]) -> str:
        pool, payer = work
        return code_of(square.database, lambda s: circulation.contribute(
            s, pool.id, payer=payer, credits=1, reference=fresh("race"), business_date=DAY
        ))  # fmt: skip

    with ThreadPoolExecutor(8) as phones:
        for _ in range(5):
            pool = square.pool(goal=5)
            before = sum(square.holds(*payers))
            told = list(phones.map(offer, [(pool, payer) for payer in payers]))
            assert sorted(told) == ["done"] * 5 + ["pool_not_open"] * 11
            assert before - sum(square.holds(*payers)) == 5
            assert square.now_of(pool).state == "reached"


def test_a_pool_takes_credits_until_its_last_day_and_not_a_day_longer(square: Square) -> None:
    pool, payer = square.pool(goal=10), square.rich(20)
    square.put(pool, payer, 1, on=DEADLINE)
    assert code_of(square.database, lambda s: circulation.contribute(
        s, pool.id, payer=payer, credits=1, reference=fresh(), business_date=DEADLINE + timedelta(days=1)
    )) == "pool_over"  # fmt: skip
    assert square.now_of(pool).contributed == 1


# Opening ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deadline", "code"),
    [
        (DAY - timedelta(days=1), "pool_days_wrong"),
        (DAY, "done"),
        (DAY + timedelta(days=366), "done"),
        (DAY + timedelta(days=367), "pool_days_wrong"),
    ],
)
def test_a_pool_runs_for_a_year_at_most(square: Square, deadline: date, code: str) -> None:
    owner = square.rich(1)
    assert code_of(square.database, lambda s: circulation.open_pool(
        s, square.vault, owner=owner, title="x", goal_credits=1, purpose="neutralisation", target=None, deadline=deadline, on=DAY,
    )) == code  # fmt: skip


def test_a_pool_for_a_donation_names_a_charity_and_one_for_a_purchase_a_merchant(square: Square) -> None:
    charity, merchant, owner = square.organisation("charity"), square.organisation("merchant"), square.rich(1)
    suspended = square.organisation("charity")
    organisation = square.run(lambda s: participants.organisation_of_account(s, suspended))
    square.step(organisation, "suspend")

    def asked(purpose: str, target: int | None) -> str:
        return code_of(square.database, lambda s: circulation.open_pool(
            s, square.vault, owner=owner, title="x", goal_credits=1, purpose=purpose, target=target, deadline=DEADLINE, on=DAY,
        ))  # fmt: skip

    told = [
        asked("donation", charity), asked("purchase", merchant), asked("neutralisation", None), asked("donation", merchant),
        asked("purchase", charity), asked("donation", None), asked("neutralisation", charity), asked("donation", suspended),
        asked("donation", owner),
    ]  # fmt: skip
    assert told == [
        "done", "done", "done", "account_kind_differs", "account_kind_differs", "pool_target_wrong", "pool_target_wrong",
        "organisation_not_approved", "account_kind_differs",
    ]  # fmt: skip


def test_nobody_has_more_than_twenty_open_pools(square: Square) -> None:
    owner = square.rich(1)
    opened = [square.pool(owner) for _ in range(20)]
    words = {
        "owner": owner,
        "title": "x",
        "goal_credits": 1,
        "purpose": "neutralisation",
        "target": None,
        "deadline": DEADLINE,
        "on": DAY,
    }
    assert code_of(square.database, lambda s: circulation.open_pool(s, square.vault, **words)) == "pools_too_many"
    square.run(lambda s: circulation.cancel_pool(s, opened[0].id, owner_account=owner, on=DAY))
    assert code_of(square.database, lambda s: circulation.open_pool(s, square.vault, **words)) == "done"


def test_a_persons_title_lies_in_the_vault_and_goes_with_them_an_organisations_is_public(square: Square) -> None:
    owner, emitter = square.rich(1), square.organisation("emitter")
    mine, theirs = square.pool(owner, title="为奶奶的寿宴"), square.pool(emitter, title="年会碳中和")
    assert (mine.title, theirs.title) == (None, "年会碳中和")
    reader = self_reader(square.person_of(owner))
    titles = square.run(lambda s: circulation.pool_titles(s, square.vault, [mine, theirs], reader))
    assert titles == {mine.id: "为奶奶的寿宴", theirs.id: "年会碳中和"}
    subject = square.person_of(owner).subject
    assert [read.fields for read in square.run(lambda s: privacy.reads_of(s, subject))] == [(f"pool_title:{mine.handle}",)]
    square.erase(owner)
    assert square.run(lambda s: circulation.pool_titles(s, square.vault, [mine, theirs], reader)) == {theirs.id: "年会碳中和"}


def test_a_minor_without_a_guardian_neither_opens_a_pool_nor_puts_anything_in(square: Square) -> None:
    guardian = square.proven()
    ward = square.ward(guardian, date(2015, 3, 2))
    pool = square.pool()
    square.run(lambda s: participants.end_guardianship(s, guardian, ward, on=DAY))
    assert code_of(square.database, lambda s: circulation.contribute(
        s, pool.id, payer=ward.account_id, credits=1, reference=fresh(), business_date=DAY
    )) == "person_restricted"  # fmt: skip
    assert code_of(square.database, lambda s: circulation.open_pool(
        s, square.vault, owner=ward.account_id, title="x", goal_credits=1, purpose="neutralisation", target=None, deadline=DEADLINE, on=DAY,
    )) == "person_restricted"  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "purpose", "code"),
    [
        ("merchant", "neutralisation", "contributor_not_taken"), ("merchant", "purchase", "contributor_not_taken"),
        ("merchant", "donation", "done"), ("department", "neutralisation", "contributor_not_taken"), ("department", "donation", "done"),
        ("emitter", "neutralisation", "done"), ("emitter", "purchase", "done"), ("charity", "donation", "contributor_not_taken"),
    ],
)  # fmt: skip
def test_what_merchants_and_departments_received_goes_into_pools_for_charity_only(
    square: Square, kind: str, purpose: str, code: str
) -> None:
    target = {"donation": "charity", "purchase": "merchant"}.get(purpose)
    pool = square.pool(purpose=purpose, target=square.organisation(target) if target else None)
    payer = square.organisation(kind, 5)
    assert code_of(square.database, lambda s: circulation.contribute(
        s, pool.id, payer=payer, credits=5, reference=fresh(), business_date=DAY
    )) == code  # fmt: skip


def test_where_credits_may_not_be_passed_on_nobody_pools_them(square: Square) -> None:
    """What three bodies decide holds from its day on; what was pooled before goes back all the same."""
    start = date(2027, 3, 1)
    pool, payer = square.pool(goal=10, deadline=date(2027, 6, 1)), square.rich(20)
    square.put(pool, payer, 4)

    def forbidden(session: Session) -> None:
        put_in_force(session, policy.CREDITS_TRANSFERABLE, 0, start)

    square.run(forbidden)
    assert code_of(square.database, lambda s: circulation.contribute(
        s, pool.id, payer=payer, credits=1, reference=fresh(), business_date=start
    )) == "not_permitted"  # fmt: skip
    assert code_of(square.database, lambda s: circulation.open_pool(
        s, square.vault, owner=payer, title="x", goal_credits=1, purpose="neutralisation", target=None, deadline=start, on=start,
    )) == "not_permitted"  # fmt: skip
    square.put(pool, payer, 1, on=start - timedelta(days=1))
    square.run(lambda s: circulation.cancel_pool(s, pool.id, owner_account=pool.owner, on=start))
    square.conclude(start)
    assert square.holds(payer) == [20]


# What the store itself holds ----------------------------------------------------------------------


def test_the_store_itself_keeps_a_pool_below_its_goal_and_its_record_whole(square: Square) -> None:
    pool, payer = square.pool(goal=10), square.rich(20)
    put = square.put(pool, payer, 4)
    for statement in (
        f"UPDATE pool SET contributed = 11 WHERE id = {pool.id}",
        f"UPDATE pool SET contributed = 10 WHERE id = {pool.id}",
        f"UPDATE pool SET contributed = 3 WHERE id = {pool.id}",
        f"UPDATE pool SET goal_credits = 5 WHERE id = {pool.id}",
        f"UPDATE pool SET state = 'ended', concluded_on = '2026-11-20' WHERE id = {pool.id}",
        f"UPDATE pool SET returned = 1 WHERE id = {pool.id}",
        f"UPDATE pool SET first_used_on = '2026-11-20' WHERE id = {pool.id}",
        f"DELETE FROM pool WHERE id = {pool.id}",
        f"UPDATE pool_contribution SET credits = 5 WHERE id = {put.id}",
        f"UPDATE pool_contribution SET returned = 5 WHERE id = {put.id}",
        f"DELETE FROM pool_contribution WHERE id = {put.id}",
        "TRUNCATE pool_return",
    ):
        assert sqlstate_of(square.database, statement) is not None, statement
    assert square.now_of(pool).contributed == 4


def test_a_pools_account_is_no_persons_and_its_movements_say_what_they_are(square: Square) -> None:
    pool, payer = square.pool(), square.rich(3)
    square.put(pool, payer, 3)
    with square.database.begin() as session:
        assert ledger.balance_of(session, pool.own_account).kind == Kind.CAMPAIGN
        assert ledger.statement(session, payer).lines[0].purpose == Purpose.CONTRIBUTE
