"""References to papers that are kept elsewhere: a number of a form or a case, and nothing that a person goes by."""

import re

#: At most 200 characters, of which the first is no mark and one at least is a digit.
REFERENCE = r"(?:[A-Za-z][A-Za-z._:/-]*)?[0-9][A-Za-z0-9._:/-]*"
REFERENCE_LONGEST = 200
_MARKS = re.compile(r"[._:/-]+", re.ASCII)
_DIGITS = re.compile("[0-9]+[Xx]?", re.ASCII)
#: A mobile number with or without the country's, an ID number of today's or the older kind.
_PERSONAL = re.compile(r"(86)?1[3-9][0-9]{9}|[0-9]{17}[0-9Xx]|[0-9]{15}", re.ASCII)


def is_reference(text: str) -> bool:
    """Whether a text is a reference: letters, digits and ``. _ : / -``, a digit at least, no space.

    What has digits like a mobile or an ID number, with or without marks between them, is none.

    >>> [is_reference(text) for text in ("form-2026/1187", "Zhang Wei", "zhangwei", "13800138000", "case-138-0013-8000")]
    [True, False, False, False, False]
    >>> [is_reference(text) for text in ("JN13800138000", "11010519491231002X", "86.13800138000", "2026-0013800138000")]
    [False, False, False, True]
    """
    if len(text) > REFERENCE_LONGEST or not re.fullmatch(REFERENCE, text, re.ASCII):
        return False
    return not any(_PERSONAL.fullmatch(digits) for whole in (text, _MARKS.sub("", text)) for digits in _DIGITS.findall(whole))
