"""Staff, and links with proof of control, by hand."""

from datetime import datetime
from uuid import UUID

import click

from carbonhui import participants, privacy
from carbonhui.cli.context import Face, pass_face
from carbonhui.cli.naming import (
    by_option,
    day_option,
    identifier_option,
    on_day,
    organisation_named,
    person_named,
    reader_named,
    run,
    staff_named,
)

_password = click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, help="The password; asked for when it is not given."
)
_role = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(participants.ROLES), help="A role; several may be given."
)

# Staff ----------------------------------------------------------------------------------------------


@click.group()
def staff() -> None:
    """Add and dismiss staff, and change what they may do. LOGIN is a pseudonym, not a name."""


def _shown_once(added: participants.Added) -> None:
    click.echo(f"second factor of {added.staff.login}, shown this once: {added.secret}")
    click.echo(added.uri)


@staff.command(name="add")
@click.argument("login")
@_role
@_password
@pass_face
def add_staff(face: Face, login: str, roles: tuple[str, ...], password: str) -> None:
    """Add LOGIN and print the secret of its second factor, once."""
    vault = privacy.open_vault(face.settings)
    _shown_once(run(face, lambda s: participants.add_staff(s, vault, login=login, password=password, roles=roles)))


@staff.command(name="list")
@pass_face
def list_staff(face: Face) -> None:
    """Everybody who is or was of the staff."""
    for each in run(face, participants.staff_members):
        click.echo(f"{each.id}: {each.login}, {each.state}, {', '.join(sorted(each.roles))}")


@staff.command(name="change-roles")
@click.argument("login")
@_role
@pass_face
def change_roles(face: Face, login: str, roles: tuple[str, ...]) -> None:
    """LOGIN has these roles from now on and no others."""
    changed = run(face, lambda s: participants.change_roles(s, staff=staff_named(s, login), roles=roles))
    click.echo(", ".join(sorted(changed.roles)))


@staff.command(name="change-password")
@click.argument("login")
@_password
@pass_face
def change_password(face: Face, login: str, password: str) -> None:
    """Give LOGIN another password."""
    run(face, lambda s: participants.change_password(s, staff=staff_named(s, login), password=password))
    click.echo("changed")


@staff.command(name="renew-second-factor")
@click.argument("login")
@pass_face
def renew_second_factor(face: Face, login: str) -> None:
    """Give LOGIN a new second factor in the place of a lost one."""
    vault = privacy.open_vault(face.settings)
    _shown_once(run(face, lambda s: participants.renew_totp(s, vault, staff=staff_named(s, login))))


@staff.command()
@click.argument("login")
@pass_face
def unlock(face: Face, login: str) -> None:
    """Open LOGIN, which failures closed."""
    run(face, lambda s: participants.unlock_staff(s, staff=staff_named(s, login)))
    click.echo("open")


@staff.command()
@click.argument("login")
@pass_face
def dismiss(face: Face, login: str) -> None:
    """LOGIN left, for good."""
    run(face, lambda s: participants.dismiss_staff(s, staff=staff_named(s, login)))
    click.echo("dismissed")


# Links ----------------------------------------------------------------------------------------------


@click.group()
def link() -> None:
    """Link identifiers to persons, with proof of control."""


@link.command()
@click.argument("organisation")
@click.argument("scheme")
@by_option
@day_option
@pass_face
def entrust(face: Face, organisation: str, scheme: str, by: str, day: datetime | None) -> None:
    """ORGANISATION vouches for identifiers of SCHEME from a day on."""
    on = on_day(face, day)
    run(face, lambda s: participants.entrust_scheme(s, organisation_named(s, organisation), scheme, by=staff_named(s, by), on=on))
    click.echo(f"{scheme} from {on} on")


@link.command()
@click.argument("organisation")
@click.argument("scheme")
@by_option
@day_option
@pass_face
def distrust(face: Face, organisation: str, scheme: str, by: str, day: datetime | None) -> None:
    """ORGANISATION vouches for identifiers of SCHEME no longer."""
    on = on_day(face, day)
    run(face, lambda s: participants.withdraw_scheme(s, organisation_named(s, organisation), scheme, by=staff_named(s, by), on=on))
    click.echo(f"{scheme} until {on}")


