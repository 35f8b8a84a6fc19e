"""Members: which persons act for an organisation, in which role; an owner is always among them."""

from dataclasses import dataclass
from datetime import date

import psycopg
from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.participants.guardians import acting
from carbonhui.participants.organisation_refusals import LastOwner, MemberAlready, NotMember, OrganisationClosed
from carbonhui.participants.organisations import Organisation, locked_organisation
from carbonhui.participants.persons import Person

MEMBER_ROLES = ("owner", "manager", "clerk")


@dataclass(frozen=True)
class Member:
    """One person's role in one organisation, from a day on."""

    organisation_id: int
    person_id: int
    role: str
    since: date


_COLUMNS = "organisation_id, person_id, role, since"


def add_member(session: Session, organisation: Organisation, person: Person, *, role: str, on: date) -> Member:
    """From a day on, this person acts for an organisation.

    Raises `OrganisationClosed`, `PersonErased`, `PersonRestricted`, `MemberAlready`.
    """
    assert role in MEMBER_ROLES
    acting(session, person, on)
    _lock(session, organisation)
    return _entered(session, organisation, person, role, on)


def _lock(session: Session, organisation: Organisation) -> None:
    """Changes of one organisation's members come one after the other."""
    if locked_organisation(session, organisation.id).state == "closed":
        raise OrganisationClosed(organisation=organisation.id)


def _entered(session: Session, organisation: Organisation, person: Person, role: str, on: date) -> Member:
    connection = connection_of(session)
    try:
        with connection.transaction():
            row = connection.execute(
                f"""INSERT INTO member (organisation_id, person_id, role, since)
                    VALUES (%s, %s, %s, %s) RETURNING {_COLUMNS}""",
                (organisation.id, person.id, role, on),
            ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise MemberAlready(organisation=organisation.id) from None
    assert row is not None
    return Member(*row)


def change_role(session: Session, organisation: Organisation, person: Person, *, role: str, on: date) -> Member:
    """A member has another role from a day on. Raises `NotMember`, `LastOwner`, `OrganisationClosed`."""
    assert role in MEMBER_ROLES
    _lock(session, organisation)
    was = _end(session, organisation, person, on)
    changed = _entered(session, organisation, person, role, on)
    if was == "owner":
        _require_owner(session, organisation)
    return changed


def end_membership(session: Session, organisation: Organisation, person: Person, *, on: date) -> None:
    """A person acts for an organisation no longer. Raises `NotMember`, `LastOwner`, `OrganisationClosed`."""
    _lock(session, organisation)
    was = _end(session, organisation, person, on)
    if was == "owner":
        _require_owner(session, organisation)


def _end(session: Session, organisation: Organisation, person: Person, on: date) -> str:
    row = connection_of(session).execute(
        """UPDATE member SET until = greatest(since, %s)
           WHERE organisation_id = %s AND person_id = %s AND until IS NULL RETURNING role""",
        (on, organisation.id, person.id),
    ).fetchone()
    if row is None:
        raise NotMember(organisation=organisation.id)
    return str(row[0])


def _require_owner(session: Session, organisation: Organisation) -> None:
    row = connection_of(session).execute(
        "SELECT FROM member WHERE organisation_id = %s AND role = 'owner' AND until IS NULL", (organisation.id,)
    ).fetchone()
    if row is None:
        raise LastOwner(organisation=organisation.id)


def members_of(session: Session, organisation: Organisation) -> list[Member]:
    """Who acts for an organisation now, in the order in which they came."""
    return _members(session, "organisation_id = %s", organisation.id)


def memberships_of(session: Session, person: Person) -> list[Member]:
    """For which organisations a person acts now."""
    return _members(session, "person_id = %s", person.id)


def role_in(session: Session, organisation: Organisation, person: Person) -> str | None:
    """A person's role in an organisation now; None when they are no member or it is not approved."""
    row = connection_of(session).execute(
        """SELECT m.role FROM member m JOIN organisation o ON o.id = m.organisation_id JOIN person p ON p.id = m.person_id
           WHERE m.organisation_id = %s AND m.person_id = %s AND m.until IS NULL
             AND o.state = 'approved' AND p.state = 'active'""",
        (organisation.id, person.id),
    ).fetchone()
    return row[0] if row else None


def _members(session: Session, condition: str, number: int) -> list[Member]:
    rows = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM member WHERE {condition} AND until IS NULL ORDER BY id", (number,)
    )
    return [Member(*row) for row in rows]


def owned_alone(session: Session, person: Person) -> int:
    """Of how many organisations that are not closed a person is the only owner.

    The organisations are locked, so that no other owner leaves meanwhile.
    """
    connection = connection_of(session)
    mine = [
        number
        for (number,) in connection.execute(
            """SELECT o.id FROM organisation o JOIN member m ON m.organisation_id = o.id
               WHERE m.person_id = %s AND m.role = 'owner' AND m.until IS NULL AND o.state <> 'closed'
               ORDER BY o.id FOR NO KEY UPDATE OF o""",
            (person.id,),
        )
    ]
    row = connection.execute(
        """SELECT count(*) FROM unnest(%s::bigint[]) AS o (id) WHERE NOT EXISTS (
               SELECT FROM member m WHERE m.organisation_id = o.id AND m.role = 'owner' AND m.until IS NULL
               AND m.person_id <> %s)""",
        (mine, person.id),
    ).fetchone()
    assert row is not None
    return int(row[0])


def end_memberships(session: Session, person: Person, on: date) -> None:
    """A person acts for nobody any more."""
    connection_of(session).execute(
        "UPDATE member SET until = greatest(since, %s) WHERE person_id = %s AND until IS NULL", (on, person.id)
    )
