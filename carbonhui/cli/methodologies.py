"""Methodologies on the command line: what is installed, what was approved, checking one, beginning one."""

import sys
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table

from carbonhui import methodology
from carbonhui.cli.context import Face, console, pass_face

BROKEN = 1

version_option = click.option("--version", help="Which version; without it, the newest that is installed.")


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title)
    for column in columns:
        # Chinese has no spaces to break at; whatever does not fit goes on in the next line.
        table.add_column(column, overflow="fold")
    return table


@click.group(name="methodology")
def methodology_commands() -> None:
    """Methodologies: what each measures, by which numbers, from which sources (Articles 14-15)."""


@methodology_commands.command(name="list")
@pass_face
def list_methodologies(face: Face) -> None:
    """Every installed version of every methodology."""
    table = _table("Installed methodologies", ("id", "title", "version", "from", "measures", "fingerprint", ""))
    table.columns[0].no_wrap = True
    for found in methodology.installed_versions():
        note = "demonstration" if found.demonstration else ""
        measures = f"{found.activity} by {found.period}" if found.period else found.activity
        table.add_row(
            found.id, found.title[face.language], found.version, str(found.first_day), measures, found.fingerprint[:12], note
        )
    console().print(table)


def installed_methodology(identifier: str, version: str | None = None) -> methodology.Methodology:
    """The version that was named, or the newest one."""
    known = methodology.installed_versions()
    found = [one for one in known if one.id == identifier and version in (None, one.version)]
    if found:
        return found[-1]
    named = f"{identifier} {version}" if version else identifier
    there = ", ".join(f"{one.id} {one.version}" for one in known)
    raise click.BadParameter(f"there is no installed methodology {named!r}; there are {there}")


@methodology_commands.command()
@click.argument("identifier")
@version_option
@pass_face
def show(face: Face, identifier: str, version: str | None) -> None:
    """One methodology in full: symbols, dated numbers with their sources, formula, rules, worked cases."""
    found = installed_methodology(identifier, version)
    out = console()
    out.print(f"[bold]{found.title['en']}  {found.title['zh']}[/bold]")
    out.print(f"{found.id} {found.version}, {found.document}", markup=False)
    out.print(f"articles {', '.join(map(str, found.articles))}; fingerprint {found.fingerprint}")
    if found.demonstration:
        out.print("[yellow]For demonstration only: some number was not found in an official text.[/yellow]")
    out.print(f"\nmg = {found.formula.on_paper}\n", markup=False)
    out.print(_symbols_table(found), _numbers_table(found), _rules_table(found), _cases_table(found))


def _symbols_table(found: methodology.Methodology) -> Table:
    table = _table("Symbols", ("symbol", "unit", "from", "to", "says", "含义"))
    for one in (found.fields | found.lookback_fields | found.parameters).values():
        table.add_row(one.name, one.unit, f"{one.low:,}", f"{one.high:,}", one.says, one.says_zh or "")
    return table


def _numbers_table(found: methodology.Methodology) -> Table:
    table = _table("Numbers", ("parameter", "value", "unit", "factor year", "published", "effective from", "class", "source"))
    for parameter in found.parameters.values():
        for value in parameter.values:
            table.add_row(
                parameter.name, f"{value.value:,}", parameter.unit, str(value.factor_year or ""),
                str(value.published or ""), str(value.start), value.provenance_class, value.source,
            )  # fmt: skip
    return table


def _rules_table(found: methodology.Methodology) -> Table:
    """What the host compares with, cuts, weighs and leaves out."""
    table = _table("Rules", ("rule", "says", "含义", "numbers", "source"))
    for name, lookback in found.lookbacks.items():
        settings = ", ".join(f"{key}={number:,}" for key, number in lookback.settings.items())
        table.add_row(name, lookback.says, lookback.says_zh or "", settings, lookback.source)
    for cap in found.caps:
        table.add_row("cap", cap.says, cap.says_zh or "", f"{cap.most:,} {cap.field} per {cap.per}", cap.source)
    for one in found.evidence_weights:
        weight = f"{one.numerator}/{one.denominator} in whole {one.unit_mg:,} mg"
        table.add_row(one.evidence, one.says, one.says_zh or "", weight, one.source)
    if window := found.claim_window:
        table.add_row("claim window", window.says, window.says_zh or "", f"{window.days} days", window.source)
    for exclusion in found.exclusions:
        table.add_row(
            f"excluded: {exclusion.code}", exclusion.says, exclusion.says_zh or "", f"flagged in the {exclusion.per}",
            exclusion.source,
        )  # fmt: skip
    return table


