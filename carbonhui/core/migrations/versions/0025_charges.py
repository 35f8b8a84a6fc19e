"""Payment codes, charges and refunds."""

from carbonhui.core.migrations import run_step

revision = "0025_charges"
down_revision = "0024_shops"


def upgrade() -> None:
    run_step(revision)
