"""Texts as they are taken from people: visible, in one form, and what they look like.

Characters by Unicode 15, as Python 3.11 knows them; the general categories are those of
UAX #44, the invisible ones those of Default_Ignorable_Code_Point.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from carbonhui.privacy.refusals import IdNumberInvalid, MobileInvalid, TextRefused

#: More marks on one letter than any living language writes.
MARKS_MAX = 4
#: Letters, marks and selectors that print nothing although their category says otherwise.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_FORBIDDEN = {
    "Cc": ("it holds a control character", "含有控制字符"),
    "Cf": ("it holds an invisible character", "含有不可见字符"),
    "Cs": ("it holds half a character", "含有不完整的字符"),
    "Co": ("it holds a character for private use", "含有私用区字符"),
    "Cn": ("it holds a character that does not exist", "含有未定义的字符"),
    "Zl": ("it holds a line separator", "含有分行符"),
    "Zp": ("it holds a line separator", "含有分行符"),
    "Zs": ("it holds a space other than the plain one", "含有普通空格以外的空格"),
    "Nd": ("it holds digits other than 0 to 9", "含有 0 至 9 以外的数字字符"),
    "No": ("it holds digits other than 0 to 9", "含有 0 至 9 以外的数字字符"),
    "Nl": ("it holds digits other than 0 to 9", "含有 0 至 9 以外的数字字符"),
}
#: Chinese writes its zero so: 二〇二六.
_CHINESE_ZERO = "\u3007"


def clean_text(text: str, *, field: str, longest: int) -> str:
    """The text in its composed form (NFC), if it is nothing but what it looks like.

    Refused are control, invisible and direction characters, lone surrogates, digits
    other than 0 to 9 (full-width, superscript, Arabic, ...), full-width letters, other
    spaces, and piles of marks. Chinese punctuation is welcome.

    Raises `TextRefused`.

    >>> clean_text("张三", field="name", longest=50)
    '张三'
    """
    # Composing shortens a text by far less than this; what is longer is not even looked at.
    if len(text) > 4 * longest:
        raise _refused(field, *_too_long(longest))
    plain = unicodedata.normalize("NFC", text)
    if not plain:
        raise _refused(field, "it is empty", "为空")
    if len(plain) > longest:
        raise _refused(field, *_too_long(longest))
    if plain != plain.strip(" "):
        raise _refused(field, "it begins or ends with a space", "首尾有空格")
    if trap := _trap(plain):
        raise _refused(field, *trap)
    return plain


def _trap(text: str) -> tuple[str, str] | None:
    """The first thing in a text that is not what it looks like."""
    marks = MARKS_MAX  # before the first letter there is nothing to put a mark on
    for character in text:
        category = unicodedata.category(character)
        if _INVISIBLE.match(character):
            return _FORBIDDEN["Cf"]
        if category in _FORBIDDEN and not (character == " " or "0" <= character <= "9" or character == _CHINESE_ZERO):
            return _FORBIDDEN[category]
        if category[0] == "L" and unicodedata.east_asian_width(character) == "F":
            return "it holds full-width letters", "含有全角字母"
        marks = marks + 1 if category[0] == "M" else 0
        if marks > MARKS_MAX:
            return f"it holds a mark without a letter or more than {MARKS_MAX} on one", f"含有无字母的附加符号,或一个字母上多于 {MARKS_MAX} 个"
    return None


def _too_long(longest: int) -> tuple[str, str]:
    return f"it is longer than {longest} characters", f"超过 {longest} 个字符"


def _refused(field: str, reason: str, reason_zh: str) -> TextRefused:
    return TextRefused(field=field, reason=reason, reason_zh=reason_zh)


_MOBILE = re.compile(r"(?:\+86)?(1[3-9][0-9]{9})", re.ASCII)


def mobile_number(text: str) -> str:
    """A mobile number of the mainland in its international form (E.164).

    Raises `MobileInvalid`, which never repeats the number.

    >>> mobile_number("13800138000")
    '+8613800138000'
    """
    match = _MOBILE.fullmatch(text)
    if match is None:
        raise MobileInvalid
    return f"+86{match[1]}"


@dataclass(frozen=True)
class IdNumber:
    """A citizen's identity number and what it says by itself."""

    text: str
    born_on: date
    #: The first two digits: the province of first registration (GB/T 2260).
    province: str

    def __repr__(self) -> str:
        return "IdNumber(...)"


#: GB/T 2260, and 81, 82, 83 of the residence permits for people from Hong Kong, Macao and Taiwan.
PROVINCES = frozenset(
    ["11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83"]
)
_ID_NUMBER = re.compile(r"[1-9][0-9]{16}[0-9Xx]", re.ASCII)
_CHECK_DIGITS = "10X98765432"


def id_number(text: str) -> IdNumber:
    """A citizen's identity number: 18 places, a birth date, a check digit (GB 11643-1999).

    A small x is taken as X. The number of 15 digits is not valid since 2013.

    Raises `IdNumberInvalid`, which never repeats the number.

    >>> id_number("11010519491231002x").born_on
    datetime.date(1949, 12, 31)
    """
    if _ID_NUMBER.fullmatch(text) is None:
        raise _invalid("it has 17 plain digits and then a digit or X", "应为 17 位半角数字加一位数字或 X")
    if text[:2] not in PROVINCES:
        raise _invalid("no province has its first two digits", "前两位不是任何省级代码")
    try:
        born_on = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        raise _invalid("its birth date does not exist", "出生日期不存在") from None
    if check_digit(text[:17]) != text[17].upper():
        raise _invalid("its check digit does not agree", "校验码不符")
    return IdNumber(text=text.upper(), born_on=born_on, province=text[:2])


def check_digit(digits: str) -> str:
    """The check digit of ISO 7064, MOD 11-2, for a number written without it.

    >>> check_digit("11010519491231002"), check_digit("44052418800101001")
    ('X', '4')
    """
    assert re.fullmatch("[0-9]+", digits)
    total = sum(int(digit) * pow(2, place, 11) for place, digit in enumerate(reversed(digits), start=1))
    return _CHECK_DIGITS[total % 11]


def _invalid(reason: str, reason_zh: str) -> IdNumberInvalid:
    return IdNumberInvalid(reason=reason, reason_zh=reason_zh)
