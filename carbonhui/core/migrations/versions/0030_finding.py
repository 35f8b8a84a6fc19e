"""Finding shops and offers by words and near a place; when a charge was made."""

from carbonhui.core.migrations import run_step

revision = "0030_finding"
down_revision = "0029_pool_purpose"


def upgrade() -> None:
    run_step(revision)
