"""Words that are easily known again, in whatever form they were kept."""

import base64
import gzip
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as parquet

_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_DIGESTS = ("md5", "sha1", "sha256", "sha512", "sm3")


def forms_of(text: str) -> dict[str, bytes]:
    """How a text may lie about: in an encoding, escaped, in digits, or as a digest that anybody can compute."""
    plain = text.encode()
    found = {
        "utf-8": plain, "utf-16-le": text.encode("utf-16-le"), "utf-16-be": text.encode("utf-16-be"),
        "gb18030": text.encode("gb18030"), "json": json.dumps(text)[1:-1].encode(), "url": quote(text).encode(),
        "reversed": text[::-1].encode(), "hex": plain.hex().encode(), "HEX": plain.hex().upper().encode(),
    }  # fmt: skip
    for shift in range(3):
        # What the neighbouring bytes do not change, wherever the text stands among them.
        packed = base64.b64encode(b"\0" * shift + plain)[(0, 2, 3)[shift] : -4]
        if len(packed) >= 8:
            found[f"base64+{shift}"] = packed
            found[f"base64url+{shift}"] = packed.translate(bytes.maketrans(b"+/", b"-_"))
    for name in _DIGESTS:
        digest = hashlib.new(name, plain).digest()
        found |= {name: digest, f"{name} hex": digest.hex().encode(), f"{name} base64": base64.b64encode(digest)[:20]}
    return found


def found_in(hay: bytes, canaries: dict[str, str]) -> set[tuple[str, str]]:
    """Which canaries lie in these bytes, and in which form."""
    return {
        (name, form) for name, text in canaries.items() for form, needle in forms_of(text).items() if needle in hay
    }


def found_below(folder: Path, canaries: dict[str, str]) -> set[tuple[str, str, str]]:
    """Which canaries lie in the files of a folder, unpacked where they are packed; each with the file's name."""
    return {
        (str(path.relative_to(folder)), name, form)
        for path in sorted(folder.rglob("*")) if path.is_file()
        for hay in readings_of(path.read_bytes())
        for name, form in found_in(hay, canaries)
    }  # fmt: skip


def readings_of(content: bytes) -> Iterator[bytes]:
    """A file's bytes, and what a reader of its format would see."""
    yield content
    if content.startswith(_GZIP):
        try:
            yield gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return
    elif content.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield packed.read(name)
    elif content.startswith(_PARQUET):
        for column in parquet.read_table(io.BytesIO(content)).columns:
            for value in column.to_pylist():
                yield value if isinstance(value, bytes) else str(value).encode()
