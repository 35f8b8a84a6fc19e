"""Who decided what: expert committee, city and province, each on the record (Articles 6, 14, 15).

A matter is proposed once. The three bodies decide one after the other, each
through a person of its own, none of whom proposed it. A matter that one body
refused is over; a new one may be proposed. What the staff decides day by day (a
grade, a fee item, a campaign) is asked by one and answered by another.
"""

from carbonhui.approvals.countersigning import (
    Countersignature,
    answer,
    ask,
    countersignature,
    waiting_countersignatures,
)
from carbonhui.approvals.operations import BODIES, Decision, Matter, decide, matters, propose
from carbonhui.approvals.refusals import (
    AlreadyDecided,
    AskedAlready,
    BodyUnknown,
    CountersignatureUnknown,
    DecisionIncomplete,
    DecisionOutOfOrder,
    MatterUnknown,
    OwnCountersignature,
    OwnMatter,
    TwoBodies,
)

__all__ = [
    "BODIES",
    "AlreadyDecided",
    "AskedAlready",
    "BodyUnknown",
    "Countersignature",
    "CountersignatureUnknown",
    "Decision",
    "DecisionIncomplete",
    "DecisionOutOfOrder",
    "Matter",
    "MatterUnknown",
    "OwnCountersignature",
    "OwnMatter",
    "TwoBodies",
    "answer",
    "ask",
    "countersignature",
    "decide",
    "matters",
    "propose",
    "waiting_countersignatures",
]
