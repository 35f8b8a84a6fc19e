"""The outbox, webhooks and the inbox."""

from carbonhui.core.migrations import run_step

revision = "0017_notifications"
down_revision = "0016_api"


def upgrade() -> None:
    run_step(revision)
