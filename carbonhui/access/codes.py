"""One-time codes: six digits to a mobile number, five minutes, five tries, used once.

Everything here is the same for a number that is known and for one that is not:
nobody is looked up before the right code was given.
"""

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.access.refusals import CodeAskedTooOften, CodeWrong
from carbonhui.core.clock import Clock
from carbonhui.core.database import connection_of

Purpose = Literal["sign_in", "change_mobile", "guardian", "erase"]

MINUTES = 5
TRIES = 5
_CODE = re.compile(r"[0-9]{6}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,400}")
_SEALED_AS = "one-time-code"
_DAY = timedelta(days=1)

Pace = tuple[timedelta, int]
#: How many codes one number may be sent within a time, asked for by whomever.
PACE_OF_ONE: tuple[Pace, ...] = ((timedelta(minutes=1), 1), (timedelta(hours=1), 5), (_DAY, 10))
#: How many codes all numbers together may be sent: what a sender bears, and what a guessing crowd may try.
PACE_OF_ALL: Pace = (timedelta(minutes=1), 600)


@dataclass(frozen=True)
class PendingCode:
    """A code to be sent, once the transaction is committed; the challenge goes back to the asker."""

    mobile: str = field(repr=False)
    code: str = field(repr=False)
    challenge: str = field(repr=False)


def issue_code(
    session: Session, vault: privacy.Vault, *, mobile: str, purpose: Purpose, clock: Clock, pace_of_all: Pace = PACE_OF_ALL
) -> PendingCode:
    """A new code for a mobile number, whoever has it.

    The number itself is kept nowhere: it travels sealed in the challenge. Raises
    `privacy.MobileInvalid`, `CodeAskedTooOften`.
    """
    number, now = privacy.mobile_number(mobile), clock.now()
    digests = vault.digests("code-mobile", number)
    _refuse_haste(session, digests, now, pace_of_all)
    name, code = uuid4(), f"{secrets.randbelow(10**6):06}"
    connection_of(session).execute(
        "INSERT INTO one_time_code (id, purpose, mobile, digest, asked_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (name, purpose, digests[0], vault.digest("code", _worded(name, code)), now, now + timedelta(minutes=MINUTES)),
    )
    return PendingCode(number, code, _sealed(vault, name, number))


def verify_code(
    session: Session, vault: privacy.Vault, *, challenge: str, code: str, purpose: Purpose, clock: Clock
) -> str | CodeWrong:
    """The mobile number that this code proves, once; or the refusal.

    The refusal is returned and not raised, because the try has to be committed: a face
    commits first and refuses then. Of guesses that come at once only five are compared.
    """
    wrong = CodeWrong(minutes=MINUTES, tries=TRIES)
    name, number = _opened(vault, challenge)
    row = connection_of(session).execute(_TRY, {"id": name, "purpose": purpose, "now": clock.now()}).fetchone()
    if row is None or not _CODE.fullmatch(code):
        return wrong
    if not any(hmac.compare_digest(digest, row[0]) for digest in vault.digests("code", _worded(name, code))):
        return wrong
    connection_of(session).execute("UPDATE one_time_code SET used_at = %s WHERE id = %s", (clock.now(), name))
    return number


_TRY = """
UPDATE one_time_code SET tries = tries + 1
WHERE id = %(id)s AND purpose = %(purpose)s AND used_at IS NULL AND tries < 5 AND expires_at > %(now)s
RETURNING digest
"""


def _refuse_haste(session: Session, digests: list[bytes], now: datetime, pace_of_all: Pace) -> None:
    """One asker after the other, so that of many at once no more are served than the pace allows."""
    connection = connection_of(session)
    connection.execute("SELECT pg_advisory_xact_lock(440113, 1)")
    times = connection.execute(
        "SELECT asked_at FROM one_time_code WHERE mobile = ANY(%s) AND asked_at > %s ORDER BY asked_at DESC LIMIT 10",
        (digests, now - _DAY),
    ).fetchall()
    everybody = connection.execute(
        "SELECT asked_at FROM one_time_code WHERE asked_at > %s ORDER BY asked_at DESC OFFSET %s LIMIT 1",
        (now - pace_of_all[0], pace_of_all[1] - 1),
    ).fetchall()
    waits = [times[most - 1][0] + within - now for within, most in PACE_OF_ONE if len(times) >= most]
    waits += [asked_at + pace_of_all[0] - now for (asked_at,) in everybody]
    seconds = max((wait.total_seconds() for wait in waits), default=0)
    if seconds > 0:
        raise CodeAskedTooOften(seconds=int(-(-seconds // 1)))


def _worded(name: UUID, code: str) -> str:
    """The challenge is part of what is digested, so that equal codes of two challenges look unlike."""
    return f"{name} {code}"


def _sealed(vault: privacy.Vault, name: UUID, number: str) -> str:
    return base64.urlsafe_b64encode(vault.wrap(_SEALED_AS, name.bytes + number.encode())).rstrip(b"=").decode()


def _opened(vault: privacy.Vault, challenge: str) -> tuple[UUID, str]:
    """A challenge's row and number; a row that is nowhere for what we never gave out."""
    try:
        if not _CHALLENGE.fullmatch(challenge):
            raise ValueError
        plain = vault.unwrap(_SEALED_AS, base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4)))
    except (ValueError, privacy.SealBroken, privacy.KeyMissing):
        return uuid4(), ""
    return UUID(bytes=plain[:16]), plain[16:].decode()
