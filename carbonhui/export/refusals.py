"""What the export room refuses."""

from carbonhui.core.refusals import Refusal


class CreditNotYours(Refusal):
    """Whoever holds or held a credit may read its history; nobody else learns whether it exists."""

    code = "credit_not_yours"
    sentence = "You neither hold nor held a credit with this code."
    sentence_zh = "您未持有也未曾持有该编码的碳惠。"


class ExportTooLarge(Refusal):
    """A copy that fits no answer is written to a file by the platform's office."""

    code = "export_too_large"
    sentence = "The copy of your data is larger than {most} bytes; the platform's office writes it to a file for you."
    sentence_zh = "您的数据副本超过 {most} 字节;请由平台办公室为您导出文件。"


class StatementDaysInvalid(Refusal):
    """A statement begins before it ends, and covers a year at most."""

    code = "statement_days_invalid"
    sentence = "A statement from {first} to {last} is not made; it begins no later than it ends and has at most {most} days."
    sentence_zh = "无法出具 {first} 至 {last} 的对账单;起始日不得晚于截止日,且最多 {most} 天。"


class StatementTooLong(Refusal):
    """More movements than a document holds are asked for in parts."""

    code = "statement_too_long"
    sentence = "These days have more than {most} movements; ask for fewer days."
    sentence_zh = "该期间的变动超过 {most} 笔;请缩短期间。"
