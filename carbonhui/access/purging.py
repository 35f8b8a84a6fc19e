"""Letting go of what no longer proves anything."""

from datetime import timedelta

from sqlalchemy.orm import Session

from carbonhui.access.devices import REFRESH_DAYS
from carbonhui.access.signing_keys import forget_retired_keys
from carbonhui.core.clock import Clock
from carbonhui.core.database import connection_of

#: Who was signed in when is kept for six months (Cybersecurity Law, article 21).
REMEMBERED = timedelta(days=180)
_DAY = timedelta(days=1)


def purge(session: Session, clock: Clock) -> int:
    """Delete codes, nonces, tokens, sessions and devices that are past their time; how many rows.

    Codes stay a day, because the limits count them. Used refresh tokens stay until they
    would have expired, because a second use tells a theft.
    """
    connection, now = connection_of(session), clock.now()
    words = {"now": now, "day": now - _DAY, "idle": now - timedelta(days=REFRESH_DAYS), "old": now - REMEMBERED}
    connection.execute(
        "UPDATE device SET ended_at = %(now)s, ended_by = 'time' WHERE ended_at IS NULL AND seen_at <= %(idle)s", words
    )
    forget_retired_keys(session, now)
    return sum(connection.execute(statement, words).rowcount for statement in _PAST)


_PAST = (
    "DELETE FROM one_time_code WHERE asked_at <= %(day)s",
    "DELETE FROM request_nonce WHERE expires_at <= %(now)s",
    "DELETE FROM refresh_token WHERE expires_at <= %(now)s",
    "DELETE FROM staff_session WHERE expires_at <= %(old)s",
    "DELETE FROM device WHERE ended_at <= %(old)s",
)
