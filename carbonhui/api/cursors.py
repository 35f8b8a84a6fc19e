"""Where a list goes on: opaque to the client, and good for one caller and one list only.

A position is mostly a row's number, and tells how many rows there are, so it is hidden
(the construction of RFC 5297, SIV): the tag is a keyed digest of the position, of the
caller and of the list, and the position is hidden under a keyed digest of the tag.
"""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from typing import Any

from carbonhui import ledger

_SCHEME = "api-cursor"
_TAG_BYTES = 16
#: Positions are filled up with spaces to a multiple of this, so that the length tells nothing of a number.
_STEP_BYTES = 16


@dataclass(frozen=True)
class Cursor:
    """Writes and reads the cursors of one operation for one caller."""

    vault: Any
    operation: str
    scope: str

    def write(self, position: Any) -> str:
        """A cursor that leads to this position: whole numbers, texts, or a list of them."""
        plain = json.dumps(position, separators=(",", ":")).encode()
        plain += b" " * (-len(plain) % _STEP_BYTES)
        tag = self.vault.digest(_SCHEME, self._bound(plain.hex()))[:_TAG_BYTES]
        return _written(tag + self._hidden(plain, tag, 0))

    def read(self, cursor: str | None) -> Any:
        """The position that this cursor leads to; None for no cursor. Raises `ledger.CursorInvalid`."""
        if cursor is None:
            return None
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise ledger.CursorInvalid(cursor=cursor[:20]) from None
        tag, hidden = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
        for version in range(len(self.vault.index_keys(_SCHEME))):
            plain = self._hidden(hidden, tag, version)
            known = self.vault.digests(_SCHEME, self._bound(plain.hex()))[version][:_TAG_BYTES]
            if hmac.compare_digest(tag, known) and _written(sealed) == cursor:
                return json.loads(plain)
        raise ledger.CursorInvalid(cursor=cursor[:20])

    def _hidden(self, text: bytes, tag: bytes, version: int) -> bytes:
        """A position under the digests of its tag by the key that is so many versions old; the same again brings it back."""
        said, pad = self._bound(f"#{tag.hex()}"), b""
        while len(pad) < len(text):
            pad += self.vault.digests(_SCHEME, f"{said} {len(pad)}")[version]
        return bytes(one ^ other for one, other in zip(text, pad, strict=False))

    def _bound(self, said: str) -> str:
        return f"{self.operation}\0{self.scope}\0{said}"

    def page(self, rows: list[Any], limit: int, position: Any) -> tuple[list[Any], str | None]:
        """Of ``limit + 1`` rows the first ``limit``, and the cursor after them; ``position(row)`` says where a row stands."""
        if len(rows) <= limit:
            return rows, None
        return rows[:limit], self.write(position(rows[limit - 1]))


def _written(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
