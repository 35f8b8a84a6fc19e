"""What can be announced: a closed list, and the sentence that a person reads of each.

A payload holds numbers, yes and no, and short codes; never a person's data. Who
receives a notice asks the API for the rest, with their own rights.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

#: A thin payload leaves room below the 20 kB that Standard Webhooks 1.0.0 advises.
PAYLOAD_BYTES_MAX = 19_000

#: Words that name a personal field; a payload's key has none of them.
PERSONAL_WORDS = {
    "name", "mobile", "phone", "telephone", "email", "mail", "address", "birth", "birthday", "born", "id_number",
    "idcard", "identity", "identifier", "card", "meter", "plate", "latitude", "longitude", "lat", "lon", "place",
    "stop", "station", "contact", "guardian", "ward", "gender", "sex", "nation", "photo", "face", "password",
    "secret", "token", "code",
}  # fmt: skip
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TEXT = re.compile(r"[A-Za-z0-9_.:+-]{0,100}", re.ASCII)
#: A mobile number or an ID number, which would pass for a code.
_PERSONAL_TEXT = re.compile(r"(\+?86)?1[3-9][0-9]{9}|[0-9]{17}[0-9Xx]", re.ASCII)
_WHOLE_MAX = 2**53


@dataclass(frozen=True)
class Topic:
    """One kind of news: what it is called, and how it is told in a sentence over its facts."""

    name: str
    sentence: str
    sentence_zh: str

    @property
    def facts(self) -> frozenset[str]:
        """The keys that a payload of this topic has at least."""
        return frozenset(field for _, field, _, _ in Formatter().parse(self.sentence) if field)

    def text(self, facts: Mapping[str, Any], language: str = "en") -> str:
        """The sentence in ``"en"`` or ``"zh"``."""
        return (self.sentence_zh if language == "zh" else self.sentence).format(**facts)


_ALL = (
    Topic("ping", "This is a trial notice.", "这是一条测试通知。"),
    Topic("credit.minted", "You earned {credits} credits.", "您获得了 {credits} 碳惠。"),
    Topic("credit.received", "You received {credits} credits.", "您收到了 {credits} 碳惠。"),
    Topic("credit.spent", "You used {credits} credits.", "您使用了 {credits} 碳惠。"),
    Topic("activity.batch.received", "Batch {batch} was received.", "已收到批次 {batch}。"),
    Topic("consent.given", "You consented to the use of {source}.", "您已同意使用 {source} 数据。"),
    Topic("consent.withdrawn", "You withdrew your consent to the use of {source}.", "您已撤回对使用 {source} 数据的同意。"),
    Topic(
        "consent.text_changed",
        "The text of your consent to the use of {source} has changed. Nothing more is used until you agree to the new one.",
        "您对使用 {source} 数据所同意的文本已变更。在您同意新文本之前,不再使用该数据。",
    ),
    Topic("link.begun", "An identifier of the kind {scheme} now counts for you.", "一个 {scheme} 类标识已归属于您。"),
    Topic("link.ended", "An identifier of the kind {scheme} no longer counts for you.", "一个 {scheme} 类标识已不再归属于您。"),
    Topic("device.signed_in", "Your account was opened on a new device.", "您的账户已在新设备上登录。"),
    Topic("device.signed_out", "A device was signed out of your account.", "一台设备已退出您的账户。"),
    Topic("mobile.changed", "Your mobile number was changed.", "您的手机号已变更。"),
    Topic("person.proven", "Your name and number were confirmed.", "您的实名信息已核验。"),
    Topic("person.export_ready", "The copy of your data is ready.", "您的数据副本已生成。"),
    Topic("organisation.applied", "Organisation {organisation} applied.", "机构 {organisation} 已申请。"),
    Topic("organisation.approved", "Organisation {organisation} was approved.", "机构 {organisation} 已获批准。"),
    Topic("organisation.suspended", "Organisation {organisation} was suspended.", "机构 {organisation} 已暂停。"),
    Topic("organisation.resumed", "Organisation {organisation} was resumed.", "机构 {organisation} 已恢复。"),
    Topic("organisation.closed", "Organisation {organisation} was closed.", "机构 {organisation} 已关闭。"),
    Topic(
        "webhook.disabled", "Endpoint {endpoint} answered that it is gone; it is told nothing more.",
        "接收地址 {endpoint} 答复已停用;不再向其发送通知。",
    ),
    Topic("job.failed", "The job {job} failed: {reason}.", "任务 {job} 失败:{reason}。"),
    Topic("books.broken", "{rows} rows break the checks of the books.", "账簿核对发现 {rows} 行不符。"),
)  # fmt: skip
TOPICS: dict[str, Topic] = {topic.name: topic for topic in _ALL}
#: A trial notice goes to whom it is for, and cannot be subscribed to.
SUBSCRIBABLE = tuple(name for name in TOPICS if name != "ping")


def checked_payload(topic: str, payload: Mapping[str, Any]) -> str:
    """The payload as JSON. What is wrong with it is our own mistake, so it is asserted."""
    assert topic in TOPICS, f"{topic} is not a topic"
    assert TOPICS[topic].facts <= payload.keys(), f"{topic} needs {sorted(TOPICS[topic].facts)}"
    for key, value in payload.items():
        _check_key(topic, key)
        for one in value if isinstance(value, list) else [value]:
            assert _is_plain(one), f"{topic}: {key} is not a whole number, yes or no, or a code"
    text = json.dumps(payload, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    assert len(text) <= PAYLOAD_BYTES_MAX, f"{topic}: {len(text)} bytes"
    return text


def _check_key(topic: str, key: str) -> None:
    assert _KEY.fullmatch(key), f"{topic}: {key!r} is not a key"
    words = {key, *key.split("_")}
    assert not words & PERSONAL_WORDS, f"{topic}: {key} names a personal field"


def _is_plain(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) < _WHOLE_MAX
    return isinstance(value, str) and bool(_TEXT.fullmatch(value)) and not _PERSONAL_TEXT.fullmatch(value)
