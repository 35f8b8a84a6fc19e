"""One line of JSON for each request: who (a pseudonym), what, how it ended, how long it took.

Never a body, a query, an address, a header or the text of an error: whatever a
client sends may be personal.
"""

import json
import sys
import threading
import time
from collections import deque
from typing import Any, TextIO

import structlog

#: Lines wait so long for others to be written with.
GATHERED_SECONDS = 0.1
#: Made once; the lines are of texts and numbers.
_ENCODER = json.JSONEncoder(default=repr)


def open_log(stream: "TextIO | Gathered | None" = None) -> Any:
    """Where lines go: standard error, or a stream."""
    out: Any = stream or sys.stderr
    return structlog.wrap_logger(
        structlog.WriteLogger(out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=lambda event, **_: _ENCODER.encode(event)),
        ],
        wrapper_class=structlog.BoundLogger,
        context_class=dict,
    ).bind()


class Gathered:
    """A stream that writes many lines at once, because each writing makes its thread wait for all others."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: deque[str] = deque()
        self._writing = threading.Lock()
        threading.Thread(target=self._work, daemon=True, name="log").start()

    def write(self, line: str) -> None:
        self._lines.append(line)

    def flush(self) -> None:
        """Nothing: lines are written by the thread, and by `write_out` at the end."""

    def write_out(self) -> None:
        """Write all that waits."""
        with self._writing:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if lines:
                self._stream.write("".join(lines))
                self._stream.flush()

    def _work(self) -> None:
        while True:
            time.sleep(GATHERED_SECONDS)
            self.write_out()
