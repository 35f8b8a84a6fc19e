"""Merchants' grades, shops, tills and offers."""

from carbonhui.core.migrations import run_step

revision = "0024_shops"
down_revision = "0023_donation"


def upgrade() -> None:
    run_step(revision)
