"""Settlements as merchants reconcile them: the list, one with its lines, and statements as files (Article 20)."""

import io
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from carbonhui import ledger, merchants
from carbonhui.api.fields import Choice, Day, Flag, Handle, Instant, Many, Page, Part, Strict, Text, Whole, page_of
from carbonhui.api.operation import Answer, Blueprint, Call, operation
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.acting import hidden, named, paged
from carbonhui.api.routes.organisations import own_organisation
from carbonhui.api.routes.records import XLSX
from carbonhui.core.amounts import LARGEST_AMOUNT
from carbonhui.merchants import Line, Settlement

blueprint = Blueprint("settlements", __name__, description="What merchants received, settled day by day.")

CSV = "text/csv"
KINDS = ("charge", *(purpose.name.lower() for purpose in ledger.Purpose))
_PATH = "/v1/merchants/<uuid:organisation>"
_SANDBOX = {"description": "Of your sandbox instead; it is settled apart and counts nowhere."}


class SettlementSchema(Strict):
    settlement = Handle(required=True)
    sandbox = Flag(required=True)
    day = Day(required=True, metadata={"description": "Everything dated to this day or before, and not settled before, is in it."})
    settled_at = Instant(required=True)
    brought = Whole(-LARGEST_AMOUNT, required=True, metadata={
        "description": "What the settlement before could not move; below 0 when more had been given than received.",
    })  # fmt: skip
    received = Whole(0, required=True, metadata={"description": "Credits that came in."})
    given = Whole(0, required=True, metadata={"description": "Credits that went away: refunds, gifts, corrections."})
    credits = Whole(0, required=True, metadata={"description": "Credits that went to the cancellation pool."})
    carried = Whole(-LARGEST_AMOUNT, required=True, metadata={
        "description": "brought + received - given - credits: what the next one brings forward.",
    })  # fmt: skip
    items = Whole(0, required=True, metadata={"description": "How many transfers it lists."})


class SettlementLineSchema(Strict):
    transfer = Handle(required=True)
    entered_at = Instant(required=True)
    business_date = Day(required=True)
    kind = Choice(*KINDS, required=True, metadata={"description": "`charge`, `refund`, or what else credits moved for."})
    credits = Whole(-LARGEST_AMOUNT, required=True, metadata={"description": "Negative for what went away."})
    trade_no = Handle(required=True, allow_none=True)
    out_trade_no = Text(64, required=True, allow_none=True)
    out_refund_no = Text(64, required=True, allow_none=True)
    shop = Text(100, required=True, allow_none=True)
    till = Text(60, required=True, allow_none=True)
    money_fen = Whole(0, required=True, allow_none=True, metadata={"description": "The money of a charge, which you took yourself."})
    refunded = Whole(0, required=True, allow_none=True, metadata={"description": "What of the charge had gone back when it was settled."})


class TradeStatementSchema(Strict):
    first = Day(required=True)
    last = Day(required=True)
    brought = Whole(-LARGEST_AMOUNT, required=True)
    received = Whole(0, required=True)
    given = Whole(0, required=True)
    credits = Whole(0, required=True)
    carried = Whole(-LARGEST_AMOUNT, required=True)
    settlements = Many(Part(SettlementSchema), most=10_000, required=True)


class SettlementsAsked(Page):
    sandbox = Flag(load_default=False, metadata=_SANDBOX)


class StatementAsked(Strict):
    first = Day(data_key="from", load_default=None, metadata={"description": "The first day of settlement; without it, 30 days before the last."})
    last = Day(data_key="until", load_default=None, metadata={
        "description": "The last day of settlement, city time; without it, today. At most 366 days.",
    })  # fmt: skip
    sandbox = Flag(load_default=False, metadata=_SANDBOX)


def _account(call: Call, organisation: UUID, sandbox: bool) -> int | None:
    found = own_organisation(call, organisation)
    if found.kind != "merchant":
        raise NotFound
    return merchants.settled_account(call.session, found, sandbox=sandbox)


def _own(call: Call, organisation: UUID, handle: UUID) -> Settlement:
    """The settlement, if it is this organisation's."""
    found = own_organisation(call, organisation)
    with hidden(merchants.SettlementUnknown):
        one = merchants.settlement(call.session, handle)
    if one.organisation != found.id:
        raise NotFound
    return one


def told_of(one: Settlement) -> dict[str, Any]:
    names = ("sandbox", "day", "brought", "received", "given", "credits", "carried", "items")
    return {"settlement": one.handle, "settled_at": one.at, **{name: getattr(one, name) for name in names}}


