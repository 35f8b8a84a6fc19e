"""Truths about pools: what they say was put in, came back and is left is what the journal says."""

from carbonhui.ledger import Check

_SAID = """
SELECT p.id AS pool, p.contributed, p.returned, c.credits AS contributions, c.returned AS given_back, t.put_in, t.given
FROM pool p,
LATERAL (SELECT coalesce(sum(credits), 0) AS credits, coalesce(sum(returned), 0) AS returned,
                count(DISTINCT payer) AS payers FROM pool_contribution WHERE pool_id = p.id) c,
LATERAL (SELECT coalesce(sum(amount) FILTER (WHERE credit = p.own_account AND purpose = 14), 0) AS put_in,
                coalesce(sum(amount) FILTER (WHERE debit = p.own_account AND purpose IN (12, 15)), 0) AS given
         FROM transfer WHERE debit = p.own_account OR credit = p.own_account) t
WHERE p.contributed <> c.credits OR p.returned <> c.returned OR p.contributors <> c.payers
   OR p.contributed <> t.put_in OR p.returned <> t.given
UNION ALL
SELECT c.pool_id, c.credits, c.returned, t.amount, r.credits, NULL, NULL
FROM pool_contribution c JOIN pool p ON p.id = c.pool_id LEFT JOIN transfer t ON t.id = c.transfer_id,
LATERAL (SELECT coalesce(sum(b.credits), 0) AS credits FROM pool_return b WHERE b.contribution_id = c.id) r
WHERE (t.debit, t.credit, t.amount, t.purpose) IS DISTINCT FROM (c.payer, p.own_account, c.credits, 14::smallint) OR r.credits <> c.returned
UNION ALL
SELECT p.id, r.credits, NULL, t.amount, NULL, NULL, NULL
FROM pool_return r JOIN pool_contribution c ON c.id = r.contribution_id JOIN pool p ON p.id = c.pool_id
LEFT JOIN transfer t ON t.id = r.transfer_id
WHERE t.id IS NULL OR t.debit <> p.own_account OR t.amount <> r.credits
   OR t.purpose <> CASE WHEN r.abandoned THEN 12 ELSE 15 END OR (NOT r.abandoned AND t.credit <> c.payer)
UNION ALL
SELECT p.id, p.contributed, p.returned, l.posted, NULL, NULL, NULL
FROM pool p, LATERAL (
    SELECT b.posted + coalesce((SELECT sum(i.amount) FROM incoming i WHERE i.account_id = b.account_id), 0) AS posted
    FROM balance b WHERE b.account_id = p.own_account) l
WHERE p.first_used_on IS NULL AND l.posted <> p.contributed - p.returned
"""

POOL_CHECKS = (
    Check(
        "I19",
        "a pool took and gave back what its contributions say, to those who put it in, and holds all of it until it is used",
        "汇集活动的投入与退回与各笔投入一致,且退回给原投入者;未使用前全额保留",
        _SAID,
    ),
)
