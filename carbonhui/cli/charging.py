"""Charges at merchants by hand: what became of one, those that wait or were made, and closing what is over."""

from datetime import datetime

import click
from sqlalchemy.orm import Session

from carbonhui import merchants
from carbonhui.cli.context import Face, pass_face
from carbonhui.cli.naming import organisation_named, run
from carbonhui.merchants import Charge

_sandbox = click.option("--sandbox", is_flag=True, help="Of the merchant's sandbox, where nothing is real.")


@click.group()
def charge() -> None:
    """Charges at merchants. ORGANISATION is a number or a handle. Who paid is not told."""


@charge.command(name="list")
@click.argument("organisation")
@click.option("--state", type=click.Choice(("awaiting", "authorised", "captured", "voided", "closed")), help="Only in this state.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only of this business date.")
@click.option("--before", type=int, help="The number of the last charge of the list before.")
@_sandbox
@pass_face
def list_charges(face: Face, organisation: str, state: str | None, day: datetime | None, before: int | None, sandbox: bool) -> None:
    """Up to fifty charges of a merchant, newest first."""
    on = day.date() if day else None
    for one in run(face, lambda s: merchants.charges_of(
        s, organisation_named(s, organisation).id, sandbox=sandbox, state=state, day=on, before=before,
    )):  # fmt: skip
        click.echo(_line(one))


@charge.command()
@click.argument("organisation")
@click.argument("out_trade_no")
@_sandbox
@pass_face
def show(face: Face, organisation: str, out_trade_no: str, sandbox: bool) -> None:
    """What became of the charge under the merchant's own number, and its refunds."""

    def found(session: Session) -> tuple[Charge, list[merchants.Refund]]:
        one = merchants.query(session, organisation_named(session, organisation).id, out_trade_no, sandbox=sandbox)
        return one, merchants.refunds_of(session, one)

    one, refunds = run(face, found)
    click.echo(_line(one))
    for refund in refunds:
        settled = ", after settlement" if refund.after_settlement else ""
        click.echo(f"  refund {refund.out_refund_no}: {refund.credits} credits on {refund.business_date}{settled}")


@charge.command(name="close-expired")
@click.option("--most", type=click.IntRange(1, 100_000), default=1_000, show_default=True, help="The most to close at once.")
@pass_face
def close_expired(face: Face, most: int) -> None:
    """Close the charges whose time is over, and free what they held, as the clock does."""
    click.echo(f"{run(face, lambda s: merchants.close_expired(s, most=most)):,} charges closed")


def _line(one: Charge) -> str:
    return (
        f"{one.id} {one.handle}: {one.out_trade_no}, {one.credits} credits + {one.money_fen} fen on {one.business_date}, {one.state}, "
        f"{one.captured} captured, {one.refunded} refunded"
    )


COMMANDS = (charge,)
