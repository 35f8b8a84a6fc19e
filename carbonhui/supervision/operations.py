"""Running every check over one instant of the books."""

import time
from dataclasses import dataclass

from sqlalchemy.orm import Session

from carbonhui import issuance, ledger, publicfees

#: Every room's checks, in the order of their names.
CHECKS: tuple[ledger.Check, ...] = tuple(
    sorted((*ledger.CHECKS, *issuance.CHECKS, *publicfees.CHECKS), key=lambda check: int(check.name[1:]))
)


@dataclass(frozen=True)
class Verdict:
    """One check, the rows that break it (none when it holds), and how long it took."""

    check: ledger.Check
    broken: list[ledger.Broken]
    seconds: float

    @property
    def holds(self) -> bool:
        return not self.broken


def verify(session: Session) -> list[Verdict]:
    """Every check, over one instant when the session is a snapshot (`Database.snapshot`)."""
    verdicts = []
    for check in CHECKS:
        began = time.perf_counter()
        broken = ledger.run_checks(session, [check])[check.name]
        verdicts.append(Verdict(check, broken, time.perf_counter() - began))
    return verdicts
