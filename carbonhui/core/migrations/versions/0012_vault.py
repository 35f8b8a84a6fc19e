"""The vault: data keys, personal fields, blind indexes, the record of reads."""

from carbonhui.core.migrations import run_step

revision = "0012_vault"
down_revision = "0011_minting"


def upgrade() -> None:
    run_step(revision)
