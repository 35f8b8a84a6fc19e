"""Opening an XLSX workbook: what is refused before a cell is read, and which part holds what.

A workbook is a zip, so a few bytes can become gigabytes: sizes are judged by the zip's own
directory first, and no part is read further than the directory says it goes. Parts that
hold no cells (pictures, other zips) are never opened.
"""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from carbonhui.activity.cells import BUILT_IN_FORMATS, kind_of_format
from carbonhui.activity.refusals import (
    FileDamaged,
    FileTruncated,
    WorkbookHasMoreSheets,
    WorkbookTooLarge,
    WorkbookUnusable,
)
from carbonhui.activity.xml_parts import BadXml, attribute, elements

MIB = 1024 * 1024
#: A full sheet of a million rows and ten columns has about 500 MiB.
MOST_UNPACKED_BYTES = 1024 * MIB
#: Repetitive sheets shrink to a hundredth; only what is made to blow up shrinks further.
MOST_TIMES_PACKED = 250
_HARMLESS_BYTES = 16 * MIB
_MOST_PARTS = 1_000
_MOST_DIRECTORY_BYTES = MIB
_MOST_SMALL_PART_BYTES = 4 * MIB
_END, _END_64, _END_BYTES, _LONGEST_COMMENT = b"PK\x05\x06", b"PK\x06\x07", 22, 65_535
_ZIP_ERRORS = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error, KeyError, OverflowError, BadXml,
)  # fmt: skip


def unusable(path: Path, reason: str, reason_zh: str) -> WorkbookUnusable:
    return WorkbookUnusable(path=path, reason=reason, reason_zh=reason_zh)


def too_large(path: Path, reason: str, reason_zh: str) -> WorkbookTooLarge:
    return WorkbookTooLarge(path=path, reason=reason, reason_zh=reason_zh)


@dataclass(frozen=True)
class Sheet:
    name: str
    part: str


@dataclass(frozen=True)
class Workbook:
    """A workbook whose sizes are believed; ``sheets`` in their order, hidden ones too."""

    path: Path
    archive: zipfile.ZipFile
    sheets: list[Sheet]
    texts_part: str | None
    styles_part: str | None
    counts_from_1904: bool

    def open(self, part: str) -> IO[bytes]:
        return self.archive.open(part)


@contextmanager
def opened_workbook(path: Path, file: BinaryIO) -> Iterator[Workbook]:
    """Raises `FileTruncated`, `FileDamaged`, `WorkbookTooLarge`, `WorkbookUnusable`, `WorkbookHasMoreSheets`."""
    try:
        _refuse_strange_end(path, file)
        with zipfile.ZipFile(file) as archive:
            _refuse_strange_parts(path, archive.infolist())
            book = _described(path, archive)
            for other in book.sheets[1:]:
                if _has_cells(book, other):
                    raise WorkbookHasMoreSheets(path=path, sheet=ascii(other.name[:40])[1:-1])
            yield book
    except _ZIP_ERRORS as error:
        raise FileDamaged(path=path, reason=str(error) if isinstance(error, BadXml) else type(error).__name__) from None


