"""Web pages of other origins: those that the setting names, exactly, and nobody else."""

from typing import Any

from flask import Response, request

_ALLOWED_HEADERS = "Authorization, Content-Type, Accept-Language, Idempotency-Key, If-Match, If-None-Match, X-Request-Id"
_SHOWN_HEADERS = "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Idempotency-Replayed"
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"


def preflight(origins: tuple[str, ...]) -> Response | None:
    """The answer to a browser's question; None lets an ordinary OPTIONS go on."""
    if "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in request.environ or request.environ.get("HTTP_ORIGIN") not in origins:
        return None
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = _METHODS
    response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
    response.headers["Access-Control-Max-Age"] = "600"
    return response


def allowing(environ: dict[str, Any], origins: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Lets the page that asked read the answer, when its origin is one of these. Tokens travel in headers, never in cookies."""
    origin = environ.get("HTTP_ORIGIN")
    if origin not in origins:
        return ()
    return (
        ("Access-Control-Allow-Origin", str(origin)),
        ("Access-Control-Expose-Headers", _SHOWN_HEADERS),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
    )
