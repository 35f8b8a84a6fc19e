"""Reading what a methodology measures: its fields, its lookbacks, its dated numbers."""

from collections.abc import Mapping
from itertools import pairwise

from carbonhui.methodology.formula import Quantity, quantity
from carbonhui.methodology.hosting import HOST_FIELDS, LOOKBACKS, TAKEN, Bounds, fields_fit, fields_wanted
from carbonhui.methodology.parts import (
    PROVENANCE_CLASSES,
    UNCONFIRMED_CLASSES,
    DatedValue,
    Field,
    Lookback,
    Parameter,
)
from carbonhui.methodology.refusals import (
    ActivityFieldsWrong,
    LookbackPeriodWrong,
    LookbackUnused,
    MethodologyNamesClash,
    MethodologyNameTaken,
    ValueDateRepeated,
    ValueDatesNotRising,
    ValueUnconfirmed,
    ValueWithoutSource,
)
from carbonhui.methodology.tables import Table

Members = Mapping[str, Field | Parameter]


def read_fields(top: Table, activity: str) -> dict[str, Field]:
    """The fields that one activity brings; only what the host gives for its kind."""
    fields = {name: _field(name, table) for name, table in top.named_tables("fields")}
    if not fields_fit(activity, set(fields)):
        wanted, wanted_zh = fields_wanted(activity)
        raise ActivityFieldsWrong(activity=activity, found=", ".join(fields), wanted=wanted, wanted_zh=wanted_zh)
    return fields


def read_lookbacks(top: Table, activity: str, period: str | None) -> dict[str, Lookback]:
    """The lookbacks by name, each defined for the period that the methodology measures."""
    lookbacks = {}
    for name, table in top.named_tables("lookback", tuple(LOOKBACKS)) if top.has("lookback") else []:
        wanted = LOOKBACKS[name].period
        if period != wanted:
            raise LookbackPeriodWrong(lookback=name, wanted=wanted, activity=activity, period=period or "-")
        lookbacks[name] = _lookback(name, table)
    return lookbacks


def read_lookback_fields(top: Table, fields: dict[str, Field], lookbacks: dict[str, Lookback]) -> dict[str, Field]:
    """The looked-back fields; each names its lookback, and each lookback brings one at least."""
    if not lookbacks and not top.has("lookback_fields"):
        return {}
    # A list of fields without a way of finding them is as wrong as the reverse.
    top.table("lookback")
    found = {
        name: _field(name, table, tuple(lookbacks), tuple(fields)) for name, table in top.named_tables("lookback_fields")
    }
    for name in lookbacks:
        if not any(one.by == name for one in found.values()):
            raise LookbackUnused(lookback=name)
    return found


def read_parameters(top: Table, demonstration: bool) -> dict[str, Parameter]:
    """The numbers that the committee approves, each with its history."""
    return {name: _parameter(name, table, demonstration) for name, table in top.named_tables("parameters")}


def quantities_of(fields: Members, lookback_fields: Members, parameters: Members) -> list[Quantity]:
    """Every quantity of the formula with its range; a parameter ranges over its dated values."""
    groups = {"fields": fields, "lookback_fields": lookback_fields, "parameters": parameters}
    seen: dict[str, str] = {}
    ranged = []
    for group, members in groups.items():
        for name, member in members.items():
            if name in seen:
                raise MethodologyNamesClash(name=name, first=seen[name], second=group)
            if name in TAKEN or name in HOST_FIELDS and group != "fields":
                raise MethodologyNameTaken(name=name, group=group)
            seen[name] = group
            ranged.append(quantity(name, member.low, member.high))
    return ranged


def _field(name: str, table: Table, by: tuple[str, ...] = (), of: tuple[str, ...] = ()) -> Field:
    field = Field(
        name=name,
        **table.said(),
        unit=table.text("unit"),
        low=table.number("low"),
        high=table.number("high"),
        by=table.one_of("by", by) if of else None,
        of=table.one_of("of", of) if of else None,
    )
    table.finish()
    return field


def _lookback(name: str, table: Table) -> Lookback:
    settings: dict[str, int] = {}
    for key, bounds in LOOKBACKS[name].settings.items():
        settings[key] = table.number(key, bounds.lowest, _highest(bounds, settings))
    lookback = Lookback(name=name, **table.said(), source=table.text("source"), settings=settings)
    table.finish()
    return lookback


def _highest(bounds: Bounds, settings: Mapping[str, int]) -> int:
    return bounds.highest if bounds.at_most is None else settings[bounds.at_most]


def _parameter(name: str, table: Table, demonstration: bool) -> Parameter:
    values = tuple(_dated_value(name, one, demonstration) for one in table.tables("values"))
    for earlier, later in pairwise(values):
        if later.start == earlier.start:
            raise ValueDateRepeated(parameter=name, day=later.start)
        if later.start < earlier.start:
            raise ValueDatesNotRising(parameter=name, day=later.start, previous=earlier.start)
    parameter = Parameter(name=name, **table.said(), unit=table.text("unit"), values=values)
    table.finish()
    return parameter


def _dated_value(parameter: str, table: Table, demonstration: bool) -> DatedValue:
    value = table.number("value")
    if not table.has("source"):
        raise ValueWithoutSource(parameter=parameter, value=value)
    dated = DatedValue(
        start=table.day("from"),
        value=value,
        source=table.text("source"),
        provenance_class=table.one_of("class", PROVENANCE_CLASSES),
        factor_year=table.number("factor_year", 1900) if table.has("factor_year") else None,
        published=table.day("published") if table.has("published") else None,
    )
    if dated.provenance_class in UNCONFIRMED_CLASSES and not demonstration:
        raise ValueUnconfirmed(parameter=parameter, value=value, provenance_class=dated.provenance_class)
    table.finish()
    return dated
