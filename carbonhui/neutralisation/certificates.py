"""Retiring credits against a footprint, and the certificate of it (Article 22)."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, participants, policy, privacy, quantification
from carbonhui.core.amounts import Credits
from carbonhui.core.database import BeginAgain, connection_of
from carbonhui.ledger import Kind
from carbonhui.neutralisation.footprints import Footprint
from carbonhui.neutralisation.numbers import checked_number, new_number
from carbonhui.neutralisation.operations import take_out
from carbonhui.neutralisation.refusals import (
    CertificateUnknown,
    CreditsDoNotCover,
    MoreCreditsThanAllowed,
    ReceivedCreditsNotRetired,
)

BENEFICIARY_LONGEST, REASON_LONGEST = 200, 500
#: Of more accounts' reductions than these the methodologies are not listed.
ORIGINS_MAX = 200
_RECEIVING = {Kind.MERCHANT: ("merchant", "商户"), Kind.DEPARTMENT: ("department", "公共服务部门")}
_SCHEME = "certificate-words"


@dataclass(frozen=True)
class Certificate:
    """What was emitted and what was retired against it, once and for all; only ``hidden`` may change.

    ``account`` is whose certificate it is, ``payer`` the account that the credits came from. The texts
    lie in the vault under ``subject``. ``methodologies`` is None where there were too many origins.
    """

    id: int
    number: str
    account: int
    payer: int
    subject: int
    transfer: int
    credits: int
    avoided_mg: int
    footprint_mg: int
    calculator: str
    lines: list[dict[str, Any]]
    evidence: bytes | None
    methodologies: list[str] | None
    hidden: bool
    business_date: date
    at: datetime


@dataclass(frozen=True)
class Texts:
    """What people wrote on a certificate; ``erased`` when their key is destroyed."""

    beneficiary: str | None = None
    reason: str | None = None
    erased: bool = False


_COLUMNS = (
    "id, number, account_id, payer, subject, transfer_id, credits, avoided_mg, footprint_mg, calculator, lines, evidence, "
    "methodologies, hidden, business_date, at"
)


def neutralise(
    session: Session, vault: privacy.Vault, *, account: int, payer: int, subject: int | None, footprint: Footprint,
    beneficiary: str | None, reason: str, reference: str, business_date: date, hidden: bool = False, credits_max: int | None = None,
) -> Certificate:  # fmt: skip
    """Retire the fewest whole credits that cover a footprint, oldest first, and issue the certificate.

    ``subject`` is the person whose certificate it is; None for an organisation, whose texts
    get a key of their own. ``beneficiary`` None is whoever the certificate belongs to. The
    refusals are tried in this order: the texts (`privacy.TextRefused`), a reference with
    other words (`ledger.ReferenceReused`), whose credits they are (`ReceivedCreditsNotRetired`,
    `policy.NotPermitted`), how many (`CreditsDoNotCover`, `MoreCreditsThanAllowed`), then
    what `ledger.post` refuses. Receipts of an organisation or a pool wait for nobody:
    `BeginAgain` when one came between the count and the transfer and others were taken.
    """
    texts = _checked_texts(beneficiary, reason)
    words = _words(vault, account, payer, footprint, texts, hidden, credits_max)
    # A person's serials stay as they are until they are taken; a repetition waits here and then finds the first outcome.
    ledger.lock_accounts(session, payer)
    before = _issued_before(session, reference, words)
    if before is not None:
        return before
    _require_own(session, payer, business_date)
    covering = ledger.credits_covering(session, payer, footprint.mg)
    if covering.mg < footprint.mg:
        raise CreditsDoNotCover(footprint_mg=footprint.mg, credits=covering.credits, avoided_mg=covering.mg)
    if credits_max is not None and covering.credits > credits_max:
        raise MoreCreditsThanAllowed(credits=covering.credits, credits_max=credits_max)
    posted = take_out(
        session, owner=payer, credits=Credits(covering.credits), reference=f"neutralise-{reference}", business_date=business_date
    )
    avoided_mg = ledger.avoided_mg(session, posted.id)
    if avoided_mg != covering.mg:
        raise BeginAgain
    kept_under = privacy.begin_subject(session, vault) if subject is None else subject
    row = connection_of(session).execute(
        f"""INSERT INTO certificate (number, account_id, payer, subject, transfer_id, credits, avoided_mg, footprint_mg, calculator,
                lines, evidence, methodologies, words, reference, hidden, business_date)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}""",
        (new_number(business_date.year), account, payer, kept_under, posted.id, covering.credits, avoided_mg, footprint.mg,
         footprint.calculator, json.dumps(_lines(footprint), ensure_ascii=False), footprint.evidence,
         _methodologies(session, posted.id), words, reference, hidden, business_date),
    ).fetchone()  # fmt: skip
    assert row is not None
    made = Certificate(*row)
    privacy.keep(session, vault, kept_under, **{_field(made, name): text for name, text in texts.items()})
    _announce(session, made)
    return made


def _checked_texts(beneficiary: str | None, reason: str) -> dict[str, str]:
    texts = {"reason": privacy.clean_text(reason, field="reason", longest=REASON_LONGEST)}
    if beneficiary is not None:
        texts["beneficiary"] = privacy.clean_text(beneficiary, field="beneficiary", longest=BENEFICIARY_LONGEST)
    return texts


def _words(
    vault: privacy.Vault, account: int, payer: int, footprint: Footprint, texts: dict[str, str], hidden: bool, credits_max: int | None
) -> bytes:
    """A keyed digest of everything that was asked: it tells a repetition, and not what was written."""
    evidence = footprint.evidence.hex() if footprint.evidence else None
    asked = [account, payer, footprint.calculator, footprint.mg, _lines(footprint), evidence, texts, hidden, credits_max]
    return vault.digest(_SCHEME, json.dumps(asked, ensure_ascii=True, sort_keys=True))


def _issued_before(session: Session, reference: str, words: bytes) -> Certificate | None:
    row = connection_of(session).execute(f"SELECT {_COLUMNS}, words FROM certificate WHERE reference = %s", (reference,)).fetchone()
    if row is None:
        return None
    if bytes(row[-1]) != words:
        raise ledger.ReferenceReused(reference=reference)
    return Certificate(*row[:-1])


def _require_own(session: Session, payer: int, on: date) -> None:
    kind = ledger.balance_of(session, payer).kind
    if kind in _RECEIVING:
        name, name_zh = _RECEIVING[kind]
        raise ReceivedCreditsNotRetired(kind=name, kind_zh=name_zh)
    if kind is Kind.CHARITY:
        policy.require(session, policy.CHARITY_MAY_RETIRE, on)


def _lines(footprint: Footprint) -> list[dict[str, Any]]:
    return [
        {
            "factor": line.factor.id, "zh": line.factor.zh, "en": line.factor.en, "quantity": line.quantity,
            "quantity_unit": line.factor.quantity, "mg_per_unit": line.value.mg, "unit": line.factor.unit, "year": line.value.year,
            "publisher": line.factor.publisher, "region": line.factor.region, "source": line.value.source, "licence": line.factor.licence,
            "mg": line.mg,
        }
        for line in footprint.lines
    ]  # fmt: skip


def lines_of(footprint: Footprint) -> list[dict[str, Any]]:
    """How a footprint was worked out, as a certificate keeps it."""
    return _lines(footprint)


def _methodologies(session: Session, transfer: int) -> list[str] | None:
    origins = ledger.origins_of(session, transfer, most=ORIGINS_MAX + 1)
    if len(origins) > ORIGINS_MAX:
        return None
    return quantification.methodologies_minted(session, [(one.account, one.mint, one.vintage) for one in origins])


def _announce(session: Session, made: Certificate) -> None:
    facts = {"certificate": made.number, "credits": made.credits}
    if ledger.balance_of(session, made.account).kind is Kind.PERSON:
        notifications.announce(session, "certificate.issued", payload=facts, account=made.account)
    else:
        organisation = participants.organisation_of_account(session, made.account).id
        notifications.announce(session, "certificate.issued", payload=facts, organisation=organisation)


def certificate(session: Session, number: str) -> Certificate:
    """The certificate of this number, typed with or without spaces. Raises `CertificateUnknown`."""
    wanted = checked_number(number)
    row = connection_of(session).execute(f"SELECT {_COLUMNS} FROM certificate WHERE number = %s", (wanted,)).fetchone()
    if row is None:
        raise CertificateUnknown(number=wanted)
    return Certificate(*row)


def certificates_of(session: Session, account: int, *, before: int | None = None, limit: int = 20) -> list[Certificate]:
    """An account's certificates, newest first; ``before`` is the id of the last one that was told."""
    rows = connection_of(session).execute(
        f"""SELECT {_COLUMNS} FROM certificate WHERE account_id = %(account)s AND (%(before)s::bigint IS NULL OR id < %(before)s)
            ORDER BY id DESC LIMIT %(limit)s""",
        {"account": account, "before": before, "limit": limit},
    )
    return [Certificate(*row) for row in rows]


