"""How many requests a minute, over all processes together.

A process leases a tenth of a caller's minute at a time from the store and counts it
down in memory, so that nine requests of ten ask nobody. Together the processes never
allow more than the limit; what one of them leased and did not use is lost until the
minute ends.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from carbonhui.api.refusals import TooManyRequests

#: A lease is this part of the limit.
SHARE = 10
#: So many callers are remembered at most; the oldest are forgotten first.
REMEMBERED_MAX = 50_000


@dataclass(slots=True)
class Lease:
    """What one caller may still do in this process, and until when."""

    most: int
    left: int
    elsewhere: int
    until: float

    def headers(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """draft-ietf-httpapi-ratelimit-headers-10."""
        seconds = self.seconds
        return (
            ("RateLimit-Policy", f'"minute";q={self.most};w=60'),
            ("RateLimit", f'"minute";r={self.left + self.elsewhere};t={seconds}'),
        )

    @property
    def seconds(self) -> int:
        return max(1, int(self.until - time.monotonic() + 0.999))


#: Leases so many requests for a caller: how many were granted, how many are left, milliseconds to the minute's end.
Lessor = Callable[[str, int, int], tuple[int, int, int]]


class Rates:
    """The leases of one process."""

    def __init__(self, lessor: Lessor) -> None:
        self._lessor = lessor
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def take(self, scope: str, most: int) -> Lease:
        """Count one request of this caller. Raises `TooManyRequests`."""
        with self._lock:
            lease = self._leases.get(scope)
            if lease is not None and lease.until > time.monotonic():
                if lease.left > 0:
                    lease.left -= 1
                    return lease
                if lease.elsewhere == 0:
                    raise _too_many(lease)
        return self._renewed(scope, most)

    def _renewed(self, scope: str, most: int) -> Lease:
        granted, remaining, left_ms = self._lessor(scope, most, max(1, most // SHARE))
        fresh = Lease(most, granted, remaining, time.monotonic() + left_ms / 1000)
        with self._lock:
            self._forget_some()
            lease = self._merged(scope, fresh)
            if lease.left <= 0:
                raise _too_many(lease)
            lease.left -= 1
            return lease

    def _merged(self, scope: str, fresh: Lease) -> Lease:
        """The new lease, with what another thread leased at the same time."""
        known = self._leases.get(scope)
        # A minute that ends within a second of another is the same minute.
        if known is not None and abs(known.until - fresh.until) < 1:
            fresh.left += known.left
        self._leases[scope] = fresh
        return fresh

    def _forget_some(self) -> None:
        while len(self._leases) >= REMEMBERED_MAX:
            del self._leases[next(iter(self._leases))]


def _too_many(lease: Lease) -> TooManyRequests:
    return TooManyRequests(most=lease.most, seconds=lease.seconds)
