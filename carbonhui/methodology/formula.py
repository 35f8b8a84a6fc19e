"""The vocabulary of a methodology's formula: exact whole numbers, written once.

A formula is written with the usual operators on quantities that have declared ranges.
Nothing is computed while it is written: the operators build an expression, and each
step proves from the ranges that its result fits 64 bits. The same expression then
becomes a Python function and SQL, identical to the last unit.

``//`` and ``%`` round towards minus infinity and are positive for a positive divisor,
as on paper, also where a dividend is negative.
"""

import keyword
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import NoReturn, TypeVar

from carbonhui.methodology.refusals import (
    FormulaConditionExpected,
    FormulaDivisorNotPositive,
    FormulaNameNotAllowed,
    FormulaOperatorNotExact,
    FormulaRangeEmpty,
    FormulaTestedForTruth,
    FormulaTooLarge,
    FormulaTooWide,
    FormulaValueNotWhole,
)

#: The whole numbers of 64 bits, which every engine computes without a loss.
LOWEST, HIGHEST = -(2**63), 2**63 - 1
#: A formula beyond these cannot be checked on paper.
DEEPEST, LARGEST = 50, 2_000

#: How often an engine's text repeats each part, where it repeats any.
_REPEATS = {"floor": (2, 4), "modulo": (1, 3)}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_Step = TypeVar("_Step", bound="Expression")
#: Words of the functions that take quantities by name.
_TAKEN = {"self", "on", "evidence"}


class Expression:
    """One step of a formula: an operation on its parts."""

    def __init__(self, operation: str, parts: tuple["Expression", ...]) -> None:
        repeats = _REPEATS.get(operation, (1,) * len(parts))
        self.operation = operation
        self.parts = parts
        self.depth: int = 1 + max((part.depth for part in parts), default=0)
        self.size: int = 1 + sum(times * part.size for times, part in zip(repeats, parts, strict=True))
        if self.depth > DEEPEST or self.size > LARGEST:
            raise FormulaTooLarge(depth=self.depth, size=self.size, deepest=DEEPEST, largest=LARGEST)

    def __bool__(self) -> NoReturn:
        raise FormulaTestedForTruth()

    def __repr__(self) -> str:
        return f"<a formula ending in {self.operation}>"


class Whole(Expression):
    """A whole number that lies between ``low`` and ``high``, whatever the record."""

    def __init__(self, operation: str, parts: tuple[Expression, ...], low: int, high: int) -> None:
        _prove_fits(operation, low, high)
        super().__init__(operation, parts)
        self.low = low
        self.high = high

    def __add__(self, other: "Whole | int") -> "Whole":
        return _added(self, whole(other))

    def __radd__(self, other: int) -> "Whole":
        return _added(whole(other), self)

    def __sub__(self, other: "Whole | int") -> "Whole":
        return _subtracted(self, whole(other))

    def __rsub__(self, other: int) -> "Whole":
        return _subtracted(whole(other), self)

    def __mul__(self, other: "Whole | int") -> "Whole":
        return _multiplied(self, whole(other))

    def __rmul__(self, other: int) -> "Whole":
        return _multiplied(whole(other), self)

    def __floordiv__(self, other: "Whole | int") -> "Whole":
        return _floored(self, whole(other))

    def __rfloordiv__(self, other: int) -> "Whole":
        return _floored(whole(other), self)

    def __mod__(self, other: "Whole | int") -> "Whole":
        return _remaining(self, whole(other))

    def __rmod__(self, other: int) -> "Whole":
        return _remaining(whole(other), self)

    def __neg__(self) -> "Whole":
        return 0 - self

    def __lt__(self, other: "Whole | int") -> "Condition":
        return Condition("less", (self, whole(other)))

    def __le__(self, other: "Whole | int") -> "Condition":
        return Condition("at_most", (self, whole(other)))

    def __gt__(self, other: "Whole | int") -> "Condition":
        return Condition("more", (self, whole(other)))

    def __ge__(self, other: "Whole | int") -> "Condition":
        return Condition("at_least", (self, whole(other)))

    def __eq__(self, other: "Whole | int") -> "Condition":  # type: ignore[override]
        return Condition("equal", (self, whole(other)))

    def __ne__(self, other: "Whole | int") -> "Condition":  # type: ignore[override]
        return Condition("unequal", (self, whole(other)))

    def __hash__(self) -> int:
        return id(self)

    def __truediv__(self, other: object) -> NoReturn:
        raise FormulaOperatorNotExact(operator="/", instead="//, which rounds down")

    __rtruediv__ = __truediv__

    def __pow__(self, other: object) -> NoReturn:
        raise FormulaOperatorNotExact(operator="**", instead="the multiplications one by one")

    __rpow__ = __pow__

    def __and__(self, other: object) -> NoReturn:
        raise FormulaOperatorNotExact(operator="& or | between numbers", instead="parentheses around each comparison")

    __rand__ = __or__ = __ror__ = __and__


class Constant(Whole):
    """A number written in the formula itself, such as 1,000 metres to a kilometre."""

    def __init__(self, value: int) -> None:
        super().__init__("constant", (), value, value)


class Quantity(Whole):
    """A named number of the record or of the methodology, with its range."""

    def __init__(self, name: str, low: int, high: int) -> None:
        super().__init__("quantity", (), low, high)
        self.name = name


