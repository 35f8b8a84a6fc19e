"""What a merchant's books refuse."""

from carbonhui.core.refusals import Refusal


class NothingToSettle(Refusal):
    """Settlement moves what a merchant has received."""

    code = "nothing_to_settle"
    sentence = "Merchant {merchant} holds no credits that are free to settle."
    sentence_zh = "商户 {merchant} 没有可结算的碳惠。"


class SettlementUnknown(Refusal):
    """A settlement is asked for by the handle that the list of settlements tells."""

    code = "settlement_unknown"
    sentence = "There is no such settlement."
    sentence_zh = "没有该笔结算。"


class SettlementDaysInvalid(Refusal):
    """A statement of settlements is of some days in a row."""

    code = "settlement_days_invalid"
    sentence = "Ask for the days from an earlier one to a later one, at most {most} of them, from 2018 on; not from {first} to {last}."
    sentence_zh = "请选择自 2018 年起、先后有序且不超过 {most} 天的日期;{first} 至 {last} 不可用。"


class SettlementStatementTooLarge(Refusal):
    """A statement as a file has a largest size."""

    code = "settlement_statement_too_large"
    sentence = "This statement has more than {most} {unit}; ask for fewer days, or for the CSV of one settlement."
    sentence_zh = "该对账单超过 {most} {unit};请缩短日期范围,或下载单笔结算的 CSV。"
