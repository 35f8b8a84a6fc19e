"""What neutralising refuses."""

from carbonhui.core.refusals import Refusal


class FactorMissing(Refusal):
    """No published factor covers this on this day. None is made up."""

    code = "factor_missing"
    sentence = "No published factor for {factor} is known on {on}; there are factors for: {known}."
    sentence_zh = "{on} 没有 {factor} 的已公布因子;已有因子:{known}。"


class FootprintEmpty(Refusal):
    """Nothing was emitted, so nothing can be neutralised."""

    code = "footprint_empty"
    sentence = "This comes to no emission at all; there is nothing to neutralise."
    sentence_zh = "计算结果没有排放,无需中和。"


class FootprintTooLarge(Refusal):
    """A footprint is at most 2^53 - 1 milligrams."""

    code = "footprint_too_large"
    sentence = "This comes to more than {largest} mg; split it."
    sentence_zh = "计算结果超过 {largest} 毫克;请分次进行。"


class HeadcountDiffers(Refusal):
    """The journeys of an event are told of everybody who comes, on foot or by plane."""

    code = "headcount_differs"
    sentence = "The journeys are told of {told} people, and {headcount} come; also those who walk are to be told."
    sentence_zh = "行程共计 {told} 人,而到场人数为 {headcount};步行者也须列出。"


class CreditsDoNotCover(Refusal):
    """What is retired covers at least what was emitted."""

    code = "credits_do_not_cover"
    sentence = "The footprint is {footprint_mg} mg, and the {credits} credits of this account avoid {avoided_mg} mg."
    sentence_zh = "足迹为 {footprint_mg} 毫克,而该账户的 {credits} 碳惠对应减碳 {avoided_mg} 毫克。"


class MoreCreditsThanAllowed(Refusal):
    """Who asks may say how many credits they give at most."""

    code = "more_credits_than_allowed"
    sentence = "The footprint needs {credits} credits, and at most {credits_max} may be retired."
    sentence_zh = "中和该足迹需要 {credits} 碳惠,而您最多允许注销 {credits_max}。"


class ReceivedCreditsNotRetired(Refusal):
    """What merchants and departments received goes to the cancellation pool (Articles 19, 20)."""

    code = "received_credits_not_retired"
    sentence = "What a {kind} received for its goods or services goes to the cancellation pool and neutralises nothing of its own."
    sentence_zh = "{kind_zh}因商品或服务收入的碳惠进入碳注销池,不能用于自身碳中和。"


class CertificateUnknown(Refusal):
    """There is no certificate of this number, or a digit was mistyped."""

    code = "certificate_unknown"
    sentence = "There is no certificate {number}."
    sentence_zh = "没有编号为 {number} 的证书。"
