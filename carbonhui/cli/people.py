"""Persons and organisations, by hand. What is personal is asked for, so that no shell remembers it."""

from datetime import datetime
from typing import Any

import click
from rich.table import Table
from sqlalchemy.orm import Session

from carbonhui import participants, privacy
from carbonhui.cli import staffing
from carbonhui.cli.context import Face, console, pass_face
from carbonhui.cli.naming import (
    by_option,
    day_option,
    on_day,
    organisation_named,
    person_named,
    reader_named,
    run,
    staff_named,
    told,
)

_mobile = click.option("--mobile", prompt=True, help="The mobile number; asked for when it is not given.")
_name = click.option("--name", prompt=True, help="The real name; asked for when it is not given.")
_id_number = click.option("--id-number", prompt=True, help="The ID number; asked for when it is not given.")


def _told_person(found: participants.Person) -> None:
    told({
        "person": found.id, "handle": found.handle, "account": found.account_id, "level": found.level,
        "state": found.state, "language": found.language, "guardian until": found.guardian_until,
    })  # fmt: skip


# Persons ------------------------------------------------------------------------------------------


@click.group()
def person() -> None:
    """Register, prove, guard and erase persons. PERSON is a handle or a number."""


@person.command()
@_mobile
@click.option("--to", "language", type=click.Choice(["zh", "en"]), default="zh", help="The language in which they are written to.")
@day_option
@pass_face
def register(face: Face, mobile: str, language: str, day: datetime | None) -> None:
    """Register somebody whose mobile number was proven in another way."""
    vault, on = privacy.open_vault(face.settings), on_day(face, day)

    def work(session: Session) -> participants.Person:
        made = participants.register_person(session, vault, mobile=mobile, on=on, language=language)
        participants.link_handle(session, face.settings, made)
        return made

    _told_person(run(face, work))


@person.command()
@click.argument("person")
@pass_face
def show(face: Face, person: str) -> None:
    """What the books know of PERSON; nothing personal."""
    _told_person(run(face, lambda s: person_named(s, person)))


@person.command()
@_mobile
@pass_face
def find(face: Face, mobile: str) -> None:
    """Who proved a mobile number."""
    vault = privacy.open_vault(face.settings)
    found = run(face, lambda s: participants.person_by_mobile(s, vault, mobile))
    if found is None:
        raise participants.PersonUnknown()
    _told_person(found)


@person.command()
@click.argument("person")
@by_option
@click.option("--purpose", required=True, help="What it is read for; PERSON can see it.")
@pass_face
def profile(face: Face, person: str, by: str, purpose: str) -> None:
    """Read what the vault holds of PERSON; the reading is on record."""
    vault = privacy.open_vault(face.settings)
    told(run(face, lambda s: participants.profile_of(s, vault, person_named(s, person), reader_named(s, by, purpose))))


@person.command(name="change-mobile")
@click.argument("person")
@_mobile
@pass_face
def change_mobile(face: Face, person: str, mobile: str) -> None:
    """PERSON is reached by another mobile number from now on."""
    vault = privacy.open_vault(face.settings)
    run(face, lambda s: participants.change_mobile(s, vault, person_named(s, person), mobile=mobile))
    click.echo("changed")


@person.command(name="change-language")
@click.argument("person")
@click.argument("language", type=click.Choice(["zh", "en"]))
@pass_face
def change_language(face: Face, person: str, language: str) -> None:
    """PERSON is written to in LANGUAGE from now on."""
    _told_person(run(face, lambda s: participants.change_language(s, person_named(s, person), language)))


@person.command()
@click.argument("person")
@_name
@_id_number
@day_option
@pass_face
def prove(face: Face, person: str, name: str, id_number: str, day: datetime | None) -> None:
    """Enter the real name of PERSON; a minor is restricted until a guardian takes over."""
    vault, on = privacy.open_vault(face.settings), on_day(face, day)
    _told_person(run(face, lambda s: participants.prove_real_name(
        s, vault, person_named(s, person), name=name, id_number=id_number, on=on
    )))  # fmt: skip


@person.command(name="register-ward")
@click.argument("guardian")
@_name
@_id_number
@day_option
@pass_face
def register_ward(face: Face, guardian: str, name: str, id_number: str, day: datetime | None) -> None:
    """Register a child of GUARDIAN."""
    vault, on = privacy.open_vault(face.settings), on_day(face, day)

    def work(session: Session) -> participants.Person:
        made = participants.register_ward(session, vault, guardian=person_named(session, guardian), name=name, id_number=id_number, on=on)
        participants.link_handle(session, face.settings, made)
        return made

    _told_person(run(face, work))


