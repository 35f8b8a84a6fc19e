"""The ciphers and keyed hashes by name, international and Chinese (国密).

Every name is stored with what was made by it, so that a change of the setting
leaves everything readable. AES-256-GCM is NIST SP 800-38D; SM4-GCM is RFC 8998
over GB/T 32907; HMAC is RFC 2104 over SHA-256 or over SM3 (GB/T 32905).
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC

#: Every key that is kept, whatever it is for.
ROOT_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class Tampered(Exception):
    """What was sealed does not open: another key, another place, or changed bytes. It says nothing more."""


@dataclass(frozen=True)
class Suite:
    """What new things are made with under one setting of ``cryptography``."""

    cipher: str
    digest: str


SUITES = {
    "international": Suite(cipher="aes-256-gcm", digest="hmac-sha-256"),
    "guomi": Suite(cipher="sm4-gcm", digest="hmac-sm3"),
}


def _hmac_sha256(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _hmac_sm3(key: bytes, message: bytes) -> bytes:
    keyed = HMAC(key, hashes.SM3())
    keyed.update(message)
    return keyed.finalize()


def aes_256_gcm_seal(key: bytes, nonce: bytes, plain: bytes, about: bytes) -> bytes:
    """AES-256-GCM: the cipher text, then the tag."""
    return AESGCM(key).encrypt(nonce, plain, about)


def aes_256_gcm_open(key: bytes, nonce: bytes, sealed: bytes, about: bytes) -> bytes:
    """Raises `Tampered`."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, about)
    except InvalidTag:
        raise Tampered from None


def sm4_gcm_seal(key: bytes, nonce: bytes, plain: bytes, about: bytes) -> bytes:
    """SM4-GCM (RFC 8998, appendix A.1): the cipher text, then the tag."""
    sealing = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    sealing.authenticate_additional_data(about)
    return sealing.update(plain) + sealing.finalize() + sealing.tag


def sm4_gcm_open(key: bytes, nonce: bytes, sealed: bytes, about: bytes) -> bytes:
    """Nothing of the plain text leaves before the tag is found right. Raises `Tampered`."""
    if len(sealed) < TAG_BYTES:
        raise Tampered
    opening = Cipher(algorithms.SM4(key), modes.GCM(nonce, sealed[-TAG_BYTES:])).decryptor()
    opening.authenticate_additional_data(about)
    plain = opening.update(sealed[:-TAG_BYTES])
    try:
        return plain + opening.finalize()
    except InvalidTag:
        raise Tampered from None


_Work = Callable[[bytes, bytes, bytes, bytes], bytes]
_Digest = Callable[[bytes, bytes], bytes]

#: Bytes of the key, the hash that derives it, sealing, opening.
_CIPHERS: dict[str, tuple[int, _Digest, _Work, _Work]] = {
    "aes-256-gcm": (32, _hmac_sha256, aes_256_gcm_seal, aes_256_gcm_open),
    "sm4-gcm": (16, _hmac_sm3, sm4_gcm_seal, sm4_gcm_open),
}
_DIGESTS: dict[str, _Digest] = {"hmac-sha-256": _hmac_sha256, "hmac-sm3": _hmac_sm3}

CIPHERS = tuple(_CIPHERS)
DIGESTS = tuple(_DIGESTS)


def seal(cipher: str, root: bytes, plain: bytes, about: bytes) -> bytes:
    """A random nonce, the cipher text and the tag; it opens only with the same ``about``.

    No root key meets a cipher itself: each cipher has a key derived from it, so that
    one root may serve both (NIST SP 800-108, one block of counter mode).
    """
    length, derived, sealing, _ = _CIPHERS[cipher]
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + sealing(_derive(derived, root, cipher)[:length], nonce, plain, about)


def unseal(cipher: str, root: bytes, sealed: bytes, about: bytes) -> bytes:
    """What was sealed. Raises `Tampered`."""
    if cipher not in _CIPHERS or len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise Tampered
    length, derived, _, opening = _CIPHERS[cipher]
    return opening(_derive(derived, root, cipher)[:length], sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)


def digest(name: str, key: bytes, message: bytes) -> bytes:
    """The 32 bytes of a keyed hash."""
    return _DIGESTS[name](key, message)


def _derive(derived: _Digest, root: bytes, cipher: str) -> bytes:
    assert len(root) == ROOT_BYTES
    return derived(root, b"\0\0\0\1carbonhui seal\0" + cipher.encode("ascii"))
