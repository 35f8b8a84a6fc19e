"""Departments with approved fee items, their bills, and residents who pay them."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import fund, notifications, participants, publicfees
from carbonhui.core.database import connection_of
from tests.ledger.books import DAY, fresh, mint_to
from tests.participants.people import Town

#: One credit is worth 20 fen.
PAR = 20_000
ITEM = "103044601"
METER = "4401-0187 221"


@dataclass
class Offices(Town):
    """A town whose departments bill for what two of the staff approved."""

    _departments: dict[str, participants.Organisation] = field(default_factory=dict)

    def item(self, department: participants.Organisation, code: str = ITEM, *, agreed: bool | None = True) -> publicfees.FeeItem:
        """A fee item that was applied for, and decided unless ``agreed`` is None."""
        words = {"title_zh": "污水处理费", "title_en": "Sewage treatment fee", "legal_basis": "粤价[2015]1号"}
        item = self.run(lambda s: publicfees.apply_for_fee_item(s, department, code=code, on=DAY, **words))
        if agreed is None:
            return item
        registrar, approver = self.staff("registrar"), self.staff("approver")

        def both(session: Session) -> publicfees.FeeItem:
            asked = publicfees.propose_fee_item(session, item, reason="papers seen", by=registrar, on=DAY)
            return publicfees.decide_fee_item(session, asked.id, agreed=agreed, by=approver, on=DAY)

        return self.run(both)

    def waterworks(self) -> participants.Organisation:
        """A new department that may bill for sewage."""
        found = self.approved("department")
        self.item(found)
        return found

    def rich(self, credits: int = 1000) -> participants.Person:
        person = self.resident()
        self.run(lambda s: mint_to(s, person.account_id, credits))
        return person

    def words(self, **changed: Any) -> dict[str, Any]:
        given = {
            "number": fresh("W"), "fee_item": ITEM, "total_fen": 8_800, "payer_reference": METER, "due_on": date(2026, 12, 31),
            "on": DAY,
        }  # fmt: skip
        return given | changed

    def presented(self, department: participants.Organisation, **changed: Any) -> publicfees.Bill:
        words = self.words(**changed)
        return self.run(lambda s: publicfees.present_bill(s, self.vault, department, **words)).bill

    def bill_for(self, person: participants.Person, department: participants.Organisation, **changed: Any) -> publicfees.Bill:
        """A bill in somebody's list."""
        return self.presented(department, addressee=person, **changed)

    def offset(self, bill: publicfees.Bill, payer: participants.Person, credits: int = 44, day: date = DAY) -> publicfees.Bill:
        return self.run(lambda s: publicfees.offset_presented_bill(
            s, bill.handle, payer=payer.account_id, credits=credits, business_date=day  # type: ignore[arg-type]
        ))  # fmt: skip

    def taken_back(self, department: participants.Organisation, bill: publicfees.Bill, because: str = "cancelled") -> publicfees.Bill:
        return self.run(lambda s: publicfees.take_back_bill(s, department, bill.handle, because=because, on=DAY))

    def bought(self, department: participants.Organisation, through: date = DAY) -> fund.Purchase:
        """The fund has the money and buys what it owes."""
        account, purse = department.account_id, department.cash_account_id
        assert account is not None and purse is not None

        def paid(session: Session) -> fund.Purchase:
            fund.receive_budget(session, fen=10**6, reference=fresh("budget"), business_date=DAY)  # type: ignore[arg-type]
            return fund.purchase_at_par(
                session, department=account, cash_account=purse, through=through, reference=fresh("close"), business_date=DAY
            )

        return self.run(paid)

    def told(self, person: participants.Person) -> list[str]:
        """Topics of somebody's inbox, newest first."""
        return [one.code for one in self.run(lambda s: notifications.messages_of(s, person.account_id))]

    def one(self, statement: str, *words: Any) -> Any:
        """The one value that a question of the store has."""

        def asked(session: Session) -> Any:
            row = connection_of(session).execute(statement, words).fetchone()
            return row[0] if row else None

        return self.run(asked)
