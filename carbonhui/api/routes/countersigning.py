"""What one member of the staff asked and another answers: grades, fee items, charities' campaigns."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from carbonhui import approvals, donation, merchants, participants, publicfees
from carbonhui.api.fields import Choice, Day, Flag, Handle, Page, Strict, Text, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, named, numbered, paged

blueprint = Blueprint("countersigning", __name__, description="What two of the staff decide together.")

_COUNTERSIGNATURE = "countersignature"
#: Which room's verb makes an answer take effect: verb(session, number, agreed=, by=, on=).
DECIDED_BY: dict[str, Callable[..., Any]] = {
    "donation_campaign": donation.decide_campaign,
    "fee_item": publicfees.decide_fee_item,
    "merchant_grade": merchants.decide_grade,
}
KINDS = tuple(DECIDED_BY)


class CountersignaturesAsked(Page):
    kind = Choice(*KINDS, load_default=None)


class CountersignatureSchema(Strict):
    countersignature = Handle(required=True)
    kind = Choice(*KINDS, required=True)
    words = Text(20_000, required=True, metadata={"description": "What is to be agreed to, as JSON."})
    reason = Text(500, required=True)
    asked_on = Day(required=True)


class CountersignatureAnswered(Strict):
    agreed = Flag(required=True)


class CountersignatureDone(Strict):
    countersignature = Handle(required=True)
    agreed = Flag(required=True)
    answered_on = Day(required=True)


def told_of(call: Call, asked: approvals.Countersignature) -> dict[str, Any]:
    """What waits, as the staff reads it; who asked is on the record and not told here."""
    return {
        "countersignature": named(call, _COUNTERSIGNATURE, asked.id), "kind": asked.kind,
        "words": json.dumps(asked.words, ensure_ascii=False, sort_keys=True), "reason": asked.reason, "asked_on": asked.asked_on,
    }  # fmt: skip


@operation(
    blueprint, "GET", "/v1/staff/countersignatures", "listCountersignatures", query=CountersignaturesAsked,
    answer=page_of(CountersignatureSchema), summary="What waits for a second signature, oldest first",
)  # fmt: skip
def list_countersignatures(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    asked = approvals.waiting_countersignatures(
        call.session, kind=query["kind"], after=call.cursor.read(query["cursor"]) or 0, limit=query["limit"] + 1
    )
    return paged(call, asked, query["limit"], lambda one: told_of(call, one))


@operation(
    blueprint, "POST", "/v1/staff/countersignatures/<uuid:countersignature>/answer", "answerCountersignature",
    body=CountersignatureAnswered, answer=CountersignatureDone,
    summary="Agree or not to what another member of the staff asked; what is agreed takes effect at once",
    refuses=(
        participants.RoleMissing, approvals.OwnCountersignature, participants.OrganisationNotApproved, publicfees.FeeItemNotWaiting,
    ),
)  # fmt: skip
def answer_countersignature(call: Call, countersignature: UUID, body: dict[str, Any]) -> dict[str, Any]:
    number = numbered(call, _COUNTERSIGNATURE, countersignature)
    assert call.caller.staff_id is not None
    by = participants.staff_member(call.session, call.caller.staff_id)
    with hidden(approvals.CountersignatureUnknown):
        kind = approvals.countersignature(call.session, number).kind
        DECIDED_BY[kind](call.session, number, agreed=body["agreed"], by=by, on=call.today)
        answered = approvals.countersignature(call.session, number)
    return {"countersignature": countersignature, "agreed": answered.agreed, "answered_on": answered.answered_on}
