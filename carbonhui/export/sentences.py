"""What a movement is to the holder of one of its two accounts, in a sentence (Articles 17-22).

The purpose says what happened, the side says who it happened to, the counterpart says
with whom: organisations and the system by name, persons by none. A sentence holds no
reference and nothing that anybody wrote freely.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from carbonhui import policy
from carbonhui.core.database import connection_of
from carbonhui.ledger import CNY, SANDBOX, Kind, Purpose


@dataclass(frozen=True)
class Sentence:
    """One sentence in both languages; the Chinese calls a credit as the city does."""

    en: str
    zh: str

    def text(self, language: str) -> str:
        """The sentence in ``"en"`` or ``"zh"``."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Movement:
    """One transfer as the holder of ``account`` sees it: ``amount`` is negative when it gave.

    ``undone_on`` is the day of the movement that it undoes, ``certificate`` the number of what it retired for.
    """

    purpose: Purpose
    amount: int
    asset: int
    kind: Kind
    name: str | None
    undone_on: date | None = None
    certificate: str | None = None


_GAVE, _GOT = 0, 1
#: What each purpose is to who gave and to who got: ``{n}`` is the amount with its unit, ``{who}`` the counterpart.
_SAID: dict[Purpose, tuple[tuple[str, str], tuple[str, str]]] = {
    Purpose.MINT: (
        ("You minted {n} for {who}.", "您为{who}签发 {n}。"),
        ("You earned {n} for what you avoided.", "您因减排获得 {n}。"),
    ),
    Purpose.GIVE: (
        ("You gave {n} to {who}.", "您赠送{who} {n}。"),
        ("You were given {n} by {who}.", "您收到{who}赠送的 {n}。"),
    ),
    Purpose.REDEEM: (
        ("You paid {n} at {who}.", "您在{who}支付 {n}。"),
        ("You were paid {n} by {who}.", "您收到{who}支付的 {n}。"),
    ),
    Purpose.REFUND: (
        ("You gave back {n} to {who}.", "您退还{who} {n}。"),
        ("{n} came back to you from {who}.", "{who}退还您 {n}。"),
    ),
    Purpose.SETTLE: (
        ("Settled: {n} that you had received left circulation.", "已结算:您收到的 {n}退出流通。"),
        ("Settled: {n} of {who} left circulation.", "已结算:{who}的 {n}退出流通。"),
    ),
    Purpose.OFFSET: (
        ("You paid part of a bill of {who} with {n}.", "您以 {n}抵用{who}的部分账单。"),
        ("You were paid {n} towards a bill by {who}.", "{who}以 {n}抵用部分账单。"),
    ),
    Purpose.DONATE: (
        ("You donated {n} to {who}.", "您向{who}捐赠 {n}。"),
        ("You were donated {n} by {who}.", "您收到{who}捐赠的 {n}。"),
    ),
    Purpose.RETIRE: (
        ("You retired {n} against emissions, for good.", "您永久注销 {n}以中和排放。"),
        ("{who} retired {n} against emissions, for good.", "{who}永久注销 {n}以中和排放。"),
    ),
    Purpose.PAR_PURCHASE: (
        ("You gave {n} to {who} in the reward fund's purchase at par.", "在奖励资金按面值收购中,您向{who}付出 {n}。"),
        ("You received {n} from {who} in the reward fund's purchase at par.", "在奖励资金按面值收购中,您从{who}收到 {n}。"),
    ),
    Purpose.FUND_BUDGET: (
        ("You gave {n} to {who} as budget of the reward fund.", "您向{who}拨付奖励资金预算 {n}。"),
        ("You received {n} from {who} as budget of the reward fund.", "您从{who}收到奖励资金预算 {n}。"),
    ),
    Purpose.CORRECT: (
        ("A movement was corrected: you gave {n} back to {who}.", "更正:您退还{who} {n}。"),
        ("A movement was corrected: {who} gave you {n} back.", "更正:{who}退还您 {n}。"),
    ),
    Purpose.ABANDON: (
        ("{n} went to the cancellation pool when an account was closed.", "因账户关闭,{n}转入碳注销池。"),
        ("{n} came from {who} when an account was closed.", "因账户关闭,{who}的 {n}转入。"),
    ),
    Purpose.EXPIRE: (
        ("{n} expired and left circulation.", "{n}已过期并退出流通。"),
        ("{n} of {who} expired and left circulation.", "{who}的 {n}已过期并退出流通。"),
    ),
    Purpose.CONTRIBUTE: (
        ("You put {n} into a pool.", "您向汇集活动投入 {n}。"),
        ("{who} put {n} into your pool.", "{who}向您的汇集活动投入 {n}。"),
    ),
    Purpose.RETURN: (
        ("{n} of your pool went back to {who}.", "您的汇集活动向{who}退回 {n}。"),
        ("{n} came back to you from a pool.", "汇集活动退回您 {n}。"),
    ),
    Purpose.SANDBOX_GRANT: (
        ("You lent {who} {n} to try with.", "您向{who}发放 {n}用于测试。"),
        ("You have {n} to try with.", "您获得 {n}用于测试。"),
    ),
}  # fmt: skip

