"""Fee items and bills of departments by hand: each command calls one verb."""

from datetime import datetime
from uuid import UUID

import click
from sqlalchemy.orm import Session

from carbonhui import privacy, publicfees
from carbonhui.cli.books import account_number
from carbonhui.cli.context import Face, pass_face
from carbonhui.cli.naming import by_option, day_option, on_day, organisation_named, person_named, run, staff_named, told
from carbonhui.core.amounts import Fen

_because = click.option("--because", type=click.Choice(publicfees.CAUSES), required=True, help="Issued wrongly, or paid and given back.")


@click.group(name="publicfees")
def publicfees_commands() -> None:
    """Fee items and bills of departments (Article 19). DEPARTMENT is a handle or a number."""


@publicfees_commands.command()
@click.argument("department")
@click.argument("code")
@click.argument("title_zh")
@click.argument("title_en")
@click.argument("legal_basis")
@day_option
@pass_face
def apply(face: Face, department: str, code: str, title_zh: str, title_en: str, legal_basis: str, day: datetime | None) -> None:
    """Apply for the fee item CODE, which the document LEGAL_BASIS lets DEPARTMENT take."""
    on = on_day(face, day)
    _told_item(run(face, lambda s: publicfees.apply_for_fee_item(
        s, organisation_named(s, department), code=code, title_zh=title_zh, title_en=title_en, legal_basis=legal_basis, on=on
    )))  # fmt: skip


def _told_item(item: publicfees.FeeItem) -> None:
    told({"fee item": item.handle, "code": item.code, "title": f"{item.title_zh} / {item.title_en}", "state": item.state})


@publicfees_commands.command()
@click.argument("item", type=click.UUID)
@click.option("--reason", required=True, help="Why, without anything personal.")
@by_option
@day_option
@pass_face
def propose(face: Face, item: UUID, reason: str, by: str, day: datetime | None) -> None:
    """Propose to approve ITEM, a fee item's handle; `countersignature answer` decides."""
    on = on_day(face, day)
    asked = run(face, lambda s: publicfees.propose_fee_item(s, publicfees.fee_item(s, item), reason=reason, by=staff_named(s, by), on=on))
    told({"countersignature": asked.id})


@publicfees_commands.command(name="withdraw")
@click.argument("department")
@click.argument("item", type=click.UUID)
@day_option
@pass_face
def withdraw_item(face: Face, department: str, item: UUID, day: datetime | None) -> None:
    """Bill for ITEM no longer; bills that were presented stay."""
    on = on_day(face, day)
    _told_item(run(face, lambda s: publicfees.withdraw_fee_item(s, organisation_named(s, department), item, on=on)))


@publicfees_commands.command(name="items")
@click.option("--department", help="Of one department only.")
@click.option("--state", type=click.Choice(["applied", "approved", "refused", "withdrawn"]), help="In one state only.")
@pass_face
def list_items(face: Face, department: str | None, state: str | None) -> None:
    """Fee items in the order in which they were applied for; at most a thousand."""
    def listed(session: Session) -> list[publicfees.ListedItem]:
        of = organisation_named(session, department) if department else None
        return publicfees.fee_items(session, organisation=of, state=state, limit=1000)

    for one in run(face, listed):
        click.echo(f"{one.item.handle}  {one.item.code}  {one.item.state}  {one.item.title_zh}  {one.department_name}")


@publicfees_commands.command()
@click.argument("department")
@click.argument("number")
@click.argument("code")
@click.argument("total_fen", type=int)
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day by which it is to be paid.")
@click.option("--payer-reference", prompt=True, help="What the payer is called in the department's books; asked for when it is not given.")
@click.option("--person", help="Handle or number of somebody who finds the bill in the inbox.")
@day_option
@pass_face
def present(
    face: Face, department: str, number: str, code: str, total_fen: int, due: datetime, payer_reference: str, person: str | None,
    day: datetime | None,
) -> None:  # fmt: skip
    """Present bill NUMBER over TOTAL_FEN for the fee item CODE."""
    on, vault = on_day(face, day), privacy.open_vault(face.settings)
    found = run(face, lambda s: publicfees.present_bill(
        s, vault, organisation_named(s, department), number=number, fee_item=code, total_fen=Fen(total_fen),
        payer_reference=payer_reference, due_on=due.date(), on=on, addressee=person_named(s, person) if person else None,
    ))  # fmt: skip
    _told_bill(found.bill)


def _told_bill(bill: publicfees.Bill) -> None:
    used = bill.used
    told({
        "bill": bill.handle, "number": bill.number, "total fen": bill.total_fen, "state": bill.state,
        "credits used": used.credits if used else 0, "paid by them": used.offset_fen if used else 0, "payable fen": bill.payable_fen,
    })  # fmt: skip


@publicfees_commands.command(name="bills")
@click.argument("department_account")
@click.option("--state", type=click.Choice(["open", *publicfees.CAUSES]), help="In one state only.")
@click.option("--most", type=click.IntRange(1, 1000), default=50, show_default=True, help="The most bills that are told.")
@pass_face
def list_bills(face: Face, department_account: str, state: str | None, most: int) -> None:
    """What the department of DEPARTMENT_ACCOUNT presented, newest first."""
    for bill in run(face, lambda s: publicfees.bills_of(s, account_number(s, department_account), state=state, limit=most)):
        used = bill.used.credits if bill.used else 0
        click.echo(f"{bill.handle}  {bill.number}  {bill.total_fen} fen  {bill.state}  {used} credits")


@publicfees_commands.command(name="take-back")
@click.argument("department")
@click.argument("bill", type=click.UUID)
@_because
@day_option
@pass_face
def take_back(face: Face, department: str, bill: UUID, because: str, day: datetime | None) -> None:
    """Take BILL, a bill's handle, back; credits that were used on it go back to whoever used them."""
    on = on_day(face, day)
    _told_bill(run(face, lambda s: publicfees.take_back_bill(s, organisation_named(s, department), bill, because=because, on=on)))


@publicfees_commands.command()
@click.argument("department_account")
@click.argument("number")
@_because
@click.option("--reference", required=True, help="Your own name for this movement; it can happen once.")
@day_option
@pass_face
def undo(face: Face, department_account: str, number: str, because: str, reference: str, day: datetime | None) -> None:
    """Give back the credits that were used on bill NUMBER, also of a bill that was never presented."""
    on = on_day(face, day)
    done = run(face, lambda s: publicfees.undo_offset(
        s, department=account_number(s, department_account), bill=number, because=because, reference=reference, business_date=on
    ))  # fmt: skip
    told({"transfer": done.transfer, "credits": done.credits, "went to": "the payer" if done.returned else "the cancellation pool"})


@publicfees_commands.command()
@click.argument("department_account")
@click.argument("year", type=click.IntRange(2018, 2099))
@pass_face
def position(face: Face, department_account: str, year: int) -> None:
    """Where a department stands for YEAR: offset, undone, bought, owed."""
    found = run(face, lambda s: publicfees.position(s, account_number(s, department_account), year=year))
    for name in ("offsets", "undone", "purchased", "owed"):
        part = getattr(found, name)
        click.echo(f"{name}: {part.bills} bills, {part.credits} credits, {part.fen} fen")


COMMANDS = (publicfees_commands,)
