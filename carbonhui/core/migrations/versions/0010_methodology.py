"""The archive of methodologies' texts."""

from carbonhui.core.migrations import run_step

revision = "0010_methodology"
down_revision = "0009_measuring"


def upgrade() -> None:
    run_step(revision)
