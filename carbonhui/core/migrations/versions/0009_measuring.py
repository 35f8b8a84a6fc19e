"""Reductions, and which batch was measured by which version."""

from carbonhui.core.migrations import run_step

revision = "0009_measuring"
down_revision = "0008_activity"


def upgrade() -> None:
    run_step(revision)
