"""One store for all tests of a file."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from carbonhui import privacy
from carbonhui.core import embedded
from carbonhui.core.settings import Settings
from carbonhui.participants import staff
from tests.ledger.books import broken, opened_store, town
from tests.merchants.market import Market

__all__ = ["town"]


@pytest.fixture(scope="session", autouse=True)
def cheap_hashing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="module")
def market(server: embedded.Server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A store of residents and merchants for all tests of a file. Its books are checked at the end."""
    settings = replace(server_settings, keys=tmp_path_factory.mktemp("market") / "keys")
    with opened_store(server, server_settings, pool_size=18) as opened:
        yield Market(opened, privacy.open_vault(settings), settings)
        wrong = broken(opened)
        assert not wrong, wrong
