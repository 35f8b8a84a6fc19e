"""Printed documents: Chinese and English text, tables and QR codes on A4, the same bytes for the same words.

The type is bundled (``core/fonts``), so that a document looks alike on every machine. The library
that draws is imported with the first document: it takes longer than most commands that print none.
Lengths are millimetres, sizes of type are points; nothing here counts credits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Literal

import segno

from carbonhui.core.typesetting import STAND_IN, drawable, lines_of

Colour = tuple[int, int, int]
Align = Literal["L", "C", "R"]

INK: Colour = (31, 42, 42)
MUTED: Colour = (104, 117, 117)
ACCENT: Colour = (24, 104, 84)
HAIRLINE: Colour = (206, 217, 213)
TINT: Colour = (243, 248, 246)

PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0
_MM_PER_POINT = 25.4 / 72
_LACKED_ZH = "本文件的字体没有这些字,以编号代替;电子记录保留原字:"
_LACKED_EN = "The type of this document lacks these characters; the electronic record keeps them: "


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading, its width in millimetres, and to which side it is set."""

    title: str
    width: float
    align: Align = "L"


class Document:
    """A document that is written from the top to the bottom; `place`, `qr` and `box` put things where they are told.

    ``made_at`` is the caller's, so that the same words give the same bytes.
    """

    def __init__(self, title: str, *, made_at: datetime, margin: float = 20, foot: str = "") -> None:
        from fpdf import FPDF

        self.margin, self.width = margin, PAGE_WIDTH - 2 * margin
        self._foot, self._lacked = foot, dict[str, None]()
        self._pdf = FPDF(format="A4", unit="mm")
        self._pdf.set_auto_page_break(False)
        self._pdf.alias_nb_pages("")
        self._pdf.set_margins(margin, margin, margin)
        self._pdf.c_margin = 0
        self._pdf.set_creation_date(made_at)
        self._pdf.set_title(self._fit(title))
        self._pdf.set_lang("zh-CN")
        self._pdf.set_creator("carbonhui")
        self._pdf.set_producer("carbonhui")
        with resources.as_file(resources.files("carbonhui.core") / "fonts" / "NotoSansSC.woff") as path:
            self._pdf.add_font("type", "", path)
        self.new_page()

    @property
    def y(self) -> float:
        """How far down the page the next line goes."""
        return float(self._pdf.get_y())

    @y.setter
    def y(self, value: float) -> None:
        self._pdf.set_y(value)

    @property
    def bottom(self) -> float:
        """Where a page ends; below it stands the foot."""
        return PAGE_HEIGHT - self.margin - 4

    def new_page(self) -> None:
        self._pdf.add_page()
        self._pdf.set_y(self.margin)

    def space(self, height: float) -> None:
        self._pdf.set_y(self.y + height)

    def room_for(self, height: float) -> bool:
        """Start a new page unless ``height`` still fits on this one; tells whether a new one was started."""
        if self.y + height <= self.bottom:
            return False
        self.new_page()
        return True

    def write(
        self, text: str, *, size: float = 10, colour: Colour = INK, align: Align = "L", bold: bool = False,
        leading: float = 1.55, x: float | None = None, width: float | None = None,
    ) -> None:  # fmt: skip
        """A paragraph, broken into lines and pages as it needs; a line break of the text stays one."""
        x, width = self.margin if x is None else x, self.width if width is None else width
        height = size * leading * _MM_PER_POINT
        for line in self._lines(text, size, width):
            self.room_for(height)
            y = self.y
            self._line(line, x, y, width, height, size, colour, align, bold)
            self._pdf.set_y(y + height)

    def place(
        self, text: str, *, x: float, y: float, width: float, size: float = 10, colour: Colour = INK, align: Align = "L",
        bold: bool = False, leading: float = 1.55,
    ) -> float:  # fmt: skip
        """A text at a fixed place, broken into lines; answers where it ended. The place of `write` stays."""
        kept, height = self.y, size * leading * _MM_PER_POINT
        for line in self._lines(text, size, width):
            self._line(line, x, y, width, height, size, colour, align, bold)
            y += height
        self._pdf.set_y(kept)
        return y

    def height_of(self, text: str, *, size: float, width: float, leading: float = 1.55) -> float:
        """How much of a page a text takes."""
        return len(self._lines(text, size, width)) * size * leading * _MM_PER_POINT

    def facts(self, pairs: Iterable[tuple[str, str]], *, size: float = 10, label_width: float = 38) -> None:
        """What is known, a line each: its name on the left, muted, and the value beside it."""
        for label, value in pairs:
            lines = self._lines(value, size, self.width - label_width)
            height = size * 1.7 * _MM_PER_POINT
            self.room_for(height * min(len(lines), 3))
            self.place(label, x=self.margin, y=self.y + 0.2, width=label_width - 3, size=size - 1, colour=MUTED, leading=1.85)
            self.write(value, size=size, x=self.margin + label_width, width=self.width - label_width, leading=1.7)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, size: float = 8.5) -> None:
        """A table with hairlines; its heading is repeated on each page that it reaches."""
        height, pad = size * 1.45 * _MM_PER_POINT, 1.3
        self._table_heading(columns, size, height)
        for row in rows:
            assert len(row) == len(columns)
            cells = [self._lines(text, size, column.width - 2) for text, column in zip(row, columns, strict=True)]
            tall = max(len(lines) for lines in cells) * height + 2 * pad
            if self.room_for(tall):
                self._table_heading(columns, size, height)
            self._row(columns, cells, height, pad, size, INK)
            self._pdf.set_y(self.y + tall)
            self.rule(colour=HAIRLINE)

    def rule(self, *, colour: Colour = HAIRLINE, thickness: float = 0.15) -> None:
        """A line across the page, here."""
        self._pdf.set_draw_color(*colour)
        self._pdf.set_line_width(thickness)
        self._pdf.line(self.margin, self.y, self.margin + self.width, self.y)

    def box(
        self, *, x: float, y: float, width: float, height: float, line: Colour | None = None, fill: Colour | None = None,
        thickness: float = 0.2,
    ) -> None:  # fmt: skip
        """A rectangle, drawn, filled or both."""
        assert line or fill
        self._pdf.set_line_width(thickness)
        if line:
            self._pdf.set_draw_color(*line)
        if fill:
            self._pdf.set_fill_color(*fill)
        self._pdf.rect(x, y, width, height, style=("D" if line else "") + ("F" if fill else ""))

    def qr(self, text: str, *, x: float, y: float, side: float, colour: Colour = INK) -> None:
        """A QR code of ``text`` (error correction M), drawn as squares, without its quiet zone."""
        modules = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
        each = side / len(modules)
        self._pdf.set_fill_color(*colour)
        for down, row in enumerate(modules):
            for first, count in _dark_runs(row):
                self._pdf.rect(x + first * each, y + down * each, count * each, each, style="F")

    def link(self, address: str, *, x: float, y: float, width: float, height: float) -> None:
        self._pdf.link(x, y, width, height, address)

    def finish(self) -> bytes:
        """The document's bytes: names the characters that the type lacked, and numbers the pages."""
        if self._lacked:
            self.space(4)
            numbers = ", ".join(f"U+{ord(character):04X}" for character in self._lacked)
            self.write(f"{STAND_IN} {_LACKED_ZH}{numbers}", size=7.5, colour=MUTED)
            self.write(f"{STAND_IN} {_LACKED_EN}{numbers}", size=7.5, colour=MUTED)
        pages = self._pdf.pages_count
        for page in range(1, pages + 1):
            self._pdf.page = page
            y = PAGE_HEIGHT - self.margin + 3
            if self._foot:
                self.place(self._foot, x=self.margin, y=y, width=self.width - 30, size=7.5, colour=MUTED)
            if pages > 1:
                self.place(f"{page} / {pages}", x=self.margin, y=y, width=self.width, size=7.5, colour=MUTED, align="R")
        return bytes(self._pdf.output())

    def _fit(self, text: str) -> str:
        drawn, lacked = drawable(text)
        self._lacked.update(dict.fromkeys(lacked))
        return drawn

    def _lines(self, text: str, size: float, width: float) -> list[str]:
        self._pdf.set_font("type", size=size)
        return [line for part in text.split("\n") for line in lines_of(self._fit(part), width, self._pdf.get_string_width)]

    def _line(
        self, text: str, x: float, y: float, width: float, height: float, size: float, colour: Colour, align: Align, bold: bool
    ) -> None:
        from fpdf.enums import TextMode

        self._pdf.set_font("type", size=size)
        self._pdf.set_text_color(*colour)
        self._pdf.set_xy(x, y)
        with self._pdf.local_context():
            if bold:
                self._pdf.set_draw_color(*colour)
                self._pdf.set_line_width(size * 0.009)
                self._pdf.text_mode = TextMode.FILL_STROKE
            self._pdf.cell(width, height, text, align=align)

    def _table_heading(self, columns: Sequence[Column], size: float, height: float) -> None:
        cells = [self._lines(column.title, size, column.width - 2) for column in columns]
        tall = max(len(lines) for lines in cells) * height + 2.6
        self.room_for(tall + 2 * height)
        self.box(x=self.margin, y=self.y, width=sum(column.width for column in columns), height=tall, fill=TINT)
        self._row(columns, cells, height, 1.3, size, MUTED)
        self._pdf.set_y(self.y + tall)
        self.rule(colour=ACCENT, thickness=0.25)

    def _row(
        self, columns: Sequence[Column], cells: list[list[str]], height: float, pad: float, size: float, colour: Colour
    ) -> None:
        top, x = self.y, self.margin
        for column, lines in zip(columns, cells, strict=True):
            for at, line in enumerate(lines):
                self._line(line, x + 1, top + pad + at * height, column.width - 2, height, size, colour, column.align, False)
            x += column.width
        self._pdf.set_y(top)


def _dark_runs(row: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Where dark modules begin in a row of a QR code, and how many stand side by side."""
    first = None
    for at, module in enumerate([*row, 0]):
        if module and first is None:
            first = at
        elif not module and first is not None:
            yield first, at - first
            first = None
