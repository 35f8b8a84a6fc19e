"""A charity that proposes campaigns, receives gifts and tells what it does, for the tests of this room."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from carbonhui import approvals, donation, ledger, merchants, neutralisation, participants
from tests.circulation.pooling import Square
from tests.ledger.books import DAY, code_of, fresh

LAST = date(2026, 12, 31)
WORDS: dict[str, Any] = {
    "title": "净滩行动", "title_en": "Clean beaches", "purpose": "组织居民清理海滩。", "first_day": DAY, "last_day": LAST,
}  # fmt: skip


@dataclass
class Charity:
    """A charity that tells what it does."""

    square: Square
    organisation: participants.Organisation
    account: int

    def proposes(self, **words: Any) -> donation.Campaign:
        said = {**WORDS, "on": DAY, **words}
        return self.square.run(lambda s: donation.propose_campaign(s, self.organisation, **said))

    def campaign(self, **words: Any) -> donation.Campaign:
        """One that two of the staff opened."""
        found = self.proposes(**words)
        asked = ask(self.square, found)
        return decide(self.square, asked.id)

    def receives(self, campaign: donation.Campaign | None, credits: int, donor: int | None = None, **words: Any) -> ledger.Posted:
        giver = donor or self.square.rich(credits)
        said = {"reference": fresh("donation"), "business_date": DAY, **words}
        return self.square.run(lambda s: donation.donate(
            s, donor=giver, charity=self.account, credits=credits, campaign=campaign.id if campaign else None, **said
        ))  # fmt: skip

    def retires(self, credits: int, on: date = DAY) -> int:
        return self.square.run(lambda s: neutralisation.retire(
            s, owner=self.account, credits=credits, reference=fresh("retire"), business_date=on
        )).id  # fmt: skip

    def redeems(self, credits: int, merchant: int) -> int:
        return self.square.run(lambda s: merchants.redeem(
            s, payer=self.account, merchant=merchant, credits=credits, reference=fresh("redeem"), business_date=DAY
        )).id  # fmt: skip

    def records(self, campaign: donation.Campaign, transfer: int, what: str) -> str:
        return code_of(self.square.database, lambda s: donation.record_use(s, self.account, campaign, transfer, what))

    def report(self, campaign: donation.Campaign) -> donation.Report:
        return self.square.run(lambda s: donation.report_of(s, campaign))


@pytest.fixture
def charity(square: Square) -> Charity:
    account = square.organisation("charity")
    return Charity(square, square.run(lambda s: participants.organisation_of_account(s, account)), account)


def ask(square: Square, campaign: donation.Campaign, by: participants.Staff | None = None) -> approvals.Countersignature:
    registrar = by or square.staff("registrar")
    return square.run(lambda s: donation.ask_campaign(s, campaign.id, reason="papers seen", by=registrar, on=DAY))


def decide(square: Square, number: int, *, agreed: bool = True) -> donation.Campaign:
    approver = square.staff("approver")
    return square.run(lambda s: donation.decide_campaign(s, number, agreed=agreed, by=approver, on=DAY))
