"""A charge as it stands in the store, and finding one."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui.core.database import connection_of
from carbonhui.ledger import CREDIT, SANDBOX
from carbonhui.merchants.charge_refusals import ChargeUnknown, OutTradeNoInvalid

_NUMBER = re.compile(r"[0-9A-Za-z_|*-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Charge:
    """One sale. ``handle`` is its trade number; ``captured`` and ``refunded`` are credits.

    ``state`` is ``awaiting``, ``authorised``, ``captured``, ``voided`` or ``closed``.
    """

    id: int
    handle: UUID
    organisation: int
    merchant: int
    asset: int
    out_trade_no: str
    shop: int | None
    till: int | None
    offer: int | None
    quantity: int | None
    credits: int
    money_fen: int
    payer: int | None
    state: str
    captures: bool
    captured: int
    refunded: int
    hold_id: int | None
    transfer_id: int | None
    at: datetime
    authorised_at: datetime | None
    captured_at: datetime | None
    expires_at: datetime | None
    closed_at: datetime | None
    business_date: date
    code: bytes | None

    @property
    def sandbox(self) -> bool:
        return self.asset == SANDBOX

    def told(self, credits: int | None = None) -> dict[str, Any]:
        """What is announced of it: nothing that anybody wrote freely."""
        return {"trade": str(self.handle), "credits": self.credits if credits is None else credits, "sandbox": self.sandbox}


COLUMNS = ", ".join(Charge.__dataclass_fields__)


def checked_number(number: str) -> None:
    """Refuse what cannot be a merchant's number. Raises `OutTradeNoInvalid`."""
    if not isinstance(number, str) or _NUMBER.fullmatch(number) is None:
        raise OutTradeNoInvalid()


def charge_under(session: Session, organisation: int, out_trade_no: str, *, sandbox: bool = False) -> Charge | None:
    """The charge under a merchant's number, if there is one."""
    if _NUMBER.fullmatch(out_trade_no) is None:
        return None
    return _found(
        session, "organisation = %s AND asset = %s AND out_trade_no = %s", (organisation, SANDBOX if sandbox else CREDIT, out_trade_no)
    )


def query(session: Session, organisation: int, out_trade_no: str, *, sandbox: bool = False) -> Charge:
    """The charge under a merchant's number. Raises `ChargeUnknown`: it did not come about, and may be sent again."""
    found = charge_under(session, organisation, out_trade_no, sandbox=sandbox)
    if found is None:
        raise ChargeUnknown()
    return found


def charge_numbered(session: Session, number: int) -> Charge:
    """Raises `ChargeUnknown`."""
    found = _found(session, "id = %s", (number,))
    if found is None:
        raise ChargeUnknown()
    return found


def locked(session: Session, charge: Charge) -> Charge:
    """The charge as it is now, with everybody else waiting to change it."""
    found = _found(session, "id = %s FOR NO KEY UPDATE", (charge.id,))
    assert found is not None
    return found


def _found(session: Session, condition: str, words: tuple[Any, ...]) -> Charge | None:
    row = connection_of(session).execute(f"SELECT {COLUMNS} FROM charge WHERE {condition}", words, prepare=True).fetchone()
    return Charge(*row) if row else None
