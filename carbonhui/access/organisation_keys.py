"""Organisations' keys, and the requests that they sign (Articles 12, 13; RFC 9421)."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy.orm import Session

from carbonhui import participants, privacy
from carbonhui.access.callers import Caller, SignedRequest
from carbonhui.access.refusals import ApiKeyUnknown, ApiKeyWrong, SignatureReplayed
from carbonhui.access.signatures import WINDOW, Claimed, check_signature, read_claims, wrong_signature
from carbonhui.core.clock import Clock
from carbonhui.core.database import connection_of

Algorithm = Literal["ed25519", "hmac-sha256"]
SECRET_BYTES = 32
LABEL_LONGEST = 60
#: Longer than a signature can be fresh, whichever of two clocks is ahead.
REMEMBERED = 2 * WINDOW + timedelta(minutes=1)

_NO_PUBLIC = ("an ed25519 key needs the public half, in PEM or as base64 of 32 bytes", "ed25519 密钥须提供公钥(PEM 或 32 字节的 base64)")
_NO_NEED = ("the secret of an hmac-sha256 key is made here and not given", "hmac-sha256 密钥由平台生成,无需提供")
_TAKEN = ("this public key is registered already", "该公钥已登记")


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A new key by its name; a shared secret is shown this once, in base64."""

    key_id: str
    secret_once: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ApiKeyTold:
    """What is told of a key afterwards."""

    key_id: str
    organisation_id: int
    algorithm: str
    label: str
    made_at: datetime
    revoked_at: datetime | None


def issue_api_key(
    session: Session, vault: privacy.Vault, *, organisation: int, algorithm: Algorithm, label: str, clock: Clock,
    public_key: str | None = None,
) -> ApiKey:  # fmt: skip
    """A key by which an approved organisation signs its requests.

    Of an ed25519 key only the public half ever comes here; an HMAC secret is made here,
    shown once and kept wrapped. Raises `participants.OrganisationNotApproved`, `ApiKeyWrong`,
    `privacy.TextRefused` for the label.
    """
    label = privacy.clean_text(label, field="label", longest=LABEL_LONGEST)
    participants.require_approved(session, organisation)
    key_id = f"ck_{secrets.token_hex(10)}"
    public, secret, wrapped = None, None, None
    if algorithm == "ed25519":
        public = _public_bytes(public_key)
        _refuse_taken(session, public)
    else:
        if public_key is not None:
            raise ApiKeyWrong(reason=_NO_NEED[0], reason_zh=_NO_NEED[1])
        secret = secrets.token_bytes(SECRET_BYTES)
        wrapped = vault.wrap(_purpose(key_id), secret)
    connection_of(session).execute(
        "INSERT INTO api_key (key_id, organisation_id, algorithm, public, wrapped, label, made_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (key_id, organisation, algorithm, public, wrapped, label, clock.now()),
    )
    return ApiKey(key_id=key_id, secret_once=None if secret is None else base64.b64encode(secret).decode())


def revoke_api_key(session: Session, key_id: str, *, clock: Clock, organisation: int | None = None) -> None:
    """From now on nothing that this key signs is believed; of one organisation only, when it is named.

    Raises `ApiKeyUnknown`, for a revoked key and for another organisation's too.
    """
    row = connection_of(session).execute(
        """UPDATE api_key SET revoked_at = greatest(%(now)s, made_at)
           WHERE key_id = %(key)s AND revoked_at IS NULL AND (%(of)s::bigint IS NULL OR organisation_id = %(of)s) RETURNING id""",
        {"now": clock.now(), "key": key_id, "of": organisation},
    ).fetchone()
    if row is None:
        raise ApiKeyUnknown(key=ascii(key_id)[1:-1][:40])


def api_keys_of(session: Session, organisation: int) -> list[ApiKeyTold]:
    """An organisation's keys, revoked ones too, oldest first."""
    rows = connection_of(session).execute(
        """SELECT key_id, organisation_id, algorithm, label, made_at, revoked_at FROM api_key
           WHERE organisation_id = %s ORDER BY id""",
        (organisation,),
    )
    return [
        ApiKeyTold(key_id=row[0], organisation_id=row[1], algorithm=row[2], label=row[3], made_at=row[4], revoked_at=row[5])
        for row in rows
    ]


def verify_signed(session: Session, vault: privacy.Vault, request: SignedRequest, *, clock: Clock) -> Caller:
    """The organisation that signed this request, which nobody sent before (RFC 9421).

    The signature covers @method, @target-uri (or @path and @query) and, with a body,
    content-digest; it was created within 300 seconds and has a nonce of its own. The
    nonce is entered in this transaction, so a face commits it before it does anything
    else; nothing else is written. Raises `SignatureInvalid`, `SignatureReplayed`.
    """
    now = clock.now()
    claimed = read_claims(request, now)
    row = connection_of(session).execute(_LIVE_KEY, (claimed.key_id,), prepare=True).fetchone()
    if row is None:
        raise wrong_signature()
    number, algorithm, public, wrapped, organisation, kind = row
    key = Ed25519PublicKey.from_public_bytes(public) if public else vault.unwrap(_purpose(claimed.key_id), wrapped)
    check_signature(request, algorithm, key, now)
    _enter_nonce(session, number, claimed, now)
    return Caller(
        kind="organisation", roles=frozenset({f"organisation:{kind}"}), scope=f"organisation:{organisation}",
        organisation_id=organisation, organisation_kind=kind, key_id=claimed.key_id,
    )  # fmt: skip


_LIVE_KEY = """
SELECT k.id, k.algorithm, k.public, k.wrapped, o.id, o.kind
FROM api_key k JOIN organisation o ON o.id = k.organisation_id
WHERE k.key_id = %s AND k.revoked_at IS NULL AND o.state = 'approved'
"""


def _enter_nonce(session: Session, key: int, claimed: Claimed, now: datetime) -> None:
    """Entered first and never looked for: of two at once the store lets one in."""
    entered = connection_of(session).execute(
        "INSERT INTO request_nonce (key_id, digest, expires_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING key_id",
        (key, hashlib.sha256(claimed.nonce.encode()).digest(), max(now, claimed.created) + REMEMBERED),
        prepare=True,
    ).fetchone()
    if entered is None:
        raise SignatureReplayed()


def _public_bytes(given: str | None) -> bytes:
    """The 32 bytes of a public key in PEM or base64. Raises `ApiKeyWrong`."""
    try:
        if given is None or len(given) > 1000:
            raise ValueError
        if given.lstrip().startswith("-----BEGIN"):
            key = load_pem_public_key(given.encode())
        else:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(given.strip(), validate=True))
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError
    except (ValueError, UnsupportedAlgorithm):
        raise ApiKeyWrong(reason=_NO_PUBLIC[0], reason_zh=_NO_PUBLIC[1]) from None
    return key.public_bytes_raw()


def _refuse_taken(session: Session, public: bytes) -> None:
    # Two who bring one key at once are held apart by the store's constraint.
    if connection_of(session).execute("SELECT 1 FROM api_key WHERE public = %s", (public,)).fetchone():
        raise ApiKeyWrong(reason=_TAKEN[0], reason_zh=_TAKEN[1])


def _purpose(key_id: str) -> str:
    return f"api-key-{key_id}"
