"""Recorded approvals, and the dated values that they put in force."""

from carbonhui.core.migrations import run_step

revision = "0002_governance"
down_revision = "0001_ledger"


def upgrade() -> None:
    run_step(revision)
