"""Who answers to which identifier, as blind indexes."""

from carbonhui.core.migrations import run_step

revision = "0003_participants"
down_revision = "0002_governance"


def upgrade() -> None:
    run_step(revision)
