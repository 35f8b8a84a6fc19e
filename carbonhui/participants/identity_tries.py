"""Giving somebody's particulars is counted, because the answer tells whether their number is registered."""

from collections.abc import Callable
from datetime import date

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.participants.persons import Person
from carbonhui.participants.refusals import IdentityTriedTooOften, IdNumberTaken, WardDiffers

#: A family of four in one day, and one slip.
TRIES_A_DAY = 5


def try_identity(session: Session, person: Person, *, on: date, attempt: Callable[[], Person]) -> Person | Refusal:
    """Whom ``attempt`` proved; it is counted for ``person`` on that day, whatever came of it.

    What tells something of others (`IdNumberTaken`, `WardDiffers`) is returned, so that
    the count is committed; whatever else the attempt raises is raised. Returns
    `IdentityTriedTooOften`, without an attempt, from the sixth on.
    """
    connection = connection_of(session)
    row = connection.execute(
        """INSERT INTO identity_try AS t (person_id, day, tries) VALUES (%s, %s, 1)
           ON CONFLICT (person_id, day) DO UPDATE SET tries = t.tries + 1 RETURNING tries""",
        (person.id, on),
    ).fetchone()
    assert row is not None
    if row[0] > TRIES_A_DAY:
        return IdentityTriedTooOften(tries=TRIES_A_DAY)
    try:
        with connection.transaction():
            return attempt()
    except (IdNumberTaken, WardDiffers) as refusal:
        return refusal
