"""Which due point of which job took effect."""

from carbonhui.core.migrations import run_step

revision = "0018_schedule"
down_revision = "0017_notifications"


def upgrade() -> None:
    run_step(revision)
