"""What the record of decisions refuses."""

from carbonhui.core.refusals import Refusal


class MatterUnknown(Refusal):
    """No matter has this number."""

    code = "matter_unknown"
    sentence = "There is no matter {matter}."
    sentence_zh = "没有事项 {matter}。"


class OwnMatter(Refusal):
    """Nobody approves what they proposed."""

    code = "own_matter"
    sentence = "{person} proposed matter {matter} and cannot decide it."
    sentence_zh = "{person} 是事项 {matter} 的提出人,不能对其作出决定。"


class TwoBodies(Refusal):
    """The three bodies decide through three persons."""

    code = "two_bodies"
    sentence = "{person} has already decided matter {matter} for another body."
    sentence_zh = "{person} 已代表另一机构对事项 {matter} 作出决定。"


class AlreadyDecided(Refusal):
    """A body decides a matter once."""

    code = "already_decided"
    sentence = "The {body} has already decided matter {matter}; a new matter may be proposed."
    sentence_zh = "{body} 已对事项 {matter} 作出决定;可提出新的事项。"


class DecisionOutOfOrder(Refusal):
    """Expert committee, then city, then province; a refusal by one ends the matter (Article 14)."""

    code = "decision_out_of_order"
    sentence = (
        "The {body} cannot decide matter {matter} now: expert committee, city and province decide in this order, "
        "and a refusal ends the matter."
    )
    sentence_zh = "{body} 目前不能对事项 {matter} 作出决定:须依次经专家委员会、市、省决定,任一否决即终止。"


class DecisionIncomplete(Refusal):
    """A decision names who decided and the document that says so; a matter names its proposer."""

    code = "decision_incomplete"
    sentence = "The {field} is missing; a matter names its proposer, and a decision who decided it in which document."
    sentence_zh = "缺少 {field};事项须注明提出人,决定须注明决定人和文号。"


class BodyUnknown(Refusal):
    """Three bodies decide."""

    code = "body_unknown"
    sentence = "{body} is not a deciding body; they are expert_committee, city and province."
    sentence_zh = "{body} 不是决定机构;决定机构为 expert_committee、city、province。"


class CountersignatureUnknown(Refusal):
    """Nothing waits for a second signature under this number."""

    code = "countersignature_unknown"
    sentence = "Nothing waits for a second signature under number {number}."
    sentence_zh = "编号 {number} 没有待会签的事项。"


class OwnCountersignature(Refusal):
    """Two of the staff sign, not one twice."""

    code = "own_countersignature"
    sentence = "You asked for countersignature {number} yourself; another member of the staff has to answer it."
    sentence_zh = "会签事项 {number} 由您本人提出,须由另一名工作人员答复。"


class AskedAlready(Refusal):
    """One question at a time about one thing."""

    code = "asked_already"
    sentence = "This already waits for a second signature ({kind})."
    sentence_zh = "该事项({kind_zh})已在等待会签。"
