"""Reductions and credits tie out, per person."""

from carbonhui.ledger import Check

_TIES = """
WITH measured AS (
    SELECT account_id AS account, sum(mg) AS mg FROM reduction WHERE mint_id IS NOT NULL GROUP BY account_id
), minted AS (
    SELECT account_id AS account, sum((last - first + 1) * mg_per_credit) AS mg FROM issue GROUP BY account_id
), carried AS (
    SELECT account_id AS account, carry_mg AS mg FROM carry
)
SELECT account, coalesce(m.mg, 0) AS reductions_mg, coalesce(i.mg, 0) AS credits_mg, coalesce(c.mg, 0) AS carry_mg
FROM measured m FULL JOIN minted i USING (account) FULL JOIN carried c USING (account)
WHERE coalesce(m.mg, 0) <> coalesce(i.mg, 0) + coalesce(c.mg, 0)
"""

CHECKS = (
    Check(
        "I8",
        "sum(reductions) = credits x ratio + carry, per person",
        "每人:减碳量之和 = 碳惠 × 兑换比率 + 结转",
        _TIES,
    ),
)
