"""What departments bill for, and their bills; who pays one stands in no address and in no answer (Article 19)."""

from typing import Any
from uuid import UUID

from carbonhui import approvals, participants, privacy, publicfees
from carbonhui.api.fields import Choice, Day, Handle, Mobile, Page, Part, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, named, paged
from carbonhui.api.routes.organisations import MANAGERS, own_organisation
from carbonhui.api.routes.refusals import NotOneOfThese, OrganisationRoleMissing, at_most_one
from carbonhui.participants import Organisation, Person

blueprint = Blueprint("fees", __name__, description="What departments bill for, and their bills.")

STATES = ("applied", "approved", "refused", "withdrawn")
BILL_STATES = ("open", *publicfees.CAUSES)
ITEM_CODE = r"[0-9A-Z][0-9A-Z-]{0,31}"
NUMBER = r"[!-~]{1,100}"
_NUMBER = {"description": "The bill's number on its paper; nothing personal, because it is kept as it is.", "example": "W-2026-09-001187"}
_PATH = "/v1/publicfees/<uuid:organisation>"


class FeeItemApplied(Strict):
    code = Pattern(ITEM_CODE, longest=32, required=True, metadata={"example": "103044601"})
    title_zh = Text(100, required=True, metadata={"example": "污水处理费"})
    title_en = Text(100, required=True, metadata={"example": "Sewage treatment fee"})
    legal_basis = Text(200, required=True, metadata={"description": "The document that lets the fee be taken."})


class FeeItemSchema(Strict):
    fee_item = Handle(required=True)
    department = Handle(required=True)
    department_name = Text(200, required=True)
    code = Pattern(ITEM_CODE, longest=32, required=True)
    title_zh = Text(100, required=True)
    title_en = Text(100, required=True)
    legal_basis = Text(200, required=True)
    state = Choice(*STATES, required=True)
    applied_on = Day(required=True)


class FeeItemProposed(Strict):
    reason = Text(500, required=True, metadata={"description": "Why, without anything personal."})


class FeeItemSignatureSchema(Strict):
    countersignature = Handle(required=True)


class FeeItemsAsked(Page):
    state = Choice(*STATES, load_default=None)


def _item(item: publicfees.FeeItem, department: UUID, name: str) -> dict[str, Any]:
    return {**vars(item), "fee_item": item.handle, "department": department, "department_name": name}


def _listed(call: Call, query: dict[str, Any], *, state: str | None, organisation: Organisation | None = None) -> dict[str, Any]:
    found = publicfees.fee_items(
        call.session, organisation=organisation, state=state, after=call.cursor.read(query["cursor"]) or 0, limit=query["limit"] + 1
    )
    return paged(call, found, query["limit"], lambda one: _item(one.item, one.department, one.department_name))


