"""A vault of the test's own keys, and somebody who reads."""

import pytest

from carbonhui import privacy
from carbonhui.core.settings import Settings


@pytest.fixture
def vault(settings: Settings) -> privacy.Vault:
    return privacy.open_vault(settings)


@pytest.fixture
def support() -> privacy.Reader:
    return privacy.Reader(actor="staff:1", role="staff:support", purpose="complaint 7", request="r-1")
