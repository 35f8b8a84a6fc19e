"""What pools refuse."""

from carbonhui.core.refusals import Refusal


class PoolUnknown(Refusal):
    """No pool has this number or handle."""

    code = "pool_unknown"
    sentence = "There is no such pool."
    sentence_zh = "没有该汇集活动。"


class PoolDaysWrong(Refusal):
    """A deadline is today at the earliest and a year ahead at most."""

    code = "pool_days_wrong"
    sentence = "A pool that is opened on {opened_on} ends between that day and {latest}, not on {deadline}."
    sentence_zh = "于 {opened_on} 发起的汇集活动须在当日至 {latest} 之间截止,不能为 {deadline}。"


class PoolTargetWrong(Refusal):
    """A pool for a donation or a purchase names the charity or merchant; one that neutralises names nobody."""

    code = "pool_target_wrong"
    sentence = "A pool for {purpose} is meant for {wanted}, and says so when it is opened."
    sentence_zh = "用途为{purpose_zh}的汇集活动,发起时写明的对象应为{wanted_zh}。"


class PoolsTooMany(Refusal):
    """Nobody asks for credits in too many places at once."""

    code = "pools_too_many"
    sentence = "You have {most} open pools, and nobody has more at one time."
    sentence_zh = "您已有 {most} 个进行中的汇集活动,不能同时发起更多。"


class PoolNotOpen(Refusal):
    """Only an open pool takes credits."""

    code = "pool_not_open"
    sentence = "This pool is {state} and takes no credits."
    sentence_zh = "该汇集活动的状态为{state_zh},不再接受投入。"


class PoolOver(Refusal):
    """Nothing is put in after the deadline."""

    code = "pool_over"
    sentence = "This pool took credits until {deadline}."
    sentence_zh = "该汇集活动已于 {deadline} 截止。"


class PoolTakesLess(Refusal):
    """A pool takes what is missing and no more."""

    code = "pool_takes_less"
    sentence = "{asked} credits were offered; {missing} are missing to the goal, and a pool takes no more."
    sentence_zh = "投入 {asked} 碳惠;距目标仅差 {missing},不能超出。"


class ContributorNotTaken(Refusal):
    """What merchants and departments received goes to the cancellation pool or to charity (Articles 19-21)."""

    code = "contributor_not_taken"
    sentence = "An account of the kind {kind} puts nothing into a pool for {purpose}."
    sentence_zh = "{kind_zh}类账户不能向用途为{purpose_zh}的汇集活动投入。"


class PoolNotUsable(Refusal):
    """A pool is used once its goal is reached, and in time."""

    code = "pool_not_usable"
    sentence = "This pool is {state}; a pool is used once it reached its goal and until {use_until}."
    sentence_zh = "该汇集活动的状态为{state_zh};仅在达到目标后、{use_until} 之前可以使用。"


class PoolPurposeDiffers(Refusal):
    """Credits were put in for one purpose and are used for no other."""

    code = "pool_purpose_differs"
    sentence = "This pool is for {purpose} and is used for nothing else."
    sentence_zh = "该汇集活动的用途为{purpose_zh},不得用于其他用途。"


class PoolTargetDiffers(Refusal):
    """Credits were put in for one charity or merchant and go to no other."""

    code = "pool_target_differs"
    sentence = "This pool is meant for another {wanted}."
    sentence_zh = "该汇集活动的对象是另一{wanted_zh}。"


class PoolAlreadyOver(Refusal):
    """What is over is not called off."""

    code = "pool_already_over"
    sentence = "This pool is {state} already."
    sentence_zh = "该汇集活动的状态已为{state_zh}。"
