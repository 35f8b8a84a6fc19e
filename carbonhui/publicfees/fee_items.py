"""What a department may bill for: it applies, one of the staff proposes, another decides (Article 19)."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from carbonhui import approvals, notifications, participants, privacy
from carbonhui.core.database import connection_of
from carbonhui.participants import Organisation, Staff
from carbonhui.publicfees.refusals import (
    FeeItemAlreadyThere,
    FeeItemInvalid,
    FeeItemNotApproved,
    FeeItemNotWaiting,
    FeeItemUnknown,
    NotDepartment,
)

#: The kind of its countersignatures.
KIND = "fee_item"
_CODE = re.compile(r"[0-9A-Z][0-9A-Z-]{0,31}", re.ASCII)
_TITLE_LONGEST, _BASIS_LONGEST, _REASON_LONGEST = 100, 200, 500


@dataclass(frozen=True)
class FeeItem:
    """A fee (行政事业性收费) of a department, and the document that lets it be taken.

    ``state`` is ``applied``, ``approved``, ``refused`` or ``withdrawn``.
    """

    id: int
    handle: UUID
    organisation_id: int
    code: str
    title_zh: str
    title_en: str
    legal_basis: str
    state: str
    applied_on: date


@dataclass(frozen=True)
class ListedItem:
    """An item together with the department whose it is."""

    item: FeeItem
    department: UUID
    department_name: str

    @property
    def id(self) -> int:
        return self.item.id


_COLUMNS = "id, handle, organisation_id, code, title_zh, title_en, legal_basis, state, applied_on"


def apply_for_fee_item(
    session: Session, organisation: Organisation, *, code: str, title_zh: str, title_en: str, legal_basis: str, on: date
) -> FeeItem:
    """A department asks to be paid for something in credits, too. The same words again are the same item.

    Raises `NotDepartment`, `participants.OrganisationNotApproved`, `FeeItemInvalid`, `privacy.TextRefused`,
    `FeeItemAlreadyThere` for a live item of this code with other words.
    """
    department = approved_department(session, organisation)
    if _CODE.fullmatch(code) is None:
        raise FeeItemInvalid()
    words = (
        privacy.clean_text(title_zh, field="title_zh", longest=_TITLE_LONGEST),
        privacy.clean_text(title_en, field="title_en", longest=_TITLE_LONGEST),
        privacy.clean_text(legal_basis, field="legal_basis", longest=_BASIS_LONGEST),
    )
    connection = connection_of(session)
    row = connection.execute(
        f"""INSERT INTO fee_item (organisation_id, code, title_zh, title_en, legal_basis, applied_on) VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (organisation_id, code) WHERE state IN ('applied', 'approved') DO NOTHING RETURNING {_COLUMNS}""",
        (department.id, code, *words, on),
    ).fetchone()
    if row is not None:
        return FeeItem(*row)
    found = fee_item_of(session, department, code)
    if (found.title_zh, found.title_en, found.legal_basis) != words:
        raise FeeItemAlreadyThere(item=code)
    return found


def approved_department(session: Session, organisation: Organisation) -> Organisation:
    """The organisation as it is now, if it is a department that may act. Raises `NotDepartment`, `OrganisationNotApproved`."""
    if organisation.kind != "department":
        raise NotDepartment(kind=organisation.kind)
    return participants.require_approved(session, organisation.id)


def propose_fee_item(session: Session, item: FeeItem, *, reason: str, by: Staff, on: date) -> approvals.Countersignature:
    """A registrar, who saw the papers, proposes to approve an item; an approver decides.

    Raises `participants.RoleMissing`, `FeeItemNotWaiting`, `privacy.TextRefused`, `approvals.AskedAlready`.
    """
    participants.require_role(session, by, "registrar")
    found = _locked(session, item.id)
    _require_waiting(found)
    why = privacy.clean_text(reason, field="reason", longest=_REASON_LONGEST)
    words = {
        "department": found.organisation_id, "code": found.code, "title_zh": found.title_zh, "title_en": found.title_en,
        "legal_basis": found.legal_basis,
    }  # fmt: skip
    return approvals.ask(session, kind=KIND, subject=found.id, words=words, reason=why, by=by.id, on=on)


def decide_fee_item(session: Session, number: int, *, agreed: bool, by: Staff, on: date) -> FeeItem:
    """An approver decides what another proposed; an item that is agreed to may be billed at once.

    Raises `participants.RoleMissing`, `approvals.CountersignatureUnknown`, `approvals.OwnCountersignature`,
    and `FeeItemNotWaiting` when the department withdrew it meanwhile and it is agreed to.
    """
    participants.require_role(session, by, "approver")
    answered = approvals.answer(session, number, kind=KIND, agreed=agreed, by=by.id, on=on)
    found = _locked(session, answered.subject)
    if found.state == "withdrawn" and not agreed:
        return found
    _require_waiting(found)
    outcome = "approved" if agreed else "refused"
    row = connection_of(session).execute(
        f"UPDATE fee_item SET state = %s, countersignature_id = %s WHERE id = %s RETURNING {_COLUMNS}",
        (outcome, answered.id, found.id),
    ).fetchone()
    assert row is not None
    _tell(session, FeeItem(*row))
    return FeeItem(*row)


def withdraw_fee_item(session: Session, organisation: Organisation, item: UUID, *, on: date) -> FeeItem:
    """A department bills for an item no longer; bills that it presented stay. Doing it again changes nothing.

    Raises `FeeItemUnknown`, and `FeeItemNotWaiting` for one that was refused.
    """
    found = _locked(session, _of(session, organisation, item).id)
    if found.state == "withdrawn":
        return found
    if found.state == "refused":
        raise FeeItemNotWaiting(item=found.code, state=found.state)
    row = connection_of(session).execute(
        f"UPDATE fee_item SET state = 'withdrawn', ended_on = %s WHERE id = %s RETURNING {_COLUMNS}", (on, found.id)
    ).fetchone()
    assert row is not None
    _tell(session, FeeItem(*row))
    return FeeItem(*row)


def _tell(session: Session, item: FeeItem) -> None:
    notifications.announce(
        session, "bill.item_decided", payload={"item": str(item.handle), "outcome": item.state}, organisation=item.organisation_id
    )


def _of(session: Session, organisation: Organisation, handle: UUID) -> FeeItem:
    found = fee_item(session, handle)
    if found.organisation_id != organisation.id:
        raise FeeItemUnknown()
    return found


def _locked(session: Session, number: int) -> FeeItem:
    row = connection_of(session).execute(f"SELECT {_COLUMNS} FROM fee_item WHERE id = %s FOR NO KEY UPDATE", (number,)).fetchone()
    assert row is not None
    return FeeItem(*row)


def _require_waiting(item: FeeItem) -> None:
    if item.state != "applied":
        raise FeeItemNotWaiting(item=item.code, state=item.state)


def fee_item(session: Session, handle: UUID) -> FeeItem:
    """The item with this handle. Raises `FeeItemUnknown`."""
    row = connection_of(session).execute(f"SELECT {_COLUMNS} FROM fee_item WHERE handle = %s", (handle,)).fetchone()
    if row is None:
        raise FeeItemUnknown()
    return FeeItem(*row)


def fee_item_of(session: Session, organisation: Organisation, code: str) -> FeeItem:
    """A department's newest item of a code. Raises `FeeItemUnknown`."""
    row = connection_of(session).execute(
        f"SELECT {_COLUMNS} FROM fee_item WHERE organisation_id = %s AND code = %s ORDER BY id DESC LIMIT 1", (organisation.id, code)
    ).fetchone()
    if row is None:
        raise FeeItemUnknown()
    return FeeItem(*row)


