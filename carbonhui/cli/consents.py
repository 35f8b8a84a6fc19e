"""What people let the platform use, from the command line."""

import csv
import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table

from carbonhui import activity, consent
from carbonhui.cli.context import Face, console, pass_face

_by = click.option("--by", required=True, help="The pseudonym of the person who does this.")
_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(name="consent")
def consent_commands() -> None:
    """What people let the platform use, source by source (Articles 11-12)."""


def _trips(face: Face, source: str) -> bool:
    """Whether some installed profile of a source brings trips, which say where people were."""
    folder = face.settings.profiles_folder
    profiles = (activity.profile_named(name, folder) for name in activity.profile_names(folder))
    return any(profile.lake_kind == "trip" for profile in profiles if profile.source == source)


@consent_commands.command()
@click.argument("source")
@click.option("--zh", type=_file, required=True, help="The file of the Chinese words, in UTF-8.")
@click.option("--en", type=_file, required=True, help="The file of the English words, in UTF-8.")
@click.option("--material", is_flag=True, help="Nothing is processed until this version is consented to as well.")
@click.option("--sensitive", is_flag=True, help="Sensitive data; sources of trips are so without being told.")
@_by
@pass_face
def publish(face: Face, source: str, zh: Path, en: Path, material: bool, sensitive: bool, by: str) -> None:
    """Publish the next version of the words that people consent to, and print its digest."""
    words = {"zh": zh.read_text(encoding="utf-8").strip(), "en": en.read_text(encoding="utf-8").strip()}
    with face.database() as database:
        text = database.run(lambda s: consent.publish_text(
            s, source=source, sensitive=sensitive or _trips(face, source), material=material, on=face.clock.today(),
            published_by=by, **words,
        ))  # fmt: skip
    click.echo(f"{source} version {text.version} {text.digest.hex()}")


@consent_commands.command()
@click.argument("source", required=False)
@pass_face
def texts(face: Face, source: str | None) -> None:
    """The versions of the words, of one SOURCE or of all."""
    table = Table(title="Texts of consent")
    for column in ("source", "version", "sensitive", "material", "published", "by", "digest"):
        table.add_column(column)
    with face.database() as database, database.begin() as session:
        for text in consent.texts(session, source):
            table.add_row(
                text.source, str(text.version), "yes" if text.sensitive else "no", "yes" if text.material else "no",
                str(text.published_on), text.published_by, text.digest.hex()[:12],
            )  # fmt: skip
    console().print(table)


@consent_commands.command()
@click.argument("account", type=int)
@click.argument("source")
@click.option("--digest", required=True, help="The digest of the words that were read, in hexadecimal.")
@click.option("--covers-from", type=click.DateTime(["%Y-%m-%d"]), help="The first activity day; without it, today.")
@click.option("--guardian", is_flag=True, help="A guardian consents for the person.")
@_by
@pass_face
def give(face: Face, account: int, source: str, digest: str, covers_from: datetime | None, guardian: bool, by: str) -> None:
    """Let a SOURCE be processed for an ACCOUNT, by words that were read."""
    with face.database() as database:
        given = database.run(lambda s: consent.give(
            s, account=account, source=source, text_digest=_bytes(digest), on=face.clock.today(), by=by,
            channel="guardian" if guardian else "app", covers_from=covers_from.date() if covers_from else None,
        ))  # fmt: skip
    click.echo(f"consent {given.id}: {source} from {given.covers_from}, version {given.version}")


def _bytes(digest: str) -> bytes:
    try:
        return bytes.fromhex(digest)
    except ValueError as error:
        raise click.UsageError("a digest is written in hexadecimal") from error


@consent_commands.command()
@click.argument("account", type=int)
@click.argument("source")
@_by
@pass_face
def withdraw(face: Face, account: int, source: str, by: str) -> None:
    """Take the consent of an ACCOUNT to a SOURCE back, at once."""
    with face.database() as database:
        database.run(lambda s: consent.withdraw(s, account=account, source=source, by=by, on=face.clock.today()))
    click.echo(f"{source} is not processed for account {account} any more")


