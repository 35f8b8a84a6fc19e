"""Who a request acts for, and what it may know of: the caller, a child of theirs, the caller's own rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from carbonhui import notifications, participants
from carbonhui.api.fields import Handle, Strict
from carbonhui.api.operation import Call
from carbonhui.api.refusals import NotFound
from carbonhui.api.routes.handles import handle_of, number_of
from carbonhui.core.refusals import Refusal
from carbonhui.participants import Person

WARD = "The handle of a child for whom you answer; without it, you act for yourself."


class ForWard(Strict):
    ward = Handle(load_default=None, metadata={"description": WARD})


def caller_of(call: Call) -> Person:
    """The person who calls; the table of permissions lets nobody else come here."""
    assert call.caller.person is not None
    return call.caller.person


def acted_for(call: Call, ward: UUID | None) -> Person:
    """The person whom this request is about. Raises `participants.NotGuardian`."""
    guardian = caller_of(call)
    return guardian if ward is None else participants.act_for(call.session, guardian, ward, on=call.today)


def tell(call: Call, person: Person, topic: str, **facts: int | str) -> None:
    """Put a message into a person's inbox, together with what it tells of."""
    notifications.announce(call.session, topic, payload=facts, account=person.account_id)


@contextmanager
def hidden(*kinds: type[Refusal]) -> Iterator[None]:
    """What is another's and what is not there are told in the same words. Raises `NotFound`."""
    try:
        yield
    except kinds:
        raise NotFound from None


def named(call: Call, kind: str, number: int) -> UUID:
    """The handle of a row."""
    return handle_of(call.services.vault, kind, number)


def numbered(call: Call, kind: str, handle: UUID) -> int:
    """The number behind a row's handle. Raises `NotFound` for one that was never given out."""
    number = number_of(call.services.vault, kind, handle)
    if number is None:
        raise NotFound
    return number


def paged(call: Call, rows: list[Any], limit: int, told: Callable[[Any], dict[str, Any]], *, at: str = "id") -> dict[str, Any]:
    """A page of a list whose rows were asked for with one more than ``limit``; their field ``at`` says where each stands."""
    shown, after = call.cursor.page(rows, limit, lambda row: getattr(row, at))
    return {"items": [told(row) for row in shown], "next": after}


def whole_list(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A list that is short by nature, in the shape of every list."""
    return {"items": rows, "next": None}
