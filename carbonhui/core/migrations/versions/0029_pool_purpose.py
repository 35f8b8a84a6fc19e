"""An index for the list of pools of one purpose."""

from carbonhui.core.migrations import run_step

revision = "0029_pool_purpose"
down_revision = "0028_neutralisation"


def upgrade() -> None:
    run_step(revision)
