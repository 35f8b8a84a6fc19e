"""One store for the tests of a file; every resident is somebody new."""

from collections.abc import Iterator

import pytest

from carbonhui import consent, ledger
from carbonhui.core.database import Database
from tests.ledger.books import town

__all__ = ["database", "town"]


@pytest.fixture(scope="module")
def checked(town: Database) -> Iterator[Database]:
    yield town
    with town.begin() as session:
        assert ledger.run_checks(session, consent.CHECKS) == {"I12": []}


@pytest.fixture
def database(checked: Database) -> Database:
    return checked
