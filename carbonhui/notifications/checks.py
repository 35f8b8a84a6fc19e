"""I13: every announcement reaches everybody who was subscribed, or is still on its way, or was given up and says why."""

#: Name, what it says in English and in Chinese, and the query for the rows that break it. The room of the checks
#: stands on this room's own storey, so supervision makes its check of this.
CHECK_QUERIES: tuple[tuple[str, str, str, str], ...] = (
    (
        "I13",
        "every announcement to a subscribed endpoint is delivered, on its way, or dead with a reason; an account's is in an inbox",
        "每条通知对已订阅的接收地址均为已送达、待投递或注明原因的死信",
        """
SELECT a.id AS announcement, s.endpoint_id AS endpoint, 'no delivery' AS what
FROM announcement a JOIN webhook_endpoint e ON e.organisation = a.organisation
JOIN webhook_subscription s ON s.endpoint_id = e.id AND s.topic = a.topic
     AND a.id > s.after_id AND (s.until_id IS NULL OR a.id < s.until_id)
LEFT JOIN webhook_delivery d ON d.announcement_id = a.id AND d.endpoint_id = e.id
WHERE d.id IS NULL
UNION ALL
SELECT d.announcement_id, d.endpoint_id, 'of another organisation'
FROM webhook_delivery d JOIN announcement a ON a.id = d.announcement_id JOIN webhook_endpoint e ON e.id = d.endpoint_id
WHERE e.organisation IS DISTINCT FROM a.organisation
UNION ALL
SELECT d.announcement_id, d.endpoint_id, 'waits for an endpoint that is ' || e.state
FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id
WHERE d.state = 'waiting' AND e.state <> 'active'
UNION ALL
SELECT d.announcement_id, d.endpoint_id, 'waits without an attempt left'
FROM webhook_delivery d WHERE d.state = 'waiting' AND d.attempts >= 10
UNION ALL
SELECT m.announcement_id, m.account_id, 'in the inbox of another account'
FROM inbox_message m JOIN announcement a ON a.id = m.announcement_id WHERE a.account_id IS DISTINCT FROM m.account_id
""",
    ),
)
