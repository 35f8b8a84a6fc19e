"""People with credits, charities and merchants, and pools of theirs, for the tests of pools and of donation."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from argon2 import PasswordHasher

from carbonhui import circulation, ledger, participants, privacy
from carbonhui.core import embedded
from carbonhui.core.settings import Settings
from carbonhui.participants import staff
from tests.ledger.books import DAY, fresh, give, holds, mint_to, opened_store
from tests.participants.people import Town

DEADLINE = date(2026, 12, 31)


@dataclass
class Square(Town):
    """A town whose people have credits to put together."""

    def rich(self, credits: int = 100) -> int:
        """The account of a registered person with newly minted credits."""
        account = self.resident().account_id
        self.run(lambda s: mint_to(s, account, credits))
        return account

    def organisation(self, kind: str, credits: int = 0) -> int:
        """The account of an approved organisation, with credits that it received."""
        account = self.approved(kind).account_id
        assert account is not None
        if credits:
            giver = self.rich(credits)
            self.run(lambda s: give(s, giver, account, credits))
        return account

    def pool(self, owner: int | None = None, *, goal: int = 10, **words: Any) -> circulation.Pool:
        """An open pool; its owner is somebody new unless told."""
        said: dict[str, Any] = {
            "owner": owner or self.rich(1), "title": "一起抵消班级春游", "goal_credits": goal, "purpose": "neutralisation", "target": None,
            "deadline": DEADLINE, "on": DAY, **words,
        }  # fmt: skip
        return self.run(lambda s: circulation.open_pool(s, self.vault, **said))

    def put(
        self, pool: circulation.Pool, payer: int, credits: int, *, on: date = DAY, reference: str | None = None
    ) -> circulation.Contribution:
        return self.run(lambda s: circulation.contribute(
            s, pool.id, payer=payer, credits=credits, reference=reference or fresh("contribution"), business_date=on
        ))  # fmt: skip

    def now_of(self, pool: circulation.Pool) -> circulation.Pool:
        return self.run(lambda s: circulation.pool_numbered(s, pool.id))

    def use(self, pool: circulation.Pool, purpose: str = "neutralisation", *, on: date = DAY, **words: Any) -> int:
        return self.run(lambda s: circulation.use_pool(s, pool.id, owner_account=pool.owner, purpose=purpose, on=on, **words))

    def conclude(self, on: date, *, most: int = 1000) -> int:
        """Until nothing is left to do; how many times it was called."""
        for time in range(1, 1000):
            if not self.run(lambda s: circulation.conclude_pools(s, on=on, most=most)):
                return time
        raise AssertionError("concluding never ends")

    def holds(self, *accounts: int) -> list[int]:
        return [holds(self.database, account) for account in accounts]

    def told(self, account: int) -> list[str]:
        """The topics in somebody's inbox, oldest first."""
        rows = self.rows(
            f"""SELECT topic FROM announcement a JOIN inbox_message m ON m.announcement_id = a.id
                WHERE m.account_id = {account} ORDER BY a.id"""
        )
        return [str(row[0]) for row in rows]

    def person_of(self, account: int) -> participants.Person:
        return self.run(lambda s: participants.person_of_account(s, account))

    def erase(self, account: int, on: date = DAY) -> None:
        person = self.person_of(account)
        self.run(lambda s: participants.erase_person(s, self.vault, person, on=on))

    def broken(self, *checks: ledger.Check) -> list[dict[str, Any]]:
        with self.database.begin() as session:
            return [row.row for rows in ledger.run_checks(session, checks).values() for row in rows]


@pytest.fixture(scope="module")
def square(server: embedded.Server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Square]:
    """One store for all tests of a file; its books, its pools and its charities' books are checked at the end."""
    from carbonhui import donation

    home = tmp_path_factory.mktemp("square")
    settings = replace(server_settings, home=home, blind_key_file=home / "blind-index.key", keys=home / "keys")
    with pytest.MonkeyPatch.context() as patch, opened_store(server, server_settings) as opened:
        patch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        found = Square(opened, privacy.open_vault(settings), settings)
        yield found
        assert found.broken(*ledger.CHECKS, *circulation.POOL_CHECKS, *donation.CHECKS) == []
