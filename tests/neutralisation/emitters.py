"""People and organisations that neutralise, for the tests of this room."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import ledger, neutralisation, participants, privacy
from carbonhui.core.database import Database
from carbonhui.neutralisation import Certificate, Footprint
from tests.ledger.books import DAY, fresh, mint_to
from tests.participants.people import Town

EVIDENCE = bytes(range(32))
READER = privacy.Reader(actor="person:1", role="person", purpose="certificate")


def footprint(mg: int) -> Footprint:
    return neutralisation.measured(mg=mg, evidence=EVIDENCE)


@dataclass
class Emitters:
    """A store, its vault, and people with credits."""

    database: Database
    vault: privacy.Vault
    people: Town

    def person(self, credits: int = 0, **minted: Any) -> participants.Person:
        found = self.people.resident()
        if credits:
            self.database.run(lambda s: mint_to(s, found.account_id, credits, **minted))
        return found

    def organisation(self, kind: str, credits: int = 0) -> participants.Organisation:
        found = self.people.approved(kind)
        giver = self.person(credits)
        if credits:
            self.database.run(lambda s: ledger.post(
                s, purpose=ledger.Purpose.GIVE, source=giver.account_id, target=_account(found), amount=credits, reference=fresh(),
                business_date=DAY,
            ))  # fmt: skip
        return found

    def asked(self, owner: participants.Person | participants.Organisation, mg: int, **words: Any) -> dict[str, Any]:
        account = _account(owner)
        return {
            "account": account, "payer": account, "subject": owner.subject if isinstance(owner, participants.Person) else None,
            "footprint": footprint(mg), "beneficiary": None, "reason": "周末出行", "reference": fresh("footprint"), "business_date": DAY,
        } | words  # fmt: skip

    def neutralise(self, owner: participants.Person | participants.Organisation, mg: int, **words: Any) -> Certificate:
        asked = self.asked(owner, mg, **words)
        return self.database.run(lambda s: neutralisation.neutralise(s, self.vault, **asked))

    def do(self, session: Session, owner: Any, mg: int, **words: Any) -> Certificate:
        return neutralisation.neutralise(session, self.vault, **self.asked(owner, mg, **words))

    def record(self, of: Certificate, *, owner: bool = True, area: str = "4401") -> neutralisation.Record:
        return self.database.run(lambda s: neutralisation.record_of(
            s, self.vault, neutralisation.certificate(s, of.number), reader=READER, area=area, owner=owner,
            public_url="https://carbon.example",
        ))  # fmt: skip


def _account(owner: participants.Person | participants.Organisation) -> int:
    assert owner.account_id is not None
    return owner.account_id


def day(text: str) -> date:
    return date.fromisoformat(text)
