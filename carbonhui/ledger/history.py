"""Reading the books: statements, balances at an instant, the life of one serial."""

import base64
import binascii
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.ledger.accounts import balance_of
from carbonhui.ledger.posting import Purpose


class CursorInvalid(Refusal):
    """A cursor is taken from the page before, not made up."""

    code = "cursor_invalid"
    sentence = "{cursor} is not a cursor of this list; start from the first page."
    sentence_zh = "{cursor} 不是该列表的分页标记;请从第一页开始。"


@dataclass(frozen=True)
class Line:
    """One movement as its account sees it: ``amount`` is negative when it gave."""

    transfer: int
    at: datetime
    business_date: date
    purpose: Purpose
    amount: int
    balance: int
    counterpart: int
    counterpart_name: str | None
    reference: str | None


@dataclass(frozen=True)
class Page:
    """Lines from the newest to the oldest, and the cursor of the next page, None at the end."""

    account: int
    lines: list[Line]
    cursor: str | None


_STATEMENT = """
SELECT t.id, t.at, t.business_date, t.purpose, CASE WHEN t.credit = %(account)s THEN t.amount ELSE -t.amount END,
       o.id, o.name, t.reference,
       (SELECT b.posted + coalesce((SELECT sum(i.amount) FROM incoming i WHERE i.account_id = b.account_id), 0)
        FROM balance b WHERE b.account_id = %(account)s)::bigint
FROM (
    (SELECT * FROM transfer WHERE debit = %(account)s AND id < %(before)s ORDER BY id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT * FROM transfer WHERE credit = %(account)s AND id < %(before)s ORDER BY id DESC LIMIT %(most)s)
) t JOIN account o ON o.id = CASE WHEN t.credit = %(account)s THEN t.debit ELSE t.credit END
ORDER BY t.id DESC LIMIT %(most)s
"""


def statement(session: Session, account: int, *, cursor: str | None = None, most: int = 20) -> Page:
    """A page of at most ``most`` (1 to 1,000) movements, newest first, each with the balance after it.

    Raises `AccountUnknown`, `CursorInvalid`.
    """
    assert 1 <= most <= 1000
    before, balance = (2**63 - 1, None) if cursor is None else _read_cursor(cursor, account)
    words = {"account": account, "before": before, "most": most + 1}
    rows = connection_of(session).execute(_STATEMENT, words).fetchall()
    if not rows:
        balance_of(session, account)  # refuses an account that is not there
        return Page(account, [], None)
    # The first page starts from the balance that the same query saw, so that no movement falls between the two.
    balance = rows[0][8] if balance is None else balance
    lines = []
    for row in rows[:most]:
        lines.append(Line(row[0], row[1], row[2], Purpose(row[3]), row[4], balance, row[5], row[6], row[7]))
        balance -= row[4]
    more = len(rows) > most
    return Page(account, lines, _write_cursor(account, lines[-1].transfer, balance) if more else None)


def _write_cursor(account: int, transfer: int, balance: int) -> str:
    return base64.urlsafe_b64encode(f"{account}.{transfer}.{balance}".encode()).decode()


def _read_cursor(cursor: str, account: int) -> tuple[int, int]:
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii")
        owner, before, balance = (int(part) for part in text.split("."))
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid(cursor=ascii(cursor)[:40]) from error
    if owner != account or not 0 < before < 2**63:
        raise CursorInvalid(cursor=ascii(cursor)[:40])
    return before, balance


def balance_at(session: Session, account: int, instant: datetime) -> int:
    """What an account held at an instant, by the time at which movements were entered.

    It is stable for instants older than the longest transaction (the statement and
    idle limits of the settings). Raises `AccountUnknown`.
    """
    now = balance_of(session, account).posted
    row = connection_of(session).execute(
        """SELECT coalesce((SELECT sum(amount) FROM transfer WHERE credit = %(a)s AND at > %(t)s), 0)
                - coalesce((SELECT sum(amount) FROM transfer WHERE debit = %(a)s AND at > %(t)s), 0)""",
        {"a": account, "t": instant},
    ).fetchone()
    assert row is not None
    return now - int(row[0])


@dataclass(frozen=True)
class Event:
    """One step in the life of a serial."""

    transfer: int
    at: datetime
    business_date: date
    purpose: Purpose
    source: int
    target: int
    first: int
    last: int


_HISTORY = """
SELECT t.id, t.at, t.business_date, t.purpose, t.debit, t.credit, r.first, r.last
FROM (
    SELECT transfer_id, first, last, 0 AS step FROM issue WHERE first BETWEEN %(serial)s - 9999 AND %(serial)s AND last >= %(serial)s
    UNION ALL
    SELECT transfer_id, first, last, step FROM move WHERE first BETWEEN %(serial)s - 9999 AND %(serial)s AND last >= %(serial)s
) r JOIN transfer t ON t.id = r.transfer_id ORDER BY r.step
"""


def history_of(session: Session, serial: int) -> list[Event]:
    """Every movement of one serial, from its mint on; empty when it was never minted."""
    rows = connection_of(session).execute(_HISTORY, {"serial": serial})
    return [Event(row[0], row[1], row[2], Purpose(row[3]), *row[4:]) for row in rows]


def runs_of(session: Session, transfer: int) -> list[tuple[int, int]]:
    """The runs of serials, first and last, that one transfer minted or moved."""
    rows = connection_of(session).execute(
        """SELECT first, last FROM move WHERE transfer_id = %(id)s
           UNION ALL SELECT first, last FROM issue WHERE transfer_id = %(id)s ORDER BY first""",
        {"id": transfer},
    )
    return [(first, last) for first, last in rows]


def blocks_of(session: Session, account: int, *, most: int = 1000) -> list[tuple[int, int]]:
    """The first ``most`` runs of serials that an account owns, oldest vintage first."""
    rows = connection_of(session).execute(
        "SELECT first, last FROM block WHERE account_id = %s ORDER BY first LIMIT %s", (account, most)
    )
    return [(first, last) for first, last in rows]


def largest_earners(session: Session, *, most: int) -> list[int]:
    """The persons' accounts to which most credits were ever minted, largest first."""
    rows = connection_of(session).execute(
        """SELECT t.credit FROM transfer t JOIN account a ON a.id = t.credit AND a.kind = 1
           WHERE t.purpose = 1 GROUP BY t.credit ORDER BY sum(t.amount) DESC, t.credit LIMIT %s""",
        (most,),
    )
    return [account for (account,) in rows]
