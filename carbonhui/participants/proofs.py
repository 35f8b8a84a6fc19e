"""Linking an identifier needs proof that one controls it (Articles 11-12).

Two proofs are known. The institution that keeps a scheme delivers a code to whoever
holds the identifier (on a bill, at a counter, in its own app), and the person enters
it here. Or the institution confirms that the person's proven name and the
identifier belong together. Either way the person gives the identifier themselves.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from carbonhui import notifications, privacy
from carbonhui.core.database import connection_of
from carbonhui.core.settings import Settings
from carbonhui.participants.guardians import acting
from carbonhui.participants.operations import link
from carbonhui.participants.organisations import Organisation, require_approved
from carbonhui.participants.own_links import PersonLink, keep_tail, tail_of
from carbonhui.participants.persons import HANDLE_SCHEME, Person, locked, person
from carbonhui.participants.refusals import (
    ClaimAlreadyAsked,
    ClaimUnknown,
    LinkCodeWrong,
    RealNameNeeded,
    SchemeAlreadyKept,
    SchemeNotKept,
)
from carbonhui.participants.staff import Staff, require_role

#: Twelve letters and digits that nobody confuses: 60 bits, of which five tries guess nothing.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LENGTH = 12
CODE_HOURS = 24
TRIES = 5
_CODE_SCHEME = "link-code"
_IDENTIFIER_LONGEST = 100


@dataclass(frozen=True)
class CodeProof:
    """The code that the institution delivered to the holder of the identifier."""

    code: str


@dataclass(frozen=True)
class ConfirmationProof:
    """The person asks this institution to confirm that name and identifier belong together."""

    organisation: Organisation


@dataclass(frozen=True)
class LinkCode:
    """A code to deliver; it is told once and kept nowhere."""

    code: str
    expires_at: datetime


@dataclass(frozen=True)
class Claimed:
    """What became of a claim: ``link`` when it was proven, neither when the institution is being asked.

    A wrong code is an outcome and not raised, because the try was counted: the face
    commits, and then tells ``refusal``.
    """

    handle: UUID | None
    link: PersonLink | None
    refusal: LinkCodeWrong | None


@dataclass(frozen=True)
class OpenClaim:
    """What an institution is asked to confirm."""

    handle: UUID
    scheme: str
    name: str
    identifier: str
    asked_on: date


# Who vouches ----------------------------------------------------------------------------------


def entrust_scheme(session: Session, organisation: Organisation, scheme: str, *, by: Staff, on: date) -> None:
    """From a day on, an approved organisation vouches for who holds identifiers of a scheme.

    Raises `RoleMissing`, `OrganisationNotApproved`, `SchemeAlreadyKept`.
    """
    require_role(session, by, "registrar")
    require_approved(session, organisation.id)
    connection = connection_of(session)
    try:
        with connection.transaction():
            connection.execute(
                "INSERT INTO scheme_keeper (scheme, organisation_id, since, entrusted_by) VALUES (%s, %s, %s, %s)",
                (scheme, organisation.id, on, by.id),
            )
    except psycopg.errors.UniqueViolation:
        raise SchemeAlreadyKept(scheme=scheme) from None


def withdraw_scheme(session: Session, organisation: Organisation, scheme: str, *, by: Staff, on: date) -> None:
    """An organisation vouches for a scheme no longer. Raises `RoleMissing`, `SchemeNotKept`."""
    require_role(session, by, "registrar")
    ended = connection_of(session).execute(
        """UPDATE scheme_keeper SET until = greatest(since, %s)
           WHERE scheme = %s AND organisation_id = %s AND until IS NULL""",
        (on, scheme, organisation.id),
    ).rowcount
    if not ended:
        raise SchemeNotKept(scheme=scheme, on=on)


def schemes_of(session: Session, organisation: Organisation) -> list[str]:
    """For which schemes an organisation vouches now."""
    rows = connection_of(session).execute(
        "SELECT scheme FROM scheme_keeper WHERE organisation_id = %s AND until IS NULL ORDER BY scheme", (organisation.id,)
    )
    return [scheme for (scheme,) in rows]


def _require_keeper(session: Session, organisation: Organisation, scheme: str, on: date) -> None:
    require_approved(session, organisation.id)
    row = connection_of(session).execute(
        """SELECT FROM scheme_keeper WHERE scheme = %s AND organisation_id = %s
           AND since <= %s AND (until IS NULL OR until > %s)""",
        (scheme, organisation.id, on, on),
    ).fetchone()
    if row is None:
        raise SchemeNotKept(scheme=ascii(scheme)[:60], on=on)


# Proof by a code ------------------------------------------------------------------------------


def issue_link_code(
    session: Session, vault: privacy.Vault, settings: Settings, *,
    organisation: Organisation, scheme: str, identifier: str, on: date, now: datetime,
) -> LinkCode:  # fmt: skip
    """A code for an institution to deliver to whoever holds this identifier; it takes the place of one before.

    Raises `SchemeNotKept`, `OrganisationNotApproved`, `privacy.IdentifierEmpty`.
    """
    _require_keeper(session, organisation, scheme, on)
    subject = _blinded(settings, scheme, identifier)
    code = "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))
    expires_at = now + timedelta(hours=CODE_HOURS)
    connection = connection_of(session)
    _one_at_a_time(session, scheme, subject)
    connection.execute(
        "UPDATE link_code SET spent_at = %s WHERE scheme = %s AND subject = %s AND spent_at IS NULL", (now, scheme, subject)
    )
    connection.execute(
        """INSERT INTO link_code (scheme, subject, digest, organisation_id, issued_at, expires_at)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        (scheme, subject, vault.digest(_CODE_SCHEME, code), organisation.id, now, expires_at),
    )
    return LinkCode(code, expires_at)


