"""Published emission factors: dated, sourced, and whole milligrams a unit.

A factor is never edited, only followed by one with a later date. What no source
gives is not here, and asking for it is refused.
"""

import functools
import tomllib
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any

from carbonhui.neutralisation.refusals import FactorMissing


@dataclass(frozen=True)
class Value:
    """From a day on: milligrams of CO2e for one unit, of which year, and the paper that says so."""

    start: date
    mg: int
    year: int
    source: str


@dataclass(frozen=True)
class Factor:
    """``per`` of the small ``quantity`` units (metres, Wh, litres) make one ``unit``."""

    id: str
    zh: str
    en: str
    unit: str
    quantity: str
    per: int
    publisher: str
    licence: str
    region: str
    values: tuple[Value, ...]

    def on(self, day: date) -> Value:
        """The newest value that was published by a day. Raises `FactorMissing`."""
        published = [value for value in self.values if value.start <= day]
        if not published:
            raise FactorMissing(factor=self.id, on=day, known=_known(day))
        return published[-1]


@functools.cache
def factors() -> dict[str, Factor]:
    """Every factor, by its id."""
    folder = resources.files("carbonhui.neutralisation") / "factors"
    found: dict[str, Factor] = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        for factor in _read(tomllib.loads(file.read_text(encoding="utf-8"))):
            assert factor.id not in found, f"two factors are called {factor.id}"
            found[factor.id] = factor
    return found


def factor(name: str, day: date) -> Factor:
    """The factor of this name. Raises `FactorMissing`."""
    found = factors().get(name)
    if found is None:
        raise FactorMissing(factor=name, on=day, known=_known(day))
    return found


def _known(day: date) -> str:
    return ", ".join(sorted(one.id for one in factors().values() if one.values[0].start <= day)) or "nothing"


def _read(said: dict[str, Any]) -> list[Factor]:
    found = []
    for one in said["factor"]:
        values = tuple(Value(value["from"], value["mg"], value["year"], value["source"]) for value in one["values"])
        assert [value.start for value in values] == sorted({value.start for value in values})
        assert all(type(value.mg) is int and value.mg > 0 and value.source for value in values)
        words = {name: one[name] for name in ("id", "zh", "en", "unit", "quantity", "per")}
        where = {name: one.get(name, said.get(name)) for name in ("publisher", "licence", "region")}
        assert all(where.values()), f"nobody is named who published {one['id']}"
        found.append(Factor(**words, **where, values=values))
    return found
