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
    Topic("gift.waiting", "{credits} credits wait for you as a gift, until {until}.", "有一份 {credits} 碳惠的赠送等待您接受,截至 {until}。"),
    Topic("gift.accepted", "Your gift of {credits} credits was accepted.", "您赠送的 {credits} 碳惠已被接受。"),
    Topic("gift.made", "You gave {credits} credits.", "您赠送了 {credits} 碳惠。"),
    Topic("gift.sent", "{credits} credits are kept for your gift until {until}.", "您赠送的 {credits} 碳惠已预留,等待对方接受,截至 {until}。"),
    Topic("gift.declined", "Your gift of {credits} credits was declined; they are yours to use.", "您赠送的 {credits} 碳惠被谢绝,已退回给您。"),
    Topic("gift.lapsed", "Nobody took your gift of {credits} credits in time; they are yours to use.", "您赠送的 {credits} 碳惠逾期未被接受,已退回给您。"),
    Topic("gift.cancelled", "A gift of {credits} credits that waited for you was taken back.", "等待您接受的 {credits} 碳惠赠送已被撤回。"),
    Topic("request.received", "Somebody asks you for {credits} credits, until {until}.", "有人向您请求 {credits} 碳惠,截至 {until}。"),
    Topic("request.accepted", "You were given the {credits} credits that you asked for.", "您请求的 {credits} 碳惠已获对方赠送。"),
    Topic("request.declined", "Your request for {credits} credits was declined.", "您请求 {credits} 碳惠被谢绝。"),
    Topic("request.lapsed", "Nobody answered your request for {credits} credits in time.", "您请求 {credits} 碳惠逾期未获答复。"),
    Topic("request.cancelled", "A request to you for {credits} credits was taken back.", "向您请求 {credits} 碳惠的请求已被撤回。"),
    Topic("credit.returned", "{credits} credits came back to you.", "{credits} 碳惠已退回给您。"),
    Topic("credit.expired", "{credits} credits of {vintage} expired.", "{vintage} 年的 {credits} 碳惠已过期。"),
    Topic("pool.contributed", "You put {credits} credits into a pool.", "您向汇集活动投入了 {credits} 碳惠。"),
    Topic("pool.reached", "A pool reached its goal of {goal_credits} credits.", "汇集活动已达到 {goal_credits} 碳惠的目标。"),
    Topic("pool.missed", "A pool missed its goal of {goal_credits} credits; what was put in goes back.", "汇集活动未达到 {goal_credits} 碳惠的目标,投入的碳惠将退回。"),
    Topic("pool.used", "A pool of {goal_credits} credits that you put some into is being used.", "您参与投入的 {goal_credits} 碳惠汇集活动已开始使用。"),
    Topic("payment.authorised", "{credits} credits are kept for a payment.", "{credits} 碳惠已为一笔支付预留。"),
    Topic("payment.made", "You paid {credits} credits.", "您支付了 {credits} 碳惠。"),
    Topic("payment.declined", "A payment of {credits} credits was not made: you hold too few, or your limits or your account do not let it be.", "一笔 {credits} 碳惠的支付未完成:可用碳惠不足,或超出您设定的限额,或账户受限。"),
    Topic("payment.released", "{credits} credits that were kept for a payment are free again.", "为支付预留的 {credits} 碳惠已释放。"),
    Topic("payment.refunded", "A merchant gave back {credits} credits.", "商户退回了 {credits} 碳惠。"),
    Topic("charge.authorised", "Charge {trade} is authorised: {credits} credits.", "交易 {trade} 已授权:{credits} 碳惠。"),
    Topic("charge.captured", "Charge {trade} is captured: {credits} credits.", "交易 {trade} 已收款:{credits} 碳惠。"),
    Topic("charge.voided", "Charge {trade} is voided.", "交易 {trade} 已撤销。"),
    Topic("charge.closed", "Charge {trade} is closed.", "交易 {trade} 已关闭。"),
    Topic("charge.refunded", "{credits} credits of charge {trade} were refunded.", "交易 {trade} 已退款 {credits} 碳惠。"),
    Topic("settlement.made", "{credits} credits were settled for {on}.", "{on} 已结算 {credits} 碳惠。"),
    Topic("merchant.graded", "The merchant's grade is {grade} from {from_day} on.", "商户评级自 {from_day} 起为 {grade}。"),
    Topic("bill.item_decided", "Fee item {item}: {outcome}.", "收费项目 {item}:{outcome}。"),
    Topic("bill.presented", "A bill of {total_fen} fen is there for you.", "您有一张 {total_fen} 分的账单。"),
    Topic("bill.offset", "{credits} credits paid {offset_fen} fen of a bill.", "账单已用 {credits} 碳惠抵用 {offset_fen} 分。"),
    Topic("bill.undone", "A bill was taken back: {credits} credits came back to you.", "账单已撤回,{credits} 碳惠已退回给您。"),
    Topic("bill.taken_back", "A bill of {total_fen} fen was taken back.", "一张 {total_fen} 分的账单已撤回。"),
    Topic("donation.made", "You donated {credits} credits.", "您捐赠了 {credits} 碳惠。"),
    Topic("donation.campaign_decided", "Campaign {campaign}: {outcome}.", "公益活动 {campaign}:{outcome}。"),
    Topic("certificate.issued", "Certificate {certificate}: {credits} credits are retired for good.", "证书 {certificate}:{credits} 碳惠已永久注销。"),
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
