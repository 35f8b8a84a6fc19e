"""What every request needs, opened once for each process."""

from dataclasses import dataclass
from typing import Any

from carbonhui.core.clock import Clock
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Services:
    """The store, the keys, the clock, and who tells callers apart.

    ``authenticator`` is an ``access.Authenticator``, ``vault`` a ``privacy.Vault`` and
    ``sender`` an ``access.CodeSender``. None may stand for all but the settings where
    only the OpenAPI document is asked for.
    """

    database: Database
    vault: Any
    settings: Settings
    clock: Clock
    authenticator: Any
    sender: Any
