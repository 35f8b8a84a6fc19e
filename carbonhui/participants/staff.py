"""Staff: a login, a password, a second factor, and roles; nobody holds all the power (GB/T 22239, 8.1.4.1)."""

import hmac
import re
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import psycopg
import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.core.database import connection_of
from carbonhui.participants.staff_refusals import (
    PasswordUnfit,
    RoleMissing,
    StaffLoginInvalid,
    StaffLoginTaken,
    StaffNotAccepted,
    StaffRolesInvalid,
    StaffUnknown,
)

ROLES = ("operator", "registrar", "approver", "auditor", "support", "regulator")
#: argon2id with 64 MiB, three passes, four lanes: the second recommended option of RFC 9106.
PASSES, MEMORY_KIB, LANES = 3, 65_536, 4
HASHER = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
TRIES = 5
LOCK_MINUTES = 15
#: The longest that a login is closed.
LOCK_MINUTES_MAX = 24 * 60
PASSWORD_SHORTEST, PASSWORD_LONGEST = 12, 128
#: One step of the authenticator's clock (RFC 6238); a code counts one step early or late.
STEP_SECONDS, STEPS_AROUND = 30, 1
#: The number of no member of staff: a failure of an unknown login takes as many steps as another's.
_NOBODY = 0
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{2,39}", re.ASCII)
_SECRET = "staff-totp"


@dataclass(frozen=True)
class Staff:
    """A member of staff; the login is a pseudonym, not a name."""

    id: int
    login: str
    roles: frozenset[str]
    state: str


@dataclass(frozen=True)
class Added:
    """A new second factor, shown once: its secret, and the address that an authenticator reads as a QR code."""

    staff: Staff
    secret: str
    uri: str


@dataclass(frozen=True)
class Checked:
    """Whether a password or code was accepted. A refusal is an outcome here, because the failure was counted:

    the face commits, and then tells ``refusal``.
    """

    staff: Staff | None

    @property
    def refusal(self) -> StaffNotAccepted | None:
        return None if self.staff is not None else StaffNotAccepted(tries=TRIES, minutes=LOCK_MINUTES)


def add_staff(
    session: Session, vault: privacy.Vault, *, login: str, password: str, roles: Collection[str]
) -> Added:
    """A new member of staff, with the secret of their second factor.

    Raises `StaffLoginInvalid`, `StaffLoginTaken`, `StaffRolesInvalid`, `PasswordUnfit`.
    """
    if not _LOGIN.fullmatch(login):
        raise StaffLoginInvalid()
    _check_roles(roles)
    hashed = _hashed(login, password)
    secret = pyotp.random_base32()
    connection = connection_of(session)
    try:
        with connection.transaction():
            row = connection.execute(
                f"INSERT INTO staff (login, password, totp_secret, roles) VALUES (%s, %s, %s, %s) RETURNING {_COLUMNS}",
                (login, hashed, vault.wrap(_SECRET, secret.encode()), sorted(set(roles))),
            ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise StaffLoginTaken() from None
    assert row is not None
    return _added(_staff(row), secret)


_COLUMNS = "id, login, roles, state"


def _staff(row: tuple[int, str, list[str], str]) -> Staff:
    return Staff(row[0], row[1], frozenset(row[2]), row[3])


def _added(found: Staff, secret: str) -> Added:
    uri = pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=found.login, issuer_name="carbonhui")
    return Added(found, secret, uri)


def _check_roles(roles: Collection[str]) -> None:
    if not roles or not set(roles) <= set(ROLES):
        raise StaffRolesInvalid(roles=", ".join(ROLES))


def _hashed(login: str, password: str) -> str:
    plain = _plain(password)
    if not PASSWORD_SHORTEST <= len(plain) <= PASSWORD_LONGEST or plain.casefold() == login:
        raise PasswordUnfit(shortest=PASSWORD_SHORTEST, longest=PASSWORD_LONGEST)
    return HASHER.hash(plain)


