"""Credits live as many years as the city's policy says; what is past them goes to the cancellation pool (Article 18)."""

from datetime import date

import pytest

from carbonhui import circulation, ledger, policy
from carbonhui.circulation.rules import last_expired_vintage
from tests.circulation.street import Street, opened_street, street
from tests.ledger.books import DAY, fresh, mint_to, organisation, promise, put_in_force

__all__ = ["street"]

NEW_YEAR_2029 = date(2029, 1, 1)
NEW_YEARS_EVE_2028 = date(2028, 12, 31)


@pytest.fixture
def two_years(street: Street):
    """Credits may be used through the second year after their vintage."""
    with street.decided(policy.CREDIT_LIFE_YEARS, 2):
        expire(street, date(2099, 1, 1))  # what other tests left
        yield


def expire(street: Street, on: date, **words: int) -> int:
    return circulation.expire_all_credits(street.database, on=on, **words)


def vintages(street: Street, account: int) -> list[tuple[object, ...]]:
    return street.rows(
        f"SELECT first / 10^12::bigint + 2000, sum(last - first + 1) FROM block WHERE account_id = {account} GROUP BY 1 ORDER BY 1"
    )


def pool(street: Street) -> int:
    return street.run(lambda s: ledger.balance_of(s, ledger.system_account(s, ledger.Kind.CANCELLATION_POOL))).posted


def test_a_credit_lives_through_the_last_day_of_its_last_year(street: Street, two_years):
    person = street.neighbour(10, vintage=2026)
    before = pool(street)
    assert expire(street, NEW_YEARS_EVE_2028) == 0
    assert expire(street, NEW_YEAR_2029) == 1
    assert expire(street, NEW_YEAR_2029) == 0
    assert (street.purse(person), pool(street) - before) == ([(0, 0)], 10)
    assert street.told(person) == ["credit.expired"]
    with street.database.begin() as session:
        assert ledger.statement(session, person.account_id).lines[0].purpose == ledger.Purpose.EXPIRE


def test_younger_vintages_stay_and_each_vintage_is_told_apart(street: Street, two_years):
    person = street.neighbour()
    for vintage, credits in ((2024, 3), (2025, 4), (2026, 5), (2027, 6)):
        street.run(lambda s, v=vintage, c=credits: mint_to(s, person.account_id, c, vintage=v))
    assert expire(street, date(2028, 6, 1)) == 2
    assert [(int(v), int(n)) for v, n in vintages(street, person.account_id)] == [(2026, 5), (2027, 6)]
    facts = street.rows(
        "SELECT payload ->> 'vintage', payload ->> 'credits' FROM announcement"
        f" WHERE account_id = {person.account_id} AND topic = 'credit.expired' ORDER BY id"
    )
    assert facts == [("2024", "3"), ("2025", "4")]


def test_what_is_promised_waits_until_the_promise_ends(street: Street, two_years):
    person = street.neighbour(10, vintage=2026)
    shop = street.run(lambda s: organisation(s, ledger.Kind.MERCHANT))
    hold = street.run(lambda s: promise(s, person.account_id, shop, 4))
    assert expire(street, NEW_YEAR_2029) == 1
    assert street.purse(person) == [(4, 0)]
    assert expire(street, NEW_YEAR_2029) == 0
    street.run(lambda s: ledger.release(s, hold))
    assert expire(street, NEW_YEAR_2029) == 1
    assert street.purse(person) == [(0, 0)]


def test_a_promise_is_met_out_of_younger_credits_before_it_keeps_old_ones(street: Street, two_years):
    person = street.neighbour(10, vintage=2026)
    street.run(lambda s: mint_to(s, person.account_id, 5, vintage=2027))
    street.run(lambda s: promise(s, person.account_id, organisation(s, ledger.Kind.MERCHANT), 7))
    assert expire(street, NEW_YEAR_2029) == 1
    assert street.purse(person) == [(7, 0)]
    assert [(int(v), int(n)) for v, n in vintages(street, person.account_id)] == [(2026, 2), (2027, 5)]


