"""What happens to a request between its arrival and its answer, in this order.

Who calls; how often; may they; what form; what was said; has it been answered; the
work, in one transaction; the answer, kept and then told.
"""

import contextlib
import hashlib
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import psycopg
from flask import Response, current_app, request
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError

from carbonhui import access
from carbonhui.api import answers, bodies
from carbonhui.api.answers import Attempt, Told
from carbonhui.api.foundation import TRACE, Foundation, Trace
from carbonhui.api.operation import JSON, Answer, Call, Operation, Refused
from carbonhui.api.problems import accepts, errors_of, problem
from carbonhui.api.refusals import BodyUnexpected, FieldsInvalid, NotAcceptable, QueryInvalid, ServiceUnavailable
from carbonhui.api.strict_json import read_object
from carbonhui.api.transactions import Kept
from carbonhui.core.refusals import Refusal

#: SQLSTATE classes and codes that tell of the store's state, not of the statement: connection, resources, operator, lock.
_STORE_AWAY = ("08", "53", "57", "58", "25006", "55P03")

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def view_of(operation: Operation) -> Callable[..., Response]:
    """The function that Flask calls for this operation."""

    def view(**path: Any) -> Response:
        foundation: Foundation = current_app.extensions["carbonhui"]
        trace: Trace = request.environ[TRACE]
        trace.operation = operation.id
        try:
            return _response(operation, trace, _told(foundation, operation, trace, path))
        except Refusal as refusal:
            return refused(foundation, trace, refusal)
        except Unreadable as error:
            return refused(foundation, trace, error.refusal, error.messages)
        except ValidationError as error:
            # Fields that are right one by one, and that a route found not to go together.
            found = Unreadable(FieldsInvalid, error)
            return refused(foundation, trace, found.refusal, found.messages)
        except (DBAPIError, psycopg.Error) as error:
            if not is_away(error):
                raise
            return refused(foundation, trace, ServiceUnavailable())

    return view


