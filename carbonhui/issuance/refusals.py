"""What minting refuses."""

from carbonhui.core.refusals import Refusal


class MintRunning(Refusal):
    """One mint runs at a time."""

    code = "mint_running"
    sentence = "Another mint is running; this one may be started when it is done."
    sentence_zh = "另一次发放正在进行;完成后可再次启动。"
