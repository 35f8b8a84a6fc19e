"""One-time codes, devices, tokens, keys and signed requests."""

from carbonhui.core.migrations import run_step

revision = "0014_access"
down_revision = "0013_participants"


def upgrade() -> None:
    run_step(revision)
