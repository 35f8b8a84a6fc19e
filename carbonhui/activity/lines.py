"""From the text of a CSV file to rows, each whole or with the reason why not (RFC 4180).

A block without quotation marks whose every line has the right columns goes through
the fast reader whole; anything else is read line by line. Both give the same rows.
"""

import csv
import json
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as arrow_csv

BLOCK_BYTES = 4 * 1024 * 1024
#: No line of an honest file comes near. It is also the longest field that Python's reader takes.
LONGEST_LINE_BYTES = 128 * 1024
_READERS = 2
#: A block of empty lines has millions of rows, and each is an object for a while.
ROWS_AT_ONCE = 20_000
_SHOWN_BYTES = 1_000
_BOM = b"\xef\xbb\xbf"
#: Quotation marks, zero bytes and empty lines, of which the fast reader has its own idea.
_NOT_PLAIN = (b'"', b"\0", b"\n\n", b"\n\r\n")


@dataclass(frozen=True)
class Row:
    """One row: its values, or the code and the facts of its defect and the line as it was received."""

    values: list[str]
    code: str | None = None
    facts: dict[str, int | str] = field(default_factory=dict)
    as_received: str | None = None


class Cut(Exception):
    """The text ends inside a line, of which ``rest`` is there."""

    def __init__(self, rest: bytes) -> None:
        super().__init__()
        self.rest = rest


def read_blocks(text: BinaryIO, width: int) -> Iterator[pa.Table]:
    """The rows after the header, in tables of bounded size.

    Columns: ``code``, ``facts`` (JSON), ``as_received``, and ``c0`` to ``c{width-1}``.
    Raises `Cut` if the last line has no line break: nobody can tell whether it is whole.
    """
    rest = b""
    for block, soon in _read_ahead(text, width):
        if isinstance(block, Row):
            yield table_of([block], width)
            continue
        table = soon.result() if not rest else _fast(rest + block, width)
        block = rest + block
        rest = b""
        if table is None:
            rest = yield from _careful(block, width, last=False)
        elif table.num_rows:
            yield table
    if rest:
        yield from _careful(rest, width, last=True)


def _read_ahead(text: BinaryIO, width: int) -> Iterator[tuple[bytes | Row, Future[pa.Table | None]]]:
    """The blocks in their order, each with what the fast reader makes of it; it reads some while others are written."""
    with ThreadPoolExecutor(_READERS) as readers:
        under_way: deque[tuple[bytes | Row, Future[pa.Table | None]]] = deque()
        try:
            for block in whole_lines(text):
                under_way.append((block, readers.submit(_fast, block if isinstance(block, bytes) else b"", width)))
                if len(under_way) > _READERS:
                    yield under_way.popleft()
        except Cut:
            yield from under_way
            raise
        yield from under_way


def whole_lines(text: BinaryIO) -> Iterator[bytes | Row]:
    """Blocks that end with a line break; a line that is longer than a block becomes a defective row at once."""
    rest = b""
    skipping = False
    while read := text.read(BLOCK_BYTES):
        block = rest + read
        end = block.rfind(b"\n") + 1
        if end:
            begin = block.find(b"\n") + 1 if skipping else 0
            skipping = False
            if begin < end:
                yield block[begin:end]
        rest = b"" if skipping else block[end:]
        if len(rest) > BLOCK_BYTES:
            yield too_long(rest)
            rest, skipping = b"", True
    if rest or skipping:
        raise Cut(rest)


