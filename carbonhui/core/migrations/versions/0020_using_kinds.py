"""Kinds of accounts and purposes for using credits, and what two of the staff decide."""

from carbonhui.core.migrations import run_step

revision = "0020_using_kinds"
down_revision = "0019_forgetting"


def upgrade() -> None:
    run_step(revision)
