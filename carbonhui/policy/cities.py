"""What holds in a city from the start: its founding rules, each with the paper it stands in (``profiles/<city>.toml``).

A rule that no source gives is absent. What the product needs and no source gives is an
operating value: the product's own default, marked so, for the operator to confirm.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from carbonhui.core.refusals import Refusal

CREDITS_TRANSFERABLE = "credits_transferable"
CREDITS_REDEEMABLE = "credits_redeemable"
CREDITS_TRADABLE = "credits_tradable"
CREDITS_DONATABLE = "credits_donatable"
#: Full years after its vintage in which a credit may be used; 0 for no end.
CREDIT_LIFE_YEARS = "credit_life_years"
#: The most credits that a person may come to hold by what others give; 0 for no limit.
PERSON_HOLDING_MAX = "person_holding_max"
CHARITY_MAY_REDEEM = "charity_may_redeem"
CHARITY_MAY_RETIRE = "charity_may_retire"
CHARITY_MAY_SELL = "charity_may_sell"
#: Days that a gift or a request waits for its answer.
GIFT_WAITS_DAYS = "gift_waits_days"
#: Gifts, and likewise requests, of one person that may wait at once.
GIFTS_WAITING_MAX = "gifts_waiting_max"
POOL_USE_DAYS = "pool_use_days"
REFUND_DAYS = "refund_days"
#: The most credits of one payment; 0 for no limit.
PAYMENT_CREDITS_MAX = "payment_credits_max"

#: Every rule of a city, with the lowest and the highest value that a decision may give it (as in ``policy_name``).
RULES: dict[str, tuple[int, int]] = {
    CREDITS_TRANSFERABLE: (0, 1),
    CREDITS_REDEEMABLE: (0, 1),
    CREDITS_TRADABLE: (0, 1),
    CREDITS_DONATABLE: (0, 1),
    CREDIT_LIFE_YEARS: (0, 100),
    PERSON_HOLDING_MAX: (0, 2**53 - 1),
    CHARITY_MAY_REDEEM: (0, 1),
    CHARITY_MAY_RETIRE: (0, 1),
    CHARITY_MAY_SELL: (0, 1),
    GIFT_WAITS_DAYS: (1, 29),
    GIFTS_WAITING_MAX: (1, 1000),
    POOL_USE_DAYS: (1, 3660),
    REFUND_DAYS: (1, 3660),
    PAYMENT_CREDITS_MAX: (0, 2**53 - 1),
}
#: What a source of the product's own says, before its reason.
OPERATING = "this product's own default, to be confirmed by the operator"


@dataclass(frozen=True)
class Founding:
    """One founding value of a rule, from ``start`` to ``last`` (None: no end), with where it stands."""

    name: str
    number: int
    start: date
    last: date | None
    source: str
    operating: bool

    def holds_on(self, day: date) -> bool:
        return self.start <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class City:
    """A city's profile: what it is called, what it calls the credit, and its founding rules."""

    city: str
    zh: str
    en: str
    credit_zh: str
    credit_en: str
    credit_source: str
    rules: tuple[Founding, ...]

    def founding(self, name: str, day: date) -> Founding | None:
        """The founding value of a rule on a day; None when no source gives one."""
        return next((rule for rule in self.rules if rule.name == name and rule.holds_on(day)), None)


@cache
def city_profile(city: str) -> City:
    """The profile of one of the cities that are shipped; the demonstration plays Guangzhou."""
    name = "guangzhou" if city == "demo" else city
    text = (files("carbonhui.policy") / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    return read_city(tomllib.loads(text))


def read_city(said: dict[str, Any]) -> City:
    """A profile as its file says it. A mistake in a file is ours, so it is asserted."""
    credit = said["credit"]
    rules = [_founding(rule["name"], rule, rule["source"], operating=False) for rule in said["rule"]] + [
        _founding(name, rule, f"{OPERATING}: {rule['why']}", operating=True) for name, rule in said["operating"].items()
    ]
    for number, rule in enumerate(rules):
        for other in rules[number + 1 :]:
            assert rule.name != other.name or _apart(rule, other), f"{said['city']}: two values of {rule.name} on one day"
    return City(said["city"], said["zh"], said["en"], credit["zh"], credit["en"], credit["source"], tuple(rules))


def _founding(name: str, said: dict[str, Any], source: str, *, operating: bool) -> Founding:
    lowest, highest = RULES[name]
    number, start, last = said["value"], said["from"], said.get("until")
    assert type(number) is int and lowest <= number <= highest, f"{name} = {number}"
    assert type(start) is date and (last is None or (type(last) is date and start <= last)), f"{name}: {start} to {last}"
    assert source.strip(), f"{name} without a source"
    return Founding(name, number, start, last, source, operating)


def _apart(one: Founding, other: Founding) -> bool:
    first, second = sorted((one, other), key=lambda rule: rule.start)
    return first.last is not None and first.last < second.start


#: The word that every sentence is written with.
_WRITTEN = "碳惠"


def called(text: str, city: str) -> str:
    """A Chinese sentence with the city's own name of the credit.

    Give it what we wrote, before anybody's own words are put in: it changes the word wherever it stands.

    >>> called("您收到了 5 碳惠。", "fuzhou")
    '您收到了 5 碳币。'
    """
    name = city_profile(city).credit_zh
    return text if name == _WRITTEN else text.replace(_WRITTEN, name)


def refusal_told(refusal: Refusal, language: str, city: str) -> str:
    """A refusal's sentence, in Chinese with the city's own name of the credit; what its facts say stays as it is."""
    if language != "zh":
        return refusal.text(language)
    return called(refusal.sentence_zh, city).format(**refusal.facts)
