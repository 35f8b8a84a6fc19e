"""What giving and asking refuse."""

from carbonhui.core.refusals import Refusal


class GiftUnknown(Refusal):
    """There is no such gift, or it is not for the one who asks."""

    code = "gift_unknown"
    sentence = "There is no such gift."
    sentence_zh = "没有这份赠送。"


class GiftNotWaiting(Refusal):
    """A gift is answered once, while it waits."""

    code = "gift_not_waiting"
    sentence = "This gift no longer waits: it is {state}."
    sentence_zh = "这份赠送已不再等待:{state_zh}。"


class RequestUnknown(Refusal):
    """There is no such request, or it is not for the one who asks."""

    code = "request_unknown"
    sentence = "There is no such request."
    sentence_zh = "没有这个请求。"


class RequestNotWaiting(Refusal):
    """A request is answered once, while it waits."""

    code = "request_not_waiting"
    sentence = "This request no longer waits: it is {state}."
    sentence_zh = "这个请求已不再等待:{state_zh}。"


class RequestWaitsAlready(Refusal):
    """Nobody is asked again by the same person before they answered."""

    code = "request_waits_already"
    sentence = "You asked there already; wait for the answer, or take that request back."
    sentence_zh = "您已向对方发出请求;请等待答复或先撤回。"


class TooManyWaiting(Refusal):
    """Only so many gifts, and so many requests, of one person wait at once."""

    code = "too_many_waiting"
    sentence = "{waiting} of yours wait already; at most {most} may."
    sentence_zh = "您已有 {waiting} 项在等待;最多 {most} 项。"


class TooManyTakenBack(Refusal):
    """Only so many gifts, and so many requests, are taken back on one day: each put a message into somebody's inbox."""

    code = "too_many_taken_back"
    sentence = "You took back {taken_back} today; who took back {most} makes none before tomorrow."
    sentence_zh = "您今日已撤回 {taken_back} 项;撤回达 {most} 项后,明日方可再发起。"


class ReceiverFull(Refusal):
    """The city's rules limit what a person comes to hold by what others give (Article 30)."""

    code = "receiver_full"
    sentence = "The receiver would hold more than the {most} credits that a person may."
    sentence_zh = "收到后对方持有量将超过个人上限 {most} 碳惠。"


class ReceiveCodeInvalid(Refusal):
    """A receive code is shown by the receiver's app and good for a few minutes."""

    code = "receive_code_invalid"
    sentence = "This is no receive code that is good now; ask for a new one."
    sentence_zh = "收款码无效或已过期,请对方重新出示。"
