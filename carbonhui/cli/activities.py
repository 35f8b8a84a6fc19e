"""Taking in activity: files, profiles, and what is used elsewhere."""

import sys
from pathlib import Path

import click
from rich.table import Table

from carbonhui import activity
from carbonhui.cli.context import Face, console, pass_face, progress_on
from carbonhui.core.refusals import Refusal

BROKEN = 1


@click.group(name="activity")
def activity_commands() -> None:
    """Activity data of service institutions (Articles 12, 16)."""


@activity_commands.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "profile", required=True, help="The intake profile; see: carbonhui activity profile list.")
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
    for column in ("batch", "file", "rows", "accepted", "duplicate", "refused", "because", "acts", "s"):
        table.add_column(column, justify="left" if column in ("file", "because") else "right")
    for report in reports:
        because = _because(report.refused_by)
        if report.already_loaded_as is not None:
            because = f"the same file is batch {report.already_loaded_as}"
        table.add_row(
            str(report.batch_id), report.file_name, f"{report.rows_in:,}", f"{report.accepted:,}",
            f"{report.duplicate:,}", f"{report.refused:,}", because, f"{report.acts:,}", f"{report.seconds:.1f}",
        )
    if any(report.moved_years for report in reports):
        table.caption = f"Demonstration data: all dates were moved by {reports[0].moved_years} years."
    return table


def _because(refused_by: dict[str, int]) -> str:
    return "\n".join(f"{code} {count:,}" for code, count in sorted(refused_by.items()))


@activity_commands.command()
@pass_face
def batches(face: Face) -> None:
    """The files received so far."""
    table = Table(title="Batches")
    for column in ("batch", "source", "file", "evidence", "rows", "accepted", "duplicate", "refused", "acts", "days"):
        table.add_column(column)
    with face.database() as database, database.begin() as session:
        for batch in activity.batches(session):
            counted = (batch.rows_in, batch.accepted, batch.duplicate, batch.refused, batch.acts)
            table.add_row(
                str(batch.id), batch.source, batch.file_name, batch.evidence, *(f"{n:,}" for n in counted),
                f"{batch.first_day} to {batch.last_day}",
            )  # fmt: skip
    console().print(table)


@activity_commands.command(name="declare-elsewhere")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "profile", required=True, help="The profile by which the acts are known here.")
@click.option("--mechanism", required=True, help="The mechanism in which the acts are used, such as the national market.")
@click.option("--by", "declared_by", required=True, help="Who declares it.")
@pass_face
def declare_elsewhere(face: Face, file: Path, profile: str, mechanism: str, declared_by: str) -> None:
    """Declare the acts in FILE to be used in another mechanism, so that they are not counted here.

    FILE has the profile's form, or only the column of the act's number. It is taken whole or not at all.
    """
    with face.database() as database:
        told = activity.declare_elsewhere(
            database, face.settings, file, profile, mechanism=mechanism, declared_by=declared_by, clock=face.clock
        )
    click.echo(
        f"{told.rows_in:,} rows name {told.acts:,} acts used in {told.mechanism}: {told.new:,} new, {told.known:,} known before; "
        f"{told.loaded_before:,} of them were loaded here before."
    )


@activity_commands.group(name="profile")
def profile_commands() -> None:
    """Profiles: how files of activity are read. Your own lie in the folder profiles of the home."""


@profile_commands.command(name="list")
@pass_face
def list_profiles(face: Face) -> None:
    """The intake profiles: which files can be read, and as what."""
    for name in activity.profile_names(face.settings.profiles_folder):
        try:
            says = activity.profile_named(name, face.settings.profiles_folder).says
        except activity.ProfileInvalid as refusal:
            says = refusal.text(face.language)
        click.echo(f"{name}: {says}")


@profile_commands.command(name="show")
@click.argument("name")
@pass_face
def show_profile(face: Face, name: str) -> None:
    """One profile in full, as it stands in its file: a form to start your own from."""
    click.echo(activity.profile_text(name, face.settings.profiles_folder), nl=False)


@profile_commands.command(name="check")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--file", type=click.Path(path_type=Path), help="A file to try it on; nothing is recorded.")
@click.option("--stations", type=click.Path(path_type=Path), help="The file of the stations' coordinates.")
@pass_face
def check_profile(face: Face, path: Path, file: Path | None, stations: Path | None) -> None:
    """Check the profile in PATH, and with --file what would become of that file's rows.

    Exit code 0 when the profile can be used, 1 when it cannot.
    """
    try:
        profile = activity.check_profile(path, face.settings.profiles_folder)
    except Refusal as refusal:
        click.echo(f"{refusal.code}: {refusal.text(face.language)}")
        sys.exit(BROKEN)
    modes = "; ".join(f"{mode} by {', '.join(ids)}" for mode, ids in sorted(profile.methodologies.items()))
    click.echo(f"{profile.name}: {profile.kind} of {profile.source}, {profile.evidence}; {modes}")
    if file is not None:
        with face.database() as database:
            trial = activity.try_out(database, face.settings, file, profile, stations=stations, clock=face.clock)
        _tell_trial(trial, face.language)


def _tell_trial(trial: activity.Trial, language: str) -> None:
    refused = sum(trial.refused_by.values())
    click.echo(
        f"{trial.rows_in:,} rows: {trial.accepted:,} accepted ({trial.acts:,} acts), {trial.duplicate:,} duplicate, "
        f"{refused:,} refused. Nothing was recorded."
    )
    for code, count in sorted(trial.refused_by.items()):
        click.echo(f"  {code} {count:,}")
    for row, code, english, chinese in trial.first_refused:
        click.echo(f"row {row}: {code}: {chinese if language == 'zh' else english}")


COMMANDS = (activity_commands,)
