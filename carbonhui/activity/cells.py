"""What a cell of a workbook says, in the words a CSV file would have.

A workbook keeps every number as a binary fraction and a time as a number of days with a
style; the shortest decimal that gives the same number is what was typed.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

#: From here on not every whole number has its own binary fraction.
INEXACT_FROM = 2**53
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_SHORT = re.compile(r"0|[1-9][0-9]{0,14}")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_DATES = (14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58)
_TIMES = (18, 19, 20, 21, 22, 32, 33, 34, 35, 45, 46, 47, 55, 56)
#: The formats that need no description in the workbook, by number; some are those of Chinese and Japanese editions.
BUILT_IN_FORMATS = {str(number): "date" for number in _DATES} | {str(number): "time" for number in _TIMES}
_QUOTED = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]hms][^\]]*\]')
#: March 1900, and the end of 9995 in both ways of counting.
_FIRST_REAL_SERIAL, _SERIAL_END = 61, 2_957_000
_DAY_MS = 86_400_000


class NotText(Exception):
    """The cell holds what is no text and no number; ``found`` says what, in both languages."""

    def __init__(self, found: str, found_zh: str) -> None:
        super().__init__(found)
        self.facts: dict[str, int | str] = {"found": found, "found_zh": found_zh}


class NotExact(Exception):
    """The cell holds a whole number that a workbook does not keep exactly."""


def kind_of_format(code: str) -> str:
    """``date``, ``time`` (with or without a date), or nothing for a number.

    >>> kind_of_format("yyyy-mm-dd"), kind_of_format('[$-804]h"时"mm"分"'), kind_of_format("0.00E+00")
    ('date', 'time', '')
    """
    letters = _QUOTED.sub("", code.lower()).split(";")[0]
    if "general" in letters or letters == "@":
        return ""
    if any(letter in letters for letter in "hs"):
        return "time"
    return "date" if any(letter in letters for letter in "ydm") else ""


def number_text(text: str) -> str:
    """The shortest plain decimal of a number. Raises `NotText`, `NotExact`.

    >>> number_text("5.4999999999999997E-3"), number_text("12.0"), number_text("-0")
    ('0.0055', '12', '0')
    """
    if _SHORT.fullmatch(text):
        return text
    value = _binary(text)
    if abs(value) >= INEXACT_FROM:
        raise NotExact
    plain = format(Decimal(repr(value)), "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain == "-0" else plain


def _binary(text: str) -> float:
    """The number that every spreadsheet computes with."""
    if not _NUMBER.fullmatch(text):
        raise NotText("a number that cannot be read", "无法读取的数字")
    return float(text)


def time_text(text: str, kind: str, *, since_1904: bool) -> str:
    """The day, the time of day or both that a number of days stands for, to the millisecond. Raises `NotText`.

    Before March 1900 the count holds a day that never was; no activity is that old.

    >>> time_text("42065.3402662037", "time", since_1904=False), time_text("42065", "date", since_1904=False)
    ('2015-03-02 08:09:59', '2015-03-02')
    """
    serial = _binary(text)
    if not (0 <= serial < 1 or _FIRST_REAL_SERIAL <= serial < _SERIAL_END):
        raise NotText("a date that does not exist", "不存在的日期")
    days, milliseconds = divmod(round(serial * _DAY_MS), _DAY_MS)
    seconds, milliseconds = divmod(milliseconds, 1000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if serial < 1 and not days:
        return clock
    day = _day(days, since_1904)
    fraction = f".{milliseconds:03}" if milliseconds else ""
    return day if kind == "date" and clock == "00:00:00" else f"{day} {clock}{fraction}"


@lru_cache(maxsize=1_000)
def _day(days: int, since_1904: bool) -> str:
    return str((date(1904, 1, 1) if since_1904 else date(1899, 12, 30)) + timedelta(days=days))


def unescaped(text: str) -> str:
    """A text with the characters that a workbook writes by number (``_x000D_``).

    >>> unescaped("a_x000D_b_x005F_")
    'a\\rb_'
    """
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: "re.Match[str]") -> str:
    number = int(match[1], 16)
    return match[0] if 0xD800 <= number <= 0xDFFF else chr(number)
