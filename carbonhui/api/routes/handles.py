"""Rows' numbers as handles: whoever holds one learns neither how many rows there are nor which came before.

A row that has no handle of its own in the store gets one by deterministic
authenticated encryption (the construction of RFC 5297, SIV, in 128 bits): the number
is hidden under a keyed digest of a tag, and the tag is a keyed digest of the number.
The result is a UUID of version 8 (RFC 9562). Nobody makes one up.
"""

from uuid import UUID

from carbonhui import privacy

_SCHEME = "api-handle"
_TAG_BITS, _NUMBER_BITS = 60, 62
_NUMBER_MAX = 1 << _NUMBER_BITS


def handle_of(vault: privacy.Vault, kind: str, number: int) -> UUID:
    """The handle of the row of this kind with this number; always the same while the key is."""
    assert 0 <= number < _NUMBER_MAX
    tag = _bits(vault.digest(_SCHEME, f"{kind} {number}"), _TAG_BITS)
    hidden = number ^ _bits(vault.digest(_SCHEME, f"{kind}#{tag}"), _NUMBER_BITS)
    return UUID(int=tag >> 12 << 80 | 8 << 76 | (tag & 0xFFF) << 64 | 2 << 62 | hidden)


def number_of(vault: privacy.Vault, kind: str, handle: UUID) -> int | None:
    """The number behind a handle of this kind; None for a handle that was not given out for this kind."""
    tag = handle.int >> 80 << 12 | handle.int >> 64 & 0xFFF
    hidden = handle.int & (_NUMBER_MAX - 1)
    for version, pad in enumerate(vault.digests(_SCHEME, f"{kind}#{tag}")):
        number = hidden ^ _bits(pad, _NUMBER_BITS)
        if _bits(vault.digests(_SCHEME, f"{kind} {number}")[version], _TAG_BITS) == tag:
            return number
    return None


def _bits(digest: bytes, count: int) -> int:
    return int.from_bytes(digest[:8], "big") >> 64 - count
