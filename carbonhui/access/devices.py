"""A person's devices: signed in by a code, kept so by a refresh token that changes with each use."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import participants, privacy
from carbonhui.access.codes import verify_code
from carbonhui.access.refusals import CodeWrong, DeviceUnknown, RefreshRefused
from carbonhui.access.signing_keys import signing_key
from carbonhui.access.tokens import TOKEN_SECONDS, make_token
from carbonhui.core.clock import Clock
from carbonhui.core.database import connection_of

REFRESH_DAYS = 60
#: A person has at most so many devices signed in; one more signs out the one seen longest ago.
DEVICES_MAX = 10
LABEL_LONGEST = 60
_PREFIX = "chrt_"
EndedBy = Literal["person", "staff"]


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """What a device carries away: an access token for ``expires_in`` seconds and the token for the next."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    person: "participants.Person" = field(repr=False)
    device: UUID
    #: Whether this sign-in made the person.
    new: bool


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device that is signed in, by the name its person gave it."""

    handle: UUID
    label: str = field(repr=False)
    signed_in_at: datetime
    seen_at: datetime


def sign_in(
    session: Session, vault: privacy.Vault, *, challenge: str, code: str, device_label: str, issuer: str, clock: Clock,
    language: str = "zh",
) -> "SignedIn | CodeWrong | participants.PersonErased | participants.PersonRestricted":  # fmt: skip
    """Sign a device in by a one-time code; whoever is new becomes a person by it (Article 11).

    ``issuer`` is the public address of the API. A refusal of the code or of the person
    is returned and not raised, so that the try is committed. Raises
    `privacy.TextRefused` for the label.
    """
    label = privacy.clean_text(device_label, field="device_label", longest=LABEL_LONGEST)
    mobile = verify_code(session, vault, challenge=challenge, code=code, purpose="sign_in", clock=clock)
    if isinstance(mobile, CodeWrong):
        return mobile
    person, new = _person_of(session, vault, mobile, clock, language)
    refused = _refusal_of(person, clock)
    if refused is not None:
        return refused
    number, device = _enter_device(session, person, clock.now())
    privacy.keep(session, vault, person.subject, **{_field(number): label})
    _forget_labels(session, vault, person)
    return _signed_in(session, vault, person, (number, device), issuer=issuer, now=clock.now(), new=new)


def refresh(session: Session, vault: privacy.Vault, token: str, *, issuer: str, clock: Clock) -> SignedIn | RefreshRefused:
    """New tokens for a refresh token, which is used up by this (RFC 9700, section 4.14.2).

    A token that comes a second time was stolen from one of the two who sent it, so its
    device is signed out with everything it holds. The refusal is returned and not
    raised, because that sign-out has to be committed.
    """
    connection, now, digest = connection_of(session), clock.now(), _digest(token)
    row = connection.execute(
        "UPDATE refresh_token SET used_at = %(now)s WHERE digest = %(digest)s AND used_at IS NULL AND expires_at > %(now)s"
        " RETURNING device_id",
        {"now": now, "digest": digest},
    ).fetchone()
    if row is None:
        _end_reused(session, digest, now)
        return RefreshRefused()
    found = connection.execute(_SEEN, {"id": row[0], "now": now}).fetchone()
    if found is None:
        return RefreshRefused()
    person = participants.person(session, found[1])
    if _refusal_of(person, clock) is not None:
        return RefreshRefused()
    return _signed_in(session, vault, person, (row[0], found[0]), issuer=issuer, now=now, new=False)


# The row lock lets a sign-out and a refresh that meet go one after the other.
_SEEN = "UPDATE device SET seen_at = greatest(seen_at, %(now)s) WHERE id = %(id)s AND ended_at IS NULL RETURNING handle, person_id"


def devices_of(session: Session, vault: privacy.Vault, person: "participants.Person", reader: privacy.Reader) -> list[Device]:
    """The devices on which a person is signed in, the last seen first; reading their names is on record."""
    rows = connection_of(session).execute(
        "SELECT id, handle, signed_in_at, seen_at FROM device WHERE person_id = %s AND ended_at IS NULL ORDER BY seen_at DESC, id DESC",
        (person.id,),
    ).fetchall()  # fmt: skip
    if not rows:
        return []
    labels = privacy.read(session, vault, person.subject, [_field(row[0]) for row in rows], reader)
    return [
        Device(handle=row[1], label=labels.get(_field(row[0]), ""), signed_in_at=row[2], seen_at=row[3]) for row in rows
    ]


def sign_out(session: Session, vault: privacy.Vault, person: "participants.Person", device: UUID, *, clock: Clock, by: EndedBy = "person") -> None:
    """Sign out one device of this person, from wherever they are. Raises `DeviceUnknown`, for others' devices too."""
    ended = _end(session, vault, person, clock.now(), by, "handle = %(device)s", device=device)
    if not ended:
        raise DeviceUnknown(device=device)


