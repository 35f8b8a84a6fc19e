"""Settlements as they stand, and whether a payment is in one (Article 20)."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import ledger, participants
from carbonhui.core.database import connection_of
from carbonhui.merchants.refusals import SettlementUnknown


@dataclass(frozen=True)
class Settlement:
    """One settlement: ``credits + carried = brought + received - given``.

    ``number`` counts a merchant's settlements from 1; ``organisation`` is None for an
    account that belongs to none, and ``transfer_id`` where nothing was left to move.
    """

    id: int
    handle: UUID
    organisation: int | None
    merchant: int
    asset: int
    number: int
    day: date
    brought: int
    received: int
    given: int
    credits: int
    carried: int
    items: int
    transfer_id: int | None
    reference: str
    at: datetime

    @property
    def sandbox(self) -> bool:
        return self.asset == ledger.SANDBOX


COLUMNS = (
    "id, handle, organisation, merchant, asset, number, day, brought, received, given, credits, carried, items, transfer_id,"
    " reference, at"
)


def settled(session: Session, transfer: int) -> bool:
    """Whether its receiver's settlement lists this transfer, so that what it moved may have gone to the pool.

    Who acts on the answer locks the merchant's account before (`ledger.lock_accounts`),
    because a settlement does.
    """
    row = connection_of(session).execute(
        "SELECT FROM transfer t JOIN settlement_item i ON i.transfer_id = t.id AND i.merchant = t.credit WHERE t.id = %s",
        (transfer,), prepare=True,
    ).fetchone()  # fmt: skip
    return row is not None


def settlement(session: Session, handle: UUID | str) -> Settlement:
    """The settlement with this handle. Raises `SettlementUnknown`, also for what is no handle."""
    try:
        wanted = handle if isinstance(handle, UUID) else UUID(handle)
    except ValueError:
        raise SettlementUnknown() from None
    row = connection_of(session).execute(f"SELECT {COLUMNS} FROM settlement WHERE handle = %s", (wanted,)).fetchone()
    if row is None:
        raise SettlementUnknown()
    return Settlement(*row)


def organisation_of(session: Session, merchant: int) -> int | None:
    """The organisation that stands behind a merchant's account of credits or of sandbox credits."""
    row = connection_of(session).execute(
        """SELECT id FROM organisation WHERE account_id = %(merchant)s
           UNION ALL SELECT organisation FROM merchant_sandbox WHERE merchant = %(merchant)s""",
        {"merchant": merchant},
    ).fetchone()
    return row[0] if row else None


def settled_account(session: Session, organisation: participants.Organisation, *, sandbox: bool = False) -> int | None:
    """The account whose settlements a merchant reads; None where there is none yet."""
    if not sandbox:
        return organisation.account_id
    row = connection_of(session).execute(
        "SELECT merchant FROM merchant_sandbox WHERE organisation = %s", (organisation.id,)
    ).fetchone()
    return row[0] if row else None


def settlement_under(session: Session, reference: str) -> Settlement | None:
    """The settlement that was made under a reference, if there is one."""
    row = connection_of(session).execute(f"SELECT {COLUMNS} FROM settlement WHERE reference = %s", (reference,)).fetchone()
    return Settlement(*row) if row else None


def last_settled(session: Session, merchant: int) -> tuple[int, int, int]:
    """Number, what was carried, and how far was looked, of a merchant's last settlement."""
    row = connection_of(session).execute(
        "SELECT number, carried, looked_through FROM settlement WHERE merchant = %s ORDER BY number DESC LIMIT 1", (merchant,)
    ).fetchone()
    return (row[0], row[1], row[2]) if row else (0, 0, 0)
