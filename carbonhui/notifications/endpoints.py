"""Where an organisation wants to be told, of what, and with which secret."""

import base64
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from carbonhui.core.clock import Clock
from carbonhui.core.database import connection_of
from carbonhui.notifications.addresses import Resolve, checked_url, resolve
from carbonhui.notifications.refusals import (
    EndpointNotActive,
    EndpointsTooMany,
    EndpointUnknown,
    TopicsMissing,
    TopicUnknown,
)
from carbonhui.notifications.topics import SUBSCRIBABLE

ENDPOINTS_MAX = 10
#: Between the 24 and 64 bytes that Standard Webhooks 1.0.0 allows.
SECRET_BYTES = 32
#: How long the secret before the newest signs too, so that receivers can change over.
OVERLAP = timedelta(days=1)


class Wrapper(Protocol):
    """What seals secrets: the vault of the privacy room, which stands on this room's own storey."""

    def wrap(self, purpose: str, plain: bytes, /) -> bytes: ...

    def unwrap(self, purpose: str, wrapped: bytes, /) -> bytes: ...


@dataclass(frozen=True)
class Endpoint:
    """An address and what it is told. ``state`` is active or disabled."""

    id: int
    organisation: int
    url: str
    state: str
    topics: tuple[str, ...]
    added_at: datetime


def add_endpoint(
    session: Session, vault: Wrapper, *, organisation: int, url: str, topics: Collection[str], resolver: Resolve = resolve
) -> tuple[int, str]:
    """Tell an organisation's address of these topics from now on; its number, and the secret that is shown once.

    The secret (``whsec_...``) verifies the signatures by Standard Webhooks 1.0.0. In
    the demonstration the address may be this machine's own.

    Raises `EndpointInvalid`, `HostRefused`, `TopicsMissing`, `TopicUnknown`, `EndpointsTooMany`.
    """
    _check_topics(topics)
    checked_url(url, loopback=is_demo(session), resolver=resolver)
    _alone_with(session, organisation)
    if len(endpoints_of(session, organisation)) >= ENDPOINTS_MAX:
        raise EndpointsTooMany(organisation=organisation, most=ENDPOINTS_MAX)
    row = connection_of(session).execute(
        "INSERT INTO webhook_endpoint (organisation, url) VALUES (%s, %s) RETURNING id", (organisation, url)
    ).fetchone()
    assert row is not None
    _subscribe(session, row[0], topics)
    return row[0], _new_secret(session, vault, row[0])


def endpoints_of(session: Session, organisation: int) -> list[Endpoint]:
    """An organisation's endpoints that were not removed, oldest first."""
    rows = connection_of(session).execute(
        """SELECT e.id, e.organisation, e.url, e.state, array_agg(DISTINCT s.topic ORDER BY s.topic), e.added_at
           FROM webhook_endpoint e JOIN webhook_subscription s ON s.endpoint_id = e.id
           WHERE e.organisation = %s AND e.state <> 'removed' GROUP BY e.id ORDER BY e.id""",
        (organisation,),
    )
    return [Endpoint(row[0], row[1], row[2], row[3], tuple(row[4]), row[5]) for row in rows]


def rotate_secret(
    session: Session, vault: Wrapper, endpoint: int, *, clock: Clock, organisation: int | None = None
) -> str:
    """A new secret, shown once. For a day notices are signed with the one before it as well.

    Raises `EndpointUnknown`, also where the endpoint is not this ``organisation``'s.
    """
    _found(session, endpoint, organisation)
    connection, now = connection_of(session), clock.now()
    connection.execute("DELETE FROM webhook_secret WHERE endpoint_id = %s AND until <= %s", (endpoint, now))
    connection.execute(
        "UPDATE webhook_secret SET until = %s WHERE endpoint_id = %s AND until IS NULL", (now + OVERLAP, endpoint)
    )
    return _new_secret(session, vault, endpoint)


def remove_endpoint(session: Session, endpoint: int, *, organisation: int | None = None) -> None:
    """Tell an address nothing more, for good; what waits for it is dead. Raises `EndpointUnknown`."""
    found = _found(session, endpoint, organisation)
    end_endpoint(session, endpoint, found.organisation, state="removed", reason="endpoint_removed")


