"""The certificate on paper and as a page says what its record says, whatever was written on it (Article 22)."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from carbonhui import ledger, neutralisation
from carbonhui.core.typesetting import chinese_marks, drawable
from carbonhui.neutralisation import Flight, Journey, Record, Run
from tests.core.test_pdf import text_of

ON = date(2026, 11, 20)
FORUM = neutralisation.event(
    on=ON, headcount=30, electricity_wh=412_500, water_litres=3_800, room_nights=9,
    journeys=[Journey(mode="metro", metres=12_400, persons=26, trips=2)], flights=[Flight(metres=1_890_000, persons=4, trips=2)],
)  # fmt: skip


def run(vintage: int, number: int, credits: int) -> Run:
    first = ledger.serial_of(vintage, number)
    return Run(ledger.code_of(first, "4401"), ledger.code_of(first + credits - 1, "4401"), credits, vintage)


def record(**words: Any) -> Record:
    credits = -(-FORUM.mg // 100_000)
    return replace(Record(
        number="NC26K7MP2QXW9DTR4HVB58", address="https://carbon.example/certificates/NC26K7MP2QXW9DTR4HVB58", issued_on=ON,
        issued_at=datetime(2026, 11, 20, 4, tzinfo=UTC), credits=credits, avoided_mg=credits * 100_000, footprint_mg=FORUM.mg,
        calculator="event", lines=neutralisation.lines_of(FORUM), evidence_sha256=None, methodologies=["metro"],
        runs=[run(2025, 1, 100), run(2026, 500, credits - 100)], beneficiary="珠江碳普惠论坛组委会", beneficiary_hidden=False,
        reason="中和论坛的排放", texts_erased=False,
    ), **words)  # fmt: skip


def printed(of: Record, city: str = "guangzhou") -> list[str]:
    return ["".join(page.split()) for page in text_of(neutralisation.print_certificate(of, city=city, demonstration=False))]


def test_the_first_page_says_who_what_and_how_much() -> None:
    of = record()
    first = printed(of)[0]
    for word in ("碳中和证书", of.beneficiary, "NC26K7MP2QXW9DTR4HVB58", "2026-11-20", of.reason, "地铁出行metro", of.address, f"{of.credits:,}个碳惠"):
        assert str(word) in first


def test_the_annex_says_every_run_every_factor_and_its_source() -> None:
    of = record()
    text = "".join(printed(of))
    for one in of.runs:
        assert one.first_code in text and one.last_code in text
    for line in of.lines:
        assert "".join(line["source"].split()) in text
    assert "OpenGovernmentLicencev3.0" in text


def test_our_own_words_are_all_in_the_type() -> None:
    measured = record(evidence_sha256="ab" * 32, lines=[], calculator="measured")
    for of in (record(), measured, record(methodologies=None), record(texts_erased=True, beneficiary=None)):
        assert "〓" not in "".join(printed(of))
    assert drawable("".join(factor.zh + factor.en + factor.publisher for factor in neutralisation.factors().values()))[1] == []


def test_the_same_record_is_printed_in_the_same_bytes() -> None:
    first, second = (neutralisation.print_certificate(record(), city="guangzhou", demonstration=False) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("city", "zh", "credit"), [("fuzhou", "抚州市碳普惠制", "碳币"), ("shenzhen", "深圳市碳普惠制", "积分")])
def test_another_city_prints_its_own_name_and_what_it_calls_the_credit(city: str, zh: str, credit: str) -> None:
    text = "".join(printed(record(), city))
    assert zh in text and f"个{credit}中和" in text and "个碳惠" not in text
    page = neutralisation.page_of(record(), city=city, demonstration=False).decode()
    assert zh in page and f"个{credit}中和" in page


@pytest.mark.parametrize("count", [1, 7, 900])
def test_however_many_runs_there_are_each_is_printed(count: int) -> None:
    of = record(runs=[run(2026, 1_000 * number, 3) for number in range(count)])
    text = "".join(printed(of))
    assert all(one.first_code in text for one in of.runs)


@pytest.mark.parametrize(
    ("beneficiary", "reason"),
    [("名" * 200, "由" * 500), ("𠮷" * 200, "𠮷" * 500), ("W" * 200, "W" * 500), ("a b " * 49 + "c", "长 " * 249 + "短"), ("王𠮷", "{nb}")],
)
def test_the_longest_texts_are_printed_whole_and_the_first_page_stays_one_page(beneficiary: str, reason: str) -> None:
    pages = printed(record(beneficiary=beneficiary, reason=reason))
    text = "".join(pages)
    assert "扫码或访问以下地址核验" in pages[0] and "1/" in pages[0]
    whole = re.sub(r"碳中和证书Carbonneutralisationcertificate\w+?[0-9]+/[0-9]+", "", text)
    for word in (beneficiary, reason):
        assert "".join(drawable(word)[0].split()) in whole


@pytest.mark.parametrize(
    ("words", "told"),
    [({"beneficiary": None}, "证书持有人"), ({"beneficiary": None, "beneficiary_hidden": True}, "受益人姓名不公开"),
     ({"beneficiary": None, "reason": None, "texts_erased": True}, "受益人信息已删除")],
)  # fmt: skip
def test_a_name_that_is_not_told_is_said_to_be_so(words: dict[str, Any], told: str) -> None:
    assert told in printed(record(**words))[0]
    assert told in neutralisation.page_of(record(**words), city="guangzhou", demonstration=False).decode()


class Tags(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize(
    "trap", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'/**/onmouseover='x", "</style><svg onload=x>", "&lt;b&gt;"]
)
def test_whatever_is_written_becomes_no_tag_of_the_page(trap: str) -> None:
    def read(of: Record) -> Tags:
        found = Tags()
        found.feed(neutralisation.page_of(of, city="guangzhou", demonstration=False).decode())
        return found

    plain, trapped = read(record()), read(record(beneficiary=trap, reason=trap))
    assert trapped.tags == plain.tags and trapped.attributes == plain.attributes
    assert "script" not in plain.tags and not any(name.startswith("on") or name == "style" for name, _ in plain.attributes)


def test_a_page_of_very_many_runs_says_where_the_rest_is() -> None:
    of = record(runs=[run(2026, 1_000 * number, 1) for number in range(1_001)])
    page = neutralisation.page_of(of, city="guangzhou", demonstration=False).decode()
    assert "1,001 段" in page and page.count("<tr>") < 1_020


def test_a_certificate_of_the_demonstration_says_so_on_every_page_and_a_real_one_does_not() -> None:
    told = chinese_marks("演示,非真实碳惠")
    paper = text_of(neutralisation.print_certificate(record(), city="guangzhou", demonstration=True))
    assert all(told in page for page in paper) and paper[0].count(told) == 2
    assert told in neutralisation.page_of(record(), city="guangzhou", demonstration=True).decode()
    assert told not in "".join(printed(record()))
    assert told not in neutralisation.page_of(record(), city="guangzhou", demonstration=False).decode()


@pytest.mark.parametrize(("city", "credit"), [("guangzhou", "credit"), ("fuzhou", "carbon coin")])
def test_one_credit_is_told_as_one_and_as_the_city_calls_it(city: str, credit: str) -> None:
    one, many = record(credits=1, avoided_mg=100_000, footprint_mg=1, runs=[run(2026, 1, 1)]), record()
    for of, told in ((one, f"1 {credit} that avoids 100 g"), (many, f"{many.credits:,} {credit}s that avoid 2.6049 t")):
        assert told.replace(" ", "") in "".join(printed(of, city))
        assert told in neutralisation.page_of(of, city=city, demonstration=False).decode()
