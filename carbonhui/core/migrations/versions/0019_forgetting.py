"""What is still to be forgotten of erased persons, and persons who learn what they earned."""

from carbonhui.core.migrations import run_step

revision = "0019_forgetting"
down_revision = "0018_schedule"


def upgrade() -> None:
    run_step(revision)
