"""Settlements tie out with their transfers, one after another, and what merchants hold is what waits."""

from carbonhui.ledger import Check
from carbonhui.merchants.charge_checks import CHARGES

_SETTLEMENTS = """
SELECT 'differs from what it lists' AS what, s.id AS settlement, s.merchant, NULL::bigint AS transfer,
       s.received - s.given AS told, l.received - l.given AS found
FROM settlement s
LEFT JOIN (SELECT i.settlement_id, count(*) AS items, sum(t.amount) FILTER (WHERE t.credit = s.merchant) AS received,
                  sum(t.amount) FILTER (WHERE t.debit = s.merchant) AS given
           FROM settlement_item i JOIN settlement s ON s.id = i.settlement_id JOIN transfer t ON t.id = i.transfer_id
           GROUP BY i.settlement_id) l ON l.settlement_id = s.id
WHERE (s.items, s.received, s.given) IS DISTINCT FROM (coalesce(l.items, 0), coalesce(l.received, 0), coalesce(l.given, 0))
UNION ALL
SELECT 'lists what is not its merchant''s', i.settlement_id, s.merchant, i.transfer_id, NULL, t.amount
FROM settlement_item i LEFT JOIN settlement s ON s.id = i.settlement_id LEFT JOIN transfer t ON t.id = i.transfer_id
WHERE s.id IS NULL OR t.id IS NULL OR i.merchant <> s.merchant OR t.asset <> s.asset OR (t.purpose = 5 AND t.debit = s.merchant)
   OR s.merchant NOT IN (t.debit, t.credit)
UNION ALL
SELECT 'differs from its transfer', s.id, coalesce(s.merchant, t.debit), t.id, s.credits, t.amount
FROM settlement s FULL JOIN (SELECT * FROM transfer WHERE purpose = 5) t ON t.id = s.transfer_id
LEFT JOIN account pool ON pool.id = t.credit
WHERE s.credits IS DISTINCT FROM coalesce(t.amount, 0) OR (t.id IS NULL) <> (s.transfer_id IS NULL)
   OR (t.id IS NOT NULL AND (s.merchant <> t.debit OR s.asset <> t.asset OR pool.kind IS DISTINCT FROM 11))
UNION ALL
SELECT 'does not bring forward what was carried', id, merchant, NULL, brought, carried_before
FROM (SELECT *, lag(carried, 1, 0::bigint) OVER w AS carried_before, row_number() OVER w AS counted
      FROM settlement WINDOW w AS (PARTITION BY merchant ORDER BY number)) chain
WHERE brought <> carried_before OR number <> counted OR credits + carried <> brought + received - given
UNION ALL
SELECT 'merchant holds what neither waits nor was carried', NULL, a.id, NULL,
       b.posted + coalesce(i.amount, 0), coalesce(l.carried, 0) + coalesce(w.amount, 0)
FROM account a JOIN balance b ON b.account_id = a.id
LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM incoming GROUP BY account_id) i ON i.account_id = a.id
LEFT JOIN (SELECT DISTINCT ON (merchant) merchant, carried FROM settlement ORDER BY merchant, number DESC) l ON l.merchant = a.id
LEFT JOIN (SELECT account, sum(amount) AS amount
           FROM (SELECT id, credit AS account, amount FROM transfer
                 UNION ALL SELECT id, debit, -amount FROM transfer WHERE purpose <> 5) t
           WHERE account IN (SELECT id FROM account WHERE kind = 2)
             AND NOT EXISTS (SELECT FROM settlement_item s WHERE s.transfer_id = t.id AND s.merchant = t.account)
           GROUP BY account) w ON w.account = a.id
WHERE a.kind = 2 AND b.posted + coalesce(i.amount, 0) <> coalesce(l.carried, 0) + coalesce(w.amount, 0)
"""

CHECKS = (
    Check(
        "I15",
        "settlements = their transfers; what a merchant holds = what waits to be settled",
        "结算 = 所列转账;商户持有 = 待结算",
        _SETTLEMENTS,
    ),
    CHARGES,
)
