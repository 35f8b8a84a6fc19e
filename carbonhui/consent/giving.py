"""Giving and withdrawing, one person and one source at a time."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import ledger, participants
from carbonhui.consent.locks import share_withdrawals
from carbonhui.consent.refusals import (
    ConsentCoversFuture,
    ConsentEndsTooEarly,
    ConsentNotGiven,
    GuardianConsents,
    TextChanged,
)
from carbonhui.consent.texts import QUANTIFICATION, ConsentText, text_in_force
from carbonhui.core.database import connection_of


@dataclass(frozen=True)
class Consent:
    """One consent, as it was given and, if it was, ended (``ended_because``: withdrawn or renewed).

    It covers activity days from ``covers_from`` on. ``live``: activity is processed by it now; one
    that is open and not live waits for its renewal, because its text or agreement gave way.
    """

    id: int
    account: int
    source: str
    purpose: str
    version: int
    digest: bytes
    sensitive: bool
    covers_from: date
    given_on: date
    given_at: datetime
    channel: str
    given_by: str
    agreement: int | None
    ended_on: date | None
    ended_at: datetime | None
    ended_by: str | None
    ended_because: str | None
    live: bool


def give(
    session: Session,
    *,
    account: int,
    source: str,
    text_digest: bytes,
    on: date,
    by: str,
    channel: str = "app",
    purpose: str = QUANTIFICATION,
    covers_from: date | None = None,
) -> Consent:
    """A person lets one source be processed for one purpose, by the words of this digest (Articles 11-12).

    It covers activity from ``covers_from`` on (the day of giving, unless the person names an earlier
    one). Given again, it is the consent that stands; a renewal keeps the earlier first day.

    Raises `ConsentTextMissing`, `TextChanged`, `ConsentCoversFuture`, `GuardianConsents`,
    `participants.PersonErased`, `ledger.AccountUnknown`, `ledger.KindDiffers`.
    """
    assert channel in ("app", "guardian"), "institutions apply by an agreement"
    ledger.require_kind(session, account, ledger.Kind.PERSON)
    first = covers_from or on
    if first > on:
        raise ConsentCoversFuture(given_on=on, covers_from=first)
    _refuse_unable(session, account, on, channel)
    text = _text_read(session, source, purpose, text_digest)
    connection_of(session).execute(_ONE_AT_A_TIME, (f"{account} {source} {purpose}",))
    found = _open(session, account, source, purpose)
    if found is not None:
        if found.live and found.digest == text.digest and found.covers_from <= first:
            return found
        first = min(first, found.covers_from)
        _end(session, found, on=max(on, found.given_on), by=by, because="renewed")
    words = (account, text.id, source, purpose, first, on, channel, by)
    connection_of(session).execute(_GIVE, words)
    given = _open(session, account, source, purpose)
    assert given is not None
    return given


_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 440152))"
_GIVE = """
INSERT INTO consent (account_id, text_id, source, purpose, covers_from, given_on, channel, given_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


def _text_read(session: Session, source: str, purpose: str, digest: bytes) -> ConsentText:
    text = text_in_force(session, source, purpose)
    if digest != text.digest:
        raise TextChanged(source=source, purpose=purpose, version=text.version)
    return text


def _refuse_unable(session: Session, account: int, on: date, channel: str) -> None:
    # Shared, so that an erasure, which withdraws everything, comes wholly before or wholly after.
    row = connection_of(session).execute(
        "SELECT state, guardian_until FROM person WHERE account_id = %s FOR SHARE", (account,)
    ).fetchone()
    if row is None:
        return
    state, guardian_until = row
    if state == "erased":
        raise participants.PersonErased()
    if channel == "app" and guardian_until is not None and on < guardian_until:
        raise GuardianConsents(until=guardian_until)


def withdraw(
    session: Session, *, account: int, source: str, by: str, on: date, purpose: str = QUANTIFICATION
) -> Consent:
    """A person takes a consent back, at once: nothing more of the source is processed, of earlier days neither.

    What was minted stays (Article 15 of the Personal Information Protection Law).
    Raises `ConsentNotGiven`, `ConsentEndsTooEarly`, `ConsentBusy`.
    """
    share_withdrawals(session, source)
    found = _open(session, account, source, purpose)
    if found is None:
        raise ConsentNotGiven(source=ascii(source)[1:61].strip("'"), purpose=ascii(purpose)[1:41].strip("'"))
    if on < found.given_on:
        raise ConsentEndsTooEarly(given_on=found.given_on, on=on)
    _end(session, found, on=on, by=by, because="withdrawn")
    [ended] = _consents(session, "c.id = %(id)s", {"id": found.id})
    return ended


def withdraw_all(session: Session, *, account: int, by: str, on: date) -> int:
    """Take back every consent of an account that stands, as an erasure does; how many. Raises `ConsentBusy`."""
    found = [one for one in consents_of(session, account) if one.ended_on is None]
    for one in sorted(found, key=lambda one: (one.source, one.purpose)):
        share_withdrawals(session, one.source)
        _end(session, one, on=max(on, one.given_on), by=by, because="withdrawn")
    return len(found)


def _end(session: Session, found: Consent, *, on: date, by: str, because: str) -> None:
    connection_of(session).execute(_END, {"id": found.id, "on": on, "by": by, "because": because})


_END = """
UPDATE consent SET ended_on = %(on)s, ended_at = clock_timestamp(), ended_by = %(by)s, ended_because = %(because)s,
                   ending = nextval('consent_ending_seq')
WHERE id = %(id)s AND ended_at IS NULL
"""


def consents_of(session: Session, account: int) -> list[Consent]:
    """The whole history of an account's consents, newest first."""
    return _consents(session, "c.account_id = %(account)s", {"account": account})


def live_consents(session: Session, account: int) -> list[Consent]:
    """The consents of an account by which activity is processed now."""
    return [one for one in consents_of(session, account) if one.live]


def _open(session: Session, account: int, source: str, purpose: str) -> Consent | None:
    where = "c.source = %(source)s AND c.purpose = %(purpose)s AND c.account_id = %(account)s AND c.ended_at IS NULL FOR NO KEY UPDATE OF c"
    found = _consents(session, where, {"source": source, "purpose": purpose, "account": account}, ordered="")
    return found[0] if found else None


def _consents(session: Session, where: str, words: dict[str, Any], ordered: str = "ORDER BY c.id DESC") -> list[Consent]:
    rows = connection_of(session).execute(
        f"""SELECT c.id, c.account_id, c.source, c.purpose, t.version, t.digest, t.sensitive, c.covers_from, c.given_on,
                   c.given_at, c.channel, c.given_by, c.agreement_id, c.ended_on, c.ended_at, c.ended_by, c.ended_because,
                   (SELECT s.ended_at IS NULL OR s.ended_at > clock_timestamp() FROM consent_span s WHERE s.id = c.id)
            FROM consent c JOIN consent_text t ON t.id = c.text_id WHERE {where} {ordered}""",
        words,
    )
    return [Consent(*row) for row in rows]
