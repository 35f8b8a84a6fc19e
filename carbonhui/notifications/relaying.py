"""Bringing announcements to the endpoints: at least once, in order, whoever else fails.

One endpoint is one lane. Whoever holds the lane's lock alone sends to it, so two
relays never send one notice twice; a relay that dies loses the lock with its
session, and the next one sends what has no answer in the books yet.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from standardwebhooks import Webhook

from carbonhui import __version__
from carbonhui.core.clock import Clock
from carbonhui.core.database import Database
from carbonhui.notifications.announcing import announce, body_of
from carbonhui.notifications.carrying import Answer, Carrier, HttpCarrier
from carbonhui.notifications.endpoints import Wrapper, end_endpoint, is_demo, secrets_of

#: How long after the attempt before it each attempt is made: ten over 75.6 hours (Standard Webhooks 1.0.0).
RETRIES = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
LANES = 32
#: A lane that has used so much time leaves the rest to the next pass, so that no slow receiver holds back the others.
LANE_SECONDS = 15.0
_LANE = 440133


@dataclass(frozen=True)
class RelayReport:
    """What one pass did: attempts, and how they ended."""

    attempts: int = 0
    delivered: int = 0
    failed: int = 0
    died: int = 0
    disabled: int = 0

    def __add__(self, other: "RelayReport") -> "RelayReport":
        return RelayReport(
            self.attempts + other.attempts, self.delivered + other.delivered, self.failed + other.failed,
            self.died + other.died, self.disabled + other.disabled,
        )  # fmt: skip


@dataclass(frozen=True)
class _Due:
    """A delivery that may be attempted now."""

    id: int
    key: str | None
    attempts: int
    handle: UUID
    topic: str
    payload: dict[str, Any]
    at: datetime


def relay(
    database: Database, vault: Wrapper, *, clock: Clock, http: Carrier | None = None, limit: int = 500
) -> RelayReport:
    """One pass: attempt what is due, at most ``limit`` notices of each endpoint.

    An attempt that fails is repeated by `RETRIES`; after the tenth it is a dead letter.
    Only 2xx is an acceptance; 410 disables the endpoint. Each outcome is committed by
    itself, so a pass that is killed repeats at most what had no answer yet.
    """
    with database.begin() as session:
        carrier = http or HttpCarrier(loopback=is_demo(session))
    with database.connect(autocommit=True) as guard:
        waiting = guard.execute(_LANES_DUE, {"now": clock.now()}).fetchall()
        lanes = [_Lane(database, guard, vault, clock, carrier, limit, *row) for row in waiting]
        return sum(asyncio.run(_driven(lanes)), RelayReport()) if lanes else RelayReport()


async def _driven(lanes: Sequence["_Lane"]) -> list[RelayReport]:
    """Every lane, some at a time; one that breaks breaks the pass, after the others have come to their end."""
    # A thread for each lane, so that names which nobody answers for hold back no other lane's.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(LANES, thread_name_prefix="names"))
    room = asyncio.Semaphore(LANES)

    async def one(lane: "_Lane") -> RelayReport:
        async with room:
            return await lane.drive()

    ended = await asyncio.gather(*map(one, lanes), return_exceptions=True)
    for end in ended:
        if isinstance(end, BaseException):
            raise end
    return [end for end in ended if isinstance(end, RelayReport)]


@dataclass(frozen=True)
class _Lane:
    """The notices of one endpoint."""

    database: Database
    guard: psycopg.Connection[Any]
    vault: Wrapper
    clock: Clock
    carrier: Carrier
    limit: int
    endpoint: int
    organisation: int
    url: str

    async def drive(self) -> RelayReport:
        """Send what is due, oldest first, unless another relay does."""
        if self._one("SELECT pg_try_advisory_lock(%s, %s)", _LANE, self.endpoint) is not True:
            return RelayReport()
        try:
            return await self._sent()
        finally:
            if not self.guard.broken:
                self._one("SELECT pg_advisory_unlock(%s, %s)", _LANE, self.endpoint)

    async def _sent(self) -> RelayReport:
        report, ends, held = RelayReport(), time.monotonic() + LANE_SECONDS, set[str]()
        with self.database.begin() as session:
            signers = [Webhook(secret) for secret in secrets_of(session, self.vault, self.endpoint, now=self.clock.now())]
        for due in self._due():
            if time.monotonic() >= ends:
                break
            # What failed holds back what follows under its key, and nothing else.
            if due.key in held:
                continue
            answer = await self._attempted(due, signers)
            report += self._noted(due, answer)
            if answer.is_gone:
                break
            if not answer.is_delivered and due.key is not None:
                held.add(due.key)
        return report

    def _due(self) -> list[_Due]:
        rows = self.guard.execute(_DUE, {"endpoint": self.endpoint, "now": self.clock.now(), "limit": self.limit})
        return [_Due(*row) for row in rows]

    async def _attempted(self, due: _Due, signers: Sequence[Webhook]) -> Answer:
        body, now = body_of(due.topic, due.at.astimezone(UTC), due.payload), self.clock.now()
        return await self.carrier.carry(self.url, headers=signed(signers, due.handle, now, body), body=body.encode())

    def _noted(self, due: _Due, answer: Answer) -> RelayReport:
        if answer.is_gone:
            return self._gone(due, answer)
        made = due.attempts + 1
        died = not answer.is_delivered and made == len(RETRIES)
        state = "delivered" if answer.is_delivered else "dead" if died else "waiting"
        self.guard.execute(_NOTE, {
            "id": due.id, "attempts": made, "now": self.clock.now(), "outcome": answer.outcome, "status": answer.status,
            "state": state, "wait": RETRIES[made] if state == "waiting" else timedelta(),
        })  # fmt: skip
        return RelayReport(attempts=1, delivered=answer.is_delivered, failed=not answer.is_delivered, died=died)

    def _gone(self, due: _Due, answer: Answer) -> RelayReport:
        """The receiver said that it is there no more: nothing else is sent, and its organisation is told elsewhere."""
        with self.database.begin() as session:
            ended = end_endpoint(session, self.endpoint, self.organisation, state="disabled", reason=answer.outcome)
            if ended:
                announce(session, "webhook.disabled", payload={"endpoint": self.endpoint}, organisation=self.organisation)
        return RelayReport(attempts=1, failed=1, died=1, disabled=ended)

    def _one(self, query: str, *words: Any) -> Any:
        row = self.guard.execute(query, words).fetchone()
        return row[0] if row else None


def signed(signers: Sequence[Webhook], handle: UUID, now: datetime, body: str) -> dict[str, str]:
    """The headers of one attempt by Standard Webhooks 1.0.0, with a signature of each secret."""
    # The library takes the hour as it stands for UTC's, so the city's would sign another instant.
    instant = now.astimezone(UTC).replace(microsecond=0)
    return {
        "webhook-id": str(handle),
        "webhook-timestamp": str(int(instant.timestamp())),
        "webhook-signature": " ".join(signer.sign(str(handle), instant, body) for signer in signers),
        "content-type": "application/json",
        "user-agent": f"carbonhui/{__version__}",
    }


_LANES_DUE = """
SELECT e.id, e.organisation, e.url FROM webhook_endpoint e
WHERE e.state = 'active'
  AND EXISTS (SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.due_at <= %(now)s)
ORDER BY (SELECT min(d.due_at) FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.state = 'waiting'), e.id
"""

_DUE = """
SELECT d.id, d.key, d.attempts, a.handle, a.topic, a.payload, a.at
FROM webhook_delivery d JOIN announcement a ON a.id = d.announcement_id
WHERE d.endpoint_id = %(endpoint)s AND d.state = 'waiting' AND d.due_at <= %(now)s
  AND (d.key IS NULL OR NOT EXISTS (
      SELECT FROM webhook_delivery earlier
      WHERE earlier.endpoint_id = d.endpoint_id AND earlier.key = d.key AND earlier.state = 'waiting'
        AND earlier.announcement_id < d.announcement_id AND earlier.due_at > %(now)s))
ORDER BY d.announcement_id LIMIT %(limit)s
"""

_NOTE = """
UPDATE webhook_delivery SET attempts = %(attempts)s, attempted_at = %(now)s, outcome = %(outcome)s, status = %(status)s,
       state = %(state)s, due_at = %(now)s::timestamptz + %(wait)s
WHERE id = %(id)s AND state = 'waiting'
"""