@operation(
    blueprint, "GET", f"{_PATH}/settlements", "listSettlements", query=SettlementsAsked, answer=page_of(SettlementSchema),
    summary="Your settlements, newest first",
)  # fmt: skip
def list_settlements(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    account, before = _account(call, organisation, query["sandbox"]), call.cursor.read(query["cursor"])
    if account is None:
        return {"items": [], "next": None}
    found = merchants.settlements_of(call.session, account, before=before, limit=query["limit"] + 1)
    return paged(call, found, query["limit"], told_of, at="number")


@operation(
    blueprint, "GET", f"{_PATH}/settlements/<uuid:settlement>", "readSettlement", answer=SettlementSchema,
    summary="One settlement and its totals",
)  # fmt: skip
def read_settlement(call: Call, organisation: UUID, settlement: UUID) -> dict[str, Any]:
    return told_of(_own(call, organisation, settlement))


@operation(
    blueprint, "GET", f"{_PATH}/settlements/<uuid:settlement>/lines", "listSettlementLines", query=Page,
    answer=page_of(SettlementLineSchema), summary="What a settlement nets: charges, refunds, gifts, in the order in which they began",
)  # fmt: skip
def list_settlement_lines(call: Call, organisation: UUID, settlement: UUID, query: dict[str, Any]) -> dict[str, Any]:
    one, after = _own(call, organisation, settlement), call.cursor.read(query["cursor"]) or 0
    lines = merchants.settlement_lines(call.session, one, after=after, limit=query["limit"] + 1)
    return paged(call, lines, query["limit"], lambda line: _line(call, line), at="transfer")


def _line(call: Call, line: Line) -> dict[str, Any]:
    told = {name: value for name, value in vars(line).items() if name not in ("settlement", "at")}
    return {**told, "transfer": named(call, "transfer", line.transfer), "entered_at": line.at}


# Statements ---------------------------------------------------------------------------------------


@operation(
    blueprint, "GET", f"{_PATH}/statement", "readTradeStatement", query=StatementAsked, answer=TradeStatementSchema,
    summary="The settlements of some days and what they come to", refuses=(merchants.SettlementDaysInvalid,),
)  # fmt: skip
def read_trade_statement(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    first, last = _days(call, query)
    found = _between(call, organisation, query)
    return {
        "first": first, "last": last, "brought": found[0].brought if found else 0,
        "carried": found[-1].carried if found else 0, "settlements": [told_of(one) for one in found],
        **{name: sum(getattr(one, name) for one in found) for name in ("received", "given", "credits")},
    }  # fmt: skip


def _days(call: Call, query: dict[str, Any]) -> tuple[date, date]:
    last: date = query["last"] or call.today
    # The first days of the calendar have none before them, and no settlement either.
    return query["first"] or max(date.min + timedelta(days=30), last) - timedelta(days=30), last


def _between(call: Call, organisation: UUID, query: dict[str, Any]) -> list[Settlement]:
    account = _account(call, organisation, query["sandbox"])
    first, last = _days(call, query)
    # Without an account there are none, but the days are held against the same rule.
    return merchants.settlements_between(call.session, account or 0, first=first, last=last)


_FILE = (merchants.SettlementStatementTooLarge,)


@operation(
    blueprint, "GET", f"{_PATH}/settlements/<uuid:settlement>/statement.csv", "readSettlementCsv", produces=CSV, refuses=_FILE,
    summary="The lines of one settlement as CSV",
)  # fmt: skip
def read_settlement_csv(call: Call, organisation: UUID, settlement: UUID) -> Answer:
    return _file(call, [_own(call, organisation, settlement)], merchants.write_csv, "csv")


@operation(
    blueprint, "GET", f"{_PATH}/settlements/<uuid:settlement>/statement.xlsx", "readSettlementWorkbook", produces=XLSX, refuses=_FILE,
    summary="One settlement as a workbook",
)  # fmt: skip
def read_settlement_workbook(call: Call, organisation: UUID, settlement: UUID) -> Answer:
    return _file(call, [_own(call, organisation, settlement)], merchants.write_xlsx, "xlsx")


@operation(
    blueprint, "GET", f"{_PATH}/statement.csv", "readTradeStatementCsv", query=StatementAsked, produces=CSV,
    refuses=(*_FILE, merchants.SettlementDaysInvalid), summary="The lines of every settlement of some days as CSV",
)  # fmt: skip
def read_trade_statement_csv(call: Call, organisation: UUID, query: dict[str, Any]) -> Answer:
    return _file(call, _between(call, organisation, query), merchants.write_csv, "csv")


@operation(
    blueprint, "GET", f"{_PATH}/statement.xlsx", "readTradeStatementWorkbook", query=StatementAsked, produces=XLSX,
    refuses=(*_FILE, merchants.SettlementDaysInvalid), summary="The settlements of some days as a workbook",
)  # fmt: skip
def read_trade_statement_workbook(call: Call, organisation: UUID, query: dict[str, Any]) -> Answer:
    return _file(call, _between(call, organisation, query), merchants.write_xlsx, "xlsx")


def _file(call: Call, found: Sequence[Settlement], write: Callable[..., None], ending: str) -> Answer:
    written = io.BytesIO()
    write(call.session, found, written, bytes_max=call.services.settings.upload_bytes_max)
    return Answer(written.getvalue(), {"Content-Disposition": f'attachment; filename="settlements.{ending}"'})
