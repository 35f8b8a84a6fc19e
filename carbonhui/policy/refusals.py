"""What the dated values refuse."""

from carbonhui.core.refusals import Refusal


class PolicyUnknown(Refusal):
    """Only the numbers that the regulation asks for are governed here."""

    code = "policy_unknown"
    sentence = "There is no governed value named {name}."
    sentence_zh = "没有名为 {name} 的受管理数值。"


class ValueOutOfRange(Refusal):
    """Each number has bounds that no decision can pass."""

    code = "value_out_of_range"
    sentence = "{name} was proposed as {number}; it is at least {lowest} and at most {highest}."
    sentence_zh = "{name} 的提议值为 {number};至少 {lowest},至多 {highest}。"


class NotApproved(Refusal):
    """Nothing comes into force before all three bodies approved it."""

    code = "not_approved"
    sentence = "Matter {matter} is not approved by expert committee, city and province; nothing comes into force."
    sentence_zh = "事项 {matter} 尚未经专家委员会、市、省全部批准,不能生效。"


class DemonstrationOnly(Refusal):
    """What rests on no approved source may be shown, and never mints real credits."""

    code = "demonstration_only"
    sentence = "Matter {matter} is for demonstration only; it cannot come into force in the profile {profile}."
    sentence_zh = "事项 {matter} 仅供演示,不能在配置 {profile} 中生效。"


class ValuesOverlap(Refusal):
    """On each day one value is in force."""

    code = "values_overlap"
    sentence = "{name} already has a value from {day} on or later; two values cannot be in force on one day."
    sentence_zh = "{name} 在 {day} 或之后已有生效值;同一天不能有两个值。"


class ValueOfThePast(Refusal):
    """What people were credited by stays what it was (Article 15)."""

    code = "value_of_the_past"
    sentence = "People were credited on {day} or later by the value in force; another can follow only from a later day on."
    sentence_zh = "{day} 或之后已按现行数值计算;新的数值只能自更晚的日期起生效。"


class TextMissing(Refusal):
    """A proposal names its source and its proposer."""

    code = "text_missing"
    sentence = "The {field} is missing; a value is proposed with its source and its proposer."
    sentence_zh = "缺少 {field};提议须注明来源与提出人。"


class NotInForce(Refusal):
    """No value is in force on this day."""

    code = "not_in_force"
    sentence = "No value of {name} is in force on {day}."
    sentence_zh = "{name} 在 {day} 没有生效的数值。"


class RuleNotFound(Refusal):
    """No source gives the city's rule for this day, and the three bodies have not decided it. It is never made up."""

    code = "rule_not_found"
    sentence = "{city} has no rule {rule} for {day}; the three bodies can decide one."
    sentence_zh = "{city_zh}在 {day} 没有 {rule} 的规定;可由三方决定。"


class NotPermitted(Refusal):
    """The city's rules do not let people do this."""

    code = "not_permitted"
    sentence = "{city} does not permit this ({rule}): {source}."
    sentence_zh = "{city_zh}不允许此操作({rule}):{source}。"
