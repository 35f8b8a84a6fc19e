"""What the routes refuse of their own."""

from carbonhui.core.refusals import Refusal


class ProfileNotEntrusted(Refusal):
    """An institution delivers the sources for which it has an agreement in force (Article 12)."""

    code = "profile_not_entrusted"
    sentence = "No agreement of yours that is in force today covers the source of this profile."
    sentence_zh = "您今天没有生效中的协议覆盖此配置的来源。"


class OrganisationRoleMissing(Refusal):
    """What a member may do for an organisation depends on the role there."""

    code = "organisation_role_missing"
    sentence = "Only {roles} of the organisation may do this."
    sentence_zh = "仅机构的 {roles} 可进行此操作。"


class MinorNeedsApprover(Refusal):
    """Staff read a minor's data only with an approver's rights (Regulations on the protection of minors online, article 36)."""

    code = "minor_needs_approver"
    sentence = "This person is a minor; only an approver may read their data."
    sentence_zh = "该用户为未成年人;仅具有审批权限的工作人员可查看其数据。"


class CodeOfAnother(Refusal):
    """Who is erased, or whose guardian erases them, proves it by a code to the own number."""

    code = "code_of_another"
    sentence = "The code was sent to another number than yours; ask for one to your own."
    sentence_zh = "该验证码发送至他人号码;请向本人号码获取验证码。"


class DeliveredByAnother(Refusal):
    """One delivery is one institution's; the same bytes again change nothing, whoever sends them."""

    code = "delivered_by_another"
    sentence = "The same rows came before by another way than your requests. Nothing was changed."
    sentence_zh = "相同的数据此前已通过其他途径提交。未作任何更改。"


class CasePersonal(Refusal):
    """What a reading is for stands in a record for good, so it goes by no person's number (PIPL article 6)."""

    code = "case_personal"
    sentence = "The case has digits like a mobile or an ID number; name the case by a number of its own."
    sentence_zh = "案件编号含有类似手机号或身份证号的数字;请使用案件自身的编号。"


class NotOneOfThese(Refusal):
    """Fields that exclude one another; no schema of a single field can say so."""

    code = "not_one_of_these"
    sentence = "Say {wanted} of these: {fields}."
    sentence_zh = "以下各项{wanted_zh}填写一项:{fields}。"


def exactly_one(*fields: str) -> NotOneOfThese:
    """What is told where one of these fields, and no other, has to be said."""
    return NotOneOfThese(wanted="exactly one", wanted_zh="须且仅须", fields=", ".join(fields))


def at_most_one(*fields: str) -> NotOneOfThese:
    """What is told where no two of these fields may be said."""
    return NotOneOfThese(wanted="at most one", wanted_zh="至多", fields=", ".join(fields))
