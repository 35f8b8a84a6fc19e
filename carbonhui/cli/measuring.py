"""From a file to credits: methodology, activity, quantify, mint."""

import sys
from datetime import date, datetime
from pathlib import Path

import click
from rich.table import Table

from carbonhui import activity, issuance, methodology, participants, quantification
from carbonhui.cli.context import Face, console, pass_face, progress_on
from carbonhui.demo import approve_what_is_installed, play

BROKEN = 1


@click.group(name="methodology")
def methodology_commands() -> None:
    """Methodologies: what each measures, by which numbers, from which sources (Articles 14-15)."""


@methodology_commands.command(name="list")
@pass_face
def list_methodologies(face: Face) -> None:
    """The installed methodologies."""
    table = Table(title="Installed methodologies")
    for column in ("id", "title", "version", "from", "lookback", "fingerprint", ""):
        table.add_column(column)
    for found in methodology.installed().values():
        note = "demonstration" if found.demonstration else ""
        table.add_row(
            found.id, found.title[face.language], found.version, str(found.first_day), found.lookback or "",
            found.fingerprint[:12], note,
        )
    console().print(table)


def _installed(identifier: str) -> methodology.Methodology:
    found = methodology.installed()
    if identifier not in found:
        raise click.BadParameter(f"there is no installed methodology {identifier!r}; there are {', '.join(found)}")
    return found[identifier]


@methodology_commands.command()
@click.argument("identifier")
@pass_face
def show(face: Face, identifier: str) -> None:
    """One methodology in full: fields, dated numbers with their sources, formula, worked cases."""
    found = _installed(identifier)
    out = console()
    out.print(f"[bold]{found.title['en']}  {found.title['zh']}[/bold]")
    out.print(f"{found.id} {found.version}, {found.document}")
    out.print(f"articles {', '.join(map(str, found.articles))}; fingerprint {found.fingerprint}")
    if found.demonstration:
        out.print("[yellow]For demonstration only: some number was not found in an official text.[/yellow]")
    out.print(f"\nmg = {found.formula.on_paper}\n")
    out.print(_fields_table(found), _numbers_table(found), _cases_table(found))


def _fields_table(found: methodology.Methodology) -> Table:
    table = Table(title="Measured")
    for column in ("field", "unit", "from", "to", "says"):
        table.add_column(column)
    for field in (found.fields | found.lookback_fields).values():
        table.add_row(field.name, field.unit, f"{field.low:,}", f"{field.high:,}", field.says)
    return table


def _numbers_table(found: methodology.Methodology) -> Table:
    table = Table(title="Numbers")
    for column in ("parameter", "value", "unit", "from", "factor year", "class", "source"):
        table.add_column(column)
    for parameter in found.parameters.values():
        for value in parameter.values:
            table.add_row(
                parameter.name, f"{value.value:,}", parameter.unit, str(value.start), str(value.factor_year or ""),
                value.provenance_class, value.source,
            )
    return table


def _cases_table(found: methodology.Methodology) -> Table:
    table = Table(title="Worked cases")
    for column in ("case", "on", "quantities", "mg", "because"):
        table.add_column(column)
    for case in found.cases:
        quantities = ", ".join(f"{name}={number:,}" for name, number in case.quantities.items())
        table.add_row(case.name, str(case.on), quantities, f"{case.mg:,}", case.because)
    return table


@methodology_commands.command()
@click.argument("path", type=click.Path(path_type=Path))
@pass_face
def check(face: Face, path: Path) -> None:
    """Check the methodology in the folder PATH: its rules, its worked cases, both engines.

    Exit code 0 when nothing is wrong, 1 when something is.
    """
    wrong = methodology.check(path)
    for refusal in wrong:
        click.echo(f"{refusal.code}: {refusal.text(face.language)}")
    if wrong:
        sys.exit(BROKEN)
    found = methodology.load(path)
    click.echo(f"{found.id} {found.version}: {len(found.cases)} worked cases hold on both engines; {found.fingerprint}")


@methodology_commands.command(name="quantify")
@click.argument("identifier")
@click.argument("quantities", nargs=-1)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The activity's own day.")
@pass_face
def quantify_one(face: Face, identifier: str, quantities: tuple[str, ...], on: datetime) -> None:
    """Measure one record, such as: cycling metres=2500 --on 2026-03-01."""
    found = _installed(identifier)
    told = found.explain(on.date(), **dict(_quantity(text) for text in quantities))
    for name, value in told.items():
        click.echo(f"{name}: {value}")


def _quantity(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    digits = number.removeprefix("-")
    if not name or not (digits.isascii() and digits.isdigit() and len(digits) < 30):
        raise click.BadParameter(f"{text!r}: write name=whole number, such as metres=2500")
    return name, int(number)


@click.group(name="activity")
def activity_commands() -> None:
    """Activity data of service institutions (Articles 12, 16)."""


@activity_commands.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "profile", required=True, help="The intake profile; see: carbonhui activity profiles.")
@click.option("--stations", type=click.Path(path_type=Path), help="The file of the stations' coordinates.")
@click.option("--received-by", default="command-line", show_default=True, help="Who handed the file in.")
@pass_face
def load(face: Face, files: tuple[Path, ...], profile: str, stations: Path | None, received_by: str) -> None:
    """Take in FILES. Every row is accepted, a duplicate, or refused with its reason.

    Refused rows stand in a quarantine file with number, code and sentence; repair
    them there and load that file. The same file again changes nothing.
    """
    out = console()
    reports = []
    with face.database() as database, progress_on(out) as bar:
        task = bar.add_task("", total=None)
        for file in files:
            def tell(step: str, rows: int, name: str = file.name) -> None:
                bar.update(task, description=f"{name}: {step}", completed=rows)

            reports.append(activity.load(
                database, face.settings, file, profile, received_by=received_by, stations=stations,
                progress=tell, clock=face.clock,
            ))  # fmt: skip
    out.print(reports_table(reports))
    for report in reports:
        # Below the table, whose cells would break a long path in two.
        if report.refused:
            click.echo(f"refused rows of {report.file_name}: {report.quarantine}")


