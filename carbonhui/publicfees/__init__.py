"""Paying part of a public-service bill in credits (Article 19).

A resident may offset up to a tenth of a bill. The department keeps the credits
until the year-end close, when the reward fund buys them back at par and they go
to the cancellation pool.
"""

from carbonhui.publicfees.checks import CHECKS
from carbonhui.publicfees.operations import Owed, mark_purchased, offset_bill, owed
from carbonhui.publicfees.refusals import BillInvalid, BillOffsetBefore, OffsetAboveCap, OffsetWorthNothing
from carbonhui.publicfees.rules import offset_cap, worth

__all__ = [
    "CHECKS",
    "BillInvalid",
    "BillOffsetBefore",
    "OffsetAboveCap",
    "OffsetWorthNothing",
    "Owed",
    "mark_purchased",
    "offset_bill",
    "offset_cap",
    "owed",
    "worth",
]
