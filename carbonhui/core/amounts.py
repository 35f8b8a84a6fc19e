"""Whole milligrams, credits and fen, and how large they may be.

The three are distinct types, so the type checker refuses fen where credits are
asked. No amount is ever a float.
"""

from typing import NewType

from carbonhui.core.refusals import Refusal

Milligrams = NewType("Milligrams", int)
Credits = NewType("Credits", int)
Fen = NewType("Fen", int)

#: The largest amount a JSON number carries exactly in every client (RFC 8259, section 6).
LARGEST_AMOUNT = 2**53 - 1


class AmountNotWhole(Refusal):
    """An amount is a whole number of the smallest unit, never a float or a text."""

    code = "amount_not_whole"
    sentence = "{amount} is a {type}; an amount is a whole number."
    sentence_zh = "{amount} 的类型是 {type};数量必须是整数。"


class AmountOutOfRange(Refusal):
    """An amount is at least 1 and at most 2^53 - 1."""

    code = "amount_out_of_range"
    sentence = "{amount} was asked; an amount is at least 1 and at most {largest}."
    sentence_zh = "请求的数量为 {amount};数量至少为 1,至多为 {largest}。"


def checked_amount(amount: object) -> int:
    """The same amount, if it is whole and in range.

    A ``bool`` is refused although Python counts it as an ``int``.

    >>> checked_amount(37)
    37
    """
    if type(amount) is not int:
        raise AmountNotWhole(amount=repr(amount)[:40], type=type(amount).__name__)
    if not 1 <= amount <= LARGEST_AMOUNT:
        raise AmountOutOfRange(amount=_shortened(amount), largest=LARGEST_AMOUNT)
    return amount


def _shortened(number: int) -> str:
    """The number in at most about 40 characters, without writing all of a huge one."""
    if abs(number) < 10**38:
        return str(number)
    return f"{'-' if number < 0 else ''}a number of {number.bit_length()} bits"
