"""What is refused of persons, guardians and links. No sentence repeats an identifier, a number or a name."""

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


class PersonUnknown(Refusal):
    """Nobody answers to this number, handle or account."""

    code = "person_unknown"
    sentence = "There is no such person."
    sentence_zh = "没有此用户。"


class PersonErased(Refusal):
    """An erased person neither acts nor returns."""

    code = "person_erased"
    sentence = "This person was erased; the same human being may register anew."
    sentence_zh = "该用户已注销;本人可重新注册。"


class PersonRestricted(Refusal):
    """A minor without a guardian does nothing until one takes over (PIPL art. 31)."""

    code = "person_restricted"
    sentence = "This person is a minor without a guardian; a guardian has to take over first."
    sentence_zh = "该用户为未成年人且没有监护人;须先由监护人接管。"


class MobileTaken(Refusal):
    """One mobile number leads to one person."""

    code = "mobile_taken"
    sentence = "This mobile number already belongs to a person."
    sentence_zh = "该手机号已属于一位用户。"


class RealNameAlreadyProven(Refusal):
    """A real name is proven once; a change of name is for the staff."""

    code = "real_name_already_proven"
    sentence = "This person's real name was proven before."
    sentence_zh = "该用户已完成实名。"


class IdNumberTaken(Refusal):
    """One ID number belongs to one living person of the system."""

    code = "id_number_taken"
    sentence = "This ID number already belongs to a person."
    sentence_zh = "该身份证号已属于一位用户。"


class BornLater(Refusal):
    """A birth date lies in the past."""

    code = "born_later"
    sentence = "The ID number names a birth date after {on}."
    sentence_zh = "身份证号中的出生日期晚于 {on}。"


class GuardianNotAble(Refusal):
    """A guardian is an active adult whose real name was proven."""

    code = "guardian_not_able"
    sentence = "A guardian must be an adult whose real name was proven; this person is not one on {on}."
    sentence_zh = "监护人须为已实名的成年人;该用户在 {on} 不符合。"


class WardGrownUp(Refusal):
    """Who is eighteen answers for themselves."""

    code = "ward_grown_up"
    sentence = "This person is eighteen or older on {on} and needs no guardian."
    sentence_zh = "该用户在 {on} 已满十八周岁,无需监护人。"


class WardDiffers(Refusal):
    """A guardian takes over the child whose particulars they give."""

    code = "ward_differs"
    sentence = "The particulars given are not those of this child."
    sentence_zh = "所提供的信息与该未成年人不符。"


class NotGuardian(Refusal):
    """Only a minor's guardian acts for them."""

    code = "not_guardian"
    sentence = "This person is not a minor for whom you answer."
    sentence_zh = "该用户不是由您监护的未成年人。"


class AlreadyGuardian(Refusal):
    """One guards a child once at a time."""

    code = "already_guardian"
    sentence = "This guardian already answers for this child."
    sentence_zh = "该监护人已在监护此未成年人。"


class ErasureWaitsForHolds(Refusal):
    """What is promised is kept or let go before a person is erased."""

    code = "erasure_waits_for_holds"
    sentence = "{holds} open promises wait for this account; they must be captured, released or run out first."
    sentence_zh = "该账户还有 {holds} 笔未结的预留;须先扣款、释放或到期。"


class ErasureWaitsForWards(Refusal):
    """No child is left without a guardian by an erasure."""

    code = "erasure_waits_for_wards"
    sentence = "This person is the only guardian of {wards} minors; another must take them over, or they be erased first."
    sentence_zh = "该用户是 {wards} 名未成年人的唯一监护人;须先由他人接管或先行注销。"


class ErasureWaitsForOrganisations(Refusal):
    """An organisation keeps an owner."""

    code = "erasure_waits_for_organisations"
    sentence = "This person is the only owner of {organisations} organisations; each needs another owner first."
    sentence_zh = "该用户是 {organisations} 家机构的唯一所有者;须先为各机构另设所有者。"


class LinkCodeWrong(Refusal):
    """A code proves an identifier once, within its time and five tries."""

    code = "link_code_wrong"
    sentence = "This code does not prove this {scheme} identifier: it is wrong, used, out of time, or was tried {tries} times."
    sentence_zh = "该验证码不能证明此 {scheme} 标识:验证码错误、已使用、已过期或已尝试 {tries} 次。"


class LinkUnknown(Refusal):
    """Only a person's own open link can be ended."""

    code = "link_unknown"
    sentence = "This person has no such open link."
    sentence_zh = "该用户没有此生效中的关联。"


class SchemeNotKept(Refusal):
    """An institution vouches for the identifiers that it was entrusted with."""

    code = "scheme_not_kept"
    sentence = "This organisation does not vouch for {scheme} identifiers on {on}."
    sentence_zh = "该机构在 {on} 无权证明 {scheme} 标识。"


class SchemeAlreadyKept(Refusal):
    """An organisation is entrusted with a scheme once at a time."""

    code = "scheme_already_kept"
    sentence = "This organisation already vouches for {scheme} identifiers."
    sentence_zh = "该机构已负责证明 {scheme} 标识。"


class ClaimUnknown(Refusal):
    """No open claim has this handle here."""

    code = "claim_unknown"
    sentence = "There is no such claim waiting here."
    sentence_zh = "此处没有该待确认的关联申请。"


class ClaimAlreadyAsked(Refusal):
    """A person asks for an identifier once at a time."""

    code = "claim_already_asked"
    sentence = "This {scheme} identifier was asked for already; the institution has not answered yet."
    sentence_zh = "该 {scheme} 标识已申请关联,机构尚未答复。"


class RealNameNeeded(Refusal):
    """An institution confirms a name, so the name must be proven."""

    code = "real_name_needed"
    sentence = "An institution can only confirm a proven name; prove the real name first."
    sentence_zh = "机构只能核对已实名的姓名;请先完成实名。"


class IdentityTriedTooOften(Refusal):
    """Whose ID number is registered cannot be asked at will."""

    code = "identity_tried_too_often"
    sentence = "Particulars were given {tries} times today; please try again tomorrow."
    sentence_zh = "今日已提交 {tries} 次身份信息;请明日再试。"
