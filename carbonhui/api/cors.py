"""Web pages of other origins: those that the setting names, exactly, and nobody else."""

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


def allow(response: Response, origins: tuple[str, ...]) -> None:
    """Let the page that asked read the answer, when its origin is one of these. Tokens travel in headers, never in cookies."""
    origin = request.environ.get("HTTP_ORIGIN")
    if origin in origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _SHOWN_HEADERS
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
