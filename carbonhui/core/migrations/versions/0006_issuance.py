"""Mints, what each person carries over, and the tie between reductions and credits."""

from carbonhui.core.migrations import run_step

revision = "0006_issuance"
down_revision = "0005_quantification"


def upgrade() -> None:
    run_step(revision)
