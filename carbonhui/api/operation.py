"""The decorator of every route: read strictly, know the caller, do one verb in one transaction, answer.

A route is a function of a `Call` and what was read. What it raises as a `Refusal`
becomes a problem (RFC 9457) and undoes everything; what it returns is committed
together with the remembered answer, and only then told.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema
from sqlalchemy.orm import Session

from carbonhui import access, privacy
from carbonhui.api.cursors import Cursor
from carbonhui.api.documenting import documented
from carbonhui.api.refusals import PreconditionFailed, PreconditionRequired
from carbonhui.api.services import Services
from carbonhui.core.refusals import Refusal

__all__ = ["Answer", "Blueprint", "Call", "Operation", "Refused", "operation"]

_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
JSON = "application/json"


@dataclass(frozen=True)
class Refused:
    """A refusal whose transaction is committed all the same: a wrong one-time code is counted."""

    refusal: Refusal


@dataclass(frozen=True)
class Answer:
    """An answer with headers of its own, or of another form than JSON when ``body`` is bytes."""

    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None


@dataclass(eq=False, slots=True)
class Call:
    """One request that is understood and permitted."""

    services: Services
    operation: str
    caller: access.Caller
    language: str
    request_id: str
    if_match: str | None
    #: The store, inside this request's transaction; unset for operations that need none.
    session: Session = field(init=False, repr=False)
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def reader(self, purpose: str) -> "privacy.Reader":
        """Who reads personal data by this request, and what for."""
        role = next(iter(sorted(self.caller.roles)), "anonymous")
        return privacy.Reader(actor=self.caller.actor, role=role, purpose=purpose, request=self.request_id)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do this once what the request changed is committed: sending a code, for instance."""
        self.afterwards.append(act)

    @property
    def today(self) -> date:
        return self.services.clock.today()

    @property
    def cursor(self) -> Cursor:
        """Writes and reads this operation's cursors for this caller."""
        return Cursor(self.services.vault, self.operation, self.caller.scope)

    def require_match(self, etag: str) -> None:
        """Raises `PreconditionRequired` without the header If-Match, `PreconditionFailed` when it names another state."""
        if self.if_match is None:
            raise PreconditionRequired
        if etag not in (part.strip() for part in self.if_match.split(",")):
            raise PreconditionFailed


Route = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One row of the API: what it is called, what it reads, what it answers."""

    id: str
    method: str
    path: str
    route: Route
    summary: str
    description: str
    body: Schema | None
    upload: tuple[str, ...]
    query: Schema | None
    answer: Schema | None
    status: int
    refuses: tuple[type[Refusal], ...]
    #: Whether it changes something under a key that its caller chose.
    keyed: bool
    needs_store: bool
    one_statement: bool
    needs_match: bool
    produces: str
    cache: str

    @property
    def changes(self) -> bool:
        return self.method in _CHANGING


def operation(
    blueprint: Blueprint,
    method: str,
    path: str,
    operation_id: str,
    *,
    summary: str,
    body: type[Schema] | None = None,
    upload: Collection[str] = (),
    query: type[Schema] | None = None,
    answer: type[Schema] | None = None,
    status: int = 200,
    refuses: Collection[type[Refusal]] = (),
    description: str = "",
    keyed: bool | None = None,
    needs_store: bool = True,
    one_statement: bool = False,
    needs_match: bool = False,
    produces: str = JSON,
    cache: str = "no-store",
) -> Callable[[Route], Route]:
    """Register a route, with everything the API promises about it.

    ``body`` and ``query`` are `Strict` schemas; the route gets what they read as ``body``
    and ``query``. ``upload`` names media types instead, and ``body`` is a `bodies.Upload`.
    ``answer`` is the schema that the result is told by; without it the answer has no
    body (then let ``status`` be 204). A POST needs an Idempotency-Key unless ``keyed`` is
    False (it changes nothing); PUT, PATCH and DELETE are repeatable by nature and take
    none unless ``keyed`` is True. ``one_statement`` is for a GET that asks the store once:
    its statement is its own transaction. ``refuses`` are the refusals of the verb, for
    the document.
    """
    assert method in ("GET", *_CHANGING)
    assert not (body and upload)
    assert not one_statement or method == "GET"

    def register(route: Route) -> Route:
        from carbonhui.api.answering import view_of

        made = Operation(
            id=operation_id, method=method, path=path, route=route, summary=summary, description=description,
            body=body() if body else None, upload=tuple(upload), query=query() if query else None,
            answer=answer() if answer else None, status=status, refuses=tuple(refuses),
            keyed=method == "POST" if keyed is None else keyed, needs_store=needs_store, one_statement=one_statement,
            needs_match=needs_match, produces=produces, cache=cache,
        )  # fmt: skip
        view: Any = view_of(made)
        view.operation = made
        view._apidoc = {"manual_doc": documented(made)}
        blueprint.add_url_rule(path, endpoint=operation_id, view_func=view, methods=[method])
        return route

    return register