@operation(
    blueprint, "GET", "/v1/publicfees/fee-items", "listFeeItems", query=Page, answer=page_of(FeeItemSchema),
    summary="The approved fee items of all departments, which may be paid in credits in part",
)  # fmt: skip
def list_fee_items(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    return _listed(call, query, state="approved")


@operation(
    blueprint, "GET", _PATH + "/fee-items", "listOwnFeeItems", query=FeeItemsAsked, answer=page_of(FeeItemSchema),
    summary="Your department's fee items, refused and withdrawn ones too",
)  # fmt: skip
def list_own_fee_items(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    return _listed(call, query, state=query["state"], organisation=own_organisation(call, organisation))


@operation(
    blueprint, "POST", _PATH + "/fee-items", "applyForFeeItem", body=FeeItemApplied, answer=FeeItemSchema, status=201,
    summary="Apply for a fee item; two members of the staff decide",
    refuses=(
        publicfees.NotDepartment, publicfees.FeeItemInvalid, publicfees.FeeItemAlreadyThere, participants.OrganisationNotApproved,
        privacy.TextRefused, OrganisationRoleMissing,
    ),
)  # fmt: skip
def apply_for_fee_item(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation, MANAGERS)
    return _item(publicfees.apply_for_fee_item(call.session, found, on=call.today, **body), found.handle, found.name)


@operation(
    blueprint, "POST", _PATH + "/fee-items/<uuid:fee_item>/withdrawal", "withdrawFeeItem", answer=FeeItemSchema,
    summary="Bill for an item no longer; bills that were presented stay",
    refuses=(publicfees.FeeItemNotWaiting, OrganisationRoleMissing),
)  # fmt: skip
def withdraw_fee_item(call: Call, organisation: UUID, fee_item: UUID) -> dict[str, Any]:
    found = own_organisation(call, organisation, MANAGERS)
    with hidden(publicfees.FeeItemUnknown):
        return _item(publicfees.withdraw_fee_item(call.session, found, fee_item, on=call.today), found.handle, found.name)


@operation(
    blueprint, "GET", "/v1/staff/fee-items", "listFeeItemsOfAll", query=FeeItemsAsked, answer=page_of(FeeItemSchema),
    summary="Fee items in the order in which they were applied for",
)  # fmt: skip
def list_fee_items_of_all(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    return _listed(call, query, state=query["state"])


@operation(
    blueprint, "POST", "/v1/staff/fee-items/<uuid:fee_item>/proposal", "proposeFeeItem", body=FeeItemProposed,
    answer=FeeItemSignatureSchema, status=201, summary="Propose to approve a fee item; somebody else decides",
    refuses=(participants.RoleMissing, publicfees.FeeItemNotWaiting, approvals.AskedAlready, privacy.TextRefused),
)  # fmt: skip
def propose_fee_item(call: Call, fee_item: UUID, body: dict[str, Any]) -> dict[str, Any]:
    assert call.caller.staff_id is not None
    by = participants.staff_member(call.session, call.caller.staff_id)
    with hidden(publicfees.FeeItemUnknown):
        found = publicfees.fee_item(call.session, fee_item)
    asked = publicfees.propose_fee_item(call.session, found, reason=body["reason"], by=by, on=call.today)
    return {"countersignature": named(call, "countersignature", asked.id)}


# Bills --------------------------------------------------------------------------------------------


class AddresseeSchema(Strict):
    """At most one of these; a number that nobody registered is taken in silence."""

    person = Handle(load_default=None)
    mobile = Mobile(load_default=None)


class BillPresented(Strict):
    number = Pattern(NUMBER, longest=100, required=True, metadata=_NUMBER)
    fee_item = Pattern(ITEM_CODE, longest=32, required=True, metadata={"description": "The code of an approved fee item of yours."})
    total_fen = Whole(1, required=True)
    payer_reference = Text(100, required=True, metadata={
        "description": "What the payer is called in your books, as it stands on the bill: a contract, a meter. Only its digest is kept.",
    })  # fmt: skip
    due_on = Day(required=True)
    addressee = Part(AddresseeSchema, load_default=None, metadata={"description": "Somebody who finds the bill in the inbox."})


class BillSchema(Strict):
    bill = Handle(required=True)
    department = Handle(required=True)
    department_name = Text(200, required=True)
    number = Pattern(NUMBER, longest=100, required=True)
    fee_item = Pattern(ITEM_CODE, longest=32, required=True)
    title_zh = Text(100, required=True)
    title_en = Text(100, required=True)
    legal_basis = Text(200, required=True)
    total_fen = Whole(1, required=True)
    due_on = Day(required=True)
    presented_on = Day(required=True)
    state = Choice(*BILL_STATES, required=True)
    offset_credits = Whole(1, required=True, allow_none=True, metadata={"description": "Credits that were used on it."})
    offset_fen = Whole(1, required=True, allow_none=True, metadata={"description": "What they paid of it."})
    offset_on = Day(required=True, allow_none=True)
    undone_on = Day(required=True, allow_none=True, metadata={"description": "When they went back, because it was taken back."})
    payable_fen = Whole(0, required=True, metadata={"description": "What is to be paid in money."})


class BillsAsked(Page):
    state = Choice(*BILL_STATES, load_default=None)


class BillTakenBackAsked(Strict):
    because = Choice(*publicfees.CAUSES, required=True, metadata={"description": "Issued wrongly, or paid and given back."})


def bill_told(bill: publicfees.Bill) -> dict[str, Any]:
    used = bill.used
    return {
        "bill": bill.handle, "department": bill.organisation, "department_name": bill.organisation_name, "number": bill.number,
        "fee_item": bill.item_code, "title_zh": bill.item_zh, "title_en": bill.item_en, "legal_basis": bill.legal_basis,
        "total_fen": bill.total_fen, "due_on": bill.due_on, "presented_on": bill.presented_on, "state": bill.state,
        "offset_credits": used.credits if used else None, "offset_fen": used.offset_fen if used else None,
        "offset_on": used.on if used else None, "undone_on": used.undone_on if used else None, "payable_fen": bill.payable_fen,
    }  # fmt: skip


def _addressee(call: Call, said: dict[str, Any] | None) -> Person | None:
    """Whom a bill is addressed to. Whether a mobile number is registered is not told, so an unknown one is nobody."""
    person, mobile = (said or {}).get("person"), (said or {}).get("mobile")
    if person and mobile:
        raise at_most_one("person", "mobile")
    if mobile:
        return participants.person_by_mobile(call.session, call.services.vault, mobile)
    with hidden(participants.PersonUnknown):
        return participants.person_by_handle(call.session, person) if person else None


def _account(found: Organisation) -> int:
    """Raises `publicfees.NotDepartment`, also for a department that has no account yet."""
    if found.kind != "department":
        raise publicfees.NotDepartment(kind=found.kind)
    if found.account_id is None:
        raise participants.OrganisationNotApproved(organisation=found.id, state=found.state)
    return found.account_id


@operation(
    blueprint, "POST", _PATH + "/bills", "presentBill", body=BillPresented, answer=BillSchema, status=201,
    summary="Present a bill; the same number with the same words is the same bill",
    refuses=(
        NotOneOfThese,
        publicfees.NotDepartment, publicfees.BillInvalid, publicfees.BillNumberReused, publicfees.FeeItemUnknown,
        publicfees.FeeItemNotApproved, publicfees.BillOffsetBefore, participants.OrganisationNotApproved, privacy.TextRefused,
        privacy.MobileInvalid,
    ),
)  # fmt: skip
def present_bill(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation)
    addressee = _addressee(call, body.pop("addressee"))
    presented = publicfees.present_bill(call.session, call.services.vault, found, on=call.today, addressee=addressee, **body)
    return bill_told(presented.bill)


@operation(
    blueprint, "GET", _PATH + "/bills", "listBills", query=BillsAsked, answer=page_of(BillSchema),
    summary="The bills that your department presented, newest first",
    refuses=(publicfees.NotDepartment, participants.OrganisationNotApproved),
)  # fmt: skip
def list_bills(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    account = _account(own_organisation(call, organisation))
    bills = publicfees.bills_of(
        call.session, account, state=query["state"], before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1
    )
    return paged(call, bills, query["limit"], bill_told)


@operation(
    blueprint, "GET", _PATH + "/bills/<uuid:bill>", "readBill", answer=BillSchema, summary="A bill that your department presented",
    refuses=(publicfees.NotDepartment, participants.OrganisationNotApproved),
)  # fmt: skip
def read_bill(call: Call, organisation: UUID, bill: UUID) -> dict[str, Any]:
    account = _account(own_organisation(call, organisation))
    with hidden(publicfees.BillUnknown):
        return bill_told(publicfees.bill_by_handle(call.session, bill, department=account))


@operation(
    blueprint, "POST", _PATH + "/bills/<uuid:bill>/withdrawal", "takeBackBill", body=BillTakenBackAsked, answer=BillSchema,
    summary="Take a bill back; credits that were used on it go back to whoever used them",
    description="Not after the year-end purchase paid for them: then they are cancelled, and you give the fen back in money.",
    refuses=(
        publicfees.NotDepartment, publicfees.BillTakenBack, publicfees.OffsetPurchased, publicfees.OffsetUndoneBefore,
        OrganisationRoleMissing,
    ),
)  # fmt: skip
def take_back_bill(call: Call, organisation: UUID, bill: UUID, body: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation, MANAGERS)
    with hidden(publicfees.BillUnknown):
        return bill_told(publicfees.take_back_bill(call.session, found, bill, because=body["because"], on=call.today))


class SumSchema(Strict):
    bills = Whole(0, required=True)
    credits = Whole(0, required=True)
    fen = Whole(0, required=True, metadata={"description": "What they were worth at par on their days."})


class PositionAsked(Strict):
    year = Whole(2018, 2099, load_default=None, metadata={"description": "Without it, this year."})


class PositionSchema(Strict):
    department = Handle(required=True)
    year = Whole(2018, 2099, required=True)
    offsets = Part(SumSchema, required=True, metadata={"description": "All of the year: those undone, bought and owed."})
    undone = Part(SumSchema, required=True)
    purchased = Part(SumSchema, required=True, metadata={"description": "What the reward fund paid for."})
    owed = Part(SumSchema, required=True, metadata={"description": "What it will pay for at the close."})


@operation(
    blueprint, "GET", _PATH + "/position", "readFeePosition", query=PositionAsked, answer=PositionSchema,
    summary="Where your department stands for a year: offset, undone, bought, owed, in credits and fen",
    refuses=(publicfees.NotDepartment, participants.OrganisationNotApproved),
)  # fmt: skip
def read_fee_position(call: Call, organisation: UUID, query: dict[str, Any]) -> dict[str, Any]:
    found = own_organisation(call, organisation)
    position = publicfees.position(call.session, _account(found), year=query["year"] or call.today.year)
    parts = {name: vars(getattr(position, name)) for name in ("offsets", "undone", "purchased", "owed")}
    return {"department": found.handle, "year": position.year, **parts}
