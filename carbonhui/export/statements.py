"""An account's statement for a stretch of days: what was there, every movement, what was there after it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from carbonhui.core.clock import CITY_TIME
from carbonhui.core.database import connection_of
from carbonhui.export.refusals import StatementDaysInvalid, StatementTooLong
from carbonhui.export.sentences import Sentence, sentences_of

#: The most days of one statement, and the most movements: about fifty pages.
DAYS_MAX = 366
LINES_MAX = 2_000
_EARLIEST, _LATEST = date(2018, 1, 1), date(2099, 12, 31)


@dataclass(frozen=True)
class StatementLine:
    """One movement: ``amount`` is negative when the holder gave; ``balance`` is what was there after it."""

    transfer: int
    at: datetime
    business_date: date
    amount: int
    balance: int
    sentence: Sentence


@dataclass(frozen=True)
class Statement:
    """The movements that were entered from the first to the last day, city time, oldest first.

    ``opening + received - given == closing``, and the last line's balance is ``closing``.
    """

    first: date
    last: date
    opening: int
    closing: int
    lines: tuple[StatementLine, ...]

    @property
    def received(self) -> int:
        return sum(line.amount for line in self.lines if line.amount > 0)

    @property
    def given(self) -> int:
        return -sum(line.amount for line in self.lines if line.amount < 0)


# One statement sees one instant of the books: what is there now less what came after the last day is the closing
# balance, whatever is entered meanwhile. The first row carries it when no movement falls into these days.
_BETWEEN = """
WITH moved AS (
    SELECT id, at, business_date, amount FROM transfer WHERE credit = %(account)s AND at >= %(since)s
    UNION ALL
    SELECT id, at, business_date, -amount FROM transfer WHERE debit = %(account)s AND at >= %(since)s
), closing AS (
    SELECT (b.posted + coalesce((SELECT sum(i.amount) FROM incoming i WHERE i.account_id = b.account_id), 0)
            - coalesce((SELECT sum(m.amount) FROM moved m WHERE m.at >= %(until)s), 0))::bigint AS posted
    FROM balance b WHERE b.account_id = %(account)s
)
SELECT c.posted, m.id, m.at, m.business_date, m.amount
FROM closing c LEFT JOIN LATERAL (
    SELECT * FROM moved WHERE at < %(until)s ORDER BY at, id LIMIT %(most)s
) m ON true ORDER BY m.at, m.id
"""


def statement_between(session: Session, account: int, *, first: date, last: date, city: str) -> Statement:
    """What an account held and every movement that was entered from the first to the last day.

    Raises `StatementDaysInvalid` and `StatementTooLong`.
    """
    if not (_EARLIEST <= first <= last <= _LATEST and last - first < timedelta(days=DAYS_MAX)):
        raise StatementDaysInvalid(first=first, last=last, most=DAYS_MAX)
    words = {"account": account, "since": _midnight(first), "until": _midnight(last + timedelta(days=1)), "most": LINES_MAX + 1}
    rows = connection_of(session).execute(_BETWEEN, words).fetchall()
    assert rows, "the caller's account is there"
    closing = rows[0][0]
    moved = [row[1:] for row in rows if row[1] is not None]
    if len(moved) > LINES_MAX:
        raise StatementTooLong(most=LINES_MAX)
    sentences = sentences_of(session, account, [row[0] for row in moved], city=city)
    balance = opening = closing - sum(row[3] for row in moved)
    lines = []
    for number, at, day, amount in moved:
        balance += amount
        lines.append(StatementLine(number, at.astimezone(CITY_TIME), day, amount, balance, sentences[number]))
    return Statement(first, last, opening, closing, tuple(lines))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY_TIME)
