"""Second signatures by hand: what waits, and an answer by another member of the staff than asked."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from carbonhui import approvals, donation, merchants, publicfees
from carbonhui.cli.context import Face, pass_face
from carbonhui.cli.naming import by_option, day_option, on_day, run, staff_named

#: Which room's verb makes an answer take effect.
DECIDED_BY: dict[str, Callable[..., Any]] = {
    "donation_campaign": donation.decide_campaign,
    "fee_item": publicfees.decide_fee_item,
    "merchant_grade": merchants.decide_grade,
}
KINDS = tuple(DECIDED_BY)


@click.group()
def countersignature() -> None:
    """What one member of the staff asked and another has to answer."""


@countersignature.command(name="list")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@pass_face
def list_waiting(face: Face, kind: str | None) -> None:
    """What waits for a second signature, oldest first."""
    after = 0
    while waiting := run(face, lambda s, after=after: approvals.waiting_countersignatures(s, kind=kind, after=after)):  # type: ignore[misc]
        for one in waiting:
            words = json.dumps(one.words, ensure_ascii=False, sort_keys=True)
            click.echo(f"{one.id}: {one.kind}, asked on {one.asked_on} by staff {one.asked_by}, because: {one.reason}: {words}")
        after = waiting[-1].id


@countersignature.command()
@click.argument("number", type=int)
@click.option("--agree/--refuse", "agreed", required=True, help="The answer.")
@by_option
@day_option
@pass_face
def answer(face: Face, number: int, agreed: bool, by: str, day: datetime | None) -> None:
    """Answer NUMBER; what is agreed takes effect at once."""
    on = on_day(face, day)

    def answered(session: Session) -> str:
        kind = approvals.countersignature(session, number).kind
        DECIDED_BY[kind](session, number, agreed=agreed, by=staff_named(session, by), on=on)
        return kind

    click.echo(f"{number}: {run(face, answered)}, {'agreed' if agreed else 'refused'}")


COMMANDS = (countersignature,)
