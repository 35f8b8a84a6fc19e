"""One real server for all that must be shown, and one application in this process for what asks thousands of times."""

from collections.abc import Iterator

import psycopg
import pytest
from argon2 import PasswordHasher

from carbonhui import methodology
from carbonhui.core import embedded
from carbonhui.demo.city import approve_what_is_installed
from carbonhui.participants import staff
from tests.conftest import _cloned
from tests.shown.served import Served, served_city


@pytest.fixture(scope="session", autouse=True)
def cheap_hashing() -> Iterator[None]:
    """Passwords of the tests' own staff are hashed without the cost that they have in life."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def city(server: embedded.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served city whose bodies approved the installed methodologies."""
    name = _cloned(server, "template_city")
    with served_city(server, name, tmp_path_factory.mktemp("shown")) as opened:
        opened.do(lambda session: approve_what_is_installed(session, methodology.installed_versions()))
        yield opened
    with psycopg.connect(**server.parameters("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
