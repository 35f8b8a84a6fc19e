"""The application: routes, limits, headers, and the one shape of every error."""

import random
import re
import time
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

import flask
from flask import Flask, Response, request
from flask_smorest import Blueprint
from werkzeug.exceptions import HTTPException

from carbonhui import __version__
from carbonhui.api import cors, health, openapi, pages
from carbonhui.api.answering import refused
from carbonhui.api.foundation import TRACE, Foundation, Trace
from carbonhui.api.gate import REFUSED
from carbonhui.api.logs import open_log
from carbonhui.api.metrics import Metrics
from carbonhui.api.operation import Operation
from carbonhui.api.permissions import PERMISSIONS
from carbonhui.api.problems import language_of
from carbonhui.api.refusals import (
    BodyTooLarge,
    InternalError,
    MethodNotAllowed,
    NotFound,
    RequestMalformed,
    ServiceUnavailable,
)
from carbonhui.api.services import Services
from carbonhui.core.clock import SystemClock
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings

#: A client's own number is believed when it cannot be words: what is written down with it outlives the person.
_REQUEST_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
    ("Vary", "Authorization, Accept-Language, Origin"),
)
#: What an answer carries that says nothing else.
_DEFAULTS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_TRANSPORT = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains")


def create_app(
    services: Services, *, blueprints: Iterable[Blueprint] | None = None,
    permissions: Mapping[str, frozenset[str]] | None = None, log: Any = None,
) -> Flask:  # fmt: skip
    """The WSGI application over these services.

    ``blueprints`` and ``permissions`` are the product's own unless given. Raises
    `LookupError` for an operation that the table of permissions does not name.
    """
    from carbonhui.api.routes import ALL

    app = _Application("carbonhui.api", static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    app.url_map.converters["whole"] = openapi.WholeConverter
    app.config.update(API_TITLE="carbonhui", API_VERSION=__version__, OPENAPI_VERSION="3.1.0", PROPAGATE_EXCEPTIONS=False)
    foundation = Foundation(services, PERMISSIONS if permissions is None else permissions, Metrics())
    app.extensions["carbonhui"] = foundation
    api = openapi.open_document(app, services.settings.public_url)
    for blueprint in ALL if blueprints is None else blueprints:
        api.register_blueprint(blueprint)
    health.add_to(app)
    pages.add_to(app)
    _check_permissions(app, foundation.permissions)
    foundation.document = openapi.written(api, foundation.permissions)
    own_log = open_log() if log is None else log
    _add_errors(app, foundation, own_log)
    app.wsgi_app = _framed(app.wsgi_app, foundation, own_log)  # type: ignore[method-assign]
    return app


class _Application(Flask):
    """Flask, whose functions are all plain ones."""

    def ensure_sync(self, func: Any) -> Any:
        return func


def _framed(application: Any, foundation: Foundation, log: Any) -> Any:
    """What surrounds every request, whichever route it meets or misses; plain lists cost least."""
    settings = foundation.services.settings
    always = (*_HEADERS, _TRANSPORT) if settings.public_url.startswith("https://") else _HEADERS

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        trace = environ[TRACE] = _arrived(environ, settings)

        def start(status: str, headers: list[tuple[str, str]], failure: Any = None) -> Any:
            headers.append(("X-Request-Id", trace.request_id))
            if trace.lease is not None:
                headers.extend(trace.lease.headers())
            if settings.cors_origins:
                headers.extend(cors.allowing(environ, settings.cors_origins))
            given = {name for name, _ in headers}
            headers.extend(always)
            headers.extend(default for default in _DEFAULTS if default[0] not in given)
            _record(foundation, log, trace, int(status[:3]))
            return start_response(status, headers, failure)

        return application(environ, start)

    return answer


def _arrived(environ: dict[str, Any], settings: Settings) -> Trace:
    """A request's number sets it apart and is no secret, so the system is not asked for it."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    number = given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
    return Trace(number, language_of(environ.get("HTTP_ACCEPT_LANGUAGE", "")[:200], settings.language))


def document(settings: Settings) -> str:
    """The OpenAPI 3.1 document of the API under these settings, without a database."""
    services = Services(database=None, vault=None, settings=settings, clock=SystemClock(), authenticator=None, sender=None)  # type: ignore[arg-type]
    written: bytes = create_app(services).extensions["carbonhui"].document
    return written.decode()


def operations_of(app: Flask) -> list[Operation]:
    """Every operation that this application answers to."""
    found = (getattr(view, "operation", None) for view in app.view_functions.values())
    return [one for one in found if one is not None]


def _check_permissions(app: Flask, permissions: Mapping[str, frozenset[str]]) -> None:
    missing = sorted(one.id for one in operations_of(app) if one.id not in permissions)
    if missing:
        raise LookupError(f"the table of permissions does not name {', '.join(missing)}")


def _add_errors(app: Flask, foundation: Foundation, log: Any) -> None:
    """The one shape of whatever goes wrong outside a route's own refusals."""
    settings = foundation.services.settings

    @app.before_request
    def arrive() -> Response | None:
        if REFUSED in request.environ:
            return refused(foundation, request.environ[TRACE], request.environ[REFUSED])
        return cors.preflight(settings.cors_origins) if request.method == "OPTIONS" else None

    @app.errorhandler(HTTPException)
    def missed(error: HTTPException) -> Response:
        response = refused(foundation, request.environ[TRACE], _refusal_of(error))
        if allowed := getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        # The class and the place, never the text: a message may repeat what somebody sent.
        trace: Trace = request.environ[TRACE]
        log.error("failed", request=trace.request_id, operation=trace.operation, error=_named(error), at=_place(error))
        return refused(foundation, trace, InternalError())


def _refusal_of(error: HTTPException) -> Refusal:
    if error.code in (404, 308):
        return NotFound()
    if error.code == 405:
        return MethodNotAllowed()
    if error.code == 413:
        return BodyTooLarge(most=flask.current_app.extensions["carbonhui"].services.settings.body_bytes_max)
    if error.code == 503:
        return ServiceUnavailable()
    return RequestMalformed() if error.code and error.code < 500 else InternalError()


def _record(foundation: Foundation, log: Any, trace: Trace, status: int) -> None:
    seconds = time.perf_counter() - trace.began
    outcome = trace.outcome(status)
    foundation.metrics.observe(trace.operation, outcome, seconds)
    log.info(
        "request", request=trace.request_id, actor=trace.actor, operation=trace.operation, status=status, outcome=outcome,
        code=trace.code, milliseconds=round(seconds * 1000, 2),
    )  # fmt: skip


def _named(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _place(error: BaseException) -> str:
    """The innermost line of ours that it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "carbonhui" in frame.filename]
    return f"{frames[-1].filename.rsplit('carbonhui/', 1)[-1]}:{frames[-1].lineno}" if frames else "elsewhere"
