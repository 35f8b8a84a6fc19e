"""From a sheet of a workbook to rows, piece by piece: a sheet of a million rows takes no more memory than one of ten.

The sheet is read as it is written and not through a spreadsheet library: those hand out
the remembered result of a formula as if it had been typed, give an error as an empty cell,
and need the memory of the rectangle around two far-off cells
(``docs/decisions/workbooks-as-written.md``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from carbonhui.activity.cells import INEXACT_FROM, NotExact, NotText, number_text, time_text, unescaped
from carbonhui.activity.lines import LONGEST_LINE_BYTES, Row
from carbonhui.activity.refusals import WorkbookHasFormulas
from carbonhui.activity.shared_texts import SharedTexts, shared_texts
from carbonhui.activity.workbooks import MIB, MOST_UNPACKED_BYTES, Workbook, opened_workbook, styles, too_large
from carbonhui.activity.xml_parts import Attributes, BadXml, Reader

_CELL = re.compile("([A-Z]{1,3})([1-9][0-9]{0,6})")
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384
_ROWS_AT_ONCE, _BYTES_AT_ONCE = 5_000, 4 * MIB
_SHOWN = 1_000


@dataclass
class SheetRow:
    """One row that holds something: its number, its values by column, and what is wrong with a cell of it."""

    number: int
    values: dict[int, str] = field(default_factory=dict)
    wrong: dict[int, tuple[str, dict[str, int | str]]] = field(default_factory=dict)
    too_long: bool = False

    @property
    def width(self) -> int:
        return max([*self.values, *self.wrong], default=-1) + 1


def read_sheet(path: Path, file: BinaryIO) -> Iterator[list[SheetRow]]:
    """The rows of the first sheet, some at a time; the only sheet that may hold anything.

    Raises the refusals of `workbooks.opened_workbook`, and `WorkbookHasFormulas`.
    """
    with opened_workbook(path, file) as book:
        reading = _Reading(book, shared_texts(book))
        with book.open(book.sheets[0].part) as member:
            for _ in Reader(reading.begin, reading.end, reading.text).pieces(member):
                if len(reading.rows) >= _ROWS_AT_ONCE or reading.waiting_bytes >= _BYTES_AT_ONCE:
                    yield reading.rows
                    reading.rows, reading.waiting_bytes = [], 0
        if not reading.is_sheet:
            raise BadXml("the first sheet is no sheet of cells")
        yield reading.rows


def row_of(read: SheetRow, header: list[str], places: list[int]) -> Row:
    """A row under the header's names, or its defect; ``places`` are the columns that the profile names."""
    if read.too_long:
        return _defect(read, [], "line_too_long", most=LONGEST_LINE_BYTES)
    if read.width > len(header):
        return _defect(read, header, "columns_too_many", found=read.width, wanted=len(header))
    for place in places:
        if place in read.wrong:
            code, facts = read.wrong[place]
            return _defect(read, header, code, column=header[place], **facts)
    return Row([read.values.get(place, "") for place in range(len(header))])


def _defect(read: SheetRow, header: list[str], code: str, **facts: int | str) -> Row:
    values = [read.values.get(place, "") for place in range(read.width)]
    return Row(values[: len(header)], code, facts, ",".join(values)[:_SHOWN])


class _Reading:
    """The cells of one sheet as its elements pass by."""

    def __init__(self, book: Workbook, texts: SharedTexts) -> None:
        self.rows: list[SheetRow] = []
        self.waiting_bytes = 0
        self.is_sheet = False
        self._book, self._texts, self._styles = book, texts, styles(book)
        self._row, self._column = 0, -1
        self._current: SheetRow | None = None
        self._type = self._style = ""
        self._pieces: list[str] = []
        self._size = self._total = 0
        self._in_cell = self._listening = self._phonetic = False

    def begin(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._listening = self._in_cell and not self._phonetic
        elif name == "row":
            self._begin_row(attributes)
        elif name == "f" and self._in_cell:
            raise WorkbookHasFormulas(path=self._book.path, cell=_name(self._column, self._row))
        elif name == "rPh":
            self._phonetic = True
        elif name == "worksheet":
            self.is_sheet = True

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._listening = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._end_row()
        elif name == "rPh":
            self._phonetic = False

    def text(self, piece: str) -> None:
        if self._listening and self._size <= LONGEST_LINE_BYTES:
            self._pieces.append(piece)
            self._size += len(piece.encode())

    def _begin_row(self, attributes: Attributes) -> None:
        said = attributes.get("r", "")
        number = int(said) if re.fullmatch("[1-9][0-9]{0,6}", said) else self._row + 1
        if number <= self._row or number > _MOST_ROWS:
            raise BadXml("its rows are not in their order")
        self._row, self._column, self._size = number, -1, 0
        self._current = SheetRow(number)

    def _end_row(self) -> None:
        if self._current is not None and (self._current.width or self._size > LONGEST_LINE_BYTES):
            self._current.too_long = self._size > LONGEST_LINE_BYTES
            self.rows.append(self._current)
        self._current = None
        size = min(self._size, LONGEST_LINE_BYTES)
        self._total += size
        self.waiting_bytes += size
        if self._total > MOST_UNPACKED_BYTES:
            most = MOST_UNPACKED_BYTES // MIB
            raise too_large(self._book.path, f"its cells say more than {most} MiB", f"单元格内容超过 {most} MiB")

    def _begin_cell(self, attributes: Attributes) -> None:
        said = _CELL.fullmatch(attributes.get("r", ""))
        column = _column(said[1]) if said else self._column + 1
        if self._current is None or (said and int(said[2]) != self._row) or not self._column < column < _MOST_COLUMNS:
            raise BadXml("its cells are not in their order")
        self._column, self._in_cell = column, True
        self._type, self._style = attributes.get("t", ""), attributes.get("s", "")
        self._pieces = []

    def _end_cell(self) -> None:
        assert self._current is not None
        text = "".join(self._pieces)
        self._pieces, self._in_cell = [], False
        if not text or self._size > LONGEST_LINE_BYTES:
            return
        try:
            value = self._value(text)
        except NotExact:
            self._current.wrong[self._column] = ("number_not_exact", {"most": INEXACT_FROM})
            self._current.values[self._column] = text
        except NotText as found:
            self._current.wrong[self._column] = ("value_not_text", found.facts)
            self._current.values[self._column] = text
        else:
            if value and self._size <= LONGEST_LINE_BYTES:
                self._current.values[self._column] = value

    def _value(self, text: str) -> str:
        if self._type == "s":
            return self._shared(text)
        if self._type in ("inlineStr", "str"):
            return unescaped(text)
        if self._type == "d":
            return text
        if self._type == "b":
            raise NotText("true or false", "逻辑值")
        if self._type == "e":
            raise NotText("an error of the spreadsheet", "电子表格错误值")
        kind = self._styles.get(self._style)
        return time_text(text, kind, since_1904=self._book.counts_from_1904) if kind else number_text(text)

    def _shared(self, text: str) -> str:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) < len(self._texts)):
            raise BadXml("a cell refers to a text that is not there")
        found = self._texts[int(text)]
        self._size += len(found.encode())
        return found


@lru_cache(maxsize=1_000)
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _name(column: int, row: int) -> str:
    letters, column = "", column + 1
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
