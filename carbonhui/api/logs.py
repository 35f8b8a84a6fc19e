"""One line of JSON for each request: who (a pseudonym), what, how it ended, how long it took.

Never a body, a query, an address, a header or the text of an error: whatever a
client sends may be personal.
"""

import sys
from typing import Any, TextIO

import structlog


def open_log(stream: TextIO | None = None) -> Any:
    """Where lines go: standard error, or a stream."""
    return structlog.wrap_logger(
        structlog.WriteLogger(stream or sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=False),
        ],
        wrapper_class=structlog.BoundLogger,
        context_class=dict,
    )
