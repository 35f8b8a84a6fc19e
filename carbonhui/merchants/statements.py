"""What a settlement is made of, line by line, as merchants reconcile it: for programs, as CSV, as a workbook.

The column ``credits`` begins with what was brought forward and ends with what went
to the pool, so that it sums to what is carried; ``balance`` says it after each row.
Texts that merchants wrote are never formulas, whatever they begin with (CWE-1236).
"""

import csv
import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy.orm import Session

from carbonhui.core.clock import CITY_TIME
from carbonhui.core.database import connection_of
from carbonhui.ledger import Purpose
from carbonhui.merchants.refusals import SettlementDaysInvalid, SettlementStatementTooLarge
from carbonhui.merchants.settlements import COLUMNS, Settlement

#: The most days that one statement covers.
DAYS_MAX = 366
#: A sheet of a workbook ends here.
ROWS_MAX = 1_048_576
_PAGE = 5000
_EARLIEST, _LATEST = date(2018, 1, 1), date(2099, 12, 31)
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
#: What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True)
class Line:
    """One transfer that a settlement lists, as its merchant sees it.

    ``credits`` is negative for what went away. ``kind`` is ``charge``, ``refund``, or the
    purpose of another transfer (a gift to a charity, a correction). ``refunded`` is how
    much of the charge had gone back when it was settled.
    """

    settlement: UUID
    transfer: int
    at: datetime
    business_date: date
    kind: str
    credits: int
    trade_no: UUID | None
    out_trade_no: str | None
    out_refund_no: str | None
    shop: str | None
    till: str | None
    money_fen: int | None
    refunded: int | None


_LINES = """
SELECT s.handle, t.id, t.at, t.business_date, t.purpose, CASE WHEN t.credit = s.merchant THEN t.amount ELSE -t.amount END,
       c.handle, c.out_trade_no, r.out_refund_no, shop.name, till.label,
       CASE WHEN r.id IS NULL THEN c.money_fen END,
       CASE WHEN r.id IS NULL AND c.id IS NOT NULL THEN
           (SELECT coalesce(sum(back.credits), 0) FROM charge_refund back
            JOIN settlement_item b ON b.transfer_id = back.transfer_id AND b.merchant = s.merchant AND b.settlement_id <= s.id
            WHERE c.refunded > 0 AND back.charge_id = c.id) END
FROM settlement s
JOIN settlement_item i ON i.settlement_id = s.id
JOIN transfer t ON t.id = i.transfer_id
LEFT JOIN charge_refund r ON r.transfer_id = t.id
LEFT JOIN LATERAL (
    SELECT * FROM charge WHERE transfer_id = t.id AND merchant = s.merchant
    UNION ALL SELECT * FROM charge WHERE id = r.charge_id AND merchant = s.merchant
) c ON true
LEFT JOIN shop ON shop.id = c.shop LEFT JOIN till ON till.id = c.till
WHERE s.id = %(settlement)s AND i.transfer_id > %(after)s ORDER BY i.transfer_id LIMIT %(limit)s
"""


def settlement_lines(session: Session, settlement: Settlement, *, after: int = 0, limit: int = 100) -> list[Line]:
    """The transfers that a settlement lists, in the order of their numbers, from the one after a transfer on."""
    words = {"settlement": settlement.id, "after": after, "limit": limit}
    return [_line(row) for row in connection_of(session).execute(_LINES, words)]


def _line(row: tuple[Any, ...]) -> Line:
    handle, transfer, at, day, purpose, credits, trade_no, out_trade_no, out_refund_no, *rest = row
    kind = Purpose(purpose).name.lower()
    if trade_no is not None:
        kind = "charge" if out_refund_no is None else "refund"
    money_fen, refunded = rest[2], None if rest[3] is None else int(rest[3])
    return Line(handle, transfer, at, day, kind, credits, trade_no, out_trade_no, out_refund_no, rest[0], rest[1], money_fen, refunded)


def settlements_of(
    session: Session, merchant: int, *, first: date = _EARLIEST, last: date = _LATEST, before: int | None = None, limit: int = 50
) -> list[Settlement]:
    """A merchant's settlements of the days from ``first`` to ``last``, newest first, from the one before a number on."""
    rows = connection_of(session).execute(
        f"""SELECT {COLUMNS} FROM settlement WHERE merchant = %s AND day BETWEEN %s AND %s
            AND number < coalesce(%s, 2147483647) ORDER BY number DESC LIMIT %s""",
        (merchant, first, last, before, limit),
    )
    return [Settlement(*row) for row in rows]


def settlements_between(session: Session, merchant: int, *, first: date, last: date) -> list[Settlement]:
    """Every settlement of a merchant for the days from ``first`` to ``last``, oldest first. Raises `SettlementDaysInvalid`."""
    if not (_EARLIEST <= first <= last <= _LATEST and last - first < timedelta(days=DAYS_MAX)):
        raise SettlementDaysInvalid(first=first, last=last, most=DAYS_MAX)
    return settlements_of(session, merchant, first=first, last=last, limit=ROWS_MAX)[::-1]


