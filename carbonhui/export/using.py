"""What a person did with credits, matter by matter (Articles 18-22, PIPL article 45).

Others are told as the person knows them: organisations by name, persons not at all.
Numbers, titles and reasons that somebody wrote lie in the vault and stand among the personal fields.
"""

from collections.abc import Callable, Iterator

from carbonhui.export.about import About, Row

_GIFTS = """
SELECT handle::text, CASE WHEN giver = %(account)s THEN 'given' ELSE 'received' END, credits, greeting, state, given_on, until, ended_on
FROM gift WHERE giver = %(account)s OR receiver = %(account)s ORDER BY id
"""
_REQUESTS = """
SELECT handle::text, CASE WHEN asker = %(account)s THEN 'asked' ELSE 'was_asked' END, credits, reason, state, asked_on, until, ended_on
FROM credit_request WHERE asker = %(account)s OR asked = %(account)s ORDER BY id
"""
_POOLS = """
SELECT p.handle::text, p.purpose, coalesce(o.name, a.name), p.goal_credits, p.contributed, p.contributors, p.returned, p.state, p.opened_on,
       p.deadline, p.use_until, p.first_used_on
FROM pool p LEFT JOIN account a ON a.id = p.target LEFT JOIN organisation o ON o.account_id = p.target
WHERE p.owner = %(account)s ORDER BY p.id
"""
_CONTRIBUTIONS = """
SELECT p.handle::text, p.purpose, c.credits, c.returned, c.business_date
FROM pool_contribution c JOIN pool p ON p.id = c.pool_id WHERE c.payer = %(account)s ORDER BY c.id
"""
_PAYMENTS = """
SELECT c.handle::text, coalesce(o.name, a.name), s.name, f.title_zh, c.quantity, c.out_trade_no, c.credits, c.money_fen, c.captured, c.refunded,
       c.state, c.business_date, c.authorised_at, c.captured_at
FROM charge c LEFT JOIN account a ON a.id = c.merchant LEFT JOIN organisation o ON o.id = c.organisation
LEFT JOIN shop s ON s.id = c.shop LEFT JOIN offer f ON f.id = c.offer
WHERE c.payer = %(account)s ORDER BY c.id
"""
_REFUNDS = """
SELECT c.handle::text, r.out_refund_no, r.credits, r.after_settlement, r.at, r.business_date
FROM charge c JOIN charge_refund r ON r.charge_id = c.id WHERE c.payer = %(account)s ORDER BY r.id
"""
_LIMITS = "SELECT per_payment_max, per_day_max FROM payment_limit WHERE account_id = %(account)s"
#: A count over all days has the first day there is.
_OFFERS = """
SELECT coalesce(o.name, ''), f.title_zh, NULLIF(c.day, '-infinity'::date), c.taken
FROM offer_count c JOIN offer f ON f.id = c.offer_id LEFT JOIN organisation o ON o.id = f.organisation_id
WHERE c.payer = %(account)s ORDER BY c.offer_id, c.day
"""
_BILLS = """
SELECT coalesce(o.name, a.name), b.bill, b.total_fen, b.offset_fen, b.credits, b.day, b.undone_on, b.undone_because FROM bill_offset b
JOIN transfer t ON t.id = b.transfer_id JOIN account a ON a.id = b.department
LEFT JOIN organisation o ON o.account_id = a.id WHERE t.debit = %(account)s ORDER BY b.id
"""
_BILLS_SHOWN = """
SELECT coalesce(o.name, a.name), b.number, f.title_zh, b.total_fen, b.due_on, b.state, s.addressed, s.since
FROM bill_shown s JOIN bill b ON b.id = s.bill_id JOIN fee_item f ON f.id = b.fee_item JOIN account a ON a.id = b.department
LEFT JOIN organisation o ON o.account_id = a.id WHERE s.account_id = %(account)s ORDER BY b.id
"""
_BILLS_TRIED = "SELECT day, tries FROM bill_try WHERE account_id = %(account)s ORDER BY day"
_DONATIONS = """
SELECT coalesce(o.name, a.name), c.title, g.credits, g.business_date FROM donation_gift g JOIN account a ON a.id = g.charity
LEFT JOIN organisation o ON o.account_id = g.charity LEFT JOIN donation_campaign c ON c.id = g.campaign_id
WHERE g.giver = %(account)s ORDER BY g.transfer_id
"""
_CAMPAIGNS = """
SELECT o.name, c.title, c.purpose, c.title_en, c.purpose_en, c.state, c.proposed_on
FROM donation_campaign c JOIN organisation o ON o.id = c.organisation WHERE c.proposed_by = %(id)s ORDER BY c.id
"""
_CERTIFICATES = """
SELECT number, credits, avoided_mg, footprint_mg, calculator, lines::text, encode(evidence, 'hex'), methodologies, hidden, business_date, at
FROM certificate WHERE account_id = %(account)s ORDER BY id
"""


