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
UNION ALL
SELECT 'bought although it was undone', id, total_fen, offset_fen, credits, undone_transfer
FROM bill_offset WHERE purchase_id IS NOT NULL AND undone_transfer IS NOT NULL
UNION ALL
SELECT 'what came back differs from the offset', o.id, o.total_fen, o.offset_fen, o.credits, b.id
FROM (SELECT * FROM bill_offset WHERE undone_transfer IS NOT NULL) o
FULL JOIN (SELECT t.* FROM transfer t JOIN account a ON a.id = t.debit AND a.kind = 3 WHERE t.purpose IN (4, 12)) b
     ON b.id = o.undone_transfer
LEFT JOIN transfer u ON u.id = o.transfer_id
LEFT JOIN account r ON r.id = u.debit
LEFT JOIN account back ON back.id = b.credit
WHERE b.amount IS DISTINCT FROM o.credits OR b.debit IS DISTINCT FROM o.department
   OR NOT coalesce(CASE b.purpose WHEN 4 THEN back.id = r.id ELSE back.kind = 11 AND r.closed_at IS NOT NULL END, false)
UNION ALL
SELECT 'differs from its bill', o.id, o.total_fen, o.offset_fen, o.credits, b.total_fen
FROM bill b JOIN bill_offset o ON o.department = b.department AND o.bill = b.number
WHERE o.bill_id IS DISTINCT FROM b.id OR o.total_fen <> b.total_fen
UNION ALL
SELECT 'its bill was never presented', o.id, o.total_fen, o.offset_fen, o.credits, o.bill_id
FROM bill_offset o LEFT JOIN bill b ON b.id = o.bill_id WHERE o.bill_id IS NOT NULL AND b.id IS NULL
UNION ALL
SELECT 'its bill was taken back without it, or it without its bill', o.id, o.total_fen, o.offset_fen, o.credits, b.id
FROM bill_offset o JOIN bill b ON b.id = o.bill_id
WHERE (o.undone_transfer IS NULL) <> (b.state = 'open') OR o.undone_because <> b.state
UNION ALL
SELECT 'billed for what was not approved', NULL, b.total_fen, NULL, NULL, b.id
FROM bill b LEFT JOIN fee_item f ON f.id = b.fee_item LEFT JOIN organisation g ON g.id = f.organisation_id
LEFT JOIN countersignature c ON c.id = f.countersignature_id AND c.kind = 'fee_item' AND c.subject = f.id AND c.agreed
WHERE c.id IS NULL OR g.account_id IS DISTINCT FROM b.department
"""

CHECKS = (
    Check(
        "I9",
        "offset <= 10 % per bill; sum of offsets = due = paid + owed",
        "每张账单抵用不超过 10%;抵用总额 = 应付 = 已付 + 未付",
        _OFFSETS,
    ),
)
