"""A certificate as it is told: the same words for the JSON, the print and the public page."""

import contextlib
import functools
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import ledger, methodology, privacy
from carbonhui.core.refusals import Refusal
from carbonhui.neutralisation.certificates import Certificate, Texts, texts_of


@dataclass(frozen=True)
class Run:
    """Consecutive credits that were retired, by their first and last codes."""

    first_code: str
    last_code: str
    credits: int
    vintage: int


@dataclass(frozen=True)
class Record:
    """Everything that a certificate says to one reader.

    ``beneficiary`` is None where it is the certificate's owner, kept to themselves (``beneficiary_hidden``),
    or erased with the person who wrote it (``texts_erased``). ``address`` is the public page's.
    """

    number: str
    address: str
    issued_on: date
    issued_at: datetime
    credits: int
    avoided_mg: int
    footprint_mg: int
    calculator: str
    lines: list[dict[str, Any]]
    evidence_sha256: str | None
    methodologies: list[str] | None
    runs: list[Run]
    beneficiary: str | None
    beneficiary_hidden: bool
    reason: str | None
    texts_erased: bool

    @property
    def vintages(self) -> dict[int, int]:
        """How many credits of each year, oldest first."""
        found: dict[int, int] = {}
        for run in self.runs:
            found[run.vintage] = found.get(run.vintage, 0) + run.credits
        return dict(sorted(found.items()))


def record_of(
    session: Session, vault: privacy.Vault, of: Certificate, *, reader: privacy.Reader, area: str, public_url: str, owner: bool
) -> Record:
    """What a certificate says: to its ``owner`` everything, to anybody else without a hidden beneficiary.

    Opening the texts stands on the record of whoever they are about.
    """
    texts = texts_of(session, vault, of, reader)
    told = texts if owner or not of.hidden else Texts(None, texts.reason, texts.erased)
    return Record(
        number=of.number, address=f"{public_url}/certificates/{of.number}", issued_on=of.business_date, issued_at=of.at,
        credits=of.credits, avoided_mg=of.avoided_mg, footprint_mg=of.footprint_mg, calculator=of.calculator, lines=of.lines,
        evidence_sha256=bytes(of.evidence).hex() if of.evidence else None, methodologies=of.methodologies,
        runs=_runs(session, of.transfer, area), beneficiary=told.beneficiary, beneficiary_hidden=of.hidden, reason=told.reason,
        texts_erased=told.erased,
    )  # fmt: skip


def _runs(session: Session, transfer: int, area: str) -> list[Run]:
    joined: list[tuple[int, int]] = []
    for first, last in ledger.runs_of(session, transfer):
        if joined and joined[-1][1] + 1 == first and ledger.vintage_of(first) == ledger.vintage_of(joined[-1][1]):
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return [
        Run(ledger.code_of(first, area), ledger.code_of(last, area), last - first + 1, ledger.vintage_of(first)) for first, last in joined
    ]


def mass(mg: int) -> str:
    """Milligrams in the unit that reads best, with every digit that is not a trailing nought.

    >>> mass(1_234_567), mass(520), mass(2_500_000_000), mass(53_500_000)
    ('1.234567 kg', '520 mg', '2.5 t', '53.5 kg')
    """
    for unit, size in (("t", 10**9), ("kg", 10**6), ("g", 10**3)):
        if mg >= size:
            whole, rest = divmod(mg, size)
            digits = f"{rest:0{len(str(size)) - 1}d}".rstrip("0")
            return f"{whole:,}" + (f".{digits}" if digits else "") + f" {unit}"
    return f"{mg} mg"


def neutralised_en(record: Record, credit: str) -> str:
    """What was neutralised, in English; ``credit`` is what the city calls one."""
    many = f"1 {credit} that avoids" if record.credits == 1 else f"{record.credits:,} {credit}s that avoid"
    return f"{mass(record.footprint_mg)} CO2e neutralised by {many} {mass(record.avoided_mg)} CO2e"


_UNITS = {"passenger.km": "人·km", "vehicle.km": "车·km", "room.night": "间·夜", "m3": "m³"}


def unit(line: dict[str, Any]) -> str:
    """The unit of a line's factor as it is printed."""
    return _UNITS.get(line["unit"], str(line["unit"]))


def quantity(line: dict[str, Any]) -> str:
    """A line's quantity as it is read.

    >>> quantity({"quantity": 260_500, "quantity_unit": "Wh", "unit": "kWh"})
    '260.5 kWh'
    """
    if line["quantity_unit"] == line["unit"]:
        return f"{line['quantity']:,} {unit(line)}"
    whole, rest = divmod(line["quantity"], 1000)
    digits = f"{rest:03d}".rstrip("0")
    return f"{whole:,}" + (f".{digits}" if digits else "") + f" {unit(line)}"


@functools.cache
def _titles() -> dict[str, str]:
    # A package of somebody else's that cannot be read takes no certificate's print away.
    with contextlib.suppress(Refusal):
        return {name: one.title.get("zh", "") for name, one in methodology.installed().items()}
    return {}


def methodology_named(name: str) -> str:
    """A methodology with its Chinese title, as far as it is installed here.

    >>> methodology_named("metro"), methodology_named("unheard_of")
    ('地铁出行 metro', 'unheard_of')
    """
    return f"{_titles().get(name, '')} {name}".strip()


#: What every certificate of the demonstration says, so that nobody takes it for a real one.
DEMONSTRATION = "演示,非真实碳惠 · Demonstration, no real credits"

CALCULATORS = {
    "household_month": ("家庭一个月的用能", "A household's month"),
    "commute": ("通勤", "Commuting"),
    "flight": ("航班", "Flights"),
    "trip": ("旅行与住宿", "Travel and hotel nights"),
    "event": ("会议与活动", "An event"),
    "measured": ("实测数据", "A measured figure"),
}
