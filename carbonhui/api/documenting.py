"""What the OpenAPI document says of one operation."""

from typing import TYPE_CHECKING, Any

from carbonhui.api.problems import status_of

if TYPE_CHECKING:
    from carbonhui.api.operation import Operation

_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Your own name for this attempt; a repetition with the same name is answered with the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z0-9._:~+/=-]+$"},
}
_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of what you read and now change.",
    "schema": {"type": "string", "maxLength": 200},
}


def documented(operation: "Operation") -> dict[str, Any]:
    """The operation object, whose schemas the document's plugins resolve."""
    said: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }
    if text := _description(operation):
        said["description"] = text
    if operation.body is not None:
        said["requestBody"] = {"required": True, "content": {"application/json": {"schema": type(operation.body)}}}
    elif operation.upload:
        form = {"schema": {"type": "string", "format": "binary"}}
        said["requestBody"] = {"required": True, "content": dict.fromkeys(operation.upload, form)}
    return said


def _parameters(operation: "Operation") -> list[Any]:
    parameters: list[Any] = []
    if operation.query is not None:
        parameters.append({"in": "query", "schema": type(operation.query)})
    if operation.keyed:
        parameters.append(_KEY)
    if operation.needs_match:
        parameters.append(_MATCH)
    return parameters


def _responses(operation: "Operation") -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if operation.answer is not None:
        done["content"] = {operation.produces: {"schema": type(operation.answer)}}
    elif operation.produces != "application/json":
        done["content"] = {operation.produces: {"schema": {"type": "string", "format": "binary"}}}
    responses: dict[str, Any] = {str(operation.status): done}
    if operation.method == "GET":
        responses["304"] = {"description": "What you have is still so."}
    for status in sorted(_problems(operation)):
        responses[str(status)] = {"$ref": "#/components/responses/Problem"}
    if operation.produces == "text/html" and "404" in responses:
        # A reader of a page is told by a page.
        responses["404"] = {"description": "There is none.", "content": {"text/html": {"schema": {"type": "string"}}}}
    return responses


def _problems(operation: "Operation") -> set[int]:
    found = {400, 401, 403, 406, 429, 500, 503} | {status_of(kind) for kind in operation.refuses}
    if "<" in operation.path:
        found.add(404)
    if operation.body is not None or operation.upload:
        found |= {408, 413, 415, 422}
    if operation.keyed:
        found |= {409, 422}
    if operation.needs_match:
        found |= {412, 428}
    return found


def _description(operation: "Operation") -> str:
    """What is said of it, and which codes its verb refuses with."""
    parts = [operation.description] if operation.description else []
    if operation.refuses:
        parts.append("Refuses with: " + ", ".join(f"`{kind.code}`" for kind in operation.refuses) + ".")
    return " ".join(parts)