def _fast(block: bytes, width: int) -> pa.Table | None:
    """The rows of a block in which every line is plain; None if one is not."""
    if any(mark in block for mark in _NOT_PLAIN) or block.startswith((_BOM, b"\n", b"\r\n")):
        return None
    if block.count(b"\r") != block.count(b"\r\n"):
        return None
    if _may_hold_a_long_line(block) or not (block.isascii() or _is_utf8(block)):
        return None
    names = [f"c{number}" for number in range(width)]
    try:
        values = arrow_csv.read_csv(
            pa.BufferReader(block),
            arrow_csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            arrow_csv.ParseOptions(quote_char=False, double_quote=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        # Some line has other columns; which one, the careful reader says.
        return None
    if values.num_rows != block.count(b"\n"):
        return None
    nothing = pa.nulls(values.num_rows, pa.string())
    return pa.table([nothing, nothing, nothing, *values.columns], names=["code", "facts", "as_received", *names])


def _may_hold_a_long_line(block: bytes) -> bool:
    """A line that is too long spans a whole window of half its length, which then has no line break."""
    window = LONGEST_LINE_BYTES // 2
    return any(block.find(b"\n", at, at + window) < 0 for at in range(0, len(block) - window + 1, window))


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _careful(block: bytes, width: int, *, last: bool) -> Generator[pa.Table, None, bytes]:
    """The rows of a block, line by line; returns the beginning of a quoted row that the next block continues.

    A quotation mark without a partner costs its own line only: the lines after it are
    read as if it were not there.
    """
    lines = block.split(b"\n")[:-1]
    rows: list[Row] = []
    rest = b""
    at = 0
    while at < len(lines):
        end = _end_of_quotes(lines, at)
        if end is None and not last and sum(map(len, lines[at:])) <= LONGEST_LINE_BYTES:
            rest = b"\n".join(lines[at:]) + b"\n"
            break
        row = _row(b"\n".join(lines[at:end]), width) if end is not None else None
        if row is None or (row.code is not None and end != at + 1):
            row, end = defect(lines[at], width, "quote_not_closed"), at + 1
        assert end is not None
        rows.append(row)
        at = end
        if len(rows) == ROWS_AT_ONCE:
            yield table_of(rows, width)
            rows = []
    if rows:
        yield table_of(rows, width)
    return rest


def _end_of_quotes(lines: list[bytes], at: int) -> int | None:
    """The first line after the row that begins at a line, or None if its quotes do not close in time."""
    quotes = size = 0
    for end in range(at, len(lines)):
        quotes += lines[end].count(b'"')
        size += len(lines[end])
        if end == at and size > LONGEST_LINE_BYTES:
            return at + 1
        if size > LONGEST_LINE_BYTES:
            return None
        if quotes % 2 == 0:
            return end + 1
    return None


def _row(line: bytes, width: int) -> Row | None:
    """One row of text; None if its quotes are not well formed."""
    if len(line) > LONGEST_LINE_BYTES:
        return too_long(line)
    try:
        text = line.decode().removesuffix("\r")
    except UnicodeDecodeError as error:
        return defect(line, width, "not_utf8", found=error.start + 1)
    try:
        values = next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None if b'"' in line else defect(line, width, "line_break_alone")
    if len(values) == width:
        return Row(values)
    code = "columns_missing" if len(values) < width else "columns_too_many"
    return defect(line, width, code, found=len(values), wanted=width)


def defect(line: bytes, width: int, code: str, **facts: int | str) -> Row:
    """A row that could not be read; what can be told apart is shown in its columns, the line stays whole beside it."""
    shown = line.decode(errors="backslashreplace").removesuffix("\r")
    return Row(shown.split(",")[:width], code, facts, shown)


def too_long(line: bytes) -> Row:
    shown = line[:_SHOWN_BYTES].decode(errors="backslashreplace")
    return Row([], "line_too_long", {"most": LONGEST_LINE_BYTES}, shown)


def table_of(rows: list[Row], width: int) -> pa.Table:
    columns: dict[str, list[str | None]] = {
        "code": [row.code for row in rows],
        "facts": [json.dumps(row.facts) if row.code else None for row in rows],
        "as_received": [row.as_received for row in rows],
    }
    for number in range(width):
        columns[f"c{number}"] = [row.values[number] if number < len(row.values) else "" for row in rows]
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
