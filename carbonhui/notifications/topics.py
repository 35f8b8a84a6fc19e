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
        """The sentence in ``"en"`` or ``"zh"``; credits and money with their units.

        >>> TOPICS["bill.offset"].text({"credits": 1, "offset_fen": 20})
        '1 credit paid 0.20 yuan of a bill.'
        >>> TOPICS["bill.presented"].text({"total_fen": 880_000}, "zh")
        '您有一张 8,800.00 元的账单。'
        """
        told = {name: _told(name, fact, language) for name, fact in facts.items()}
        return (self.sentence_zh if language == "zh" else self.sentence).format(**told)


#: How a decision is told; programs read the word in the payload.
_OUTCOMES = {"approved": "已批准", "refused": "未获批准"}


def _told(name: str, fact: Any, language: str) -> Any:
    """One fact of a payload as a person reads it: an amount with its unit, a decision in words."""
    chinese = language == "zh"
    if name in ("credits", "goal_credits"):
        unit = "碳惠" if chinese else "credit" if fact == 1 else "credits"
        return f"{fact:,} {unit}"
    if name.endswith("_fen"):
        return f"{fact // 100:,}.{fact % 100:02} {'元' if chinese else 'yuan'}"
    return _OUTCOMES.get(fact, fact) if name == "outcome" and chinese else fact


_ALL = (
    Topic("ping", "This is a trial notice.", "这是一条测试通知。"),
    Topic("credit.minted", "You earned {credits}.", "您获得了 {credits}。"),
    Topic("credit.received", "You received {credits}.", "您收到了 {credits}。"),
    Topic("credit.spent", "You used {credits}.", "您使用了 {credits}。"),
    Topic("gift.waiting", "A gift of {credits} waits for you until {until}.", "有一份 {credits}的赠送等待您接受,有效期至 {until}。"),
    Topic("gift.accepted", "Your gift of {credits} was accepted.", "您赠送的 {credits}已被接受。"),
    Topic("gift.made", "You gave {credits}.", "您赠送了 {credits}。"),
    Topic("gift.sent", "Your gift of {credits} waits for its receiver until {until}.", "您赠送的 {credits}已预留,等待对方接受,有效期至 {until}。"),
    Topic("gift.declined", "Your gift of {credits} was declined; it is yours to use again.", "您赠送的 {credits}被谢绝,已退回给您。"),
    Topic("gift.lapsed", "Nobody took your gift of {credits} in time; it is yours to use again.", "您赠送的 {credits}逾期未被接受,已退回给您。"),
    Topic("gift.cancelled", "A gift of {credits} that waited for you was taken back.", "等待您接受的 {credits}赠送已被撤回。"),
    Topic("request.received", "Somebody asks you for {credits}, until {until}.", "有人向您请求 {credits},有效期至 {until}。"),
    Topic("request.accepted", "You were given the {credits} that you asked for.", "对方已应您的请求赠送 {credits}。"),
    Topic("request.declined", "Your request for {credits} was declined.", "您请求 {credits},已被对方谢绝。"),
    Topic("request.lapsed", "Nobody answered your request for {credits} in time.", "您请求 {credits},对方逾期未答复。"),
    Topic("request.cancelled", "A request to you for {credits} was taken back.", "对方曾向您请求 {credits},现已撤回。"),
    Topic("credit.returned", "{credits} came back to you.", "{credits}已退回给您。"),
    Topic("credit.expired", "{credits} of {vintage} expired.", "{vintage} 年的 {credits}已过期。"),
    Topic("pool.contributed", "You put {credits} into a pool.", "您向汇集活动投入了 {credits}。"),
    Topic("pool.reached", "A pool reached its goal of {goal_credits}.", "汇集活动已达到 {goal_credits}的目标。"),
    Topic("pool.missed", "A pool missed its goal of {goal_credits}; what was put in goes back.", "汇集活动未达到 {goal_credits}的目标,投入的碳惠将退回。"),
    Topic("pool.used", "A pool of {goal_credits} that you put some into is being used.", "您参与投入的 {goal_credits}汇集活动已开始使用。"),
    Topic("payment.authorised", "A payment of {credits} is authorised; so much is kept for it.", "{credits}已为一笔支付预留。"),
    Topic("payment.made", "You paid {credits}.", "您支付了 {credits}。"),
    Topic("payment.declined", "A payment of {credits} was not made: you hold too few, or your limits or your account do not let it be.", "一笔 {credits}的支付未完成:可用碳惠不足,或超出您设定的限额,或账户受限。"),
    Topic("payment.released", "What was kept for a payment is free again: {credits}.", "为支付预留的 {credits}已解除预留,可再使用。"),
    Topic("payment.refunded", "A merchant gave back {credits}.", "商户退回了 {credits}。"),
    Topic("charge.authorised", "Charge {trade} is authorised: {credits}.", "交易 {trade} 已授权:{credits}。"),
    Topic("charge.captured", "Charge {trade} is captured: {credits}.", "交易 {trade} 已收款:{credits}。"),
    Topic("charge.voided", "Charge {trade} is voided.", "交易 {trade} 已撤销。"),
    Topic("charge.closed", "Charge {trade} is closed.", "交易 {trade} 已关闭。"),
    Topic("charge.refunded", "Refunded of charge {trade}: {credits}.", "交易 {trade} 已退款 {credits}。"),
    Topic("settlement.made", "Settled for {on}: {credits}.", "{on} 已结算 {credits}。"),
    Topic("merchant.graded", "The merchant's grade is {grade} from {from_day} on.", "商户评级自 {from_day} 起为 {grade}。"),
    Topic("bill.item_decided", "Fee item {item}: {outcome}.", "收费项目 {item}:{outcome}。"),
    Topic("bill.presented", "A bill of {total_fen} is there for you.", "您有一张 {total_fen}的账单。"),
    Topic("bill.offset", "{credits} paid {offset_fen} of a bill.", "账单已用 {credits}抵用 {offset_fen}。"),
    Topic("bill.undone", "A bill was taken back: {credits} came back to you.", "账单已撤回,{credits}已退回给您。"),
    Topic("bill.taken_back", "A bill of {total_fen} was taken back.", "一张 {total_fen}的账单已撤回。"),
    Topic("donation.made", "You donated {credits}.", "您捐赠了 {credits}。"),
    Topic("donation.campaign_decided", "Campaign {campaign}: {outcome}.", "公益活动 {campaign}:{outcome}。"),
    Topic("certificate.issued", "Certificate {certificate}: {credits} retired for good.", "证书 {certificate}:{credits}已永久注销。"),
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
