"""Nothing is processed outside consent: the part of I12 that the books can prove."""

from carbonhui.ledger import Check

# Every reduction since consents are asked for lies in a consent of its account for its batch's source: the day
# is covered, and the consent stood when the batch was measured.
OUTSIDE_CONSENT = """
SELECT 'processed outside consent' AS what, r.account_id AS account, b.source, r.id AS reduction, r.day
FROM reduction r JOIN batch b ON b.id = r.batch_id
LEFT JOIN (SELECT batch_id, min(measured_at) AS first, max(measured_at) AS last
           FROM (SELECT batch_id, measured_at FROM measurement UNION ALL SELECT batch_id, measured_at FROM measured_period) m
           GROUP BY batch_id) m ON m.batch_id = r.batch_id
WHERE r.id > (SELECT reduction FROM consent_since)
  AND NOT EXISTS (
      SELECT FROM consent_span s
      WHERE s.account_id = r.account_id AND s.source = b.source AND s.purpose = 'quantification'
        AND s.covers_from <= r.day AND coalesce(r.day <= s.last_day, true)
        AND coalesce(s.given_at <= m.last, true) AND coalesce(s.ended_at > m.first, true))
"""

CONSENTS = """
SELECT 'two consents at one time' AS what, account_id AS account, source, id AS reduction, given_on AS day FROM (
    SELECT *, max(coalesce(ended_at, 'infinity')) OVER (PARTITION BY account_id, source, purpose ORDER BY id
                                                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM consent) c WHERE before > given_at
UNION ALL
SELECT 'applied for outside the agreement', c.account_id, c.source, c.id, c.given_on
FROM consent c JOIN agreement a ON a.id = c.agreement_id
WHERE c.given_on < a.valid_from OR c.given_on >= a.valid_to OR c.given_at > a.ended_at
UNION ALL
SELECT 'other words than were published', NULL, source, id, published_on FROM consent_text
WHERE digest <> sha256(convert_to(source || E'\\n' || purpose || E'\\n' || version || E'\\n' || zh || E'\\n' || en, 'UTF8'))
"""

CHECKS = (
    Check(
        "I12",
        "nothing is processed outside consent",
        "未经授权不处理任何数据",
        f"{OUTSIDE_CONSENT} UNION ALL {CONSENTS}",
    ),
)
