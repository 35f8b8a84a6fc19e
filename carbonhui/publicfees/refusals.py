"""What a public bill refuses."""

from carbonhui.core.refusals import Refusal


class OffsetAboveCap(Refusal):
    """At most a tenth of a bill may be paid in credits (Article 19)."""

    code = "offset_above_cap"
    sentence = "{credits} credits are worth {asked_fen} fen; at most {cap_fen} fen of a {bill_fen} fen bill may be paid in credits."
    sentence_zh = "{credits} 碳惠折合 {asked_fen} 分;总价 {bill_fen} 分的账单最多可用碳惠抵用 {cap_fen} 分。"


class OffsetWorthNothing(Refusal):
    """Credits that are worth less than a fen pay nothing."""

    code = "offset_worth_nothing"
    sentence = "{credits} credits are worth less than one fen at par."
    sentence_zh = "{credits} 碳惠按面值不足一分。"


class BillOffsetBefore(Refusal):
    """A bill is offset once."""

    code = "bill_offset_before"
    sentence = "Bill {bill} was already paid in part with {credits} credits; a bill is offset once."
    sentence_zh = "账单 {bill} 已使用 {credits} 碳惠抵用;每张账单只能抵用一次。"


class BillInvalid(Refusal):
    """A bill has a number of 1 to 100 printable ASCII characters."""

    code = "bill_invalid"
    sentence = "{bill} is not a bill's number; it must be 1 to 100 printable ASCII characters without spaces."
    sentence_zh = "{bill} 不是有效的账单编号;须为 1 至 100 个不含空格的可见 ASCII 字符。"
