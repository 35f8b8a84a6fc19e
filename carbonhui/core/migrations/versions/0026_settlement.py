"""Settlements of merchants."""

from carbonhui.core.migrations import run_step

revision = "0026_settlement"
down_revision = "0025_charges"


def upgrade() -> None:
    run_step(revision)
