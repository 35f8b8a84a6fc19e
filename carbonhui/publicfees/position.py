"""What departments received for offsets, what came back, what the fund bought and what it owes (Articles 19, 31)."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import ledger
from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.database import connection_of
from carbonhui.ledger import Kind


@dataclass(frozen=True)
class Owed:
    """What the fund owes a department for offsets: the credits to take back, and their fen."""

    department: int
    credits: Credits
    fen: Fen
    bills: int


@dataclass(frozen=True)
class Sum:
    """Some offsets of a department: how many bills, their credits, and what these were worth on their days."""

    bills: int
    credits: Credits
    fen: Fen


@dataclass(frozen=True)
class Position:
    """A department's year: ``offsets`` are those that were undone, those that the fund bought and those that it owes for.

    An offset belongs to the year of its own day, whenever it was undone or bought.
    """

    department: int
    year: int
    offsets: Sum
    undone: Sum
    purchased: Sum
    owed: Sum


def owed(session: Session, department: int, *, through: date) -> Owed:
    """What the fund owes a department for offsets up to a day that were not undone and that no purchase has paid."""
    row = connection_of(session).execute(
        """SELECT coalesce(sum(credits), 0)::bigint, coalesce(sum(offset_fen), 0)::bigint, count(*) FROM bill_offset
           WHERE department = %s AND day <= %s AND purchase_id IS NULL AND undone_transfer IS NULL""",
        (department, through),
    ).fetchone()
    assert row is not None
    return Owed(department, Credits(row[0]), Fen(row[1]), row[2])


def mark_purchased(session: Session, department: int, *, through: date, purchase: int) -> Owed:
    """Enter which purchase pays the offsets up to a day; what they are together.

    They are chosen, marked and summed in one statement: an offset or an undoing that
    comes at the same time is in it or is not, and is never half of each.
    """
    row = connection_of(session).execute(
        """WITH marked AS (
               UPDATE bill_offset SET purchase_id = %s
               WHERE department = %s AND day <= %s AND purchase_id IS NULL AND undone_transfer IS NULL
               RETURNING credits, offset_fen)
           SELECT coalesce(sum(credits), 0)::bigint, coalesce(sum(offset_fen), 0)::bigint, count(*) FROM marked""",
        (purchase, department, through),
    ).fetchone()
    assert row is not None
    return Owed(department, Credits(row[0]), Fen(row[1]), row[2])


_POSITION = """
SELECT part, count(s.id), coalesce(sum(s.credits), 0)::bigint, coalesce(sum(s.offset_fen), 0)::bigint
FROM unnest(ARRAY['offsets', 'undone', 'purchased', 'owed']) AS part
LEFT JOIN bill_offset s ON s.department = %(department)s AND s.day >= %(first)s AND s.day < %(after)s
     AND CASE part WHEN 'undone' THEN s.undone_transfer IS NOT NULL
                       WHEN 'purchased' THEN s.purchase_id IS NOT NULL
                       WHEN 'owed' THEN s.undone_transfer IS NULL AND s.purchase_id IS NULL ELSE true END
GROUP BY part
"""


def position(session: Session, department: int, *, year: int) -> Position:
    """Where a department stands for a year, now. Raises `ledger.AccountUnknown`, `ledger.KindDiffers`."""
    ledger.require_kind(session, department, Kind.DEPARTMENT)
    words = {"department": department, "first": date(year, 1, 1), "after": date(year + 1, 1, 1)}
    sums = {row[0]: Sum(row[1], Credits(row[2]), Fen(row[3])) for row in connection_of(session).execute(_POSITION, words)}
    return Position(department, year, **sums)
