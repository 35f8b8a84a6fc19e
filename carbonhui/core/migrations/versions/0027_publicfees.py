"""Fee items and bills of departments, and offsets that were undone."""

from carbonhui.core.migrations import run_step

revision = "0027_publicfees"
down_revision = "0026_settlement"


def upgrade() -> None:
    run_step(revision)
