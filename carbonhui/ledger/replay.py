"""Following every serial from its mint to its present owner, step by step.

The books are read some ten thousand rows at a time, in the order of the serials, so
memory stays bounded however many credits there are. Nothing of what the stored functions decided is trusted:
a step by somebody who did not have the serial is named, and so is a block whose
owner the steps do not lead to.
"""

from bisect import bisect_right
from typing import Any

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of

#: Issue ranges, moves and blocks read at once, of each as many.
ROWS_AT_ONCE = 20_000
_HIGHEST = 100 * 10**12 - 1

# Runs are shorter than 10,000 serials, so a run that touches the slice begins less than that before it.
_STEPS = """
SELECT 0 AS step, i.transfer_id, NULL::bigint AS debit, i.account_id, i.first, i.last FROM issue i
WHERE i.first BETWEEN %(low)s - 9999 AND %(high)s AND i.last >= %(low)s
UNION ALL
SELECT m.step, m.transfer_id, coalesce(t.debit, 0), coalesce(t.credit, 0), m.first, m.last
FROM move m LEFT JOIN transfer t ON t.id = m.transfer_id
WHERE m.first BETWEEN %(low)s - 9999 AND %(high)s AND m.last >= %(low)s
ORDER BY step, transfer_id
"""
_BLOCKS = """
SELECT account_id, first, last FROM block
WHERE first BETWEEN %(low)s - 9999 AND %(high)s AND last >= %(low)s ORDER BY first
"""


class _Owners:
    """Who owns which serials of a slice: runs in order, none touching another of the same owner's past."""

    def __init__(self) -> None:
        self.firsts: list[int] = []
        self.runs: list[tuple[int, int, int]] = []

    def give(self, first: int, last: int, giver: int | None, taker: int) -> bool:
        """Change the owner of a run; False when somebody else than the giver had part of it (None: nobody had)."""
        at = max(bisect_right(self.firsts, first) - 1, 0)
        end = at
        kept: list[tuple[int, int, int]] = []
        had, fits = 0, True
        while end < len(self.runs) and self.runs[end][0] <= last:
            begins, ends, owner = self.runs[end]
            overlap = min(ends, last) - max(begins, first) + 1
            if overlap > 0:
                had += overlap
                fits = fits and owner == giver
                if begins < first:
                    kept.append((begins, first - 1, owner))
                if ends > last:
                    kept.append((last + 1, ends, owner))
            else:
                kept.append(self.runs[end])
            end += 1
        fits = fits and had == (0 if giver is None else last - first + 1)
        new = sorted([*kept, (first, last, taker)])
        self.runs[at:end] = new
        self.firsts[at:end] = [run[0] for run in new]
        return fits

    def of(self, first: int, last: int) -> set[int | None]:
        """Whose the serials of a run are; None among them when some are nobody's."""
        at = max(bisect_right(self.firsts, first) - 1, 0)
        had, owners = 0, set[int | None]()
        while at < len(self.runs) and self.runs[at][0] <= last:
            begins, ends, whose = self.runs[at]
            overlap = min(ends, last) - max(begins, first) + 1
            if overlap > 0:
                had += overlap
                owners.add(whose)
            at += 1
        return owners if had == last - first + 1 else owners | {None}


def replay_serials(session: Session, most: int) -> list[dict[str, Any]]:
    """Up to ``most`` steps that could not be, and blocks that no steps lead to."""
    connection = connection_of(session)
    found: list[dict[str, Any]] = []
    low = 0
    while len(found) < most and low <= _HIGHEST:
        row = connection.execute(_SLICE, {"low": low, "rows": ROWS_AT_ONCE}).fetchone()
        assert row is not None
        high = max(low, _HIGHEST if row[0] is None else row[0] - 1)
        found += _replay_slice(session, low, high, most - len(found))
        low = high + 1
    return found[:most]


# Where the next slice begins: after so many rows of whichever table is densest here.
_SLICE = """
SELECT least((SELECT first FROM issue WHERE first >= %(low)s ORDER BY first OFFSET %(rows)s LIMIT 1),
             (SELECT first FROM move WHERE first >= %(low)s ORDER BY first OFFSET %(rows)s LIMIT 1),
             (SELECT first FROM block WHERE first >= %(low)s ORDER BY first OFFSET %(rows)s LIMIT 1))
"""


def _replay_slice(session: Session, low: int, high: int, most: int) -> list[dict[str, Any]]:
    """Runs are cut at the slice's ends; the neighbouring slice looks at the rest."""
    owners, found, words = _Owners(), [], {"low": low, "high": high}
    with connection_of(session).cursor() as cursor:
        for _, transfer, debit, credit, first, last in cursor.execute(_STEPS, words):
            begin, end = max(first, low), min(last, high)
            if not owners.give(begin, end, debit, credit):
                what = "minted twice" if debit is None else "moved by who did not have it"
                if debit == 0:
                    what = "moved by no transfer"
                found.append({"what": what, "account": debit, "transfer": transfer, "first": begin, "last": end})
        for account, first, last in cursor.execute(_BLOCKS, words):
            begin, end = max(first, low), min(last, high)
            for owner in owners.of(begin, end) - {account}:
                told = {"transfer": None, "first": begin, "last": end}
                found.append({"what": "owned by who never received it", "account": account, **told})
                if owner is not None:
                    found.append({"what": "received it and does not own it", "account": owner, **told})
    return found[:most]
