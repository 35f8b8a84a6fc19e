"""Where a list goes on: opaque to the client, signed, and good for one caller and one list only."""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from typing import Any

from carbonhui import ledger

_SCHEME = "api-cursor"
_MAC_BYTES = 16


@dataclass(frozen=True)
class Cursor:
    """Writes and reads the cursors of one operation for one caller."""

    vault: Any
    operation: str
    scope: str

    def write(self, position: Any) -> str:
        """A cursor that leads to this position: whole numbers, texts, or a list of them."""
        plain = json.dumps(position, separators=(",", ":")).encode()
        mac = self.vault.digest(_SCHEME, self._bound(plain))[:_MAC_BYTES]
        return base64.urlsafe_b64encode(mac + plain).rstrip(b"=").decode()

    def read(self, cursor: str | None) -> Any:
        """The position that this cursor leads to; None for no cursor. Raises `ledger.CursorInvalid`."""
        if cursor is None:
            return None
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise ledger.CursorInvalid(cursor=cursor[:20]) from None
        mac, plain = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        bound = self._bound(plain)
        if not any(hmac.compare_digest(mac, known[:_MAC_BYTES]) for known in self.vault.digests(_SCHEME, bound)):
            raise ledger.CursorInvalid(cursor=cursor[:20])
        return json.loads(plain)

    def _bound(self, plain: bytes) -> str:
        return f"{self.operation}\0{self.scope}\0{plain.hex()}"

    def page(self, rows: list[Any], limit: int, position: Any) -> tuple[list[Any], str | None]:
        """Of ``limit + 1`` rows the first ``limit``, and the cursor after them; ``position(row)`` says where a row stands."""
        if len(rows) <= limit:
            return rows, None
        return rows[:limit], self.write(position(rows[limit - 1]))
