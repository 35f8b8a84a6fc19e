"""Who is calling, in the words that every face uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from carbonhui import participants

CallerKind = Literal["anonymous", "person", "staff", "organisation"]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who is believed to be calling, and as what.

    ``roles`` are the words of the table of permissions: ``anonymous``, ``person``,
    ``staff:<role>`` or ``organisation:<kind>``. ``scope`` sets callers apart (for
    limits and idempotency keys), and is the pseudonym of logs and read audits.
    """

    kind: CallerKind
    roles: frozenset[str]
    scope: str
    person: "participants.Person | None" = field(default=None, repr=False)
    #: The signed-in device's number, for a person.
    device_id: int | None = None
    staff_id: int | None = None
    organisation_id: int | None = None
    organisation_kind: str | None = None
    #: The name of the key that signed, for an organisation.
    key_id: str | None = None

    @property
    def actor(self) -> str:
        return self.scope


ANONYMOUS = Caller(kind="anonymous", roles=frozenset({"anonymous"}), scope="anonymous")

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """A request as its sender made it: the whole address with its query, every header line, the body's bytes."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


def header_lines(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Every header line, whether they come as a mapping or in pairs."""
    return tuple(headers.items() if isinstance(headers, Mapping) else headers)