def is_away(error: BaseException) -> bool:
    """Whether the store did not fail at this work but could not be asked."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate is None:
        return isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError))
    return str(sqlstate).startswith(_STORE_AWAY)


def refused(foundation: Foundation, trace: Trace, refusal: Refusal, messages: Any = None) -> Response:
    """The response that tells a refusal."""
    errors = None if messages is None else errors_of(messages, trace.language)
    settings = foundation.services.settings
    status, headers, body = problem(
        refusal, language=trace.language, city=settings.city, request_id=trace.request_id, public_url=settings.public_url, errors=errors
    )
    trace.refused(refusal.code, status)
    return Response(body, status, headers)


def _told(foundation: Foundation, operation: Operation, trace: Trace, path: dict[str, Any]) -> Told:
    body = _early_body(foundation, operation)
    caller = _caller(foundation, trace, body)
    if not caller.roles & foundation.permissions[operation.id]:
        raise _not_allowed(operation, caller)
    environ = request.environ
    if not accepts(environ.get("HTTP_ACCEPT", ""), operation.produces):
        raise NotAcceptable(offered=operation.produces)
    call = Call(
        foundation.services, operation.id, caller, trace.language, trace.request_id, environ.get("HTTP_IF_MATCH")
    )  # fmt: skip
    given, digest = _given(foundation, operation, body)
    if operation.query is not None or environ["QUERY_STRING"]:
        query = _query(operation, environ["QUERY_STRING"])
        if operation.query is not None:
            path["query"] = query
    if given is not None:
        path["body"] = given
    try:
        return _done(foundation, operation, trace, call, path, digest)
    finally:
        if isinstance(given, bodies.Upload):
            given.file.close()


def _early_body(foundation: Foundation, operation: Operation) -> bytes | None:
    """The body of a signed request, which is part of what its signature says."""
    environ = request.environ
    if "HTTP_SIGNATURE" not in environ and "HTTP_SIGNATURE_INPUT" not in environ:
        return None
    settings = foundation.services.settings
    return bodies.read_body(request, settings.upload_bytes_max if operation.upload else settings.body_bytes_max)


def _caller(foundation: Foundation, trace: Trace, body: bytes | None) -> access.Caller:
    """Who calls. Strangers, and those whose proof fails, are counted by address."""
    settings = foundation.services.settings
    caller = access.ANONYMOUS
    try:
        if body is not None:
            caller = _signer(foundation, body)
        elif proof := request.environ.get("HTTP_AUTHORIZATION"):
            # No signature, so nothing is said of the address.
            caller = foundation.services.authenticator.caller({"Authorization": proof}, "", "", b"")
    except Refusal:
        trace.lease = foundation.rates.take(foundation.stranger(request.environ), settings.stranger_requests_max)
        raise
    trace.actor = caller.actor
    if caller.kind == "anonymous":
        trace.scope = foundation.stranger(request.environ)
        trace.lease = foundation.rates.take(trace.scope, settings.stranger_requests_max)
    else:
        trace.scope = caller.scope
        most = settings.organisation_requests_max if caller.kind == "organisation" else settings.caller_requests_max
        trace.lease = foundation.rates.take(caller.scope, most)
    return caller


def _signer(foundation: Foundation, body: bytes) -> access.Caller:
    """Who signed this request, by whichever way of writing its address is the signed one."""
    authenticator: access.Authenticator = foundation.services.authenticator
    lines = list(request.headers)
    *others, last = _addresses(foundation)
    for url in others:
        with contextlib.suppress(access.SignatureInvalid):
            return authenticator.caller(lines, request.method, url, body)
    return authenticator.caller(lines, request.method, last, body)


def _addresses(foundation: Foundation) -> list[str]:
    """The address as its caller may have written it, under the public name of the service.

    The server hands a path over without its percent-encoding. What may stand in a path as
    it is (RFC 3986, section 3.3) some clients leave so and some encode.
    """
    environ, public = request.environ, foundation.services.settings.public_url
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if raw.startswith("/"):
        return [f"{public}{raw}"]
    path, query = environ["PATH_INFO"].encode("latin-1"), environ["QUERY_STRING"]
    after = f"?{query}" if query else ""
    ways = dict.fromkeys(quote(path, safe=kept) for kept in ("/:@!$&'()*+,;=", "/"))
    return [f"{public}{way}{after}" for way in ways]


def _not_allowed(operation: Operation, caller: access.Caller) -> Refusal:
    if caller.kind == "anonymous":
        return access.NotSignedIn()
    return access.NotAllowed(operation=operation.id, kind=caller.kind)


def _given(foundation: Foundation, operation: Operation, early: bytes | None) -> tuple[Any, bytes]:
    """What the body says, and its SHA-256 where it may be needed."""
    settings = foundation.services.settings
    if operation.body is not None:
        bodies.checked_form(request, (JSON,))
        body = bodies.read_body(request, settings.body_bytes_max) if early is None else early
        return _fields(operation, body), hashlib.sha256(body).digest() if operation.keyed else b""
    if operation.upload:
        media_type = bodies.checked_form(request, operation.upload)
        upload = _uploaded(early, media_type) if early is not None else bodies.read_upload(request, settings.upload_bytes_max, media_type)
        return upload, upload.digest
    if early:
        raise BodyUnexpected
    if early is None:
        bodies.refuse_body(request)
    return None, b""


def _uploaded(body: bytes, media_type: str) -> bodies.Upload:
    return bodies.Upload(io.BytesIO(body), hashlib.sha256(body).digest(), len(body), media_type)


class Unreadable(Exception):
    """Fields of a body or of a query that a schema refused, each with its reason."""

    def __init__(self, kind: type[Refusal], error: ValidationError) -> None:
        super().__init__(kind.code)
        self.messages = error.messages
        self.refusal = kind(count=len(errors_of(error.messages, "en")))


def _query(operation: Operation, text: str) -> dict[str, Any]:
    try:
        return bodies.read_query(text, operation.query)
    except ValidationError as error:
        raise Unreadable(QueryInvalid, error) from None


def _fields(operation: Operation, body: bytes) -> Any:
    assert operation.body is not None
    try:
        return operation.body.load(read_object(body))
    except ValidationError as error:
        raise Unreadable(FieldsInvalid, error) from None


def _done(
    foundation: Foundation, operation: Operation, trace: Trace, call: Call, given: dict[str, Any], digest: bytes
) -> Told:
    if not operation.needs_store:
        return _conditional(operation, _rendered(operation, trace, operation.route(call, **given)))
    if operation.keyed:
        attempt = _attempt(operation, trace, digest)
        told = foundation.transactions.run(attempt.begin, lambda kept, found: _kept_answer(
            foundation, operation, trace, call, given, attempt, kept, found))  # fmt: skip
        try:
            return _after(call, told)
        except Refusal:
            # What the kept answer promises did not come about, so the key may ask again.
            foundation.transactions.run(b"", lambda kept, _: kept.commit(attempt.forget))
            raise
    if operation.one_statement:
        return _conditional(operation, foundation.transactions.run_alone(lambda kept: _asked(operation, trace, call, given, kept)))
    told = foundation.transactions.run(b"", lambda kept, _: _committed(foundation, operation, trace, call, given, kept))
    return _conditional(operation, _after(call, told))


def _attempt(operation: Operation, trace: Trace, digest: bytes) -> Attempt:
    environ = request.environ
    key = answers.checked_key(environ.get("HTTP_IDEMPOTENCY_KEY"))
    target = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
    return answers.attempt_of(key=key, scope=trace.scope, method=operation.method, target=target, body_digest=digest)


def _kept_answer(
    foundation: Foundation, operation: Operation, trace: Trace, call: Call, given: dict[str, Any],
    attempt: Attempt, kept: Kept, found: bytes | None,
) -> Told:  # fmt: skip
    """The first answer again, or the work and its answer, committed together."""
    vault = foundation.services.vault
    before = answers.answer_before(vault, attempt, found)
    if before is not None:
        trace.replayed()
        foundation.metrics.replays.inc()
        return before
    told = _worked(foundation, operation, trace, call, given, kept)
    kept.commit(attempt.end(answers.sealed(vault, told)) if told.status < 400 else b"")
    return told


def _committed(
    foundation: Foundation, operation: Operation, trace: Trace, call: Call, given: dict[str, Any], kept: Kept
) -> Told:
    told = _worked(foundation, operation, trace, call, given, kept)
    kept.commit()
    return told


def _asked(operation: Operation, trace: Trace, call: Call, given: dict[str, Any], kept: Kept) -> Told:
    call.session = kept.session
    return _rendered(operation, trace, operation.route(call, **given))


def _worked(
    foundation: Foundation, operation: Operation, trace: Trace, call: Call, given: dict[str, Any], kept: Kept
) -> Told:
    """The route's result. A second attempt after a deadlock begins with nothing done."""
    call.session = kept.session
    call.afterwards.clear()
    if isinstance(given.get("body"), bodies.Upload):
        given["body"].file.seek(0)
    result = operation.route(call, **given)
    if isinstance(result, Refused):
        response = refused(foundation, trace, result.refusal)
        return Told(response.status_code, dict(response.headers), response.get_data())
    return _rendered(operation, trace, result)


