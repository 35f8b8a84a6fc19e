"""The vault of personal data: its keys, their rotation, and dumps that keep keys and data apart."""

from collections.abc import Callable
from pathlib import Path

import click
from rich.table import Table

from carbonhui import privacy
from carbonhui.cli.context import Face, console, pass_face, progress_on

_resume = click.option("--resume", is_flag=True, help="Go on with the newest key instead of making another.")
_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_known_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def vault() -> None:
    """Keys of personal data: rotation, and dumps apart from the data."""


@vault.command()
@pass_face
def keys(face: Face) -> None:
    """Which keys the personal data is under, and which are retired."""
    opened = privacy.open_vault(face.settings)
    with face.database() as database, database.begin() as session:
        states = privacy.keys_in_use(session)
    table = Table(title=f"{opened!r}, wrapping by kek {opened.keeper.current()}")
    for column in ("key", "entries", "algorithms", ""):
        table.add_column(column, justify="right" if column == "entries" else "left")
    for state in states:
        table.add_row(state.name, f"{state.entries:,}", ", ".join(state.algorithms), "retired" if state.retired else "")
    console().print(table)


@vault.command(name="rotate-kek")
@_resume
@pass_face
def rotate_kek(face: Face, resume: bool) -> None:
    """Make a new key-encryption key and wrap every data key by it."""
    opened = privacy.open_vault(face.settings)
    with face.database() as database:
        if not resume:
            privacy.new_kek(opened)
        done, _ = _in_batches(
            lambda after: database.run(lambda s: privacy.rotate_kek(s, opened, after=after)), "Data keys wrapped"
        )
    click.echo(f"{done} data keys wrapped by kek {opened.keeper.current()}")


@vault.command(name="drop-kek")
@click.argument("kek")
@pass_face
def drop_kek(face: Face, kek: str) -> None:
    """Retire the old key KEK, of which nothing is left, and destroy its file.

    Dumps of keys made before the rotation need it; make a new one first.
    """
    opened = privacy.open_vault(face.settings)
    with face.database() as database:
        database.run(lambda s: privacy.retire_kek(s, opened, kek))
        database.run(lambda s: privacy.drop_kek(s, opened, kek))
    click.echo(f"dropped: kek {kek}")


@vault.command(name="rotate-index")
@click.argument("scheme")
@click.option("--field", help="The field that holds the text; by default the one named as the scheme.")
@click.option("--by", required=True, help="The pseudonym of the person who does this; persons see it.")
@_resume
@pass_face
def rotate_index(face: Face, scheme: str, field: str | None, by: str, resume: bool) -> None:
    """Make a new key for SCHEME and index every live subject by it too."""
    opened = privacy.open_vault(face.settings)
    reader = privacy.Reader(actor=by, role="operator", purpose="index_rotation")
    with face.database() as database:
        if not resume:
            privacy.new_index_key(opened, scheme)
        done, astray = _in_batches(
            lambda after: database.run(
                lambda s: privacy.rotate_index(s, opened, scheme, field=field or scheme, reader=reader, after=after)
            ),
            "Subjects indexed",
        )
    click.echo(f"{done} subjects indexed by {scheme} {opened.index_keys(scheme)[0].version}")
    if astray:
        click.echo("astray, because their field does not give their index: " + ", ".join(map(str, astray)))


@vault.command(name="drop-index-key")
@click.argument("scheme")
@click.argument("version", type=click.IntRange(1))
@pass_face
def drop_index_key(face: Face, scheme: str, version: int) -> None:
    """Retire an old key of SCHEME that nobody is found by alone, and destroy it with its rows."""
    opened = privacy.open_vault(face.settings)
    with face.database() as database:
        database.run(lambda s: privacy.retire_index_key(s, opened, scheme, version))
        while database.run(lambda s: privacy.drop_index_key(s, opened, scheme, version)):
            pass
    click.echo(f"dropped: index {scheme} {version}")


@vault.command(name="new-service-key")
@pass_face
def new_service_key(face: Face) -> None:
    """Make a new key for the secrets of services; older ones stay readable."""
    click.echo(f"service {privacy.new_service_key(privacy.open_vault(face.settings))}")


@vault.command(name="dump-data")
@_file
@pass_face
def dump_data(face: Face, file: Path) -> None:
    """Write the whole store to FILE, for pg_restore, without data keys and blind indexes."""
    with face.database() as database:
        privacy.dump_data(database.parameters, face.settings, file.absolute())
    click.echo(f"written: {file}")


@vault.command(name="dump-keys")
@_file
@pass_face
def dump_keys(face: Face, file: Path) -> None:
    """Write data keys, blind indexes and erasures to FILE; keep it for a short time only."""
    click.echo(f"{_dumped(face, privacy.dump_keys, file)} rows written: {file}")


@vault.command(name="dump-erased")
@_file
@pass_face
def dump_erased(face: Face, file: Path) -> None:
    """Write to FILE who was erased and when; keep the newest for good."""
    click.echo(f"{_dumped(face, privacy.dump_erased, file)} erased subjects written: {file}")


@vault.command(name="restore-keys")
@click.argument("file", type=_known_file)
@click.option("--erased", type=_known_file, required=True, help="The newest list that dump-erased wrote.")
@pass_face
def restore_keys(face: Face, file: Path, erased: Path) -> None:
    """Bring the keys in FILE back to restored data, but of nobody who was erased."""
    opened = privacy.open_vault(face.settings)
    with face.database() as database:
        told = database.run(lambda s: privacy.restore_keys(s, opened, keys=file, erased=erased))
    click.echo(f"{told.keys} data keys and {told.indexes} indexes restored")
    click.echo(f"{told.refused} refused, because their subjects were erased; {told.unknown} of subjects that are not here")


def _dumped(face: Face, dump: Callable[..., int], file: Path) -> int:
    with face.database() as database, database.begin() as session:
        return dump(session, file.absolute())


def _in_batches(one: Callable[[int], privacy.Batch], says: str) -> tuple[int, list[int]]:
    """Batch after batch to the end; how many were done and who is astray."""
    done, after = 0, 0
    astray: list[int] = []
    with progress_on(console()) as progress:
        task = progress.add_task(says, total=None)
        while True:
            batch = one(after)
            done += batch.done
            astray += batch.astray
            progress.update(task, completed=done)
            if batch.last is None:
                return done, astray
            after = batch.last


COMMANDS = (vault,)
