"""Truths about the whole books; each pass returns the rows that break it.

Run by command (``carbonhui verify``), every night, before the close, and after
every test. A pass derives what it checks from the journal again; it never trusts
the number that it is checking.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.ledger.replay import replay_serials


@dataclass(frozen=True)
class Check:
    """One invariant: its name, what it says, the query for the rows that break it, and a replay where a query cannot say it."""

    name: str
    says: str
    says_zh: str
    query: str
    replay: Callable[[Session, int], list[dict[str, Any]]] | None = None


@dataclass(frozen=True)
class Broken:
    """A row that breaks an invariant."""

    check: str
    row: dict[str, Any]


_SERIALS_BY_PLACE = """
WITH owned AS (
    SELECT b.first / 1000000000000 + 2000 AS vintage, sum(b.last - b.first + 1) AS serials,
           sum(b.last - b.first + 1) FILTER (WHERE a.kind BETWEEN 1 AND 6 OR a.kind = 18) AS participants,
           sum(b.last - b.first + 1) FILTER (WHERE a.kind = 13) AS market,
           sum(b.last - b.first + 1) FILTER (WHERE a.kind = 11) AS pool,
           sum(b.last - b.first + 1) FILTER (WHERE a.kind = 12) AS retired
    FROM block b LEFT JOIN account a ON a.id = b.account_id GROUP BY 1
), minted AS (
    SELECT first / 1000000000000 + 2000 AS vintage, sum(last - first + 1) AS serials FROM issue GROUP BY 1
)
SELECT vintage, coalesce(m.serials, 0) AS minted, coalesce(participants, 0) AS participants,
       coalesce(market, 0) AS market, coalesce(pool, 0) AS pool, coalesce(retired, 0) AS retired
FROM minted m FULL JOIN owned o USING (vintage)
WHERE coalesce(m.serials, 0) <> coalesce(participants, 0) + coalesce(market, 0) + coalesce(pool, 0) + coalesce(retired, 0)
UNION ALL
SELECT NULL, t.minted, i.issued, 0, 0, 0
FROM (SELECT coalesce(sum(amount), 0) AS minted FROM transfer WHERE purpose = 1) t,
     (SELECT coalesce(sum(last - first + 1), 0) AS issued FROM issue) i
WHERE t.minted <> i.issued
"""

_GROUPS = """
SELECT t.id AS transfer, t.group_id, t.asset, t.amount, d.asset AS debit_asset, c.asset AS credit_asset, s.serials
FROM transfer t LEFT JOIN account d ON d.id = t.debit LEFT JOIN account c ON c.id = t.credit
LEFT JOIN (SELECT transfer_id, sum(last - first + 1) AS serials
           FROM (SELECT transfer_id, first, last FROM move UNION ALL SELECT transfer_id, first, last FROM issue) r
           GROUP BY transfer_id) s ON s.transfer_id = t.id
WHERE d.id IS NULL OR c.id IS NULL OR d.asset <> t.asset OR c.asset <> t.asset OR t.debit = t.credit OR t.amount < 1
   OR (t.asset = 1 AND s.serials IS DISTINCT FROM t.amount::numeric) OR (t.asset <> 1 AND s.serials IS NOT NULL)
   OR (t.group_id <> t.id AND NOT EXISTS (SELECT FROM transfer g WHERE g.id = t.group_id AND g.group_id = g.id
                                          AND g.business_date = t.business_date))
UNION ALL
SELECT t.id, t.reverses, t.asset, t.amount, o.asset, o.asset, o.amount
FROM transfer t LEFT JOIN transfer o ON o.id = t.reverses
WHERE t.reverses IS NOT NULL
  AND (o.id IS NULL OR (o.debit, o.credit, o.amount, o.asset) <> (t.credit, t.debit, t.amount, t.asset) OR t.purpose <> 11)
UNION ALL
SELECT i.transfer_id, NULL, 1, i.last - i.first + 1, NULL, NULL, i.account_id
FROM issue i LEFT JOIN transfer t ON t.id = i.transfer_id
WHERE t.id IS NULL OR t.purpose <> 1 OR t.credit <> i.account_id
UNION ALL
SELECT m.transfer_id, NULL, 1, m.last - m.first + 1, NULL, NULL, NULL
FROM move m LEFT JOIN transfer t ON t.id = m.transfer_id WHERE t.id IS NULL OR t.purpose = 1
"""

_LIMITS = """
SELECT b.account_id AS account, b.posted + coalesce(i.amount, 0) AS posted, b.held, b.holding_max
FROM balance b LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM incoming GROUP BY account_id) i USING (account_id)
WHERE (NOT b.is_source AND (b.held < 0 OR b.posted + coalesce(i.amount, 0) < b.held))
   OR b.posted + coalesce(i.amount, 0) > b.holding_max
UNION ALL
-- What an account may do is what its kind may do, and nothing once it is closed; closed accounts hold nothing.
SELECT a.id, b.posted, b.held, b.holding_max
FROM account a JOIN account_kind k ON k.id = a.kind LEFT JOIN balance b ON b.account_id = a.id
WHERE b.account_id IS NULL OR b.asset <> a.asset OR b.deferred <> k.deferred OR b.is_source <> k.is_source
   OR (a.closed_at IS NULL AND (b.sends <> k.sends OR b.receives <> k.receives))
   OR (a.closed_at IS NOT NULL
       AND (b.sends OR b.receives OR b.held <> 0
            OR b.posted + coalesce((SELECT sum(amount) FROM incoming WHERE account_id = a.id), 0) <> 0))