class Condition(Expression):
    """A comparison, or several of them."""

    def __and__(self, other: "Condition") -> "Condition":
        return Condition("both", (self, _condition(other)))

    def __or__(self, other: "Condition") -> "Condition":
        return Condition("either", (self, _condition(other)))

    def _not_a_number(self, other: object) -> NoReturn:
        raise FormulaValueNotWhole(value="a comparison", type="condition")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _not_a_number
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _not_a_number
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = _not_a_number
    __lt__ = __le__ = __gt__ = __ge__ = _not_a_number
    __eq__ = __ne__ = _not_a_number
    __hash__ = object.__hash__


def quantity(name: str, low: int, high: int) -> Quantity:
    """A named whole number from ``low`` to ``high``, both included."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in _TAKEN:
        raise FormulaNameNotAllowed(name=repr(name[:80]))
    for bound in (low, high):
        whole(bound)
    if low > high:
        raise FormulaRangeEmpty(name=name, low=low, high=high)
    return Quantity(name, low, high)


def where(condition: Condition, if_so: Whole | int, otherwise: Whole | int) -> Whole:
    """``if_so`` where the condition holds, else ``otherwise``."""
    first, second = whole(if_so), whole(otherwise)
    parts = (_condition(condition), first, second)
    return Whole("where", parts, min(first.low, second.low), max(first.high, second.high))


def minimum(one: Whole | int, other: Whole | int) -> Whole:
    """The smaller of the two."""
    a, b = whole(one), whole(other)
    return Whole("minimum", (a, b), min(a.low, b.low), min(a.high, b.high))


def maximum(one: Whole | int, other: Whole | int) -> Whole:
    """The larger of the two."""
    a, b = whole(one), whole(other)
    return Whole("maximum", (a, b), max(a.low, b.low), max(a.high, b.high))


def all_of(first: Condition, *others: Condition) -> Condition:
    """Every one of the conditions holds."""
    return reduce(Condition.__and__, others, _condition(first))


def any_of(first: Condition, *others: Condition) -> Condition:
    """At least one of the conditions holds."""
    return reduce(Condition.__or__, others, _condition(first))


def exchanged(expression: _Step, others: Mapping[str, Whole]) -> _Step:
    """The same formula with some quantities exchanged for expressions that stay within their ranges."""
    if isinstance(expression, Quantity):
        return others.get(expression.name, expression)  # type: ignore[return-value]
    if isinstance(expression, Constant):
        return expression
    parts = tuple(exchanged(part, others) for part in expression.parts)
    if isinstance(expression, Whole):
        return Whole(expression.operation, parts, expression.low, expression.high)  # type: ignore[return-value]
    return Condition(expression.operation, parts)  # type: ignore[return-value]


def _added(a: Whole, b: Whole) -> Whole:
    return Whole("add", (a, b), a.low + b.low, a.high + b.high)


def _subtracted(a: Whole, b: Whole) -> Whole:
    return Whole("subtract", (a, b), a.low - b.high, a.high - b.low)


def _multiplied(a: Whole, b: Whole) -> Whole:
    corners = _corners(a, b, lambda x, y: x * y)
    return Whole("multiply", (a, b), min(corners), max(corners))


def _floored(a: Whole, b: Whole) -> Whole:
    """The quotient, rounded towards minus infinity.

    Engines agree on dividends that are never negative. For others the text first takes
    the remainder away, and that difference is proven to fit as well.
    """
    remainder = _remaining(a, b)
    corners = _corners(a, b, lambda x, y: x // y)
    if a.low >= 0:
        return Whole("quotient", (a, b), min(corners), max(corners))
    _prove_fits("floor division", a.low - remainder.high, a.high)
    return Whole("floor", (a, b), min(corners), max(corners))


def _remaining(a: Whole, b: Whole) -> Whole:
    """What is left after floor division: from 0 to one less than the divisor."""
    if b.low < 1:
        raise FormulaDivisorNotPositive(low=b.low, high=b.high)
    if a.low < 0:
        _prove_fits("modulo", 1 - b.high, 2 * b.high - 1)
        return Whole("modulo", (a, b), 0, b.high - 1)
    if a.high < b.low:
        return Whole("remainder", (a, b), a.low, a.high)
    return Whole("remainder", (a, b), 0, min(a.high, b.high - 1))


def _corners(a: Whole, b: Whole, operation: Callable[[int, int], int]) -> list[int]:
    return [operation(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]


def _prove_fits(operation: str, low: int, high: int) -> None:
    if low < LOWEST or high > HIGHEST:
        ends = {"low": shortened(low), "high": shortened(high)}
        raise FormulaTooWide(operation=operation, **ends, lowest=LOWEST, highest=HIGHEST)


def whole(value: object) -> Whole:
    """The value as a number of a formula, if it is whole."""
    if isinstance(value, Whole):
        return value
    if type(value) is not int:
        raise FormulaValueNotWhole(value=repr(value)[:40], type=type(value).__name__)
    return Constant(value)


def _condition(value: object) -> Condition:
    if not isinstance(value, Condition):
        raise FormulaConditionExpected(value=repr(value)[:40], type=type(value).__name__)
    return value


def shortened(number: int) -> str:
    """The number in at most about 40 characters, without writing all of a huge one."""
    if abs(number) < 10**38:
        return str(number)
    return f"{'-' if number < 0 else ''}a number of {number.bit_length()} bits"
