"""What shops, tills, grades and offers refuse."""

from carbonhui.core.refusals import Refusal


class NotAMerchant(Refusal):
    """Shops, offers and grades are merchants' (Article 20)."""

    code = "not_a_merchant"
    sentence = "Organisation {organisation} is no merchant."
    sentence_zh = "机构 {organisation} 不是商户。"


class MerchantUnknown(Refusal):
    """Nobody sees a merchant that is not approved."""

    code = "merchant_unknown"
    sentence = "There is no such merchant."
    sentence_zh = "没有该商户。"


class GradeSheetInvalid(Refusal):
    """A grade rests on a score sheet that can be read."""

    code = "grade_sheet_invalid"
    sentence = (
        "A score sheet has 1 to {most} lines, each with a criterion and points from 0 to what the criterion is worth, "
        "at most {points_most}."
    )
    sentence_zh = "评分表应有 1 至 {most} 行,每行含评分项目及得分,得分为 0 至该项满分,满分最高 {points_most}。"


class AllianceUnchanged(Refusal):
    """A merchant joins the alliance once, and leaves it once."""

    code = "alliance_unchanged"
    sentence = "The merchant is {standing} the alliance as it is."
    sentence_zh = "该商户当前{standing_zh}联盟成员。"


class ShopUnknown(Refusal):
    """A shop is named by its handle, and is its merchant's."""

    code = "shop_unknown"
    sentence = "There is no such shop."
    sentence_zh = "没有该门店。"


class ShopClosed(Refusal):
    """A closed shop sells nothing."""

    code = "shop_closed"
    sentence = "The shop is closed."
    sentence_zh = "该门店已关闭。"


class ShopsTooMany(Refusal):
    """Shops are closed and never removed, because charges name them."""

    code = "shops_too_many"
    sentence = "The merchant has {most} shops, closed ones too, which is the most; open a closed one again and change it."
    sentence_zh = "该商户已有 {most} 家门店(含已关闭),已达上限;请重新启用并修改已关闭的门店。"


class TillUnknown(Refusal):
    """A till is named by its handle, and stands in its shop."""

    code = "till_unknown"
    sentence = "There is no such till."
    sentence_zh = "没有该收银台。"


class TillClosed(Refusal):
    """A closed till takes nothing."""

    code = "till_closed"
    sentence = "The till is closed."
    sentence_zh = "该收银台已关闭。"


class TillLabelTaken(Refusal):
    """In one shop a label names one till."""

    code = "till_label_taken"
    sentence = "The shop has a till with this label already."
    sentence_zh = "该门店已有同名收银台。"


class TillsTooMany(Refusal):
    """Tills are closed and never removed, because charges name them."""

    code = "tills_too_many"
    sentence = "The shop has {most} tills, closed ones too, which is the most; open a closed one again."
    sentence_zh = "该门店已有 {most} 个收银台(含已关闭),已达上限;请重新启用已关闭的收银台。"


class OfferUnknown(Refusal):
    """An offer is named by its handle."""

    code = "offer_unknown"
    sentence = "There is no such offer."
    sentence_zh = "没有该优惠。"


class OfferNotOpen(Refusal):
    """An offer is good once it is published, on its days, while its merchant is approved."""

    code = "offer_not_open"
    sentence = "The offer is not open on {on}; published offers are good from {first_day} to {last_day}."
    sentence_zh = "该优惠在 {on} 不可用;已发布优惠的有效期为 {first_day} 至 {last_day}。"


class OfferNotHere(Refusal):
    """An offer is good at the shops that it names, or at every shop of its merchant."""

    code = "offer_not_here"
    sentence = "The offer is not good at this shop."
    sentence_zh = "该优惠不适用于此门店。"


class OfferSoldOut(Refusal):
    """Of an offer with a stock, no more is taken than there is."""

    code = "offer_sold_out"
    sentence = "There are not {quantity} left of the offer."
    sentence_zh = "该优惠剩余数量不足 {quantity}。"


class OfferLimitPerPerson(Refusal):
    """A merchant may limit how much one person takes, ever or on a day."""

    code = "offer_limit_per_person"
    sentence = "One person may take at most {most} of the offer ({period}); {quantity} more would be too many."
    sentence_zh = "该优惠每人限 {most} 份({period_zh});再取 {quantity} 份将超限。"


class OfferLimitPerDay(Refusal):
    """A merchant may limit how much all persons together take on a day."""

    code = "offer_limit_per_day"
    sentence = "At most {most} of the offer may be taken on one day; {quantity} more would be too many."
    sentence_zh = "该优惠每日限 {most} 份;再取 {quantity} 份将超限。"


class OfferQuantityInvalid(Refusal):
    """An offer is taken a whole number of times."""

    code = "offer_quantity_invalid"
    sentence = "An offer is taken 1 to {most} times at once."
    sentence_zh = "每次可取 1 至 {most} 份。"


class OfferTermsInvalid(Refusal):
    """An offer says what it costs, gives a discount, and ends."""

    code = "offer_terms_invalid"
    sentence = "The offer's {field} is wrong: {reason}."
    sentence_zh = "优惠的 {field} 有误:{reason_zh}。"


class OfferPublished(Refusal):
    """What was published is not edited: it is withdrawn, and another takes its place."""

    code = "offer_published"
    sentence = "The offer is {state}; only a draft is changed or published. Withdraw it and make another."
    sentence_zh = "该优惠状态为{state_zh};仅草稿可修改或发布。请撤下后另建。"


class OfferWithoutStock(Refusal):
    """An offer that was published without a stock has none to change."""

    code = "offer_without_stock"
    sentence = "The offer was published without a stock."
    sentence_zh = "该优惠发布时未设库存。"


class OfferStockTaken(Refusal):
    """A stock is not lowered below what was taken of it."""

    code = "offer_stock_taken"
    sentence = "{taken} of the offer were taken already; the stock cannot be {stock}."
    sentence_zh = "该优惠已取出 {taken} 份;库存不能改为 {stock}。"
