"""Requests signed by their sender (RFC 9421), with the body's digest under the signature (RFC 9530)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import http_sf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    VerifyResult,
    algorithms,
)

from carbonhui.access.callers import SignedRequest
from carbonhui.access.refusals import SignatureInvalid

#: How far a signature's time may lie from the server's.
WINDOW = timedelta(seconds=300)
NONCE_SHORTEST, NONCE_LONGEST = 16, 128
#: What honest signatures need many times over; reading stops here.
FIELD_LONGEST = 4096

ALGORITHMS: dict[str, type[HTTPSignatureAlgorithm]] = {
    "ed25519": algorithms.ED25519,
    "hmac-sha256": algorithms.HMAC_SHA256,
}

_UNREADABLE = (
    "Signature-Input and Signature have to hold one readable signature with keyid, created and nonce",
    "Signature-Input 与 Signature 须含一个可读取的签名,并带有 keyid、created 与 nonce",
)
_TIME = (
    f"created has to lie within {WINDOW.seconds} seconds of the server's time, and expires may not have passed",
    f"created 与服务器时间相差不得超过 {WINDOW.seconds} 秒,且 expires 未过期",
)
_NONCE = (
    f"the nonce has to have {NONCE_SHORTEST} to {NONCE_LONGEST} visible characters",
    f"nonce 须为 {NONCE_SHORTEST} 至 {NONCE_LONGEST} 个可见字符",
)
_COMPONENTS = (
    "it has to cover @method, @target-uri (or @path and @query) and, with a body, content-digest",
    "签名须覆盖 @method、@target-uri(或 @path 与 @query),有正文时还须覆盖 content-digest",
)
_DIGEST = ("Content-Digest does not fit the body", "Content-Digest 与正文不符")
_WRONG = ("the key holds no longer, or the signature is wrong", "密钥已失效,或签名有误")


def unacceptable(reason: tuple[str, str]) -> SignatureInvalid:
    return SignatureInvalid(reason=reason[0], reason_zh=reason[1])


def wrong_signature() -> SignatureInvalid:
    """One answer for an unknown key, a revoked one, a suspended owner and a wrong signature."""
    return unacceptable(_WRONG)


@dataclass(frozen=True)
class Claimed:
    """What a signature says of itself, before it is believed."""

    key_id: str
    nonce: str = field(repr=False)
    created: datetime


def read_claims(request: SignedRequest, now: datetime) -> Claimed:
    """The key, the nonce and the time of a request's one signature, when its form is acceptable.

    Nothing here is proven yet; it costs no look into the store. Raises `SignatureInvalid`.
    """
    covered, parameters = _only_signature(request)
    key_id, nonce, created = (parameters.get(name) for name in ("keyid", "nonce", "created"))
    if not (isinstance(key_id, str) and isinstance(nonce, str) and type(created) is int):
        raise unacceptable(_UNREADABLE)
    if not _is_now(created, parameters.get("expires"), now):
        raise unacceptable(_TIME)
    if not (NONCE_SHORTEST <= len(nonce) <= NONCE_LONGEST and all("!" <= char <= "~" for char in nonce)):
        raise unacceptable(_NONCE)
    if not _covers_enough(covered, with_body=bool(request.body) or _announces_body(request)):
        raise unacceptable(_COMPONENTS)
    return Claimed(key_id, nonce, datetime.fromtimestamp(created, tz=now.tzinfo))


def check_signature(request: SignedRequest, algorithm: str, key: bytes | Ed25519PublicKey, now: datetime) -> VerifyResult:
    """What the signature covers, when it was made over this very request by the holder of this key.

    The algorithm is the key's; a signature that names another is refused. Raises `SignatureInvalid`.
    """
    verifier = _Verifier(ALGORITHMS[algorithm], key, now)
    message = _Message(request)
    try:
        [found] = verifier.verify(message, max_age=None)
    except HTTPMessageSignaturesException:
        raise wrong_signature() from None
    try:
        verifier.verify_body(message, [found], request.body)
    except HTTPMessageSignaturesException:
        raise unacceptable(_DIGEST) from None
    return found


def _only_signature(request: SignedRequest) -> tuple[list[tuple[str, bool]], dict[str, Any]]:
    """The covered components, each with whether it carries parameters, and the parameters of the one signature."""
    value = _field(request.headers, "signature-input")
    if not 0 < len(value) <= FIELD_LONGEST or len(_field(request.headers, "signature")) > FIELD_LONGEST:
        raise unacceptable(_UNREADABLE)
    try:
        parsed: Any = http_sf.parse(value.encode("ascii"), tltype="dictionary")
        [(components, parameters)] = parsed.values()
        covered = [(name, bool(details)) for name, details in components]
    except (ValueError, TypeError):
        # The parser's own errors are ValueErrors, as is another number of signatures than one.
        raise unacceptable(_UNREADABLE) from None
    return covered, dict(parameters)


def _is_now(created: int, expires: object, now: datetime) -> bool:
    seconds = now.timestamp()
    if abs(seconds - created) > WINDOW.total_seconds():
        return False
    return expires is None or (type(expires) is int and expires > seconds)


def _covers_enough(covered: Iterable[tuple[str, bool]], *, with_body: bool) -> bool:
    """A component with parameters is a part of the thing or another thing, and does not count."""
    whole = {name for name, has_parameters in covered if not has_parameters}
    return (
        "@method" in whole
        and ("@target-uri" in whole or {"@path", "@query"} <= whole)
        and ("content-digest" in whole or not with_body)
    )


def _announces_body(request: SignedRequest) -> bool:
    """A body that was not handed over to be verified must not slip in unsigned."""
    length = _field(request.headers, "content-length").strip()
    return length not in ("", "0") or bool(_field(request.headers, "transfer-encoding"))


def _field(headers: Iterable[tuple[str, str]], name: str) -> str:
    return ", ".join(value for given, value in headers if given.lower() == name)


class _Headers:
    """Header lines in the manner that the library reads them."""

    def __init__(self, lines: tuple[tuple[str, str], ...]) -> None:
        self._lines = lines

    def items(self) -> tuple[tuple[str, str], ...]:
        return self._lines


class _Message:
    def __init__(self, request: SignedRequest) -> None:
        self.method, self.url, self.headers = request.method, request.url, _Headers(request.headers)


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, key: bytes | Ed25519PublicKey) -> None:
        self._key = key

    def resolve_public_key(self, key_id: str) -> bytes | Ed25519PublicKey:
        return self._key


class _Verifier(HTTPMessageVerifier):
    """The library's verifier, with the house's clock in place of the machine's."""

    def __init__(self, algorithm: type[HTTPSignatureAlgorithm], key: bytes | Ed25519PublicKey, now: datetime) -> None:
        super().__init__(signature_algorithm=algorithm, key_resolver=_OneKey(key))
        self._now = now

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        created, expires = sig_input.params.get("created"), sig_input.params.get("expires")
        if type(created) is not int or not _is_now(created, expires, self._now):
            raise InvalidSignature("the signature is not of now")
