"""The product's own keys, each in a file and wrapped by the key-encryption key.

Blind indexes have one key for each scheme (``index-mobile-1.key``), the secrets of
services one for all (``service-1.key``). Whoever steals the files without the
key-encryption key has nothing.
"""

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from carbonhui.privacy import ciphers
from carbonhui.privacy.keepers import KeyKeeper, Wrapped
from carbonhui.privacy.keys import is_settled, load_file, make_file
from carbonhui.privacy.refusals import KeyMissing, SealBroken

_FILE = re.compile(r"((?:index|service)(?:-[a-z0-9_.:-]+)?)-([1-9][0-9]{0,8})\.key")
#: The first byte of everything that says itself how it was sealed.
_FORM = 1


@dataclass(frozen=True)
class Key:
    """One version of a key and what it is used with; it never shows its bytes."""

    name: str
    version: int
    algorithm: str
    secret: bytes = field(repr=False)


class Keyring:
    """The wrapped keys of one directory. Files that others add or remove are noticed at the next use."""

    def __init__(self, directory: Path, keeper: KeyKeeper) -> None:
        self._directory = directory
        self._keeper = keeper
        self._seen = -1
        self._versions: dict[str, list[int]] = {}
        self._known: dict[tuple[str, int], Key] = {}

    def live(self, name: str, algorithm: str) -> list[Key]:
        """Every version of this key that is here, newest first; the first is made when there is none."""
        versions = self.versions(name)
        if not versions:
            self.make(name, 1, algorithm)
            versions = self.versions(name)
        return [self.key(name, version) for version in versions]

    def versions(self, name: str) -> list[int]:
        """Which versions of a key are here, newest first."""
        changed = self._directory.stat().st_mtime_ns
        if changed != self._seen:
            self._versions = self._listed()
            self._seen = changed if is_settled(changed) else -1
        return self._versions.get(name, [])

    def names(self) -> list[tuple[str, int]]:
        """Every key and version that is here."""
        return sorted((name, version) for name, versions in self._listed().items() for version in versions)

    def key(self, name: str, version: int) -> Key:
        """Raises `KeyMissing`, `SealBroken`."""
        known = self._known.get((name, version))
        if known is None:
            if version not in self.versions(name):
                raise KeyMissing(key=f"{name} {version}", place=self._directory)
            known = self._known[name, version] = self._load(name, version)
        return known

    def make(self, name: str, version: int, algorithm: str) -> None:
        """A new random key of this name, unless it is there."""
        content = algorithm.encode() + b"\0" + secrets.token_bytes(ciphers.ROOT_BYTES)
        make_file(self._path(name, version), self._wrapped(name, version, content))
        self._seen = -1

    def remove(self, name: str, version: int) -> None:
        """Destroy the file of a version that nothing uses any more."""
        self._path(name, version).unlink()
        self._known.pop((name, version), None)
        self._seen = -1

    def rewrap(self) -> int:
        """Put every key under the current key-encryption key; how many were under another."""
        current, count = self._keeper.current(), 0
        for name, version in self.names():
            wrapped, context = self._read(name, version), f"{name}-{version}"
            if wrapped.kek != current:
                content = self._keeper.unwrap(wrapped, context)
                make_file(self._path(name, version), self._wrapped(name, version, content), anew=True)
                count += 1
        return count

    def wrapped_by(self, kek: str) -> int:
        """How many key files need this key-encryption key."""
        return sum(self._read(name, version).kek == kek for name, version in self.names())

    def _load(self, name: str, version: int) -> Key:
        content = self._keeper.unwrap(self._read(name, version), f"{name}-{version}")
        algorithm, _, secret = content.partition(b"\0")
        return Key(name, version, algorithm.decode("ascii"), secret)

    def _wrapped(self, name: str, version: int, content: bytes) -> bytes:
        wrapped = self._keeper.wrap(content, f"{name}-{version}")
        return header(wrapped.algorithm, wrapped.kek) + wrapped.sealed

    def _read(self, name: str, version: int) -> Wrapped:
        algorithm, kek, at = read_header(content := load_file(self._path(name, version)), f"{name}-{version}")
        return Wrapped(kek, algorithm, content[at:])

    def _listed(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for path in self._directory.iterdir():
            if match := _FILE.fullmatch(path.name):
                found.setdefault(match[1], []).append(int(match[2]))
        return {name: sorted(versions, reverse=True) for name, versions in found.items()}

    def _path(self, name: str, version: int) -> Path:
        return self._directory / f"{name}-{version}.key"


def header(algorithm: str, key: str) -> bytes:
    """What stands before sealed bytes and says how and by which key they were sealed."""
    words = [word.encode("ascii") for word in (algorithm, key)]
    return bytes([_FORM]) + b"".join(bytes([len(word)]) + word for word in words)


def read_header(content: bytes, what: str) -> tuple[str, str, int]:
    """Algorithm, key, and where the sealed bytes begin. Raises `SealBroken`."""
    try:
        if content[0] != _FORM:
            raise SealBroken(what=what)
        middle = 2 + content[1]
        end = middle + 1 + content[middle]
        return content[2:middle].decode("ascii"), content[middle + 1 : end].decode("ascii"), end
    except (IndexError, UnicodeDecodeError):
        raise SealBroken(what=what) from None
