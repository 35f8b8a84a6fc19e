"""Every kind of activity, judged by approved thresholds, and what is counted in another mechanism."""

from carbonhui.core.migrations import run_step

revision = "0008_activity"
down_revision = "0007_using"


def upgrade() -> None:
    run_step(revision)
