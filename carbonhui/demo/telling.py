"""How the demonstration is told: headings, one line a step, tables where there are numbers."""

import csv
import gzip
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from carbonhui import activity, export, fund, issuance, ledger, quantification, supervision
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings

OPENING = """[bold]The life of a credit, on real open data[/bold]  一张碳惠的一生
Rides: Bay Area Bike Share 2014 (CC0), a quarter of its bicycles; [bold]each bicycle stands for one resident[/bold].
Electricity: Smart-Grid Smart-City customer trial, Australian Government, Department of Industry / Ausgrid
(CC BY 3.0 AU), 40 households. All dates are moved forward by twelve years. Nothing here is a real city's credit."""


class Teller:
    """Tells what happened, in the order in which it happened."""

    def __init__(self, console: Console, settings: Settings) -> None:
        self.console = console
        self.settings = settings

    def opening(self) -> None:
        self.console.print(OPENING)
        self.console.print(f"The books are kept in {self.settings.home}", style="dim")

    def heading(self, english: str, chinese: str) -> None:
        self.console.print(f"\n[bold]{english}[/bold]  {chinese}")

    def approvals(self, lines: list[str]) -> None:
        self.heading("Approvals of the demonstration city", "演示城市的审批")
        believed = [line for line in lines if line.startswith(("plausible:", "one_act"))]
        for line in [line for line in lines if line not in believed] or ["everything was approved before"]:
            self.console.print(f"  {line}")
        if believed:
            self.console.print(f"  {len(believed)} thresholds of what is believed of one act; carbonhui policy list shows them")

    def step(self, article: str, what: str, posted: ledger.Posted) -> None:
        before = "  [dim](done before; nothing moved now)[/dim]" if posted.again else ""
        self.console.print(f"  Art. {article:>2}  {what}: transfer {posted.id}{before}")

    def refused(self, article: str, what: str, refusal: Refusal) -> None:
        self.console.print(f"  Art. {article:>2}  {what}: [yellow]refused[/yellow], {refusal.code}")
        self.console.print(f"           {refusal.text('en')}\n           {refusal.text('zh')}")

    def certificate(self, number: str, path: Path) -> None:
        self.console.print(f"           certificate {number}: {path}", soft_wrap=True)

    def bought(self, bought: fund.Purchase) -> None:
        before = "  [dim](done before; nothing moved now)[/dim]" if bought.again else ""
        self.console.print(
            f"  Art. 19  The fund buys the water department's {bought.credits} credits at par for "
            f"{bought.fen / 100:,.2f} yuan; they are cancelled{before}"
        )

    def consented(self, consents: list[tuple[str, int, int]]) -> None:
        """Whose activity may be processed: nobody's is without their consent."""
        self.heading("People and their consents", "用户与授权")
        for source, opened, given in consents:
            told = f"{opened:,} accounts opened, {given:,} consents given" if given else "everybody consented before"
            self.console.print(f"  Art. 11, 12  {source}: {told}")

    def measured(
        self,
        reports: list[activity.BatchReport],
        measured: quantification.QuantifyReport,
        minted: issuance.MintReport,
    ) -> None:
        self.heading("From rides and meters to credits", "从出行与用电到碳惠")
        table = Table()
        for column in ("data", "rows", "accepted", "duplicate", "refused", "because"):
            table.add_column(column, justify="left" if column in ("data", "because") else "right")
        for report in reports:
            because = "\n".join(f"{code} {count:,}" for code, count in sorted(report.refused_by.items()))
            if report.already_loaded_as is not None:
                because = f"the same file is batch {report.already_loaded_as}"
            table.add_row(
                report.source, f"{report.rows_in:,}", f"{report.accepted:,}", f"{report.duplicate:,}",
                f"{report.refused:,}", because,
            )
        self.console.print(table)
        for report in reports:
            self._quarantined(report)
        for piece in measured.pieces:
            left_out = ", ".join(f"{reason} {count:,}" for reason, count in sorted(piece.left_out.items()) if count)
            self.console.print(
                f"  Art. 16  {piece.mode} measured {piece.measured:,} of {piece.activities:,}: "
                f"{piece.mg:,} mg CO2e avoided by {piece.persons:,} persons" + (f"; left out: {left_out}" if left_out else "")
            )
        self.console.print(
            f"  Art. 17  {minted.reductions:,} reductions, {minted.reduced_mg:,} mg, became {minted.credits:,} credits"
        )

    def _quarantined(self, report: activity.BatchReport) -> None:
        """One refused row in full, to show that a reason can be acted on."""
        if not report.refused or report.quarantine is None or not report.quarantine.exists():
            return
        opener = gzip.open if report.quarantine.suffix == ".gz" else open
        with opener(report.quarantine, "rt", encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file), None)
        if row is not None:
            self.console.print(f"  refused, for example: row {row['row']} of {report.file_name}: {row['sentence']}", style="dim")

    def life_of_a_credit(self, session: Session, account: int) -> None:
        """The serial that travelled furthest: one that left with the offset and was bought and cancelled."""
        self.heading("The life of one credit", "一个碳惠编码的历史")
        offset = ledger.transfer_under(session, "demo-2026/water-2026-09")
        assert offset is not None
        serial = ledger.runs_of(session, offset.id)[0][0]
        area = self.settings.area
        code = ledger.spaced(ledger.code_of(serial, area))
        self.console.print(f"  {code}  (area {area}, vintage {ledger.vintage_of(serial)})")
        for event in ledger.history_of(session, serial):
            self.console.print(
                f"    {event.business_date}  {event.purpose.name.lower():<13} account {event.source} -> {event.target}"
                f"  transfer {event.transfer}"
            )

    def statement(self, session: Session, account: int) -> None:
        self.heading("The rider's statement, newest first", "账单")
        table = Table()
        for column in ("day", "what happened", "amount", "balance", "first code x count"):
            table.add_column(column, justify="right" if column in ("amount", "balance") else "left")
        lines = ledger.statement(session, account, most=8).lines
        sentences = export.sentences_of(session, account, [line.transfer for line in lines], city=self.settings.city)
        for line in lines:
            runs = ledger.runs_of(session, line.transfer)
            first, last = runs[0]
            code = f"{ledger.spaced(ledger.code_of(first, self.settings.area))} x {last - first + 1}"
            more = f" and {len(runs) - 1} runs more" if len(runs) > 1 else ""
            table.add_row(
                str(line.business_date), sentences[line.transfer].text("en"), f"{line.amount:+,}", f"{line.balance:,}", code + more,
            )
        self.console.print(table)
        carry = issuance.carry_of(session, account)
        self.console.print(f"  {carry:,} mg are carried towards the next credit", style="dim")

    def verdicts(self, verdicts: list[supervision.Verdict]) -> None:
        self.heading("Checks of the whole books", "核对全部账簿")
        for verdict in verdicts:
            mark = "[green]holds[/green]" if verdict.holds else f"[red]{len(verdict.broken)} rows break it[/red]"
            self.console.print(f"  {verdict.check.name}  {mark}  {verdict.check.says}")

    def closing(self, account: int) -> None:
        self.heading("Look further", "继续查看")
        # As it was started, because a new virtual environment is on nobody's path.
        program = sys.argv[0] if Path(sys.argv[0]).name == "carbonhui" else "carbonhui"
        self.console.print(f"  {program} --profile demo statement {account}", soft_wrap=True)
        self.console.print(f"  {program} --profile demo serve  # {self.settings.public_url}/v1/docs", soft_wrap=True)
