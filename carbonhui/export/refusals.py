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
