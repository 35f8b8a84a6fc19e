"""What is refused of organisations, their members and their steps. No sentence names a person."""

from carbonhui.core.refusals import Refusal


class CreditCodeInvalid(Refusal):
    """A credit code checks itself (GB 32100-2015)."""

    code = "credit_code_invalid"
    sentence = "This is no unified social credit code: {reason}."
    sentence_zh = "不是有效的统一社会信用代码:{reason_zh}。"


class OrganisationUnknown(Refusal):
    """No organisation has this number, handle or account."""

    code = "organisation_unknown"
    sentence = "There is no such organisation."
    sentence_zh = "没有此机构。"


class OrganisationKindUnknown(Refusal):
    """An organisation is of one of the kinds that the regulation names."""

    code = "organisation_kind_unknown"
    sentence = "{kind} is no kind of organisation; the kinds are {kinds}."
    sentence_zh = "{kind} 不是机构类别;类别有:{kinds}。"


class OrganisationAlreadyThere(Refusal):
    """One organisation of a kind has one credit code."""

    code = "organisation_already_there"
    sentence = "A {kind} with the credit code {credit_code} has applied before and is not closed."
    sentence_zh = "信用代码为 {credit_code} 的{kind_zh}已申请且尚未关闭。"


class OrganisationNotApproved(Refusal):
    """Only an approved organisation acts; a suspended one waits."""

    code = "organisation_not_approved"
    sentence = "Organisation {organisation} is {state}; only an approved one may do this."
    sentence_zh = "机构 {organisation} 的状态为{state_zh};仅已批准的机构可进行此操作。"


class OrganisationClosed(Refusal):
    """A closed organisation is history."""

    code = "organisation_closed"
    sentence = "Organisation {organisation} is closed."
    sentence_zh = "机构 {organisation} 已关闭。"


class StepNotPossible(Refusal):
    """Steps follow one another: approve, then suspend and resume, then close."""

    code = "step_not_possible"
    sentence = "Organisation {organisation} is {state}; the step {step} does not follow from that."
    sentence_zh = "机构 {organisation} 的状态为{state_zh};不能进行 {step}。"


class StepAlreadyProposed(Refusal):
    """One step is decided before the next is proposed."""

    code = "step_already_proposed"
    sentence = "A step of organisation {organisation} waits for its decision already."
    sentence_zh = "机构 {organisation} 已有待决定的步骤。"


class StepUnknown(Refusal):
    """No step has this number."""

    code = "step_unknown"
    sentence = "There is no step {step} that waits for a decision."
    sentence_zh = "没有待决定的步骤 {step}。"


class StepReasonMissing(Refusal):
    """Who proposes says why."""

    code = "step_reason_missing"
    sentence = "A step needs a reason of 1 to {longest} characters."
    sentence_zh = "步骤须写明理由,1 至 {longest} 个字。"


class OwnStep(Refusal):
    """Nobody decides what they proposed."""

    code = "own_step"
    sentence = "Step {step} was proposed by the same member of staff; somebody else has to decide it."
    sentence_zh = "步骤 {step} 由同一工作人员提出;须由他人决定。"


class PurseUnknown(Refusal):
    """A department's fen go to the purse that was tied to it when it was approved."""

    code = "purse_unknown"
    sentence = "Account {account} belongs to no approved department with a purse."
    sentence_zh = "账户 {account} 不属于已批准且设有资金账户的部门。"


class MemberAlready(Refusal):
    """A person has one role in an organisation at a time."""

    code = "member_already"
    sentence = "This person is a member of organisation {organisation} already."
    sentence_zh = "该用户已是机构 {organisation} 的成员。"


class NotMember(Refusal):
    """Only a member's role changes or ends."""

    code = "not_member"
    sentence = "This person is no member of organisation {organisation}."
    sentence_zh = "该用户不是机构 {organisation} 的成员。"


class LastOwner(Refusal):
    """An organisation keeps an owner until it is closed."""

    code = "last_owner"
    sentence = "Organisation {organisation} would have no owner; name another owner first."
    sentence_zh = "机构 {organisation} 将没有所有者;请先指定另一位所有者。"
