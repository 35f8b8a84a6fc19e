"""What payment codes, charges and refunds refuse."""

from carbonhui.core.refusals import Refusal


class MerchantNotTrading(Refusal):
    """A merchant that is not approved, suspended or closed charges nobody; it may still refund."""

    code = "merchant_not_trading"
    sentence = "This merchant may not charge at present."
    sentence_zh = "该商户目前不能收款。"


class OutTradeNoReused(Refusal):
    """A merchant's number names one charge; with other words it is refused."""

    code = "out_trade_no_reused"
    sentence = "The number {out_trade_no} names another charge already; choose a new one, or query this one."
    sentence_zh = "商户订单号 {out_trade_no} 已用于另一笔交易;请使用新的订单号,或查询该笔交易。"


class OutTradeNoInvalid(Refusal):
    """A merchant's number has 1 to 64 digits, letters, or any of _ | * -."""

    code = "out_trade_no_invalid"
    sentence = "A merchant's number has 1 to 64 digits, letters, or any of _ | * -."
    sentence_zh = "商户单号由 1 至 64 个数字、字母或 _ | * - 组成。"


class PriceInvalid(Refusal):
    """A charge names its credits, or an offer that says them; never both."""

    code = "price_invalid"
    sentence = "A charge names either credits or an offer with a quantity; money is the offer's own where there is one."
    sentence_zh = "交易须填写碳惠数量,或填写优惠及数量,二者择一;使用优惠时金额以优惠为准。"


class ChargeUnknown(Refusal):
    """There is no charge under this number: it did not come about, and may be sent again."""

    code = "charge_unknown"
    sentence = "There is no such charge. It did not come about, and may be sent again."
    sentence_zh = "没有该笔交易:交易未成立,可重新发起。"


class ChargeStateDiffers(Refusal):
    """Each step of a charge is possible from some of its states only."""

    code = "charge_state_differs"
    sentence = "The charge is {state}; this is possible only while it is {wanted}."
    sentence_zh = "该笔交易的状态为{state_zh};仅在{wanted_zh}时可进行此操作。"


class ChargeNotAwaiting(Refusal):
    """A charge is paid once, by one payer, before its time is over."""

    code = "charge_not_awaiting"
    sentence = "This charge waits for nobody any more."
    sentence_zh = "该笔交易已不再等待付款。"


class CaptureAboveAuthorisation(Refusal):
    """A merchant captures at most what was authorised."""

    code = "capture_above_authorisation"
    sentence = "{asked} credits were asked; {authorised} were authorised."
    sentence_zh = "请求扣款 {asked} 碳惠,已授权 {authorised}。"


class PaymentCodeInvalid(Refusal):
    """A payment code is read from the payer's app as it stands there."""

    code = "payment_code_invalid"
    sentence = "This is no payment code of ours; scan the payer's again."
    sentence_zh = "付款码无效;请重新扫描付款人的付款码。"


class PaymentCodeExpired(Refusal):
    """A payment code is good for sixty seconds."""

    code = "payment_code_expired"
    sentence = "The payment code is older than {seconds} seconds; the payer's app shows a new one."
    sentence_zh = "付款码已超过 {seconds} 秒;请付款人刷新付款码。"


class PaymentCodeUsed(Refusal):
    """A payment code is used once, whether the payment was made or declined."""

    code = "payment_code_used"
    sentence = "The payment code was used before; the payer's app shows a new one."
    sentence_zh = "付款码已使用过;请付款人刷新付款码。"


class PayerCannotPay(Refusal):
    """A merchant learns that a payment is declined, never what the payer holds or set."""

    code = "payer_cannot_pay"
    sentence = "The payer cannot pay {asked} credits by this code. The payment code is spent; the payer has been told why."
    sentence_zh = "付款人无法以此付款码支付 {asked} 碳惠。该付款码已失效;原因已告知付款人。"


class PayerKindRefused(Refusal):
    """Persons, pools and charities pay; what merchants and departments received goes to the pool (Articles 19, 20)."""

    code = "payer_kind_refused"
    sentence = "Credits of a {kind} are not spent at merchants."
    sentence_zh = "{kind_zh}的碳惠不能在商户消费。"


class PaymentAboveCityLimit(Refusal):
    """The city may limit a single payment."""

    code = "payment_above_city_limit"
    sentence = "{asked} credits were asked; one payment may be at most {limit}."
    sentence_zh = "请求支付 {asked} 碳惠;单笔支付上限为 {limit}。"


class PaymentAboveOwnLimit(Refusal):
    """A person may limit what one payment takes."""

    code = "payment_above_own_limit"
    sentence = "{asked} credits were asked; you let one payment take at most {limit}."
    sentence_zh = "请求支付 {asked} 碳惠;您设定的单笔上限为 {limit}。"


class PaymentsAboveDayLimit(Refusal):
    """A person may limit what all payments of a day take."""

    code = "payments_above_day_limit"
    sentence = "{asked} credits were asked and {paid} were paid today; you let a day take at most {limit}."
    sentence_zh = "请求支付 {asked} 碳惠,今日已支付 {paid};您设定的单日上限为 {limit}。"


class RefundAboveCapture(Refusal):
    """A merchant refunds at most what it captured."""

    code = "refund_above_capture"
    sentence = "{asked} credits were asked; {remaining} of {captured} captured are not yet refunded."
    sentence_zh = "请求退款 {asked} 碳惠;已收 {captured},其中 {remaining} 尚未退款。"


class OutRefundNoReused(Refusal):
    """A merchant's number of a refund names one refund; with other words it is refused."""

    code = "out_refund_no_reused"
    sentence = "The number {out_refund_no} names another refund already; choose a new one."
    sentence_zh = "商户退款单号 {out_refund_no} 已用于另一笔退款;请使用新的单号。"


class RefundTooLate(Refusal):
    """A refund is possible for some days after the capture."""

    code = "refund_too_late"
    sentence = "The charge was captured on {captured_on}; a refund is possible for {days} days."
    sentence_zh = "该笔交易于 {captured_on} 收款;退款期限为 {days} 天。"


class ChargeSettled(Refusal):
    """What was settled is in the cancellation pool and never comes out; a refund is then a fresh decision of the merchant."""

    code = "charge_settled"
    sentence = (
        "The charge was settled; its credits are cancelled. An owner or manager may decide to refund it"
        " out of credits received since, with after_settlement."
    )
    sentence_zh = "该笔交易已结算,所收碳惠已注销。所有者或管理员可通过 after_settlement 决定以此后收到的碳惠退款。"


class PayerCannotReceive(Refusal):
    """A payer whose account was closed, or who may hold no more, gets nothing back."""

    code = "payer_cannot_receive"
    sentence = "The payer's account takes nothing more; the refund cannot be made in credits."
    sentence_zh = "付款人的账户无法接收;不能以碳惠退款。"


class SandboxPayerUnknown(Refusal):
    """In the sandbox the sandbox's own payers pay."""

    code = "sandbox_payer_unknown"
    sentence = "This charge is not of your sandbox."
    sentence_zh = "该笔交易不属于您的沙箱。"
