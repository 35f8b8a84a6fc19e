"""The rows of a file, whatever its format, in tables of bounded size.

Each table has the columns ``row``, ``code``, ``facts``, ``as_received`` and ``c0`` ... in the
profile's order; all but ``row`` are texts.
"""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from carbonhui.activity.json_lines import read_json_lines
from carbonhui.activity.lines import LONGEST_LINE_BYTES, Cut, read_blocks, table_of
from carbonhui.activity.nem import NoEnd, NotNem, begins_as_nem, read_nem
from carbonhui.activity.profile import Profile
from carbonhui.activity.receiving import (
    LINE_BREAK,
    Received,
    opened_file,
    opened_text,
    read_header,
    refuse_other_columns,
    refuse_wide_text,
)
from carbonhui.activity.refusals import FileTruncated, NotAMeterFile
from carbonhui.activity.sheets import SheetRow, read_sheet, row_of


def text_rows(received: Received, profile: Profile) -> Iterator[pa.Table]:
    """A CSV file; where the profile is of a meter data form, such a file, or its repaired quarantine as CSV.

    Raises `ColumnsDiffer`, `NotAMeterFile` and the refusals of `opened_text`.
    """
    with opened_text(received) as text:
        line = text.readline(LONGEST_LINE_BYTES)
        if profile.form != "table" and begins_as_nem(line):
            yield from _meter_rows(line, text, received, profile)
            return
        header = read_header(line, received, profile)
        row = 2
        try:
            for block in read_blocks(text, len(header)):
                yield _numbered(block, range(row, row + block.num_rows), header, profile)
                row += block.num_rows
        except Cut:
            raise FileTruncated(path=received.path, **LINE_BREAK) from None


def _numbered(block: pa.Table, rows: range | list[int], header: list[str], profile: Profile) -> pa.Table:
    own = [f"c{header.index(name)}" for name in profile.columns]
    numbers = _counted_from(rows.start, len(rows)) if isinstance(rows, range) else pa.array(rows, pa.int64())
    columns = [numbers, *(block[name] for name in ("code", "facts", "as_received", *own))]
    names = [f"c{number}" for number in range(len(own))]
    return pa.table(columns, names=["row", "code", "facts", "as_received", *names])


def _counted_from(first: int, count: int) -> pa.Array:
    """As many numbers as rows, one after the other."""
    return pc.subtract(pc.cumulative_sum(pa.repeat(1, count)), 1 - first)


def json_rows(received: Received, profile: Profile) -> Iterator[pa.Table]:
    """A JSON lines file. Raises `FileNotUtf8`, `FileTruncated` and the refusals of `opened_text`."""
    row, columns = 1, list(profile.columns)
    with opened_text(received) as text:
        refuse_wide_text(text.peek(4)[:4], received)  # type: ignore[attr-defined]
        try:
            for block in read_json_lines(text, columns):
                yield _numbered(block, range(row, row + block.num_rows), columns, profile)
                row += block.num_rows
        except Cut:
            raise FileTruncated(path=received.path, **LINE_BREAK) from None


def _meter_rows(first: bytes, text: BinaryIO, received: Received, profile: Profile) -> Iterator[pa.Table]:
    columns = list(profile.columns)
    try:
        for some in read_nem(first, text, profile.form):
            rows = table_of([row for _, row in some], len(columns))
            yield _numbered(rows, [number for number, _ in some], columns, profile)
    except NotNem:
        raise NotAMeterFile(path=received.path, form=profile.form.upper()) from None
    except NoEnd:
        raise FileTruncated(path=received.path, wanted="a 900 record", wanted_zh=" 900 记录") from None


def workbook_rows(received: Received, profile: Profile) -> Iterator[pa.Table]:
    """The first sheet of an XLSX workbook, its first row that holds something being the header.

    Raises `ColumnsDiffer` and the refusals of `read_sheet`.
    """
    header: list[str] | None = None
    with opened_file(received) as file:
        for some in read_sheet(received.path, file):
            if header is None and some:
                header = _header(some.pop(0))
                refuse_other_columns(received.path, profile, header)
            if header is not None:
                yield _sheet_rows(some, header, profile)


def _header(first: SheetRow) -> list[str]:
    return [first.values.get(place, "") for place in range(first.width)]


def _sheet_rows(some: list[SheetRow], header: list[str], profile: Profile) -> pa.Table:
    places = [header.index(name) for name in profile.columns]
    rows = table_of([row_of(found, header, places) for found in some], len(header))
    return _numbered(rows, [found.number for found in some], header, profile)
