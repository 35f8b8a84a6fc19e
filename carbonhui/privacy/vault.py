"""The vault: all keys behind one object that shows none of them."""

import re
from pathlib import Path

from carbonhui.core.settings import Settings
from carbonhui.privacy import ciphers
from carbonhui.privacy.keepers import FileKeeper, KeyKeeper, Wrapped
from carbonhui.privacy.keyring import Key, Keyring, header, read_header
from carbonhui.privacy.keys import private_directory
from carbonhui.privacy.refusals import SealBroken

SCHEME = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,59}")
_SERVICE = "service"


class Vault:
    """Seals, opens and blinds. It holds no session, is cheap to keep, and many threads may use one."""

    def __init__(self, *, keeper: KeyKeeper, keyring: Keyring, suite: ciphers.Suite) -> None:
        self.keeper = keeper
        self.keyring = keyring
        self.suite = suite

    def __repr__(self) -> str:
        return f"Vault({self.suite.cipher}, {self.suite.digest})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a vault stays in its process")

    def wrap(self, purpose: str, plain: bytes) -> bytes:
        """A service's secret (a signing key, a TOTP seed), to be kept in that room's own table.

        It says itself how it was sealed, and opens for the same purpose only.
        """
        key = self.keyring.live(_SERVICE, self.suite.cipher)[0]
        before = header(self.suite.cipher, str(key.version))
        return before + ciphers.seal(self.suite.cipher, key.secret, plain, _about_service(before, purpose))

    def unwrap(self, purpose: str, wrapped: bytes) -> bytes:
        """What was wrapped for this purpose. Raises `SealBroken`, `KeyMissing`."""
        cipher, version, at = read_header(wrapped, purpose)
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise SealBroken(what=purpose)
        key = self.keyring.key(_SERVICE, int(version))
        try:
            return ciphers.unseal(cipher, key.secret, wrapped[at:], _about_service(wrapped[:at], purpose))
        except ciphers.Tampered:
            raise SealBroken(what=purpose) from None

    def renew(self, purpose: str, wrapped: bytes) -> bytes:
        """The same secret by the newest key and cipher; the same bytes when it is so already.

        Raises `SealBroken`, `KeyMissing`.
        """
        newest = header(self.suite.cipher, str(self.keyring.live(_SERVICE, self.suite.cipher)[0].version))
        return wrapped if wrapped.startswith(newest) else self.wrap(purpose, self.unwrap(purpose, wrapped))

    def digest(self, scheme: str, text: str) -> bytes:
        """The 32 bytes that stand for a text, for one purpose only, by its newest key."""
        return _blinded(self.index_keys(scheme)[0], text)

    def digests(self, scheme: str, text: str) -> list[bytes]:
        """The same by every live key, newest first: two while a key is being changed."""
        return [_blinded(key, text) for key in self.index_keys(scheme)]

    def versioned_digests(self, scheme: str, text: str) -> list[tuple[Key, bytes]]:
        """Each live key of a scheme with the digest that it gives, newest first."""
        return [(key, _blinded(key, text)) for key in self.index_keys(scheme)]

    def index_keys(self, scheme: str) -> list[Key]:
        """The live keys of a scheme, newest first; the first is made at the first use."""
        assert SCHEME.fullmatch(scheme)
        return self.keyring.live(f"index-{scheme}", self.suite.digest)

    def seal_key(self, subject: int, key: bytes) -> Wrapped:
        """A subject's data key under the key-encryption key."""
        return self.keeper.wrap(key, f"data_key|{subject}")

    def open_key(self, subject: int, wrapped: Wrapped) -> bytes:
        """Raises `SealBroken`, `KeyMissing`."""
        return self.keeper.unwrap(wrapped, f"data_key|{subject}")

    def seal_field(self, subject: int, field: str, key: bytes, text: str) -> bytes:
        """A field under the subject's data key, bound to its table, column, subject and cipher."""
        return ciphers.seal(self.suite.cipher, key, text.encode(), _about_field(subject, field, self.suite.cipher))

    def open_field(self, subject: int, field: str, key: bytes, cipher: str, sealed: bytes) -> str:
        """Raises `SealBroken`."""
        try:
            return ciphers.unseal(cipher, key, sealed, _about_field(subject, field, cipher)).decode()
        except ciphers.Tampered:
            raise SealBroken(what=f"{field} of subject {subject}") from None


def open_vault(settings: Settings, *, keeper: KeyKeeper | None = None) -> Vault:
    """The vault of these settings; keys that are missing are made in ``settings.keys``.

    ``keeper`` stands in for the key-encryption key in a file: a key management
    service, for instance.

    Raises `KeyDirectoryOpen`, `KeyFileOpen`, `KeyFileWrong`, `KeyFileUnreadable`.
    """
    directory: Path = private_directory(settings.keys)
    suite = ciphers.SUITES[settings.cryptography]
    kept = keeper or FileKeeper(directory, suite.cipher)
    kept.current()
    return Vault(keeper=kept, keyring=Keyring(directory, kept), suite=suite)


def _blinded(key: Key, text: str) -> bytes:
    # Each key serves one scheme, so the scheme is in the key and the message is the text alone.
    return ciphers.digest(key.algorithm, key.secret, text.encode("utf-8", "surrogatepass"))


def _about_service(before: bytes, purpose: str) -> bytes:
    return before + b"service|" + purpose.encode()


def _about_field(subject: int, field: str, cipher: str) -> bytes:
    return f"personal_field|{field}|{subject}|{cipher}".encode()