def reports_table(reports: list[activity.BatchReport]) -> Table:
    """What became of each file, one a line, and why rows were refused."""
    table = Table(title="Activity received (rows = accepted + duplicate + refused)")
    for column in ("batch", "file", "rows", "accepted", "duplicate", "refused", "because", "s"):
        table.add_column(column, justify="left" if column in ("file", "because") else "right")
    for report in reports:
        because = "\n".join(f"{code} {count:,}" for code, count in sorted(report.refused_by.items()))
        if report.already_loaded_as is not None:
            because = f"the same file is batch {report.already_loaded_as}"
        table.add_row(
            str(report.batch_id), report.file_name, f"{report.rows_in:,}", f"{report.accepted:,}",
            f"{report.duplicate:,}", f"{report.refused:,}", because, f"{report.seconds:.1f}",
        )
    if any(report.moved_years for report in reports):
        table.caption = f"Demonstration data: all dates were moved by {reports[0].moved_years} years."
    return table


@activity_commands.command()
@pass_face
def profiles(face: Face) -> None:
    """The intake profiles: which files can be read, and as what."""
    for name in activity.profile_names():
        click.echo(f"{name}: {activity.profile_named(name).says}")


@activity_commands.command()
@pass_face
def batches(face: Face) -> None:
    """The files received so far."""
    table = Table(title="Batches")
    for column in ("batch", "source", "file", "rows", "accepted", "duplicate", "refused", "days"):
        table.add_column(column)
    with face.database() as database, database.begin() as session:
        for batch in activity.batches(session):
            numbers = (f"{n:,}" for n in (batch.rows_in, batch.accepted, batch.duplicate, batch.refused))
            table.add_row(str(batch.id), batch.source, batch.file_name, *numbers, f"{batch.first_day} to {batch.last_day}")
    console().print(table)


@click.command()
@click.argument("profile")
@pass_face
def enrol(face: Face, profile: str) -> None:
    """Open an account for every subject of a profile's source (demonstration only)."""
    chosen = activity.profile_named(profile)
    with face.database() as database:
        opened = database.run(lambda s: participants.enrol(
            s, chosen.scheme, sorted(activity.subjects(s, face.settings, chosen.source)), date(2000, 1, 1)
        ))  # fmt: skip
    click.echo(f"{opened:,} accounts opened")


@click.command(name="approve-demonstration")
@pass_face
def approve_demonstration(face: Face) -> None:
    """Let the demonstration city's bodies approve what is installed (demonstration only)."""
    with face.database() as database:
        approved = database.run(lambda s: approve_what_is_installed(s, methodology.installed()))
    for line in approved or ["everything was approved before"]:
        click.echo(line)


@click.command()
@click.option("--through", type=click.DateTime(["%Y-%m-%d"]), help="The last activity day; without it, all.")
@pass_face
def quantify(face: Face, through: datetime | None) -> None:
    """Measure every activity that was received and not measured yet (Article 16)."""
    out = console()
    with face.database() as database, progress_on(out) as bar:
        task = bar.add_task("measuring", total=None)

        def tell(piece: quantification.Measured, pieces: int) -> None:
            bar.update(task, description=f"{piece.source} by {piece.methodology}", total=pieces, advance=1)

        report = quantification.quantify(
            database, face.settings, methodology.installed(), through=through.date() if through else None, progress=tell
        )
    out.print(measured_table(report))


def measured_table(report: quantification.QuantifyReport) -> Table:
    """What was measured, piece by piece."""
    table = Table(title=f"Measured: {report.mg:,} mg CO2e avoided, in {report.seconds:.1f} s")
    for column in ("source", "methodology", "activities", "measured", "left out", "persons", "mg"):
        table.add_column(column, justify="left" if column in ("source", "methodology", "left out") else "right")
    for piece in report.pieces:
        left_out = ", ".join(f"{reason} {count:,}" for reason, count in sorted(piece.left_out.items()) if count)
        table.add_row(
            piece.source, piece.methodology, f"{piece.activities:,}", f"{piece.measured:,}", left_out,
            f"{piece.persons:,}", f"{piece.mg:,}",
        )
    return table


@click.command()
@click.option("--through", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The last activity day.")
@pass_face
def mint(face: Face, through: datetime) -> None:
    """Make credits of every reduction up to a day (Article 17). Killed, it is simply started again."""
    out = console()
    with face.database() as database, progress_on(out) as bar:
        task = bar.add_task("persons", total=None)
        report = issuance.mint(
            database, through.date(), clock=face.clock, progress=lambda persons: bar.update(task, advance=persons)
        )
    out.print(mint_line(report))


def mint_line(report: issuance.MintReport) -> str:
    """What a mint made, in a sentence."""
    return (
        f"Mint {report.mint} through {report.through}: {report.reductions:,} reductions of {report.persons:,} persons, "
        f"{report.reduced_mg:,} mg, made {report.credits:,} credits in {report.seconds:.1f} s."
    )


@click.command(name="demo")
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Play one year of a small city on real open data, in books of their own. Safe to run twice."""
    if ctx.obj.profile not in (None, "demo"):
        raise click.UsageError("the demonstration plays in the profile demo only")
    face = Face(profile="demo", chosen_language=ctx.obj.chosen_language)
    out = console()
    with face.database() as database:
        play(database, out, progress_on(out))


COMMANDS = (demo, methodology_commands, activity_commands, enrol, approve_demonstration, quantify, mint)
