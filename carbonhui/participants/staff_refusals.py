"""What is refused of staff. Who signs in learns only that it was not accepted."""

from carbonhui.core.refusals import Refusal


class StaffUnknown(Refusal):
    """No member of staff has this number or login."""

    code = "staff_unknown"
    sentence = "There is no such member of staff."
    sentence_zh = "没有此工作人员。"


class StaffLoginInvalid(Refusal):
    """A login is short, plain and no name."""

    code = "staff_login_invalid"
    sentence = "A login has 3 to 40 small letters, digits, dots, hyphens and underscores, and begins with a letter."
    sentence_zh = "登录名为 3 至 40 个小写字母、数字、点、连字符或下划线,以字母开头。"


class StaffLoginTaken(Refusal):
    """One login is one member of staff, also after they left."""

    code = "staff_login_taken"
    sentence = "This login was given before; choose another."
    sentence_zh = "该登录名已被使用;请另选。"


class StaffRolesInvalid(Refusal):
    """Staff have one or more of the known roles."""

    code = "staff_roles_invalid"
    sentence = "Staff have one or more of the roles {roles}."
    sentence_zh = "工作人员须有以下一个或多个角色:{roles}。"


class PasswordUnfit(Refusal):
    """A password is long; nothing else is asked of it (NIST SP 800-63B)."""

    code = "password_unfit"
    sentence = "A password has {shortest} to {longest} characters and is not the login."
    sentence_zh = "密码为 {shortest} 至 {longest} 个字符,且不得与登录名相同。"


class StaffNotAccepted(Refusal):
    """One sentence for whatever was wrong, so that nobody learns which logins exist."""

    code = "staff_not_accepted"
    sentence = (
        "The login, password or code was not accepted. "
        "After {tries} failures a login is closed for {minutes} minutes, and longer each time."
    )
    sentence_zh = "登录名、密码或验证码未被接受。失败 {tries} 次后,登录名将关闭 {minutes} 分钟,并逐次延长。"


class RoleMissing(Refusal):
    """Each act of the staff belongs to a role."""

    code = "role_missing"
    sentence = "Only active staff with the role {role} may do this."
    sentence_zh = "仅具有 {role} 角色的在岗工作人员可进行此操作。"
