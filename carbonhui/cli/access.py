"""Organisations' keys, the keys that sign tokens, devices and sessions, by hand."""

from pathlib import Path
from uuid import UUID

import click
from rich.table import Table
from sqlalchemy.orm import Session

from carbonhui import access, participants, privacy
from carbonhui.cli.context import Face, console, pass_face

_BY = click.option("--by", required=True, help="The pseudonym of the person who does this; it stands in the read audit.")


@click.group()
def key() -> None:
    """The keys by which organisations sign their requests."""


@key.command()
@click.argument("organisation")
@click.option("--algorithm", type=click.Choice(["ed25519", "hmac-sha256"]), default="ed25519", help="How requests are signed.")
@click.option("--public-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The public half of an ed25519 key, in PEM or base64.")
@click.option("--label", required=True, help="What the organisation calls the key.")
@pass_face
def issue(face: Face, organisation: str, algorithm: str, public_key: Path | None, label: str) -> None:
    """Give ORGANISATION (its number or handle) a key, and print its name; a shared secret is printed this once."""
    given = None if public_key is None else public_key.read_text(encoding="ascii", errors="replace")
    vault = privacy.open_vault(face.settings)
    with face.database() as database:
        made = database.run(lambda s: access.issue_api_key(
            s, vault, organisation=_organisation(s, organisation), algorithm=algorithm, label=label, clock=face.clock,  # type: ignore[arg-type]
            public_key=given,
        ))  # fmt: skip
    click.echo(made.key_id)
    if made.secret_once is not None:
        click.echo(made.secret_once)


@key.command(name="list")
@click.argument("organisation")
@pass_face
def list_keys(face: Face, organisation: str) -> None:
    """Every key of ORGANISATION, revoked ones too."""
    with face.database() as database:
        found = database.run(lambda s: access.api_keys_of(s, _organisation(s, organisation)))
    table = Table(title="Keys")
    for column in ("key", "label", "algorithm", "since", "revoked"):
        table.add_column(column)
    for each in found:
        revoked = "" if each.revoked_at is None else f"{each.revoked_at:%Y-%m-%d %H:%M}"
        table.add_row(each.key_id, each.label, each.algorithm, f"{each.made_at:%Y-%m-%d %H:%M}", revoked)
    console().print(table)


@key.command()
@click.argument("key_id")
@pass_face
def revoke(face: Face, key_id: str) -> None:
    """Believe nothing more that KEY_ID signs."""
    with face.database() as database:
        database.run(lambda s: access.revoke_api_key(s, key_id, clock=face.clock))
    click.echo(f"revoked: {key_id}")


@click.group(name="signing-key")
def signing_key() -> None:
    """The keys that sign access tokens."""


@signing_key.command()
@click.option("--leaked", is_flag=True, help="Believe nothing that the old keys signed, and let the new one sign at once.")
@pass_face
def rotate(face: Face, leaked: bool) -> None:
    """Publish a new key that signs from an hour from now on, and print its name."""
    vault = privacy.open_vault(face.settings)
    with face.database() as database:
        kid = database.run(lambda s: access.rotate_signing_key(s, vault, clock=face.clock, leaked=leaked))
    click.echo(kid)


@click.group()
def device() -> None:
    """The devices on which a person is signed in."""


@device.command(name="list")
@click.argument("person", type=click.UUID)
@_BY
@pass_face
def list_devices(face: Face, person: UUID, by: str) -> None:
    """The devices of PERSON (a handle); the person sees who looked."""
    vault = privacy.open_vault(face.settings)
    reader = privacy.Reader(actor=by, role="command-line", purpose="devices")
    with face.database() as database:
        found = database.run(lambda s: access.devices_of(s, vault, participants.person_by_handle(s, person), reader))
    table = Table(title="Devices")
    for column in ("device", "label", "signed in", "last seen"):
        table.add_column(column)
    for each in found:
        table.add_row(str(each.handle), each.label, f"{each.signed_in_at:%Y-%m-%d %H:%M}", f"{each.seen_at:%Y-%m-%d %H:%M}")
    console().print(table)


@device.command(name="sign-out")
@click.argument("person", type=click.UUID)
@click.argument("device", type=click.UUID, required=False)
@pass_face
def sign_out(face: Face, person: UUID, device: UUID | None) -> None:
    """Sign out one DEVICE of PERSON (both handles), or every one."""
    vault = privacy.open_vault(face.settings)

    def end(session: Session) -> int:
        found = participants.person_by_handle(session, person)
        if device is None:
            return access.sign_out_everywhere(session, vault, found, clock=face.clock, by="staff")
        access.sign_out(session, vault, found, device, clock=face.clock, by="staff")
        return 1

    with face.database() as database:
        ended = database.run(end)
    click.echo(f"signed out: {ended}")


@click.group()
def session() -> None:
    """The sessions of staff."""


@session.command()
@click.argument("login")
@pass_face
def end(face: Face, login: str) -> None:
    """End every session of the member of staff with this LOGIN."""
    with face.database() as database:
        ended = database.run(lambda s: access.staff_sign_out_everywhere(
            s, participants.staff_member(s, login).id, clock=face.clock
        ))  # fmt: skip
    click.echo(f"ended: {ended}")


def _organisation(session: Session, told: str) -> int:
    if told.isascii() and told.isdigit() and len(told) < 19:
        return participants.organisation(session, int(told)).id
    return participants.organisation_by_handle(session, told).id


COMMANDS = (key, signing_key, device, session)
