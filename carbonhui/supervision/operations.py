"""Running every check over one instant of the books."""

import time
from dataclasses import dataclass

from sqlalchemy.orm import Session

from carbonhui import (
    circulation,
    consent,
    donation,
    issuance,
    ledger,
    merchants,
    neutralisation,
    notifications,
    privacy,
    publicfees,
)

#: The vault and the consents say the two halves of one truth.
_VAULT = " UNION ALL ".join(truth.query for truth in privacy.CHECK_QUERIES)
_CONSENT = " UNION ALL ".join(check.query for check in consent.CHECKS)
PRIVACY = ledger.Check(
    "I12",
    "no personal field is readable without a live key, and nothing is processed outside consent",
    "没有有效密钥就读不出个人信息;未经授权不处理任何数据",
    f"""
    SELECT what, subject, NULL::bigint AS account, detail FROM ({_VAULT}) AS vault
    UNION ALL
    SELECT what, NULL, account, concat_ws(' ', source, reduction, day) FROM ({_CONSENT}) AS consents
    """,
)
ANNOUNCEMENTS = tuple(ledger.Check(*told) for told in notifications.CHECK_QUERIES)

#: Every room's checks, in the order of their names.
CHECKS: tuple[ledger.Check, ...] = tuple(
    sorted(
        (*ledger.CHECKS, *issuance.CHECKS, *circulation.CHECKS, *merchants.CHECKS, *publicfees.CHECKS, *donation.CHECKS, *neutralisation.CHECKS, PRIVACY, *ANNOUNCEMENTS), key=lambda check: int(check.name[1:])
    )
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
