"""The dated, approved numbers that the other rooms obey (Articles 9, 14, 15, 19).

A value is proposed with its source, decided by the three bodies, and then comes
into force from its day on. It is never edited, only followed by another; two
values on one day are refused by the database, and so is a value that would change
what people were credited by.
"""

from carbonhui.policy.operations import (
    Value,
    Version,
    come_into_force,
    methodology_name,
    number_on,
    numbers_on,
    plausible_name,
    propose_fingerprint,
    propose_number,
    values,
    versions_in_force,
    versions_kept,
)
from carbonhui.policy.refusals import (
    DemonstrationOnly,
    NotApproved,
    NotInForce,
    PolicyUnknown,
    TextMissing,
    ValueOfThePast,
    ValueOutOfRange,
    ValuesOverlap,
)

#: The names of the numbers that the regulation asks for.
EXCHANGE_RATIO = "exchange_ratio_mg_per_credit"
PAR = "par_fen_per_1000_credits"
OFFSET_CAP = "offset_cap_percent"
#: Two reports of one mode by two sources within this many seconds are one act.
ONE_ACT_TOLERANCE = "one_act_tolerance_s"

__all__ = [
    "EXCHANGE_RATIO",
    "OFFSET_CAP",
    "ONE_ACT_TOLERANCE",
    "PAR",
    "DemonstrationOnly",
    "NotApproved",
    "NotInForce",
    "PolicyUnknown",
    "TextMissing",
    "Value",
    "ValueOfThePast",
    "ValueOutOfRange",
    "ValuesOverlap",
    "Version",
    "come_into_force",
    "methodology_name",
    "number_on",
    "numbers_on",
    "plausible_name",
    "propose_fingerprint",
    "propose_number",
    "values",
    "versions_in_force",
    "versions_kept",
]
