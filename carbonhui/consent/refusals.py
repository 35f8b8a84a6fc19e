"""What the consent room refuses."""

from carbonhui.core.refusals import Refusal


class ConsentTextMissing(Refusal):
    """Nobody consents to words that were never published."""

    code = "consent_text_missing"
    sentence = "No text for {purpose} of {source} is published, so nothing can be consented to."
    sentence_zh = "{source} 的 {purpose} 用途尚未公布授权文本,无法授权。"


class TextChanged(Refusal):
    """Consent is given to the newest words, and to those that were read."""

    code = "consent_text_changed"
    sentence = "The text for {purpose} of {source} is now version {version}; read that one and consent to it by its digest."
    sentence_zh = "{source} 的 {purpose} 用途授权文本现为第 {version} 版;请阅读该版本并以其摘要授权。"


class SensitiveSource(Refusal):
    """Where people were is sensitive personal information (Article 28 of the Personal Information Protection Law)."""

    code = "consent_source_sensitive"
    sentence = "The source {source} brings trips, which say where people were; its text is published as sensitive."
    sentence_zh = "来源 {source} 提供出行记录,属于行踪轨迹;其授权文本须标明为敏感个人信息。"


class ConsentWordsMissing(Refusal):
    """A text says everything in both languages and names who published it."""

    code = "consent_words_missing"
    sentence = "The {field} is missing."
    sentence_zh = "缺少 {field}。"


class ConsentSourceInvalid(Refusal):
    """A source and a purpose are plain names."""

    code = "consent_source_invalid"
    sentence = "{name} is no name of a source or a purpose: lower-case letters, digits, points and hyphens."
    sentence_zh = "{name} 不是有效的来源或用途名称:仅可使用小写字母、数字、点和连字符。"


class ConsentNotGiven(Refusal):
    """Only a consent that stands can be withdrawn."""

    code = "consent_not_given"
    sentence = "No consent to {purpose} of {source} stands, so there is none to withdraw."
    sentence_zh = "{source} 的 {purpose} 用途没有生效中的授权,无可撤回。"


class ConsentCoversFuture(Refusal):
    """A consent covers activity from the day on which it is given, or from an earlier one."""

    code = "consent_covers_future"
    sentence = "A consent that is given on {given_on} cannot begin to cover on {covers_from}; at the latest on {given_on}."
    sentence_zh = "{given_on} 给予的授权不能自 {covers_from} 起算;最晚自 {given_on} 起。"


class ConsentEndsTooEarly(Refusal):
    """A consent is withdrawn on the day on which it was given, or later."""

    code = "consent_ends_too_early"
    sentence = "The consent was given on {given_on} and cannot be withdrawn on {on}; the earliest day is {given_on}."
    sentence_zh = "该授权于 {given_on} 给予,不能在 {on} 撤回;最早为 {given_on}。"


class GuardianConsents(Refusal):
    """For a minor who needs a guardian, the guardian consents (Article 31 of the Personal Information Protection Law)."""

    code = "guardian_consents"
    sentence = "This person needs a guardian until {until}; the guardian consents for them."
    sentence_zh = "该人在 {until} 之前须由监护人代为授权。"


class ConsentForDemoOnly(Refusal):
    """Consents in other people's name are for the demonstration; real people give their own."""

    code = "consent_for_demo_only"
    sentence = "Consents are given for everybody in the demo profile only; this store is {profile}."
    sentence_zh = "仅演示配置可为全体用户代为授权;本数据库的配置为 {profile}。"


class ConsentBusy(Refusal):
    """What a text or an agreement says does not change while activity is measured by it."""

    code = "consent_busy"
    sentence = "Activity of {source} is being measured; try again when that is done. Nothing was changed."
    sentence_zh = "来源 {source} 的活动正在计量;请在完成后重试。未作任何更改。"


class AgreementUnknown(Refusal):
    """Whoever applies for others names the agreement that allows it."""

    code = "agreement_unknown"
    sentence = "There is no agreement {agreement}."
    sentence_zh = "没有代办协议 {agreement}。"


class AgreementNeedsOrganisation(Refusal):
    """Only an approved organisation applies for its users."""

    code = "agreement_needs_organisation"
    sentence = "Organisation {organisation} is not an approved organisation, so it cannot apply for its users."
    sentence_zh = "机构 {organisation} 不是已获批准的机构,不能代用户申请。"


class AgreementNotInForce(Refusal):
    """An institution applies for its users while its agreement is in force."""

    code = "agreement_not_in_force"
    sentence = "Agreement {agreement} is not in force on {on}."
    sentence_zh = "代办协议 {agreement} 在 {on} 不在有效期内。"


class AgreementDigestDiffers(Refusal):
    """The agreement that is registered is the one that was signed."""

    code = "agreement_digest_differs"
    sentence = "The digest given is not that of the agreement's text, which is {found}."
    sentence_zh = "所给摘要与协议文本不符;文本的摘要为 {found}。"


class EvidenceInvalid(Refusal):
    """Evidence is the number of a paper that the institution keeps; nothing personal is written here."""

    code = "consent_evidence_invalid"
    sentence = (
        "{found} of {rows} applications name evidence that is no reference: letters, digits and . _ : / - without spaces, "
        "a digit at least, and no mobile or ID number."
    )
    sentence_zh = "{rows} 份申请中有 {found} 份的凭证不是编号:仅可使用字母、数字及 . _ : / -,不含空格,至少一个数字,且不得为手机号或身份证号。"


class EvidenceMissing(Refusal):
    """For sensitive data each person consents apart; who applies for them names that consent."""

    code = "consent_evidence_missing"
    sentence = "{source} is sensitive data; {missing} of {rows} applications name no evidence of the person's own consent."
    sentence_zh = "{source} 属于敏感个人信息;{rows} 份申请中有 {missing} 份未注明本人单独同意的凭证。"