@link.command()
@click.argument("organisation")
@click.argument("scheme")
@identifier_option
@day_option
@pass_face
def code(face: Face, organisation: str, scheme: str, identifier: str, day: datetime | None) -> None:
    """Print a code for ORGANISATION to deliver to the holder of an identifier of SCHEME."""
    vault, on = privacy.open_vault(face.settings), on_day(face, day)
    issued = run(face, lambda s: participants.issue_link_code(
        s, vault, face.settings, organisation=organisation_named(s, organisation), scheme=scheme, identifier=identifier,
        on=on, now=face.clock.now(),
    ))  # fmt: skip
    click.echo(issued.code)


@link.command()
@click.argument("person")
@click.argument("scheme")
@identifier_option
@click.option("--code", help="The code that was delivered.")
@click.option("--ask", metavar="ORGANISATION", help="Ask this institution to confirm instead.")
@day_option
@pass_face
def claim(
    face: Face, person: str, scheme: str, identifier: str, code: str | None, ask: str | None, day: datetime | None
) -> None:
    """PERSON claims an identifier of SCHEME, by a code or by asking its institution."""
    if (code is None) == (ask is None):
        raise click.UsageError("give either --code or --ask")
    vault, on = privacy.open_vault(face.settings), on_day(face, day)
    claimed = run(face, lambda s: participants.claim_link(
        s, vault, face.settings, person_named(s, person), scheme=scheme, identifier=identifier, on=on, now=face.clock.now(),
        proof=participants.CodeProof(code) if code else participants.ConfirmationProof(organisation_named(s, ask or "")),
    ))  # fmt: skip
    # The try was counted and is committed by now.
    if claimed.refusal is not None:
        raise claimed.refusal
    click.echo(f"{'linked' if claimed.link else 'asked'}: {claimed.handle}")


@link.command(name="list")
@click.argument("person")
@by_option
@click.option("--purpose", required=True, help="What it is read for; PERSON can see it.")
@pass_face
def list_links(face: Face, person: str, by: str, purpose: str) -> None:
    """The identifiers of PERSON by their last characters; the reading is on record."""
    vault = privacy.open_vault(face.settings)
    found = run(face, lambda s: participants.links_of(s, vault, person_named(s, person), reader_named(s, by, purpose)))
    for each in found:
        click.echo(f"{each.handle}: {each.scheme} ...{each.tail}, {each.since} to {each.until or 'now'}")


@link.command()
@click.argument("person")
@click.argument("handle", type=click.UUID)
@day_option
@pass_face
def end(face: Face, person: str, handle: UUID, day: datetime | None) -> None:
    """PERSON holds the identifier for the last time today."""
    on = on_day(face, day)
    run(face, lambda s: participants.end_link(s, person_named(s, person), handle, on=on))
    click.echo(f"ended after {on}")


@link.command()
@click.argument("organisation")
@by_option
@pass_face
def claims(face: Face, organisation: str, by: str) -> None:
    """What ORGANISATION is asked to confirm; each person can see that it was read."""
    vault = privacy.open_vault(face.settings)
    found = run(face, lambda s: participants.claims_for(s, vault, organisation_named(s, organisation), reader_named(s, by, "link claim")))
    for each in found:
        click.echo(f"{each.handle}: {each.scheme} {each.identifier}, {each.name}, since {each.asked_on}")


@link.command()
@click.argument("organisation")
@click.argument("handle", type=click.UUID)
@click.option("--confirm/--refuse", required=True, help="Whether name and identifier belong together.")
@by_option
@day_option
@pass_face
def decide(face: Face, organisation: str, handle: UUID, confirm: bool, by: str, day: datetime | None) -> None:
    """Enter what ORGANISATION answered to a claim."""
    vault, on = privacy.open_vault(face.settings), on_day(face, day)
    run(face, lambda s: participants.decide_claim(
        s, vault, organisation_named(s, organisation), handle, confirmed=confirm, reader=reader_named(s, by, "link claim"), on=on
    ))  # fmt: skip
    click.echo("confirmed" if confirm else "refused")


@link.command()
@click.argument("person")
@click.argument("handle", type=click.UUID)
@pass_face
def withdraw(face: Face, person: str, handle: UUID) -> None:
    """PERSON asks for the identifier no longer."""
    vault = privacy.open_vault(face.settings)
    run(face, lambda s: participants.withdraw_claim(s, vault, person_named(s, person), handle))
    click.echo("withdrawn")


COMMANDS = (staff, link)
