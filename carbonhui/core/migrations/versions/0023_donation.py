"""Charities' campaigns, gifts to them, and what became of them."""

from carbonhui.core.migrations import run_step

revision = "0023_donation"
down_revision = "0022_pools"


def upgrade() -> None:
    run_step(revision)
