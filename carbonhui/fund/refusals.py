"""What the fund refuses."""

from carbonhui.core.refusals import Refusal


class NothingOwed(Refusal):
    """A purchase pays for offsets that no purchase has paid yet."""

    code = "nothing_owed"
    sentence = "Nothing is owed to department {department} for offsets through {through}."
    sentence_zh = "截至 {through},部门 {department} 没有待结算的抵用碳惠。"
