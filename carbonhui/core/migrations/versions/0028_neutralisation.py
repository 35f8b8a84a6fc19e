"""Footprints and certificates."""

from carbonhui.core.migrations import run_step

revision = "0028_neutralisation"
down_revision = "0027_publicfees"


def upgrade() -> None:
    run_step(revision)
