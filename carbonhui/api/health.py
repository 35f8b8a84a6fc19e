"""Is it alive, is it ready, and how is it doing: for those who run the service, not for its users."""

import ipaddress
import json
import time
from typing import Any

import psycopg
from flask import Flask, Response, current_app, request
from sqlalchemy.exc import DBAPIError

from carbonhui.api.answering import refused
from carbonhui.api.foundation import TRACE, Foundation
from carbonhui.api.gauges import gauges
from carbonhui.api.metrics import CONTENT_TYPE
from carbonhui.core import migrations
from carbonhui.core.refusals import Refusal

SKEW_SECONDS_MAX = 2
_OPERATOR = "staff:operator"
_ASKED = (
    "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean, "
    "(SELECT version_num FROM alembic_version), extract(epoch FROM clock_timestamp())::float8"
)


def add_to(app: Flask) -> None:
    """/livez, /readyz and /metrics."""
    for name, view in (("livez", livez), ("readyz", readyz), ("metrics", metrics)):
        app.add_url_rule(f"/{name}", endpoint=name, view_func=view, methods=["GET"])


def livez() -> Response:
    """This process answers. It asks nobody, least of all the database."""
    request.environ[TRACE].operation = "livez"
    return _said(200, {"alive": True})


def readyz() -> Response:
    """Whether requests should come here: the books can be written, are at this release's step, and clocks agree."""
    request.environ[TRACE].operation = "readyz"
    foundation: Foundation = current_app.extensions["carbonhui"]
    wrong = _wrong(foundation)
    return _said(503 if wrong else 200, {"ready": not wrong, "wrong": wrong})


def _wrong(foundation: Foundation) -> list[str]:
    if foundation.is_stopping():
        return ["stopping"]
    try:
        with foundation.transactions.lend() as kept:
            before = time.time()
            row = kept.connection.execute(_ASKED).fetchone()
            after = time.time()
    except (psycopg.Error, DBAPIError, Refusal):
        return ["database_unreachable"]
    assert row is not None
    in_recovery, read_only, step, there = row
    # The database's clock was read somewhere between the two readings of ours.
    skew = max(before - there, there - after, 0)
    found = {
        "in_recovery": in_recovery,
        "read_only": read_only,
        "store_at_another_step": step != migrations.head(),
        "clocks_differ": skew >= SKEW_SECONDS_MAX,
    }
    return [name for name, is_so in found.items() if is_so]


def metrics() -> Response:
    """The counters, for this machine and for operators."""
    request.environ[TRACE].operation = "metrics"
    foundation: Foundation = current_app.extensions["carbonhui"]
    try:
        _permit(foundation)
    except Refusal as refusal:
        return refused(foundation, request.environ[TRACE], refusal)
    return Response(foundation.metrics.told() + gauges(foundation), 200, {"Content-Type": CONTENT_TYPE})


def _permit(foundation: Foundation) -> None:
    from carbonhui import access

    if proof := request.environ.get("HTTP_AUTHORIZATION"):
        caller = foundation.services.authenticator.caller({"Authorization": proof}, "GET", request.url, b"")
        if _OPERATOR not in caller.roles:
            raise access.NotAllowed(operation="metrics", kind=caller.kind)
        request.environ[TRACE].actor = caller.actor
    elif not _is_near(request.environ):
        raise access.NotSignedIn


def _is_near(environ: dict[str, Any]) -> bool:
    """From this very machine, and not handed on by a proxy on it."""
    if "HTTP_X_FORWARDED_FOR" in environ or "HTTP_FORWARDED" in environ:
        return False
    try:
        return ipaddress.ip_address(str(environ.get("REMOTE_ADDR"))).is_loopback
    except ValueError:
        return False


def _said(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status, {"Content-Type": "application/json", "Cache-Control": "no-store"})
