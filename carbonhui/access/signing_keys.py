"""The keys that sign access tokens: one signs at a time, its successor is published before it does."""

import base64
import secrets
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.access.tokens import ALGORITHM, SKEW_SECONDS, TOKEN_SECONDS, SigningKey
from carbonhui.core.clock import Clock, SystemClock
from carbonhui.core.database import connection_of

#: How long a new key is published before it signs: longer than anybody keeps a copy of the published keys.
PUBLISHED_BEFORE = timedelta(hours=1)
#: How long a key is believed after it stopped signing: until its last token has expired.
BELIEVED_AFTER = timedelta(seconds=TOKEN_SECONDS + SKEW_SECONDS)


def rotate_signing_key(session: Session, vault: privacy.Vault, *, clock: Clock, leaked: bool = False) -> str:
    """Let a new key sign from an hour from now on; its name.

    A key that waits for its hour already is told instead of making another. Of a
    leaked key nothing is believed any more: the new one signs at once, and everybody
    has to fetch a new access token.
    """
    connection, now = connection_of(session), clock.now()
    _one_at_a_time(session)
    if leaked:
        connection.execute("UPDATE signing_key SET distrusted_at = %s WHERE distrusted_at IS NULL", (now,))
        return _make(session, vault, now, now)
    waiting = connection.execute(
        "SELECT kid FROM signing_key WHERE active_from > %s AND distrusted_at IS NULL", (now,)
    ).fetchone()
    if waiting is not None:
        return str(waiting[0])
    if _signing(session, now) is None:
        return _make(session, vault, now, now)
    begins = now + PUBLISHED_BEFORE
    connection.execute(
        "UPDATE signing_key SET retires_at = %s WHERE retires_at IS NULL AND distrusted_at IS NULL", (begins,)
    )
    return _make(session, vault, now, begins)


def jwks(session: Session, *, clock: Clock | None = None) -> dict[str, list[dict[str, str | list[str]]]]:
    """Every key that a token of ours may be signed by, now or within the hour (RFC 7517)."""
    return {
        "keys": [
            _jwk(public) | {"use": "sig", "alg": ALGORITHM, "kid": kid}
            for kid, public in _published(session, (clock or SystemClock()).now())
        ]
    }


def verifying_keys(session: Session, now: datetime) -> dict[str, OKPKey]:
    """The published keys by their names, to verify with."""
    return {
        kid: OKPKey.import_key(_jwk(public)) for kid, public in _published(session, now)
    }


def signing_key(session: Session, vault: privacy.Vault, now: datetime) -> SigningKey:
    """The key that signs now; the first one is made when there is none."""
    row = _signing(session, now)
    if row is None:
        _one_at_a_time(session)
        if _signing(session, now) is None:
            _make(session, vault, now, now)
        row = _signing(session, now)
    assert row is not None
    kid, public, wrapped = row
    words = _jwk(public) | {"d": _base64url(vault.unwrap(_purpose(kid), wrapped))}
    return SigningKey(kid, OKPKey.import_key(words))


def forget_retired_keys(session: Session, now: datetime) -> None:
    """What signs no more needs no private key."""
    connection_of(session).execute(
        "UPDATE signing_key SET wrapped = NULL WHERE wrapped IS NOT NULL AND (retires_at <= %(now)s OR distrusted_at <= %(now)s)",
        {"now": now},
    )


def _signing(session: Session, now: datetime) -> tuple[str, bytes, bytes] | None:
    return connection_of(session).execute(
        """SELECT kid, public, wrapped FROM signing_key
           WHERE active_from <= %(now)s AND (retires_at IS NULL OR retires_at > %(now)s) AND distrusted_at IS NULL""",
        {"now": now},
    ).fetchone()  # fmt: skip


def _published(session: Session, now: datetime) -> list[tuple[str, bytes]]:
    return connection_of(session).execute(
        """SELECT kid, public FROM signing_key
           WHERE distrusted_at IS NULL AND (retires_at IS NULL OR retires_at > %s) ORDER BY active_from""",
        (now - BELIEVED_AFTER,),
    ).fetchall()  # fmt: skip


def _make(session: Session, vault: privacy.Vault, now: datetime, begins: datetime) -> str:
    key, kid = Ed25519PrivateKey.generate(), secrets.token_hex(8)
    connection_of(session).execute(
        "INSERT INTO signing_key (kid, public, wrapped, made_at, active_from) VALUES (%s, %s, %s, %s, %s)",
        (kid, key.public_key().public_bytes_raw(), vault.wrap(_purpose(kid), key.private_bytes_raw()), now, begins),
    )
    return kid


def _purpose(kid: str) -> str:
    return f"signing-key-{kid}"


def _one_at_a_time(session: Session) -> None:
    connection_of(session).execute("SELECT pg_advisory_xact_lock(440113, 2)")


def _jwk(public: bytes) -> dict[str, str | list[str]]:
    return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(public)}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
