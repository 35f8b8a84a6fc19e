"""One key, one effect, one answer (draft-ietf-httpapi-idempotency-key-header-07).

The lock on the key is taken before the work, the answer is entered with it in one
transaction, and the key is the table's primary key: whatever happens in between,
a key never has two effects. What was refused changed nothing and is not kept.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbonhui.api.refusals import IdempotencyKeyInvalid, IdempotencyKeyMissing, IdempotencyKeyReused, RequestRunning

KEPT = timedelta(days=7)
KEY_MAX = 128
#: The headers of a first answer that its repetition carries too.
REMEMBERED = ("Location", "ETag", "Content-Type", "Content-Language", "Content-Disposition")
_KEY = re.compile(rf"[A-Za-z0-9._:~+/=-]{{1,{KEY_MAX}}}", re.ASCII)
_DIGEST_BYTES = 32
_PURPOSE = "api_answer"


@dataclass(frozen=True)
class Told:
    """An answer as it was given: status, remembered headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Attempt:
    """One request under a key: by whom, and what it asks, both as digests."""

    id: bytes
    scope: str
    request: bytes

    @property
    def begin(self) -> bytes:
        """The statement that opens this attempt."""
        return b"SELECT api_begin(%s,%s)" % (_text(self.scope), _bytes(self.id))

    def end(self, sealed: bytes) -> bytes:
        """The statement that keeps its answer."""
        words = (_text(self.scope), _bytes(self.id), _bytes(self.request), _bytes(sealed))
        return b"SELECT api_keep(%s,%s,%s,%s);" % words

    @property
    def forget(self) -> bytes:
        """The statement that takes the kept answer back."""
        return b"DELETE FROM api_answer WHERE scope=%s AND id=%s;" % (_text(self.scope), _bytes(self.id))


def _bytes(given: bytes) -> bytes:
    return b"'\\x%s'" % given.hex().encode()


def _text(given: str) -> bytes:
    return b"convert_from(%s,'UTF8')" % _bytes(given.encode())


def checked_key(given: str | None) -> str:
    """The key without its quotation marks.

    Raises `IdempotencyKeyMissing`, `IdempotencyKeyInvalid`.

    >>> checked_key('"8e03978e-40d5"')
    '8e03978e-40d5'
    """
    if given is None:
        raise IdempotencyKeyMissing
    key = given[1:-1] if len(given) > 2 and given[0] == given[-1] == '"' else given
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid(longest=KEY_MAX)
    return key


def attempt_of(*, key: str, scope: str, method: str, target: str, body_digest: bytes) -> Attempt:
    """What the store knows of a request under a key."""
    named = hashlib.sha256(f"{scope}\0{key}".encode()).digest()
    asked = hashlib.sha256(f"{method}\0{target}\0".encode() + body_digest).digest()
    return Attempt(named, scope, asked)


def answer_before(vault: Any, attempt: Attempt, found: bytes | None) -> Told | None:
    """The answer that the same request was given before; None for a first request.

    Raises `RequestRunning`, `IdempotencyKeyReused`.
    """
    if found is None:
        return None
    # The statement came in the simple protocol, whose bytes are told in hexadecimal digits.
    stored = bytes.fromhex(found[2:].decode("ascii"))
    if not stored:
        raise RequestRunning
    if stored[:_DIGEST_BYTES] != attempt.request:
        raise IdempotencyKeyReused
    return _opened(vault.unwrap(_PURPOSE, stored[_DIGEST_BYTES:]))


def sealed(vault: Any, told: Told) -> bytes:
    """An answer as it is kept: nobody with the table alone can read it."""
    head = json.dumps([told.status, told.headers], separators=(",", ":")).encode()
    return bytes(vault.wrap(_PURPOSE, head + b"\n" + told.body))


def _opened(plain: bytes) -> Told:
    head, _, body = plain.partition(b"\n")
    status, headers = json.loads(head)
    return Told(status, headers, body)


def purge_answers(session: Session) -> int:
    """Forget answers older than seven days, and the rates of past minutes; how many answers went."""
    session.execute(text("DELETE FROM rate_lease WHERE minute < floor(extract(epoch FROM now()) / 60)"))
    gone = session.execute(text("DELETE FROM api_answer WHERE at < now() - :kept"), {"kept": KEPT})
    return int(gone.rowcount)  # type: ignore[attr-defined]


def forget_answers(session: Session, scope: str) -> int:
    """Forget every answer that this caller was given, for instance when a person is erased; how many went."""
    gone = session.execute(text("DELETE FROM api_answer WHERE scope = :scope"), {"scope": scope})
    return int(gone.rowcount)  # type: ignore[attr-defined]
