"""A key lives in one file that only its owner may read."""

import os
import secrets
import stat
import time
from pathlib import Path

from carbonhui.privacy.blinding import KEY_BYTES
from carbonhui.privacy.refusals import KeyDirectoryOpen, KeyFileOpen, KeyFileUnreadable, KeyFileWrong

#: Enough to tell how much too large a wrong file is; a wrapped key with its names has about 150 bytes.
_LARGEST_BYTES = 1 << 20
#: Far longer than any file system's tick.
_TICK_NS = 1_000_000_000


def load_or_make_key(path: Path) -> bytes:
    """The key in this file; a new random one is made there if there is none.

    Whoever loses the file can tie no new activity to a known person, so it is
    never overwritten, and a file that is not right is refused instead of replaced.

    Raises `KeyFileOpen`, `KeyFileWrong`, `KeyFileUnreadable`.
    """
    try:
        missing = not path.exists()
    except OSError as error:
        raise _unreadable(path, error) from error
    if missing:
        make_file(path, secrets.token_bytes(KEY_BYTES))
    return load_key(path)


def load_key(path: Path) -> bytes:
    """The 32 bytes of this file. Raises `KeyFileOpen`, `KeyFileWrong`, `KeyFileUnreadable`."""
    key = load_file(path)
    if len(key) != KEY_BYTES:
        raise KeyFileWrong(path=path, found=len(key), wanted=KEY_BYTES)
    return key


def make_file(path: Path, content: bytes, *, anew: bool = False) -> None:
    """Write a file of mode 0600, whole or not at all; the first of several makers wins.

    With ``anew`` it takes the place of the one that stands there.

    Raises `KeyFileUnreadable`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(path, content, anew=anew)
    except OSError as error:
        raise _unreadable(path, error) from error


def load_file(path: Path) -> bytes:
    """What is in a key file. Raises `KeyFileOpen`, `KeyFileUnreadable`."""
    try:
        return _load(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def private_directory(path: Path) -> Path:
    """The directory of keys, made when missing; nobody else may enter it.

    Raises `KeyDirectoryOpen`, `KeyFileUnreadable`.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise _unreadable(path, error) from error
    if mode & 0o077:
        raise KeyDirectoryOpen(path=path, mode=f"{mode:04o}")
    return path


def is_settled(changed_ns: int) -> bool:
    """Whether a directory that last changed then will show its next change by another time.

    File systems count in ticks of some milliseconds, so two changes may have one time.
    """
    return time.time_ns() - changed_ns > _TICK_NS


def _unreadable(path: Path, error: OSError) -> KeyFileUnreadable:
    return KeyFileUnreadable(path=path, reason=error.strerror or type(error).__name__)


def _make(path: Path, content: bytes, *, anew: bool) -> None:
    """Write beside the place, then link there: the name never leads to half a file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _put(draft, path, anew=anew)
    finally:
        draft.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _put(draft: Path, path: Path, *, anew: bool) -> None:
    if anew:
        draft.replace(path)
        return
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
        return file.read(_LARGEST_BYTES)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
