"""A resident's bills: looked up or addressed, and paid in credits up to a tenth (Article 19)."""

from typing import Any
from uuid import UUID

from carbonhui import ledger, participants, policy, privacy, publicfees
from carbonhui.api.fields import Handle, Page, Part, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, Refused, operation
from carbonhui.api.routes.acting import ForWard, acted_for, hidden, paged
from carbonhui.api.routes.fees import NUMBER, BillSchema, bill_told
from carbonhui.api.routes.paying import PAYER, HolderSchema, payer_of
from carbonhui.api.routes.refusals import OrganisationRoleMissing

blueprint = Blueprint("bills", __name__, description="Paying part of a public bill in credits.")

_PAYERS = (participants.NotGuardian, participants.OrganisationNotApproved, OrganisationRoleMissing, ledger.KindDiffers)


class BillLookedUp(Strict):
    department = Handle(required=True)
    number = Pattern(NUMBER, longest=100, required=True)
    payer_reference = Text(100, required=True, metadata={"description": "As it stands on the bill."})
    payer = Part(HolderSchema, load_default=None, metadata=PAYER)


class BillsOfPayer(Page):
    ward = ForWard._declared_fields["ward"]


class OffsetAsked(Strict):
    credits = Whole(1, required=True)
    payer = Part(HolderSchema, load_default=None, metadata=PAYER)


class TermsAsked(Strict):
    payer = Part(HolderSchema, load_default=None, metadata=PAYER)


class TermsSchema(Strict):
    total_fen = Whole(1, required=True)
    cap_percent = Whole(0, 10, required=True)
    cap_fen = Whole(0, required=True, metadata={"description": "The most that credits may pay of the bill."})
    par_fen_per_1000 = Whole(1, required=True, metadata={"description": "What a thousand credits are worth, in fen."})
    most_credits = Whole(0, required=True, metadata={"description": "More than these pay nothing more, whoever has them."})
    available = Whole(0, required=True, metadata={"description": "The payer's credits that are free."})
    useful = Whole(0, required=True, metadata={"description": "The fewest of these that pay as much as they can; 0 when they pay nothing."})
    useful_fen = Whole(0, required=True, metadata={"description": "What the useful ones pay."})


@operation(
    blueprint, "POST", "/v1/me/bill-lookups", "lookUpBill", body=BillLookedUp, answer=BillSchema,
    summary="Find a bill by department, number and payer; it stands in your list from then on",
    description=(
        f"Which of the three words is wrong is not told, and a payer looks up at most {publicfees.TRIES_A_DAY} bills a day."
        " An organisation looks its bills up again by number."
    ),
    refuses=(publicfees.BillUnknown, publicfees.BillTriedTooOften, privacy.TextRefused, *_PAYERS),
)  # fmt: skip
def look_up_bill(call: Call, body: dict[str, Any]) -> dict[str, Any] | Refused:
    payer = payer_of(call, body.pop("payer"))
    found = publicfees.look_up_bill(call.session, call.services.vault, account=payer.account, on=call.today, **body)
    return bill_told(found) if isinstance(found, publicfees.Bill) else Refused(found)


@operation(
    blueprint, "GET", "/v1/me/bills", "listMyBills", query=BillsOfPayer, answer=page_of(BillSchema),
    summary="The bills that were addressed to you or that you looked up, newest first", refuses=(participants.NotGuardian,),
)  # fmt: skip
def list_my_bills(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    account = acted_for(call, query["ward"]).account_id
    bills = publicfees.bills_shown_to(call.session, account, before=call.cursor.read(query["cursor"]), limit=query["limit"] + 1)
    return paged(call, bills, query["limit"], bill_told)


@operation(
    blueprint, "GET", "/v1/me/bills/<uuid:bill>", "readMyBill", query=ForWard, answer=BillSchema,
    summary="A bill of your list", refuses=(participants.NotGuardian,),
)  # fmt: skip
def read_my_bill(call: Call, bill: UUID, query: dict[str, Any]) -> dict[str, Any]:
    account = acted_for(call, query["ward"]).account_id
    with hidden(publicfees.BillUnknown):
        return bill_told(publicfees.bill_shown_to(call.session, account, bill))


_OVER = (publicfees.BillTakenBack, publicfees.BillOffsetBefore, policy.NotInForce)


@operation(
    blueprint, "POST", "/v1/me/bills/<uuid:bill>/terms", "previewOffset", body=TermsAsked, answer=TermsSchema, keyed=False,
    summary="How much of a bill credits may pay today, and how many of the payer's are of use; nothing changes",
    refuses=(*_OVER, *_PAYERS),
)  # fmt: skip
def preview_offset(call: Call, bill: UUID, body: dict[str, Any]) -> dict[str, Any]:
    payer = payer_of(call, body["payer"])
    with hidden(publicfees.BillUnknown):
        return vars(publicfees.offset_terms(call.session, bill, payer=payer.account, on=call.today))


@operation(
    blueprint, "POST", "/v1/me/bills/<uuid:bill>/offset", "offsetBill", body=OffsetAsked, answer=BillSchema, status=201,
    summary="Pay part of a bill in credits at par, at most a tenth, once",
    refuses=(
        publicfees.OffsetAboveCap, publicfees.OffsetWorthNothing, ledger.NotEnough, ledger.AccountClosed, *_OVER, *_PAYERS,
    ),
)  # fmt: skip
def offset_bill(call: Call, bill: UUID, body: dict[str, Any]) -> dict[str, Any]:
    payer = payer_of(call, body["payer"])
    with hidden(publicfees.BillUnknown):
        return bill_told(publicfees.offset_presented_bill(
            call.session, bill, payer=payer.account, credits=body["credits"], business_date=call.today
        ))  # fmt: skip
