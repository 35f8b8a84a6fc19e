"""What is on its way, what was given up, and trying that again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.notifications.refusals import DeliveryNotDead, DeliveryUnknown, EndpointNotActive


@dataclass(frozen=True)
class DeadLetter:
    """A delivery that was given up: ten attempts, or an endpoint that is gone."""

    delivery: int
    endpoint: int
    organisation: int
    url: str
    topic: str
    at: datetime
    attempts: int
    attempted_at: datetime | None
    outcome: str
    status: int | None


@dataclass(frozen=True)
class Figures:
    """How the outbox stands, for the metrics."""

    waiting: int
    dead: int
    delivered_last_day: int
    oldest_waiting_s: int


def dead_letters(
    session: Session, *, organisation: int | None = None, before: int | None = None, limit: int = 50
) -> list[DeadLetter]:
    """What was given up, newest first; ``before`` is the last one's number of the page before."""
    rows = connection_of(session).execute(
        """SELECT d.id, e.id, e.organisation, e.url, a.topic, a.at, d.attempts, d.attempted_at, d.outcome, d.status
           FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id JOIN announcement a ON a.id = d.announcement_id
           WHERE d.state = 'dead' AND (%(org)s::bigint IS NULL OR e.organisation = %(org)s)
             AND d.id < coalesce(%(before)s, 9223372036854775807)
           ORDER BY d.id DESC LIMIT %(limit)s""",
        {"org": organisation, "before": before, "limit": limit},
    )
    return [DeadLetter(*row) for row in rows]


def replay(session: Session, delivery: int, *, organisation: int | None = None) -> None:
    """Send a dead letter again from the first attempt on.

    What followed it under its key has gone out meanwhile, so a replay comes late and
    not in order.

    Raises `DeliveryUnknown` (also where it is not this ``organisation``'s),
    `DeliveryNotDead`, `EndpointNotActive`.
    """
    connection = connection_of(session)
    row = connection.execute(
        """SELECT d.state, e.id, e.state, e.organisation FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id
           WHERE d.id = %s FOR UPDATE OF d FOR SHARE OF e""",
        (delivery,),
    ).fetchone()
    if row is None or organisation not in (None, row[3]):
        raise DeliveryUnknown(delivery=delivery)
    if row[0] != "dead":
        raise DeliveryNotDead(delivery=delivery, state=row[0])
    if row[2] != "active":
        raise EndpointNotActive(endpoint=row[1], state=row[2])
    connection.execute(
        "UPDATE webhook_delivery SET state = 'waiting', attempts = 0, due_at = '-infinity' WHERE id = %s", (delivery,)
    )


def figures(session: Session) -> Figures:
    """How many deliveries wait, died, and were made within a day, and how long the oldest has waited."""
    row = connection_of(session).execute(
        """SELECT (SELECT count(*) FROM webhook_delivery WHERE state = 'waiting'),
                  (SELECT count(*) FROM webhook_delivery WHERE state = 'dead'),
                  (SELECT count(*) FROM webhook_delivery
                   WHERE state = 'delivered' AND attempted_at > clock_timestamp() - interval '1 day'),
                  (SELECT extract(epoch FROM clock_timestamp() - min(a.at))::bigint
                   FROM webhook_delivery d JOIN announcement a ON a.id = d.announcement_id WHERE d.state = 'waiting')"""
    ).fetchone()
    assert row is not None
    return Figures(waiting=row[0], dead=row[1], delivered_last_day=row[2], oldest_waiting_s=max(row[3] or 0, 0))