"""

# Blocks must lie inside issue ranges without overlap, and nothing may leave the pool or retirement. Whether
# each step was made by who had the serial, and who has it now, is replayed.
_SERIALS = """
WITH told AS (
    SELECT first, last, max(last) OVER earlier AS before, 'owned twice' AS what, account_id FROM block
    WINDOW earlier AS (ORDER BY first, last, account_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    UNION ALL
    SELECT first, last, max(last) OVER earlier, 'issued twice', account_id FROM issue
    WINDOW earlier AS (ORDER BY first, last, account_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), covered AS (
    SELECT range_agg(int8range(first, last, '[]')) AS minted FROM issue
), owned AS (
    SELECT range_agg(int8range(first, last, '[]')) AS owned FROM block
)
SELECT what, account_id AS account, NULL::bigint AS transfer, first, last FROM told WHERE first <= before
UNION ALL
SELECT 'owned but never minted', NULL, NULL, lower(r), upper(r) - 1
FROM covered, owned, unnest(coalesce(owned, '{}') - coalesce(minted, '{}')) r
UNION ALL
SELECT 'minted but owned by nobody', NULL, NULL, lower(r), upper(r) - 1
FROM covered, owned, unnest(coalesce(minted, '{}') - coalesce(owned, '{}')) r
UNION ALL
SELECT 'left an account that never sends', t.debit, t.id, NULL, NULL
FROM transfer t JOIN account a ON a.id = t.debit WHERE a.kind IN (11, 12)
"""

_FOLDS = """
WITH moved AS (
    SELECT account, sum(amount) AS amount FROM (
        SELECT credit AS account, amount FROM transfer UNION ALL SELECT debit, -amount FROM transfer) e GROUP BY account
), owned AS (SELECT account_id AS account, sum(last - first + 1) AS serials FROM block GROUP BY account_id),
waiting AS (SELECT account_id AS account, sum(amount) AS amount FROM incoming GROUP BY account_id),
promised AS (SELECT account_id AS account, sum(amount - captured) AS amount FROM hold WHERE state = 'open' GROUP BY account_id),
captured AS (SELECT hold_id, sum(amount) AS amount FROM transfer WHERE hold_id IS NOT NULL GROUP BY hold_id)
SELECT account, b.posted + coalesce(w.amount, 0) AS posted, coalesce(m.amount, 0) AS folded,
       coalesce(o.serials, 0) AS serials, coalesce(b.held, 0) AS held, coalesce(p.amount, 0) AS promised
FROM (SELECT account_id AS account, * FROM balance) b
FULL JOIN moved m USING (account) FULL JOIN owned o USING (account) FULL JOIN waiting w USING (account)
FULL JOIN promised p USING (account)
WHERE b.account_id IS NULL OR b.posted + coalesce(w.amount, 0) <> coalesce(m.amount, 0)
   OR (b.asset = 1 AND NOT b.is_source AND coalesce(o.serials, 0) <> coalesce(m.amount, 0))
   OR (b.asset <> 1 AND o.serials IS NOT NULL) OR b.held <> coalesce(p.amount, 0)
UNION ALL
SELECT h.account_id, NULL, NULL, NULL, h.captured, coalesce(c.amount, 0)
FROM hold h FULL JOIN captured c ON c.hold_id = h.id WHERE coalesce(h.captured, 0) <> coalesce(c.amount, 0)
"""

_REFERENCES = """
SELECT reference, count(*) AS effects, min(id) AS first_transfer, max(id) AS last_transfer
FROM transfer WHERE reference IS NOT NULL GROUP BY reference HAVING count(*) > 1
UNION ALL
SELECT reference, count(*), min(id), max(id) FROM hold GROUP BY reference HAVING count(*) > 1
UNION ALL
SELECT NULL, 0, id, id FROM transfer WHERE reference IS NULL AND purpose <> 1
UNION ALL
SELECT NULL, count(*), min(id), max(id) FROM transfer WHERE reverses IS NOT NULL GROUP BY reverses HAVING count(*) > 1
"""

CHECKS: tuple[Check, ...] = (
    Check(
        "I1",
        "minted = held by participants + in the market + cancelled + retired, per vintage and in total",
        "发放 = 参与者持有 + 市场 + 注销池 + 中和注销(按年份与合计)",
        _SERIALS_BY_PLACE,
    ),
    Check("I2", "every group sums to zero per asset, and moves as many serials as credits", "每组转账按资产合计为零", _GROUPS),
    Check("I3", "no negative balance, and none above its holding limit", "无负余额,无超持有上限", _LIMITS),
    Check(
        "I4",
        "each serial exists once, with one owner and a legal history",
        "每个编码唯一、只有一个持有者且历史合法",
        _SERIALS,
        replay_serials,
    ),
    Check("I5", "balance = fold of transfers = serials owned; held = open promises", "余额 = 转账累计 = 持有编码数", _FOLDS),
    Check("I7", "one reference, one effect", "一个编号只有一次效果", _REFERENCES),
)


def run_checks(session: Session, checks: Sequence[Check] = CHECKS, *, most: int = 100) -> dict[str, list[Broken]]:
    """The rows that break each check, at most ``most`` of each; a check that holds has none.

    Give it a REPEATABLE READ session when others may write meanwhile, so that all
    passes see one instant.
    """
    found: dict[str, list[Broken]] = {}
    for check in checks:
        cursor = connection_of(session).execute(f"SELECT * FROM ({check.query}) broken LIMIT {most}")
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        if check.replay is not None and len(rows) < most:
            rows += check.replay(session, most - len(rows))
        found[check.name] = [Broken(check.name, row) for row in rows]
    return found
