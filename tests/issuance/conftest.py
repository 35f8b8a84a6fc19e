"""One store for all tests of a file, or one for each."""

from collections.abc import Iterator
from datetime import date

import pytest

from carbonhui import policy
from carbonhui.core.database import Database
from tests.issuance.riders import mint
from tests.ledger.books import broken, put_in_force, town

__all__ = ["alone", "database", "town", "town_with_ratio"]


@pytest.fixture(scope="module")
def town_with_ratio(town: Database) -> Database:
    """A store with a ratio of 100 g a credit from 2020 on; all its checks, I8 among them, are run at the end."""
    with town.begin() as session:
        put_in_force(session, policy.EXCHANGE_RATIO, 100_000, date(2020, 1, 1))
    return town


@pytest.fixture
def database(town_with_ratio: Database) -> Database:
    """The same, with nothing left to mint by another test."""
    mint(town_with_ratio, date(2099, 12, 31))
    return town_with_ratio


@pytest.fixture
def alone(unchecked_database: Database) -> Iterator[Database]:
    """A store of its own with a ratio of 100 g a credit from 2020 on, checked after the test."""
    with unchecked_database.begin() as session:
        put_in_force(session, policy.EXCHANGE_RATIO, 100_000, date(2020, 1, 1))
    yield unchecked_database
    wrong = broken(unchecked_database)
    assert not wrong, wrong
