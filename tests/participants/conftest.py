"""A vault, hashing that is cheap enough for tests, and one store for all tests of a file that need not be alone in it."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from argon2 import PasswordHasher

from carbonhui import ledger, privacy
from carbonhui.core import embedded, migrations
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.participants import staff
from tests.conftest import _cloned
from tests.participants.people import Town


@pytest.fixture
def vault(settings: Settings) -> privacy.Vault:
    return privacy.open_vault(settings)


@pytest.fixture(scope="session", autouse=True)
def cheap_hashing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="module")
def town(
    server: embedded.Server, server_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """A store whose people and organisations never meet, because each has numbers of its own."""
    home = tmp_path_factory.mktemp("town")
    settings = replace(
        server_settings, home=home, blind_key_file=home / "blind-index.key", keys=home / "keys", pool_size=8
    )
    name = _cloned(server, "template_books")
    migrations.bring_up_to_date(server.parameters(name), profile=settings.profile)
    with Database(parameters=server.parameters(name), settings=settings, server=None) as database:
        yield Town(database, privacy.open_vault(settings), settings)
        with database.begin() as session:
            assert {check: rows for check, rows in ledger.run_checks(session).items() if rows} == {}
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