@person.command()
@click.argument("guardian")
@click.argument("ward")
@_name
@_id_number
@day_option
@pass_face
def guard(face: Face, guardian: str, ward: str, name: str, id_number: str, day: datetime | None) -> None:
    """GUARDIAN takes over WARD, a minor who is registered already, by the minor's particulars."""
    vault, on = privacy.open_vault(face.settings), on_day(face, day)
    _told_person(run(face, lambda s: participants.become_guardian(
        s, vault, guardian=person_named(s, guardian), ward=person_named(s, ward), name=name, id_number=id_number, on=on
    )))  # fmt: skip


@person.command(name="end-guardianship")
@click.argument("guardian")
@click.argument("ward")
@day_option
@pass_face
def end_guardianship(face: Face, guardian: str, ward: str, day: datetime | None) -> None:
    """GUARDIAN answers for WARD no longer; without another guardian a minor is restricted."""
    on = on_day(face, day)
    _told_person(run(face, lambda s: participants.end_guardianship(s, person_named(s, guardian), person_named(s, ward), on=on)))


@person.command(name="free-grown-up")
@day_option
@pass_face
def free_grown_up(face: Face, day: datetime | None) -> None:
    """Write down who came of age; their rights follow the date alone."""
    on, freed = on_day(face, day), 0
    with face.database() as database:
        while done := database.run(lambda s: participants.free_grown_up(s, on=on)):
            freed += done
    click.echo(f"{freed} came of age")


@person.command()
@click.argument("person")
@day_option
@click.confirmation_option(prompt="This cannot be undone. Erase this person?", help="Do not ask again.")
@pass_face
def erase(face: Face, person: str, day: datetime | None) -> None:
    """Destroy what is known of PERSON; remaining credits go to the cancellation pool."""
    # Every other command would wait for these to be imported.
    from carbonhui import api, export

    vault, on = privacy.open_vault(face.settings), on_day(face, day)

    def work(session: Session) -> participants.Erased:
        found = person_named(session, person)
        done = export.erase(session, vault, found, on=on, clock=face.clock, by="staff")
        api.forget_answers(session, f"person:{found.id}")
        return done

    with face.database() as database:
        erased = database.run(work)
        export.forget_files(database, face.settings)
    click.echo(f"erased; {erased.credits} credits cancelled, {erased.links} links ended, {erased.consents} consents taken back")


# Organisations --------------------------------------------------------------------------------------


@click.group()
def organisation() -> None:
    """Take organisations in: apply, propose, decide. ORGANISATION is a handle or a number."""


@organisation.command()
@click.argument("kind", type=click.Choice(list(participants.KINDS)))
@click.option("--name", required=True, help="The name of the organisation.")
@click.option("--credit-code", required=True, help="Its unified social credit code (GB 32100).")
@click.option("--contact-name", prompt=True, help="Its contact person; asked for when not given.")
@click.option("--contact-mobile", prompt=True, help="The contact person's mobile number; asked for when not given.")
@day_option
@pass_face
def apply(
    face: Face, kind: str, name: str, credit_code: str, contact_name: str, contact_mobile: str, day: datetime | None
) -> None:
    """Enter the application of an organisation of KIND."""
    vault, on = privacy.open_vault(face.settings), on_day(face, day)
    _told_organisation(run(face, lambda s: participants.apply_as_organisation(
        s, vault, kind=kind, name=name, credit_code=credit_code, contact_name=contact_name,
        contact_mobile=contact_mobile, on=on,
    )))  # fmt: skip


def _told_organisation(found: participants.Organisation) -> None:
    told({
        "organisation": found.id, "handle": found.handle, "kind": found.kind, "name": found.name,
        "credit code": found.credit_code, "state": found.state, "account": found.account_id, "cash account": found.cash_account_id,
    })  # fmt: skip


@organisation.command(name="list")
@click.option("--kind", type=click.Choice(list(participants.KINDS)), help="Of this kind only.")
@click.option("--state", type=click.Choice(["applied", "approved", "suspended", "closed"]), help="In this state only.")
@click.option("--after", type=int, default=0, help="From the one after this number on.")
@pass_face
def list_organisations(face: Face, kind: str | None, state: str | None, after: int) -> None:
    """Up to fifty organisations, in the order in which they applied."""
    table = Table()
    for column in ("number", "kind", "name", "credit code", "state", "account"):
        table.add_column(column)
    for each in run(face, lambda s: participants.organisations(s, kind=kind, state=state, after=after)):
        table.add_row(str(each.id), each.kind, each.name, each.credit_code, each.state, str(each.account_id or ""))
    console().print(table)