def _blinded(settings: Settings, scheme: str, identifier: str) -> bytes:
    """The index that activity of this identifier has in the lake."""
    return privacy.blind_index(privacy.load_or_make_key(settings.blind_key_file), scheme, identifier)


def _one_at_a_time(session: Session, scheme: str, subject: bytes) -> None:
    connection_of(session).execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 440113))", (f"{scheme} {subject.hex()}",)
    )


def claim_link(
    session: Session, vault: privacy.Vault, settings: Settings, person: Person, *,
    scheme: str, identifier: str, on: date, now: datetime, proof: CodeProof | ConfirmationProof,
) -> Claimed:  # fmt: skip
    """A person claims an identifier that they give, with proof of control.

    The proof is looked at before anything else, so that nobody without one learns
    whether the identifier has a holder. A wrong, used, or late code is an outcome;
    the face commits, because the try was counted.

    Raises `PersonErased`, `PersonRestricted`, `IdentifierLinked` when it has a holder (nobody is
    told who), `RealNameNeeded`, `SchemeNotKept`, `ClaimAlreadyAsked`,
    `privacy.IdentifierEmpty`, `privacy.TextRefused`.
    """
    assert scheme != HANDLE_SCHEME
    found = acting(session, person, on)
    subject = _blinded(settings, scheme, identifier)
    if isinstance(proof, ConfirmationProof):
        return _asked(session, vault, found, scheme, identifier, subject, proof.organisation, on)
    code = _code_that_fits(session, vault, scheme, subject, proof.code, now)
    if code is None:
        return Claimed(None, None, LinkCodeWrong(scheme=ascii(scheme)[:60], tries=TRIES))
    connection_of(session).execute("UPDATE link_code SET spent_at = %s WHERE id = %s", (now, code[0]))
    link(session, scheme=scheme, subject=subject, account_id=found.account_id, valid_from=on)
    handle = _enter_claim(session, found, scheme, subject, "code", code[1], code[0], on)
    keep_tail(session, vault, found, handle, identifier)
    return Claimed(handle, PersonLink(handle, scheme, tail_of(identifier), on, None), None)


def _code_that_fits(
    session: Session, vault: privacy.Vault, scheme: str, subject: bytes, code: str, now: datetime
) -> tuple[int, int] | None:
    """The live code of an identifier and who issued it, if this is it; otherwise the try is counted."""
    row = connection_of(session).execute(
        """SELECT c.id, c.organisation_id, c.digest, c.tries, c.expires_at, o.state FROM link_code c
           JOIN organisation o ON o.id = c.organisation_id
           WHERE c.scheme = %s AND c.subject = %s AND c.spent_at IS NULL FOR UPDATE OF c""",
        (scheme, subject),
    ).fetchone()
    given = "".join(code.split()).replace("-", "").upper()
    digests = vault.digests(_CODE_SCHEME, given.encode("utf-8", "replace").decode())
    if row is None:
        return None
    right = any(hmac.compare_digest(digest, row[2]) for digest in digests)
    if right and now < row[4] and row[5] == "approved":
        return row[0], row[1]
    tries = row[3] + 1
    connection_of(session).execute(
        "UPDATE link_code SET tries = %s, spent_at = %s WHERE id = %s", (tries, now if tries >= TRIES else None, row[0])
    )
    return None


