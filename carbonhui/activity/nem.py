"""Meter data files of the Australian market: NEM12 (intervals of each day) and NEM13 (from one reading to the next).

One row comes of each 300 record (a meter's day) and each 250 record (a meter's period),
with ``profile.NEM_COLUMNS``; the records around them say what they are of. A record that
cannot be read is a refused row, and so is one that no other record explains.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import BinaryIO

from carbonhui.activity.lines import LONGEST_LINE_BYTES, Cut, Row, defect, too_long, whole_lines

_BOM = b"\xef\xbb\xbf"
_MINUTES = {"5": 5, "10": 10, "15": 15, "30": 30}
_DAY_MINUTES = 1440
#: From the best to the worst: measured, final substitute, substitute, estimate, nothing.
_QUALITIES = "AFSEN"
_QUALITY = re.compile("([AFSEN])[0-9]{0,2}")
_NUMBER = re.compile(r"-?([0-9]{1,12}(\.[0-9]{0,12})?|\.[0-9]{1,12})")
#: Energy and how many decimal places it is away from kWh.
_ENERGY = {"WH": -3, "KWH": 0, "MWH": 3}
_ROWS_AT_ONCE = 2_000
_SHOWN = 1_000
Numbered = tuple[int, Row]


class NotNem(Exception):
    """The file is not of the form that the profile names; it begins in another way."""


class NoEnd(Exception):
    """The file has no 900 record, so nobody can tell whether it is whole."""


class _Unreadable(Exception):
    def __init__(self, why: str, why_zh: str) -> None:
        super().__init__(why)
        self.facts: dict[str, int | str] = {"why": why, "why_zh": why_zh}


def begins_as_nem(line: bytes) -> bool:
    """Whether a file's first line is the header record of a meter data file."""
    return line.removeprefix(_BOM).replace(b'"', b"").startswith(b"100,")


def read_nem(first: bytes, text: BinaryIO, form: str) -> Iterator[list[Numbered]]:
    """The rows after the first line, with their line numbers, some at a time. Raises `NotNem`, `NoEnd`."""
    if first.removeprefix(_BOM).replace(b'"', b"").strip().split(b",")[:2] != [b"100", form.upper().encode()]:
        raise NotNem
    reading = _Reading(form)
    for number, line in enumerate(_lines(text), start=2):
        reading.read(number, line)
        if len(reading.rows) >= _ROWS_AT_ONCE:
            yield reading.taken()
    reading.finish()
    if not reading.ended:
        raise NoEnd
    yield reading.taken()


def _lines(text: BinaryIO) -> Iterator[bytes | Row]:
    """The lines; the last needs no line break, because the 900 record says that the file is whole."""
    try:
        for block in whole_lines(text):
            yield from [block] if isinstance(block, Row) else block.split(b"\n")[:-1]
    except Cut as cut:
        yield cut.rest


@dataclass
class _Stream:
    """What a 200 record says of the 300 records after it: one register of one meter."""

    nmi: str
    register: str
    suffix: str
    serial: str
    unit: str
    minutes: int | None
    export: bool


@dataclass
class _Day:
    """A 300 record whose 400 records may still come."""

    number: int
    line: bytes
    stream: _Stream
    fields: list[str]
    events: list[list[str]] = field(default_factory=list)


