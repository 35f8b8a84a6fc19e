"""The OpenAPI 3.1 document, made from the same declarations that the routes run by."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_smorest import Api
from marshmallow import fields
from werkzeug.routing import BaseConverter

from carbonhui.api.fields import Strict
from carbonhui.core.amounts import LARGEST_AMOUNT

DESCRIPTION = """\
The carbon-inclusive (碳普惠) personal credit ledger.

All amounts are whole numbers: credits, fen, milligrams of CO2e. A POST that changes something needs the header
Idempotency-Key. Errors are problem details (RFC 9457) with a stable `code`; sentences come in English or Chinese by
Accept-Language. Lists go on with `cursor`."""

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token of a person, or a session of staff."},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "An organisation's signed request (RFC 9421), with Signature-Input and, for a body, Content-Digest.",
    },
}


class WholeConverter(BaseConverter):
    """A number in an address: ASCII digits, no sign, no leading zero. werkzeug's ``int`` takes full-width digits."""

    regex = r"[1-9][0-9]{0,15}"

    def to_python(self, value: str) -> int:
        return int(value)


class FieldProblem(Strict):
    """What is wrong with one field."""

    pointer = fields.String(required=True, metadata={"description": "Where it stands (RFC 6901)."})
    detail = fields.String(required=True)


class Problem(Strict):
    """What was refused (RFC 9457)."""

    type = fields.URL(required=True, relative=False, metadata={"description": "A page about the code."})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "One sentence for people."})
    code = fields.String(required=True, metadata={"description": "For programs: it never changes its meaning."})
    instance = fields.String(required=True, metadata={"description": "The request's number."})
    facts = fields.Dict(required=True, metadata={"description": "The numbers and days that the sentence names."})
    errors = fields.List(fields.Nested(FieldProblem))


class _Api(Api):  # type: ignore[misc]
    """Every operation names its own errors, so none stands for the rest."""

    DEFAULT_ERROR_RESPONSE_NAME = None


def open_document(app: Flask, public_url: str) -> Api:
    """The document to which blueprints add themselves."""
    api = _Api(app, spec_kwargs={"info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
                                "servers": [{"url": public_url}]})  # fmt: skip
    api.register_converter(WholeConverter, lambda _: {"type": "integer", "minimum": 1, "maximum": LARGEST_AMOUNT})
    for name, scheme in _SCHEMES.items():
        api.spec.components.security_scheme(name, scheme)
    api.spec.components.response(
        "Problem", {"description": "What was refused, and why.", "content": {"application/problem+json": {"schema": Problem}}}
    )
    return api


def written(api: Api, permissions: Mapping[str, frozenset[str]]) -> bytes:
    """The document as JSON, with who may call what."""
    document: dict[str, Any] = api.spec.to_dict()
    # The extension's own shape of a page is nowhere used.
    document["components"]["schemas"].pop("PaginationMetadata", None)
    for methods in document["paths"].values():
        for operation in methods.values():
            if isinstance(operation, dict):
                _secure(operation, permissions[operation["operationId"]])
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _secure(operation: dict[str, Any], roles: frozenset[str]) -> None:
    ways: list[dict[str, list[str]]] = []
    if any(role == "person" or role.startswith("staff:") for role in roles):
        ways.append({"bearer": []})
    if any(role.startswith("organisation:") for role in roles):
        ways.append({"signature": []})
    operation["security"] = [{}, *ways] if "anonymous" in roles else ways
    operation["x-roles"] = sorted(roles)
