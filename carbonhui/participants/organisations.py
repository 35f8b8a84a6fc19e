"""Organisations: they apply, one member of staff proposes each step, another decides it (Articles 11, 20, 21, 31)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from carbonhui import ledger, notifications, privacy
from carbonhui.core.database import connection_of
from carbonhui.ledger import Kind
from carbonhui.participants.credit_codes import credit_code as checked_credit_code
from carbonhui.participants.organisation_refusals import (
    OrganisationAlreadyThere,
    OrganisationKindUnknown,
    OrganisationNotApproved,
    OrganisationUnknown,
    OwnStep,
    PurseUnknown,
    StepAlreadyProposed,
    StepNotPossible,
    StepReasonMissing,
    StepUnknown,
)
from carbonhui.participants.staff import Staff, require_role

#: The account that each kind has in the books once it is approved; those with None have none.
KINDS: Mapping[str, Kind | None] = {
    "merchant": Kind.MERCHANT,
    "department": Kind.DEPARTMENT,
    "charity": Kind.CHARITY,
    "emitter": Kind.ORGANISATION,
    "institution": None,
    "fund_manager": Kind.ORGANISATION,
    "exchange": None,
    "regulator": None,
}
#: Which state each step leads to, and from where; the database holds the same.
STEPS: Mapping[tuple[str, str], str] = {
    ("applied", "approve"): "approved",
    ("approved", "suspend"): "suspended",
    ("suspended", "resume"): "approved",
    ("applied", "close"): "closed",
    ("approved", "close"): "closed",
    ("suspended", "close"): "closed",
}
_NAME_LONGEST, _REASON_LONGEST, _CONTACT_LONGEST = 200, 500, 60
#: The fields of a contact person in the vault.
CONTACT = ("contact_name", "contact_mobile")


@dataclass(frozen=True)
class Organisation:
    """Who takes part as an organisation; ``subject`` leads to its contact person in the vault."""

    id: int
    handle: UUID
    kind: str
    name: str
    credit_code: str
    state: str
    account_id: int | None
    cash_account_id: int | None
    subject: int | None
    applied_on: date


@dataclass(frozen=True)
class Step:
    """What one member of staff proposed and another decided; ``agreed`` is None while it waits."""

    id: int
    organisation_id: int
    step: str
    reason: str
    proposed_by: int
    proposed_on: date
    decided_by: int | None
    agreed: bool | None
    decided_on: date | None


_COLUMNS = "id, handle, kind, name, credit_code, state, account_id, cash_account_id, subject, applied_on"
_STEP = "id, organisation_id, step, reason, proposed_by, proposed_on, decided_by, agreed, decided_on"


def apply_as_organisation(
    session: Session, vault: privacy.Vault, *, kind: str, name: str, credit_code: str,
    contact_name: str, contact_mobile: str, on: date,
) -> Organisation:  # fmt: skip
    """An organisation asks to take part; it may do nothing yet.

    Raises `OrganisationKindUnknown`, `CreditCodeInvalid`, `OrganisationAlreadyThere`,
    `privacy.TextRefused`, `privacy.MobileInvalid`.
    """
    if kind not in KINDS:
        raise OrganisationKindUnknown(kind=ascii(kind)[:40], kinds=", ".join(KINDS))
    code = checked_credit_code(credit_code)
    called = privacy.clean_text(name, field="name", longest=_NAME_LONGEST)
    contact = privacy.clean_text(contact_name, field="contact_name", longest=_CONTACT_LONGEST)
    subject = privacy.begin_subject(session, vault)
    privacy.keep(session, vault, subject, contact_name=contact, contact_mobile=privacy.mobile_number(contact_mobile))
    connection = connection_of(session)
    try:
        with connection.transaction():
            row = connection.execute(
                f"""INSERT INTO organisation (kind, name, credit_code, subject, applied_on)
                    VALUES (%s, %s, %s, %s, %s) RETURNING {_COLUMNS}""",
                (kind, called, code, subject, on),
            ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise OrganisationAlreadyThere(kind=kind, credit_code=code) from None
    assert row is not None
    # For the staff, who have to look at it.
    notifications.announce(session, "organisation.applied", payload={"organisation": row[0]})
    return Organisation(*row)


def propose_step(
    session: Session, organisation: Organisation, step: str, *, reason: str, by: Staff, on: date
) -> Step:
    """A registrar proposes to approve, suspend, resume or close an organisation.

    Raises `RoleMissing`, `StepReasonMissing`, `StepNotPossible`, `StepAlreadyProposed`.
    """
    require_role(session, by, "registrar")
    if not 1 <= len(reason.strip()) <= _REASON_LONGEST:
        raise StepReasonMissing(longest=_REASON_LONGEST)
    found = locked_organisation(session, organisation.id)
    _require_possible(found, step)
    why = privacy.clean_text(reason, field="reason", longest=_REASON_LONGEST)
    connection = connection_of(session)
    try:
        with connection.transaction():
            row = connection.execute(
                f"""INSERT INTO organisation_step (organisation_id, step, reason, proposed_by, proposed_on)
                    VALUES (%s, %s, %s, %s, %s) RETURNING {_STEP}""",
                (found.id, step, why, by.id, on),
            ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise StepAlreadyProposed(organisation=found.id) from None
    assert row is not None
    return Step(*row)


def decide_step(session: Session, step: int, *, agreed: bool, by: Staff, on: date) -> Organisation:
    """An approver decides what another proposed; what is agreed takes effect at once.

    An approval opens the organisation's account, and a department's purse. Closing
    closes them, so they have to be empty: a merchant settles first.

    Raises `RoleMissing`, `StepUnknown`, `OwnStep`, `ledger.AccountNotEmpty`.
    """
    require_role(session, by, "approver")
    asked = _open_step(session, step)
    if asked.proposed_by == by.id:
        raise OwnStep(step=step)
    found = locked_organisation(session, asked.organisation_id)
    decided = connection_of(session).execute(
        """UPDATE organisation_step SET decided_by = %s, agreed = %s, decided_on = greatest(proposed_on, %s)
           WHERE id = %s AND decided_by IS NULL""",
        (by.id, agreed, on, step),
    ).rowcount
    if not decided:
        raise StepUnknown(step=step)
    return _taken(session, found, asked) if agreed else found


def _open_step(session: Session, number: int) -> Step:
    row = connection_of(session).execute(
        f"SELECT {_STEP} FROM organisation_step WHERE id = %s AND decided_by IS NULL", (number,)
    ).fetchone()
    if row is None:
        raise StepUnknown(step=number)
    return Step(*row)


def _taken(session: Session, found: Organisation, step: Step) -> Organisation:
    _require_possible(found, step.step)
    account, purse = found.account_id, found.cash_account_id
    if step.step == "approve":
        account, purse = _opened(session, found)
    if step.step == "close":
        for held in (account, purse):
            if held is not None:
                ledger.close_account(session, held)
        _end_what_hangs_on(session, found, step)
    row = connection_of(session).execute(
        f"""UPDATE organisation SET state = %s, step_id = %s, account_id = %s, cash_account_id = %s
            WHERE id = %s RETURNING {_COLUMNS}""",
        (STEPS[found.state, step.step], step.id, account, purse, found.id),
    ).fetchone()
    assert row is not None
    notifications.announce(
        session, _TOPICS[step.step], payload={"organisation": found.id}, organisation=found.id, key=f"organisation-{found.id}"
    )
    return Organisation(*row)


_TOPICS = {
    "approve": "organisation.approved", "suspend": "organisation.suspended",
    "resume": "organisation.resumed", "close": "organisation.closed",
}  # fmt: skip


def _opened(session: Session, found: Organisation) -> tuple[int | None, int | None]:
    """Accounts are named after the organisation's number, because names of organisations change and repeat."""
    kind = KINDS[found.kind]
    if kind is None:
        return None, None
    account = ledger.open_account(session, kind, name=f"{found.kind.replace('_', '-')}-{found.id}")
    if kind != Kind.DEPARTMENT:
        return account, None
    return account, ledger.open_account(session, kind, name=f"{found.kind}-{found.id}-cash", asset=ledger.CNY)


