"""The unified social credit code: eighteen characters, of which the last checks the others (GB 32100-2015).

Digits and letters without I, O, S, V, Z count from 0 to 30. The character at place i
weighs 3^(i-1) modulo 31; with the check character, which weighs one, the sum is a
multiple of 31.
"""

import re

from carbonhui.participants.organisation_refusals import CreditCodeInvalid

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SHAPE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
_MODULUS = len(ALPHABET)


def check_character(first_seventeen: str) -> str:
    """The eighteenth character that belongs to seventeen others.

    >>> check_character("91350100M000100Y4")
    '3'
    """
    assert len(first_seventeen) == 17
    total = sum(ALPHABET.index(one) * pow(3, place, _MODULUS) for place, one in enumerate(first_seventeen))
    return ALPHABET[-total % _MODULUS]


def credit_code(text: str) -> str:
    """The code that was written, in capitals and without spaces around it. Raises `CreditCodeInvalid`."""
    plain = text.strip().upper() if text.isascii() else ""
    if not _SHAPE.fullmatch(plain):
        raise CreditCodeInvalid(reason="it has eighteen digits and capitals without I, O, S, V, Z", reason_zh="应为十八位数字或大写字母(不含 I、O、S、V、Z)")
    if check_character(plain[:17]) != plain[17]:
        raise CreditCodeInvalid(reason="its last character does not check the others", reason_zh="校验码不符")
    return plain
