"""What the participants room refuses. No sentence repeats an identifier, not even its blind index."""

from carbonhui.core.refusals import Refusal


class IdentifierLinked(Refusal):
    """An identifier has at most one holder on any day."""

    code = "identifier_linked"
    sentence = "This {scheme} identifier already has a holder on or after {valid_from}; end that link first."
    sentence_zh = "该 {scheme} 标识在 {valid_from} 当日或之后已有持有人;请先终止原关联。"


class LinkMissing(Refusal):
    """Only a link that holds can be ended."""

    code = "link_missing"
    sentence = "This {scheme} identifier has no open link, so there is none to end."
    sentence_zh = "该 {scheme} 标识没有生效中的关联,无可终止。"


class LinkEndsTooEarly(Refusal):
    """A link ends on the day it began or later."""

    code = "link_ends_too_early"
    sentence = "The link began on {valid_from} and cannot end on {on}; the earliest end is {valid_from}."
    sentence_zh = "该关联始于 {valid_from},不能在 {on} 终止;最早可于 {valid_from} 终止。"


class EnrolmentForDemoOnly(Refusal):
    """Opening an account for every identifier seen is for the demonstration; real people come themselves."""

    code = "enrolment_for_demo_only"
    sentence = "Accounts are opened for unknown identifiers in the demo profile only; this store is {profile}."
    sentence_zh = "仅演示配置可为未知标识批量开户;本数据库的配置为 {profile}。"
