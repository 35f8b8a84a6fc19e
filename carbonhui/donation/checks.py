"""Truths about gifts: the record beside the journal says what the journal says, and no campaign used more than it received."""

from carbonhui.ledger import Check

_GIFTS = """
SELECT coalesce(t.id, g.transfer_id) AS transfer, g.campaign_id AS campaign, t.amount, g.credits
FROM (SELECT id, debit, credit, amount FROM transfer WHERE purpose = 7) t FULL JOIN donation_gift g ON g.transfer_id = t.id
LEFT JOIN donation_campaign c ON c.id = g.campaign_id
LEFT JOIN account a ON a.id = g.giver
WHERE (t.debit, t.credit, t.amount) IS DISTINCT FROM (g.giver, g.charity, g.credits)
   OR g.giver_kind <> a.kind OR (g.campaign_id IS NOT NULL AND c.charity IS DISTINCT FROM g.charity)
UNION ALL
SELECT u.transfer_id, u.campaign_id, t.amount, u.credits
FROM donation_use u JOIN donation_campaign c ON c.id = u.campaign_id LEFT JOIN transfer t ON t.id = u.transfer_id
WHERE t.id IS NULL OR t.amount <> u.credits OR CASE WHEN u.what = 'refunded' THEN t.credit ELSE t.debit END <> c.charity
UNION ALL
SELECT NULL, c.id, r.received, s.used
FROM donation_campaign c,
LATERAL (SELECT coalesce(sum(g.credits), 0)::bigint AS received FROM donation_gift g WHERE g.campaign_id = c.id
         AND NOT EXISTS (SELECT FROM transfer b WHERE b.reverses = g.transfer_id)) r,
LATERAL (SELECT coalesce(sum(CASE WHEN what = 'refunded' THEN -credits ELSE credits END), 0)::bigint AS used
         FROM donation_use WHERE campaign_id = c.id) s
WHERE s.used NOT BETWEEN 0 AND r.received
"""

CHECKS = (
    Check(
        "I17",
        "every gift to a charity stands in its report, and no campaign used more than it received",
        "每笔捐赠都列入公益单位的公示,且公益活动的使用不超过所收",
        _GIFTS,
    ),
)
