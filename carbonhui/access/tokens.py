"""Access tokens: who a person is and on which device, for ten minutes (RFC 9068, RFC 9864)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import CompactSignature

from carbonhui.access.refusals import NotSignedIn, TokenExpired

TOKEN_SECONDS = 600
#: How far the clocks of two of our own machines may lie apart.
SKEW_SECONDS = 60
TOKEN_LONGEST = 2048
#: The only algorithm: what a token says of itself chooses nothing.
ALGORITHM = "Ed25519"
TYPE = "at+jwt"
CLIENT = "carbonhui"


@dataclass(frozen=True)
class TokenWords:
    """What a token says, once it is believed."""

    person: UUID
    device: UUID
    expires_at: datetime


@dataclass(frozen=True)
class SigningKey:
    """A private key under its public name."""

    kid: str
    key: OKPKey = field(repr=False)


def make_token(signing: SigningKey, *, issuer: str, person: UUID, device: UUID, now: datetime) -> str:
    """A token of this person on this device, from now on for ten minutes."""
    begins = int(now.timestamp())
    claims = {
        "iss": issuer, "aud": issuer, "sub": str(person), "sid": str(device), "client_id": CLIENT,
        "iat": begins, "exp": begins + TOKEN_SECONDS, "jti": secrets.token_hex(16),
    }  # fmt: skip
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": signing.kid}
    return jwt.encode(header, claims, signing.key, algorithms=[ALGORITHM])


def read_token(token: str, keys: Mapping[str, OKPKey], *, issuer: str, now: datetime) -> TokenWords:
    """What a token says, when one of these keys signed it for us and it holds now.

    Raises `TokenExpired` when time alone is against it, `NotSignedIn` for everything else.
    """
    if len(token) > TOKEN_LONGEST or not token.isascii():
        raise NotSignedIn()

    def key_of(found: CompactSignature) -> OKPKey:
        header = found.headers()
        if header.keys() != {"alg", "typ", "kid"} or header["typ"] != TYPE or header["kid"] not in keys:
            raise NotSignedIn()
        return keys[header["kid"]]

    try:
        claims = jwt.decode(token, key_of, algorithms=[ALGORITHM]).claims  # type: ignore[arg-type]
        return _believed(claims, issuer=issuer, now=now)
    except (JoseError, ValueError, TypeError, KeyError):
        # Not "from error": the token hangs on it.
        raise NotSignedIn() from None


def _believed(claims: dict[str, object], *, issuer: str, now: datetime) -> TokenWords:
    begins, ends, seconds = claims["iat"], claims["exp"], now.timestamp()
    if claims["iss"] != issuer or claims["aud"] != issuer or type(begins) is not int or type(ends) is not int:
        raise NotSignedIn()
    if begins > seconds + SKEW_SECONDS or not 0 < ends - begins <= TOKEN_SECONDS:
        raise NotSignedIn()
    words = TokenWords(UUID(str(claims["sub"])), UUID(str(claims["sid"])), datetime.fromtimestamp(ends, tz=now.tzinfo))
    if ends <= seconds:
        raise TokenExpired()
    return words