@organisation.command(name="show")
@click.argument("organisation")
@pass_face
def show_organisation(face: Face, organisation: str) -> None:
    """ORGANISATION, its steps and its members."""
    def work(session: Session) -> tuple[Any, ...]:
        found = organisation_named(session, organisation)
        return found, participants.steps_of(session, found), participants.members_of(session, found)

    found, steps, members = run(face, work)
    _told_organisation(found)
    for step in steps:
        outcome = "waits" if step.agreed is None else f"{'agreed' if step.agreed else 'declined'} by {step.decided_by} on {step.decided_on}"
        click.echo(f"step {step.id}: {step.step}, proposed by {step.proposed_by} on {step.proposed_on}, {outcome}: {step.reason}")
    for member in members:
        click.echo(f"member: person {member.person_id}, {member.role} since {member.since}")


@organisation.command()
@click.argument("organisation")
@click.argument("step", type=click.Choice(["approve", "suspend", "resume", "close"]))
@click.option("--reason", required=True, help="Why; it stays on the record, so it names no person.")
@by_option
@day_option
@pass_face
def propose(face: Face, organisation: str, step: str, reason: str, by: str, day: datetime | None) -> None:
    """Propose STEP for ORGANISATION, as a registrar; print the step's number."""
    on = on_day(face, day)
    asked = run(face, lambda s: participants.propose_step(s, organisation_named(s, organisation), step, reason=reason, by=staff_named(s, by), on=on))
    click.echo(asked.id)


@organisation.command()
@click.argument("step", type=int)
@click.option("--agree/--decline", required=True, help="Whether it takes effect.")
@by_option
@day_option
@pass_face
def decide(face: Face, step: int, agree: bool, by: str, day: datetime | None) -> None:
    """Decide STEP, as an approver who did not propose it."""
    on = on_day(face, day)
    _told_organisation(run(face, lambda s: participants.decide_step(s, step, agreed=agree, by=staff_named(s, by), on=on)))


@organisation.command(name="open-steps")
@pass_face
def open_steps(face: Face) -> None:
    """The steps that wait for a decision, oldest first."""
    for step in run(face, participants.open_steps):
        click.echo(f"{step.id}: {step.step} organisation {step.organisation_id}, proposed by {step.proposed_by} on {step.proposed_on}: {step.reason}")


@organisation.command()
@click.argument("organisation")
@by_option
@click.option("--purpose", required=True, help="What it is read for.")
@pass_face
def contact(face: Face, organisation: str, by: str, purpose: str) -> None:
    """Read the contact person of ORGANISATION; the reading is on record."""
    vault = privacy.open_vault(face.settings)
    told(run(face, lambda s: participants.contact_of(s, vault, organisation_named(s, organisation), reader_named(s, by, purpose))))


@organisation.command(name="change-contact")
@click.argument("organisation")
@click.option("--contact-name", prompt=True, help="The new contact person; asked for when not given.")
@click.option("--contact-mobile", prompt=True, help="Their mobile number; asked for when not given.")
@pass_face
def change_contact(face: Face, organisation: str, contact_name: str, contact_mobile: str) -> None:
    """Another person answers for ORGANISATION; the former's data is destroyed."""
    vault = privacy.open_vault(face.settings)
    run(face, lambda s: participants.change_contact(
        s, vault, organisation_named(s, organisation), contact_name=contact_name, contact_mobile=contact_mobile
    ))  # fmt: skip
    click.echo("changed")


@organisation.command(name="add-member")
@click.argument("organisation")
@click.argument("person")
@click.argument("role", type=click.Choice(list(participants.MEMBER_ROLES)))
@day_option
@pass_face
def add_member(face: Face, organisation: str, person: str, role: str, day: datetime | None) -> None:
    """PERSON acts for ORGANISATION in ROLE from a day on; who is a member already gets that role."""
    on = on_day(face, day)

    def work(session: Session) -> None:
        where, who = organisation_named(session, organisation), person_named(session, person)
        known = any(member.organisation_id == where.id for member in participants.memberships_of(session, who))
        (participants.change_role if known else participants.add_member)(session, where, who, role=role, on=on)

    run(face, work)
    click.echo(f"{role} from {on} on")


@organisation.command(name="end-member")
@click.argument("organisation")
@click.argument("person")
@day_option
@pass_face
def end_member(face: Face, organisation: str, person: str, day: datetime | None) -> None:
    """PERSON acts for ORGANISATION no longer."""
    on = on_day(face, day)
    run(face, lambda s: participants.end_membership(s, organisation_named(s, organisation), person_named(s, person), on=on))
    click.echo("ended")


COMMANDS = (person, organisation, *staffing.COMMANDS)
