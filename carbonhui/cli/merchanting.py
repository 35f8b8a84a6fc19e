"""Merchants by hand: grades, the alliance, shops, and offers that have to go."""

import re
from datetime import datetime
from uuid import UUID

import click
from sqlalchemy.orm import Session

from carbonhui import merchants
from carbonhui.cli.context import Face, pass_face
from carbonhui.cli.naming import by_option, day_option, on_day, organisation_named, run, staff_named

_LINE = re.compile(r"(.+)=([0-9]{1,4})/([0-9]{1,4})", re.ASCII)


class ScoreLine(click.ParamType[merchants.Score]):
    """A line of a score sheet such as ``packaging=8/10``."""

    name = "criterion=points/most"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> merchants.Score:
        found = _LINE.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is not of the form packaging=8/10", param, ctx)
        return merchants.Score(found[1], int(found[2]), int(found[3]))


@click.group()
def merchant() -> None:
    """Merchants: grades, the low-carbon business alliance, shops and offers. ORGANISATION is a number or a handle."""


@merchant.command()
@click.argument("organisation")
@click.argument("grade", type=click.Choice(merchants.GRADES))
@click.option("--line", "lines", multiple=True, required=True, type=ScoreLine(), help="A line of the score sheet; several may be given.")
@click.option("--source", required=True, help="The paper that says so.")
@click.option("--reason", required=True, help="Why, without anything personal.")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The grade's first day.")
@by_option
@day_option
@pass_face
def grade(
    face: Face, organisation: str, grade: str, lines: tuple[merchants.Score, ...], source: str, reason: str, start: datetime, by: str,
    day: datetime | None,
) -> None:  # fmt: skip
    """Propose a GRADE, as a registrar; print the number that an approver answers (countersignature answer)."""
    asked = run(face, lambda s: merchants.propose_grade(
        s, organisation_named(s, organisation), grade=grade, sheet=lines, source=source, reason=reason, from_day=start.date(),
        by=staff_named(s, by), on=on_day(face, day),
    ))  # fmt: skip
    click.echo(f"countersignature {asked.id}")


@merchant.command()
@click.argument("organisation")
@pass_face
def grades(face: Face, organisation: str) -> None:
    """Every grade of a merchant with its score sheet, the newest first."""
    for one in run(face, lambda s: merchants.grades_of(s, organisation_named(s, organisation))):
        click.echo(f"{one.grade} from {one.from_day} on ({one.source})")
        for score in one.sheet:
            click.echo(f"  {score.criterion}: {score.points} of {score.most}")


@merchant.command()
@click.argument("organisation")
@click.option("--join/--leave", "joins", required=True, help="In from a day on, or out.")
@day_option
@pass_face
def alliance(face: Face, organisation: str, joins: bool, day: datetime | None) -> None:
    """A merchant joins the low-carbon business alliance or leaves it."""
    on = on_day(face, day)

    def change(session: Session) -> None:
        found = organisation_named(session, organisation)
        (merchants.join_alliance if joins else merchants.leave_alliance)(session, found, on=on)

    run(face, change)
    click.echo(f"{'in' if joins else 'out'} from {on} on")


@merchant.command()
@click.argument("organisation")
@click.option("--after", type=int, default=0, help="The number of the last shop of the list before.")
@pass_face
def shops(face: Face, organisation: str, after: int) -> None:
    """Up to fifty shops of a merchant with their tills."""

    def listed(session: Session) -> list[tuple[merchants.Shop, list[merchants.Till]]]:
        found = merchants.shops_of(session, organisation_named(session, organisation), after=after)
        return [(shop, merchants.tills_of(session, shop)) for shop in found]

    for shop, tills in run(face, listed):
        click.echo(f"{shop.id} {shop.handle}: {shop.name}, {shop.district} {shop.address}, {shop.state}")
        for till in tills:
            click.echo(f"  {till.handle}: {till.label}, {till.state}")


@merchant.command()
@click.argument("organisation")
@click.option("--before", type=int, help="The number of the last offer of the list before.")
@pass_face
def offers(face: Face, organisation: str, before: int | None) -> None:
    """Up to fifty offers of a merchant in any state, the newest first."""
    for offer in run(face, lambda s: merchants.offers_of(s, organisation_named(s, organisation), before=before)):
        terms = offer.terms
        stock = "" if offer.stock is None else f", {offer.stock_taken or 0} of {offer.stock} taken"
        click.echo(
            f"{offer.id} {offer.handle}: {terms.title_zh}, {terms.credits} credits + {terms.money_fen} fen "
            f"instead of {terms.list_price_fen} fen, {terms.valid_from} to {terms.valid_until}, {offer.state}{stock}"
        )


@merchant.command(name="withdraw-offer")
@click.argument("organisation")
@click.argument("offer", type=click.UUID)
@pass_face
def withdraw_offer(face: Face, organisation: str, offer: UUID) -> None:
    """Let nobody take OFFER (a handle) any more, for good: one that must not be, whose merchant does not act."""

    def withdraw(session: Session) -> None:
        found = organisation_named(session, organisation)
        merchants.withdraw_offer(session, merchants.offer_of(session, found, offer))

    run(face, withdraw)
    click.echo("withdrawn")


COMMANDS = (merchant,)
