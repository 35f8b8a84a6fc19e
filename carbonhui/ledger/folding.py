"""Adding what big receivers were given to their balances, and joining their serials."""

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of

_MERGE = """
WITH edges AS (
    SELECT first, last,
           first IS DISTINCT FROM lag(last) OVER w + 1
           OR first / 1000000000000 <> lag(first) OVER w / 1000000000000 AS breaks
    FROM block WHERE account_id = %(account)s WINDOW w AS (ORDER BY first)
), islands AS (
    SELECT first, last, count(*) FILTER (WHERE breaks) OVER (ORDER BY first) AS island FROM edges
), pieces AS (
    SELECT first, last, island, (first - min(first) OVER (PARTITION BY island)) / 5000 AS piece FROM islands
), whole AS (
    -- A run stays under 10,000 serials, so a long island is cut into pieces first.
    SELECT min(first) AS first, max(last) AS last FROM pieces
    GROUP BY island, piece HAVING count(*) > 1 AND max(last) - min(first) < 10000
), gone AS (
    DELETE FROM block b USING whole w
    WHERE b.account_id = %(account)s AND b.first > w.first AND b.last <= w.last RETURNING 1
), grown AS (
    UPDATE block b SET last = w.last FROM whole w WHERE b.account_id = %(account)s AND b.first = w.first RETURNING 1
)
SELECT (SELECT count(*) FROM gone)
"""


def fold(session: Session, *, most: int = 100) -> int:
    """Fold the receipts of up to ``most`` deferred accounts; how many accounts.

    Changes no balance that anybody can see: it moves what was received from the
    appended rows into the account's own row. Run it as often as is convenient.
    """
    connection = connection_of(session)
    due = connection.execute("SELECT DISTINCT account_id FROM incoming ORDER BY account_id LIMIT %s", (most,)).fetchall()
    for (account,) in due:
        connection.execute("SELECT ledger_fold(%s)", (account,))
    return len(due)


def merge_blocks(session: Session, account: int) -> int:
    """Join a big receiver's neighbouring runs of serials; how many rows fewer.

    People's runs are joined as they arrive. A receiver of thousands is joined here,
    when its owner finds the time, because joining on arrival would make one hot row.
    """
    connection = connection_of(session)
    connection.execute("SELECT 1 FROM balance WHERE account_id = %s FOR NO KEY UPDATE", (account,))
    row = connection.execute(_MERGE, {"account": account}).fetchone()
    assert row is not None
    return int(row[0])
