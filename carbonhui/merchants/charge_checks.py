"""Charges tie out with the transfers and the promises that they made, and refunds with both."""

from carbonhui.ledger import Check

_CHARGES = """
SELECT 'captured otherwise than its transfer says' AS what, c.id AS charge, t.id AS transfer, c.captured AS told, t.amount AS found
FROM charge c FULL JOIN (SELECT * FROM transfer WHERE purpose = 3 AND reference LIKE 'charge:%') t ON t.id = c.transfer_id
WHERE (c.id IS NULL OR c.state = 'captured')
  AND (c.payer, c.merchant, c.captured, c.asset) IS DISTINCT FROM (t.debit, t.credit, t.amount, t.asset)
UNION ALL
SELECT 'authorised otherwise than its promise says', c.id, h.id, c.credits, h.amount
FROM charge c LEFT JOIN hold h ON h.id = c.hold_id
WHERE c.state = 'authorised' AND (c.payer, c.merchant, c.credits, c.asset, 'captured')
      IS NOT DISTINCT FROM (h.account_id, h.target, h.amount, h.asset, h.state)
   OR c.state = 'authorised' AND (c.payer, c.merchant, c.credits, c.asset) IS DISTINCT FROM (h.account_id, h.target, h.amount, h.asset)
UNION ALL
SELECT 'over and still promised', c.id, h.id, 0, h.amount - h.captured
FROM charge c JOIN hold h ON h.id = c.hold_id WHERE h.state = 'open' AND c.state <> 'authorised'
UNION ALL
SELECT 'refunded otherwise than its refunds say', c.id, NULL, c.refunded, coalesce(r.credits, 0)
FROM charge c LEFT JOIN (SELECT charge_id, sum(credits) AS credits FROM charge_refund GROUP BY charge_id) r ON r.charge_id = c.id
WHERE c.refunded <> coalesce(r.credits, 0)
UNION ALL
SELECT 'refunded otherwise than the transfer says', c.id, coalesce(r.transfer_id, t.id), r.credits, t.amount
FROM charge_refund r JOIN charge c ON c.id = r.charge_id
FULL JOIN (SELECT * FROM transfer WHERE purpose = 4 AND reference LIKE 'refund:%') t ON t.id = r.transfer_id
WHERE (c.merchant, c.payer, r.credits, r.asset, r.organisation)
      IS DISTINCT FROM (t.debit, t.credit, t.amount, t.asset, c.organisation)
"""

CHARGES = Check(
    "I18",
    "charges = their transfers and promises; refunds = their transfers, and at most what was captured",
    "交易 = 对应转账与预留;退款 = 对应转账,且不超过已收",
    _CHARGES,
)
