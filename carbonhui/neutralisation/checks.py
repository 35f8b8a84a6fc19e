"""Every certificate is one retirement, to the serial."""

from carbonhui.ledger import Check

_CERTIFICATES = """
SELECT c.id AS certificate, c.transfer_id AS transfer, c.credits, c.footprint_mg, c.avoided_mg, s.mg AS told_mg
FROM certificate c
LEFT JOIN transfer t ON t.id = c.transfer_id AND t.purpose = 8 AND t.asset = 1
     AND t.credit IN (SELECT id FROM account WHERE kind = 12)
LEFT JOIN LATERAL (
    SELECT sum((least(m.last, i.last) - greatest(m.first, i.first) + 1) * i.mg_per_credit)::bigint AS mg
    FROM move m JOIN issue i ON i.first BETWEEN m.first - 9999 AND m.last AND i.last >= m.first
    WHERE m.transfer_id = c.transfer_id) s ON true
WHERE t.id IS NULL OR t.amount <> c.credits OR t.debit <> c.payer OR s.mg IS DISTINCT FROM c.avoided_mg OR c.avoided_mg < c.footprint_mg
"""

CHECKS = (
    Check(
        "I16",
        "each certificate is one retirement of its payer, avoids what its serials avoid, and covers its footprint",
        "每张碳中和证书对应其出具账户的一次注销,减碳量与所注销编码一致,且不少于其足迹",
        _CERTIFICATES,
    ),
)