def sign_out_everywhere(session: Session, vault: privacy.Vault, person: "participants.Person", *, clock: Clock, by: EndedBy = "person") -> int:
    """Sign out every device of a person; how many there were."""
    return _end(session, vault, person, clock.now(), by, "true")


def _person_of(session: Session, vault: privacy.Vault, mobile: str, clock: Clock, language: str) -> "tuple[participants.Person, bool]":
    known = participants.person_by_mobile(session, vault, mobile)
    if known is not None:
        return known, False
    try:
        with connection_of(session).transaction():
            return participants.register_person(session, vault, mobile=mobile, on=clock.today(), language=language), True
    except participants.MobileTaken:
        # Two codes of one new number were used at once, and the other was a moment faster.
        first = participants.person_by_mobile(session, vault, mobile)
        if first is None:
            raise
        return first, False


def _refusal_of(person: "participants.Person", clock: Clock) -> "participants.PersonErased | participants.PersonRestricted | None":
    if person.state == "erased":
        return participants.PersonErased()
    return None if person.is_free(clock.today()) else participants.PersonRestricted()


def _enter_device(session: Session, person: "participants.Person", now: datetime) -> tuple[int, UUID]:
    connection = connection_of(session)
    # Two sign-ins at once count one after the other.
    connection.execute("SELECT 1 FROM person WHERE id = %s FOR NO KEY UPDATE", (person.id,))
    connection.execute(_MAKE_ROOM, {"person": person.id, "now": now, "most": DEVICES_MAX - 1})
    row = connection.execute(
        "INSERT INTO device (person_id, signed_in_at, seen_at) VALUES (%s, %s, %s) RETURNING id, handle",
        (person.id, now, now),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


_MAKE_ROOM = """
UPDATE device SET ended_at = greatest(%(now)s, seen_at), ended_by = 'room' WHERE id IN (
    SELECT id FROM device WHERE person_id = %(person)s AND ended_at IS NULL ORDER BY seen_at DESC, id DESC OFFSET %(most)s)
"""


def _signed_in(
    session: Session, vault: privacy.Vault, person: "participants.Person", device: tuple[int, UUID], *, issuer: str, now: datetime, new: bool
) -> SignedIn:
    token = _PREFIX + secrets.token_urlsafe(32)
    connection_of(session).execute(
        "INSERT INTO refresh_token (digest, device_id, made_at, expires_at) VALUES (%s, %s, %s, %s)",
        (_digest(token), device[0], now, now + timedelta(days=REFRESH_DAYS)),
    )
    access = make_token(
        signing_key(session, vault, now), issuer=issuer, person=person.handle, device=device[1], now=now
    )
    return SignedIn(
        access_token=access, refresh_token=token, expires_in=TOKEN_SECONDS, person=person, device=device[1], new=new
    )


def _end_reused(session: Session, digest: bytes, now: datetime) -> None:
    connection_of(session).execute(
        """UPDATE device SET ended_at = greatest(%s, seen_at), ended_by = 'reuse' WHERE ended_at IS NULL AND id IN (
               SELECT device_id FROM refresh_token WHERE digest = %s AND used_at IS NOT NULL)""",
        (now, digest),
    )


def _end(
    session: Session, vault: privacy.Vault, person: "participants.Person", now: datetime, by: EndedBy, which: str, **words: object
) -> int:
    ended = connection_of(session).execute(
        "UPDATE device SET ended_at = greatest(%(now)s, seen_at), ended_by = %(by)s"
        f" WHERE person_id = %(person)s AND ended_at IS NULL AND {which}",
        {"now": now, "by": by, "person": person.id, **words},
    ).rowcount
    _forget_labels(session, vault, person)
    return ended


def _forget_labels(session: Session, vault: privacy.Vault, person: "participants.Person") -> None:
    """The vault keeps no names of devices that are signed out, for whatever reason they are."""
    rows = connection_of(session).execute(_LABELS_LEFT, {"subject": person.subject, "person": person.id}).fetchall()
    if rows:
        privacy.keep(session, vault, person.subject, **{row[0]: None for row in rows})


_LABELS_LEFT = """
SELECT field FROM personal_field WHERE subject = %(subject)s AND field LIKE 'device:%%'
EXCEPT SELECT 'device:' || id FROM device WHERE person_id = %(person)s AND ended_at IS NULL
"""


def _field(device: int) -> str:
    return f"device:{device}"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