def numbers_of(session: Session, transfers: Collection[int]) -> dict[int, str]:
    """The numbers of the certificates that these transfers retired for, by transfer."""
    rows = connection_of(session).execute(
        "SELECT transfer_id, number FROM certificate WHERE transfer_id = ANY (%s)", (list(transfers),)
    )
    return dict(rows.fetchall())


def texts_of(session: Session, vault: privacy.Vault, of: Certificate, reader: privacy.Reader) -> Texts:
    """What was written on a certificate; that it was read stands on the writer's record."""
    names = {_field(of, name): name for name in ("beneficiary", "reason")}
    try:
        found = privacy.read(session, vault, of.subject, list(names), reader)
    except privacy.SubjectErased:
        return Texts(erased=True)
    told = {names[field]: text for field, text in found.items()}
    return Texts(told.get("beneficiary"), told.get("reason"))


def hide_beneficiary(session: Session, of: Certificate, *, hidden: bool) -> Certificate:
    """Keep the beneficiary's name off the public page, or show it again. To do it twice changes nothing."""
    row = connection_of(session).execute(
        f"UPDATE certificate SET hidden = %s WHERE id = %s RETURNING {_COLUMNS}", (hidden, of.id)
    ).fetchone()
    assert row is not None
    return Certificate(*row)


def _field(of: Certificate, name: str) -> str:
    return f"certificate:{of.id}:{name}"
