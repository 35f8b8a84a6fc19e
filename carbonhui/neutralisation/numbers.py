"""The numbers of certificates: nobody guesses one, and a mistyped one is noticed.

``NC`` and the year, sixteen letters and digits at random (80 bits), and two check
digits by ISO 7064 MOD 97-10, letters counted as 10 to 35 as ISO 13616 does it: every
digit typed for a digit and letter for a letter is noticed, and 96 of 97 other mistakes.
0, 1, I and O are never drawn, so that nobody mistakes one for another.
"""

import re
import secrets

from carbonhui.neutralisation.refusals import CertificateUnknown

_DRAWN = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_FORM = re.compile(r"NC[0-9]{2}[0-9A-Z]{16}[0-9]{2}", re.ASCII)


def new_number(year: int) -> str:
    """A number for a certificate of a year."""
    body = f"NC{year % 100:02d}" + "".join(secrets.choice(_DRAWN) for _ in range(16))
    return f"{body}{98 - _value(body) * 100 % 97:02d}"


def checked_number(text: str) -> str:
    """The number, typed with or without spaces and in small letters or large. Raises `CertificateUnknown`."""
    number = text.replace(" ", "").upper() if text.isascii() and len(text) <= 40 else ""
    # As in the codes of credits, 00, 01 and 99 are no check digits.
    if not _FORM.fullmatch(number) or _value(number) % 97 != 1 or not 2 <= int(number[20:]) <= 98:
        raise CertificateUnknown(number=ascii(text)[1:41])
    return number


def grouped(number: str) -> str:
    """The number as it is printed.

    >>> grouped("NC26ABCDEFGHJKLMNPQR12")
    'NC26 ABCD EFGH JKLM NPQR 12'
    """
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def _value(text: str) -> int:
    return int("".join(str(int(character, 36)) for character in text))
