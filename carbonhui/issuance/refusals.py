"""What minting refuses."""

from carbonhui.core.refusals import Refusal


class RatioChanged(Refusal):
    """Each reduction is minted at the ratio in force on its own day, also when that changed a moment ago."""

    code = "ratio_changed"
    sentence = "The exchange ratio of {first} to {last} was changed while it was being minted; start the mint again."
    sentence_zh = "{first} 至 {last} 的兑换比率在发放过程中已变更;请重新启动发放。"


class MintRunning(Refusal):
    """One mint runs at a time."""

    code = "mint_running"
    sentence = "Another mint is running; this one may be started when it is done."
    sentence_zh = "另一次发放正在进行;完成后可再次启动。"
