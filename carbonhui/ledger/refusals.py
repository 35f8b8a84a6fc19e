"""What the books refuse, sentence by sentence."""

import json

import psycopg

from carbonhui.core.refusals import Refusal


class AccountUnknown(Refusal):
    """No account has this number or name."""

    code = "account_unknown"
    sentence = "There is no account {account}."
    sentence_zh = "没有账户 {account}。"


class AccountClosed(Refusal):
    """A closed account neither gives nor receives."""

    code = "account_closed"
    sentence = "Account {account} is closed; it neither gives nor receives."
    sentence_zh = "账户 {account} 已关闭,不能转出或转入。"


class AccountNotEmpty(Refusal):
    """Only an empty account can be closed."""

    code = "account_not_empty"
    sentence = "Account {account} still holds {posted}; it can be closed once it holds none."
    sentence_zh = "账户 {account} 仍有余额 {posted};清空后方可关闭。"


class AccountNeverSends(Refusal):
    """Nothing leaves the cancellation pool or retirement (Articles 19, 20, 22)."""

    code = "account_never_sends"
    sentence = "Nothing ever leaves account {account}."
    sentence_zh = "账户 {account} 只进不出。"


class AccountNeverReceives(Refusal):
    """Credits never go back to where they were minted."""

    code = "account_never_receives"
    sentence = "Account {account} never receives."
    sentence_zh = "账户 {account} 不接收任何转入。"


class AssetDiffers(Refusal):
    """Credits move between credit accounts and fen between cash accounts."""

    code = "asset_differs"
    sentence = "Account {account} does not hold {asset}."
    sentence_zh = "账户 {account} 不持有 {asset}。"


class KindDiffers(Refusal):
    """Each verb has its kind of receiver: one redeems at merchants and donates to charities."""

    code = "account_kind_differs"
    sentence = "Account {account} belongs to a {kind}; a {wanted} is needed here."
    sentence_zh = "账户 {account} 属于{kind_zh};此处需要{wanted_zh}。"


class SourceNeverPromises(Refusal):
    """The bank and the mint are boundless; there is nothing to promise of them."""

    code = "source_never_promises"
    sentence = "Account {account} is a source; credits and money of a source are moved, never promised."
    sentence_zh = "账户 {account} 是来源账户;只能转出,不能预留。"


class LimitOnReceiver(Refusal):
    """Only accounts whose every receipt is tested can have a limit (Article 30)."""

    code = "limit_on_receiver"
    sentence = "Account {account} belongs to a {kind}, whose receipts are folded later; it cannot have a holding limit."
    sentence_zh = "账户 {account} 属于{kind_zh},其收入延后汇总,不能设持有上限。"


class AccountNameTaken(Refusal):
    """An organisation's account has a name of its own."""

    code = "account_name_taken"
    sentence = "There is already an account named {name}."
    sentence_zh = "已有名为 {name} 的账户。"


class TransferUnknown(Refusal):
    """No transfer has this number."""

    code = "transfer_unknown"
    sentence = "There is no transfer {transfer}."
    sentence_zh = "没有转账 {transfer}。"


class NotReversible(Refusal):
    """What a room keeps a record of is undone by that room, so that record and books stay one."""

    code = "not_reversible"
    sentence = "Transfer {transfer} is a {purpose}; it is not undone by a bare correction."
    sentence_zh = "转账 {transfer} 的用途为 {purpose},不能以单笔更正撤销。"


class SelfTransfer(Refusal):
    """A transfer is between two accounts."""

    code = "self_transfer"
    sentence = "Account {account} was named on both sides; a transfer is between two accounts."
    sentence_zh = "转出与转入均为账户 {account};转账须在两个账户之间进行。"


class NotEnough(Refusal):
    """An account gives at most what it has and has not promised."""

    code = "not_enough"
    sentence = "{asked} were asked of account {account}, and {available} are available."
    sentence_zh = "账户 {account} 可用余额为 {available},不足 {asked}。"


class AboveHoldingLimit(Refusal):
    """An account holds at most its limit (Article 30)."""

    code = "above_holding_limit"
    sentence = "Account {account} holds {held} and would receive {asked}; it may hold at most {limit}."
    sentence_zh = "账户 {account} 已持有 {held},将转入 {asked};持有上限为 {limit}。"


class ReferenceReused(Refusal):
    """One reference has one effect; with other words it is refused."""

    code = "reference_reused"
    sentence = "The reference {reference} was used before with other words; choose a new one for a new movement."
    sentence_zh = "编号 {reference} 此前已用于不同内容;新的操作请使用新的编号。"


class ReferenceInvalid(Refusal):
    """A reference is 1 to 200 printable ASCII characters without spaces."""

    code = "reference_invalid"
    sentence = "{reference} is not a reference; it must be 1 to 200 printable ASCII characters without spaces."
    sentence_zh = "{reference} 不是有效编号;编号须为 1 至 200 个不含空格的可见 ASCII 字符。"


class HoldUnknown(Refusal):
    """No hold has this number."""

    code = "hold_unknown"
    sentence = "There is no hold {hold}."
    sentence_zh = "没有预留 {hold}。"


class HoldNotOpen(Refusal):
    """A promise that was kept, let go or has run out cannot be captured."""

    code = "hold_not_open"
    sentence = "Hold {hold} is {state}; only an open hold can be captured."
    sentence_zh = "预留 {hold} 的状态为{state_zh};只有有效的预留才能扣款。"


class CaptureAboveHold(Refusal):
    """At most what was promised can be captured."""

    code = "capture_above_hold"
    sentence = "{asked} was asked of hold {hold}; {remaining} remain in it."
    sentence_zh = "对预留 {hold} 请求扣款 {asked},剩余 {remaining}。"


class CodeInvalid(Refusal):
    """A code has twenty digits, and the last two check the others (ISO 7064 MOD 97-10)."""

    code = "code_invalid"
    sentence = "{text} is not a credit's code: {reason}."
    sentence_zh = "{text} 不是有效的碳惠编码:{reason_zh}。"


_BY_CODE: dict[str, type[Refusal]] = {
    kind.code: kind
    for kind in (
        AccountUnknown,
        AccountClosed,
        AccountNeverSends,
        AccountNeverReceives,
        AssetDiffers,
        NotEnough,
        AboveHoldingLimit,
        ReferenceReused,
        HoldUnknown,
        HoldNotOpen,
        CaptureAboveHold,
        SourceNeverPromises,
    )
}

#: The SQLSTATE under which the stored functions say a refusal: its code as hint, its facts as JSON.
REFUSED = "CH002"


def refusal_of(error: psycopg.Error) -> Refusal | None:
    """The refusal that a stored function raised, or None when the error is something else."""
    if error.sqlstate != REFUSED or error.diag.message_hint not in _BY_CODE:
        return None
    return _BY_CODE[error.diag.message_hint](**json.loads(error.diag.message_primary or "{}"))
