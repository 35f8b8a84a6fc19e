"""What people type is what it looks like, or is refused (Article 11; Unicode traps)."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonhui import privacy
from carbonhui.privacy.texts import check_digit

KNOWN = ("11010519491231002X", "440524188001010014")


def clean(text: str, longest: int = 50) -> str:
    return privacy.clean_text(text, field="name", longest=longest)


@pytest.mark.parametrize(
    "text", ["张三", "O'Brien-Smith", "广州市公交（集团）有限公司", "二〇二六", "Zoë Ångström", "阿依古丽·买买提", "a", "手机 2", "📱", "𠮷野家"]
)
def test_an_ordinary_text_is_taken_as_it_is(text: str):
    assert clean(unicodedata.normalize("NFC", text)) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("１２", "digits other"), ("٣", "digits other"), ("x²", "digits other"), ("①", "digits other"), ("Ⅷ", "digits other"),
        ("½", "digits other"), ("৩", "digits other"), ("\U0001d7ce", "digits other"),
        ("ＡＢＣ", "full-width"), ("ａ", "full-width"),
        ("a\u200bb", "invisible"), ("a\u200d", "invisible"), ("\ufeffa", "invisible"), ("a\u2060b", "invisible"), ("a\u00adb", "invisible"),
        ("a\u202eb", "invisible"), ("a\u2066b\u2069", "invisible"), ("\u200fa", "invisible"), ("a\U000e0041", "invisible"),
        ("a\u3164", "invisible"), ("a\u115f", "invisible"), ("a\ufe0f", "invisible"), ("a\u034fb", "invisible"), ("葛\U000e0100", "invisible"),
        ("a\0", "control"), ("a\nb", "control"), ("a\tb", "control"), ("a\x7f", "control"), ("a\x85b", "control"), ("a\x1b[2J", "control"),
        ("a\u2028b", "line separator"), ("a\u2029b", "line separator"),
        ("a\u00a0b", "space other"), ("张\u3000三", "space other"), (" a", "begins or ends"), ("a ", "begins or ends"),
        ("\ud800", "half a character"), ("a\udfff", "half a character"),
        ("\ue000", "private use"), ("\U000f0000", "private use"), ("\u0378", "does not exist"), ("\uffff", "does not exist"),
        ("\u0301a", "mark"), ("q" + "\u0301" * 5, "mark"),
        ("a" * 51, "longer than 50"), ("q" + "\u0301" * 10**4, "longer than 50"), ("a" * 10**7, "longer than 50"),
    ],
)  # fmt: skip
def test_a_trap_is_refused_and_not_repeated(text: str, reason: str):
    with pytest.raises(privacy.TextRefused, match=reason) as refused:
        clean(text)
    assert set(refused.value.facts) == {"field", "reason", "reason_zh"}
    told = f"{refused.value} {refused.value.text('zh')}"
    assert not text or text in ("a", " a", "a ") or text not in told


def test_the_limits_themselves_are_taken():
    assert clean("a" * 50) == "a" * 50
    assert clean("q" + "\u0301" * 4) == "q" + "\u0301" * 4


@given(st.text(max_size=60))
def test_twins_of_two_spellings_are_one_text_and_what_is_clean_stays_so(text: str):
    answers = []
    for form in ("NFC", "NFD"):
        try:
            answers.append(clean(unicodedata.normalize(form, text), longest=100))
        except privacy.TextRefused as refused:
            answers.append(refused.facts["reason"])
    assert answers[0] == answers[1]
    try:
        assert clean(clean(text)) == clean(text)
    except privacy.TextRefused:
        return
    clean(text).encode()


@pytest.mark.parametrize("text", ["13800138000", "+8613800138000", "19999999999"])
def test_a_mobile_number_gets_its_international_form(text: str):
    assert privacy.mobile_number(text) == "+86" + text[-11:]


@pytest.mark.parametrize(
    "text",
    [
        "", "12800138000", "10800138000", "1380013800", "138001380000", "8613800138000", "+86 13800138000", "+8512345678901",
        "138-0013-8000", " 13800138000", "13800138000\n", "１３８００１３８０００", "1380013800０", "٠١٢٣٤٥٦٧٨٩٠", "1380013800²",
        "138001380\u200b00", "+86\u202e13800138000", "0013800138000", "\0" * 11, "1e10", "13_800138000",
    ],
)  # fmt: skip
def test_what_is_no_mobile_number_is_refused_and_not_repeated(text: str):
    with pytest.raises(privacy.MobileInvalid) as refused:
        privacy.mobile_number(text)
    assert refused.value.facts == {}


@given(st.one_of(st.from_regex(r"\A(\+86)?1[3-9][0-9]{9}\Z"), st.text(alphabet="+861390１٣² \n", max_size=15)))
def test_only_plain_numbers_come_out(text: str):
    try:
        number = privacy.mobile_number(text)
    except privacy.MobileInvalid:
        return
    assert number.isascii()
    assert len(number) == 14
    assert privacy.mobile_number(number) == number


def test_the_two_numbers_of_the_standard_are_taken():
    assert privacy.id_number(KNOWN[0].lower()).text == KNOWN[0]
    assert privacy.id_number(KNOWN[0]).born_on == date(1949, 12, 31)
    assert privacy.id_number(KNOWN[1]).born_on == date(1880, 1, 1)
    assert privacy.id_number(KNOWN[1]).province == "44"


def test_an_identity_number_does_not_show_itself():
    assert KNOWN[0] not in repr(privacy.id_number(KNOWN[0]))


@pytest.mark.parametrize("known", KNOWN)
def test_every_single_wrong_digit_and_every_exchange_of_neighbours_is_found(known: str):
    wrong = {known[:at] + other + known[at + 1 :] for at in range(18) for other in "0123456789X"} | {
        known[:at] + known[at + 1] + known[at] + known[at + 2 :] for at in range(17)
    }
    for text in wrong - {known}:
        with pytest.raises(privacy.IdNumberInvalid):
            privacy.id_number(text)


@given(
    digits=st.from_regex(r"\A[0-9]{17}\Z"), at=st.integers(0, 16), other=st.sampled_from("0123456789")
)
def test_the_check_digit_alone_finds_substitutions_and_transpositions(digits: str, at: int, other: str):
    said = check_digit(digits)
    if other != digits[at]:
        assert check_digit(digits[:at] + other + digits[at + 1 :]) != said
    swapped = digits[:at] + (digits + said)[at : at + 2][::-1] + (digits + said)[at + 2 :]
    if swapped != digits + said and swapped[:17].isdigit():
        assert check_digit(swapped[:17]) != swapped[17]


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)), st.integers(0, 999))
def test_every_number_made_by_the_rules_is_taken(born_on: date, order: int):
    digits = f"440103{born_on:%Y%m%d}{order:03}"
    assert privacy.id_number(digits + check_digit(digits)).born_on == born_on


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "17 plain digits"), ("110105491231002", "17 plain digits"), (KNOWN[0] + "0", "17 plain digits"), (KNOWN[0] + "\n", "17 plain digits"),
        ("１１０１０５１９４９１２３１００２X", "17 plain digits"), ("11010519491231002Ｘ", "17 plain digits"), ("X1010519491231002X", "17 plain digits"),
        ("990105194912310020", "two digits"), ("160105194912310020", "two digits"),
        ("110105194902300020", "birth date"), ("110105190002290020", "birth date"), ("110105194913010020", "birth date"),
        ("110105000012310020", "birth date"), ("110105194900000020", "birth date"),
        ("110105194912310021", "check digit"),
    ],
)  # fmt: skip
def test_an_identity_number_that_cannot_be_right_is_refused_and_not_repeated(text: str, reason: str):
    with pytest.raises(privacy.IdNumberInvalid, match=reason) as refused:
        privacy.id_number(text)
    assert not text or text not in f"{refused.value} {refused.value.text('zh')} {refused.value.facts}"
