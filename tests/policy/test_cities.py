"""What holds in a city from the start, what the three bodies decide instead, and what nobody makes up (Articles 9, 18-23)."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest

from carbonhui import circulation, policy
from carbonhui.api.problems import problem
from carbonhui.core.database import Database
from carbonhui.core.settings import CITIES
from carbonhui.policy.cities import read_city
from carbonhui.policy.refusals import RuleNotFound
from tests.ledger.books import DAY, breaking, code_of, opened_store, put_in_force, refusal_of

#: What each city says of the four ways to use credits; None where no source was found.
SAID = {
    "guangzhou": {"transferable": 1, "redeemable": 1, "tradable": 1, "donatable": 1},
    "shenzhen": {"transferable": 0, "redeemable": 1, "tradable": 0, "donatable": 0},
    "fuzhou": {"transferable": None, "redeemable": 1, "tradable": None, "donatable": None},
}
OPERATING = {policy.GIFT_WAITS_DAYS, policy.GIFTS_WAITING_MAX, policy.POOL_USE_DAYS, policy.REFUND_DAYS, policy.PAYMENT_CREDITS_MAX}


@contextmanager
def store_of(server, server_settings, profile: str) -> Iterator[Database]:
    with opened_store(server, server_settings, profile=profile) as opened:
        yield opened


def answers(database: Database, day: date = DAY) -> dict[str, int | None]:
    with database.begin() as session:
        found = {rule.name: rule.number for rule in policy.rules(session, day)}
    return {what: found[f"credits_{what}"] for what in SAID["guangzhou"]}


# The files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("city", CITIES)
def test_every_rule_of_a_city_says_where_it_stands(city: str):
    profile = policy.city_profile(city)
    assert profile.city == city and profile.credit_source and profile.credit_zh and profile.credit_en
    for rule in profile.rules:
        assert rule.operating or any(mark in rule.source for mark in ("管理", "public news")), rule
        assert not rule.operating or rule.source.startswith("this product's own default, to be confirmed by the operator: ")
    assert {rule.name for rule in profile.rules if rule.operating} >= OPERATING


@pytest.mark.parametrize(("city", "zh"), [("guangzhou", "碳惠"), ("fuzhou", "碳币"), ("shenzhen", "积分"), ("demo", "碳惠")])
def test_each_city_has_its_own_name_of_the_credit(city: str, zh: str):
    assert policy.city_profile(city).credit_zh == zh
    assert policy.called("您收到了 5 碳惠。", city) == f"您收到了 5 {zh}。"
    assert policy.called("碳普惠", city) == "碳普惠"


def _profile() -> dict[str, Any]:
    rule = {"name": policy.CREDITS_TRANSFERABLE, "from": date(2020, 1, 1), "value": 1, "source": "paper"}
    return {
        "city": "x", "zh": "某市", "en": "Somewhere", "credit": {"zh": "碳", "en": "credit", "source": "paper"}, "rule": [rule],
        "operating": {policy.REFUND_DAYS: {"from": date(2020, 1, 1), "value": 1, "why": "so"}},
    }  # fmt: skip


@pytest.mark.parametrize("change", [
    {"value": 2}, {"value": True}, {"value": "1"}, {"value": -1}, {"source": " "}, {"from": "2020-01-01"},
    {"until": date(2019, 12, 31)},
])  # fmt: skip
def test_a_profile_with_a_wrong_value_is_not_read(change: dict[str, Any]):
    said = _profile()
    assert read_city(said).rules[0].number == 1
    said["rule"][0] |= change
    with pytest.raises(AssertionError):
        read_city(said)


def test_a_profile_with_two_values_on_one_day_or_an_unknown_rule_is_not_read():
    said = _profile()
    second = {**said["rule"][0], "from": date(2021, 1, 1), "value": 0}
    for last, reads in ((date(2020, 12, 31), True), (date(2021, 1, 1), False), (None, False)):
        both = copy.deepcopy(said)
        both["rule"] = [both["rule"][0] | ({"until": last} if last else {}), second]
        if reads:
            assert [rule.number for rule in read_city(both).rules[:2]] == [1, 0]
            continue
        with pytest.raises(AssertionError, match="two values"):
            read_city(both)
    said["rule"][0]["name"] = "luck"
    with pytest.raises(KeyError):
        read_city(said)


def test_the_bounds_are_those_of_the_store(town: Database):
    with town.connect() as connection:
        kept = {name: (low, high) for name, low, high in connection.execute("SELECT name, lowest, highest FROM policy_name")}
    assert {name: kept[name] for name in policy.RULES} == policy.RULES


# What holds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("city", CITIES)
def test_each_store_answers_by_its_own_city(server, server_settings, city: str):
    with store_of(server, server_settings, city) as opened:
        assert answers(opened) == SAID[city]
        for what, number in SAID[city].items():
            code = {1: "done", 0: "not_permitted", None: "rule_not_found"}[number]
            assert code_of(opened, lambda s, what=what: policy.require(s, f"credits_{what}", DAY)) == code
        with opened.begin() as session:
            assert policy.city_of(session).city == city


def test_a_refusal_names_the_city_the_rule_and_the_paper(server, server_settings):
    with store_of(server, server_settings, "shenzhen") as opened:
        refusal = refusal_of(opened, lambda s: policy.require(s, policy.CREDITS_TRANSFERABLE, DAY))
        assert (refusal.facts["city"], refusal.facts["rule"]) == ("Shenzhen", policy.CREDITS_TRANSFERABLE)
        assert "深环规〔2022〕5号" in refusal.text("en") and refusal.text("zh").startswith("深圳不允许")


@pytest.mark.parametrize(("day", "code"), [
    (date(2022, 8, 17), "rule_not_found"), (date(2022, 8, 18), "not_permitted"), (date(2027, 8, 17), "not_permitted"),
    (date(2027, 8, 18), "rule_not_found"),
])  # fmt: skip
def test_a_measure_holds_from_its_first_day_through_its_last(server, server_settings, day: date, code: str):
    with store_of(server, server_settings, "shenzhen") as opened:
        assert code_of(opened, lambda s: policy.require(s, policy.CREDITS_TRANSFERABLE, day)) == code


@pytest.fixture
def guangzhou(town: Database) -> Iterator[Database]:
    yield town
    with breaking(town) as owner:
        for table in ("bill_offset", "policy_in_force", "policy_value", "decision", "matter"):
            owner.execute(f"DELETE FROM {table}")


def test_what_the_three_bodies_decide_takes_the_place_of_the_founding_rule_from_its_day_on(guangzhou: Database):
    with guangzhou.begin() as session:
        put_in_force(session, policy.CREDITS_TRANSFERABLE, 0, DAY)
        before, after = (policy.rule_on(session, policy.CREDITS_TRANSFERABLE, day) for day in (date(2026, 11, 19), DAY))
        decided = {rule.name: rule for rule in policy.rules(session, DAY)}[policy.CREDITS_TRANSFERABLE]
    assert (before, after, decided.by, decided.source) == (1, 0, "decision", "Document 1")
    refusal = refusal_of(guangzhou, lambda s: policy.require(s, policy.CREDITS_TRANSFERABLE, DAY))
    assert refusal.facts["source"] == "Document 1"


def test_the_days_before_the_draft_have_no_rule(town: Database):
    refusal = refusal_of(town, lambda s: policy.rule_on(s, policy.CREDITS_TRADABLE, date(2018, 1, 14)))
    assert isinstance(refusal, RuleNotFound)
    assert refusal.facts == {"city": "Guangzhou", "city_zh": "广州", "rule": policy.CREDITS_TRADABLE, "day": date(2018, 1, 14)}


def test_bills_that_were_paid_do_not_hinder_a_decision_about_giving(guangzhou: Database):
    """Nobody was credited by such a rule; what was done under the former stays as it was done."""
    with breaking(guangzhou) as owner:
        owner.execute(
            """INSERT INTO bill_offset (department, bill, total_fen, offset_fen, credits, transfer_id, day)
               VALUES (1, 'x', 1000, 10, 10, 1, '2026-11-20')"""
        )
    with guangzhou.begin() as session:
        put_in_force(session, policy.PAR, 1000, date(2020, 1, 1))
        put_in_force(session, policy.PERSON_HOLDING_MAX, 100, date(2020, 1, 1))
    assert code_of(guangzhou, lambda s: put_in_force(s, policy.PAR, 2000, date(2026, 11, 1))) == "value_of_the_past"
    assert code_of(guangzhou, lambda s: put_in_force(s, policy.PERSON_HOLDING_MAX, 200, date(2026, 11, 1))) == "done"


def test_a_name_that_is_no_rule_of_a_city_is_our_own_mistake(town: Database):
    for name in (policy.PAR, "luck"):
        with pytest.raises(AssertionError), town.begin() as session:
            policy.rule_on(session, name, DAY)


# How it is told ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("city", "word"), [("guangzhou", "碳惠"), ("fuzhou", "碳币"), ("shenzhen", "积分")])
def test_a_problem_is_told_with_the_citys_name_of_the_credit(city: str, word: str):
    refusal = circulation.ReceiverFull(most=100)
    _, _, body = problem(refusal, language="zh", city=city, request_id="1", public_url="https://x")
    assert f"100 {word}".encode() in body
    assert "100 credits" in policy.refusal_told(refusal, "en", city)


def test_what_a_refusal_repeats_of_others_words_stays_as_it_is():
    refusal = policy.NotPermitted(city="Fuzhou", city_zh="抚州", rule="x", source="《碳惠办法》")
    assert "《碳惠办法》" in policy.refusal_told(refusal, "zh", "fuzhou")