def _cases_table(found: methodology.Methodology) -> Table:
    table = _table("Worked cases", ("case", "on", "evidence", "quantities", "mg", "because"))
    for case in found.cases:
        quantities = ", ".join(f"{name}={number:,}" for name, number in case.quantities.items())
        table.add_row(case.name, str(case.on), case.evidence, quantities, f"{case.mg:,}", case.because)
    return table


@methodology_commands.command()
@click.argument("identifier")
@pass_face
def approvals(face: Face, identifier: str) -> None:
    """The approved versions of a methodology: documents, days, fingerprints, and whether what is installed is the same."""
    with face.database() as database, database.begin() as session:
        found = methodology.approved_versions(session, identifier, methodology.installed_versions())
    if not found:
        click.echo(f"no version of {identifier} was approved")
        return
    table = _table(f"Approved versions of {identifier}", ("version", "from", "until", "fingerprint", "matter", "decisions", "installed"))
    for one in found:
        said = "\n".join(f"{decision.body}: {decision.document_number}" for decision in one.decisions)
        table.add_row(
            one.text.version if one.text else "", str(one.start), str(one.end or "open"), one.fingerprint[:12],
            str(one.matter), said, _installed_as(one),
        )  # fmt: skip
    console().print(table)


def _installed_as(one: methodology.ApprovedVersion) -> str:
    if one.installed is not None and one.installed.fingerprint == one.fingerprint:
        return "the same"
    if one.changed:
        return f"changed: {', '.join(one.changed)}"
    return "not installed; the archived text holds" if one.text else "not installed, and not archived"


@methodology_commands.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Write the committee's sheet here instead of printing it.")
@pass_face
def check(face: Face, path: Path, sheet: Path | None) -> None:
    """Check the methodology in the folder PATH on every engine, and print the committee's sheet.

    Exit code 0 when nothing is wrong, 1 when something is.
    """
    examined = methodology.examine(path)
    for refusal in examined.problems:
        click.echo(f"{refusal.code}: {refusal.text(face.language)}")
    for engine, reason in examined.not_run.items():
        click.echo(f"{engine}: not run: {reason}")
    found = examined.methodology
    if found is not None and not examined.problems:
        ran = ", ".join(examined.answers)
        click.echo(f"{found.id} {found.version}: {len(found.cases)} worked cases hold on {ran}; {found.fingerprint}")
    if found is not None and sheet is None:
        click.echo(f"\n{methodology.sheet(examined)}", nl=False)
    elif found is not None and sheet is not None:
        sheet.write_text(methodology.sheet(examined), encoding="utf-8")
    if examined.problems:
        sys.exit(BROKEN)


@methodology_commands.command()
@click.argument("name")
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where the package's folder is made."
)
def new(name: str, into: Path) -> None:
    """Begin a methodology NAME as an installable package of its own, complete with a formula and a worked case."""
    folder = methodology.scaffold(name, into)
    click.echo(f"{folder}: edit methodology.toml and formula.py in it, then: carbonhui methodology check {folder / name}")


@methodology_commands.command()
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder of the pages."
)
def pages(into: Path) -> None:
    """Write a page for each installed version in each language, and their index; pages of others are removed."""
    written = methodology.pages(methodology.installed_versions())
    into.mkdir(parents=True, exist_ok=True)
    for path in into.glob("*.md"):
        if path.name not in written and path.read_text(encoding="utf-8").startswith(methodology.GENERATED):
            path.unlink()
    for name, text in written.items():
        (into / name).write_text(text, encoding="utf-8")
    click.echo(f"{len(written)} pages in {into}")


@methodology_commands.command(name="quantify")
@click.argument("identifier")
@click.argument("quantities", nargs=-1)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The activity's own day.")
@click.option("--evidence", default="verified", show_default=True, help="What the activity was proved by.")
@version_option
def quantify_one(
    identifier: str, quantities: tuple[str, ...], on: datetime, evidence: str, version: str | None
) -> None:
    """Measure one record, such as: cycling metres=2500 --on 2026-03-01."""
    found = installed_methodology(identifier, version)
    told = found.explain(on.date(), evidence, **dict(_quantity(text) for text in quantities))
    for name, value in told.items():
        click.echo(f"{name}: {value}")


def _quantity(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    digits = number.removeprefix("-")
    if not name or not (digits.isascii() and digits.isdigit() and len(digits) < 30):
        raise click.BadParameter(f"{text!r}: write name=whole number, such as metres=2500")
    return name, int(number)


COMMANDS = (methodology_commands,)
