"""A street of merchants with shops, and offers on terms that a test may change, for the tests of grades, shops and offers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from carbonhui import approvals, merchants, participants, privacy
from carbonhui.core import embedded
from carbonhui.core.amounts import Credits, Fen
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings
from carbonhui.participants import Organisation
from tests.ledger.books import broken, opened_store
from tests.participants.people import TODAY, Town

TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
#: The Canton Tower.
TOWER = {"latitude_udeg": 23_106_500, "longitude_udeg": 113_324_500}
SHEET = (merchants.Score("包装减量", 8, 10), merchants.Score("green electricity", 12, 20))
MORNING_TEA = merchants.Terms(
    title_zh="早茶套餐", title_en="Morning tea", category="food", credits=Credits(5), money_fen=Fen(1_000), list_price_fen=Fen(2_000),
    per_person_max=None, per_person_day_max=None, per_day_max=None, stock=None, valid_from=TODAY, valid_until=TODAY + timedelta(days=30),
)  # fmt: skip


@dataclass
class Street(Town):
    """Merchants who are never asked for twice."""

    def code(self, work: Any) -> str:
        """The code of the refusal, or ``done``."""
        try:
            self.run(work)
        except Refusal as refusal:
            return refusal.code
        return "done"

    def shop(self, merchant: Organisation, **words: Any) -> merchants.Shop:
        given = {"name": "珠江茶馆", "address": "阅江西路 222 号", "district": "440105", "hours": "09:00-21:00", **TOWER, **words}
        return self.run(lambda s: merchants.add_shop(s, merchant, on=TODAY, **given))

    def merchant(self, *, shops: int = 1) -> Organisation:
        """An approved merchant with open shops."""
        found = self.approved("merchant")
        for _ in range(shops):
            self.shop(found)
        return found

    def draft(self, merchant: Organisation, shops: tuple[UUID, ...] = (), **words: Any) -> merchants.Offer:
        terms = replace(MORNING_TEA, **words)
        return self.run(lambda s: merchants.draft_offer(s, merchant, terms, shops=shops, on=TODAY))

    def offer(self, merchant: Organisation | None = None, shops: tuple[UUID, ...] = (), **words: Any) -> merchants.Offer:
        """A published offer; of a new merchant unless one is named."""
        owner = merchant or self.merchant()
        drafted = self.draft(owner, shops, **words)
        return self.run(lambda s: merchants.publish_offer(s, owner, drafted, on=TODAY))

    def seen(self, merchant: Organisation, **words: Any) -> set[UUID]:
        """The offers of a merchant that anybody finds today."""
        wanted = merchants.Wanted(merchant=merchant.handle, **words)
        return {found.handle for found in self.run(lambda s: merchants.find_offers(s, wanted, on=TODAY))}

    def asked(self, merchant: Organisation, grade: str = "B", *, from_day: date = TODAY, by: participants.Staff | None = None) -> int:
        """The number under which a grade waits for its second signature."""
        registrar = by or self.staff("registrar")

        def ask(session: Session) -> approvals.Countersignature:
            return merchants.propose_grade(
                session, merchant, grade=grade, sheet=SHEET, source="evaluation 2026-11", reason="visited", from_day=from_day,
                by=registrar, on=TODAY,
            )  # fmt: skip

        return self.run(ask).id

    def graded(self, merchant: Organisation, grade: str, *, from_day: date = TODAY) -> None:
        number, approver = self.asked(merchant, grade, from_day=from_day), self.staff("approver")
        self.run(lambda s: merchants.decide_grade(s, number, agreed=True, by=approver, on=TODAY))


@pytest.fixture(scope="module")
def street(server: embedded.Server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    settings = replace(server_settings, keys=tmp_path_factory.mktemp("street") / "keys")
    with opened_store(server, server_settings, pool_size=18) as opened:
        yield Street(opened, privacy.open_vault(settings), settings)
        wrong = broken(opened)
        assert not wrong, wrong
