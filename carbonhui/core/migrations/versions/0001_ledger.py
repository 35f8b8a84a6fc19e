"""The books: accounts, balances, transfers, holds, blocks and issue ranges."""

from carbonhui.core.migrations import run_step

revision = "0001_ledger"
down_revision = None


def upgrade() -> None:
    run_step(revision)
