"""What the notifications room refuses. No sentence says which address a name leads to: that is the network's own affair."""

from carbonhui.core.refusals import Refusal


class EndpointInvalid(Refusal):
    """An endpoint is an https address with a host name and nothing hidden in it."""

    code = "webhook_address_invalid"
    sentence = (
        "{url} cannot be an endpoint; it must be an https:// address of at most 2,000 plain characters, with a host, on port 443 "
        "or above 1023, without user name, password or fragment."
    )
    sentence_zh = (
        "{url} 不能作为接收地址;须为不超过 2,000 个可见 ASCII 字符的 https:// 地址,含主机名,端口为 443 或大于 1023,不含用户名、密码或片段。"
    )


class HostRefused(Refusal):
    """Notices go to the public internet only, never into the city's own network (OWASP API7:2023)."""

    code = "webhook_host_refused"
    sentence = "The host {host} cannot be told: its name must lead to public internet addresses, and to no others."
    sentence_zh = "无法向主机 {host} 发送通知:其域名须仅解析到公共互联网地址。"


class TopicUnknown(Refusal):
    """The topics that can be subscribed to are a closed list."""

    code = "webhook_topic_unknown"
    sentence = "There is no topic {topic}; there are {known}."
    sentence_zh = "没有主题 {topic};可选:{known}。"


class TopicsMissing(Refusal):
    """An endpoint is told something."""

    code = "webhook_topics_missing"
    sentence = "An endpoint is subscribed to at least one topic; there are {known}."
    sentence_zh = "接收地址至少须订阅一个主题;可选:{known}。"


class EndpointsTooMany(Refusal):
    """An organisation has a few endpoints, not hundreds."""

    code = "webhook_endpoints_too_many"
    sentence = "Organisation {organisation} has {most} endpoints already, which is the most; remove one first."
    sentence_zh = "机构 {organisation} 已有 {most} 个接收地址,已达上限;请先移除一个。"


class EndpointUnknown(Refusal):
    """No endpoint of the organisation has this number."""

    code = "webhook_endpoint_unknown"
    sentence = "There is no endpoint {endpoint}."
    sentence_zh = "没有接收地址 {endpoint}。"


class EndpointNotActive(Refusal):
    """What a receiver no longer wants is not sent to it."""

    code = "webhook_endpoint_not_active"
    sentence = "Endpoint {endpoint} is {state}; only an active endpoint is told anything."
    sentence_zh = "接收地址 {endpoint} 的状态为{state_zh};只向状态正常的地址发送通知。"


class DeliveryUnknown(Refusal):
    """No delivery of the organisation has this number."""

    code = "webhook_delivery_unknown"
    sentence = "There is no delivery {delivery}."
    sentence_zh = "没有投递记录 {delivery}。"


class DeliveryNotDead(Refusal):
    """Only what was given up is tried again by hand."""

    code = "webhook_delivery_not_dead"
    sentence = "Delivery {delivery} is {state}; only a dead one is replayed."
    sentence_zh = "投递记录 {delivery} 的状态为{state_zh};只能重放投递失败的记录。"
