"""A person's copy of everything, written by the platform's office."""

import os
from pathlib import Path

import click

from carbonhui import export, privacy
from carbonhui.cli.context import Face, pass_face
from carbonhui.cli.naming import by_option, person_named, reader_named


@click.command(name="export")
@click.argument("handle")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A file named .json or .xlsx.")
@by_option
@click.option("--purpose", default="export", show_default=True, help="What it is read for; the person can see it.")
@pass_face
def export_person(face: Face, handle: str, to: Path, by: str, purpose: str) -> None:
    """Write everything that is kept about the person HANDLE to a file that only you may read.

    The form follows the file's name. The copy is on the person's record of readings.
    """
    if to.suffix not in (".json", ".xlsx"):
        raise click.BadParameter("the file's name ends with .json or .xlsx", param_hint="--to")
    write = export.write_json if to.suffix == ".json" else export.write_xlsx
    vault, draft = privacy.open_vault(face.settings), to.with_name(f".{to.name}.draft")
    with face.database() as database, database.begin() as session:
        found = export.matters(
            session, vault, face.settings, person_named(session, handle), reader_named(session, by, purpose)
        )
        try:
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                write(found, file)
            draft.replace(to)
        except OSError as problem:
            raise click.FileError(str(to), problem.strerror) from problem
        finally:
            draft.unlink(missing_ok=True)
    click.echo(f"{to}: {to.stat().st_size:,} bytes")


COMMANDS = (export_person,)
