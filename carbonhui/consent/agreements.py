"""Institutions that apply for their own users (Article 12)."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from carbonhui import privacy
from carbonhui.consent.locks import hold_rules
from carbonhui.consent.refusals import (
    AgreementDigestDiffers,
    AgreementNeedsOrganisation,
    AgreementNotInForce,
    AgreementUnknown,
    ConsentCoversFuture,
    ConsentWordsMissing,
    EvidenceInvalid,
    EvidenceMissing,
)
from carbonhui.consent.texts import QUANTIFICATION, text_in_force
from carbonhui.core.database import connection_of


@dataclass(frozen=True)
class Agreement:
    """An organisation's right to apply for its users of a source, from a day to before a day (None: open)."""

    id: int
    organisation: int
    source: str
    digest: bytes
    valid_from: date
    valid_to: date | None
    ended_on: date | None


@dataclass(frozen=True)
class Application:
    """One user, and the number under which the user's own consent is kept; it covers activity from a day on (None: today)."""

    account: int
    evidence: str | None = None
    covers_from: date | None = None


@dataclass(frozen=True)
class Applied:
    """What became of the applications: each is in exactly one of these.

    ``standing`` consent already; ``withdrawn`` took theirs back, which nobody else undoes; ``minors``
    need their guardian; ``unknown`` are no persons' accounts, or came twice.
    """

    given: int
    standing: int
    withdrawn: int
    minors: int
    unknown: int


def register_agreement(
    session: Session, *, organisation: int, source: str, text: str, digest: bytes, from_: date, until: date | None, by: str
) -> Agreement:
    """Register what an organisation signed; ``digest`` is the SHA-256 of its text.

    Raises `ConsentWordsMissing`, `AgreementDigestDiffers`, `AgreementNeedsOrganisation`.
    """
    _refuse_unapproved(session, organisation)
    for field, words in (("text", text), ("registrar", by)):
        if not words.strip():
            raise ConsentWordsMissing(field=field)
    found = hashlib.sha256(text.encode()).digest()
    if found != digest:
        raise AgreementDigestDiffers(found=found.hex())
    row = connection_of(session).execute(
        f"""INSERT INTO agreement (organisation, source, words, digest, valid_from, valid_to, registered_by)
            VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}""",
        (organisation, source, text, digest, from_, until, by),
    ).fetchone()
    assert row is not None
    return Agreement(*row)


def _refuse_unapproved(session: Session, organisation: int) -> None:
    query = "SELECT 1 FROM organisation WHERE id = %s AND state = 'approved'"
    if connection_of(session).execute(query, (organisation,)).fetchone() is None:
        raise AgreementNeedsOrganisation(organisation=organisation)


_COLUMNS = "id, organisation, source, digest, valid_from, valid_to, ended_on"


def agreement(session: Session, id: int) -> Agreement:
    """One agreement. Raises `AgreementUnknown`."""
    row = connection_of(session).execute(f"SELECT {_COLUMNS} FROM agreement WHERE id = %s", (id,)).fetchone()
    if row is None:
        raise AgreementUnknown(agreement=id)
    return Agreement(*row)


def agreements(session: Session, organisation: int | None = None) -> list[Agreement]:
    """The agreements of one organisation or of all, oldest first."""
    rows = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM agreement WHERE %(of)s::bigint IS NULL OR organisation = %(of)s ORDER BY id", {"of": organisation}
    )
    return [Agreement(*row) for row in rows]


def end_agreement(session: Session, id: int, *, on: date, by: str) -> Agreement:
    """An agreement holds no longer from a day on, and the consents that rest on it neither, at once.

    Raises `AgreementUnknown`, `AgreementNotInForce`, `ConsentBusy`.
    """
    found = agreement(session, id)
    hold_rules(session, found.source)
    if on < found.valid_from or connection_of(session).execute(_END, (on, by, id)).rowcount == 0:
        raise AgreementNotInForce(agreement=id, on=on)
    return agreement(session, id)


_END = "UPDATE agreement SET ended_on = %s, ended_at = clock_timestamp(), ended_by = %s WHERE id = %s AND ended_on IS NULL"


