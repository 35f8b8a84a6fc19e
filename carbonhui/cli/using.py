"""Using credits by hand: each command calls one verb."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click
from sqlalchemy.orm import Session

from carbonhui import circulation, donation, fund, ledger, merchants, neutralisation, publicfees
from carbonhui.cli.books import account_number as number
from carbonhui.cli.context import Face, pass_face
from carbonhui.core.amounts import Credits, Fen

Command = TypeVar("Command", bound=Callable[..., Any])

_reference = click.option("--reference", required=True, help="Your own name for this movement; it can happen once.")
_day = click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The business date; without it, today.")
_credits = click.argument("credits", type=int)


def _posted(face: Face, day: datetime | None, verb: Callable[[Session, Any], ledger.Posted]) -> None:
    on = day.date() if day else face.clock.today()
    with face.database() as database:
        posted = database.run(lambda session: verb(session, on))
    click.echo(f"transfer {posted.id}" + (" (made before; nothing moved now)" if posted.again else ""))


@click.command()
@click.argument("giver")
@click.argument("receiver")
@_credits
@_reference
@_day
@pass_face
def give(face: Face, giver: str, receiver: str, credits: int, reference: str, day: datetime | None) -> None:
    """Give CREDITS from one person to another (Article 18)."""
    _posted(face, day, lambda s, on: circulation.give(
        s, giver=number(s, giver), receiver=number(s, receiver), credits=Credits(credits),
        reference=reference, business_date=on,
    ))  # fmt: skip


@click.command()
@click.argument("payer")
@click.argument("merchant")
@_credits
@_reference
@_day
@pass_face
def redeem(face: Face, payer: str, merchant: str, credits: int, reference: str, day: datetime | None) -> None:
    """Pay a merchant in CREDITS (Article 20)."""
    _posted(face, day, lambda s, on: merchants.redeem(
        s, payer=number(s, payer), merchant=number(s, merchant), credits=Credits(credits),
        reference=reference, business_date=on,
    ))  # fmt: skip


@click.command()
@click.argument("merchant")
@_reference
@_day
@pass_face
def settle(face: Face, merchant: str, reference: str, day: datetime | None) -> None:
    """Move what a merchant received to the cancellation pool (Article 20)."""
    _posted(face, day, lambda s, on: merchants.settle(
        s, merchant=number(s, merchant), reference=reference, business_date=on
    ))  # fmt: skip


@click.command()
@click.argument("resident")
@click.argument("department")
@click.argument("bill")
@click.argument("bill_fen", type=int)
@_credits
@_reference
@_day
@pass_face
def offset(
    face: Face, resident: str, department: str, bill: str, bill_fen: int, credits: int, reference: str, day: datetime | None
) -> None:
    """Pay part of BILL, which is BILL_FEN in all, with CREDITS at par (Article 19)."""
    _posted(face, day, lambda s, on: publicfees.offset_bill(
        s, resident=number(s, resident), department=number(s, department), bill=bill, bill_fen=Fen(bill_fen),
        credits=Credits(credits), reference=reference, business_date=on,
    ))  # fmt: skip


@click.command()
@click.argument("donor")
@click.argument("charity")
@_credits
@_reference
@_day
@pass_face
def donate(face: Face, donor: str, charity: str, credits: int, reference: str, day: datetime | None) -> None:
    """Give CREDITS to a charity (Article 21)."""
    _posted(face, day, lambda s, on: donation.donate(
        s, donor=number(s, donor), charity=number(s, charity), credits=Credits(credits),
        reference=reference, business_date=on,
    ))  # fmt: skip


@click.command()
@click.argument("owner")
@_credits
@_reference
@_day
@pass_face
def retire(face: Face, owner: str, credits: int, reference: str, day: datetime | None) -> None:
    """Retire CREDITS against emissions, for good (Article 22)."""
    _posted(face, day, lambda s, on: neutralisation.retire(
        s, owner=number(s, owner), credits=Credits(credits), reference=reference, business_date=on
    ))  # fmt: skip


@click.group(name="fund")
def fund_commands() -> None:
    """The reward fund: its budget and its purchases (Articles 19, 31)."""


@fund_commands.command()
@click.argument("fen", type=int)
@_reference
@_day
@pass_face
def budget(face: Face, fen: int, reference: str, day: datetime | None) -> None:
    """Enter FEN that the bank received for the fund."""
    _posted(face, day, lambda s, on: fund.receive_budget(s, fen=Fen(fen), reference=reference, business_date=on))


@fund_commands.command()
@click.argument("department")
@click.argument("cash_account")
@click.option("--through", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The last day of offsets to pay.")
@_reference
@_day
@pass_face
def purchase(
    face: Face, department: str, cash_account: str, through: datetime, reference: str, day: datetime | None
) -> None:
    """Buy a department's credits at par and cancel them (Article 19)."""
    on = day.date() if day else face.clock.today()
    with face.database() as database:
        bought = database.run(lambda s: fund.purchase_at_par(
            s, department=number(s, department), cash_account=number(s, cash_account), through=through.date(),
            reference=reference, business_date=on,
        ))  # fmt: skip
    click.echo(f"purchase {bought.id}: {bought.credits} credits cancelled for {bought.fen} fen")


COMMANDS = (give, redeem, settle, offset, donate, retire, fund_commands)
