"""What the access room refuses. No sentence repeats a number, a code, a token or a key."""

from carbonhui.core.refusals import Refusal


class NotSignedIn(Refusal):
    """Nobody is believed to be somebody without proof that holds now (Article 11)."""

    code = "not_signed_in"
    sentence = "Nobody is signed in: the token or the session is missing, wrong or ended. Please sign in."
    sentence_zh = "尚未登录:令牌或会话缺失、有误或已终止。请登录。"


class TokenExpired(NotSignedIn):
    """An access token holds for ten minutes; the refresh token gets another."""

    code = "token_expired"
    sentence = "The access token has expired; get another with the refresh token."
    sentence_zh = "访问令牌已过期;请用刷新令牌换取新的令牌。"


class NotAllowed(Refusal):
    """Each operation is open to the roles declared for it and to nobody else (Article 13)."""

    code = "not_allowed"
    sentence = "The operation {operation} is not open to a caller of the kind {kind}."
    sentence_zh = "操作 {operation} 不对{kind_zh}类调用者开放。"


class SignatureInvalid(Refusal):
    """A signed request is whole, new, and signed by a key that holds now (RFC 9421)."""

    code = "signature_invalid"
    sentence = "The request's signature cannot be accepted: {reason}."
    sentence_zh = "请求签名不能接受:{reason_zh}。"


class SignatureReplayed(SignatureInvalid):
    """A signed request is accepted once."""

    code = "signature_replayed"
    sentence = "A request with this nonce was received before; sign each request with a nonce of its own."
    sentence_zh = "已收到过使用该随机数的请求;每个请求请使用各自的随机数签名。"


class RefreshRefused(Refusal):
    """A refresh token is good once, on one device, for as long as the person may use it."""

    code = "refresh_refused"
    sentence = "The refresh token is unknown, used, expired or signed out; please sign in again."
    sentence_zh = "刷新令牌未知、已使用、已过期或已退出登录;请重新登录。"


class CodeWrong(Refusal):
    """A one-time code is right, new and unused, or it is wrong: one answer for every reason."""

    code = "code_wrong"
    sentence = "The code is wrong or no longer valid. A code lasts {minutes} minutes and {tries} tries; ask for a new one."
    sentence_zh = "验证码错误或已失效。验证码有效期为 {minutes} 分钟,最多可尝试 {tries} 次;请重新获取。"


class CodeAskedTooOften(Refusal):
    """Codes for one number, and for everybody together, are sent at a bounded pace."""

    code = "code_asked_too_often"
    sentence = "Too many codes were asked for; the next may be asked for in {seconds} seconds."
    sentence_zh = "获取验证码过于频繁;请在 {seconds} 秒后再试。"


class CodeNotSent(Refusal):
    """The provider that delivers codes did not take this one."""

    code = "code_not_sent"
    sentence = "The code could not be sent: {reason}. Please try again in a minute."
    sentence_zh = "验证码未能发送:{reason}。请一分钟后再试。"


class SenderForDemoOnly(Refusal):
    """Codes on a console or in a file are for the demonstration; real ones reach a telephone."""

    code = "sender_for_demo_only"
    sentence = "The code sender {sender} is for the demo profile only; this profile is {profile}. Set CARBONHUI_CODE_SENDER to an https:// address."
    sentence_zh = "验证码发送方式 {sender} 仅限演示配置;当前配置为 {profile}。请将 CARBONHUI_CODE_SENDER 设为 https:// 地址。"


class SenderKeyWrong(Refusal):
    """Requests to a sender are signed by a secret of 24 to 64 bytes, in a file only its owner may read."""

    code = "sender_key_wrong"
    sentence = "The key file of the code sender cannot be used: {reason}. It holds one line, whsec_ and the secret in base64, and has mode 0600."
    sentence_zh = "验证码发送方的密钥文件不可用:{reason}。该文件应只含一行:whsec_ 加 base64 密钥,权限为 0600。"


class DeviceUnknown(Refusal):
    """A person signs out devices of their own that are signed in."""

    code = "device_unknown"
    sentence = "The device {device} is not signed in."
    sentence_zh = "设备 {device} 未登录。"


class ApiKeyUnknown(Refusal):
    """A key is revoked once, by its name."""

    code = "api_key_unknown"
    sentence = "There is no live key {key}."
    sentence_zh = "没有有效的密钥 {key}。"


class ApiKeyWrong(Refusal):
    """An organisation's key is of a known algorithm and complete."""

    code = "api_key_wrong"
    sentence = "The key cannot be registered: {reason}."
    sentence_zh = "无法登记该密钥:{reason_zh}。"
