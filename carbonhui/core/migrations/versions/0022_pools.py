"""Pools of credits with a goal."""

from carbonhui.core.migrations import run_step

revision = "0022_pools"
down_revision = "0021_gifts"


def upgrade() -> None:
    run_step(revision)
