"""The code of one credit: it identifies, and a mistyped one is refused (Article 17; ISO 7064 MOD 97-10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonhui import ledger

VINTAGES, NUMBERS = st.integers(2018, 2099), st.integers(0, 10**12 - 1)
SAMPLE = [ledger.code_of(ledger.serial_of(year, number), "4401") for year in (2018, 2026, 2099)
          for number in (0, 1, 1_234_567, 98, 999_999_999_999)]  # fmt: skip


def refused(text: str, area: str = "4401") -> str:
    with pytest.raises(ledger.CodeInvalid) as caught:
        ledger.parse_code(text, area)
    return str(caught.value.facts["reason"])


def test_the_worked_example() -> None:
    serial = ledger.serial_of(2026, 1_234_567)
    assert ledger.code_of(serial, "4401") == "44012600000123456730"
    assert ledger.spaced("44012600000123456730") == "4401 2600 0001 2345 6730"
    assert ledger.parse_code("44012600000123456730", "4401") == serial
    assert ledger.parse_code("4401 2600 0001 2345 6730", "4401") == serial
    assert ledger.vintage_of(serial) == 2026


@given(VINTAGES, NUMBERS, st.sampled_from(["1100", "4401", "9999"]))
def test_every_serial_has_one_code_that_leads_back_to_it(vintage: int, number: int, area: str) -> None:
    serial = ledger.serial_of(vintage, number)
    code = ledger.code_of(serial, area)
    assert len(code) == 20 and code.startswith(area) and int(code) % 97 == 1
    assert ledger.parse_code(code, area) == serial
    assert ledger.vintage_of(serial) == vintage


@pytest.mark.parametrize("code", SAMPLE)
def test_every_mistyped_digit_is_refused(code: str) -> None:
    for at in range(20):
        for digit in "0123456789":
            if digit != code[at]:
                assert "check digits" in refused(code[:at] + digit + code[at + 1 :])


@pytest.mark.parametrize("code", SAMPLE)
def test_every_two_neighbouring_digits_that_changed_places_are_refused(code: str) -> None:
    for at in range(19):
        if code[at] != code[at + 1]:
            assert "check digits" in refused(code[:at] + code[at + 1] + code[at] + code[at + 2 :])


def test_check_digits_are_two_to_ninety_eight_and_no_others() -> None:
    """ISO 7064 writes 02 to 98; 00, 01 and 99 leave the same remainder as 97, 98 and 02, and are no check digits."""
    twins = {"97": "00", "98": "01", "02": "99"}
    seen = set()
    for number in range(400):
        code = ledger.code_of(ledger.serial_of(2026, number), "4401")
        if code[18:] in twins:
            seen.add(code[18:])
            assert "check digits" in refused(code[:18] + twins[code[18:]])
    assert seen == set(twins)


@pytest.mark.parametrize(
    "text",
    ["", " ", "4401", "4401260000012345673", "440126000001234567300", "4401260000012345673X", "-4401260000012345673",
     "44012600000123456730\n", "4401-2600-0001-2345-6730", "4401 2600 0001 2345 67 30 1", "²²²²²²²²²²²²²²²²²²²²",
     "44012600000123456730".translate({ord(str(n)): ord("０") + n for n in range(10)}),
     "٤٤٠١٢٦٠٠٠٠٠١٢٣٤٥٦٧٣٠", "x" * 100_000, "44012600000_12345673"],
)  # fmt: skip
def test_what_is_not_twenty_plain_digits_is_refused(text: str) -> None:
    assert refused(text) == "a code has twenty digits"


def test_a_code_of_another_city_is_refused() -> None:
    other = ledger.code_of(ledger.serial_of(2026, 5), "4403")
    assert "4403" in refused(other)
    assert ledger.parse_code(other, "4403") == ledger.serial_of(2026, 5)


@pytest.mark.parametrize(("vintage", "number"), [(2017, 0), (2100, 0), (2026, -1), (2026, 10**12)])
def test_a_serial_lies_in_a_vintage(vintage: int, number: int) -> None:
    with pytest.raises(AssertionError):
        ledger.serial_of(vintage, number)
