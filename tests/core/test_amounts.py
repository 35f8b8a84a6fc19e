"""Amounts are whole numbers of the smallest unit, in range, and never a float (design section 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonhui.core.amounts import LARGEST_AMOUNT, AmountNotWhole, AmountOutOfRange, checked_amount


@given(st.integers(1, LARGEST_AMOUNT))
def test_a_whole_number_in_range_is_itself(amount: int) -> None:
    assert checked_amount(amount) is amount


def test_one_and_the_largest_number_that_every_client_reads_exactly_are_amounts() -> None:
    assert LARGEST_AMOUNT == 2**53 - 1 == int(float(LARGEST_AMOUNT))
    assert float(LARGEST_AMOUNT + 1) == float(LARGEST_AMOUNT + 2)
    assert checked_amount(1) == 1 and checked_amount(LARGEST_AMOUNT) == LARGEST_AMOUNT


@pytest.mark.parametrize("amount", [0, -1, LARGEST_AMOUNT + 1, -LARGEST_AMOUNT, 2**63, -(2**63), 10**38, -(10**38)])
def test_a_whole_number_out_of_range_is_refused(amount: int) -> None:
    with pytest.raises(AmountOutOfRange) as refused:
        checked_amount(amount)
    assert refused.value.facts["largest"] == LARGEST_AMOUNT


@pytest.mark.parametrize("amount", [10**5000, -(10**5000), 2**1_000_000], ids=["long", "negative", "million_bits"])
def test_a_huge_number_is_refused_without_being_written_out(amount: int) -> None:
    with pytest.raises(AmountOutOfRange) as refused:
        checked_amount(amount)
    assert len(str(refused.value)) < 200 and "bits" in str(refused.value)


class Whole(int):
    """Something that only looks like an amount."""


@pytest.mark.parametrize("amount", [True, False, 1.0, 0.5, float("nan"), float("inf"), "1", "", None, b"1", [1], Whole(5), 1 + 0j])
def test_what_is_not_a_whole_number_is_refused(amount: object) -> None:
    with pytest.raises(AmountNotWhole) as refused:
        checked_amount(amount)
    assert refused.value.facts["type"] == type(amount).__name__


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(AmountNotWhole) as refused:
        checked_amount("9" * 10_000)
    assert len(str(refused.value)) < 150
