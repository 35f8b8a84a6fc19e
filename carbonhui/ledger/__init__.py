"""The books: who holds which credits and fen, and every movement of them (Articles 17-22).

Accounts are pseudonymous, transfers are append-only, and each single credit has a
serial whose whole history can be read. The database refuses what must never be:
an overdrawn account, a rewritten transfer, a serial with two owners, a reference
with two effects. ``checks`` proves the rest.
"""

from carbonhui.ledger.accounts import (
    Account,
    Kind,
    account_named,
    balance_of,
    close_account,
    limit_holding,
    open_account,
    open_accounts,
    require_kind,
    system_account,
)
from carbonhui.ledger.batches import Outcome, Transfer, post_many
from carbonhui.ledger.checks import CHECKS, Broken, Check, run_checks
from carbonhui.ledger.codes import code_of, parse_code, serial_of, spaced, vintage_of
from carbonhui.ledger.folding import fold, merge_blocks
from carbonhui.ledger.history import CursorInvalid, Event, Line, Page, balance_at, blocks_of, history_of, largest_earners, runs_of, statement
from carbonhui.ledger.holds import Hold, capture, expire, hold, hold_state, release
from carbonhui.ledger.issuing import issue
from carbonhui.ledger.posting import CNY, CREDIT, Entered, Leg, Posted, Purpose, post, post_group, reverse, transfer_under
from carbonhui.ledger.refusals import (
    AboveHoldingLimit,
    AccountClosed,
    AccountNeverReceives,
    AccountNeverSends,
    AccountNotEmpty,
    AccountUnknown,
    AssetDiffers,
    CaptureAboveHold,
    CodeInvalid,
    HoldNotOpen,
    HoldUnknown,
    KindDiffers,
    NotEnough,
    ReferenceInvalid,
    ReferenceReused,
    SelfTransfer,
)

__all__ = [
    "CHECKS",
    "CNY",
    "CREDIT",
    "AboveHoldingLimit",
    "Account",
    "AccountClosed",
    "AccountNeverReceives",
    "AccountNeverSends",
    "AccountNotEmpty",
    "AccountUnknown",
    "AssetDiffers",
    "Broken",
    "CaptureAboveHold",
    "Check",
    "CodeInvalid",
    "CursorInvalid",
    "Entered",
    "Event",
    "Hold",
    "HoldNotOpen",
    "HoldUnknown",
    "Kind",
    "KindDiffers",
    "Leg",
    "Line",
    "NotEnough",
    "Outcome",
    "Page",
    "Posted",
    "Purpose",
    "ReferenceInvalid",
    "ReferenceReused",
    "SelfTransfer",
    "Transfer",
    "account_named",
    "balance_at",
    "balance_of",
    "blocks_of",
    "capture",
    "close_account",
    "code_of",
    "expire",
    "fold",
    "history_of",
    "hold",
    "hold_state",
    "issue",
    "largest_earners",
    "limit_holding",
    "merge_blocks",
    "open_account",
    "open_accounts",
    "parse_code",
    "post",
    "post_group",
    "post_many",
    "release",
    "require_kind",
    "reverse",
    "run_checks",
    "runs_of",
    "serial_of",
    "spaced",
    "statement",
    "system_account",
    "transfer_under",
    "vintage_of",
]
