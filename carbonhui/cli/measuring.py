"""From activity to credits: enrol, quantify, mint."""

from datetime import date, datetime

import click
from rich.table import Table

from carbonhui import activity, consent, issuance, methodology, participants, quantification
from carbonhui.cli.context import Face, console, pass_face, progress_on
from carbonhui.demo import approve_what_is_installed, play


@click.command()
@click.argument("profile")
@pass_face
def enrol(face: Face, profile: str) -> None:
    """Open an account for every subject of a profile's source, and consent in its name (demonstration only)."""
    chosen = activity.profile_named(profile, face.settings.profiles_folder)
    with face.database() as database:
        opened = database.run(lambda s: participants.enrol(
            s, chosen.scheme, sorted(activity.subjects(s, face.settings, chosen.source)), date(2000, 1, 1)
        ))  # fmt: skip
        given = database.run(lambda s: consent.grant_for_demo(
            s, source=chosen.source, scheme=chosen.scheme, on=face.clock.today(), sensitive=chosen.lake_kind == "trip"
        ))  # fmt: skip
    click.echo(f"{opened:,} accounts opened")
    click.echo(f"{given:,} consents to {chosen.source} given")


@click.command(name="approve-demonstration")
@pass_face
def approve_demonstration(face: Face) -> None:
    """Let the demonstration city's bodies approve what is installed (demonstration only)."""
    with face.database() as database:
        approved = database.run(lambda s: approve_what_is_installed(s, methodology.installed_versions()))
    for line in approved or ["everything was approved before"]:
        click.echo(line)


@click.command()
@click.option("--through", type=click.DateTime(["%Y-%m-%d"]), help="The last activity day; without it, all.")
@click.option("--only", multiple=True, help="Measure by this methodology only; may be said more than once.")
@click.option(
    "--engine", type=click.Choice(list(quantification.ENGINES)), default="duckdb", show_default=True,
    help="What computes: duckdb on this machine, spark on a cluster, python for a few records. All give the same.",
)  # fmt: skip
@click.option("--digest", is_flag=True, help="Also print the SHA-256 of all reductions by person and day.")
@pass_face
def quantify(face: Face, through: datetime | None, only: tuple[str, ...], engine: str, digest: bool) -> None:
    """Measure every activity that was received and not measured yet (Article 16)."""
    out = console()
    with face.database() as database, progress_on(out) as bar:
        task = bar.add_task("measuring", total=None)

        def tell(piece: quantification.Measured, pieces: int) -> None:
            bar.update(task, description=f"{piece.mode} of {piece.source}", total=pieces, advance=1)

        report = quantification.quantify(
            database, face.settings, methodology.installed_versions(), through=through.date() if through else None,
            only=only or None, engine=engine, progress=tell,
        )  # fmt: skip
        found = database.run(quantification.digest_of_reductions) if digest else None
    out.print(measured_table(report))
    for line in sorted({refusal.text(face.language) for refusal in report.waiting}):
        click.echo(line)
    if found is not None:
        click.echo(f"reductions {found.count:,}, {found.mg:,} mg, sha256 {found.sha256}")


def measured_table(report: quantification.QuantifyReport) -> Table:
    """What was measured, piece by piece."""
    table = Table(title=f"Measured: {report.mg:,} mg CO2e avoided, in {report.seconds:.1f} s")
    for column in ("source", "batch", "mode", "activities", "measured", "left out", "persons", "mg"):
        table.add_column(column, justify="left" if column in ("source", "mode", "left out") else "right")
    for piece in report.pieces:
        left_out = ", ".join(f"{reason} {count:,}" for reason, count in sorted(piece.left_out.items()) if count)
        table.add_row(
            piece.source, str(piece.batch_id or "all"), piece.mode, f"{piece.activities:,}", f"{piece.measured:,}", left_out,
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


COMMANDS = (demo, enrol, approve_demonstration, quantify, mint)
