"""Telling a person why a reduction is what it is: every symbol and every number that bears on it."""

from datetime import date

from carbonhui.methodology.parts import Field, Parameter

Told = dict[str, object]


def explained_input(field: Field, value: int) -> Told:
    """A measured symbol: its value, unit and meaning, and the lookback that brought it."""
    told: Told = {"value": value, "unit": field.unit, "says": field.says, "says_zh": field.says_zh}
    return told | ({"by": field.by, "of": field.of} if field.by else {})


def explained_value(parameter: Parameter, on: date) -> Told:
    """The number in force on a day: where it comes from, its factor year, when it was published and took effect."""
    dated = parameter.value_on(on)
    return {
        "value": dated.value,
        "unit": parameter.unit,
        "says": parameter.says,
        "says_zh": parameter.says_zh,
        "from": dated.start.isoformat(),
        "source": dated.source,
        "class": dated.provenance_class,
        "factor_year": dated.factor_year,
        "published": dated.published.isoformat() if dated.published else None,
    }
