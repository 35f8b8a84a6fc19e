"""Staff sign in with password and second factor; a session ends by idleness, by age or by signing out."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from carbonhui import participants, privacy
from carbonhui.access.callers import Caller
from carbonhui.access.refusals import NotSignedIn
from carbonhui.core.clock import Clock
from carbonhui.core.database import connection_of

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
PREFIX = "chst_"


@dataclass(frozen=True, kw_only=True)
class StaffSession:
    """A staff member's session: the bearer of this token is believed to be them."""

    token: str = field(repr=False)
    staff_id: int
    expires_at: datetime


def staff_sign_in(
    session: Session, vault: privacy.Vault, *, login: str, password: str, totp: str, clock: Clock
) -> "StaffSession | participants.StaffNotAccepted":
    """A session for whoever knows the password and has the second factor (GB/T 22239, 8.1.4.1).

    The refusal is one for every reason, and is returned and not raised, because the
    failure has to be committed.
    """
    now = clock.now()
    checked = participants.check_password(session, login=login, password=password, now=now)
    if checked.staff is not None:
        checked = participants.check_totp(session, vault, staff=checked.staff, code=totp, now=now)
    if checked.staff is None:
        assert checked.refusal is not None
        return checked.refusal
    return _begin(session, checked.staff.id, now)


def staff_sign_out(session: Session, token: str, *, clock: Clock) -> None:
    """End this session now; one that ended before stays so."""
    connection_of(session).execute(
        "UPDATE staff_session SET ended_at = %s WHERE digest = %s AND ended_at IS NULL", (clock.now(), _digest(token))
    )


def staff_sign_out_everywhere(session: Session, staff: int, *, clock: Clock) -> int:
    """End every session of a staff member; how many there were."""
    return connection_of(session).execute(
        "UPDATE staff_session SET ended_at = %s WHERE staff_id = %s AND ended_at IS NULL", (clock.now(), staff)
    ).rowcount  # fmt: skip


def staff_caller(session: Session, token: str, now: datetime) -> tuple[Caller, datetime]:
    """Whose session this is and when it ends at the latest; they were seen now. Raises `NotSignedIn`."""
    row = connection_of(session).execute(
        _SEEN, {"digest": _digest(token), "now": now, "idle": now - IDLE}
    ).fetchone()
    if row is None:
        raise NotSignedIn()
    staff, roles, expires_at = row
    caller = Caller(
        kind="staff", roles=frozenset(f"staff:{role}" for role in roles), scope=f"staff:{staff}", staff_id=staff
    )
    return caller, expires_at


_SEEN = """
UPDATE staff_session s SET seen_at = greatest(s.seen_at, %(now)s) FROM staff
WHERE s.digest = %(digest)s AND staff.id = s.staff_id AND staff.state = 'active'
  AND s.ended_at IS NULL AND s.expires_at > %(now)s AND s.seen_at > %(idle)s
RETURNING s.staff_id, staff.roles, s.expires_at
"""


def _begin(session: Session, staff: int, now: datetime) -> StaffSession:
    token = PREFIX + secrets.token_urlsafe(32)
    expires_at = now + LONGEST
    connection_of(session).execute(
        "INSERT INTO staff_session (digest, staff_id, made_at, seen_at, expires_at) VALUES (%s, %s, %s, %s, %s)",
        (_digest(token), staff, now, now, expires_at),
    )
    return StaffSession(token=token, staff_id=staff, expires_at=expires_at)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
