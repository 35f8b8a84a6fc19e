"""Reading the books: verify, statement, history, balance; and keeping the store open."""

import json
import sys
from datetime import datetime
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from carbonhui import export, issuance, ledger, supervision
from carbonhui.cli.context import Face, console, pass_face
from carbonhui.core.clock import CITY_TIME

BROKEN = 1


def _plain(value: Any) -> Any:
    """JSON's types: whole numbers stay numbers, everything else becomes text."""
    return value if value is None or isinstance(value, (int, str, bool)) else str(value)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@pass_face
def verify(face: Face, as_json: bool) -> None:
    """Run every check over one instant of the books.

    Exit code 0 when all hold, 1 when one names a row that breaks it.
    """
    with face.database() as database, database.snapshot() as session:
        verdicts = supervision.verify(session)
    holds = all(verdict.holds for verdict in verdicts)
    if as_json:
        told = [
            {
                "check": verdict.check.name,
                "says": verdict.check.says_zh if face.language == "zh" else verdict.check.says,
                "holds": verdict.holds,
                "milliseconds": int(verdict.seconds * 1000),
                "broken": [{name: _plain(value) for name, value in row.row.items()} for row in verdict.broken],
            }
            for verdict in verdicts
        ]
        click.echo(json.dumps({"holds": holds, "checks": told}, ensure_ascii=False))
    else:
        console().print(verdict_table(verdicts, face.language))
        for verdict in verdicts:
            for row in verdict.broken:
                click.echo(f"{verdict.check.name}: " + ", ".join(f"{name}={_plain(v)}" for name, v in row.row.items()))
    if not holds:
        sys.exit(BROKEN)


def verdict_table(verdicts: list[supervision.Verdict], language: str) -> Table:
    """The checks, one a line, with what each says."""
    table = Table(title="核对账簿" if language == "zh" else "Checks of the books")
    for column in ("", "", "", "ms"):
        table.add_column(column, justify="right" if column == "ms" else "left")
    for verdict in verdicts:
        says = verdict.check.says_zh if language == "zh" else verdict.check.says
        mark = "[green]holds[/green]" if verdict.holds else f"[red]{len(verdict.broken)} rows break it[/red]"
        table.add_row(verdict.check.name, says, mark, f"{verdict.seconds * 1000:.0f}")
    return table