@consent_commands.command(name="list")
@click.argument("account", type=int)
@pass_face
def list_consents(face: Face, account: int) -> None:
    """Every consent of an ACCOUNT, newest first."""
    table = Table(title=f"Consents of account {account}")
    for column in ("consent", "source", "version", "covers from", "given", "by", "ended", "live"):
        table.add_column(column)
    with face.database() as database, database.begin() as session:
        for one in consent.consents_of(session, account):
            ended = f"{one.ended_on} {one.ended_because} by {one.ended_by}" if one.ended_on else ""
            table.add_row(
                str(one.id), one.source, str(one.version), str(one.covers_from), f"{one.given_on} {one.channel}", one.given_by,
                ended, "yes" if one.live else "no",
            )  # fmt: skip
    console().print(table)


@click.group(name="agreement")
def agreement_commands() -> None:
    """Institutions that apply for their own users (Article 12)."""


@agreement_commands.command()
@click.argument("organisation", type=int)
@click.argument("source")
@click.argument("file", type=_file)
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day in force.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The first day on which it no longer holds.")
@_by
@pass_face
def register(face: Face, organisation: int, source: str, file: Path, start: datetime, until: datetime | None, by: str) -> None:
    """Register the agreement in FILE, by which an ORGANISATION applies for its users of a SOURCE."""
    text = file.read_text(encoding="utf-8")
    with face.database() as database:
        made = database.run(lambda s: consent.register_agreement(
            s, organisation=organisation, source=source, text=text, digest=hashlib.sha256(text.encode()).digest(),
            from_=start.date(), until=until.date() if until else None, by=by,
        ))  # fmt: skip
    click.echo(f"agreement {made.id} {made.digest.hex()}")


@agreement_commands.command(name="apply")
@click.argument("agreement", type=int)
@click.argument("file", type=_file)
@_by
@pass_face
def apply_for_users(face: Face, agreement: int, file: Path, by: str) -> None:
    """Consent for the users in FILE: a CSV file with the columns account and evidence."""
    applications = list(_applications(file))
    with face.database() as database:
        told = database.run(lambda s: consent.apply_for_users(s, agreement, applications, on=face.clock.today(), by=by))
    click.echo(
        f"{len(applications):,} applications: {told.given:,} given, {told.standing:,} standing, {told.withdrawn:,} withdrawn, "
        f"{told.minors:,} minors, {told.unknown:,} unknown"
    )


def _applications(file: Path) -> Iterator[consent.Application]:
    with file.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        if reader.fieldnames != ["account", "evidence"]:
            raise click.UsageError(f"{file} must have the columns account,evidence")
        for number, row in enumerate(reader, start=2):
            if not row["account"].isascii() or not row["account"].isdigit():
                raise click.UsageError(f"{file}, row {number}: the account is not a number")
            yield consent.Application(int(row["account"]), row["evidence"] or None)


@agreement_commands.command()
@click.argument("agreement", type=int)
@_by
@pass_face
def end(face: Face, agreement: int, by: str) -> None:
    """End an AGREEMENT today, and with it the consents that rest on it."""
    with face.database() as database:
        database.run(lambda s: consent.end_agreement(s, agreement, on=face.clock.today(), by=by))
    click.echo(f"agreement {agreement} ended on {face.clock.today()}")


@agreement_commands.command(name="list")
@pass_face
def list_agreements(face: Face) -> None:
    """Every agreement."""
    table = Table(title="Agreements")
    for column in ("agreement", "organisation", "source", "from", "until", "ended", "digest"):
        table.add_column(column)
    with face.database() as database, database.begin() as session:
        for one in consent.agreements(session):
            table.add_row(
                str(one.id), str(one.organisation), one.source, str(one.valid_from), str(one.valid_to or ""), str(one.ended_on or ""),
                one.digest.hex()[:12],
            )  # fmt: skip
    console().print(table)


COMMANDS = (consent_commands, agreement_commands)
