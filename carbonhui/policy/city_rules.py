"""Which rule of the city holds on a day: what the three bodies decided, else what the city's profile says from the start."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.policy.cities import RULES, City, city_profile
from carbonhui.policy.refusals import NotPermitted, RuleNotFound

_DECIDED = """
SELECT d.profile, f.number, f.source FROM deployment d LEFT JOIN LATERAL (
    SELECT v.number, v.source FROM policy_name n JOIN policy_in_force f ON f.name_id = n.id JOIN policy_value v ON v.id = f.value_id
    WHERE n.name = %s AND f.valid @> %s::date) f ON true
"""


@dataclass(frozen=True)
class Rule:
    """A rule as it holds on a day. ``number`` is None where no source gives one; ``by`` says who set it.

    ``by`` is ``decision``, ``founding``, ``operating`` or ``nobody``.
    """

    name: str
    number: int | None
    source: str
    by: str


def rule_on(session: Session, name: str, day: date) -> int:
    """The value of a rule on a day, in one round trip.

    The number that the three bodies put in force, else the founding one of the store's
    city. A day that neither covers is refused, because a rule is never made up. Raises
    `RuleNotFound`.
    """
    city, rule = _rule(session, name, day)
    if rule.number is None:
        raise RuleNotFound(city=city.en, city_zh=city.zh, rule=name, day=day)
    return rule.number


def require(session: Session, name: str, day: date) -> None:
    """Refuse what the city's rule does not let people do on a day. Raises `NotPermitted`, `RuleNotFound`."""
    assert RULES[name] == (0, 1)
    city, rule = _rule(session, name, day)
    if rule.number is None:
        raise RuleNotFound(city=city.en, city_zh=city.zh, rule=name, day=day)
    if not rule.number:
        raise NotPermitted(city=city.en, city_zh=city.zh, rule=name, source=rule.source)


def rules(session: Session, day: date) -> list[Rule]:
    """Every rule as it holds on a day, also those that no source gives."""
    return [_rule(session, name, day)[1] for name in RULES]


def city_of(session: Session) -> City:
    """The profile of the city whose store this is."""
    row = connection_of(session).execute("SELECT profile FROM deployment").fetchone()
    assert row is not None, "the store belongs to no profile yet"
    return city_profile(row[0])


def _rule(session: Session, name: str, day: date) -> tuple[City, Rule]:
    assert name in RULES, f"{name} is no rule of a city"
    row = connection_of(session).execute(_DECIDED, (name, day), prepare=True).fetchone()
    assert row is not None, "the store belongs to no profile yet"
    profile, number, source = row
    city = city_profile(profile)
    if number is not None:
        return city, Rule(name, number, source, "decision")
    founding = city.founding(name, day)
    if founding is None:
        return city, Rule(name, None, "", "nobody")
    return city, Rule(name, founding.number, founding.source, "operating" if founding.operating else "founding")
