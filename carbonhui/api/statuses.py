"""Which HTTP status a refusal's code answers with; a code that is not here answers 422."""

from http import HTTPStatus

REFUSED = 422

STATUSES: dict[str, int] = {
    # The API's own.
    "json_invalid": 400,
    "query_invalid": 400,
    "header_invalid": 400,
    "request_malformed": 400,
    "cursor_invalid": 400,
    "idempotency_key_missing": 400,
    "idempotency_key_invalid": 400,
    "body_unexpected": 400,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "body_slow": 408,
    "request_running": 409,
    "precondition_failed": 412,
    "body_too_large": 413,
    "media_type_unsupported": 415,
    "fields_invalid": 422,
    "idempotency_key_reused": 422,
    "precondition_required": 428,
    "too_many_requests": 429,
    "internal_error": 500,
    "service_unavailable": 503,
    "database_busy": 503,
    "database_unreachable": 503,
    # Who is calling.
    "not_signed_in": 401,
    "token_expired": 401,
    "signature_invalid": 401,
    "signature_replayed": 401,
    "not_allowed": 403,
    # Proofs that do not hold.
    "refresh_refused": 401,
    "staff_not_accepted": 401,
    "code_asked_too_often": 429,
    "identity_tried_too_often": 429,
    "bill_tried_too_often": 429,
    "code_not_sent": 503,
    # What is not there, or not the caller's to know of.
    "not_guardian": 404,
    "bill_unknown": 404,
    "charge_unknown": 404,
    "sandbox_payer_unknown": 404,
    "consent_text_missing": 404,
    "consent_not_given": 404,
    # What a role does not let its holder do.
    "organisation_role_missing": 403,
    "role_missing": 403,
    "own_step": 403,
    "own_countersignature": 403,
    "profile_not_entrusted": 403,
    "minor_needs_approver": 403,
    "merchant_not_trading": 403,
    "payer_kind_refused": 403,
    "not_permitted": 403,
    # What is so already, or not so any more.
    "mobile_taken": 409,
    "id_number_taken": 409,
    "real_name_already_proven": 409,
    "already_guardian": 409,
    "identifier_linked": 409,
    "claim_already_asked": 409,
    "consent_text_changed": 409,
    "member_already": 409,
    "organisation_already_there": 409,
    "step_already_proposed": 409,
    "alliance_unchanged": 409,
    "till_label_taken": 409,
    "offer_published": 409,
    "offer_stock_taken": 409,
    "asked_already": 409,
    "gift_not_waiting": 409,
    "request_not_waiting": 409,
    "request_waits_already": 409,
    "delivered_by_another": 409,
    "pool_already_over": 409,
    "campaign_decided": 409,
    "use_already_recorded": 409,
    "charge_not_awaiting": 409,
    "charge_settled": 409,
    "charge_state_differs": 409,
    "out_refund_no_reused": 409,
    "out_trade_no_reused": 409,
    "payment_code_used": 409,
    "bill_offset_before": 409,
    "bill_number_reused": 409,
    "bill_taken_back": 409,
    "offset_purchased": 409,
    "offset_undone_before": 409,
    "fee_item_already_there": 409,
    "fee_item_not_waiting": 409,
    # What was here and is not any more.
    "refused_rows_gone": 410,
    # What others are doing just now.
    "consent_busy": 503,
    "source_busy": 503,
}

#: Seconds after which a refused request may well succeed.
RETRY_AFTER = {
    "request_running": 1, "service_unavailable": 2, "database_busy": 1, "database_unreachable": 5,
    "consent_busy": 5, "source_busy": 2, "code_not_sent": 60,
}  # fmt: skip

TITLES_ZH = {
    400: "请求无效", 401: "需要登录", 403: "无权访问", 404: "未找到", 405: "方法不支持", 406: "无法按要求应答",
    408: "请求超时", 409: "冲突", 410: "已不存在", 411: "缺少长度", 412: "前提条件不符", 413: "正文过大", 414: "地址过长",
    415: "正文类型不支持", 417: "期望不符", 422: "请求被拒绝", 423: "已锁定", 428: "缺少前提条件", 429: "请求过多",
    431: "请求头过大", 500: "服务器错误", 503: "服务暂不可用",
}  # fmt: skip


def title_of(status: int, language: str) -> str:
    """The status in words.

    >>> title_of(404, "en"), title_of(404, "zh")
    ('Not Found', '未找到')
    """
    if language == "zh" and status in TITLES_ZH:
        return TITLES_ZH[status]
    return HTTPStatus(status).phrase
