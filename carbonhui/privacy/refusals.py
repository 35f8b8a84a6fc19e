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


class KeyDirectoryOpen(Refusal):
    """Only the owner of the keys may enter their directory."""

    code = "key_directory_open"
    sentence = "The directory of keys {path} can be entered by others (mode {mode}); it must have mode 0700."
    sentence_zh = "密钥目录 {path} 可被他人进入(权限 {mode});权限应为 0700。"


class KeyMissing(Refusal):
    """What was wrapped by a key is opened by that key and no other."""

    code = "vault_key_missing"
    sentence = "The key {key} is not among the keys of {place}; put its file back to read what it wrapped."
    sentence_zh = "{place} 的密钥中没有 {key};请恢复其文件,以便读取由它加密的内容。"


class SealBroken(Refusal):
    """What is sealed opens only whole, in its own place, under its own key."""

    code = "seal_broken"
    sentence = "What is sealed as {what} does not open: it was changed, moved from another place, or sealed by another key."
    sentence_zh = "{what} 的密文无法解开:内容被改动、从别处移来,或由其他密钥加密。"


class SubjectUnknown(Refusal):
    """Personal data belongs to a subject that was begun."""

    code = "subject_unknown"
    sentence = "There is no subject {subject}."
    sentence_zh = "不存在信息主体 {subject}。"


class SubjectErased(Refusal):
    """An erased person's data cannot be read, written or looked up again."""

    code = "subject_erased"
    sentence = "The personal data of subject {subject} was erased; nothing of it can be read or entered again."
    sentence_zh = "信息主体 {subject} 的个人信息已删除,无法再读取或录入。"


class DataKeyMissing(Refusal):
    """Without its data key a subject's data cannot be read; keys are restored apart from the data."""

    code = "data_key_missing"
    sentence = "The data key of subject {subject} is not in this database; a dump of keys may have to be restored."
    sentence_zh = "数据库中没有信息主体 {subject} 的数据密钥;可能需要恢复密钥备份。"


class IndexTaken(Refusal):
    """One text of a scheme leads to one person."""

    code = "index_taken"
    sentence = "Somebody else is already registered with this {scheme}."
    sentence_zh = "该 {scheme} 已由他人登记。"


class TextRefused(Refusal):
    """A text is what it looks like: visible, in one form, without characters that pretend to be others."""

    code = "text_refused"
    sentence = "The text of {field} cannot be taken: {reason}."
    sentence_zh = "无法接受 {field} 的文字:{reason_zh}。"


class MobileInvalid(Refusal):
    """A mobile number is eleven plain digits from 13 to 19 on, with or without +86."""

    code = "mobile_invalid"
    sentence = "The mobile number was not understood; it has eleven plain digits and begins with 13 to 19, with or without +86."
    sentence_zh = "无法识别手机号码;应为以 13 至 19 开头的 11 位半角数字,可加 +86。"


class IdNumberInvalid(Refusal):
    """A citizen's identity number has 18 places that agree with one another (GB 11643)."""

    code = "id_number_invalid"
    sentence = "The identity number cannot be right: {reason}."
    sentence_zh = "身份号码有误:{reason_zh}。"


class KeyInUse(Refusal):
    """A key is dropped only when nothing needs it any more."""

    code = "key_in_use"
    sentence = "The key {key} cannot be dropped: {count} entries still need it. Finish the rotation first."
    sentence_zh = "密钥 {key} 不能删除:仍有 {count} 项需要它。请先完成密钥轮换。"


class KeyNotInFile(Refusal):
    """Keys that a key management service keeps are changed there."""

    code = "key_not_in_file"
    sentence = "The key-encryption keys are kept by {keeper} and not in files; they are made and dropped there."
    sentence_zh = "主密钥由 {keeper} 保管,不在文件中;请在该处建立和删除。"


class DumpUnusable(Refusal):
    """A dump of keys is whole, and made by this product."""

    code = "dump_unusable"
    sentence = "The dump {path} cannot be used: {reason}."
    sentence_zh = "无法使用备份 {path}:{reason_zh}。"