class _Reading:
    """One file as its records pass by."""

    def __init__(self, form: str) -> None:
        self.rows: list[Numbered] = []
        self.ended = False
        self._form = form
        self._stream: _Stream | None = None
        self._day: _Day | None = None

    def taken(self) -> list[Numbered]:
        rows, self.rows = self.rows, []
        return rows

    def read(self, number: int, line: bytes | Row) -> None:
        if isinstance(line, Row) or len(line) > LONGEST_LINE_BYTES:
            self.finish()
            self.rows.append((number, line if isinstance(line, Row) else too_long(line)))
        elif line.strip(b"\r\t ,"):
            self._record(number, line)

    def _record(self, number: int, line: bytes) -> None:
        try:
            fields = _fields(line)
            self._understood(number, line, fields)
        except UnicodeDecodeError as error:
            self.finish()
            self._refuse(number, line, "not_utf8", found=error.start + 1)
        except _Unreadable as found:
            self._refuse(number, line, "record_unreadable", **found.facts)

    def _understood(self, number: int, line: bytes, fields: list[str]) -> None:
        kind, nem12 = fields[0] if fields else "", self._form == "nem12"
        if kind == "400" and nem12 and self._day is not None:
            self._day.events.append(fields)
            return
        if (kind == "500" and nem12) or (kind == "550" and not nem12):
            return
        self.finish()
        if self.ended:
            raise _Unreadable("it stands after the 900 record", "位于 900 记录之后")
        if kind == "900":
            self.ended = True
        elif kind == "200" and nem12:
            self._stream = _stream(fields)
        elif kind == "300" and nem12:
            self._day = self._begun(number, line, fields)
        elif kind == "250" and not nem12:
            self.rows.append((number, _period(line, fields)))
        else:
            raise _Unreadable("no such record belongs there", "此处不应有该记录")

    def _begun(self, number: int, line: bytes, fields: list[str]) -> _Day:
        if self._stream is None:
            raise _Unreadable("no 200 record stands before it", "之前没有 200 记录")
        return _Day(number, line, self._stream, fields)

    def finish(self) -> None:
        """The 300 record has all its 400 records now."""
        if self._day is not None:
            self.rows.append((self._day.number, _day(self._day)))
            self._day = None

    def _refuse(self, number: int, line: bytes, code: str, **facts: int | str) -> None:
        self.rows.append((number, defect(line, 0, code, **facts)))


def _fields(line: bytes) -> list[str]:
    """The fields of a record, without the empty ones that a spreadsheet put at its end."""
    try:
        fields = next(csv.reader([line.decode().strip("\r")], strict=True), [])
    except csv.Error:
        raise _Unreadable("its quotation marks are not well formed", "引号格式有误") from None
    while fields and not fields[-1].strip():
        fields.pop()
    return [one.strip() for one in fields]


def _stream(fields: list[str]) -> _Stream:
    padded = fields + [""] * 9
    _, nmi, configuration, register, suffix, _, serial, unit, minutes = padded[:9]
    export = "B" in configuration.upper() or suffix.upper().startswith("B")
    return _Stream(nmi, register, suffix, serial, unit, _MINUTES.get(minutes), export)


def _refused(line: bytes, stream: _Stream, code: str, **facts: int | str) -> Row:
    """A refused record still says of whom it is, so that the institution finds it."""
    shown = line[:_SHOWN].decode(errors="backslashreplace").strip("\r")
    values = [stream.nmi, stream.register, stream.suffix, stream.serial, stream.unit, "", "", "", "", "", _flag(stream)]
    return Row(values, code, facts, shown)


def _flag(stream: _Stream) -> str:
    return "1" if stream.export else ""


def _no_use(line: bytes, stream: _Stream, *, is_use: bool) -> Row | None:
    if is_use and stream.unit.upper() in _ENERGY:
        return None
    suffix, unit = ascii(stream.suffix[:10])[1:-1], ascii(stream.unit[:10])[1:-1]
    return _refused(line, stream, "channel_not_use", suffix=suffix, unit=unit)


def _day(day: _Day) -> Row:
    stream = day.stream
    refused = _no_use(day.line, stream, is_use=stream.suffix[:1].upper() == "E")
    if refused is not None:
        return refused
    try:
        return _day_read(day, stream)
    except _Unreadable as found:
        return _refused(day.line, stream, "record_unreadable", **found.facts)


def _day_read(day: _Day, stream: _Stream) -> Row:
    if stream.minutes is None:
        raise _Unreadable(
            "its 200 record names no interval of 5, 10, 15 or 30 minutes", "其 200 记录的间隔不是 5、10、15 或 30 分钟"
        )
    wanted = _DAY_MINUTES // stream.minutes
    date, *texts = [*day.fields[1:], ""]
    texts.append("")
    found = _count(texts, wanted)
    if found != wanted:
        return _refused(day.line, stream, "interval_count_wrong", found=found, wanted=wanted, minutes=stream.minutes)
    values = texts[:wanted]
    if any(text.startswith("-") for text in values):
        return _refused(day.line, stream, "negative_use", column="value")
    start = _moment(date + "000000")
    quality = _day_quality(texts[wanted], day.events, wanted)
    present = sum(1 for text in values if text)
    return _row(stream, start, start + timedelta(days=1), values, present * stream.minutes, quality)


