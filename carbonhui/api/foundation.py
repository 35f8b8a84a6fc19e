"""What one process of the API holds besides its services, and what it remembers of one request."""

import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from carbonhui.api.metrics import Metrics
from carbonhui.api.rates import Lease, Rates
from carbonhui.api.services import Services
from carbonhui.api.transactions import Transactions

#: How a request ended: every line of the log has one of these.
OUTCOMES = (
    "done", "replayed", "unchanged", "malformed", "unauthenticated", "forbidden", "not_found", "refused", "limited",
    "unavailable", "failed",
)  # fmt: skip
_OUTCOME_OF = {401: "unauthenticated", 403: "forbidden", 404: "not_found", 429: "limited", 503: "unavailable", 500: "failed"}
_MALFORMED = frozenset({400, 405, 406, 408, 411, 413, 414, 415, 417, 431})

#: Where a request's trace is found by all who answer it.
TRACE = "carbonhui.trace"
_LEASE = "SELECT * FROM lease_rate(%s, %s, %s)"


@dataclass(slots=True)
class Trace:
    """One request, for its answer's headers and its line in the log. Nothing personal is in it."""

    request_id: str
    language: str
    began: float = field(default_factory=time.perf_counter)
    operation: str = "none"
    actor: str = "anonymous"
    #: Sets callers apart, strangers by the digest of their address.
    scope: str = ""
    code: str | None = None
    is_replay: bool = False
    lease: Lease | None = None

    def refused(self, code: str, status: int) -> None:
        self.code = code

    def replayed(self) -> None:
        self.is_replay = True

    def outcome(self, status: int) -> str:
        """The class of how it ended, from the closed list."""
        if status < 300:
            return "replayed" if self.is_replay else "done"
        if status < 400:
            return "unchanged"
        if status in _MALFORMED:
            return "malformed"
        return _OUTCOME_OF.get(status, "refused")


@dataclass(eq=False)
class Foundation:
    """Services and the state of this process: kept sessions, leases, counters, the published document."""

    services: Services
    permissions: Mapping[str, frozenset[str]]
    metrics: Metrics
    transactions: Transactions = field(init=False)
    rates: Rates = field(init=False)
    document: bytes = b""
    #: Whether the server was told to stop: it answers on, and says that it is not ready.
    is_stopping: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        if self.services.database is not None:
            self.transactions = Transactions(self.services.database, retried=self.metrics.retried)
        self.rates = Rates(self._leased)
        self._digest_of = lru_cache(maxsize=10_000)(self._digested)

    def stranger(self, environ: dict[str, Any]) -> str:
        """Somebody without proof, told apart by a keyed digest of the address; IPv6 by its first 64 bits."""
        return self._digest_of(address_of(environ, self.services.settings.trusted_proxies))

    def _digested(self, address: str) -> str:
        return f"stranger:{self.services.vault.digest('api-address', address).hex()[:32]}"

    def _leased(self, scope: str, most: int, asked: int) -> tuple[int, int, int]:
        words = (scope, most, asked)
        row = self.transactions.run_alone(lambda kept: kept.connection.execute(_LEASE, words, prepare=True).fetchone())
        assert row is not None
        return int(row[0]), int(row[1]), int(row[2])


def address_of(environ: Mapping[str, Any], proxies: int) -> str:
    """Where a request comes from, believing so many proxies of one's own.

    Each proxy adds the address it sees at the end of X-Forwarded-For, so what stands
    before our own proxies' additions is anybody's claim and is not read.

    >>> address_of({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.9"}, 1)
    '203.0.113.9'
    >>> address_of({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6"}, 0)
    '10.0.0.1'
    """
    given = str(environ.get("REMOTE_ADDR") or "")
    if proxies:
        named = [part.strip() for part in str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()]
        if len(named) >= proxies:
            given = named[-proxies]
    try:
        address = ipaddress.ip_address(given.rsplit("%", 1)[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
