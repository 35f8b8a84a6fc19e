"""I14: clearing accounts are empty, and what waits is kept aside, no more and no less."""

from carbonhui.ledger import Check

_QUERY = """
SELECT 'a clearing account holds something' AS what, NULL::bigint AS gift, a.id AS account, b.posted::text AS detail
FROM account a JOIN balance b ON b.account_id = a.id
WHERE a.kind = 18 AND b.posted + coalesce((SELECT sum(i.amount) FROM incoming i WHERE i.account_id = a.id), 0) <> 0
UNION ALL
SELECT 'a waiting gift is not promised', g.id, g.giver, h.state
FROM gift g LEFT JOIN hold h ON h.id = g.hold_id
WHERE g.state = 'waiting' AND (h.id IS NULL OR h.state NOT IN ('open', 'expired')
                               OR (h.account_id, h.amount, h.captured) <> (g.giver, g.credits, 0))
UNION ALL
SELECT 'an ended gift is still promised', g.id, g.giver, g.state
FROM gift g JOIN hold h ON h.id = g.hold_id WHERE g.state <> 'waiting' AND h.state = 'open'
UNION ALL
SELECT 'an accepted gift did not move as it says', g.id, g.giver, t.amount::text
FROM gift g LEFT JOIN transfer t ON t.id = g.transfer_id
WHERE g.state = 'accepted' AND (t.debit, t.credit, t.amount, t.purpose) IS DISTINCT FROM (g.giver, g.receiver, g.credits, 2::smallint)
UNION ALL
SELECT 'an accepted request did not move as it says', r.id, r.asked, t.amount::text
FROM credit_request r LEFT JOIN transfer t ON t.id = r.transfer_id
WHERE r.state = 'accepted' AND (t.debit, t.credit, t.amount, t.purpose) IS DISTINCT FROM (r.asked, r.asker, r.credits, 2::smallint)
"""

GIFT_CHECKS = (
    Check(
        "I14",
        "clearing accounts are empty, and every gift that waits is promised by its giver",
        "清算账户为空;每一份等待中的赠送都由赠送人预留",
        _QUERY,
    ),
)
