"""Settlements of merchants: making them for a day, listing them, writing their statements."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table

from carbonhui import merchants
from carbonhui.cli.books import account_number
from carbonhui.cli.context import Face, console, pass_face
from carbonhui.cli.naming import on_day

_from = click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day of settlement.")
_until = click.option("--until", "last", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The last day of settlement.")


@click.group(name="settlement")
def settlement_commands() -> None:
    """What merchants received, on its way to the cancellation pool (Article 20)."""


@settlement_commands.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Settle through the day before this one; without it, through yesterday.")
@pass_face
def day(face: Face, day: datetime | None) -> None:
    """Settle every merchant through yesterday, as the clock does. Who is settled already is passed over."""
    with face.database() as database:
        done = merchants.settle_day(database, on=on_day(face, day))
    click.echo(f"{done.settlements:,} settlements, {done.credits:,} credits to the cancellation pool")
    for merchant, code in done.refused:
        click.echo(f"merchant {merchant}: {code}", err=True)


@settlement_commands.command(name="list")
@click.argument("merchant")
@click.option("--most", type=click.IntRange(1, 1000), default=31, show_default=True, help="Lines on the page.")
@click.option("--before", type=int, help="The number of the last settlement on the page before.")
@pass_face
def list_settlements(face: Face, merchant: str, most: int, before: int | None) -> None:
    """The settlements of the account MERCHANT, newest first."""
    with face.database() as database, database.begin() as session:
        found = merchants.settlements_of(session, account_number(session, merchant), before=before, limit=most)
    table = Table(title=f"Settlements of {merchant}")
    for column in ("number", "day", "brought", "received", "given", "settled", "carried", "settlement"):
        table.add_column(column, justify="left" if column in ("day", "settlement") else "right")
    for one in found:
        figures = (one.brought, one.received, one.given, one.credits, one.carried)
        table.add_row(str(one.number), one.day.isoformat(), *(f"{figure:,}" for figure in figures), str(one.handle))
    console().print(table)


@settlement_commands.command()
@click.argument("merchant")
@_from
@_until
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A file named .csv or .xlsx.")
@pass_face
def statement(face: Face, merchant: str, first: datetime, last: datetime, to: Path) -> None:
    """Write the statement of the account MERCHANT for some days to a file that only you may read."""
    if to.suffix not in (".csv", ".xlsx"):
        raise click.BadParameter("the file's name ends with .csv or .xlsx", param_hint="--to")
    with face.database() as database, database.begin() as session:
        found = merchants.settlements_between(session, account_number(session, merchant), first=first.date(), last=last.date())
        draft = to.with_name(f".{to.name}.draft")
        try:
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                (merchants.write_csv if to.suffix == ".csv" else merchants.write_xlsx)(session, found, file)
            draft.replace(to)
        except OSError as problem:
            raise click.FileError(str(to), problem.strerror) from problem
        finally:
            draft.unlink(missing_ok=True)
    click.echo(f"{to}: {len(found)} settlements, {_settled(found):,} credits settled")


def _settled(found: Sequence[merchants.Settlement]) -> int:
    return sum(one.credits for one in found)


COMMANDS = (settlement_commands,)
