"""Who keeps the key-encryption key: a file on this machine, or a key management service in its place."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from carbonhui.privacy import ciphers
from carbonhui.privacy.keys import is_settled, load_key, load_or_make_key, make_file
from carbonhui.privacy.refusals import KeyMissing, SealBroken

_KEK_FILE = re.compile(r"kek-([1-9][0-9]{0,8})\.key")


@dataclass(frozen=True)
class Wrapped:
    """A key under a key: by which key-encryption key, and how."""

    kek: str
    algorithm: str
    sealed: bytes


class KeyKeeper(Protocol):
    """Wraps keys and unwraps them; its own key never leaves it.

    ``context`` says whose key it is. What was wrapped in one context is refused in
    another, so that nobody can give a person another person's key.
    """

    def current(self) -> str:
        """The name of the key that wraps from now on."""
        ...

    def wrap(self, key: bytes, context: str) -> Wrapped: ...

    def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Raises `KeyMissing`, `SealBroken`."""
        ...


class FileKeeper:
    """Key-encryption keys in files ``kek-1.key``, ``kek-2.key``, ... ; the last one wraps.

    A key's name ends with a fingerprint of it, so that another file of the same
    number is noticed before anything is tried with it.
    """

    def __init__(self, directory: Path, cipher: str) -> None:
        self._directory = directory
        self._cipher = cipher
        self._known: dict[str, bytes] = {}
        #: When the directory last changed, and which key was the last one then.
        self._latest = (-1, "")
        if not self.numbers():
            load_or_make_key(self._path(1))

    def __repr__(self) -> str:
        return f"FileKeeper({str(self._directory)!r})"

    def current(self) -> str:
        changed = self._directory.stat().st_mtime_ns
        if self._latest[0] != changed:
            name = self.name_of(max(self.numbers(), default=1))
            self._latest = (changed if is_settled(changed) else -1, name)
            return name
        return self._latest[1]

    def wrap(self, key: bytes, context: str) -> Wrapped:
        kek = self.current()
        return Wrapped(kek, self._cipher, ciphers.seal(self._cipher, self._key(kek), key, _about(kek, context)))

    def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        key = self._key(wrapped.kek)
        try:
            return ciphers.unseal(wrapped.algorithm, key, wrapped.sealed, _about(wrapped.kek, context))
        except ciphers.Tampered:
            raise SealBroken(what=context) from None

    def numbers(self) -> list[int]:
        """The numbers of the keys that are here."""
        found = (_KEK_FILE.fullmatch(path.name) for path in self._directory.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def name_of(self, number: int) -> str:
        """The name of the key in this file. Raises what `load_key` raises."""
        key = load_key(self._path(number))
        name = f"{number}.{hashlib.sha256(b'carbonhui kek' + key).hexdigest()[:8]}"
        self._known[name] = key
        return name

    def make_next(self) -> str:
        """A new key beside the others; from now on it wraps."""
        number = max(self.numbers(), default=0) + 1
        make_file(self._path(number), secrets.token_bytes(ciphers.ROOT_BYTES))
        return self.name_of(number)

    def remove(self, name: str) -> None:
        """Destroy the file of a key that wraps nothing any more."""
        number = int(name.partition(".")[0])
        assert self.name_of(number) == name
        self._path(number).unlink()
        self._known.pop(name)

    def _key(self, name: str) -> bytes:
        if name not in self._known:
            number = name.partition(".")[0]
            if not (number.isascii() and number.isdigit()) or int(number) not in self.numbers() or self.name_of(int(number)) != name:
                raise KeyMissing(key=f"kek {name}", place=self._directory)
        return self._known[name]

    def _path(self, number: int) -> Path:
        return self._directory / f"kek-{number}.key"


def _about(kek: str, context: str) -> bytes:
    return f"kek|{kek}|{context}".encode()
