"""Neighbours with credits, telephones and a vault, for the tests of gifts and requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from carbonhui import circulation, ledger, participants, privacy
from carbonhui.circulation import Gift, Request
from carbonhui.core import embedded
from carbonhui.core.settings import Settings
from carbonhui.participants import Person
from tests.ledger.books import DAY, fresh, mint_to, opened_store, put_in_force
from tests.participants.people import Town

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
LAST_DAY = DAY + timedelta(days=7)
TOO_LATE = LAST_DAY + timedelta(days=1)


@dataclass
class Street(Town):
    """Each neighbour is somebody new."""

    def neighbour(self, credits: int = 0, *, vintage: int = 2026, mobile: str | None = None) -> Person:
        number = mobile or self.mobile()
        found = self.run(lambda s: participants.register_person(s, self.vault, mobile=number, on=DAY))
        if credits:
            self.run(lambda s: mint_to(s, found.account_id, credits, vintage=vintage))
        return found

    def with_number(self, credits: int = 0) -> tuple[Person, str]:
        number = self.mobile()
        return self.neighbour(credits, mobile=number), number

    def gives(self, giver: Person, mobile: str, credits: int = 5, **words: Any) -> Gift:
        said = {"reference": fresh("gift"), "on": DAY, **words}
        return self.run(lambda s: circulation.give_to_mobile(s, self.vault, giver=giver, mobile=mobile, credits=credits, **said))

    def shows(self, receiver: Person, at: datetime = NOW) -> str:
        return circulation.receive_code(self.vault, receiver.account_id, now=at)[0]

    def gives_by_code(self, giver: Person, code: str, credits: int = 5, **words: Any) -> Gift:
        said = {"reference": fresh("gift"), "on": DAY, "now": NOW, **words}
        return self.run(lambda s: circulation.give_by_code(s, self.vault, giver=giver, receive_code=code, credits=credits, **said))

    def asks(self, asker: Person, mobile: str, credits: int = 5, **words: Any) -> Request:
        said = {"reference": fresh("request"), "on": DAY, **words}
        return self.run(lambda s: circulation.ask_mobile(s, self.vault, asker=asker, mobile=mobile, credits=credits, **said))

    def accepts(self, gift: Gift, receiver: Person, on: date = DAY) -> Gift:
        return self.run(lambda s: circulation.accept_gift(s, gift.handle, receiver=receiver, on=on))

    def declines(self, gift: Gift, receiver: Person, on: date = DAY) -> Gift:
        return self.run(lambda s: circulation.decline_gift(s, gift.handle, receiver=receiver, on=on))

    def cancels(self, gift: Gift, giver: Person, on: date = DAY) -> Gift:
        return self.run(lambda s: circulation.cancel_gift(s, gift.handle, giver=giver, on=on))

    def received(self, person: Person, on: date = DAY) -> list[Gift]:
        return self.run(lambda s: circulation.gifts_of(s, person, given=False, on=on))

    def sent(self, person: Person, on: date = DAY) -> list[Gift]:
        return self.run(lambda s: circulation.gifts_of(s, person, given=True, on=on))

    def purse(self, *people: Person) -> list[tuple[int, int]]:
        """What each has, and what each may use."""
        found = [self.credits(person) for person in people]
        return [(one.posted, one.available) for one in found]

    def told(self, person: Person) -> list[str]:
        """The topics in somebody's inbox, oldest first."""
        rows = self.rows(
            "SELECT topic FROM announcement a JOIN inbox_message m ON m.announcement_id = a.id"
            f" WHERE m.account_id = {person.account_id} ORDER BY a.id"
        )
        return [str(row[0]) for row in rows]

    @contextmanager
    def decided(self, name: str, number: int, start: date = DAY) -> Iterator[None]:
        """The three bodies decided a rule, and later another that says what the city's profile says."""
        from tests.ledger.books import breaking

        self.run(lambda s: put_in_force(s, name, number, start))
        try:
            yield
        finally:
            with breaking(self.database) as owner:
                for table in ("policy_in_force", "policy_value", "decision", "matter"):
                    owner.execute(f"DELETE FROM {table}")

    def broken(self) -> list[dict[str, Any]]:
        with self.database.begin() as session:
            return [row.row for rows in ledger.run_checks(session, (*ledger.CHECKS, *circulation.CHECKS)).values() for row in rows]


@contextmanager
def opened_street(server: embedded.Server, server_settings: Settings, *, profile: str = "demo", keys: Any) -> Iterator[Street]:
    with opened_store(server, server_settings, profile=profile) as opened:
        settings = replace(server_settings, keys=keys)
        street = Street(opened, privacy.open_vault(settings), settings)
        yield street
        assert street.broken() == []


@pytest.fixture(scope="module")
def street(server: embedded.Server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """One store for all tests of a file; its books are checked at the end."""
    with opened_street(server, server_settings, keys=tmp_path_factory.mktemp("street") / "keys") as found:
        yield found


