"""What the quantification room refuses: then nothing more is measured, and the activity stays open."""

from carbonhui.core.refusals import Refusal


class MethodologyNotInstalled(Refusal):
    """A source names the methodologies that measure it; their folders must be there."""

    code = "methodology_not_installed"
    sentence = "Activity is waiting to be measured by the methodology {methodology}, which is not installed."
    sentence_zh = "有活动待由方法学 {methodology} 计量,但该方法学未安装。"


class MethodologyNotApproved(Refusal):
    """Only versions that committee, city and province approved may measure (Articles 14-15)."""

    code = "methodology_not_approved"
    sentence = "No version of the methodology {methodology} is approved, so nothing can be measured by it."
    sentence_zh = "方法学 {methodology} 没有任何获批版本,不能用于计量。"


class MethodologyChanged(Refusal):
    """The folder that measures is, byte for byte, the one that was approved."""

    code = "methodology_changed"
    sentence = (
        "The methodology {methodology} approved from {start} has the fingerprint {approved}; "
        "what is installed has {installed}. Files that differ: {files}. "
        "Put the approved folder back, or have the new one approved."
    )
    sentence_zh = (
        "方法学 {methodology} 自 {start} 起获批版本的指纹为 {approved},已安装版本的指纹为 {installed}。有差异的文件:{files}。"
        "请恢复获批的文件夹,或将新版本提交审批。"
    )


class MethodologyUnsupported(Refusal):
    """What a methodology asks of the house, the house must be able to do."""

    code = "methodology_unsupported"
    sentence = "The methodology {methodology} asks for {what}, which this release cannot apply to {kind} activity."
    sentence_zh = "方法学 {methodology} 要求 {what},本版本无法用于 {kind} 类活动。"


class QuantificationBusy(Refusal):
    """Activity is measured by one process at a time."""

    code = "quantification_busy"
    sentence = "Activity is being measured already; try again when that is done."
    sentence_zh = "计量正在进行中;请在完成后重试。"


class EngineUnknown(Refusal):
    """What measures is one of the engines that are known."""

    code = "engine_unknown"
    sentence = "There is no engine {engine}; there are {known}."
    sentence_zh = "没有名为 {engine} 的计算引擎;可选:{known}。"


class EngineMissing(Refusal):
    """An engine needs what it runs on."""

    code = "engine_missing"
    sentence = "The engine {engine} cannot run here: {reason}"
    sentence_zh = "计算引擎 {engine} 无法在此运行:{reason}"


class MethodologyRevised(Refusal):
    """Nothing is measured by a version that another one replaces at that moment (Article 15)."""

    code = "methodology_revised"
    sentence = "A version of {methodologies} came into force while activity was being measured; start again."
    sentence_zh = "计量进行中,{methodologies} 有新版本生效;请重新开始。"


class ReductionUnknown(Refusal):
    """A person sees their own reductions and no one else's."""

    code = "reduction_unknown"
    sentence = "There is no reduction {reduction} of this account."
    sentence_zh = "该账户没有减碳量记录 {reduction}。"


class ReductionTextMissing(Refusal):
    """A reduction is explained by the approved text and by no other."""

    code = "reduction_text_missing"
    sentence = "The approved text of {methodology} with the fingerprint {fingerprint} is not in the archive, so nothing can be explained by it."
    sentence_zh = "方法学 {methodology}(指纹 {fingerprint})的获批文本未存档,无法据以说明。"
