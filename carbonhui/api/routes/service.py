"""What the service says of itself: where to begin, its keys, its document, its codes."""

from functools import cache
from typing import Any

from flask import current_app
from marshmallow import INCLUDE, fields

from carbonhui import __version__, access, policy
from carbonhui.api.fields import Strict
from carbonhui.api.operation import Answer, Blueprint, Call, operation
from carbonhui.api.problems import status_of
from carbonhui.api.refusals import NotFound
from carbonhui.api.statuses import title_of
from carbonhui.core.refusals import Refusal, all_refusals

blueprint = Blueprint("service", __name__, description="What the service says of itself.")
_SHORT = "public, max-age=300"


class Index(Strict):
    """Where to begin."""

    name = fields.String(required=True)
    version = fields.String(required=True)
    profile = fields.String(required=True, metadata={"description": "`demo` where the credits are a demonstration's."})
    openapi = fields.URL(required=True, metadata={"description": "The OpenAPI document."})
    docs = fields.URL(required=True, metadata={"description": "The same for reading."})
    keys = fields.URL(required=True, metadata={"description": "The public keys of access tokens."})


@operation(
    blueprint, "GET", "/v1", "readIndex", answer=Index, needs_store=False, cache=_SHORT,
    summary="Where to begin",
)  # fmt: skip
def read_index(call: Call) -> dict[str, str]:
    settings = call.services.settings
    root = f"{settings.public_url}/v1"
    return {
        "name": "carbonhui", "version": __version__, "profile": settings.profile, "openapi": f"{root}/openapi.json",
        "docs": f"{root}/docs", "keys": f"{root}/jwks.json",
    }  # fmt: skip


class SigningKey(Strict):
    """A public key (RFC 7517, RFC 8037)."""

    kty = fields.String(required=True)
    crv = fields.String()
    x = fields.String()
    kid = fields.String(required=True)
    alg = fields.String()
    use = fields.String()


class SigningKeys(Strict):
    """The public keys by which access tokens are checked."""

    keys = fields.List(fields.Nested(SigningKey), required=True)


@operation(
    blueprint, "GET", "/v1/jwks.json", "readSigningKeys", answer=SigningKeys, cache=_SHORT,
    summary="The public keys of access tokens",
)  # fmt: skip
def read_signing_keys(call: Call) -> Any:
    return access.jwks(call.session)


class Document(Strict):
    """An OpenAPI 3.1 document."""

    class Meta:
        unknown = INCLUDE


@operation(
    blueprint, "GET", "/v1/openapi.json", "readOpenApi", answer=Document, needs_store=False, cache=_SHORT,
    summary="The OpenAPI document",
)  # fmt: skip
def read_open_api(call: Call) -> Answer:
    return Answer(current_app.extensions["carbonhui"].document)


@cache
def _kinds() -> dict[str, type[Refusal]]:
    return {kind.code: kind for kind in all_refusals()}


class Code(Strict):
    """What a code means."""

    code = fields.String(required=True)
    status = fields.Integer(required=True)
    title = fields.String(required=True)
    rule = fields.String(required=True, metadata={"description": "The rule behind it."})
    sentence = fields.String(required=True, metadata={"description": "The sentence, with names for its facts."})


@operation(
    blueprint, "GET", "/v1/problems/<string(maxlength=80):code>", "readProblem", answer=Code, needs_store=False,
    cache=_SHORT, refuses=(NotFound,), summary="What a problem's code means",
)  # fmt: skip
def read_problem(call: Call, code: str) -> dict[str, Any]:
    kind = _kinds().get(code)
    if kind is None:
        raise NotFound
    status = status_of(kind)
    return {
        "code": code, "status": status, "title": title_of(status, call.language), "rule": (kind.__doc__ or "").strip(),
        "sentence": policy.called(kind.sentence_zh, call.services.settings.city) if call.language == "zh" else kind.sentence,
    }  # fmt: skip
