"""Opening, closing and listing accounts."""

import click

from carbonhui import ledger
from carbonhui.cli.books import account_number
from carbonhui.cli.context import Face, pass_face
from carbonhui.ledger import Kind

_OPENED_BY_HAND = [kind.name.lower() for kind in Kind if kind <= Kind.ORGANISATION or kind == Kind.PAYABLE]


@click.group()
def account() -> None:
    """Open and close accounts."""


@account.command(name="open")
@click.argument("kind", type=click.Choice(_OPENED_BY_HAND))
@click.option("--name", help="The unique name of an organisation's account; a person's has none.")
@click.option("--cash", is_flag=True, help="An account of fen instead of credits.")
@pass_face
def open_one(face: Face, kind: str, name: str | None, cash: bool) -> None:
    """Open an empty account and print its number."""
    if Kind[kind.upper()] == Kind.PERSON and name is not None:
        raise click.UsageError("a person's account has no name")
    asset = ledger.CNY if cash else ledger.CREDIT
    with face.database() as database:
        number = database.run(lambda s: ledger.open_account(s, Kind[kind.upper()], name=name, asset=asset))
    click.echo(number)


@account.command()
@click.argument("account")
@pass_face
def close(face: Face, account: str) -> None:
    """Close an empty account for good."""
    with face.database() as database:
        database.run(lambda s: ledger.close_account(s, account_number(s, account)))
    click.echo(f"closed: {account}")


@account.command()
@click.argument("account")
@click.argument("credits", type=click.IntRange(min=1), required=False)
@pass_face
def limit(face: Face, account: str, credits: int | None) -> None:
    """Let ACCOUNT hold at most CREDITS; without a number, take the limit away (Article 30)."""
    with face.database() as database:
        database.run(lambda s: ledger.limit_holding(s, account_number(s, account), credits_max=credits))
    click.echo(f"limit of {account}: {credits or 'none'}")


COMMANDS = (account,)