def _refuse_strange_end(path: Path, file: BinaryIO) -> None:
    """The directory is at the end, and small: before it is read, so that it cannot fill the memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise FileTruncated(path=path, wanted="a zip directory", wanted_zh=" zip 目录")
    directory_bytes = int.from_bytes(tail[at + 12 : at + 16], "little")
    if tail[max(0, at - 20) : at].startswith(_END_64) or directory_bytes > _MOST_DIRECTORY_BYTES:
        raise unusable(path, "its zip directory is larger than that of a workbook", "其 zip 目录大于工作簿应有的大小")


def _refuse_strange_parts(path: Path, parts: list[zipfile.ZipInfo]) -> None:
    names = [part.filename.lower() for part in parts]
    if len(parts) > _MOST_PARTS or len(set(names)) < len(names):
        raise unusable(path, "it has too many parts, or two of one name", "其部件过多或重名")
    if any(part.flag_bits & 1 for part in parts):
        raise unusable(path, "it is encrypted", "文件已加密")
    if any("vbaproject" in name for name in names):
        raise unusable(path, "it holds macros; save it as .xlsx", "含有宏;请另存为 .xlsx")
    unpacked = sum(part.file_size for part in parts)
    times = unpacked // max(1, sum(part.compress_size for part in parts))
    if unpacked > MOST_UNPACKED_BYTES:
        found, most = unpacked // MIB, MOST_UNPACKED_BYTES // MIB
        raise too_large(path, f"it unpacks to {found} MiB, and at most {most} are read", f"解压后为 {found} MiB,上限为 {most} MiB")
    if unpacked > _HARMLESS_BYTES and times > MOST_TIMES_PACKED:
        raise too_large(
            path,
            f"it unpacks to {times} times its size, and at most {MOST_TIMES_PACKED} times are read",
            f"解压后为原大小的 {times} 倍,上限为 {MOST_TIMES_PACKED} 倍",
        )


def _described(path: Path, archive: zipfile.ZipFile) -> Workbook:
    main = _related(archive, "").get("officeDocument", [])
    if not main or main[0][1] not in archive.namelist():
        raise unusable(path, "it is a zip, but no XLSX workbook", "它是 zip 文件,但不是 XLSX 工作簿")
    part = main[0][1]
    related = _related(archive, part)
    targets = dict(related.get("worksheet", []))
    sheets, since_1904 = [], False
    for name, attributes in elements(_small(archive, part)):
        if name == "workbookPr":
            since_1904 = attribute(attributes, "date1904") in ("1", "true")
        if name == "sheet" and attribute(attributes, "id") in targets:
            sheets.append(Sheet(attribute(attributes, "name"), targets[attribute(attributes, "id")]))
    if not sheets:
        raise unusable(path, "it has no sheet", "没有工作表")
    texts, styles = (next((target for _, target in related.get(kind, [])), None) for kind in ("sharedStrings", "styles"))
    return Workbook(path, archive, sheets, texts, styles, since_1904)


def _related(archive: zipfile.ZipFile, part: str) -> dict[str, list[tuple[str, str]]]:
    """What a part refers to: by kind, the reference and the part that it names."""
    folder, name = posixpath.split(part)
    relations = posixpath.join(folder, "_rels", f"{name}.rels")
    found: dict[str, list[tuple[str, str]]] = {}
    if relations not in archive.namelist():
        return found
    for element, attributes in elements(_small(archive, relations)):
        if element == "Relationship" and attribute(attributes, "TargetMode") != "External":
            kind = attribute(attributes, "Type").rpartition("/")[2]
            target = posixpath.normpath(posixpath.join("/", folder, attribute(attributes, "Target")))
            found.setdefault(kind, []).append((attribute(attributes, "Id"), target.lstrip("/")))
    return found


def _small(archive: zipfile.ZipFile, part: str) -> IO[bytes]:
    if archive.getinfo(part).file_size > _MOST_SMALL_PART_BYTES:
        raise BadXml("a part that describes the workbook is too large")
    return archive.open(part)


def _has_cells(book: Workbook, sheet: Sheet) -> bool:
    """Whether a sheet holds anything: a value, a text or a formula."""
    with book.open(sheet.part) as member:
        return any(name in ("v", "f", "is") for name, _ in elements(member))


def styles(book: Workbook) -> dict[str, str]:
    """Of the cell styles that show a date or a time: ``date`` where only the day is shown, else ``time``."""
    if book.styles_part is None:
        return {}
    formats = dict(BUILT_IN_FORMATS)
    found: dict[str, str] = {}
    inside, number = False, 0
    for name, attributes in elements(_small(book.archive, book.styles_part)):
        if name == "numFmt":
            formats[attribute(attributes, "numFmtId")] = kind_of_format(attribute(attributes, "formatCode"))
        elif name in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            inside = name == "cellXfs"
        elif name == "xf" and inside:
            kind = formats.get(attribute(attributes, "numFmtId"), "")
            if kind:
                found[str(number)] = kind
            number += 1
    return found
