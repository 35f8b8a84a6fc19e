"""Offsets keep to the cap, and tie out with what departments received and the fund paid."""

from carbonhui.ledger import Check

_OFFSETS = """
SELECT 'above a tenth of the bill' AS what, id AS bill_offset, total_fen, offset_fen, credits, NULL::bigint AS told
FROM bill_offset WHERE offset_fen > total_fen / 10
UNION ALL
SELECT 'credits differ from the transfer', o.id, o.total_fen, o.offset_fen, o.credits, t.amount
FROM bill_offset o FULL JOIN (SELECT * FROM transfer WHERE purpose = 6) t ON t.id = o.transfer_id
WHERE o.credits IS DISTINCT FROM t.amount OR o.department IS DISTINCT FROM t.credit
UNION ALL
SELECT 'not worth par', o.id, o.total_fen, o.offset_fen, o.credits, o.credits * v.number / 1000
FROM bill_offset o
LEFT JOIN (policy_in_force f JOIN policy_value v ON v.id = f.value_id
           JOIN policy_name n ON n.id = f.name_id AND n.name = 'par_fen_per_1000_credits') ON f.valid @> o.day
WHERE o.offset_fen IS DISTINCT FROM o.credits * v.number / 1000
UNION ALL
SELECT 'paid by no purchase', o.id, o.total_fen, o.offset_fen, o.credits, o.purchase_id
FROM bill_offset o LEFT JOIN par_purchase p ON p.id = o.purchase_id AND p.department = o.department
WHERE o.purchase_id IS NOT NULL AND p.id IS NULL
UNION ALL
SELECT 'purchase differs from its offsets', p.id, NULL, p.fen, p.credits, coalesce(sum(o.offset_fen), 0)
FROM par_purchase p LEFT JOIN bill_offset o ON o.purchase_id = p.id AND o.department = p.department
GROUP BY p.id HAVING p.fen <> coalesce(sum(o.offset_fen), 0) OR p.credits <> coalesce(sum(o.credits), 0)
UNION ALL
SELECT 'purchase differs from its transfers', coalesce(p.id, 0), NULL, p.fen, p.credits, coalesce(c.id, m.id)
FROM par_purchase p
FULL JOIN (SELECT * FROM transfer WHERE purpose = 9 AND asset = 1) c ON c.id = p.transfer_id
FULL JOIN (SELECT * FROM transfer WHERE purpose = 9 AND asset = 2) m ON m.group_id = c.id
WHERE c.amount IS DISTINCT FROM p.credits OR c.debit IS DISTINCT FROM p.department
   OR m.amount IS DISTINCT FROM p.fen OR m.credit IS DISTINCT FROM p.cash_account
"""

CHECKS = (
    Check(
        "I9",
        "offset <= 10 % per bill; sum of offsets = due = paid + owed",
        "每张账单抵用不超过 10%;抵用总额 = 应付 = 已付 + 未付",
        _OFFSETS,
    ),
)
