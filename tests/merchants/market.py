"""Residents, approved merchants and their tills, for the tests of charges."""

import itertools
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from carbonhui import ledger, merchants, participants
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.merchants import Charge, Outcome
from tests.ledger.books import fresh, mint_to
from tests.participants.people import NOON, TODAY, Town

Result = TypeVar("Result")
_SECONDS = itertools.count(1)
__all__ = ["NOON", "TODAY", "Market", "code_of_work"]


class Market(Town):
    """A town with money's worth in it: everybody here is somebody new."""

    def shopper(self, credits: int = 100) -> int:
        """A registered person's account with newly minted credits."""
        account = self.resident().account_id
        if credits:
            self.run(lambda session: mint_to(session, account, credits))
        return account

    def merchant(self) -> participants.Organisation:
        return self.approved("merchant")

    def code(self, payer: int, now: datetime = NOON, *, sandbox: bool = False) -> str:
        return merchants.payment_code(self.vault, account=payer, now=now, sandbox=sandbox).code

    def charge(self, session: Session, shop: participants.Organisation, *, payer: int | None = None, **words: Any) -> Outcome:
        """A charge by a code of the payer, or one that waits; what is not said is usual."""
        # Each code is of a second of its own.
        now = words.get("now") or (NOON if "payment_code" in words else NOON + timedelta(seconds=next(_SECONDS)))
        told: dict[str, Any] = {
            "organisation": shop.id, "out_trade_no": fresh("trade"), "on": TODAY, "now": now, "credits": None if "offer" in words else 10,
            "payment_code": None if payer is None else self.code(payer, now), **words,
        }  # fmt: skip
        return merchants.authorise(session, self.vault, **told)

    def paid(self, shop: participants.Organisation, payer: int, **words: Any) -> Charge:
        """A committed charge that must have come about."""
        outcome = self.run(lambda session: self.charge(session, shop, payer=payer, **words))
        assert outcome.charge is not None, outcome.declined
        return outcome.charge

    def now_is(self, charge: Charge) -> Charge:
        return self.run(lambda session: merchants.charge_numbered(session, charge.id))

    def holds(self, account: int) -> tuple[int, int]:
        """What an account holds, and what of it is free."""
        found = self.run(lambda session: ledger.balance_of(session, account))
        return found.posted, found.available

    def received(self, shop: participants.Organisation) -> int:
        assert shop.account_id is not None
        return self.holds(shop.account_id)[0]

    def refusal(self, work: Any) -> str:
        """The code of what refuses a piece of work, whose transaction is rolled back; ``done`` when nothing does."""
        return code_of_work(self.database, work)

    def inbox(self, account: int) -> list[str]:
        rows = self.rows(
            f"SELECT a.topic FROM inbox_message m JOIN announcement a ON a.id = m.announcement_id WHERE m.account_id = {account} ORDER BY a.id"
        )
        return [str(topic) for (topic,) in rows]

    def told(self, shop: participants.Organisation) -> list[str]:
        """What was announced to a merchant's endpoints."""
        rows = self.rows(f"SELECT topic FROM announcement WHERE organisation = {shop.id} AND topic LIKE 'charge.%' ORDER BY id")
        return [str(topic) for (topic,) in rows]

    def day(self, shop: participants.Organisation, on: date = TODAY) -> int:
        """Settle what a merchant received up to a day."""
        assert shop.account_id is not None
        account = shop.account_id
        return self.run(
            lambda session: merchants.settle(session, merchant=account, reference=fresh("settlement"), business_date=on)
        ).id


def code_of_work(database: Database, work: Any) -> str:
    try:
        outcome = database.run(work)
    except Refusal as refusal:
        return refusal.code
    if isinstance(outcome, Outcome) and outcome.declined is not None:
        return outcome.declined.code
    return "done"
