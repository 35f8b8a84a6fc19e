"""What the API itself refuses, before or beside the rooms. No sentence repeats what was sent."""

from carbonhui.core.refusals import Refusal


class JsonInvalid(Refusal):
    """A body is one JSON object, read strictly (RFC 8259; I-JSON, RFC 7493)."""

    code = "json_invalid"
    sentence = "The body cannot be read as strict JSON: {reason}."
    sentence_zh = "请求正文不是严格的 JSON:{reason_zh}。"


class FieldsInvalid(Refusal):
    """Every field of a request is known, present where it must be, and in range."""

    code = "fields_invalid"
    sentence = "Fields of the request that cannot be used: {count}; `errors` names each."
    sentence_zh = "请求中有 {count} 个字段不可用;`errors` 逐一列出。"


class QueryInvalid(Refusal):
    """A query parameter is known, appears once, and is in range."""

    code = "query_invalid"
    sentence = "{count} query parameters cannot be used; `errors` names each."
    sentence_zh = "有 {count} 个查询参数不可用;`errors` 逐一列出。"


class HeaderInvalid(Refusal):
    """A header that the request gives cannot be read."""

    code = "header_invalid"
    sentence = "The header {header} cannot be used: {reason}."
    sentence_zh = "请求头 {header} 不可用:{reason_zh}。"


class RequestMalformed(Refusal):
    """A request is well-formed HTTP (RFC 9110)."""

    code = "request_malformed"
    sentence = "The request is not well-formed."
    sentence_zh = "请求格式不正确。"


class IdempotencyKeyMissing(Refusal):
    """Whatever changes something names its attempt (draft-ietf-httpapi-idempotency-key-header-07)."""

    code = "idempotency_key_missing"
    sentence = "This operation needs the header Idempotency-Key: a name of your own for this attempt, the same when you repeat it."
    sentence_zh = "本操作需要 Idempotency-Key 请求头:由您为本次请求取的名称,重试时保持不变。"


class IdempotencyKeyInvalid(Refusal):
    """A key is 1 to 128 plain characters."""

    code = "idempotency_key_invalid"
    sentence = "An Idempotency-Key is 1 to {longest} letters, digits and -._:~+/=, with or without quotation marks."
    sentence_zh = "Idempotency-Key 由 1 至 {longest} 个字母、数字及 -._:~+/= 组成,可带引号。"


class IdempotencyKeyReused(Refusal):
    """One key is one request: same method, same address, same body."""

    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was used for another request; a new request needs a new key."
    sentence_zh = "该 Idempotency-Key 已用于另一请求;新请求需要新的键。"


class RequestRunning(Refusal):
    """The first request under a key is answered before its repetition."""

    code = "request_running"
    sentence = "The first request under this Idempotency-Key is still running; repeat in a moment."
    sentence_zh = "使用该 Idempotency-Key 的首个请求仍在处理;请稍后重试。"


class NotFound(Refusal):
    """There is nothing at this address."""

    code = "not_found"
    sentence = "There is nothing at this address."
    sentence_zh = "该地址不存在任何内容。"


class MethodNotAllowed(Refusal):
    """An address answers to the methods in its Allow header."""

    code = "method_not_allowed"
    sentence = "This address does not answer to this method; the header Allow names those it answers to."
    sentence_zh = "该地址不支持此方法;Allow 响应头列出支持的方法。"


class NotAcceptable(Refusal):
    """The answer comes in one form, which the request must accept."""

    code = "not_acceptable"
    sentence = "This operation answers in {offered}, which the header Accept excludes."
    sentence_zh = "本操作以 {offered} 应答,而 Accept 请求头将其排除。"


class PreconditionFailed(Refusal):
    """What was to be changed is still what the caller saw (RFC 9110, section 13)."""

    code = "precondition_failed"
    sentence = "What you are changing has changed since you read it; read it again."
    sentence_zh = "要修改的内容在您读取后已变化;请重新读取。"


class PreconditionRequired(Refusal):
    """Whoever changes this says which state was seen (RFC 6585, section 3)."""

    code = "precondition_required"
    sentence = "This operation needs the header If-Match with the ETag that you read."
    sentence_zh = "本操作需要 If-Match 请求头,值为您读取到的 ETag。"


class BodyTooLarge(Refusal):
    """A body keeps within its limit, whether it says its length or comes in chunks."""

    code = "body_too_large"
    sentence = "The body is larger than {most} bytes."
    sentence_zh = "请求正文超过 {most} 字节。"


class BodySlow(Refusal):
    """A body arrives within its time."""

    code = "body_slow"
    sentence = "The body did not arrive in time."
    sentence_zh = "请求正文未及时送达。"


class MediaTypeUnsupported(Refusal):
    """A body comes in the form that the operation reads, without a content coding."""

    code = "media_type_unsupported"
    sentence = "This operation needs a body of {wanted}, without a content coding."
    sentence_zh = "本操作须有 {wanted} 格式的正文,不接受内容编码。"


class BodyUnexpected(Refusal):
    """An operation that reads no body is given none."""

    code = "body_unexpected"
    sentence = "This operation reads no body."
    sentence_zh = "本操作不读取请求正文。"


class TooManyRequests(Refusal):
    """Everybody keeps within a number of requests a minute."""

    code = "too_many_requests"
    sentence = "More than {most} requests came from you within a minute; wait {seconds} seconds."
    sentence_zh = "一分钟内您的请求超过 {most} 次;请等待 {seconds} 秒。"


class InternalError(Refusal):
    """Something that nobody foresaw; it is written down under the request's number."""

    code = "internal_error"
    sentence = "Something went wrong here that nobody foresaw. Nothing was done. Please report the request's number."
    sentence_zh = "服务器发生未预料的错误,未作任何更改。请报告请求编号。"


class ServiceUnavailable(Refusal):
    """The books cannot be reached just now."""

    code = "service_unavailable"
    sentence = "The books cannot be reached just now. Please repeat with the same Idempotency-Key in a moment."
    sentence_zh = "账簿暂时无法访问。请稍后以相同的 Idempotency-Key 重试。"
