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
SELECT 'purchase differs from its offsets', p.id, NULL, p.fen, p.credits, coalesce(sum(o.offset_fen), 0)
FROM par_purchase p LEFT JOIN bill_offset o ON o.purchase_id = p.id AND o.department = p.department
GROUP BY p.id HAVING p.fen <> coalesce(sum(o.offset_fen), 0) OR p.credits <> coalesce(sum(o.credits), 0)
"""

CHECKS = (
    Check(
        "I9",
        "offset <= 10 % per bill; sum of offsets = due = paid + owed",
        "每张账单抵用不超过 10%;抵用总额 = 应付 = 已付 + 未付",
        _OFFSETS,
    ),
)
