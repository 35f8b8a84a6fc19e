"""Merchants as everybody sees them: name, grade, alliance; and how a grade is proposed (Article 20)."""

from typing import Any
from uuid import UUID

from carbonhui import approvals, merchants, participants, privacy
from carbonhui.api.fields import Choice, Day, Flag, Handle, Many, Part, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import hidden, whole_list
from carbonhui.api.routes.countersigning import CountersignatureSchema
from carbonhui.api.routes.countersigning import told_of as countersignature_told
from carbonhui.api.routes.organisations import MANAGERS, own_organisation
from carbonhui.api.routes.refusals import OrganisationRoleMissing

blueprint = Blueprint("merchants", __name__, description="Merchants as everybody sees them, and their grades.")

GRADES = ("A", "B", "C", "D")
GRADE = {"description": "How low-carbon two of the staff found the merchant, A the most; null before the first evaluation."}


class MerchantSchema(Strict):
    merchant = Handle(required=True)
    name = Text(200, required=True)
    grade = Choice(*GRADES, required=True, allow_none=True, metadata=GRADE)
    in_alliance = Flag(required=True, metadata={"description": "Whether it is in the low-carbon business alliance."})


class ScoreSchema(Strict):
    criterion = Text(60, required=True)
    points = Whole(0, 1000, required=True)
    most = Whole(1, 1000, required=True, metadata={"description": "The most points that the criterion is worth."})


class GradeSchema(Strict):
    grade = Choice(*GRADES, required=True)
    from_day = Day(required=True)
    sheet = Many(Part(ScoreSchema), fewest=1, most=20, required=True)
    source = Text(300, required=True, metadata={"description": "The paper that says so."})


class GradeProposed(GradeSchema):
    reason = Text(500, required=True, metadata={"description": "Why, without anything personal."})


class AllianceChanged(Strict):
    member = Flag(required=True, metadata={"description": "true to join, false to leave."})


def merchant_told(merchant: merchants.Merchant) -> dict[str, Any]:
    return {
        "merchant": merchant.handle, "name": merchant.name, "grade": merchant.grade, "in_alliance": merchant.in_alliance,
    }  # fmt: skip


@operation(
    blueprint, "GET", "/v1/merchants/<uuid:organisation>", "readMerchant", answer=MerchantSchema,
    summary="A merchant that takes credits; one that is not approved is not found",
)  # fmt: skip
def read_merchant(call: Call, organisation: UUID) -> dict[str, Any]:
    with hidden(merchants.MerchantUnknown):
        return merchant_told(merchants.merchant_seen(call.session, organisation, on=call.today))


@operation(
    blueprint, "GET", "/v1/merchants/<uuid:organisation>/grades", "listGrades", answer=page_of(GradeSchema),
    summary="Every grade of a merchant with its score sheet and source, the newest first",
)  # fmt: skip
def list_grades(call: Call, organisation: UUID) -> dict[str, Any]:
    with hidden(merchants.MerchantUnknown):
        seen = merchants.merchant_seen(call.session, organisation, on=call.today)
    found = participants.organisation_by_handle(call.session, seen.handle)
    return whole_list([
        {"grade": one.grade, "from_day": one.from_day, "source": one.source, "sheet": [vars(score) for score in one.sheet]}
        for one in merchants.grades_of(call.session, found)
    ])  # fmt: skip


@operation(
    blueprint, "PUT", "/v1/merchants/<uuid:organisation>/alliance", "changeAlliance", body=AllianceChanged, status=204,
    summary="Join the low-carbon business alliance, or leave it",
    refuses=(
        merchants.NotAMerchant, merchants.AllianceUnchanged, participants.OrganisationNotApproved, OrganisationRoleMissing,
    ),
)  # fmt: skip
def change_alliance(call: Call, organisation: UUID, body: dict[str, Any]) -> None:
    found = own_organisation(call, organisation, MANAGERS)
    change = merchants.join_alliance if body["member"] else merchants.leave_alliance
    change(call.session, found, on=call.today)


@operation(
    blueprint, "POST", "/v1/staff/merchants/<uuid:organisation>/grades", "proposeGrade", body=GradeProposed,
    answer=CountersignatureSchema, status=201, summary="Propose a merchant's grade; another of the staff answers",
    description="Once agreed it is in force from its day on, and never from before the answer.",
    refuses=(
        merchants.NotAMerchant, merchants.GradeSheetInvalid, approvals.AskedAlready, participants.OrganisationNotApproved,
        participants.RoleMissing, privacy.TextRefused,
    ),
)  # fmt: skip
def propose_grade(call: Call, organisation: UUID, body: dict[str, Any]) -> dict[str, Any]:
    assert call.caller.staff_id is not None
    with hidden(participants.OrganisationUnknown):
        found = participants.organisation_by_handle(call.session, organisation)
    asked = merchants.propose_grade(
        call.session, found, **{**body, "sheet": [merchants.Score(**one) for one in body["sheet"]]},
        by=participants.staff_member(call.session, call.caller.staff_id), on=call.today,
    )  # fmt: skip
    return countersignature_told(call, asked)