def billable(session: Session, organisation: Organisation, code: str) -> FeeItem:
    """The item of this code if it may be billed now. Raises `FeeItemUnknown`, `FeeItemNotApproved`."""
    found = fee_item_of(session, organisation, code)
    if found.state != "approved":
        raise FeeItemNotApproved(item=found.code, state=found.state)
    return found


def fee_items(
    session: Session, *, organisation: Organisation | None = None, state: str | None = None, after: int = 0, limit: int = 50
) -> list[ListedItem]:
    """Items in the order in which they were applied for, of one department or of all that are not closed."""
    columns = ", ".join(f"f.{name}" for name in _COLUMNS.split(", "))
    rows = connection_of(session).execute(
        f"""SELECT {columns}, o.handle, o.name FROM fee_item f JOIN organisation o ON o.id = f.organisation_id
            WHERE f.id > %(after)s AND (%(organisation)s::bigint IS NULL OR f.organisation_id = %(organisation)s)
              AND (%(state)s::text IS NULL OR f.state = %(state)s) AND o.state <> 'closed' ORDER BY f.id LIMIT %(limit)s""",
        {"after": after, "organisation": organisation.id if organisation else None, "state": state, "limit": limit},
    )
    return [ListedItem(FeeItem(*row[:9]), row[9], row[10]) for row in rows]
