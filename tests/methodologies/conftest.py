"""The installed methodologies, read once."""

from collections.abc import Callable
from datetime import date

import pytest

from carbonhui import methodology

Credited = Callable[..., int]


@pytest.fixture(scope="package")
def versions() -> list[methodology.Methodology]:
    return methodology.installed_versions()


@pytest.fixture
def credited(versions: list[methodology.Methodology]) -> Credited:
    """What one record is credited with by the version whose numbers have begun on its day."""

    def mg(id: str, on: date, evidence: str = "verified", **quantities: int) -> int:
        begun = [one for one in versions if one.id == id and one.first_day <= on]
        return begun[-1].credited_mg(on, evidence, **quantities)

    return mg