def _rendered(operation: Operation, trace: Trace, result: Any) -> Told:
    """The result as its schema tells it."""
    answer = result if isinstance(result, Answer) else Answer(result)
    headers = {"Content-Language": trace.language, **answer.headers}
    status = answer.status or operation.status
    if isinstance(answer.body, bytes):
        return Told(status, {"Content-Type": operation.produces, **headers}, answer.body)
    if operation.answer is None:
        assert answer.body is None, f"{operation.id} answers without a schema"
        return Told(status, headers, b"")
    body = _ENCODER.encode(operation.answer.dump(answer.body)).encode()
    return Told(status, {"Content-Type": JSON, **headers}, body)


def _conditional(operation: Operation, told: Told) -> Told:
    """The same with its ETag, or 304 when the caller has it already (RFC 9110, section 13.1.2)."""
    if operation.method != "GET" or told.status != 200:
        return told
    etag = told.headers.setdefault("ETag", etag_of(told.body))
    given = request.environ.get("HTTP_IF_NONE_MATCH")
    if given is None or (given.strip() != "*" and etag not in [part.strip().removeprefix("W/") for part in given.split(",")]):
        return told
    kept = {name: value for name, value in told.headers.items() if name in ("ETag", "Content-Language")}
    return Told(304, kept, b"")


def etag_of(body: bytes) -> str:
    """A strong validator: other bytes, other tag."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _after(call: Call, told: Told) -> Told:
    for act in call.afterwards:
        act()
    return told


def _response(operation: Operation, trace: Trace, told: Told) -> Response:
    headers = {"Cache-Control": operation.cache, **told.headers}
    if trace.is_replay:
        headers["Idempotency-Replayed"] = "true"
    return Response(told.body, told.status, headers)

