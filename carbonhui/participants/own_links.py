"""A person's identifiers, as they see them: by their last characters, from a day until a day (Articles 11-12)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.core.database import connection_of
from carbonhui.participants.persons import Person, locked
from carbonhui.participants.refusals import LinkUnknown


@dataclass(frozen=True)
class PersonLink:
    """One identifier of a person: what is shown of it are its last characters."""

    handle: UUID
    scheme: str
    tail: str
    since: date
    until: date | None


def tail_of(identifier: str) -> str:
    """What may be shown of an identifier: at most four characters, and at most a third of it.

    >>> tail_of("6217000012345678"), tail_of("123456"), tail_of("12")
    ('5678', '56', '')
    """
    plain = identifier.strip()
    shown = min(4, len(plain) // 3)
    return plain[len(plain) - shown :]


def keep_tail(session: Session, vault: privacy.Vault, person: Person, handle: UUID, identifier: str) -> None:
    """Seal what may be shown of an identifier."""
    privacy.keep(session, vault, person.subject, **{_tail_field(handle): tail_of(identifier)})


def _tail_field(handle: UUID) -> str:
    return f"link:{handle}"


_LINKS = """
SELECT c.handle, c.scheme, l.valid_from, l.valid_to FROM link_claim c
JOIN link l ON (l.scheme, l.subject, l.valid_from) = (c.scheme, c.subject, c.valid_from)
WHERE c.person_id = %s AND c.state = 'confirmed' ORDER BY c.id
"""


def links_of(session: Session, vault: privacy.Vault, person: Person, reader: privacy.Reader) -> list[PersonLink]:
    """A person's identifiers, ended ones too, by their last characters; the read is on record.

    Raises `privacy.SubjectErased`.
    """
    rows = connection_of(session).execute(_LINKS, (person.id,)).fetchall()
    if not rows:
        return []
    tails = privacy.read(session, vault, person.subject, [_tail_field(row[0]) for row in rows], reader)
    return [PersonLink(handle, scheme, tails.get(_tail_field(handle), ""), since, until) for handle, scheme, since, until in rows]


def end_link(session: Session, person: Person, handle: UUID, *, on: date) -> None:
    """A person holds an identifier for the last time on a day; another may link it from the next day on.

    Raises `LinkUnknown`, `PersonErased`.
    """
    found = locked(session, person)
    ended = connection_of(session).execute(
        """UPDATE link l SET valid_to = greatest(l.valid_from, %(on)s) + 1 FROM link_claim c
           WHERE c.handle = %(handle)s AND c.person_id = %(person)s AND c.state = 'confirmed'
             AND (l.scheme, l.subject, l.valid_from) = (c.scheme, c.subject, c.valid_from) AND l.valid_to IS NULL""",
        {"on": on, "handle": handle, "person": found.id},
    ).rowcount
    if not ended:
        raise LinkUnknown()


def end_everything(session: Session, person: Person, on: date) -> int:
    """Every open link of an erased person ends with this day, and what they asked for is withdrawn; links ended."""
    connection = connection_of(session)
    connection.execute("UPDATE link_claim SET state = 'withdrawn' WHERE person_id = %s AND state = 'asked'", (person.id,))
    return connection.execute(
        "UPDATE link SET valid_to = greatest(valid_from, %s) + 1 WHERE account_id = %s AND valid_to IS NULL",
        (on, person.account_id),
    ).rowcount
