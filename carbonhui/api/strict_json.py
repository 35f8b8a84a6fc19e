"""Reading JSON strictly, before anything else looks at it (RFC 8259; I-JSON, RFC 7493).

Python's own reader takes NaN, lone surrogates and the last of duplicate names, and
runs out of stack on deep nesting. No amount of this product is a fraction, so a
number with a fraction or an exponent is refused wherever it stands.
"""

import json
import re
from typing import Any, NoReturn

from carbonhui.api.refusals import JsonInvalid

DEPTH_MAX = 32
DIGITS_MAX = 16
_BOM = b"\xef\xbb\xbf"
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that these bytes are.

    Raises `JsonInvalid` for anything else.

    >>> read_object(b'{"credits": 3}')
    {'credits': 3}
    """
    text = _text_of(body)
    try:
        found = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        # The reader's message names what it expected, never what it found.
        refuse(f"{error.msg} at character {error.pos}", f"第 {error.pos} 个字符处语法错误")
    if not isinstance(found, dict):
        refuse("it is not an object", "不是对象")
    if "\\u" in text:
        _refuse_lone_surrogates(found)
    return found


def _text_of(body: bytes) -> str:
    if body.startswith(_BOM):
        refuse("it begins with a byte order mark", "以字节顺序标记开头")
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX and depth_of(body) > DEPTH_MAX:
        refuse(f"it is nested deeper than {DEPTH_MAX}", f"嵌套超过 {DEPTH_MAX} 层")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        refuse(f"byte {error.start} is not UTF-8", f"第 {error.start} 字节不是 UTF-8")


def depth_of(body: bytes) -> int:
    """How deep brackets are nested, not counting those inside texts.

    >>> depth_of(b'{"a": ["[[["]}')
    2
    """
    depth = deepest = 0
    for found in _BRACKETS.finditer(body):
        first = found[0][:1]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first != b'"':
            depth -= 1
    return deepest


def refuse(reason: str, reason_zh: str) -> NoReturn:
    raise JsonInvalid(reason=reason, reason_zh=reason_zh)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        refuse("a name appears twice in one object", "同一对象中名称重复")
    return found


def _whole(text: str) -> int:
    if len(text.removeprefix("-")) > DIGITS_MAX:
        refuse(f"a number has more than {DIGITS_MAX} digits", f"数字超过 {DIGITS_MAX} 位")
    if text == "-0":
        refuse("a number is minus zero", "数字为负零")
    return int(text)


def _no_fraction(_: str) -> NoReturn:
    refuse("a number has a fraction or an exponent; all numbers here are whole", "数字含小数或指数;此处所有数字均为整数")


def _no_constant(_: str) -> NoReturn:
    refuse("NaN and Infinity are no numbers", "NaN 与 Infinity 不是数字")


def _refuse_lone_surrogates(found: Any) -> None:
    try:
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        refuse("a text holds half of a surrogate pair", "文本含不成对的代理字符")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once_each, parse_int=_whole, parse_float=_no_fraction, parse_constant=_no_constant
)