def _read(query: str) -> Callable[[About], Iterator[Row]]:
    return lambda about: about.asked(query)


#: Name, what it says in both languages, columns, rows.
USING: tuple[tuple[str, str, str, tuple[str, ...], Callable[[About], Iterator[Row]]], ...] = (
    ("gifts", "Gifts that you gave or were given.", "您赠出或收到的赠送。",
     ("gift", "side", "credits", "greeting", "state", "given_on", "until", "ended_on"), _read(_GIFTS)),
    ("requests", "Credits that you asked for or were asked for.", "您请求他人或他人向您请求的碳惠。",
     ("request", "side", "credits", "reason", "state", "asked_on", "until", "ended_on"), _read(_REQUESTS)),
    ("pools", "Pools that you opened; their titles stand among your personal fields.", "您发起的汇集活动;标题见个人信息项。",
     ("pool", "purpose", "target", "goal_credits", "contributed", "contributors", "returned", "state", "opened_on", "deadline",
      "use_until", "first_used_on"), _read(_POOLS)),
    ("contributions", "What you put into pools, and what came back.", "您投入汇集活动的碳惠及退回情况。",
     ("pool", "purpose", "credits", "returned", "day"), _read(_CONTRIBUTIONS)),
    ("payments", "Payments at merchants, also those that were not completed.", "您在商户的支付,包括未完成的。",
     ("trade", "merchant", "shop", "offer", "quantity", "out_trade_no", "credits", "money_fen", "captured", "refunded", "state", "day",
      "authorised_at", "captured_at"), _read(_PAYMENTS)),
    ("refunds", "What merchants gave back.", "商户退还的碳惠。",
     ("trade", "out_refund_no", "credits", "after_settlement", "at", "day"), _read(_REFUNDS)),
    ("payment_limits", "The limits that you set to your payments.", "您设置的支付限额。", ("per_payment_max", "per_day_max"), _read(_LIMITS)),
    ("offers", "How often you took offers whose number is limited; without a day, over all days.", "您使用限量优惠的次数;无日期者为累计。",
     ("merchant", "offer", "day", "taken"), _read(_OFFERS)),
    ("bills", "Public-service bills that you paid in part with credits.", "您以碳惠抵用的公共服务账单。",
     ("department", "bill", "total_fen", "offset_fen", "credits", "day", "undone_on", "undone_because"), _read(_BILLS)),
    ("bills_shown", "Bills that were addressed to you or that you looked up.", "寄送给您或由您查询到的账单。",
     ("department", "bill", "fee_item", "total_fen", "due_on", "state", "addressed", "since"), _read(_BILLS_SHOWN)),
    ("bills_tried", "On which days you looked bills up, and how often.", "您查询账单的日期与次数。", ("day", "tries"), _read(_BILLS_TRIED)),
    ("donations", "What you gave to charities.", "您向公益单位的捐赠。", ("charity", "campaign", "credits", "day"), _read(_DONATIONS)),
    ("campaigns", "Campaigns that you proposed for a charity.", "您代表公益单位提出的公益活动。",
     ("charity", "title", "purpose", "title_en", "purpose_en", "state", "proposed_on"), _read(_CAMPAIGNS)),
    ("certificates", "Certificates of what you retired; beneficiary and reason stand among your personal fields.",
     "您注销碳惠的证书;受益人与事由见个人信息项。",
     ("certificate", "credits", "avoided_mg", "footprint_mg", "calculator", "lines", "evidence", "methodologies", "hidden", "day", "at"),
     _read(_CERTIFICATES)),
)  # fmt: skip
