"""A small reader of workbooks, which shares nothing with what writes them."""

import io
import zipfile
from xml.etree import ElementTree

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets_of(content: bytes) -> dict[str, list[list[str]]]:
    """The rows of each sheet, as texts."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = [one.get("name", "") for one in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{_SHEET}sheet")]
        return {name: _rows(book.read(f"xl/worksheets/sheet{number}.xml")) for number, name in enumerate(names, 1)}


def _rows(xml: bytes) -> list[list[str]]:
    rows = []
    for row in ElementTree.fromstring(xml).iter(f"{_SHEET}row"):
        rows.append(["".join(cell.itertext()) for cell in row.iter(f"{_SHEET}c")])
    return rows


def formulas_in(content: bytes) -> int:
    """How many cells of a workbook a program would compute, or follow as a link."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    return sum(sheet.count("<f>") + sheet.count("<f ") + sheet.count("<hyperlink") for sheet in sheets)
