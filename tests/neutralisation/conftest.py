"""One store for all tests of a file, a vault, and people who neutralise."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from carbonhui import ledger, neutralisation, privacy
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.participants import staff
from tests.ledger.books import town
from tests.neutralisation.emitters import Emitters
from tests.participants.people import Town

__all__ = ["town"]


@pytest.fixture(scope="session", autouse=True)
def cheap_hashing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="module")
def emitters(town: Database, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emitters]:
    home = tmp_path_factory.mktemp("emitters")
    settings = replace(server_settings, home=home, blind_key_file=home / "blind-index.key", keys=home / "keys")
    vault = privacy.open_vault(settings)
    yield Emitters(town, vault, Town(town, vault, settings))
    with town.begin() as session:
        assert ledger.run_checks(session, neutralisation.CHECKS) == {"I16": []}
