"""Minting with fewer rows and index entries for each person."""

from carbonhui.core.migrations import run_step

revision = "0011_minting"
down_revision = "0010_methodology"


def upgrade() -> None:
    run_step(revision)
