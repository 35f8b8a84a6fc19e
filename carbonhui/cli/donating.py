"""Charities' campaigns by hand: proposing, asking for the second signature, reading the report (Article 21)."""

from datetime import datetime
from uuid import UUID

import click
from rich.table import Column, Table

from carbonhui import donation
from carbonhui.cli.context import Face, console, pass_face
from carbonhui.cli.naming import by_option, day_option, on_day, organisation_named, run, staff_named

_DAY = click.DateTime(["%Y-%m-%d"])
_campaign = click.argument("handle", type=click.UUID)


@click.group(name="donation")
def donation_commands() -> None:
    """Charities' campaigns (Article 21)."""


@donation_commands.command(name="campaigns")
@click.option("--state", type=click.Choice(["proposed", "approved", "refused", "ended"]), help="Only campaigns in this state.")
@click.option("--most", type=click.IntRange(1, 1000), default=50, help="How many at most.")
@pass_face
def campaigns(face: Face, state: str | None, most: int) -> None:
    """Campaigns, the newest first."""
    states = (state,) if state else ("proposed", "approved", "refused", "ended")
    table = Table(Column("campaign", no_wrap=True), "title", "first day", "last day", "goal", "state")
    for one in run(face, lambda session: donation.campaigns(session, states=states, limit=most)):
        goal = "" if one.goal_credits is None else str(one.goal_credits)
        table.add_row(str(one.handle), one.title, str(one.first_day), str(one.last_day), goal, one.state)
    console().print(table)


@donation_commands.command(name="propose")
@click.argument("charity")
@click.option("--title", required=True, help="What the campaign is called.")
@click.option("--purpose", required=True, help="What the credits are asked for; it is published.")
@click.option("--from", "first_day", type=_DAY, required=True, help="The first day on which it takes gifts.")
@click.option("--until", "last_day", type=_DAY, required=True, help="The last day on which it takes gifts.")
@click.option("--goal", type=int, help="Credits that it aims at.")
@day_option
@pass_face
def propose(
    face: Face, charity: str, title: str, purpose: str, first_day: datetime, last_day: datetime, goal: int | None, day: datetime | None
) -> None:
    """Propose a campaign in the name of CHARITY, by handle or number; prints the campaign's handle."""
    made = run(face, lambda session: donation.propose_campaign(
        session, organisation_named(session, charity), title=title, purpose=purpose, goal_credits=goal,
        first_day=first_day.date(), last_day=last_day.date(), on=on_day(face, day),
    ))  # fmt: skip
    click.echo(f"campaign {made.handle}")


@donation_commands.command(name="ask")
@_campaign
@click.option("--reason", required=True, help="Why it is to be opened, without anything personal.")
@by_option
@day_option
@pass_face
def ask(face: Face, handle: UUID, reason: str, by: str, day: datetime | None) -> None:
    """Ask for the second signature under a proposed campaign, as a registrar; another member of the staff answers."""
    asked = run(face, lambda session: donation.ask_campaign(
        session, donation.campaign_by_handle(session, handle).id, reason=reason, by=staff_named(session, by), on=on_day(face, day)
    ))  # fmt: skip
    click.echo(f"countersignature {asked.id}")


@donation_commands.command(name="report")
@_campaign
@pass_face
def report(face: Face, handle: UUID) -> None:
    """What a campaign received, by kind of givers, and what became of it; never who gave."""
    found = run(face, lambda session: donation.report_of(session, donation.campaign_by_handle(session, handle)))
    table = Table("", "credits")
    for one in found.received:
        table.add_row(f"from {one.gifts} gifts of the kind {one.kind.name.lower()}", str(one.credits))
    for what, credits in found.used.items():
        table.add_row(what, str(credits))
    table.add_row("left", str(found.left))
    console().print(table)


COMMANDS = (donation_commands,)
