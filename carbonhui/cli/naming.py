"""What the commands about people share: naming somebody, running one verb, and the options."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

import click
from sqlalchemy.orm import Session

from carbonhui import participants, privacy
from carbonhui.cli.context import Face

Result = TypeVar("Result")

day_option = click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The business date; without it, today.")
by_option = click.option("--by", required=True, help="The login of the member of staff who does this.")
identifier_option = click.option("--identifier", prompt=True, help="The identifier; asked for when it is not given.")


def run(face: Face, work: Callable[[Session], Result]) -> Result:
    """One verb in one transaction."""
    with face.database() as database:
        return database.run(work)


def on_day(face: Face, day: datetime | None) -> date:
    """The day that was given, or today."""
    return day.date() if day else face.clock.today()


def person_named(session: Session, handle: str) -> participants.Person:
    """By handle, or by the person's number."""
    if _is_number(handle):
        return participants.person(session, int(handle))
    return participants.person_by_handle(session, handle)


def organisation_named(session: Session, handle: str) -> participants.Organisation:
    """By handle, or by the organisation's number."""
    if _is_number(handle):
        return participants.organisation(session, int(handle))
    return participants.organisation_by_handle(session, handle)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def staff_named(session: Session, login: str) -> participants.Staff:
    """By login."""
    return participants.staff_member(session, login)


def reader_named(session: Session, login: str, purpose: str) -> privacy.Reader:
    """Who reads, as the person whose data it is will see it."""
    found = staff_named(session, login)
    return privacy.Reader(actor=f"staff:{found.id}", role="staff:" + "+".join(sorted(found.roles)), purpose=purpose)


def told(words: dict[str, Any]) -> None:
    """A line for each fact."""
    for name, value in words.items():
        click.echo(f"{name}: {'' if value is None else value}")