#: How a counterpart without a name is told. An organisation whose register entry is not there is told by its kind.
_NAMELESS: dict[Kind, tuple[str, str]] = {
    Kind.PERSON: ("somebody", "一位用户"),
    Kind.MERCHANT: ("a merchant", "一家商户"),
    Kind.DEPARTMENT: ("a department", "一个部门"),
    Kind.CHARITY: ("a charity", "一家公益单位"),
    Kind.ORGANISATION: ("an organisation", "一家机构"),
    Kind.CAMPAIGN: ("a pool", "一个汇集活动"),
}
#: The system's own accounts, which are told by what they are and never by the name that the books keep.
_SYSTEM: dict[Kind, tuple[str, str]] = {
    Kind.ISSUANCE: ("the city", "本市"),
    Kind.CANCELLATION_POOL: ("the cancellation pool", "碳注销池"),
    Kind.RETIREMENT: ("retirement", "注销账户"),
    Kind.MARKET_ESCROW: ("the market", "交易市场"),
    Kind.FEE_INCOME: ("fee income", "手续费收入"),
    Kind.FUND_CASH: ("the reward fund", "奖励资金"),
    Kind.BANK: ("the bank", "银行"),
    Kind.PAYABLE: ("the payable account", "应付账户"),
    Kind.CLEARING: ("somebody", "一位用户"),
    Kind.SANDBOX_SOURCE: ("the sandbox", "沙箱"),
}
_UNITS = {CNY: ("fen", "fen", "分"), SANDBOX: ("sandbox credit", "sandbox credits", "沙箱碳惠")}
_CREDITS = ("credit", "credits", "碳惠")
_UNDONE = (
    ("The movement of {day} was undone: you gave {n} back to {who}.", "{day} 的变动已撤销:您退还{who} {n}。"),
    ("The movement of {day} was undone: {who} gave you {n} back.", "{day} 的变动已撤销:{who}退还您 {n}。"),
)


def sentence_of(movement: Movement, city: str) -> Sentence:
    """What a movement is to its holder, in the words of a city.

    >>> paid = Movement(Purpose.REDEEM, -12, 1, Kind.MERCHANT, "珠江茶馆")
    >>> sentence_of(paid, "guangzhou").en, sentence_of(paid, "fuzhou").zh
    ('You paid 12 credits at 珠江茶馆.', '您在珠江茶馆支付 12 碳币。')
    """
    side = _GAVE if movement.amount < 0 else _GOT
    told = _UNDONE[side] if movement.undone_on is not None else _SAID[movement.purpose][side]
    one, many, zh = _UNITS.get(movement.asset, _CREDITS)
    count = abs(movement.amount)
    who = _named(movement.kind, movement.name)
    english = told[0].format(n=f"{count:,} {one if count == 1 else many}", who=who[0], day=movement.undone_on)
    # The name is put in last: a teahouse may be called 碳惠 anywhere.
    chinese = told[1].format(n=f"{count:,} {policy.called(zh, city)}", who=who[1], day=movement.undone_on)
    if movement.certificate is not None:
        english, chinese = f"{english[:-1]} (certificate {movement.certificate}).", f"{chinese[:-1]}(证书 {movement.certificate})。"
    return Sentence(english[0].upper() + english[1:], chinese)


def _named(kind: Kind, name: str | None) -> tuple[str, str]:
    if kind in _SYSTEM:
        return _SYSTEM[kind]
    return (name, name) if name and kind not in (Kind.PERSON, Kind.CAMPAIGN) else _NAMELESS[kind]


_MOVEMENTS = """
SELECT t.id, t.purpose, CASE WHEN t.credit = %(account)s THEN t.amount ELSE -t.amount END, t.asset, a.kind, coalesce(o.name, a.name),
       r.business_date, c.number
FROM transfer t JOIN account a ON a.id = CASE WHEN t.credit = %(account)s THEN t.debit ELSE t.credit END
LEFT JOIN organisation o ON a.id IN (o.account_id, o.cash_account_id)
LEFT JOIN transfer r ON r.id = t.reverses LEFT JOIN certificate c ON c.transfer_id = t.id
WHERE t.id = ANY (%(transfers)s)
"""


def sentences_of(session: Session, account: int, transfers: list[int], *, city: str) -> dict[int, Sentence]:
    """The sentence of each of an account's transfers, by the transfer's number."""
    rows = connection_of(session).execute(_MOVEMENTS, {"account": account, "transfers": transfers})
    return {
        row[0]: sentence_of(Movement(Purpose(row[1]), row[2], row[3], Kind(row[4]), *row[5:]), city)
        for row in rows
    }