def resume_endpoint(session: Session, endpoint: int, *, organisation: int | None = None) -> None:
    """Tell a disabled address again, from now on, of the topics it had. Raises `EndpointUnknown`."""
    found = _found(session, endpoint, organisation)
    _alone_with(session, found.organisation)
    resumed = connection_of(session).execute(
        "UPDATE webhook_endpoint SET state = 'active' WHERE id = %s AND state = 'disabled'", (endpoint,)
    ).rowcount
    if resumed:
        _subscribe(session, endpoint, found.topics)


def ping(session: Session, endpoint: int, *, organisation: int | None = None) -> None:
    """Send a trial notice to one endpoint, whatever it is subscribed to. Raises `EndpointUnknown`, `EndpointNotActive`."""
    owner = _found(session, endpoint, organisation).organisation
    connection_of(session).execute("SELECT pg_advisory_xact_lock_shared(440131, hashint8(%s::bigint))", (owner,))
    # Read once more: nobody ends the endpoint from here on.
    found = _found(session, endpoint, organisation)
    if found.state != "active":
        raise EndpointNotActive(endpoint=endpoint, state=found.state)
    connection_of(session).execute(
        """WITH entered AS (
               INSERT INTO announcement (topic, payload, organisation) VALUES ('ping', '{}', %s) RETURNING id)
           INSERT INTO webhook_delivery (announcement_id, endpoint_id) SELECT id, %s FROM entered""",
        (found.organisation, endpoint),
    )


def end_endpoint(session: Session, endpoint: int, organisation: int, *, state: str, reason: str) -> bool:
    """Disable or remove an endpoint; False when it was so already."""
    row = connection_of(session).execute(
        "SELECT notifications_end_endpoint(%s, %s, %s, %s)", (endpoint, organisation, state, reason)
    ).fetchone()
    return row == (True,)


def secrets_of(session: Session, vault: Wrapper, endpoint: int, *, now: datetime) -> list[bytes]:
    """The secrets that sign for an endpoint now, newest first."""
    rows = connection_of(session).execute(
        "SELECT wrapped FROM webhook_secret WHERE endpoint_id = %s AND (until IS NULL OR until > %s) ORDER BY id DESC",
        (endpoint, now),
    )
    return [vault.unwrap(_purpose(endpoint), bytes(row[0])) for row in rows]


def is_demo(session: Session) -> bool:
    """Whether these are the demonstration's books."""
    row = connection_of(session).execute("SELECT profile FROM deployment").fetchone()
    return row == ("demo",)


def _check_topics(topics: Collection[str]) -> None:
    if not topics:
        raise TopicsMissing(known=", ".join(SUBSCRIBABLE))
    for topic in topics:
        if topic not in SUBSCRIBABLE:
            raise TopicUnknown(topic=ascii(topic)[:60], known=", ".join(SUBSCRIBABLE))


def _alone_with(session: Session, organisation: int) -> None:
    """No announcement to the organisation is numbered while its subscriptions change."""
    connection_of(session).execute("SELECT pg_advisory_xact_lock(440131, hashint8(%s::bigint))", (organisation,))


def _subscribe(session: Session, endpoint: int, topics: Collection[str]) -> None:
    connection_of(session).execute(
        """INSERT INTO webhook_subscription (endpoint_id, topic, after_id)
           SELECT %s, topic, nextval('announcement_id_seq') FROM unnest(%s::text[]) AS topic""",
        (endpoint, sorted(set(topics))),
    )


def _new_secret(session: Session, vault: Wrapper, endpoint: int) -> str:
    plain = secrets.token_bytes(SECRET_BYTES)
    connection_of(session).execute(
        "INSERT INTO webhook_secret (endpoint_id, wrapped) VALUES (%s, %s)",
        (endpoint, vault.wrap(_purpose(endpoint), plain)),
    )
    return "whsec_" + base64.b64encode(plain).decode("ascii")


def _purpose(endpoint: int) -> str:
    """A secret opens for its own endpoint only, so nobody swaps two rows."""
    return f"webhook_secret|{endpoint}"


def _found(session: Session, endpoint: int, organisation: int | None) -> Endpoint:
    row = connection_of(session).execute(
        "SELECT organisation FROM webhook_endpoint WHERE id = %s AND state <> 'removed'", (endpoint,)
    ).fetchone()
    if row is None or organisation not in (None, row[0]):
        raise EndpointUnknown(endpoint=endpoint)
    return next(found for found in endpoints_of(session, row[0]) if found.id == endpoint)
