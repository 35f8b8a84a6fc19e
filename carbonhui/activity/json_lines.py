"""From the text of a JSON lines file to rows: one object on each line, with exactly the profile's columns as keys.

A number stays the text that was written, so that no digit is lost on the way. The keys
may stand in any order; null is an empty value.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NoReturn

import pyarrow as pa

from carbonhui.activity.lines import LONGEST_LINE_BYTES, ROWS_AT_ONCE, Row, defect, table_of, too_long, whole_lines

_BOM = b"\xef\xbb\xbf"
_KINDS = {
    bool: {"found": "true or false", "found_zh": "逻辑值"},
    list: {"found": "a list", "found_zh": "列表"},
}
_OBJECT = {"found": "an object", "found_zh": "对象"}


class _Object(tuple[tuple[str, Any], ...]):
    """The pairs of an object as they stand there, so that a key that comes twice is seen."""


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


_read = json.JSONDecoder(
    object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=_no_number
).decode


def read_json_lines(text: BinaryIO, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The rows, in tables of bounded size with the columns of `lines.read_blocks`, in the order of ``columns``.

    Raises `Cut` if the last line has no line break: nobody can tell whether it is whole.
    """
    first = True
    for block in whole_lines(text):
        if isinstance(block, Row):
            yield table_of([block], len(columns))
            continue
        found = (block.removeprefix(_BOM) if first else block).split(b"\n")[:-1]
        first = False
        for some in range(0, len(found), ROWS_AT_ONCE):
            yield table_of([_row(line, columns) for line in found[some : some + ROWS_AT_ONCE]], len(columns))


def _row(line: bytes, columns: Sequence[str]) -> Row:
    if len(line) > LONGEST_LINE_BYTES:
        return too_long(line)
    try:
        found = _read(line.decode())
    except UnicodeDecodeError as error:
        return _defect(line, "not_utf8", found=error.start + 1)
    except (ValueError, RecursionError):
        return _defect(line, "not_json")
    if not isinstance(found, _Object):
        return _defect(line, "not_json")
    return _keys_defect(line, found, columns) or _values_defect(line, found) or _whole(found, columns)


def _defect(line: bytes, code: str, **facts: int | str) -> Row:
    """The line stays whole beside the empty columns: what a broken object means, nobody can tell."""
    return defect(line, 0, code, **facts)


def _keys_defect(line: bytes, found: _Object, columns: Sequence[str]) -> Row | None:
    keys = Counter(key for key, _ in found)
    missing = [name for name in columns if name not in keys]
    if missing:
        return _defect(line, "keys_missing", missing=", ".join(missing))
    if len(keys) > len(columns):
        return _defect(line, "keys_unknown", found=len(keys) - len(columns))
    twice = [key for key, times in keys.items() if times > 1]
    return _defect(line, "key_twice", column=twice[0]) if twice else None


def _values_defect(line: bytes, found: _Object) -> Row | None:
    for key, value in found:
        if value is not None and not isinstance(value, str):
            return _defect(line, "value_not_text", column=key, **_KINDS.get(type(value), _OBJECT))
        if value is not None and not _is_unicode(value):
            return _defect(line, "not_unicode", column=key)
    return None


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _whole(found: _Object, columns: Sequence[str]) -> Row:
    values = dict(found)
    return Row([values[name] or "" for name in columns])