def _end_what_hangs_on(session: Session, found: Organisation, step: Step) -> None:
    """A closed organisation vouches for nothing and nobody acts for it; its contact person is forgotten."""
    connection = connection_of(session)
    words = (step.proposed_on, found.id)
    connection.execute("UPDATE member SET until = greatest(since, %s) WHERE organisation_id = %s AND until IS NULL", words)
    connection.execute("UPDATE scheme_keeper SET until = greatest(since, %s) WHERE organisation_id = %s AND until IS NULL", words)
    connection.execute("UPDATE link_code SET spent_at = clock_timestamp() WHERE organisation_id = %s AND spent_at IS NULL", words[1:])
    connection.execute("UPDATE link_claim SET state = 'refused' WHERE organisation_id = %s AND state = 'asked'", words[1:])
    if found.subject is not None:
        privacy.erase(session, found.subject)


def _require_possible(found: Organisation, step: str) -> None:
    if (found.state, step) not in STEPS:
        raise StepNotPossible(organisation=found.id, state=found.state, step=ascii(step)[:40])


def organisation(session: Session, number: int) -> Organisation:
    """The organisation with this number. Raises `OrganisationUnknown`."""
    return _found(session, "id = %s", number)


def organisation_by_handle(session: Session, handle: UUID | str) -> Organisation:
    """The organisation with this handle. Raises `OrganisationUnknown`, also for what is no handle."""
    try:
        wanted = handle if isinstance(handle, UUID) else UUID(handle)
    except ValueError:
        raise OrganisationUnknown() from None
    return _found(session, "handle = %s", wanted)


