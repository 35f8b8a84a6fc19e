"""One formula, read by each engine in its own words.

A dialect is the list of an engine's words for the vocabulary. Engines disagree on
division of negative numbers, so a dialect divides only what is never negative; for
the rest it takes the remainder away first, and the quotient is then exact.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from carbonhui.methodology.formula import Constant, Expression, Quantity, Whole, shortened
from carbonhui.methodology.refusals import QuantitiesDiffer, QuantityNotWhole, QuantityOutOfRange


@dataclass(frozen=True)
class Dialect:
    """How one engine writes a constant, a quantity and each operation."""

    constant: str
    quantity: str
    operations: Mapping[str, str]
    #: True where the quantity is a whole number, not missing, and from {low} to {high}.
    in_range: str = ""
    #: The name of a column, as it stands where columns are named.
    column: str = "{0}"


_COMMON = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "less": "({0} < {1})",
    "at_most": "({0} <= {1})",
    "more": "({0} > {1})",
    "at_least": "({0} >= {1})",
}

#: As a person reads it.
PAPER = Dialect(
    constant="{0}",
    quantity="{0}",
    operations=_COMMON
    | {
        "quotient": "({0} // {1})",
        "floor": "({0} // {1})",
        "remainder": "({0} % {1})",
        "modulo": "({0} % {1})",
        "equal": "({0} == {1})",
        "unequal": "({0} != {1})",
        "both": "({0} and {1})",
        "either": "({0} or {1})",
        "where": "({1} if {0} else {2})",
        "minimum": "min({0}, {1})",
        "maximum": "max({0}, {1})",
    },
)

#: The prefix keeps a quantity named ``min`` from hiding the function.
PYTHON = replace(PAPER, quantity="q_{0}")

_WHOLE_TYPES = (
    "'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'"
)

_SQL = _COMMON | {
    "quotient": "({0} // {1})",
    "floor": "(({0} - ((({0} % {1}) + {1}) % {1})) // {1})",
    "remainder": "({0} % {1})",
    "modulo": "((({0} % {1}) + {1}) % {1})",
    "equal": "({0} = {1})",
    "unequal": "({0} <> {1})",
    "both": "({0} AND {1})",
    "either": "({0} OR {1})",
    "where": "(CASE WHEN {0} THEN {1} ELSE {2} END)",
    # They pass over NULL, on both engines; the guard has seen to it that there is none.
    "minimum": "LEAST({0}, {1})",
    "maximum": "GREATEST({0}, {1})",
}

#: Everything is BIGINT, so that nothing overflows in 32 bits and nothing turns into a float.
DUCKDB = Dialect(
    constant="CAST({0} AS BIGINT)",
    quantity='CAST("{0}" AS BIGINT)',
    operations=_SQL,
    in_range=(
        f'(typeof("{{name}}") IN ({_WHOLE_TYPES})'
        ' AND "{name}" IS NOT NULL AND "{name}" BETWEEN {low} AND {high})'
    ),
    column='"{0}"',
)

#: Spark's ``/`` leaves the whole numbers; its ``div`` cuts towards nought, which for what is never negative is down.
SPARK = Dialect(
    constant="CAST({0} AS BIGINT)",
    quantity="CAST(`{0}` AS BIGINT)",
    operations=_SQL
    | {
        "quotient": "({0} div {1})",
        "floor": "(({0} - ((({0} % {1}) + {1}) % {1})) div {1})",
    },
    in_range=(
        "(typeof(`{name}`) IN ('tinyint', 'smallint', 'int', 'bigint')"
        " AND `{name}` IS NOT NULL AND `{name}` BETWEEN {low} AND {high})"
    ),
    column="`{0}`",
)


@dataclass(frozen=True, eq=False)
class Formula:
    """A proven expression and the quantities that it asks for, in order."""

    result: Whole
    quantities: tuple[Quantity, ...]

    def answer(self, values: Mapping[str, int]) -> int:
        """The result for one record; a quantity outside its range is refused."""
        refuse_other_names([asked.name for asked in self.quantities], values)
        for asked in self.quantities:
            _refuse_outside(asked, values[asked.name])
        return self._function(*(values[asked.name] for asked in self.quantities))

    def sql(self, dialect: Dialect = DUCKDB) -> str:
        """The result over columns named as the quantities; NULL where `in_range_sql` is false."""
        return f"CASE WHEN {self.in_range_sql(dialect)} THEN {written(self.result, dialect)} END"

    def in_range_sql(self, dialect: Dialect = DUCKDB) -> str:
        """True or false, never NULL: whether every quantity is whole and in its range."""
        return f"({' AND '.join(_in_range(asked, dialect) for asked in self.quantities)})"

    @property
    def on_paper(self) -> str:
        """The formula in one line, as a person reads it."""
        return written(self.result, PAPER)

    @cached_property
    def _function(self) -> Callable[..., int]:
        arguments = ", ".join(PYTHON.quantity.format(asked.name) for asked in self.quantities)
        code = f"lambda {arguments}: {written(self.result, PYTHON)}"
        function: Callable[..., int] = eval(code, {"__builtins__": {}, "min": min, "max": max})
        return function


def written(expression: Expression, dialect: Dialect) -> str:
    """The expression in the words of one engine."""
    if isinstance(expression, Constant):
        return dialect.constant.format(expression.low)
    if isinstance(expression, Quantity):
        return dialect.quantity.format(expression.name)
    parts = [written(part, dialect) for part in expression.parts]
    return dialect.operations[expression.operation].format(*parts)


def refuse_other_names(wanted: Collection[str], given: Collection[str]) -> None:
    """Refuse a record that lacks a wanted quantity or names another."""
    lacking, unknown = set(wanted) - set(given), set(given) - set(wanted)
    if lacking or unknown:
        raise QuantitiesDiffer(lacking=_listed(lacking), unknown=_listed(unknown), wanted=", ".join(wanted))


def _in_range(asked: Quantity, dialect: Dialect) -> str:
    low, high = dialect.constant.format(asked.low), dialect.constant.format(asked.high)
    return dialect.in_range.format(name=asked.name, low=low, high=high)


def _refuse_outside(asked: Quantity, value: object) -> None:
    if type(value) is not int:
        raise QuantityNotWhole(name=asked.name, value=repr(value)[:40], type=type(value).__name__)
    if not asked.low <= value <= asked.high:
        raise QuantityOutOfRange(name=asked.name, value=shortened(value), low=asked.low, high=asked.high)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