@click.command()
@click.argument("account")
@click.option("--most", type=click.IntRange(1, 1000), default=20, show_default=True, help="Lines on the page.")
@click.option("--cursor", help="The cursor that the page before ended with.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@pass_face
def statement(face: Face, account: str, most: int, cursor: str | None, as_json: bool) -> None:
    """The movements of ACCOUNT (its number, or an organisation's name), newest first."""
    # Lines and balance of one instant, or a movement between the two reads would shift the balances.
    with face.database() as database, database.snapshot() as session:
        number = account_number(session, account)
        page = ledger.statement(session, number, cursor=cursor, most=most)
        holder = ledger.balance_of(session, number)
        carry_mg = issuance.carry_of(session, number)
        runs = {line.transfer: ledger.runs_of(session, line.transfer) for line in page.lines}
        told = export.sentences_of(session, number, list(runs), city=face.settings.city)
    sentences = {transfer: one.text(face.language) for transfer, one in told.items()}
    area = face.settings.area
    if as_json:
        lines = [
            {
                "transfer": line.transfer, "entered_at": line.at.isoformat(), "business_date": str(line.business_date),
                "purpose": line.purpose.name.lower(), "sentence": sentences[line.transfer], "amount": line.amount,
                "balance": line.balance,
                "counterpart": line.counterpart, "counterpart_name": line.counterpart_name, "reference": line.reference,
                "codes": [[ledger.code_of(first, area), last - first + 1] for first, last in runs[line.transfer]],
            }
            for line in page.lines
        ]
        whole = {"account": number, "posted": holder.posted, "held": holder.held, "carry_mg": carry_mg}
        click.echo(json.dumps({**whole, "lines": lines, "cursor": page.cursor}, ensure_ascii=False))
        return
    console().print(statement_table(page, runs, area, holder, carry_mg, sentences))
    if page.cursor:
        books = f"--profile {face.profile} " if face.profile else ""
        click.echo(f"More: carbonhui {books}statement {account} --cursor {page.cursor}")


def account_number(session: Any, text: str) -> int:
    """An account's number, given as digits or as the name of an organisation's account."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    return ledger.account_named(session, text)


def statement_table(
    page: ledger.Page, runs: dict[int, list[tuple[int, int]]], area: str, holder: ledger.Account, carry_mg: int,
    sentences: dict[int, str],
) -> Table:
    """A page of a statement, with the code of the first serial of each run and how many follow it."""
    unit = {ledger.CNY: "fen", ledger.SANDBOX: "sandbox credits"}.get(holder.asset, "credits")
    title = f"Account {holder.id} ({escape(holder.name or holder.kind.name.lower())}): {holder.posted:,} {unit}"
    title += f", {holder.held:,} of them promised" if holder.held else ""
    title += f", {carry_mg:,} mg towards the next" if carry_mg else ""
    table = Table(title=title)
    for column, justify in (("day", "left"), ("what happened", "left"), ("amount", "right"), ("balance", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for column in ("with", "codes (first code x count)"):
        table.add_column(column)
    for line in page.lines:
        named = line.counterpart_name or str(line.counterpart)
        table.add_row(
            str(line.business_date), escape(sentences[line.transfer]), f"{line.amount:+,}", f"{line.balance:,}", escape(named),
            _codes(runs[line.transfer], area),
        )
    return table


def _codes(runs: list[tuple[int, int]], area: str) -> str:
    shown = [f"{ledger.spaced(ledger.code_of(first, area))} x {last - first + 1}" for first, last in runs[:3]]
    return "\n".join(shown + ([f"and {len(runs) - 3} runs more"] if len(runs) > 3 else []))


@click.command()
@click.argument("code")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@pass_face
def history(face: Face, code: str, as_json: bool) -> None:
    """The whole life of one credit: CODE is its twenty digits, with or without spaces."""
    serial = ledger.parse_code(code, face.settings.area)
    with face.database() as database, database.begin() as session:
        events = ledger.history_of(session, serial)
    if not events:
        raise ledger.CodeInvalid(text=repr(code), reason="no credit with this code was ever minted", reason_zh="从未发放过该编码")
    if as_json:
        told = [
            {
                "transfer": event.transfer, "entered_at": event.at.isoformat(), "business_date": str(event.business_date),
                "purpose": event.purpose.name.lower(), "source": event.source, "target": event.target,
            }
            for event in events
        ]
        click.echo(json.dumps({"code": ledger.code_of(serial, face.settings.area), "events": told}))
        return
    console().print(history_table(serial, events, face.settings.area))


def history_table(serial: int, events: list[ledger.Event], area: str) -> Table:
    """Every movement of one serial, from its mint on."""
    table = Table(title=f"{ledger.spaced(ledger.code_of(serial, area))}, vintage {ledger.vintage_of(serial)}")
    for column in ("day", "purpose", "from", "to", "transfer", "in a run of"):
        table.add_column(column, justify="right" if column in ("transfer", "in a run of") else "left")
    for event in events:
        table.add_row(
            str(event.business_date), event.purpose.name.lower(), str(event.source), str(event.target),
            str(event.transfer), f"{event.last - event.first + 1:,}",
        )
    return table


@click.command()
@click.argument("account")
@click.option("--at", type=click.DateTime(), help="An instant, city time; without it, now.")
@pass_face
def balance(face: Face, account: str, at: datetime | None) -> None:
    """What ACCOUNT holds, now or at an instant."""
    with face.database() as database, database.begin() as session:
        number = account_number(session, account)
        if at is not None:
            instant = at.replace(tzinfo=CITY_TIME)
            click.echo(f"{ledger.balance_at(session, number, instant)} at {instant.isoformat()}")
            return
        found = ledger.balance_of(session, number)
    click.echo(f"{found.posted} posted, {found.held} promised, {found.available} available")


@click.command(name="fold")
@pass_face
def fold(face: Face) -> None:
    """Fold big receivers' receipts into their balances and let go of promises that ran out."""
    with face.database() as database:
        folded = database.run(lambda session: ledger.fold(session, most=10_000))
        expired = 0
        while done := database.run(ledger.expire):
            expired += done
    click.echo(f"{folded} accounts folded, {expired} promises expired")


COMMANDS = (verify, statement, history, balance, fold)
