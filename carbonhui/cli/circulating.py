"""Giving and the life of credits, by hand: what the clock does, and what waits (Article 18)."""

from datetime import datetime

import click
from rich.table import Table

from carbonhui import circulation
from carbonhui.cli.context import Face, console, pass_face
from carbonhui.cli.naming import day_option, on_day, person_named

_MOST = click.option("--most", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="The most in one transaction.")


@click.group(name="circulation")
def circulation_commands() -> None:
    """Gifts and requests that wait, and credits past their years (Article 18)."""


@circulation_commands.command(name="lapse-gifts")
@day_option
@_MOST
@pass_face
def lapse_gifts(face: Face, day: datetime | None, most: int) -> None:
    """End the gifts and requests that nobody answered in time; the givers have their credits again."""
    on = on_day(face, day)
    with face.database() as database:
        ended = 0
        while found := database.run(lambda s: circulation.lapse_gifts(s, on=on, most=most)):
            ended += found
    click.echo(f"{ended} ended")


@circulation_commands.command(name="expire-credits")
@day_option
@_MOST
@pass_face
def expire_credits(face: Face, day: datetime | None, most: int) -> None:
    """Move persons' credits that are past their last year to the cancellation pool, if the city's rule ends them."""
    on = on_day(face, day)
    with face.database() as database:
        moved = circulation.expire_all_credits(database, on=on, most=most)
    click.echo(f"{moved} movements")


@circulation_commands.command(name="waiting")
@click.argument("person")
@day_option
@pass_face
def waiting(face: Face, person: str, day: datetime | None) -> None:
    """What waits by or for PERSON; nothing personal."""
    on = on_day(face, day)
    with face.database() as database:
        who = database.run(lambda s: person_named(s, person))
        gifts = database.run(lambda s: [
            *circulation.gifts_of(s, who, given=True, on=on), *circulation.gifts_of(s, who, given=False, on=on),
        ])  # fmt: skip
        requests = database.run(lambda s: [
            *circulation.requests_of(s, who, made=True, on=on), *circulation.requests_of(s, who, made=False, on=on),
        ])  # fmt: skip
    table = Table(title="Waiting")
    for column in ("what", "handle", "credits", "until"):
        table.add_column(column)
    for gift in gifts:
        if gift.state == "waiting":
            side = "gift from them" if gift.giver == who.account_id else "gift to them"
            table.add_row(side, str(gift.handle), f"{gift.credits:,}", str(gift.until))
    for request in requests:
        if request.state == "waiting":
            side = "request from them" if request.asker == who.account_id else "request to them"
            table.add_row(side, str(request.handle), f"{request.credits:,}", str(request.until))
    console().print(table)


COMMANDS = (circulation_commands,)
