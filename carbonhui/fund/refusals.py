"""What the fund refuses."""

from carbonhui.core.refusals import Refusal


class NothingOwed(Refusal):
    """A purchase pays for offsets that no purchase has paid yet."""

    code = "nothing_owed"
    sentence = "Nothing is owed to department {department} for offsets through {through}."
    sentence_zh = "截至 {through},部门 {department} 没有待结算的抵用碳惠。"


class PurseOfAnother(Refusal):
    """A department is paid into the cash account that its approval tied to it."""

    code = "purse_of_another"
    sentence = "Cash account {cash_account} is not the one of department {department}; a department is paid into its own."
    sentence_zh = "现金账户 {cash_account} 不属于部门 {department};款项只能付至该部门自己的账户。"
