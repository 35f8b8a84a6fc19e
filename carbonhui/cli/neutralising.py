"""Footprints and certificates by hand."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from carbonhui import ledger, neutralisation, participants, privacy
from carbonhui.cli.books import account_number
from carbonhui.cli.context import Face, pass_face
from carbonhui.cli.naming import day_option, on_day, run
from carbonhui.neutralisation import Certificate, Footprint, Record

_READER = privacy.Reader(actor="operator", role="operator", purpose="certificate")


@click.group()
def footprint() -> None:
    """How much something emitted, by published factors (Article 22)."""


@footprint.command(name="factors")
def list_factors() -> None:
    """Every factor, with its source."""
    for one in neutralisation.factors().values():
        for value in one.values:
            click.echo(f"{one.id}: {value.mg:,} mg/{one.unit} from {value.start} ({one.publisher}; {value.source})")


@footprint.command()
@click.option("--electricity-wh", type=click.IntRange(0, 10**13), default=0, help="Electricity, in watt-hours.")
@click.option("--gas-dm3", type=click.IntRange(0, 10**12), default=0, help="Natural gas, in cubic decimetres.")
@click.option("--water-litres", type=click.IntRange(0, 10**12), default=0, help="Tap water, in litres.")
@day_option
@pass_face
def household(face: Face, electricity_wh: int, gas_dm3: int, water_litres: int, day: datetime | None) -> None:
    """A month of a household by its meters."""
    on = on_day(face, day)
    _tell(neutralisation.household_month(on=on, electricity_wh=electricity_wh, gas_dm3=gas_dm3, water_litres=water_litres))


@footprint.command()
@click.argument("metres", type=click.IntRange(1, 40_100_000))
@click.option("--cabin", type=click.Choice(neutralisation.CABINS), default="economy", show_default=True, help="In which they sit.")
@click.option("--persons", type=click.IntRange(1, 10**6), default=1, help="How many fly.")
@click.option("--trips", type=click.IntRange(1, 10**6), default=1, help="2 for there and back.")
@click.option("--forcing/--without-forcing", default=True, help="Whether what flying high adds is counted.", show_default=True)
@day_option
@pass_face
def flight(face: Face, metres: int, cabin: str, persons: int, trips: int, forcing: bool, day: datetime | None) -> None:
    """A flight of METRES, the great circle from airport to airport."""
    asked = neutralisation.Flight(metres=metres, cabin=cabin, persons=persons, trips=trips, forcing=forcing)
    _tell(neutralisation.flight(on=on_day(face, day), flights=[asked]))


def _tell(found: Footprint) -> None:
    for line in neutralisation.lines_of(found):
        click.echo(f"{line['en']}: {line['quantity']:,} {line['quantity_unit']} = {line['mg']:,} mg")
    click.echo(f"{found.mg:,} mg CO2e")


@click.command(name="neutralise")
@click.argument("owner")
@click.argument("mg", type=int)
@click.argument("evidence", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--reason", prompt=True, help="What for; asked for when it is not given.")
@click.option("--beneficiary", help="For whom, where it is not the owner.")
@click.option("--hidden", is_flag=True, help="Keep the beneficiary's name off the public page.")
@click.option("--reference", required=True, help="Your own name for this movement; it can happen once.")
@day_option
@pass_face
def neutralise_measured(
    face: Face, owner: str, mg: int, evidence: Path, reason: str, beneficiary: str | None, hidden: bool, reference: str,
    day: datetime | None,
) -> None:  # fmt: skip
    """Retire credits of the account OWNER against MG, measured as the file EVIDENCE says; prints the certificate's number."""
    with evidence.open("rb") as file:
        found = neutralisation.measured(mg=mg, evidence=hashlib.file_digest(file, "sha256").digest())
    vault, on = privacy.open_vault(face.settings), on_day(face, day)

    def done(session: Session) -> Certificate:
        account = account_number(session, owner)
        return neutralisation.neutralise(
            session, vault, account=account, payer=account, subject=_subject(session, account), footprint=found, beneficiary=beneficiary,
            reason=reason, hidden=hidden, reference=reference, business_date=on,
        )  # fmt: skip

    made = run(face, done)
    click.echo(f"{made.number}: {made.credits:,} credits retired, {made.avoided_mg:,} mg")


def _subject(session: Session, account: int) -> int | None:
    if ledger.balance_of(session, account).kind is not ledger.Kind.PERSON:
        return None
    return participants.person_of_account(session, account).subject


@click.group()
def certificate() -> None:
    """Certificates of neutralisation, by their numbers."""


@certificate.command()
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
@pass_face
def show(face: Face, number: str, as_json: bool) -> None:
    """What anybody may see of certificate NUMBER."""
    record = _record(face, number)
    if as_json:
        click.echo(json.dumps(_plain(record), ensure_ascii=False, indent=1, default=str))
        return
    click.echo(f"{neutralisation.grouped(record.number)}  {record.issued_on}  {record.credits:,} credits")
    click.echo(f"footprint {record.footprint_mg:,} mg, avoided {record.avoided_mg:,} mg")
    for one in record.runs:
        click.echo(f"{one.first_code} {one.last_code} {one.credits:,}")


def _plain(record: Record) -> dict[str, Any]:
    return {**vars(record), "runs": [vars(one) for one in record.runs]}


@certificate.command(name="print")
@click.argument("number")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The PDF to write.")
@pass_face
def print_pdf(face: Face, number: str, to: Path) -> None:
    """Write certificate NUMBER as a PDF, as anybody may see it."""
    record = _record(face, number)
    to.write_bytes(neutralisation.print_certificate(record, city=face.settings.city, demonstration=face.settings.is_demo))
    click.echo(f"{to}: {neutralisation.grouped(record.number)}")


@certificate.command()
@click.argument("number")
@click.option("--hide/--show", "hidden", required=True, help="Whether the public page keeps the name to itself.")
@pass_face
def beneficiary(face: Face, number: str, hidden: bool) -> None:
    """Hide the beneficiary's name of certificate NUMBER, as its bearer may ask, or show it again."""
    def changed(session: Session) -> Certificate:
        return neutralisation.hide_beneficiary(session, neutralisation.certificate(session, number), hidden=hidden)

    found = run(face, changed)
    click.echo(f"{neutralisation.grouped(found.number)}: the name is {'hidden' if found.hidden else 'shown'}")


def _record(face: Face, number: str) -> Record:
    vault, settings = privacy.open_vault(face.settings), face.settings
    return run(face, lambda s: neutralisation.record_of(
        s, vault, neutralisation.certificate(s, number), reader=_READER, area=settings.area, public_url=settings.public_url, owner=False
    ))  # fmt: skip


COMMANDS = (footprint, neutralise_measured, certificate)
