"""Answering: the HTTP API with everything it needs, and its document."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from carbonhui import api, privacy, schedule
from carbonhui.cli.context import Face, pass_face
from carbonhui.core.clock import SystemClock
from carbonhui.core.database import Database


@click.command()
@click.option("--no-schedule", is_flag=True, help="Leave the daily work to another process: carbonhui schedule run.")
@pass_face
def serve(face: Face, no_schedule: bool) -> None:
    """Answer the HTTP API until Ctrl-C or SIGTERM, with the database open and the schedule running.

    Told to stop, it says on /readyz that it is stopping, finishes what it began, and ends.
    """
    settings = face.settings
    with face.database() as database, _schedule(face, database, wanted=not no_schedule):
        where = database.server.url() if database.server else "the address in DATABASE_URL"
        click.echo(
            f"The books of the profile {settings.profile} are open.\n  psql '{where}'\n"
            f"  http://{settings.host}:{settings.port}/v1/docs\nCtrl-C closes them."
        )
        api.serve(settings)


@contextmanager
def _schedule(face: Face, database: Database, *, wanted: bool) -> Iterator[None]:
    """The one place where the schedule runs beside the API: in the main process, never in a worker."""
    if not wanted:
        yield
        return
    running = schedule.start(database, face.settings, privacy.open_vault(face.settings), SystemClock())
    try:
        yield
    finally:
        running.stop()


@click.command()
@pass_face
def openapi(face: Face) -> None:
    """Print the OpenAPI 3.1 document of the HTTP API; no database is needed."""
    click.echo(api.document(face.settings))


COMMANDS = (serve, openapi)
