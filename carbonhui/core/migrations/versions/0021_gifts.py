"""Gifts and requests that wait, and what a person lets others take."""

from carbonhui.core.migrations import run_step

revision = "0021_gifts"
down_revision = "0020_using_kinds"


def upgrade() -> None:
    run_step(revision)
