"""What one member of the staff asked and another answers: grades, fee items, charities' campaigns."""

from typing import Any

from carbonhui.api.fields import Choice, Day, Flag, Handle, Page, Strict, Text
from carbonhui.api.operation import Blueprint

blueprint = Blueprint("countersigning", __name__, description="What two of the staff decide together.")

_COUNTERSIGNATURE = "countersignature"
#: Which room's verb makes an answer take effect: verb(session, number, agreed=, by=, on=).
DECIDED_BY: dict[str, Any] = {}
KINDS = ("donation_campaign", "fee_item", "merchant_grade")


class CountersignaturesAsked(Page):
    kind = Choice(*KINDS, load_default=None)


class CountersignatureSchema(Strict):
    countersignature = Handle(required=True)
    kind = Choice(*KINDS, required=True)
    words = Text(4000, required=True, metadata={"description": "What is to be agreed to, as JSON."})
    reason = Text(500, required=True)
    asked_on = Day(required=True)


class CountersignatureAnswered(Strict):
    agreed = Flag(required=True)


class CountersignatureDone(Strict):
    countersignature = Handle(required=True)
    agreed = Flag(required=True)
    answered_on = Day(required=True)
