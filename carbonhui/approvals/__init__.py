"""Who decided what: expert committee, city and province, each on the record (Articles 6, 14, 15).

A matter is proposed once. The three bodies decide one after the other, each
through a person of its own, none of whom proposed it. A matter that one body
refused is over; a new one may be proposed.
"""

from carbonhui.approvals.operations import BODIES, Decision, Matter, decide, matters, propose
from carbonhui.approvals.refusals import (
    AlreadyDecided,
    BodyUnknown,
    DecisionIncomplete,
    DecisionOutOfOrder,
    MatterUnknown,
    OwnMatter,
    TwoBodies,
)

__all__ = [
    "BODIES",
    "AlreadyDecided",
    "BodyUnknown",
    "Decision",
    "DecisionIncomplete",
    "DecisionOutOfOrder",
    "Matter",
    "MatterUnknown",
    "OwnMatter",
    "TwoBodies",
    "decide",
    "matters",
    "propose",
]
