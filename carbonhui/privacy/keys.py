"""The city's key for blind indexes lives in one file that only its owner may read."""

import os
import secrets
import stat
from pathlib import Path

from carbonhui.privacy.blinding import KEY_BYTES
from carbonhui.privacy.refusals import KeyFileOpen, KeyFileUnreadable, KeyFileWrong


def load_or_make_key(path: Path) -> bytes:
    """The key in this file; a new random one is made there if there is none.

    Whoever loses the file can tie no new activity to a known person, so it is
    never overwritten, and a file that is not right is refused instead of replaced.

    Raises `KeyFileOpen`, `KeyFileWrong`, `KeyFileUnreadable`.
    """
    try:
        if not path.exists():
            _make(path)
        return _load(path)
    except OSError as error:
        raise KeyFileUnreadable(path=path, reason=error.strerror or type(error).__name__) from error


def _make(path: Path) -> None:
    """Write a new key beside the place and link it there, whole; the first of several makers wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        _link(draft, path)
    finally:
        draft.unlink()
    _sync_directory(path.parent)


def _link(draft: Path, path: Path) -> None:
    try:
        # A link is refused where a file stands already: what O_EXCL does, but with the content in place.
        os.link(draft, path)
    except FileExistsError:
        return


def _load(path: Path) -> bytes:
    with path.open("rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise KeyFileUnreadable(path=path, reason="it is not an ordinary file")
        if facts.st_mode & 0o077:
            raise KeyFileOpen(path=path, mode=f"{stat.S_IMODE(facts.st_mode):04o}")
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise KeyFileWrong(path=path, found=facts.st_size, wanted=KEY_BYTES)
    return key


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
