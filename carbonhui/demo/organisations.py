"""Whom the demonstration's residents meet: organisations that two of the staff approved, as real ones are."""

import secrets
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import participants, privacy
from carbonhui.participants import Organisation, Staff

FOUNDED = date(2026, 1, 5)


def staff(session: Session, vault: privacy.Vault, role: str) -> Staff:
    """The member of the demonstration's staff with this role; nobody knows the password."""
    login = f"demo-{role}"
    known = [one for one in participants.staff_members(session) if one.login == login]
    return known[0] if known else participants.add_staff(
        session, vault, login=login, password=secrets.token_urlsafe(24), roles=[role]
    ).staff  # fmt: skip


def organisation(session: Session, vault: privacy.Vault, *, kind: str, name: str, number: int) -> Organisation:
    """The approved organisation of this number; approved now when it is not there yet."""
    first = f"91440101MADEMX{number:03d}"
    code = first + participants.check_character(first)
    known = [one for one in participants.organisations(session, kind=kind) if one.credit_code == code]
    if known:
        return known[0]
    applied = participants.apply_as_organisation(
        session, vault, kind=kind, name=name, credit_code=code, contact_name="示例", contact_mobile="13800000000", on=FOUNDED
    )
    registrar, approver = staff(session, vault, "registrar"), staff(session, vault, "approver")
    step = participants.propose_step(session, applied, "approve", reason="demonstration", by=registrar, on=FOUNDED)
    return participants.decide_step(session, step.id, agreed=True, by=approver, on=FOUNDED)
