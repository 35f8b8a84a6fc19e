"""The dated, approved numbers that the other rooms obey (Articles 9, 14, 15, 19).

A value is proposed with its source, decided by the three bodies, and then comes
into force from its day on. It is never edited, only followed by another; two
values on one day are refused by the database, and so is a value that would change
what people were credited by. Where a city's rule was never decided, what its profile
says from the start holds; where that says nothing, it is refused.
"""

from carbonhui.policy.cities import (
    CHARITY_MAY_REDEEM,
    CHARITY_MAY_RETIRE,
    CHARITY_MAY_SELL,
    CREDIT_LIFE_YEARS,
    CREDITS_DONATABLE,
    CREDITS_REDEEMABLE,
    CREDITS_TRADABLE,
    CREDITS_TRANSFERABLE,
    GIFT_WAITS_DAYS,
    GIFTS_WAITING_MAX,
    PAYMENT_CREDITS_MAX,
    PERSON_HOLDING_MAX,
    POOL_USE_DAYS,
    REFUND_DAYS,
    RULES,
    City,
    Founding,
    called,
    city_profile,
    refusal_told,
)
from carbonhui.policy.city_rules import Rule, city_of, require, rule_on, rules
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
    NotPermitted,
    PolicyUnknown,
    RuleNotFound,
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
    "CHARITY_MAY_REDEEM",
    "CHARITY_MAY_RETIRE",
    "CHARITY_MAY_SELL",
    "CREDITS_DONATABLE",
    "CREDITS_REDEEMABLE",
    "CREDITS_TRADABLE",
    "CREDITS_TRANSFERABLE",
    "CREDIT_LIFE_YEARS",
    "EXCHANGE_RATIO",
    "GIFTS_WAITING_MAX",
    "GIFT_WAITS_DAYS",
    "OFFSET_CAP",
    "ONE_ACT_TOLERANCE",
    "PAR",
    "PAYMENT_CREDITS_MAX",
    "PERSON_HOLDING_MAX",
    "POOL_USE_DAYS",
    "REFUND_DAYS",
    "RULES",
    "City",
    "DemonstrationOnly",
    "Founding",
    "NotApproved",
    "NotInForce",
    "NotPermitted",
    "PolicyUnknown",
    "Rule",
    "RuleNotFound",
    "TextMissing",
    "Value",
    "ValueOfThePast",
    "ValueOutOfRange",
    "ValuesOverlap",
    "Version",
    "called",
    "city_of",
    "city_profile",
    "come_into_force",
    "methodology_name",
    "number_on",
    "numbers_on",
    "plausible_name",
    "propose_fingerprint",
    "propose_number",
    "refusal_told",
    "require",
    "rule_on",
    "rules",
    "values",
    "versions_in_force",
    "versions_kept",
]
