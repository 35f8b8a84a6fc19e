"""Dated values and the decisions that put them in force."""

from datetime import datetime

import click
from rich.table import Table

from carbonhui import approvals, methodology, policy
from carbonhui.cli.context import Face, console, pass_face
from carbonhui.cli.methodologies import installed_methodology, version_option
from carbonhui.cli.naming import day_option, on_day

_start = click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day in force.")
_source = click.option("--source", required=True, help="The paper that the value comes from.")
_by = click.option("--by", required=True, help="The pseudonym of the person who does this.")


@click.group(name="policy")
def policy_commands() -> None:
    """The dated, approved numbers."""


@policy_commands.command(name="list")
@pass_face
def list_values(face: Face) -> None:
    """What was, is and will be in force."""
    with face.database() as database, database.begin() as session:
        found = policy.values(session)
    table = Table(title="Values in force")
    for column in ("name", "value", "from", "until", "source", "matter"):
        table.add_column(column)
    for value in found:
        shown = f"{value.number:,}" if value.number is not None else (value.fingerprint or "")[:12]
        until = str(value.end) if value.end else "open"
        marked = " (demonstration)" if value.demonstration else ""
        table.add_row(value.name, shown, str(value.start), until, value.source + marked, str(value.matter))
    console().print(table)


@policy_commands.command(name="rules")
@day_option
@pass_face
def list_rules(face: Face, day: datetime | None) -> None:
    """Every rule of the city as it holds on a day, with its source; what no source gives is said to be absent."""
    on = on_day(face, day)
    with face.database() as database, database.begin() as session:
        city, found = policy.city_of(session), policy.rules(session, on)
    table = Table(title=f"Rules of {city.en} {city.zh} on {on}; credits are called {city.credit_zh} ({city.credit_en})")
    for column in ("rule", "value", "set by", "source"):
        table.add_column(column)
    for rule in found:
        table.add_row(rule.name, "absent" if rule.number is None else f"{rule.number:,}", rule.by, rule.source)
    console().print(table)


@policy_commands.command()
@click.argument("name")
@click.argument("number", type=int)
@_start
@_source
@_by
@click.option("--demonstration", is_flag=True, help="The value rests on no approved source.")
@pass_face
def propose(
    face: Face, name: str, number: int, start: datetime, source: str, by: str, demonstration: bool
) -> None:
    """Propose NUMBER for NAME from a day on, and print the matter to be decided."""
    with face.database() as database:
        matter = database.run(lambda s: policy.propose_number(
            s, name, number=number, start=start.date(), source=source, proposed_by=by, demonstration=demonstration
        ))  # fmt: skip
    click.echo(matter)


@policy_commands.command(name="propose-methodology")
@click.argument("identifier")
@version_option
@_start
@_source
@_by
@pass_face
def propose_methodology(
    face: Face, identifier: str, version: str | None, start: datetime, source: str, by: str
) -> None:
    """Archive the text of an installed methodology, propose it from a day on, and print the matter."""
    found = installed_methodology(identifier, version)
    with face.database() as database:
        matter = database.run(
            lambda s: methodology.propose(s, found, start=start.date(), source=source, proposed_by=by)
        )
    click.echo(matter)


@policy_commands.command(name="come-into-force")
@click.argument("matter", type=int)
@pass_face
def come_into_force(face: Face, matter: int) -> None:
    """Put the value of an approved MATTER in force from its day on."""
    with face.database() as database:
        database.run(lambda s: policy.come_into_force(s, matter))
    click.echo(f"in force: matter {matter}")


@click.group(name="approvals")
def approvals_commands() -> None:
    """Matters, and what expert committee, city and province decide."""


@approvals_commands.command(name="list")
@pass_face
def list_matters(face: Face) -> None:
    """Every matter and its decisions."""
    with face.database() as database, database.begin() as session:
        found = approvals.matters(session)
    table = Table(title="Matters")
    for column in ("matter", "title", "proposed by", "decisions"):
        table.add_column(column)
    for matter in found:
        said = "\n".join(
            f"{d.body}: {'approved' if d.approved else 'refused'} by {d.decided_by}, {d.document_number}"
            for d in matter.decisions
        )
        table.add_row(str(matter.id), matter.title, matter.proposed_by, said or "none yet")
    console().print(table)


@approvals_commands.command()
@click.argument("matter", type=int)
@click.argument("body", type=click.Choice(approvals.BODIES))
@click.option("--approve/--refuse", "approved", required=True, help="What the body decides.")
@click.option("--document", required=True, help="The number of the document that says so.")
@_by
@pass_face
def decide(face: Face, matter: int, body: str, approved: bool, document: str, by: str) -> None:
    """Record what BODY decides about MATTER."""
    with face.database() as database:
        database.run(lambda s: approvals.decide(
            s, matter, body=body, approved=approved, decided_by=by, document_number=document
        ))  # fmt: skip
    click.echo(f"{body}: {'approved' if approved else 'refused'} matter {matter}")


COMMANDS = (policy_commands, approvals_commands)