def apply_for_users(session: Session, id: int, applications: Sequence[Application], *, on: date, by: str) -> Applied:
    """Consent for many users at once, each under the newest text (Article 12). What stands already is left alone.

    Sensitive data needs the evidence of each person's own consent. Who withdrew is never consented for.

    Raises `AgreementUnknown`, `AgreementNotInForce`, `AgreementNeedsOrganisation`, `ConsentTextMissing`,
    `EvidenceInvalid`, `EvidenceMissing`, `ConsentCoversFuture`.
    """
    found = agreement(session, id)
    _refuse_unapproved(session, found.organisation)
    if found.ended_on is not None or on < found.valid_from or (found.valid_to is not None and on >= found.valid_to):
        raise AgreementNotInForce(agreement=id, on=on)
    text = text_in_force(session, found.source)
    invalid = sum(bool(one.evidence) and not privacy.is_reference(one.evidence or "") for one in applications)
    if invalid:
        raise EvidenceInvalid(found=invalid, rows=len(applications))
    missing = sum(not one.evidence for one in applications)
    if text.sensitive and missing:
        raise EvidenceMissing(source=found.source, missing=missing, rows=len(applications))
    latest = max((one.covers_from for one in applications if one.covers_from), default=on)
    if latest > on:
        raise ConsentCoversFuture(given_on=on, covers_from=latest)
    return _applied(connection_of(session), applications, {
        "source": found.source, "purpose": QUANTIFICATION, "text": text.id, "agreement": id, "on": on, "by": by,
    })  # fmt: skip


def _applied(connection: psycopg.Connection[Any], applications: Sequence[Application], words: dict[str, Any]) -> Applied:
    once = {one.account: one for one in applications}
    # Shared, so that who is being erased is erased wholly before or wholly after.
    connection.execute("SELECT FROM person WHERE account_id = ANY (%s) ORDER BY id FOR SHARE", (sorted(once),))
    fates = dict(connection.execute(_JUDGE, {**words, "accounts": sorted(once)}).fetchall())
    told = Counter(fates.values())
    chosen = [account for account in sorted(fates) if fates[account] == "given"]
    mine = {
        **words,
        "accounts": chosen,
        "evidence": [once[account].evidence or None for account in chosen],
        "covers": [once[account].covers_from or words["on"] for account in chosen],
    }
    before = connection.execute(_RENEW, mine).fetchall()
    given = connection.execute(_GIVE, {**mine, "renewed": [one for one, _ in before], "since": [day for _, day in before]}).rowcount
    # Who consented in the app at this very moment has a consent that stands.
    standing = told["standing"] + told["given"] - given
    unknown = len(applications) - given - standing - told["withdrawn"] - told["minor"]
    return Applied(given, standing, told["withdrawn"], told["minor"], unknown)


_JUDGE = """
SELECT a.id, CASE WHEN p.guardian_until > %(on)s THEN 'minor'
                  WHEN latest.ended_because = 'withdrawn' THEN 'withdrawn'
                  WHEN latest.id IS NOT NULL AND coalesce(s.ended_at > clock_timestamp(), true) THEN 'standing' ELSE 'given' END
FROM account a LEFT JOIN person p ON p.account_id = a.id
LEFT JOIN LATERAL (SELECT id, ended_because FROM consent c WHERE c.account_id = a.id AND c.source = %(source)s AND c.purpose = %(purpose)s
                   ORDER BY id DESC LIMIT 1) latest ON true
LEFT JOIN consent_span s ON s.id = latest.id
WHERE a.id = ANY (%(accounts)s) AND a.kind = 1 AND a.closed_at IS NULL
"""
_RENEW = """
UPDATE consent SET ended_on = greatest(%(on)s, given_on), ended_at = clock_timestamp(), ended_by = %(by)s, ended_because = 'renewed',
                   ending = nextval('consent_ending_seq')
WHERE source = %(source)s AND purpose = %(purpose)s AND ended_at IS NULL AND account_id = ANY (%(accounts)s)
RETURNING account_id, covers_from
"""
_GIVE = """
INSERT INTO consent (account_id, text_id, agreement_id, source, purpose, covers_from, given_on, channel, given_by, evidence)
SELECT g.account_id, %(text)s, %(agreement)s, %(source)s, %(purpose)s, least(g.covers_from, r.since), %(on)s, 'agency', %(by)s, g.evidence
FROM unnest(%(accounts)s::bigint[], %(evidence)s::text[], %(covers)s::date[]) AS g (account_id, evidence, covers_from)
LEFT JOIN unnest(%(renewed)s::bigint[], %(since)s::date[]) AS r (account_id, since) USING (account_id)
ON CONFLICT (source, purpose, account_id) WHERE ended_at IS NULL DO NOTHING
"""