# Files --------------------------------------------------------------------------------------------

HEADINGS = (
    "settlement_day", "settlement", "entered_at", "business_date", "kind", "credits", "balance", "trade_no", "out_trade_no",
    "out_refund_no", "shop", "till", "money_fen", "refunded",
)  # fmt: skip
_Cell = str | int | None


def rows_of(session: Session, settlements: Sequence[Settlement]) -> Iterator[tuple[_Cell, ...]]:
    """The rows of a file, under `HEADINGS`: each settlement's ``brought``, its lines, and its ``settled``."""
    for one in settlements:
        day, handle = one.day.isoformat(), str(one.handle)
        at, balance = _told(one.at), one.brought
        yield day, handle, at, day, "brought", one.brought, balance, None, None, None, None, None, None, None
        for line in _all_lines(session, one):
            balance += line.credits
            yield (
                day, handle, _told(line.at), line.business_date.isoformat(), line.kind, line.credits, balance,
                None if line.trade_no is None else str(line.trade_no), line.out_trade_no, line.out_refund_no, line.shop, line.till,
                line.money_fen, line.refunded,
            )  # fmt: skip
        balance -= one.credits
        assert balance == one.carried, f"settlement {one.id} carries {one.carried} and its lines come to {balance}"
        yield day, handle, at, day, "settled", -one.credits, balance, None, None, None, None, None, None, None


def _all_lines(session: Session, settlement: Settlement) -> Iterator[Line]:
    after = 0
    while lines := settlement_lines(session, settlement, after=after, limit=_PAGE):
        yield from lines
        after = lines[-1].transfer


def _told(at: datetime) -> str:
    return at.astimezone(CITY_TIME).isoformat(timespec="seconds")


def write_csv(session: Session, settlements: Sequence[Settlement], to: BinaryIO, *, bytes_max: int | None = None) -> None:
    """The statement as CSV (RFC 4180) in UTF-8 with a mark that spreadsheets know it by.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    Raises `SettlementStatementTooLarge`.
    """
    written = to.write(b"\xef\xbb\xbf")
    piece = io.StringIO()
    writer = csv.writer(piece)
    writer.writerow(HEADINGS)
    for row in rows_of(session, settlements):
        writer.writerow([_defused(cell) for cell in row])
        if piece.tell() > 1 << 16:
            written += to.write(piece.getvalue().encode())
            _refuse_larger(written, bytes_max)
            piece.seek(0)
            piece.truncate()
    written += to.write(piece.getvalue().encode())
    _refuse_larger(written, bytes_max)


def _defused(cell: _Cell) -> _Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def write_xlsx(session: Session, settlements: Sequence[Settlement], to: BinaryIO, *, bytes_max: int | None = None) -> None:
    """The statement as a workbook: a sheet of the settlements and one of their lines. Raises `SettlementStatementTooLarge`."""
    with tempfile.TemporaryDirectory(prefix="carbonhui-") as folder:
        path = Path(folder) / "statement.xlsx"
        # The descriptor is made first, so that nobody else may read what is being written.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with xlsxwriter.Workbook(path, {**_OPTIONS, "tmpdir": folder}) as book:
            _write_sheet(book, "settlements", TOTALS, (totals_row(one) for one in settlements))
            _write_sheet(book, "lines", HEADINGS, rows_of(session, settlements))
        _refuse_larger(path.stat().st_size, bytes_max)
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                to.write(piece)


TOTALS = ("day", "settlement", "brought", "received", "given", "credits", "carried", "items", "sandbox")


def totals_row(one: Settlement) -> tuple[_Cell, ...]:
    """A settlement's figures, under `TOTALS`."""
    return (
        one.day.isoformat(), str(one.handle), one.brought, one.received, one.given, one.credits, one.carried, one.items,
        "yes" if one.sandbox else "no",
    )  # fmt: skip


def _write_sheet(book: xlsxwriter.Workbook, name: str, headings: Sequence[str], rows: Iterator[tuple[_Cell, ...]]) -> None:
    sheet = book.add_worksheet(name)
    sheet.write_row(0, 0, headings)
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(rows, start=1):
        if number >= ROWS_MAX:
            raise SettlementStatementTooLarge(most=ROWS_MAX, unit="rows")
        for column, cell in enumerate(row):
            if isinstance(cell, int):
                sheet.write_number(number, column, cell)
            elif cell is not None:
                sheet.write_string(number, column, cell)


def _refuse_larger(written: int, bytes_max: int | None) -> None:
    if bytes_max is not None and written > bytes_max:
        raise SettlementStatementTooLarge(most=bytes_max, unit="bytes")