def test_accounts_expire_a_few_at_a_time_and_none_is_looked_at_again(street: Street, two_years):
    people = [street.neighbour(2, vintage=2026) for _ in range(5)]
    accounts, found = [person.account_id for person in people], []
    shop = street.run(lambda s: organisation(s, ledger.Kind.MERCHANT))
    hold = street.run(lambda s: promise(s, accounts[0], shop, 1))
    behind = street.run(lambda s: circulation.expire_credits(s, on=NEW_YEAR_2029, after=accounts[-1]))
    assert behind == circulation.Expired(0, None)
    step = circulation.Expired(0, 0)
    while step.last is not None:
        step = street.run(lambda s, after=step.last: circulation.expire_credits(s, on=NEW_YEAR_2029, after=after, most=2))
        found.append((step.movements, step.last))
    assert found == [(2, accounts[1]), (2, accounts[3]), (1, None)]
    assert street.purse(*people) == [(1, 0), *[(0, 0)] * 4]
    street.run(lambda s: ledger.release(s, hold))
    assert expire(street, NEW_YEAR_2029, most=2) == 1


def test_an_account_that_cannot_give_just_now_keeps_back_no_other(street: Street, two_years, monkeypatch):
    """Whatever the books answer for one, the round goes on behind it, and ends."""
    people = [street.neighbour(2, vintage=2026) for _ in range(3)]
    post_many = ledger.post_many

    def refusing_the_first(session, transfers):
        first = [one for one in transfers if one.source == people[0].account_id]
        told = iter(post_many(session, [one for one in transfers if one not in first]))
        return [ledger.Outcome(None, False, ledger.AccountClosed(account=1)) if one in first else next(told) for one in transfers]

    monkeypatch.setattr(ledger, "post_many", refusing_the_first)
    assert expire(street, NEW_YEAR_2029, most=1) == 2
    assert street.purse(*people) == [(2, 2), (0, 0), (0, 0)]
    monkeypatch.undo()
    assert expire(street, NEW_YEAR_2029) == 1


def test_only_persons_credits_expire(street: Street, two_years):
    giver = street.neighbour(4, vintage=2026)
    charity = street.run(lambda s: organisation(s, ledger.Kind.CHARITY))
    street.run(lambda s: ledger.post(
        s, purpose=ledger.Purpose.DONATE, source=giver.account_id, target=charity, amount=4, reference=fresh(), business_date=DAY
    ))  # fmt: skip
    street.run(lambda s: ledger.fold(s))
    expire(street, NEW_YEAR_2029)
    assert street.run(lambda s: ledger.balance_of(s, charity)).posted == 4


def test_nothing_expires_where_the_policy_names_no_end(street: Street):
    person = street.neighbour(10, vintage=2018)
    assert expire(street, date(2099, 1, 1)) == 0
    assert street.purse(person) == [(10, 10)]


def test_nothing_expires_where_no_rule_is_known(server, server_settings, tmp_path):
    with opened_street(server, server_settings, profile="fuzhou", keys=tmp_path / "keys") as fuzhou:
        person = fuzhou.neighbour(10, vintage=2018)
        assert expire(fuzhou, date(2099, 1, 1)) == 0
        assert fuzhou.purse(person) == [(10, 10)]
        fuzhou.run(lambda s: put_in_force(s, policy.CREDIT_LIFE_YEARS, 3, DAY))
        assert expire(fuzhou, DAY) == 1


def test_shenzhens_ten_years_end_with_its_measure(server, server_settings, tmp_path):
    with opened_street(server, server_settings, profile="shenzhen", keys=tmp_path / "keys") as shenzhen:
        person = shenzhen.neighbour(10, vintage=2018)
        assert expire(shenzhen, date(2027, 8, 17)) == 0
        assert expire(shenzhen, date(2029, 1, 1)) == 0  # the measure lapsed in 2027, and nobody takes it to go on
        shenzhen.run(lambda s: put_in_force(s, policy.CREDIT_LIFE_YEARS, 10, date(2027, 8, 18)))
        assert expire(shenzhen, date(2028, 12, 31)) == 0
        assert expire(shenzhen, date(2029, 1, 1)) == 1
        assert shenzhen.purse(person) == [(0, 0)]


@pytest.mark.parametrize(("year", "years", "last"), [(2026, 0, None), (2028, 2, 2025), (2029, 2, 2026), (2026, 100, 1925)])
def test_the_last_expired_vintage(year: int, years: int, last: int | None):
    assert last_expired_vintage(year, years) == last
