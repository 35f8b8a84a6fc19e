"""The page that shows the document in a browser: our own few lines, no other server, no inline script."""

from importlib import resources

from flask import Flask, Response, request

from carbonhui.api.foundation import TRACE

_TYPES = {"docs.html": "text/html", "docs.js": "text/javascript", "docs.css": "text/css"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def add_to(app: Flask) -> None:
    """/v1/docs and its two files."""
    for path, name in (("/v1/docs", "docs.html"), ("/v1/docs/docs.js", "docs.js"), ("/v1/docs/docs.css", "docs.css")):
        app.add_url_rule(path, endpoint=name.replace(".", "_"), view_func=_view(name), methods=["GET"])


def _view(name: str):  # type: ignore[no-untyped-def]
    content = (resources.files("carbonhui.api") / "static" / name).read_bytes()
    headers = {
        "Content-Type": f"{_TYPES[name]}; charset=utf-8", "Content-Security-Policy": _POLICY, "Cache-Control": "public, max-age=300",
    }  # fmt: skip

    def view() -> Response:
        request.environ[TRACE].operation = "docs"
        return Response(content, 200, headers)

    return view
