"""A copy as one JSON object, or as a workbook with one sheet a matter.

Texts are written as texts and never as formulas, whatever they begin with (CWE-1236).
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy.orm import Session
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from carbonhui import privacy
from carbonhui.core.settings import Settings
from carbonhui.export.about import Row
from carbonhui.export.collecting import Matter, matters
from carbonhui.export.refusals import ExportTooLarge
from carbonhui.participants import Person

FORM = "carbonhui-export/1"
#: A sheet of a workbook ends here; what is more goes on in another.
ROWS_MAX = 1_048_576
_HEADINGS = 3
_CELL_LONGEST = 32_767
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def everything(
    session: Session, vault: privacy.Vault, settings: Settings, person: Person, reader: privacy.Reader
) -> dict[str, Any]:
    """The whole copy in memory, as `write_json` writes it. Raises `privacy.SubjectErased`."""
    return {"form": FORM, "matters": {matter.name: _object(matter) for matter in matters(session, vault, settings, person, reader)}}


def _object(matter: Matter) -> dict[str, Any]:
    rows = [dict(zip(matter.columns, row, strict=True)) for row in matter.rows]
    return {"says": matter.says, "says_zh": matter.says_zh, "rows": rows}


def write_json(found: Iterable[Matter], to: BinaryIO, *, bytes_max: int | None = None) -> None:
    """Write the copy as JSON, a row at a time. Raises `ExportTooLarge` once it is larger than ``bytes_max``."""
    written = 0
    for piece in _pieces(found):
        written += to.write(piece.encode())
        _refuse_larger(written, bytes_max)


def _pieces(found: Iterable[Matter]) -> Iterator[str]:
    yield f'{{"form":"{FORM}","matters":{{'
    for number, matter in enumerate(found):
        head = {"says": matter.says, "says_zh": matter.says_zh}
        yield f'{"," if number else ""}\n{_json(matter.name)}:{_json(head)[:-1]},"rows":['
        for line, row in enumerate(matter.rows):
            yield ("," if line else "") + "\n" + _json(dict(zip(matter.columns, row, strict=True)))
        yield "]}"
    yield "}}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_xlsx(found: Iterable[Matter], to: BinaryIO, *, bytes_max: int | None = None) -> None:
    """Write the copy as a workbook, a row at a time. Raises `ExportTooLarge` when it is larger than ``bytes_max``."""
    with tempfile.TemporaryDirectory(prefix="carbonhui-") as folder:
        path = Path(folder) / "export.xlsx"
        # The descriptor is made first, so that nobody else may read what is being written.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with xlsxwriter.Workbook(path, {**_OPTIONS, "tmpdir": folder}) as book:
            for matter in found:
                _write_matter(book, matter)
        _refuse_larger(path.stat().st_size, bytes_max)
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                to.write(piece)


def _write_matter(book: xlsxwriter.Workbook, matter: Matter) -> None:
    sheet, line, sheets = _begun(book, matter, 1), _HEADINGS, 1
    for row in matter.rows:
        if line == ROWS_MAX:
            sheets += 1
            sheet, line = _begun(book, matter, sheets), _HEADINGS
        _write_row(sheet, line, row)
        line += 1


def _begun(book: xlsxwriter.Workbook, matter: Matter, number: int) -> Worksheet:
    sheet = book.add_worksheet(matter.name if number == 1 else f"{matter.name} {number}")
    for line, row in enumerate(((matter.says,), (matter.says_zh,), matter.columns)):
        _write_row(sheet, line, row)
    sheet.freeze_panes(_HEADINGS, 0)
    return sheet


def _write_row(sheet: Worksheet, line: int, row: Row) -> None:
    for column, value in enumerate(row):
        if isinstance(value, bool):
            sheet.write_boolean(line, column, value)
        elif isinstance(value, int):
            sheet.write_number(line, column, value)
        elif value is not None:
            sheet.write_string(line, column, value[:_CELL_LONGEST])


def as_xlsx(
    session: Session, vault: privacy.Vault, settings: Settings, person: Person, reader: privacy.Reader, to: BinaryIO
) -> None:
    """The whole copy as a workbook. Raises `privacy.SubjectErased`."""
    write_xlsx(matters(session, vault, settings, person, reader), to)


def _refuse_larger(written: int, bytes_max: int | None) -> None:
    if bytes_max is not None and written > bytes_max:
        raise ExportTooLarge(most=bytes_max)
