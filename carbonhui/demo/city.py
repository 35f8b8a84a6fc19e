"""The demonstration city's approval bodies. They exist in the demonstration profile only."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from carbonhui import approvals, policy
from carbonhui.core.clock import SystemClock
from carbonhui.methodology import Methodology

PROPOSER = "demo-city-office"

#: Name, number, first day, and where the number comes from. None is an approved number of a real city.
NUMBERS = (
    (policy.EXCHANGE_RATIO, 100_000, date(2018, 1, 1), "demonstration: one credit for 100 g (no Guangzhou ratio found)"),
    (policy.PAR, 20_000, date(2018, 1, 1), "demonstration: Wuhan's 2 CNY per kg (China Daily, 2025-05-23)"),
    (policy.OFFSET_CAP, 10, date(2018, 1, 1), "Article 19 of the 2018 draft: a tenth"),
)


def approve_what_is_installed(session: Session, methodologies: dict[str, Methodology]) -> list[str]:
    """Propose, decide and put in force the demonstration's numbers and methodologies; a line for each.

    What is in force already is left alone. Refused by the database outside the
    demonstration profile (`policy.DemonstrationOnly`).
    """
    lines = []
    for name, number, start, source in NUMBERS:
        if not policy.values(session, name):
            matter = policy.propose_number(
                session, name, number=number, start=start, source=source, proposed_by=PROPOSER, demonstration=True
            )
            lines.append(_approve(session, matter, f"{name} = {number:,} from {start}"))
    for found in methodologies.values():
        versions = policy.versions_in_force(session, found.id)
        if not any(version.fingerprint == found.fingerprint for version in versions):
            tomorrow = SystemClock().today() + timedelta(days=1)
            start = max(found.first_day, tomorrow) if versions else found.first_day
            matter = policy.propose_fingerprint(
                session, found.id, fingerprint=found.fingerprint, start=start, source=found.document,
                proposed_by=PROPOSER, demonstration=True,
            )
            lines.append(_approve(session, matter, f"{found.id} {found.version} ({found.fingerprint[:12]}) from {start}"))
    return lines


def _approve(session: Session, matter: int, what: str) -> str:
    for body in approvals.BODIES:
        approvals.decide(
            session, matter, body=body, approved=True, decided_by=f"demo-{body}",
            document_number=f"DEMO-{matter}-{body}",
        )
    policy.come_into_force(session, matter)
    return f"{what}: approved by {', '.join(approvals.BODIES)} (matter {matter})"
