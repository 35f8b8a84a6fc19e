"""Pools by hand: reading them, and giving back what those that are over owe (Articles 18, 22)."""

from datetime import datetime
from uuid import UUID

import click
from rich.table import Column, Table

from carbonhui import circulation
from carbonhui.cli.context import Face, console, pass_face
from carbonhui.cli.naming import day_option, on_day, run, told


@click.group(name="pool")
def pool_commands() -> None:
    """Pools of credits with a goal (Articles 18, 22)."""


@pool_commands.command(name="list")
@click.option("--state", type=click.Choice(["open", "reached", "missed", "cancelled", "ended"]), help="Only pools in this state.")
@click.option("--most", type=click.IntRange(1, 1000), default=50, help="How many at most.")
@pass_face
def list_pools(face: Face, state: str | None, most: int) -> None:
    """Pools, the newest first; never who put credits in."""
    found = run(face, lambda session: circulation.pools(session, state=state, limit=most))
    table = Table(Column("pool", no_wrap=True), "purpose", "goal", "contributed", "contributors", "returned", "state", "deadline")
    for one in found:
        numbers = (one.goal_credits, one.contributed, one.contributors, one.returned)
        table.add_row(str(one.handle), one.purpose, *map(str, numbers), one.state, str(one.deadline))
    console().print(table)


@pool_commands.command(name="show")
@click.argument("handle", type=click.UUID)
@pass_face
def show_pool(face: Face, handle: UUID) -> None:
    """One pool and what became of its credits."""
    pool = run(face, lambda session: circulation.pool_by_handle(session, handle))
    hidden = ("id", "owner", "own_account", "target")
    told({name: value for name, value in vars(pool).items() if name not in hidden} | {"missing": pool.missing})
    for use in run(face, lambda session: circulation.uses_of(session, pool)):
        click.echo(f"{use.business_date} {use.purpose.name.lower()} {use.credits}")


@pool_commands.command(name="conclude")
@day_option
@click.option("--most", type=click.IntRange(1, 100_000), default=1000, help="The most contributions that go back in one transaction.")
@pass_face
def conclude(face: Face, day: datetime | None, most: int) -> None:
    """End the pools whose time is over and give back what was put in and not used."""
    on, steps = on_day(face, day), 0
    with face.database() as database:
        while done := database.run(lambda session: circulation.conclude_pools(session, on=on, most=most)):
            steps += done
    click.echo(f"{steps} steps: pools that ended or are empty, contributions given back or put off")


COMMANDS = (pool_commands,)
