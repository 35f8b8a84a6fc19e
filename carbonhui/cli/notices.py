"""Webhooks: where organisations want to be told, and what could not be."""

import click
from rich.table import Table

from carbonhui import notifications, policy, privacy
from carbonhui.cli.context import Face, console, pass_face


@click.group()
def webhook() -> None:
    """Where organisations want to be told (Standard Webhooks 1.0.0), and what could not be."""


@webhook.command()
@click.argument("organisation", type=int)
@click.argument("url")
@click.option("--topic", "topics", multiple=True, required=True, help="What to tell; may be said more than once.")
@pass_face
def add(face: Face, organisation: int, url: str, topics: tuple[str, ...]) -> None:
    """Tell ORGANISATION at URL from now on. Prints the endpoint's number and its secret, which is shown once."""
    vault = privacy.open_vault(face.settings)
    with face.database() as database:
        endpoint, secret = database.run(
            lambda s: notifications.add_endpoint(s, vault, organisation=organisation, url=url, topics=topics)
        )
    click.echo(f"{endpoint} {secret}")


@webhook.command(name="list")
@click.argument("organisation", type=int)
@pass_face
def list_endpoints(face: Face, organisation: int) -> None:
    """The endpoints of ORGANISATION."""
    with face.database() as database, database.begin() as session:
        found = notifications.endpoints_of(session, organisation)
    table = Table(title=f"Endpoints of organisation {organisation}")
    for column in ("endpoint", "address", "state", "topics", "since"):
        table.add_column(column)
    for one in found:
        table.add_row(str(one.id), one.url, one.state, ", ".join(one.topics), f"{one.added_at:%Y-%m-%d}")
    console().print(table)


@webhook.command()
@click.argument("endpoint", type=int)
@pass_face
def rotate(face: Face, endpoint: int) -> None:
    """Give ENDPOINT a new secret and print it; for a day notices are signed with both."""
    vault = privacy.open_vault(face.settings)
    with face.database() as database:
        click.echo(database.run(lambda s: notifications.rotate_secret(s, vault, endpoint, clock=face.clock)))


@webhook.command()
@click.argument("endpoint", type=int)
@pass_face
def remove(face: Face, endpoint: int) -> None:
    """Tell ENDPOINT nothing more, for good."""
    with face.database() as database:
        database.run(lambda s: notifications.remove_endpoint(s, endpoint))
    click.echo(f"endpoint {endpoint} is removed")


@webhook.command()
@click.argument("endpoint", type=int)
@pass_face
def resume(face: Face, endpoint: int) -> None:
    """Tell ENDPOINT again, after it said that it was gone (410)."""
    with face.database() as database:
        database.run(lambda s: notifications.resume_endpoint(s, endpoint))
    click.echo(f"endpoint {endpoint} is told again")


@webhook.command()
@click.argument("endpoint", type=int)
@pass_face
def ping(face: Face, endpoint: int) -> None:
    """Let a trial notice go to ENDPOINT with the next relay."""
    with face.database() as database:
        database.run(lambda s: notifications.ping(s, endpoint))
    click.echo(f"a trial notice waits for endpoint {endpoint}")


@webhook.command()
@click.option("--organisation", type=int, help="Of this organisation only.")
@click.option("--most", type=click.IntRange(1, 1000), default=50, show_default=True, help="Lines on the page.")
@click.option("--before", type=int, help="The number of the last delivery on the page before.")
@pass_face
def dead(face: Face, organisation: int | None, most: int, before: int | None) -> None:
    """What was given up, newest first, and how the whole outbox stands."""
    with face.database() as database, database.begin() as session:
        letters = notifications.dead_letters(session, organisation=organisation, before=before, limit=most)
        stands = notifications.figures(session)
    table = Table(title="Dead letters")
    for column in ("delivery", "endpoint", "address", "topic", "of", "attempts", "outcome"):
        table.add_column(column)
    for one in letters:
        outcome = f"{one.outcome} {one.status}" if one.status else one.outcome
        table.add_row(str(one.delivery), str(one.endpoint), one.url, one.topic, f"{one.at:%Y-%m-%d %H:%M}", str(one.attempts), outcome)
    console().print(table)
    click.echo(
        f"{stands.waiting:,} wait, the oldest for {stands.oldest_waiting_s:,} s; {stands.dead:,} are dead; "
        f"{stands.delivered_last_day:,} were delivered within a day"
    )


@webhook.command()
@click.argument("delivery", type=int)
@pass_face
def replay(face: Face, delivery: int) -> None:
    """Send the dead letter DELIVERY again, from the first attempt on."""
    with face.database() as database:
        database.run(lambda s: notifications.replay(s, delivery))
    click.echo(f"delivery {delivery} waits again")


@webhook.command()
@pass_face
def relay(face: Face) -> None:
    """Send what is due now, once."""
    vault = privacy.open_vault(face.settings)
    with face.database() as database:
        report = notifications.relay(database, vault, clock=face.clock)
    click.echo(
        f"{report.attempts} attempts: {report.delivered} delivered, {report.failed} failed, {report.died} given up, "
        f"{report.disabled} endpoints disabled"
    )


@click.command()
@click.option("--most", type=click.IntRange(1, 1000), default=50, show_default=True, help="Lines on the page.")
@click.option("--before", type=int, help="The number of the last notice on the page before.")
@pass_face
def notices(face: Face, most: int, before: int | None) -> None:
    """What was announced to the staff, newest first: failed jobs, broken checks."""
    with face.database() as database, database.begin() as session:
        found = notifications.staff_notices(session, before=before, limit=most)
    for notice in found:
        click.echo(f"{notice.id} {notice.at:%Y-%m-%d %H:%M} {notice.code}: {policy.called(notice.text(face.language), face.settings.city)}")


COMMANDS = (webhook, notices)
