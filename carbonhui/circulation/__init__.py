"""Giving credits from person to person, asking for them, pooling them, and how long they live (Article 18).

A gift by a mobile number waits until whoever holds the number, or registers it, accepts;
nobody learns from it whether a number is known. What may be given at all, how much a
person may come to hold, and for how many years credits live, the city's policy says.
"""

from carbonhui.circulation.checks import GIFT_CHECKS
from carbonhui.circulation.expiry import Expired, end_waiting, expire_all_credits, expire_credits, lapse_gifts
from carbonhui.circulation.gifts import (
    Gift,
    accept_gift,
    cancel_gift,
    decline_gift,
    gift_of,
    gifts_of,
    give_by_code,
    give_to_mobile,
)
from carbonhui.circulation.operations import give
from carbonhui.circulation.pool_checks import POOL_CHECKS
from carbonhui.circulation.pool_contributions import Contribution, contribute, contributions_of
from carbonhui.circulation.pool_refusals import (
    ContributorNotTaken,
    PoolAlreadyOver,
    PoolDaysWrong,
    PoolNotOpen,
    PoolNotUsable,
    PoolOver,
    PoolPurposeDiffers,
    PoolsTooMany,
    PoolTakesLess,
    PoolTargetDiffers,
    PoolTargetWrong,
    PoolUnknown,
)
from carbonhui.circulation.pool_returns import conclude_pools
from carbonhui.circulation.pool_use import Use, use_pool, used_of, uses_of
from carbonhui.circulation.pools import (
    Pool,
    cancel_pool,
    open_pool,
    pool_by_handle,
    pool_numbered,
    pool_titles,
    pools,
)
from carbonhui.circulation.receive_codes import FORM as RECEIVE_CODE
from carbonhui.circulation.receive_codes import account_behind, receive_code
from carbonhui.circulation.refusals import (
    GiftNotWaiting,
    GiftUnknown,
    ReceiveCodeInvalid,
    ReceiverFull,
    RequestNotWaiting,
    RequestUnknown,
    RequestWaitsAlready,
    TooManyTakenBack,
    TooManyWaiting,
)
from carbonhui.circulation.requests import (
    Request,
    accept_request,
    ask_by_code,
    ask_mobile,
    cancel_request,
    decline_request,
    request_of,
    requests_of,
)
from carbonhui.circulation.rules import GREETINGS, REASONS, STATES
from carbonhui.circulation.waiting import Seen, meet, seen_as

CHECKS = (*GIFT_CHECKS, *POOL_CHECKS)

__all__ = [
    "CHECKS",
    "GREETINGS",
    "POOL_CHECKS",
    "REASONS",
    "RECEIVE_CODE",
    "STATES",
    "Contribution",
    "ContributorNotTaken",
    "Expired",
    "Gift",
    "GiftNotWaiting",
    "GiftUnknown",
    "Pool",
    "PoolAlreadyOver",
    "PoolDaysWrong",
    "PoolNotOpen",
    "PoolNotUsable",
    "PoolOver",
    "PoolPurposeDiffers",
    "PoolTakesLess",
    "PoolTargetDiffers",
    "PoolTargetWrong",
    "PoolUnknown",
    "PoolsTooMany",
    "ReceiveCodeInvalid",
    "ReceiverFull",
    "Request",
    "RequestNotWaiting",
    "RequestUnknown",
    "RequestWaitsAlready",
    "Seen",
    "TooManyTakenBack",
    "TooManyWaiting",
    "Use",
    "accept_gift",
    "accept_request",
    "account_behind",
    "ask_by_code",
    "ask_mobile",
    "cancel_gift",
    "cancel_pool",
    "cancel_request",
    "conclude_pools",
    "contribute",
    "contributions_of",
    "decline_gift",
    "decline_request",
    "end_waiting",
    "expire_all_credits",
    "expire_credits",
    "gift_of",
    "gifts_of",
    "give",
    "give_by_code",
    "give_to_mobile",
    "lapse_gifts",
    "meet",
    "open_pool",
    "pool_by_handle",
    "pool_numbered",
    "pool_titles",
    "pools",
    "receive_code",
    "request_of",
    "requests_of",
    "seen_as",
    "use_pool",
    "used_of",
    "uses_of",
]
