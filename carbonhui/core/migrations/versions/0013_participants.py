"""Persons, organisations, members, staff and links with proof."""

from carbonhui.core.migrations import run_step

revision = "0013_participants"
down_revision = "0012_vault"


def upgrade() -> None:
    run_step(revision)
