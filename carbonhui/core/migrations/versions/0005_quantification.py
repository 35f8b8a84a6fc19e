"""Reductions, and which batch was measured by which version."""

from carbonhui.core.migrations import run_step

revision = "0005_quantification"
down_revision = "0004_activity"


def upgrade() -> None:
    run_step(revision)
