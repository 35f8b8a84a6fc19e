"""The schedule: running it, and looking at what it did.

The room is imported when it is needed, because every command would wait for it.
"""

import os
import signal
from typing import TYPE_CHECKING

import click
from rich.table import Table

from carbonhui import privacy
from carbonhui.cli.context import Face, console, pass_face
from carbonhui.core.clock import CITY_TIME

if TYPE_CHECKING:
    from carbonhui import schedule

STOPPING = {signal.SIGINT, signal.SIGTERM}


def jobs() -> "tuple[schedule.Job, ...]":
    """What the clock does, with what the API keeps and forgets."""
    from carbonhui import api, schedule

    return schedule.with_purge(schedule.JOBS, lambda session, works: api.purge_answers(session))


@click.group(name="schedule")
def schedule_commands() -> None:
    """What the clock does: each due point of each job takes effect once."""


@schedule_commands.command()
@pass_face
def run(face: Face) -> None:
    """Run the schedule until Ctrl-C. Any number may run on one store; one leads."""
    from carbonhui import schedule

    vault = privacy.open_vault(face.settings)
    # Before any thread begins, because threads inherit it: a signal is waited for, and interrupts nobody's work.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    with face.database() as database:
        running = schedule.start(database, face.settings, vault, face.clock, jobs=jobs())
        click.echo(f"The clock runs for the profile {face.settings.profile}. Ctrl-C stops it.")
        signal.sigwait(STOPPING)
        if not running.stop():
            click.echo("A job is cut off; it goes on where it was at the next start.", err=True)
            # Its threads would hold the program; every job survives what a kill would do to it.
            os._exit(0)


@schedule_commands.command()
@pass_face
def status(face: Face) -> None:
    """Each job, its newest due point and how that ended, and when it last took effect (city time)."""
    from carbonhui import schedule

    with face.database() as database, database.begin() as session:
        runs, successes = schedule.last_runs(session), schedule.last_successes(session)
    table = Table(title="The schedule")
    for column in ("job", "by hand", "newest due point", "outcome", "attempts", "last success"):
        table.add_column(column)
    for job in schedule.JOBS:
        last, success = runs.get(job.name), successes.get(job.name)
        ended = f"{last.outcome} ({last.code})" if last and last.code else last.outcome if last else "never"
        table.add_row(
            job.name, ", ".join(job.command),
            f"{last.due.astimezone(CITY_TIME):%Y-%m-%d %H:%M:%S}" if last else "", ended, str(last.attempts) if last else "",
            f"{success.astimezone(CITY_TIME):%Y-%m-%d %H:%M:%S}" if success else "",
        )
    console().print(table)


@schedule_commands.command()
@pass_face
def purge(face: Face) -> None:
    """Forget what was kept for long enough: codes, tokens, answers, due points, quarantine files, rows of the erased."""
    from carbonhui import schedule

    job = next(job for job in jobs() if job.name == "purge")
    vault = privacy.open_vault(face.settings)
    with face.database() as database:
        schedule.run_by_hand(schedule.Works(database, face.settings, vault, face.clock), job)
    click.echo("what expired is forgotten")


COMMANDS = (schedule_commands,)
