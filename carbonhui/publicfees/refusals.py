"""What a public bill refuses."""

from carbonhui.core.refusals import Refusal


class OffsetAboveCap(Refusal):
    """At most a tenth of a bill may be paid in credits (Article 19)."""

    code = "offset_above_cap"
    sentence = "{credits} credits are worth {asked_fen} fen; at most {cap_fen} fen of a {bill_fen} fen bill may be paid in credits."
    sentence_zh = "{credits} 碳惠折合 {asked_fen} 分;总价 {bill_fen} 分的账单最多可用碳惠抵用 {cap_fen} 分。"


class OffsetWorthNothing(Refusal):
    """Credits that are worth less than a fen pay nothing."""

    code = "offset_worth_nothing"
    sentence = "{credits} credits are worth less than one fen at par."
    sentence_zh = "{credits} 碳惠按面值不足一分。"


class BillOffsetBefore(Refusal):
    """A bill is offset once."""

    code = "bill_offset_before"
    sentence = "Bill {bill} was already paid in part with {credits} credits; a bill is offset once."
    sentence_zh = "账单 {bill} 已使用 {credits} 碳惠抵用;每张账单只能抵用一次。"


class BillInvalid(Refusal):
    """A bill has a number of 1 to 100 printable ASCII characters."""

    code = "bill_invalid"
    sentence = "{bill} is not a bill's number; it must be 1 to 100 printable ASCII characters without spaces."
    sentence_zh = "{bill} 不是有效的账单编号;须为 1 至 100 个不含空格的可见 ASCII 字符。"


class BillUnknown(Refusal):
    """Department, number and payer are right together or wrong together; which of them was wrong is not told."""

    code = "bill_unknown"
    sentence = "No bill is there for this department, number and payer."
    sentence_zh = "没有与该部门、编号和缴费人相符的账单。"


class BillTriedTooOften(Refusal):
    """Looking bills up is counted, because each answer tells something of somebody's bill."""

    code = "bill_tried_too_often"
    sentence = "Bills may be looked up {tries} times a day; try again tomorrow."
    sentence_zh = "每天最多可查询账单 {tries} 次;请明天再试。"


class BillDiffers(Refusal):
    """A presented bill is what the department presented."""

    code = "bill_differs"
    sentence = "Bill {bill} was presented over {total_fen} fen, not {given_fen} fen."
    sentence_zh = "账单 {bill} 的金额为 {total_fen} 分,而不是 {given_fen} 分。"


class BillNumberReused(Refusal):
    """A department uses a bill's number for one bill."""

    code = "bill_number_reused"
    sentence = "Bill {bill} was presented before with another fee item, total, payer or due day; a corrected bill has a number of its own."
    sentence_zh = "账单 {bill} 此前已以不同的收费项目、金额、缴费人或截止日期提交;更正后的账单须使用新编号。"


class BillTakenBack(Refusal):
    """A bill that its department took back is over."""

    code = "bill_taken_back"
    sentence = "The department took bill {bill} back ({state}); nothing more is done on it."
    sentence_zh = "部门已撤回账单 {bill}({state_zh});该账单不能再作任何处理。"


class OffsetUnknown(Refusal):
    """Only an offset that was made can be undone."""

    code = "offset_unknown"
    sentence = "No credits were used on bill {bill} of this department."
    sentence_zh = "该部门的账单 {bill} 未使用过碳惠抵用。"


class OffsetUndoneBefore(Refusal):
    """An offset is undone once, for one reason."""

    code = "offset_undone_before"
    sentence = "The offset of bill {bill} was undone before ({because})."
    sentence_zh = "账单 {bill} 的抵用此前已撤销({because})。"


class OffsetPurchased(Refusal):
    """After the fund's purchase the credits are cancelled for good (Article 19): the department pays back in money."""

    code = "offset_purchased"
    sentence = (
        "The reward fund bought the {credits} credits of bill {bill} and cancelled them; they cannot come back. "
        "The department was paid {offset_fen} fen for them and gives that back in money."
    )
    sentence_zh = "账单 {bill} 的 {credits} 碳惠已由奖励资金回收并注销,无法退回;部门已收到对应的 {offset_fen} 分,应以现金退还。"


class NotDepartment(Refusal):
    """Departments have fee items and bills (Article 19); other organisations have none."""

    code = "not_department"
    sentence = "Only a department has fee items and bills; this organisation is a {kind}."
    sentence_zh = "仅公共服务部门可设收费项目和账单;该机构类型为{kind_zh}。"


class FeeItemInvalid(Refusal):
    """A fee item's code is short and plain."""

    code = "fee_item_invalid"
    sentence = "A fee item's code has 1 to 32 digits, capitals and hyphens, and begins with no hyphen."
    sentence_zh = "收费项目代码由 1 至 32 个数字、大写字母和连字符组成,且不以连字符开头。"


class FeeItemAlreadyThere(Refusal):
    """A department has one live item of a code; the same words again are the same item."""

    code = "fee_item_already_there"
    sentence = "Fee item {item} is there already with other words; withdraw it first."
    sentence_zh = "收费项目 {item} 已存在且内容不同;请先撤回。"


class FeeItemUnknown(Refusal):
    """The department has no such item."""

    code = "fee_item_unknown"
    sentence = "This department has no such fee item."
    sentence_zh = "该部门没有此收费项目。"


class FeeItemNotApproved(Refusal):
    """Bills are presented for approved items only; those presented while it was approved stay payable."""

    code = "fee_item_not_approved"
    sentence = "Fee item {item} is {state}; only an approved one may be billed."
    sentence_zh = "收费项目 {item} 的状态为{state_zh};仅获批准的项目可以开具账单。"


class FeeItemNotWaiting(Refusal):
    """What was decided or withdrawn waits for nobody any more."""

    code = "fee_item_not_waiting"
    sentence = "Fee item {item} is {state}; only one that was applied for can be proposed and decided."
    sentence_zh = "收费项目 {item} 的状态为{state_zh};仅可对已申请的项目提出和作出决定。"
