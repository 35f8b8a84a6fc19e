"""What Prometheus may know: how many, how long, how late. Never who.

With several processes the values lie in files that all of them map
(``PROMETHEUS_MULTIPROC_DIR``, which `serving` sets before this is imported), so
whichever process is asked answers for all.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from carbonhui.api.tallies import tallies

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "carbonhui_http_request_duration_seconds", "How long requests took.", ("operation", "outcome"),
            buckets=_BOUNDS, registry=self.registry,
        )  # fmt: skip
        self.replays = Counter("carbonhui_idempotency_replays_total", "Requests answered with an earlier answer.", registry=self.registry)
        #: The histograms of operations seen before, which are dear to look up.
        self._known: dict[tuple[str, str], Histogram] = {}
        self.tallies = tallies()
        self.retries = Counter(
            "carbonhui_retries_total", "Transactions run again after they met others.", ("sqlstate",), registry=self.registry
        )

    def retried(self, sqlstate: str) -> None:
        self.retries.labels(sqlstate).inc()

    def observe(self, operation: str, outcome: str, seconds: float) -> None:
        known = self._known.get((operation, outcome))
        if known is None:
            known = self._known[operation, outcome] = self.seconds.labels(operation, outcome)
        known.observe(seconds)

    def told(self) -> bytes:
        """Everything counted, by all processes, in the text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]
        return generate_latest(gathered)
