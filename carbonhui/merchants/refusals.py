"""What a merchant's books refuse."""

from carbonhui.core.refusals import Refusal


class NothingToSettle(Refusal):
    """Settlement moves what a merchant has received."""

    code = "nothing_to_settle"
    sentence = "Merchant {merchant} holds no credits that are free to settle."
    sentence_zh = "商户 {merchant} 没有可结算的碳惠。"
