"""Batches of activity as they were received."""

from carbonhui.core.migrations import run_step

revision = "0004_activity"
down_revision = "0003_participants"


def upgrade() -> None:
    run_step(revision)
