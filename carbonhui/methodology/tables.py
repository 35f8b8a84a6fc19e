"""Reading TOML strictly: each key once, of the right kind, and none left over."""

import re
import tomllib
from collections.abc import Callable, Sequence
from datetime import date
from typing import NoReturn, TypedDict, TypeVar

from carbonhui.methodology.refusals import (
    MethodologyFileUnreadable,
    MethodologyKeyMissing,
    MethodologyKeyUnknown,
    MethodologyKeyWrong,
    MethodologyNumberNotWhole,
)

_T = TypeVar("_T")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")
#: A whole number outside 64 bits is not TOML 1.0, although Python would read it.
_WIDEST = 2**63


class Words(TypedDict):
    """What a part of a methodology says."""

    says: str
    says_zh: str | None


class Table:
    """One table of methodology.toml, and the keys that were asked of it."""

    def __init__(self, content: dict[str, object], path: str = "") -> None:
        self.content = content
        self.path = path
        self.asked: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether an optional key is there."""
        self.asked.add(key)
        return key in self.content

    def text(self, key: str) -> str:
        """A text with something in it."""
        return _is(self._value(key, "a text"), str, self._at(key), "a text", lambda text: bool(text.strip()))

    def name(self, key: str) -> str:
        """A text of lower-case letters, digits and _."""
        wanted = "lower-case letters, digits and _, at most 60"
        return _is(self._value(key, wanted), str, self._at(key), wanted, lambda text: bool(_NAME.fullmatch(text)))

    def version(self, key: str) -> str:
        """A text that can be part of a file's name."""
        wanted = "letters, digits, points and hyphens, at most 40"
        return _is(self._value(key, wanted), str, self._at(key), wanted, lambda text: bool(_VERSION.fullmatch(text)))

    def one_of(self, key: str, allowed: Sequence[str]) -> str:
        """One of a few words."""
        wanted = "one of " + ", ".join(allowed)
        return _is(self._value(key, wanted), str, self._at(key), wanted, lambda text: text in allowed)

    def said(self) -> "Words":
        """What the table says, in English and perhaps in Chinese."""
        return {"says": self.text("says"), "says_zh": self.text("says_zh") if self.has("says_zh") else None}

    def number(self, key: str, lowest: int = -_WIDEST, highest: int = _WIDEST - 1) -> int:
        """A whole number of 64 bits, at least ``lowest`` and at most ``highest``."""
        wanted = _wanted(lowest, highest)
        return _is(self._value(key, wanted), int, self._at(key), wanted, lambda value: lowest <= value <= highest)

    def day(self, key: str) -> date:
        """A day, without a time."""
        return _is(self._value(key, "a day"), date, self._at(key), "a day such as 2026-02-01")

    def truth(self, key: str) -> bool:
        """true or false."""
        return _is(self._value(key, "true or false"), bool, self._at(key), "true or false")

    def table(self, key: str) -> "Table":
        """A table with something in it."""
        content: dict[str, object] = _is(self._value(key, "a table"), dict, self._at(key), "a table", bool)
        return Table(content, self._at(key))

    def named_tables(self, key: str, known: Sequence[str] = ()) -> list[tuple[str, "Table"]]:
        """The tables of a table, by name, in the order of the file; of the known names only, where they are given."""
        outer = self.table(key)
        for name in outer.content:
            if known and name not in known:
                raise MethodologyKeyUnknown(key=outer._at(name), known=", ".join(sorted(known)))
        return [(name, outer.table(name)) for name in outer.content]

    def tables(self, key: str) -> list["Table"]:
        """A list of at least one table."""
        listed: list[object] = _is(self._value(key, "a list of tables"), list, self._at(key), "a list of tables", bool)
        paths = [f"{self._at(key)}[{place}]" for place in range(1, len(listed) + 1)]
        return [Table(_is(one, dict, path, "a table"), path) for one, path in zip(listed, paths, strict=True)]

    def numbers_listed(self, key: str, lowest: int) -> list[int]:
        """A list of at least one whole number."""
        wanted = f"a list of whole numbers, at least {lowest}"
        listed: list[int] = _is(self._value(key, wanted), list, self._at(key), wanted, bool)
        return [_is(one, int, self._at(key), wanted, lambda value: lowest <= value < _WIDEST) for one in listed]

    def numbers(self, key: str) -> dict[str, int]:
        """A table of whole numbers by name."""
        table = self.table(key)
        return {name: table.number(name) for name in table.content}

    def finish(self) -> None:
        """Refuse a key that was not asked for: a misspelt key must not be passed over."""
        for key in self.content:
            if key not in self.asked:
                raise MethodologyKeyUnknown(key=self._at(key), known=", ".join(sorted(self.asked)))

    def _value(self, key: str, wanted: str) -> object:
        if not self.has(key):
            raise MethodologyKeyMissing(key=self._at(key), wanted=wanted)
        return self.content[key]

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def read_toml(content: bytes) -> Table:
    """The top table of a TOML file in which every number is whole."""
    try:
        text = content.decode()
        return Table(tomllib.loads(text, parse_float=lambda number: _refuse_float(number, text)))
    except (ValueError, RecursionError) as error:
        raise MethodologyFileUnreadable(reason=str(error)) from error


def _refuse_float(number: str, text: str) -> NoReturn:
    lines = [place for place, line in enumerate(text.splitlines(), 1) if number in line.split("#")[0]]
    raise MethodologyNumberNotWhole(number=number[:40], line=lines[0])


def _is(value: object, kind: type[_T], path: str, wanted: str, allowed: Callable[[_T], bool] = lambda _: True) -> _T:
    # An exact type: Python counts true as a whole number and a time as a day.
    if type(value) is not kind or not allowed(value):
        raise MethodologyKeyWrong(key=path, value=_shown(value), wanted=wanted)
    return value


def _wanted(lowest: int, highest: int) -> str:
    if highest < _WIDEST - 1:
        return f"a whole number from {lowest} to {highest}"
    return "a whole number of 64 bits" if lowest == -_WIDEST else f"a whole number, at least {lowest}"


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) >= _WIDEST:
        return f"a number of {value.bit_length()} bits"
    return repr(value)[:60]
