"""What donating refuses."""

from carbonhui.core.refusals import Refusal


class DonorNotTaken(Refusal):
    """Persons, merchants, departments and other organisations give to charities, alone or in a pool (Article 21)."""

    code = "donor_not_taken"
    sentence = "An account of the kind {kind} donates nothing."
    sentence_zh = "{kind_zh}类账户不能捐赠。"


class CampaignUnknown(Refusal):
    """This charity has no such campaign."""

    code = "campaign_unknown"
    sentence = "There is no such campaign of this charity."
    sentence_zh = "该公益单位没有此公益活动。"


class CampaignNotOpen(Refusal):
    """A campaign takes gifts once it is approved, on its days, until the charity ends it."""

    code = "campaign_not_open"
    sentence = "The campaign is {state}; approved, it takes gifts from {first_day} to {last_day}."
    sentence_zh = "该公益活动的状态为{state_zh};经批准后于 {first_day} 至 {last_day} 接受捐赠。"


class CampaignDecided(Refusal):
    """A campaign is asked for while it is proposed, and decided once."""

    code = "campaign_decided"
    sentence = "The campaign is {state} already."
    sentence_zh = "该公益活动的状态已为{state_zh}。"


class CampaignDaysWrong(Refusal):
    """A campaign's days are ahead and no more than two years."""

    code = "campaign_days_wrong"
    sentence = "A campaign that is proposed on {proposed_on} begins and ends between that day and {latest}."
    sentence_zh = "于 {proposed_on} 提出的公益活动须在当日至 {latest} 之间开始和结束。"


class CampaignReasonMissing(Refusal):
    """Whoever asks for a second signature says why."""

    code = "campaign_reason_missing"
    sentence = "The reason is missing or longer than {longest} characters."
    sentence_zh = "缺少理由,或理由超过 {longest} 个字符。"


class CampaignUsesMore(Refusal):
    """A campaign's report shows no more used than was received, and no more refunded than was redeemed."""

    code = "campaign_uses_more"
    sentence = "{asked} credits are more than the {left} of this campaign that may be recorded so."
    sentence_zh = "{asked} 碳惠超过该公益活动可如此登记的 {left}。"


class UseAlreadyRecorded(Refusal):
    """A movement is a use of one campaign, once."""

    code = "use_already_recorded"
    sentence = "This movement is recorded as a use already."
    sentence_zh = "该笔变动已登记为使用。"


class UseDiffers(Refusal):
    """A use is a movement of the charity's own, and is called what it was."""

    code = "use_differs"
    sentence = "This movement of the charity is not one that can be recorded as {what}."
    sentence_zh = "该公益单位的这笔变动不能登记为 {what}。"
