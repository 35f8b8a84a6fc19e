"""The statement by HTTP: each movement in a sentence in the caller's language, and on paper (Articles 17-22)."""

from datetime import date

import pypdfium2
import pytest

from carbonhui import ledger, participants
from carbonhui.core.typesetting import chinese_marks
from tests.api.product.people import Caller, City, said
from tests.ledger.books import fresh, mint_to

TODAY = date(2026, 11, 20)
DAYS = "from=2026-11-01&until=2026-12-31"


@pytest.fixture
def guest(city: City) -> Caller:
    """Somebody with a proven name, who earned 40 credits and paid 12 of them at a teahouse."""
    who = city.proven()
    handle, _ = city.organisation()

    def paid(session) -> None:
        account = city.person(who).account_id
        shop = participants.organisation_by_handle(session, handle).account_id
        mint_to(session, account, 40)
        ledger.post(
            session, purpose=ledger.Purpose.REDEEM, source=account, target=shop, amount=12, reference=fresh("tea"), business_date=TODAY
        )

    city.do(paid)
    return who


def words_on(paper: bytes) -> str:
    with pypdfium2.PdfDocument(paper) as read:
        return "\n".join(page.get_textpage().get_text_bounded() for page in read)


def test_each_line_says_what_happened_in_the_language_of_the_request(guest: Caller):
    english = guest.get("/v1/me/statement", Accept_Language="en").json["items"]
    chinese = guest.get("/v1/me/statement", Accept_Language="zh").json["items"]
    assert [line["sentence"] for line in english] == ["You paid 12 credits at 珠江水务.", "You earned 40 credits for what you avoided."]
    assert [line["sentence"] for line in chinese] == ["您在珠江水务支付 12 碳惠。", "您因减排获得 40 碳惠。"]


def printed(who: Caller, query: str, language: str = "zh"):
    return who.get(f"/v1/me/statement.pdf?{query}", Accept="application/pdf", Accept_Language=language)


def test_the_statement_is_printed_with_the_proven_name_and_its_balances_tie(guest: Caller):
    answer = printed(guest, DAYS)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="carbonhui-2026-11-01-2026-12-31.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    told = words_on(answer.data)
    for words in ("张伟", guest.handle, "您在珠江水务支付 12 碳惠。", "期初 0 + 转入 40 − 转出 12 = 期末 28", chinese_marks("演示,非真实碳惠")):
        assert words in told, words
    assert guest.get("/v1/me/balance").json["credits"] == 28
    assert "You paid 12 credits at 珠江水务." in words_on(printed(guest, DAYS, "en").data)


def test_that_the_name_was_read_for_it_is_on_record(guest: Caller):
    before = len(guest.get("/v1/me/reads").json["items"])
    printed(guest, DAYS)
    reads = guest.get("/v1/me/reads").json["items"]
    assert len(reads) == before + 1
    assert (reads[0]["fields_read"], reads[0]["is_own"], reads[0]["purpose"]) == (["name"], True, "statement")


def test_somebody_without_a_proven_name_gets_a_statement_too(city: City):
    who = city.resident()
    told = words_on(printed(who, DAYS).data)
    assert who.handle in told and "本期间无变动。" in told


def test_a_guardian_prints_a_childs_statement_and_nobody_else_does(city: City):
    guardian, other = city.proven(), city.proven()
    ward = city.ward_of(guardian)
    assert ward in words_on(printed(guardian, f"{DAYS}&ward={ward}").data)
    assert said(other.get(f"/v1/me/statement.pdf?{DAYS}&ward={ward}")) == (404, "not_guardian")


@pytest.mark.parametrize(("query", "expected"), [
    ("from=2026-11-02&until=2026-11-01", (422, "statement_days_invalid")),
    ("from=2025-11-01&until=2026-11-02", (422, "statement_days_invalid")),
    ("from=0001-01-01&until=0001-01-02", (422, "statement_days_invalid")),
    ("from=9999-12-31&until=9999-12-31", (422, "statement_days_invalid")),
    ("from=2026-11-01", (400, "query_invalid")),
    ("until=2026-11-01", (400, "query_invalid")),
    ("from=2026-11-31&until=2026-12-01", (400, "query_invalid")),
    ("first=2026-11-01&until=2026-12-01", (400, "query_invalid")),
])  # fmt: skip
def test_days_that_are_no_stretch_are_refused(city: City, query: str, expected: tuple[int, str]):
    assert said(city.resident().get(f"/v1/me/statement.pdf?{query}")) == expected
