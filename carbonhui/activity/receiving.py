"""Opening what an institution sent: its format, its digest, its header.

The bytes that are loaded are exactly the bytes whose digest is recorded: the digest
is taken before, and again of what is read.
"""

import csv
import gzip
import hashlib
import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from carbonhui.activity.profile import QUARANTINE_COLUMNS, Profile
from carbonhui.activity.refusals import (
    ColumnsDiffer,
    FileChanged,
    FileDamaged,
    FileEmpty,
    FileNotFound,
    FileNotUtf8,
    FileTruncated,
    FileUnreadable,
    FormatUnknown,
    NotAFile,
    WorkbookUnusable,
)
from carbonhui.core.refusals import Refusal

_MIB = 1024 * 1024
_UTF16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_TEXT_NAMES = {".csv": "csv", ".jsonl": "json_lines", ".ndjson": "json_lines"}
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
LINE_BREAK = {"wanted": "a line break", "wanted_zh": "换行符"}


@dataclass(frozen=True)
class Received:
    """One file as it stood when it was looked at: its format and the SHA-256 of its bytes.

    ``format`` is ``csv``, ``json_lines``, ``workbook`` or ``parquet``; the first two may be ``packed`` (gzip).
    """

    path: Path
    format: str
    packed: bool
    digest: bytes


def look_at(path: Path) -> Received:
    """What a file is, without reading its rows.

    Raises `FileNotFound`, `NotAFile`, `FileEmpty`, `FormatUnknown`, `FileTruncated`,
    `FileUnreadable`, `WorkbookUnusable`.
    """
    with _reading(path):
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise NotAFile(path=path)
        if facts.st_size == 0:
            raise FileEmpty(path=path)
        return Received(path, *_format(path, facts.st_size), digest_of(path))


def digest_of(path: Path) -> bytes:
    """The SHA-256 of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFound(path=path) from error
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror or type(error).__name__) from error


def _format(path: Path, size: int) -> tuple[str, bool]:
    """By the first bytes; what has no telling beginning must be named as CSV or JSON lines."""
    with path.open("rb") as file:
        first = file.read(4)
        file.seek(-min(4, size), io.SEEK_END)
        last = file.read(4)
    if first == b"PAR1":
        if size < 12 or last != b"PAR1":
            raise FileTruncated(path=path, wanted="a Parquet footer", wanted_zh="Parquet 文件尾")
        return "parquet", False
    if first.startswith(b"\x1f\x8b"):
        return _TEXT_NAMES.get(Path(path.stem).suffix.lower(), "csv"), True
    name = path.suffix.lower()
    if name in (".xlsx", ".xlsm"):
        return _workbook(path, name, first), False
    if name in _TEXT_NAMES:
        return _TEXT_NAMES[name], False
    raise FormatUnknown(path=path)


def _workbook(path: Path, name: str, first: bytes) -> str:
    """A workbook is a zip; one with a password is something else inside, and so is one of before 2007."""
    if name == ".xlsm":
        raise WorkbookUnusable(path=path, reason="it may hold macros; save it as .xlsx", reason_zh="可能含有宏;请另存为 .xlsx")
    if first == _OLD_OFFICE:
        raise WorkbookUnusable(
            path=path, reason="it has a password or the format of before 2007", reason_zh="设有密码或为 2007 年之前的格式"
        )
    if first != b"PK\x03\x04":
        raise FormatUnknown(path=path)
    return "workbook"


class _Digesting(io.RawIOBase):
    """A file that keeps the digest of what was read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        read = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._digest.update(buffer[:read])
        return int(read)

    def digest_to_the_end(self) -> bytes:
        while self.read(_MIB):
            pass
        return self._digest.digest()


@contextmanager
def opened_text(received: Received) -> Iterator[BinaryIO]:
    """The file's text as bytes, uncompressed; refused at the end if it was not the file that was looked at.

    Raises `FileChanged`, `FileTruncated`, `FileDamaged`, `FileUnreadable`.
    """
    with _reading(received.path), received.path.open("rb") as file:
        digesting = _Digesting(file)
        raw = io.BufferedReader(digesting, _MIB)
        try:
            yield gzip.GzipFile(fileobj=raw) if received.packed else raw  # type: ignore[misc]
        except EOFError as error:
            refuse_if_changed(received)
            raise FileTruncated(path=received.path, wanted="a gzip trailer", wanted_zh=" gzip 文件尾") from error
        except (zlib.error, gzip.BadGzipFile) as error:
            refuse_if_changed(received)
            raise FileDamaged(path=received.path, reason=type(error).__name__) from error
        except FileTruncated:
            refuse_if_changed(received)
            raise
        if digesting.digest_to_the_end() != received.digest:
            raise FileChanged(path=received.path)


@contextmanager
def opened_file(received: Received) -> Iterator[BinaryIO]:
    """The file itself, for formats that are read here and there; refused at the end if it changed meanwhile.

    Raises `FileChanged`, `FileUnreadable`.
    """
    with _reading(received.path), received.path.open("rb") as file:
        try:
            yield file
        except Refusal:
            refuse_if_changed(received)
            raise
        refuse_if_changed(received)


def refuse_if_changed(received: Received) -> None:
    """Raises `FileChanged` if the file is no longer the one that was looked at."""
    with _reading(received.path):
        if digest_of(received.path) != received.digest:
            raise FileChanged(path=received.path)


def read_header(line: bytes, received: Received, profile: Profile) -> list[str]:
    """The names in the first line, which must be the profile's; our quarantine's own columns may stand among them.

    Raises `FileNotUtf8`, `ColumnsDiffer`, `FileTruncated`.
    """
    refuse_wide_text(line, received)
    try:
        header = line.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise FileNotUtf8(path=received.path, reason=f"byte {error.start + 1} of the header") from error
    found = next(csv.reader([header.rstrip("\r\n")]), [])
    refuse_other_columns(received.path, profile, found)
    if not header.endswith("\n"):
        raise FileTruncated(path=received.path, **LINE_BREAK)
    return found


def refuse_wide_text(beginning: bytes, received: Received) -> None:
    """Raises `FileNotUtf8` if the text has two or four bytes for each letter."""
    if beginning.startswith(_UTF16_OR_32) or b"\0" in beginning:
        raise FileNotUtf8(path=received.path, reason="it looks like UTF-16 or UTF-32")


def refuse_other_columns(path: Path, profile: Profile, found: list[str]) -> None:
    """Raises `ColumnsDiffer`, naming what was found only if it is a header and not somebody's data."""
    own = [name for name in found if name not in QUARANTINE_COLUMNS]
    if own == list(profile.columns) and len(set(found)) == len(found):
        return
    familiar = {name.strip().lower() for name in found} & {name.lower() for name in profile.columns}
    told = ", ".join(ascii(name[:40])[1:-1] for name in found[:50]) if familiar else "of no header that is known"
    raise ColumnsDiffer(path=path, found=told, profile=profile.name, expected=", ".join(profile.columns))
