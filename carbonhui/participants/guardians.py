"""Real names and minors: who is eighteen answers for themselves, who is not has a guardian (PIPL arts. 28, 31)."""

from datetime import date
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.core.database import connection_of
from carbonhui.participants.persons import (
    Person,
    changed,
    enter_person,
    locked,
    person,
    person_by_handle,
    require_free,
)
from carbonhui.participants.refusals import (
    AlreadyGuardian,
    BornLater,
    GuardianNotAble,
    IdNumberTaken,
    NotGuardian,
    PersonUnknown,
    RealNameAlreadyProven,
    WardDiffers,
    WardGrownUp,
)

ID_NUMBER = "id-number"
#: From eighteen on one is an adult (Civil Code art. 17); below fourteen all personal data is sensitive (PIPL art. 28).
ADULT_YEARS = 18
SENSITIVE_YEARS = 14
_NAME_LONGEST = 60


def birthday(born_on: date, years: int) -> date:
    """The day on which somebody reaches so many years.

    Who was born on 29 February reaches them on 1 March of a common year: on 28
    February the year is not over yet (Civil Code arts. 201-203).

    >>> birthday(date(2008, 2, 29), 18)
    datetime.date(2026, 3, 1)
    >>> birthday(date(2008, 2, 29), 20)
    datetime.date(2028, 2, 29)
    """
    try:
        return born_on.replace(year=born_on.year + years)
    except ValueError:
        return date(born_on.year + years, 3, 1)


def prove_real_name(
    session: Session, vault: privacy.Vault, person: Person, *, name: str, id_number: str, on: date
) -> Person:
    """The person's name and ID number agree with each other; the number's birth date says who needs a guardian.

    A minor is restricted from then on, until a guardian takes over. Of a child
    under fourteen nothing is kept: a guardian gives its particulars.

    Raises `PersonErased`, `PersonRestricted`, `RealNameAlreadyProven`, `IdNumberTaken`,
    `BornLater`, `privacy.IdNumberInvalid`, `privacy.TextRefused`.
    """
    found = acting(session, person, on)
    if found.level != "registered":
        raise RealNameAlreadyProven()
    plain, number = _read(name, id_number, on)
    if on < birthday(number.born_on, SENSITIVE_YEARS):
        return changed(session, found, "state = 'restricted'")
    _keep(session, vault, found.subject, plain, number)
    until = _guardian_until(number.born_on, on)
    state = "active" if until is None else "restricted"
    return changed(session, found, "level = 'real_name', state = %s, guardian_until = %s", state, until)


def _read(name: str, id_number: str, on: date) -> tuple[str, privacy.IdNumber]:
    number = privacy.id_number(id_number)
    if number.born_on > on:
        raise BornLater(on=on)
    return privacy.clean_text(name, field="name", longest=_NAME_LONGEST), number


def _keep(session: Session, vault: privacy.Vault, subject: int, name: str, number: privacy.IdNumber) -> None:
    try:
        privacy.index_subject(session, vault, subject, ID_NUMBER, number.text)
    except privacy.IndexTaken:
        raise IdNumberTaken() from None
    born_on = number.born_on.isoformat()
    privacy.keep(session, vault, subject, name=name, id_number=number.text, born_on=born_on)


def _guardian_until(born_on: date, on: date) -> date | None:
    grown_up = birthday(born_on, ADULT_YEARS)
    return grown_up if on < grown_up else None


def register_ward(
    session: Session, vault: privacy.Vault, *, guardian: Person, name: str, id_number: str, on: date
) -> Person:
    """A guardian registers a child of theirs, of any age under eighteen; the child needs no mobile number.

    Raises `GuardianNotAble`, `WardGrownUp`, `IdNumberTaken`, `BornLater`,
    `privacy.IdNumberInvalid`, `privacy.TextRefused`.
    """
    able = _able_guardian(session, guardian, on)
    plain, number = _read(name, id_number, on)
    until = _guardian_until(number.born_on, on)
    if until is None:
        raise WardGrownUp(on=on)
    subject = privacy.begin_subject(session, vault)
    _keep(session, vault, subject, plain, number)
    ward = enter_person(
        session, subject=subject, on=on, language=able.language, level="real_name", guardian_until=until
    )
    _tie(session, able, ward, on)
    return ward