def _plain(password: str) -> str:
    """The same characters, however the keyboard composed them."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()


def check_password(session: Session, *, login: str, password: str, now: datetime) -> Checked:
    """Whether this login has this password now; a failure is counted, so the face commits whatever the outcome.

    It takes as long for a login that does not exist, or is closed, as for one that
    does. Tries of one login wait for one another.
    """
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS}, password, failed, locked_until FROM staff WHERE login = %s FOR NO KEY UPDATE",
        (login if _LOGIN.fullmatch(login) else "",),
    ).fetchone()
    if row is None or row[3] != "active":
        _matches(_nobodys_hash(HASHER), password)
        _count_failure(session, _NOBODY, 0, now)
        return Checked(None)
    right = _matches(row[4], password)
    if row[6] is not None and now < row[6]:
        return Checked(None)
    if not right:
        _count_failure(session, row[0], row[5], now)
        return Checked(None)
    if HASHER.check_needs_rehash(row[4]):
        _set(session, row[0], "password = %s", HASHER.hash(_plain(password)))
    return Checked(_staff(row[:4]))


def _matches(hashed: str, password: str) -> bool:
    # Nobody may keep the machine busy with a password of a megabyte.
    plain = _plain(password[: PASSWORD_LONGEST + 1])
    try:
        return HASHER.verify(hashed, plain)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=4)
def _nobodys_hash(hasher: PasswordHasher) -> str:
    """What is compared with for a login that does not exist, made with the same parameters."""
    return hasher.hash(secrets.token_hex(16))


def _count_failure(session: Session, staff: int, failed: int, now: datetime) -> None:
    """Every fifth failure closes the login, each time twice as long as before."""
    failures = failed + 1
    until = None
    if failures % TRIES == 0:
        doubled = min(failures // TRIES - 1, 20)
        until = now + timedelta(minutes=min(LOCK_MINUTES * 2**doubled, LOCK_MINUTES_MAX))
    _set(session, staff, "failed = %s, locked_until = %s", failures, until)


def check_totp(session: Session, vault: privacy.Vault, *, staff: Staff, code: str, now: datetime) -> Checked:
    """Whether this code of the second factor is right now; each step of the clock is accepted once.

    Only a right code forgets the failures before it. A wrong one is counted, so the
    face commits whatever the outcome.
    """
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS}, totp_secret, totp_step, failed, locked_until FROM staff WHERE id = %s FOR NO KEY UPDATE",
        (staff.id,),
    ).fetchone()
    if row is None or row[3] != "active" or (row[7] is not None and now < row[7]):
        return Checked(None)
    step = _step_of(vault.unwrap(_SECRET, row[4]).decode(), code, now)
    if step is None or step <= row[5]:
        _count_failure(session, row[0], row[6], now)
        return Checked(None)
    _set(session, row[0], "totp_step = %s, failed = 0, locked_until = NULL", step)
    return Checked(_staff(row[:4]))


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step of the clock that this code belongs to, of those that count now."""
    given = code.encode("utf-8", "replace")
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    middle = int(now.timestamp()) // STEP_SECONDS
    steps = range(middle - STEPS_AROUND, middle + STEPS_AROUND + 1)
    # Every step is compared, so that the time does not tell which one it was.
    right = [step for step in steps if hmac.compare_digest(totp.generate_otp(step).encode(), given)]
    return right[-1] if right else None


def staff_member(session: Session, staff: int | str) -> Staff:
    """The member of staff with this number or login. Raises `StaffUnknown`."""
    column = "id" if isinstance(staff, int) else "login"
    row = connection_of(session).execute(f"SELECT {_COLUMNS} FROM staff WHERE {column} = %s", (staff,)).fetchone()
    if row is None:
        raise StaffUnknown()
    return _staff(row)


def staff_members(session: Session) -> list[Staff]:
    """Everybody who is or was of the staff, by login."""
    return [_staff(row) for row in connection_of(session).execute(f"SELECT {_COLUMNS} FROM staff ORDER BY login")]


def require_role(session: Session, staff: Staff, role: str) -> None:
    """Refuse who has not this role now, whatever they had when they signed in. Raises `RoleMissing`, `StaffUnknown`."""
    found = staff_member(session, staff.id)
    if found.state != "active" or role not in found.roles:
        raise RoleMissing(role=role)


def change_password(session: Session, *, staff: Staff, password: str) -> None:
    """Another password from now on. Raises `PasswordUnfit`, `StaffUnknown`."""
    _set(session, _active(session, staff).id, "password = %s", _hashed(staff.login, password))


def change_roles(session: Session, *, staff: Staff, roles: Collection[str]) -> Staff:
    """Other roles from now on. Raises `StaffRolesInvalid`, `StaffUnknown`."""
    _check_roles(roles)
    _set(session, _active(session, staff).id, "roles = %s", sorted(set(roles)))
    return staff_member(session, staff.id)


def renew_totp(session: Session, vault: privacy.Vault, *, staff: Staff) -> Added:
    """A new second factor in the place of one that was lost. Raises `StaffUnknown`."""
    found = _active(session, staff)
    secret = pyotp.random_base32()
    _set(session, found.id, "totp_secret = %s, totp_step = 0", vault.wrap(_SECRET, secret.encode()))
    return _added(found, secret)


def unlock_staff(session: Session, *, staff: Staff) -> None:
    """Open a login that failures closed. Raises `StaffUnknown`."""
    _set(session, _active(session, staff).id, "failed = 0, locked_until = NULL")


def dismiss_staff(session: Session, *, staff: Staff) -> None:
    """A member of staff left, for good; the login is never given again. Raises `StaffUnknown`."""
    _set(session, _active(session, staff).id, "state = 'left'")


def _active(session: Session, staff: Staff) -> Staff:
    found = staff_member(session, staff.id)
    if found.state != "active":
        raise StaffUnknown()
    return found


def _set(session: Session, staff: int, assignment: str, *values: object) -> None:
    connection_of(session).execute(f"UPDATE staff SET {assignment} WHERE id = %s", (*values, staff))
