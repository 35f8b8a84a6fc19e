"""Bills and offsets, merchants' settlements, retirements, par purchases."""

from carbonhui.core.migrations import run_step

revision = "0007_using"
down_revision = "0006_issuance"


def upgrade() -> None:
    run_step(revision)