def _enter_claim(
    session: Session, person: Person, scheme: str, subject: bytes, proof: str, organisation: int,
    code: int | None, on: date,
) -> UUID:  # fmt: skip
    row = connection_of(session).execute(
        """INSERT INTO link_claim (person_id, scheme, subject, proof, organisation_id, code_id, state, asked_on, valid_from)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING handle""",
        (person.id, scheme, subject, proof, organisation, code, "confirmed" if code else "asked", on, on if code else None),
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


# Proof by confirmation ------------------------------------------------------------------------


def _asked(
    session: Session, vault: privacy.Vault, person: Person, scheme: str, identifier: str, subject: bytes,
    organisation: Organisation, on: date,
) -> Claimed:  # fmt: skip
    if person.level != "real_name":
        raise RealNameNeeded()
    _require_keeper(session, organisation, scheme, on)
    plain = privacy.clean_text(identifier, field="identifier", longest=_IDENTIFIER_LONGEST)
    connection = connection_of(session)
    try:
        with connection.transaction():
            handle = _enter_claim(session, person, scheme, subject, "confirmation", organisation.id, None, on)
    except psycopg.errors.UniqueViolation:
        raise ClaimAlreadyAsked(scheme=scheme) from None
    privacy.keep(session, vault, person.subject, **{_asked_field(handle): plain})
    return Claimed(handle, None, None)


def claims_for(
    session: Session, vault: privacy.Vault, organisation: Organisation, reader: privacy.Reader, *, limit: int = 50
) -> list[OpenClaim]:
    """What an institution is asked to confirm, oldest first; each person can see that it was read.

    Raises `OrganisationNotApproved`.
    """
    require_approved(session, organisation.id)
    rows = connection_of(session).execute(
        """SELECT c.handle, c.scheme, p.subject, c.asked_on FROM link_claim c JOIN person p ON p.id = c.person_id
           WHERE c.organisation_id = %s AND c.state = 'asked' ORDER BY c.id LIMIT %s""",
        (organisation.id, limit),
    ).fetchall()
    claims = []
    for handle, scheme, subject, asked_on in rows:
        field = _asked_field(handle)
        fields = privacy.read(session, vault, subject, ("name", field), reader)
        claims.append(OpenClaim(handle, scheme, fields["name"], fields[field], asked_on))
    return claims


def decide_claim(
    session: Session, vault: privacy.Vault, organisation: Organisation, handle: UUID, *,
    confirmed: bool, reader: privacy.Reader, on: date,
) -> None:  # fmt: skip
    """The institution confirms that name and identifier belong together, or does not; the link begins on this day.

    Raises `ClaimUnknown`, `SchemeNotKept`, `OrganisationNotApproved`, `IdentifierLinked`,
    `PersonErased`, `PersonRestricted`.
    """
    found = _open_claim(session, organisation, handle)
    if found is None:
        raise ClaimUnknown()
    number, claimant, scheme, subject = found
    claiming = locked(session, person(session, claimant))
    if not confirmed:
        _close_claim(session, vault, claiming, number, handle, "refused")
        return
    _require_keeper(session, organisation, scheme, on)
    claiming = acting(session, claiming, on)
    identifier = privacy.read(session, vault, claiming.subject, (_asked_field(handle),), reader)[_asked_field(handle)]
    link(session, scheme=scheme, subject=subject, account_id=claiming.account_id, valid_from=on)
    _close_claim(session, vault, claiming, number, handle, "confirmed", on)
    keep_tail(session, vault, claiming, handle, identifier)
    # The person is not there when the institution answers.
    notifications.announce(session, "link.begun", payload={"scheme": scheme}, account=claiming.account_id)


def _open_claim(session: Session, organisation: Organisation, handle: UUID) -> tuple[int, int, str, bytes] | None:
    # The person is locked first, as everywhere, so the claim itself is only read here; its change is conditional.
    return connection_of(session).execute(
        "SELECT id, person_id, scheme, subject FROM link_claim WHERE handle = %s AND organisation_id = %s AND state = 'asked'",
        (handle, organisation.id),
    ).fetchone()


def withdraw_claim(session: Session, vault: privacy.Vault, person: Person, handle: UUID) -> None:
    """A person asks for an identifier no longer. Raises `ClaimUnknown`, `PersonErased`."""
    found = locked(session, person)
    row = connection_of(session).execute(
        "SELECT id FROM link_claim WHERE handle = %s AND person_id = %s AND state = 'asked'", (handle, found.id)
    ).fetchone()
    if row is None:
        raise ClaimUnknown()
    _close_claim(session, vault, found, row[0], handle, "withdrawn")


def _close_claim(
    session: Session, vault: privacy.Vault, person: Person, number: int, handle: UUID, state: str, on: date | None = None
) -> None:
    changed = connection_of(session).execute(
        "UPDATE link_claim SET state = %s, valid_from = %s WHERE id = %s AND state = 'asked'", (state, on, number)
    ).rowcount
    if not changed:
        raise ClaimUnknown()
    privacy.keep(session, vault, person.subject, **{_asked_field(handle): None})


def _asked_field(handle: UUID) -> str:
    return f"claim:{handle}"
