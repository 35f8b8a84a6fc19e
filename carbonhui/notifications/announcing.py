"""Announcing what happened, in the transaction in which it happens."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.notifications.topics import TOPICS, checked_payload


def announce(
    session: Session,
    topic: str,
    *,
    payload: Mapping[str, Any],
    account: int | None = None,
    organisation: int | None = None,
    key: str | None = None,
) -> UUID:
    """Enter one announcement, and let it go to everybody whom it is for.

    ``account`` finds it in its inbox; each endpoint of ``organisation`` that is
    subscribed to the topic is told; with neither it is for the staff. Announcements
    of one ``key`` (a matter: a payment, an organisation) reach an endpoint in the order
    in which they were committed. Nothing leaves before the transaction commits.
    """
    row = connection_of(session).execute(
        "SELECT notifications_announce(%s, %s, %s, %s, %s)",
        (topic, checked_payload(topic, payload), account, organisation, key),
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def announce_many(session: Session, topic: str, payloads: Sequence[tuple[int, Mapping[str, Any]]]) -> int:
    """Put one announcement each into the inboxes of many accounts, in one statement; how many."""
    accounts = [account for account, _ in payloads]
    texts = [checked_payload(topic, payload) for _, payload in payloads]
    return connection_of(session).execute(
        """WITH entered AS (
               INSERT INTO announcement (topic, payload, account_id)
               SELECT %s, payload, account FROM unnest(%s::bigint[], %s::json[]) AS given (account, payload)
               RETURNING id, account_id)
           INSERT INTO inbox_message (account_id, announcement_id) SELECT account_id, id FROM entered""",
        (topic, accounts, texts),
    ).rowcount


@dataclass(frozen=True)
class Notice:
    """An announcement as it is read: its topic is the message's code, its payload the facts."""

    id: int
    code: str
    facts: dict[str, Any]
    at: datetime
    read_at: datetime | None = None

    def text(self, language: str = "en") -> str:
        """The sentence in ``"en"`` or ``"zh"``; the code where a release before knew the topic and this one does not."""
        topic = TOPICS.get(self.code)
        return topic.text(self.facts, language) if topic else self.code


def staff_notices(session: Session, *, before: int | None = None, limit: int = 50) -> list[Notice]:
    """What was announced to the staff, newest first; ``before`` is the last one's number of the page before."""
    rows = connection_of(session).execute(
        """SELECT id, topic, payload, at FROM announcement
           WHERE account_id IS NULL AND organisation IS NULL AND id < coalesce(%s, 9223372036854775807)
           ORDER BY id DESC LIMIT %s""",
        (before, limit),
    )
    return [Notice(*row) for row in rows]


def body_of(topic: str, at: datetime, payload: Mapping[str, Any]) -> str:
    """The body that receivers get: type, timestamp and data, as Standard Webhooks 1.0.0 advises."""
    told = {"type": topic, "timestamp": at.isoformat(), "data": payload}
    return json.dumps(told, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
