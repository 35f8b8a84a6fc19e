"""Persons are told what they earned, in the transaction that makes it (Article 17)."""

from datetime import date

import pytest

from carbonhui import ledger, notifications, participants, privacy
from carbonhui.core.database import Database
from carbonhui.issuance import operations
from tests.issuance.riders import TODAY, Killed, commuter, measured, mint


@pytest.fixture(scope="module")
def vault(town_with_ratio: Database, tmp_path_factory: pytest.TempPathFactory) -> privacy.Vault:
    from dataclasses import replace

    return privacy.open_vault(replace(town_with_ratio.settings, keys=tmp_path_factory.mktemp("telling") / "keys"))


_MOBILES = iter(range(13700000000, 13700001000))


def person(database: Database, vault: privacy.Vault, *amounts: int, day: date = TODAY) -> participants.Person:
    found = database.run(lambda s: participants.register_person(s, vault, mobile=str(next(_MOBILES)), on=TODAY))
    measured(database, found.account_id, *amounts, day=day)
    return found


def told(database: Database, account: int) -> list[dict[str, object]]:
    with database.begin() as session:
        found = notifications.messages_of(session, account)
    assert {message.code for message in found} <= {"credit.minted"}
    return [message.facts for message in found]


def announced(database: Database) -> int:
    with database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM announcement").fetchone()
    assert row is not None
    return int(row[0])


def test_each_person_is_told_their_own_credits_and_nobody_else_anything(database: Database, vault: privacy.Vault) -> None:
    before = announced(database)
    poor, stranger = person(database, vault, 99_999), commuter(database, 500_000)
    rich, richer = person(database, vault, 150_000, 60_000), person(database, vault, 300_000)
    mint(database)
    assert [told(database, one.account_id) for one in (rich, richer, poor)] == [[{"credits": 2}], [{"credits": 3}], []]
    assert told(database, stranger) == []
    assert announced(database) == before + 2
    mint(database)
    assert announced(database) == before + 2


def test_each_vintage_is_told_apart(database: Database, vault: privacy.Vault) -> None:
    rider = person(database, vault, 100_000, day=date(2025, 12, 31))
    measured(database, rider.account_id, 200_000, day=date(2026, 1, 1))
    mint(database)
    assert told(database, rider.account_id) == [{"credits": 2}, {"credits": 1}]


def test_who_has_room_for_fewer_is_told_of_these(database: Database, vault: privacy.Vault) -> None:
    rider = person(database, vault, 500_000)
    with database.connect_as_owner(autocommit=True) as owner:
        owner.execute("UPDATE balance SET holding_max = 3 WHERE account_id = %s", (rider.account_id,))
    mint(database)
    assert told(database, rider.account_id) == [{"credits": 3}]


def test_an_erased_person_is_told_nothing(database: Database, vault: privacy.Vault) -> None:
    rider = person(database, vault, 500_000)
    database.run(lambda s: participants.erase_person(s, vault, rider, on=TODAY))
    mint(database)
    assert told(database, rider.account_id) == []


def test_a_mint_that_is_killed_told_what_it_made_and_nothing_else(database: Database, vault: privacy.Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    rider = person(database, vault, 100_000)
    real = operations.mint_next

    def killed(*words: object, **more: object) -> None:
        assert real(*words, **more) is not None  # type: ignore[arg-type]
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(operations, "mint_next", killed)
        with pytest.raises(Killed):
            mint(database, workers=1)
    assert told(database, rider.account_id) == []
    mint(database)
    assert told(database, rider.account_id) == [{"credits": 1}]
    with database.begin() as session:
        assert ledger.balance_of(session, rider.account_id).posted == 1
