"""Answering: the HTTP API with everything it needs, and its document.

The rooms are imported when they are needed, because every command would wait for them.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click

from carbonhui import privacy
from carbonhui.cli.clockwork import STOPPING, jobs
from carbonhui.cli.context import Face, pass_face
from carbonhui.core.database import Database


@click.command()
@click.option("--no-schedule", is_flag=True, help="Leave the daily work to another process: carbonhui schedule run.")
@pass_face
def serve(face: Face, no_schedule: bool) -> None:
    """Answer the HTTP API until Ctrl-C or SIGTERM, with the database open and the schedule running.

    Told to stop, it says on /readyz that it is stopping, finishes what it began, and ends.
    """
    from carbonhui import api

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
    from carbonhui import schedule

    vault = privacy.open_vault(face.settings)
    # The schedule's threads inherit this: a signal reaches the main thread, which serves, and interrupts nobody's work.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    running = schedule.start(database, face.settings, vault, face.clock, jobs=jobs())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    try:
        yield
    finally:
        ended = running.stop()
    if not ended:
        click.echo("A job is cut off; it goes on where it was at the next start.", err=True)
        # Its threads would hold the program; every job survives what a kill would do to it.
        os._exit(0)


@click.command()
@pass_face
def openapi(face: Face) -> None:
    """Print the OpenAPI 3.1 document of the HTTP API; no database is needed."""
    from carbonhui import api

    click.echo(api.document(face.settings))


COMMANDS = (serve, openapi)
