"""Blind indexes: HMAC-SHA-256 under the city's key, cut to 16 bytes, apart for each purpose."""

import hmac
import re
import unicodedata

from carbonhui.privacy.refusals import IdentifierEmpty

KEY_BYTES = 32
#: 16 bytes: among 15 million identifiers two share an index with a chance below 10^-24.
INDEX_BYTES = 16
_BLOCK_BYTES = 64
_SCHEME = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,99}")


def blind_index(key: bytes, scheme: str, identifier: str) -> bytes:
    """The 16 bytes that stand for an identifier, for one purpose only.

    The scheme is part of the message, so that the same number as a card and as a
    phone gives two indexes that nobody can tie together. Full-width and other
    compatibility spellings are brought to one form first (NFKC) and surrounding
    spaces dropped, because one person must not become two by the keyboard used.

    Raises `IdentifierEmpty`.

    >>> key = bytes(32)
    >>> blind_index(key, "card", "１２３ ") == blind_index(key, "card", "123")
    True
    >>> blind_index(key, "card", "123") == blind_index(key, "phone", "123")
    False
    """
    assert len(key) == KEY_BYTES
    assert _SCHEME.fullmatch(scheme)
    plain = unicodedata.normalize("NFKC", identifier).strip()
    if not plain:
        raise IdentifierEmpty(scheme=scheme)
    # No scheme holds a zero byte, so no two pairs of scheme and identifier make one message.
    message = scheme.encode("ascii") + b"\0" + plain.encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, "sha256")[:INDEX_BYTES]


def blind_index_sql(identifier: str) -> str:
    """The same index as a DuckDB expression over a text already in its one form.

    Millions of act numbers are blinded in the engine; `sql_words` gives its parameters.
    """
    inner = f"unhex(sha256($blind_inner::BLOB || $blind_scheme::BLOB || encode({identifier})))"
    return f"unhex(left(sha256($blind_outer::BLOB || {inner}), {INDEX_BYTES * 2}))"


def sql_words(key: bytes, scheme: str) -> dict[str, bytes]:
    """The parameters of `blind_index_sql`: the two padded keys of HMAC (RFC 2104) and the scheme."""
    assert len(key) == KEY_BYTES
    assert _SCHEME.fullmatch(scheme)
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    return {
        "blind_inner": bytes(byte ^ 0x36 for byte in padded),
        "blind_outer": bytes(byte ^ 0x5C for byte in padded),
        "blind_scheme": scheme.encode("ascii") + b"\0",
    }
