"""Reading what came with a request, within its limits, before anything believes it."""

import hashlib
import tempfile
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import parse_qsl

from flask import Request
from marshmallow import Schema

from carbonhui.api.fields import FromQuery
from carbonhui.api.refusals import BodyTooLarge, BodyUnexpected, HeaderInvalid, MediaTypeUnsupported, QueryInvalid

_CHUNK = 1 << 16
#: Files up to this size stay in memory.
_SPOOLED = 1 << 20
QUERY_BYTES_MAX = 8192


@dataclass(frozen=True)
class Upload:
    """A file that came as a body: where it lies for the time of the request, its SHA-256, its size and form."""

    file: IO[bytes]
    digest: bytes
    size: int
    media_type: str


def checked_form(request: Request, wanted: tuple[str, ...]) -> str:
    """The body's media type. Raises `MediaTypeUnsupported`."""
    environ = request.environ
    coding: str = environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    given: str = environ.get("CONTENT_TYPE", "")
    media_type, _, parameters = given.partition(";")
    media_type, parameters = media_type.strip().lower(), parameters.strip().lower()
    if coding not in ("", "identity") or media_type not in wanted or parameters.replace('"', "") not in ("", "charset=utf-8"):
        raise MediaTypeUnsupported(wanted=", ".join(wanted))
    return media_type


def declared_length(request: Request, most: int) -> int | None:
    """What Content-Length says; None for chunks. Raises `BodyTooLarge`, `HeaderInvalid`."""
    text = request.environ.get("CONTENT_LENGTH") or ""
    if not text:
        return None if request.environ.get("HTTP_TRANSFER_ENCODING") else 0
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise HeaderInvalid(header="Content-Length", reason="it is not a number", reason_zh="不是数字")
    if int(text) > most:
        raise BodyTooLarge(most=most)
    return int(text)


def read_body(request: Request, most: int) -> bytes:
    """The whole body, at most so many bytes of it. Raises `BodyTooLarge`, `HeaderInvalid`."""
    length = declared_length(request, most)
    if length == 0:
        return b""
    stream = request.environ["wsgi.input"]
    body = bytes(stream.read(most + 1 if length is None else length))
    if len(body) > most:
        raise BodyTooLarge(most=most)
    if length is not None and len(body) != length:
        raise HeaderInvalid(header="Content-Length", reason="the body is shorter", reason_zh="正文长度不足")
    return body


def read_upload(request: Request, most: int, media_type: str) -> Upload:
    """The body as a file that is gone when it is closed. Raises `BodyTooLarge`, `HeaderInvalid`."""
    length = declared_length(request, most)
    file = tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115
    digest, size = hashlib.sha256(), 0
    stream = request.environ["wsgi.input"]
    while (length is None or size < length) and (piece := stream.read(_CHUNK if length is None else min(_CHUNK, length - size))):
        size += len(piece)
        if size > most:
            file.close()
            raise BodyTooLarge(most=most)
        digest.update(piece)
        file.write(piece)
    if length is not None and size != length:
        file.close()
        raise HeaderInvalid(header="Content-Length", reason="the body is shorter", reason_zh="正文长度不足")
    file.seek(0)
    return Upload(file, digest.digest(), size, media_type)


def refuse_body(request: Request) -> None:
    """Raises `BodyUnexpected` where a body comes that nobody reads."""
    if declared_length(request, 1 << 62) != 0:
        raise BodyUnexpected


def read_query(text: str, schema: Schema | None) -> dict[str, Any]:
    """The query parameters, each known and given once. Raises `QueryInvalid`, and what the schema finds."""
    if not text and schema is None:
        return {}
    pairs = _pairs(text)
    names = [name for name, _ in pairs]
    if schema is None or len(set(names)) != len(names):
        raise QueryInvalid(count=max(1, len(names) - len(set(names)) if schema else len(names)))
    found: dict[str, Any] = schema.load({name: FromQuery(value) for name, value in pairs})
    return found


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        if len(text) > QUERY_BYTES_MAX:
            raise ValueError
        return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=50)
    except ValueError:
        raise QueryInvalid(count=1) from None
