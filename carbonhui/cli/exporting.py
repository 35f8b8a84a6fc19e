"""A person's copy of everything, written by the platform's office."""

import os
from pathlib import Path

import click

from carbonhui import export, participants, privacy
from carbonhui.cli.context import Face, pass_face


@click.command(name="export")
@click.argument("handle")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A new file: .json or .xlsx.")
@click.option("--by", required=True, help="The pseudonym of who writes the copy; the person sees it.")
@click.option("--case", required=True, help="The number of the person's request; the person sees it.")
@pass_face
def export_person(face: Face, handle: str, to: Path, by: str, case: str) -> None:
    """Write everything that is kept about the person HANDLE to a file that only you may read.

    The form follows the file's name. The copy is on the person's record of readings.
    """
    if to.suffix not in (".json", ".xlsx"):
        raise click.BadParameter("the file's name ends with .json or .xlsx", param_hint="--to")
    write = export.write_json if to.suffix == ".json" else export.write_xlsx
    reader = privacy.Reader(actor=by, role="staff:support", purpose=f"export {case}")
    with face.database() as database, database.begin() as session:
        vault = privacy.open_vault(face.settings)
        person = participants.person_by_handle(session, handle)
        draft = to.with_name(f".{to.name}.draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            write(export.matters(session, vault, face.settings, person, reader), file)
        draft.replace(to)
    click.echo(f"{to}: {to.stat().st_size:,} bytes")


COMMANDS = (export_person,)
