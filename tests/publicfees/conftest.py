"""One store for all tests of a file, and the offices in it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from argon2 import PasswordHasher

from carbonhui import policy, privacy
from carbonhui.core import embedded
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.participants import staff
from tests.ledger.books import broken, opened_store, put_in_force, town
from tests.publicfees.offices import PAR, Offices

__all__ = ["town"]


@pytest.fixture(scope="session", autouse=True)
def cheap_hashing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="module")
def offices(server: embedded.Server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    """A store of residents and departments for all tests of a file. Its books are checked at the end."""
    settings = replace(server_settings, keys=tmp_path_factory.mktemp("offices") / "keys")
    with opened_store(server, server_settings, pool_size=18) as opened:
        with opened.begin() as session:
            put_in_force(session, policy.PAR, PAR, date(2020, 1, 1))
            put_in_force(session, policy.OFFSET_CAP, 10, date(2020, 1, 1))
        yield Offices(opened, privacy.open_vault(settings), settings)
        wrong = broken(opened)
        assert not wrong, wrong


@pytest.fixture
def unchecked(unchecked_database: Database, settings: Settings) -> Offices:
    """A store of its own in which one credit is worth one fen."""
    with unchecked_database.begin() as session:
        put_in_force(session, policy.PAR, 1000, date(2020, 1, 1))
        put_in_force(session, policy.OFFSET_CAP, 10, date(2020, 1, 1))
    return Offices(unchecked_database, privacy.open_vault(settings), settings)
