"""What this process has just verified, for a few seconds and for a bounded number of callers."""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from carbonhui.access.callers import Caller

#: A sign-out anywhere is felt everywhere within this time.
KEPT = timedelta(seconds=5)
MOST = 20_000


class RecentCallers:
    """Callers by the digest of their token. Many threads may use one."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[bytes, tuple[Caller, datetime, datetime]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def get(self, digest: bytes, now: datetime) -> Caller | None:
        """Who was verified by this token within the last seconds; a clock that went back knows nobody."""
        with self._lock:
            caller, since, until = self._found.get(digest, _NOBODY)
            if caller is not None and since <= now < until:
                return caller
            self._found.pop(digest, None)
            return None

    def put(self, digest: bytes, caller: Caller, now: datetime, *, until: datetime | None = None) -> None:
        """Remember a caller from now on, and never beyond the end of the token."""
        ends = now + KEPT if until is None else min(now + KEPT, until)
        with self._lock:
            self._found[digest] = (caller, now, ends)
            self._found.move_to_end(digest)
            if len(self._found) > self._most:
                self._found.popitem(last=False)


_NOBODY: tuple[None, datetime, datetime] = (None, datetime.min, datetime.min)