def organisation_of_account(session: Session, account: int) -> Organisation:
    """Whose account of credits this is. Raises `OrganisationUnknown`."""
    return _found(session, "account_id = %s", account)


def locked_organisation(session: Session, number: int) -> Organisation:
    """The organisation as it is now, with everybody else waiting to change it. Raises `OrganisationUnknown`."""
    return _found(session, "id = %s FOR NO KEY UPDATE", number)


def _found(session: Session, condition: str, value: int | UUID) -> Organisation:
    row = connection_of(session).execute(f"SELECT {_COLUMNS} FROM organisation WHERE {condition}", (value,)).fetchone()
    if row is None:
        raise OrganisationUnknown()
    return Organisation(*row)


def organisations(
    session: Session, *, kind: str | None = None, state: str | None = None, after: int = 0, limit: int = 50
) -> list[Organisation]:
    """Organisations in the order in which they applied, from the one after a number on."""
    rows = connection_of(session).execute(
        f"""SELECT {_COLUMNS} FROM organisation WHERE id > %(after)s AND (%(kind)s::text IS NULL OR kind = %(kind)s)
            AND (%(state)s::text IS NULL OR state = %(state)s) ORDER BY id LIMIT %(limit)s""",
        {"after": after, "kind": kind, "state": state, "limit": limit},
    )
    return [Organisation(*row) for row in rows]


def steps_of(session: Session, organisation: Organisation) -> list[Step]:
    """What was proposed of an organisation and what became of it, oldest first."""
    rows = connection_of(session).execute(
        f"SELECT {_STEP} FROM organisation_step WHERE organisation_id = %s ORDER BY id", (organisation.id,)
    )
    return [Step(*row) for row in rows]


def open_steps(session: Session, *, after: int = 0, limit: int = 50) -> list[Step]:
    """The steps that wait for a decision, oldest first."""
    rows = connection_of(session).execute(
        f"SELECT {_STEP} FROM organisation_step WHERE decided_by IS NULL AND id > %s ORDER BY id LIMIT %s", (after, limit)
    )
    return [Step(*row) for row in rows]


def require_approved(session: Session, number: int) -> Organisation:
    """The organisation as it is now, if it may act. Raises `OrganisationUnknown`, `OrganisationNotApproved`."""
    found = organisation(session, number)
    if found.state != "approved":
        raise OrganisationNotApproved(organisation=number, state=found.state)
    return found


def require_standing(session: Session, account: int, *, unless_done: str | None = None) -> None:
    """Refuse the account of an organisation that is suspended; accounts of nobody known pass.

    Rooms that take credits on behalf of organisations ask this before they do. What was
    done under the reference ``unless_done`` before may be asked for again.
    Raises `OrganisationNotApproved`.
    """
    row = connection_of(session).execute(
        "SELECT id, state FROM organisation WHERE account_id = %s", (account,), prepare=True
    ).fetchone()
    if row is None or row[1] == "approved":
        return
    if unless_done is None or ledger.transfer_under(session, unless_done) is None:
        raise OrganisationNotApproved(organisation=row[0], state=row[1])


def cash_account_of(session: Session, department_account: int) -> int:
    """The purse that was tied to a department's account when it was approved. Raises `PurseUnknown`."""
    row = connection_of(session).execute(
        "SELECT cash_account_id FROM organisation WHERE account_id = %s AND state = 'approved'", (department_account,)
    ).fetchone()
    if row is None or row[0] is None:
        raise PurseUnknown(account=department_account)
    return int(row[0])


def contact_of(session: Session, vault: privacy.Vault, organisation: Organisation, reader: privacy.Reader) -> dict[str, str]:
    """The contact person of an organisation; the read is on record."""
    if organisation.subject is None:
        return {}
    return privacy.read(session, vault, organisation.subject, CONTACT, reader)


def change_contact(
    session: Session, vault: privacy.Vault, organisation: Organisation, *, contact_name: str, contact_mobile: str
) -> None:
    """Another person answers for an organisation; what was known of the former is destroyed.

    Raises `privacy.TextRefused`, `privacy.MobileInvalid`.
    """
    contact = privacy.clean_text(contact_name, field="contact_name", longest=_CONTACT_LONGEST)
    number = privacy.mobile_number(contact_mobile)
    found = locked_organisation(session, organisation.id)
    subject = privacy.begin_subject(session, vault)
    privacy.keep(session, vault, subject, contact_name=contact, contact_mobile=number)
    connection_of(session).execute("UPDATE organisation SET subject = %s WHERE id = %s", (subject, found.id))
    if found.subject is not None:
        privacy.erase(session, found.subject)
