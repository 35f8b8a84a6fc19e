"""A client of our own making, which signs requests with nothing but RFC 9421's own words and a key.

It shares no code with what verifies, so that both cannot be wrong alike.
"""

import base64
import hashlib
import hmac
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonhui.access import SignedRequest

_NONCES = itertools.count()
ALL = ("@method", "@target-uri", "content-digest")


def digest_of(body: bytes, name: str = "sha-256") -> str:
    hashed = hashlib.new(name.replace("-", ""), body).digest()
    return f"{name}=:{base64.b64encode(hashed).decode()}:"


@dataclass
class Client:
    """An organisation's server with its key."""

    key_id: str
    sign: Callable[[bytes], bytes] = field(repr=False)
    alg: str | None = None

    def request(
        self, url: str, *, at: datetime | None = None, method: str = "POST", body: bytes = b'{"acts": []}',
        covers: Iterable[str] = ALL, digest: str | None = "right", label: str = "sig1", before: str = "", **words: Any,
    ) -> SignedRequest:  # fmt: skip
        headers = {"Host": urlsplit(url).netloc, "Content-Type": "application/json"}
        if digest is not None and body:
            headers["Content-Digest"] = digest_of(body) if digest == "right" else digest
        covered = [name for name in covers if name != "content-digest" or body]
        created = None if at is None else int(at.timestamp())
        parameters = {"created": created, "keyid": self.key_id, "nonce": f"nonce-{next(_NONCES):020}", "alg": self.alg} | words
        listed = " ".join(_named(name) for name in covered)
        told = "".join(f";{name}={_item(value)}" for name, value in parameters.items() if value is not None)
        inputs = f"({listed}){told}"
        lines = [f'{_named(name)}: {_component(name, method, url, headers)}' for name in covered]
        base = "\n".join([*lines, f'"@signature-params": {inputs}'])
        signature = base64.b64encode(self.sign(base.encode())).decode()
        headers |= {"Signature-Input": f"{before}{label}={inputs}", "Signature": f"{label}=:{signature}:"}
        return SignedRequest(method=method, url=url, headers=tuple(headers.items()), body=body)


def _named(name: str) -> str:
    """``content-digest;key=sha-256`` is a component with a parameter."""
    plain, _, parameter = name.partition(";")
    key, _, value = parameter.partition("=")
    return f'"{plain}"' + (f';{key}="{value}"' if parameter else "")


def _component(name: str, method: str, url: str, headers: dict[str, str]) -> str:
    parts = urlsplit(url)
    after = url.partition("://")[2].partition("/")[2]
    path, mark, query = ("/" + after).partition("?")
    known = {"@method": method, "@target-uri": url, "@path": path, "@query": "?" + query, "@authority": parts.netloc.lower()}
    if name in known:
        return known[name]
    if name == "content-digest;key=sha-256":
        return headers["Content-Digest"].removeprefix("sha-256=")
    return {given.lower(): value for given, value in headers.items()}.get(name, "")


def _item(value: Any) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def with_ed25519(key_id: str, key: Ed25519PrivateKey, **words: Any) -> Client:
    return Client(key_id, key.sign, **words)


def with_hmac(key_id: str, secret: str, **words: Any) -> Client:
    raw = base64.b64decode(secret)
    return Client(key_id, lambda base: hmac.digest(raw, base, "sha256"), **words)


def changed(request: SignedRequest, **headers: str | None) -> SignedRequest:
    """The same request with header lines that somebody changed on the way; None takes one away."""
    kept = [(name, value) for name, value in request.headers if name.lower().replace("-", "_") not in headers]
    new = [(name.replace("_", "-"), value) for name, value in headers.items() if value is not None]
    return replace(request, headers=(*kept, *new))
