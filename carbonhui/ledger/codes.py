"""The code of one credit: twenty digits that identify it and never authorise anything.

``AAAA YYSS SSSS SSSS SSCC``: area (GB/T 2260), vintage year, twelve digits of serial,
and two check digits (ISO 7064 MOD 97-10, GB/T 17710). Inside the books a serial is
one integer, ``vintage x 10^12 + number``.
"""

from carbonhui.ledger.refusals import CodeInvalid

SERIALS_PER_VINTAGE = 10**12


def serial_of(vintage: int, number: int) -> int:
    """The books' integer for a vintage year (2018 to 2099) and a number below 10^12."""
    assert 2018 <= vintage <= 2099
    assert 0 <= number < SERIALS_PER_VINTAGE
    return vintage % 100 * SERIALS_PER_VINTAGE + number


def vintage_of(serial: int) -> int:
    """The four-digit year of a serial."""
    return 2000 + serial // SERIALS_PER_VINTAGE


def code_of(serial: int, area: str) -> str:
    """The twenty digits of a serial.

    >>> code_of(serial_of(2026, 1234567), "4401")
    '44012600000123456730'
    """
    body = f"{area}{serial:014d}"
    assert len(body) == 18 and body.isascii() and body.isdigit()
    return f"{body}{98 - int(body) * 100 % 97:02d}"


def spaced(code: str) -> str:
    """The code in five groups of four, as it is printed.

    >>> spaced("44012600000123456730")
    '4401 2600 0001 2345 6730'
    """
    return " ".join(code[at : at + 4] for at in range(0, 20, 4))


def parse_code(text: str, area: str) -> int:
    """The serial behind a code, typed with or without spaces.

    Raises `CodeInvalid` when it is not twenty ASCII digits, when the check digits
    do not fit, or when it belongs to another area.
    """
    digits = text.replace(" ", "")
    if len(digits) != 20 or not (digits.isascii() and digits.isdigit()):
        raise CodeInvalid(text=repr(text[:40]), reason="a code has twenty digits", reason_zh="编码为二十位数字")
    # ISO 7064 writes 02 to 98: 00, 01 and 99 would leave the same remainder and give one credit two codes.
    if int(digits) % 97 != 1 or not 2 <= int(digits[18:]) <= 98:
        reason = "the check digits do not fit, so a digit was mistyped"
        raise CodeInvalid(text=repr(text), reason=reason, reason_zh="校验码不符,可能有数字输入错误")
    if digits[:4] != area:
        reason = f"it belongs to area {digits[:4]}, and these books keep {area}"
        raise CodeInvalid(text=repr(text), reason=reason, reason_zh=f"它属于地区 {digits[:4]},而本账簿属于 {area}")
    return int(digits[4:18])
