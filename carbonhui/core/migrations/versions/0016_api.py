"""What the API remembers of requests: answers under their keys, and rates."""

from carbonhui.core.migrations import run_step

revision = "0016_api"
down_revision = "0015_consent"


def upgrade() -> None:
    run_step(revision)
