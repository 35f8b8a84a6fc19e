"""Consents per source and purpose, append-only."""

from carbonhui.core.migrations import run_step

revision = "0015_consent"
down_revision = "0014_access"


def upgrade() -> None:
    run_step(revision)