def _count(texts: list[str], wanted: int) -> int:
    """How many values stand before the quality; an empty one is an interval that was not measured."""
    found = next((at for at, text in enumerate(texts) if text and not _NUMBER.fullmatch(text)), max(0, len(texts) - 2))
    while found > wanted and not texts[found - 1]:
        found -= 1
    return found


def _row(stream: _Stream, start: datetime, end: datetime, values: list[str], minutes: int, quality: str) -> Row:
    with localcontext(prec=60):
        total = sum((Decimal(value) for value in values if value), Decimal(0))
        kwh = format(total.scaleb(_ENERGY[stream.unit.upper()]), "f")
    kwh = kwh.rstrip("0").rstrip(".") if "." in kwh else kwh
    told = [stream.nmi, stream.register, stream.suffix, stream.serial, "kWh", str(start), str(end)]
    return Row([*told, kwh, str(minutes), quality, _flag(stream)])


def _moment(text: str) -> datetime:
    if not re.fullmatch("[0-9]{14}", text):
        raise _Unreadable("it holds a date that cannot be read", "含有无法读取的日期")
    try:
        found = datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        raise _Unreadable("it holds a date that does not exist", "含有不存在的日期") from None
    if not 1900 <= found.year < 9999:
        raise _Unreadable("it holds a date that does not exist", "含有不存在的日期")
    return found


def _quality(text: str) -> str:
    found = _QUALITY.fullmatch(text.upper())
    if not found:
        raise _Unreadable("it holds no known quality", "没有已知的质量标志")
    return found[1]


def _worst(qualities: list[str]) -> str:
    return max(qualities, key=_QUALITIES.index)


def _day_quality(own: str, events: list[list[str]], wanted: int) -> str:
    """The worst quality of the day's intervals; where the day says V, its 400 records say each interval's, once."""
    told = ["" if own.upper() == "V" else _quality(own)] * wanted
    seen = [False] * wanted
    for event in events:
        first, last, quality = _event(event, wanted)
        if any(seen[first - 1 : last]):
            raise _Unreadable("two of its 400 records speak of one interval", "其 400 记录的区间重叠")
        seen[first - 1 : last] = [True] * (last - first + 1)
        told[first - 1 : last] = [quality] * (last - first + 1)
    if "" in told:
        raise _Unreadable("its 400 records leave intervals out", "其 400 记录未覆盖全部区间")
    return _worst(told if own.upper() == "V" else [*told, _quality(own)])


def _event(fields: list[str], wanted: int) -> tuple[int, int, str]:
    padded = fields + [""] * 4
    ends = [int(text) if re.fullmatch("[0-9]{1,4}", text) else 0 for text in padded[1:3]]
    if not 1 <= ends[0] <= ends[1] <= wanted:
        raise _Unreadable("one of its 400 records names no intervals of the day", "其 400 记录的区间不在当日之内")
    return ends[0], ends[1], _quality(padded[3])


_PERIOD_FIELDS = 20


def _period(line: bytes, fields: list[str]) -> Row:
    """A 250 record: its quantity was used from the reading before to the reading now."""
    padded = fields + [""] * _PERIOD_FIELDS
    _, nmi, _, register, suffix, _, serial, direction = padded[:8]
    stream = _Stream(nmi, register, suffix, serial, padded[19], None, direction.upper() == "I")
    refused = _no_use(line, stream, is_use=direction.upper() == "E")
    if refused is not None:
        return refused
    try:
        start, end = _moment(padded[9]), _moment(padded[14])
        quality = _worst([_quality(padded[10]), _quality(padded[15])])
    except _Unreadable as found:
        return _refused(line, stream, "record_unreadable", **found.facts)
    return _period_read(line, stream, start, end, padded[18], quality)


def _period_read(line: bytes, stream: _Stream, start: datetime, end: datetime, quantity: str, quality: str) -> Row:
    if not _NUMBER.fullmatch(quantity):
        return _refused(line, stream, "value_not_a_number", column="value")
    if quantity.startswith("-"):
        return _refused(line, stream, "negative_use", column="value")
    minutes = max(0, int((end - start).total_seconds()) // 60)
    return _row(stream, start, end, [quantity], minutes, quality)


