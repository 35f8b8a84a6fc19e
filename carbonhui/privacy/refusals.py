"""What the privacy room refuses. No sentence repeats an identifier or a key."""

from carbonhui.core.refusals import Refusal


class IdentifierEmpty(Refusal):
    """An identifier has at least one visible character."""

    code = "identifier_empty"
    sentence = "An empty identifier was given for {scheme}; an identifier has at least one visible character."
    sentence_zh = "{scheme} 的标识为空;标识至少应有一个可见字符。"


class KeyFileWrong(Refusal):
    """The key file holds exactly one key."""

    code = "key_file_wrong"
    sentence = (
        "The key file {path} holds {found} bytes; a key has {wanted}. "
        "Put the right file back: another key would make every known identifier a stranger."
    )
    sentence_zh = "密钥文件 {path} 有 {found} 字节;密钥应为 {wanted} 字节。请恢复正确的文件:换用其他密钥会使所有已知标识无法识别。"


class KeyFileOpen(Refusal):
    """Only the owner of the key file may read it."""

    code = "key_file_open"
    sentence = "The key file {path} can be read by others (mode {mode}); it must have mode 0600."
    sentence_zh = "密钥文件 {path} 可被他人读取(权限 {mode});权限应为 0600。"


class KeyFileUnreadable(Refusal):
    """The key file is an ordinary file that this program may read or make."""

    code = "key_file_unreadable"
    sentence = "The key file {path} cannot be used: {reason}."
    sentence_zh = "无法使用密钥文件 {path}:{reason}。"