def become_guardian(
    session: Session, vault: privacy.Vault, *, guardian: Person, ward: Person, name: str, id_number: str, on: date
) -> Person:
    """A guardian takes over a child who is registered already, by giving the child's particulars.

    The face makes sure that the child agrees: by a code to the child's mobile number.
    A child may have several guardians. Raises `GuardianNotAble`, `WardDiffers`,
    `WardGrownUp`, `AlreadyGuardian`, `PersonErased`, and as `register_ward` does.
    """
    able = _able_guardian(session, guardian, on)
    child = locked(session, ward)
    plain, number = _read(name, id_number, on)
    until = _guardian_until(number.born_on, on)
    if child.level == "real_name":
        if privacy.subject_with(session, vault, ID_NUMBER, number.text) != child.subject:
            raise WardDiffers()
        if not child.is_minor(on):
            raise WardGrownUp(on=on)
        child = changed(session, child, "state = 'active'")
    elif until is None:
        raise WardGrownUp(on=on)
    else:
        _keep(session, vault, child.subject, plain, number)
        child = changed(session, child, "level = 'real_name', state = 'active', guardian_until = %s", until)
    _tie(session, able, child, on)
    return child


def _able_guardian(session: Session, guardian: Person, on: date) -> Person:
    able = locked(session, guardian)
    if able.level != "real_name" or able.is_minor(on) or not able.is_free(on):
        raise GuardianNotAble(on=on)
    return come_of_age(session, able, on=on)


def _tie(session: Session, guardian: Person, ward: Person, on: date) -> None:
    connection = connection_of(session)
    try:
        with connection.transaction():
            connection.execute(
                "INSERT INTO guardianship (ward_id, guardian_id, since) VALUES (%s, %s, %s)", (ward.id, guardian.id, on)
            )
    except psycopg.errors.UniqueViolation:
        raise AlreadyGuardian() from None


def guardians_of(session: Session, ward: Person, *, on: date) -> list[Person]:
    """Who answers for a minor on a day, in the order in which they came; nobody once the ward is eighteen."""
    if not ward.is_minor(on):
        return []
    return _across(session, "SELECT guardian_id FROM guardianship WHERE ward_id = %s AND until IS NULL ORDER BY id", ward)


def wards_of(session: Session, guardian: Person, *, on: date) -> list[Person]:
    """For which minors a guardian answers on a day."""
    wards = _across(session, "SELECT ward_id FROM guardianship WHERE guardian_id = %s AND until IS NULL ORDER BY id", guardian)
    return [ward for ward in wards if ward.is_minor(on)]


def _across(session: Session, statement: str, one: Person) -> list[Person]:
    return [person(session, number) for (number,) in connection_of(session).execute(statement, (one.id,)).fetchall()]


def act_for(session: Session, guardian: Person, ward_handle: UUID | str, *, on: date) -> Person:
    """The minor for whom this guardian acts on a day.

    Raises `NotGuardian`, also where there is no such person, so that nobody learns
    which handles exist.
    """
    try:
        ward = person_by_handle(session, ward_handle)
    except PersonUnknown:
        raise NotGuardian() from None
    guardians = [found for found in guardians_of(session, ward, on=on) if found.id == guardian.id]
    if not guardians or guardians[0].state != "active" or ward.state != "active":
        raise NotGuardian()
    return ward


def end_guardianship(session: Session, guardian: Person, ward: Person, *, on: date) -> Person:
    """A guardian answers for a ward no longer; a minor whose last guardian left is restricted.

    Raises `NotGuardian`, `PersonErased`.
    """
    child = locked(session, ward)
    ended = connection_of(session).execute(_END, {"ward": child.id, "guardian": guardian.id, "on": on}).rowcount
    if not ended:
        raise NotGuardian()
    if child.is_minor(on) and not guardians_of(session, child, on=on):
        return changed(session, child, "state = 'restricted'")
    return come_of_age(session, child, on=on)


_END = """
UPDATE guardianship SET until = greatest(since, %(on)s)
WHERE ward_id = %(ward)s AND guardian_id = %(guardian)s AND until IS NULL
"""


def come_of_age(session: Session, person: Person, *, on: date) -> Person:
    """From the eighteenth birthday on a person answers for themselves: guardianships end, the birthday is forgotten.

    Rights follow the date alone; this only writes down what the date says already.
    """
    if person.guardian_until is None or person.is_minor(on) or person.state == "erased":
        return person
    connection_of(session).execute(
        "UPDATE guardianship SET until = greatest(since, %s) WHERE ward_id = %s AND until IS NULL",
        (person.guardian_until, person.id),
    )
    return changed(session, person, "state = 'active', guardian_until = NULL")


def acting(session: Session, person: Person, on: date) -> Person:
    """The person as they are now, locked, if they may act on a day. Raises `PersonErased`, `PersonRestricted`."""
    found = come_of_age(session, locked(session, person), on=on)
    require_free(found, on)
    return found


def free_grown_up(session: Session, *, on: date, most: int = 1000) -> int:
    """Write down that up to ``most`` wards came of age by a day; how many."""
    due = connection_of(session).execute(
        "SELECT id FROM person WHERE guardian_until <= %s ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED", (on, most)
    ).fetchall()
    for (number,) in due:
        come_of_age(session, person(session, number), on=on)
    return len(due)
