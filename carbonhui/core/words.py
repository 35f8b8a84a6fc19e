"""The product's own words for states and kinds, in Chinese, for sentences that people read.

Answers, commands and the store say such a word in English, as a code that programs compare. A Chinese sentence says
it in Chinese. A word has one meaning wherever it stands.
"""

#: What a thing is now, as the store's state columns say it.
STATES = {
    "accepted": "已接受",
    "active": "正常",
    "applied": "已申请",
    "approved": "已批准",
    "asked": "已提出",
    "authorised": "已授权",
    "awaiting": "待付款",
    "cancelled": "已取消",
    "captured": "已收款",
    "closed": "已关闭",
    "confirmed": "已确认",
    "dead": "投递失败",
    "declined": "已谢绝",
    "delivered": "已送达",
    "disabled": "已停用",
    "draft": "草稿",
    "ended": "已结束",
    "erased": "已删除",
    "expired": "已过期",
    "lapsed": "已过期",
    "left": "已退出",
    "missed": "未达目标",
    "open": "开放中",
    "proposed": "已提出",
    "published": "已发布",
    "reached": "已达目标",
    "refunded": "已退款",
    "refused": "未获批准",
    "released": "已释放",
    "removed": "已移除",
    "restricted": "受限",
    "suspended": "已暂停",
    "voided": "已撤销",
    "waiting": "等待中",
    "withdrawn": "已撤回",
}
#: Whose account it is, what an organisation is, who calls, what a pool is for, and what two of the staff decide.
KINDS = {
    "anonymous": "未登录者",
    "bank": "银行",
    "campaign": "汇集活动",
    "cancellation_pool": "碳注销池",
    "charity": "公益单位",
    "clearing": "过渡账户",
    "department": "公共服务部门",
    "donation": "捐赠",
    "donation_campaign": "公益活动",
    "emitter": "控排单位",
    "exchange": "交易机构",
    "fee_income": "手续费收入",
    "fee_item": "收费项目",
    "fund_cash": "奖励资金",
    "fund_manager": "资金管理机构",
    "institution": "数据来源机构",
    "issuance": "签发账户",
    "market_escrow": "交易市场",
    "merchant": "商户",
    "merchant_grade": "商户评级",
    "neutralisation": "碳中和",
    "organisation": "机构",
    "payable": "应付账户",
    "person": "个人",
    "purchase": "购买",
    "regulator": "监管机构",
    "retirement": "注销账户",
    "sandbox_source": "沙箱来源",
    "staff": "工作人员",
}


def in_chinese(words: str) -> str:
    """A state or kind in Chinese; several between ``or`` or commas each; what is none of ours, as it is.

    >>> in_chinese("cancelled"), in_chinese("merchant or charity"), in_chinese("tea")
    ('已取消', '商户或公益单位', 'tea')
    """
    for between, joined in ((" or ", "或"), (", ", "、")):
        if between in words:
            return joined.join(in_chinese(word) for word in words.split(between))
    return STATES.get(words) or KINDS.get(words) or words
