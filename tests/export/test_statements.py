"""A statement of some days: opening, movements and closing tie, on the screen and on paper (Articles 17-22)."""

from datetime import UTC, date, datetime, timedelta

import pypdfium2
import pytest

from carbonhui import export, ledger
from carbonhui.core.database import Database
from carbonhui.core.typesetting import chinese_marks
from carbonhui.export import statements
from carbonhui.ledger import Kind, Purpose
from tests.ledger.books import DAY, breaking, code_of, fresh, give, mint_to, organisation, resident, town

__all__ = ["town"]

OCTOBER, NOVEMBER = (date(2026, 10, 1), date(2026, 10, 31)), (date(2026, 11, 1), date(2026, 11, 30))
MADE = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)


def entered_at(town: Database, transfer: int, instant: str) -> None:
    """The past, which only the owner can make."""
    with breaking(town) as owner:
        owner.execute("UPDATE transfer SET at = %s WHERE id = %s", (instant, transfer))


def moved(town: Database, source: int, target: int, amount: int, instant: str) -> int:
    with town.begin() as session:
        number = give(session, source, target, amount).id
    entered_at(town, number, instant)
    return number


def between(town: Database, account: int, first: date, last: date) -> export.Statement:
    with town.begin() as session:
        return export.statement_between(session, account, first=first, last=last, city="guangzhou")


@pytest.fixture
def resident_of_autumn(town: Database) -> int:
    """50 credits in September, 8 given at the last second of October, 3 received in the first of November, 2 given in December."""
    with town.begin() as session:
        account, other = resident(session), resident(session, 100)
    for amount, instant in (
        (50, "2026-09-05T12:00+08"), (-8, "2026-10-31T23:59:59.999999+08"), (3, "2026-11-01T00:00+08"), (-2, "2026-12-01T00:00+08"),
    ):
        source, target = (other, account) if amount > 0 else (account, other)
        moved(town, source, target, abs(amount), instant)
    return account


def test_opening_movements_and_closing_tie_and_each_stretch_begins_where_the_one_before_ended(town: Database, resident_of_autumn: int):
    october, november = (between(town, resident_of_autumn, *days) for days in (OCTOBER, NOVEMBER))
    assert (october.opening, october.received, october.given, october.closing) == (50, 0, 8, 42)
    assert (november.opening, november.received, november.given, november.closing) == (42, 3, 0, 45)
    whole = between(town, resident_of_autumn, date(2026, 9, 1), date(2026, 12, 31))
    assert (whole.opening, whole.closing) == (0, 43)
    assert [(line.amount, line.balance) for line in whole.lines] == [(50, 50), (-8, 42), (3, 45), (-2, 43)]
    assert whole.lines[-1].balance == whole.closing


def test_days_begin_at_midnight_in_beijing(town: Database, resident_of_autumn: int):
    assert [line.amount for line in between(town, resident_of_autumn, date(2026, 10, 31), date(2026, 10, 31)).lines] == [-8]
    assert [line.amount for line in between(town, resident_of_autumn, date(2026, 11, 1), date(2026, 11, 1)).lines] == [3]


def test_days_without_a_movement_have_the_balance_that_was_there(town: Database, resident_of_autumn: int):
    empty = between(town, resident_of_autumn, date(2026, 11, 2), date(2026, 11, 30))
    assert (empty.opening, empty.lines, empty.closing) == (45, (), 45)
    before = between(town, resident_of_autumn, date(2026, 1, 1), date(2026, 1, 31))
    assert (before.opening, before.closing) == (0, 0)


def test_what_a_merchant_received_and_nobody_folded_yet_counts(town: Database):
    with town.begin() as session:
        shop, guest = organisation(session, Kind.MERCHANT), resident(session, 30)
        for _ in range(3):
            ledger.post(session, purpose=Purpose.REDEEM, source=guest, target=shop, amount=5, reference=fresh(), business_date=DAY)
        [row] = ledger.statement(session, shop, most=1).lines
        today = row.at.astimezone(statements.CITY_TIME).date()
    found = between(town, shop, today - timedelta(days=1), today)  # midnight may have come between them
    assert (found.opening, found.closing, [line.balance for line in found.lines]) == (0, 15, [5, 10, 15])


@pytest.mark.parametrize(("first", "last"), [
    (date(2026, 11, 2), date(2026, 11, 1)), (date(2025, 11, 1), date(2026, 11, 2)), (date(1, 1, 1), date(1, 1, 2)),
    (date(9999, 12, 31), date(9999, 12, 31)),
])  # fmt: skip
def test_days_that_are_no_stretch_of_a_year_are_refused(town: Database, first: date, last: date):
    with town.begin() as session:
        account = resident(session)
    assert code_of(town, lambda s: export.statement_between(s, account, first=first, last=last, city="demo")) == "statement_days_invalid"


def test_a_whole_leap_year_is_a_stretch(town: Database):
    with town.begin() as session:
        account = resident(session)
    assert between(town, account, date(2028, 1, 1), date(2028, 12, 31)).closing == 0


def test_more_movements_than_a_document_holds_are_refused_and_as_many_are_not(town: Database, monkeypatch):
    with town.begin() as session:
        account, other = resident(session), resident(session, 9)
    for number in range(3):
        moved(town, other, account, 1, f"2026-11-1{number}T09:00+08")
    monkeypatch.setattr(statements, "LINES_MAX", 3)
    assert len(between(town, account, *NOVEMBER).lines) == 3
    monkeypatch.setattr(statements, "LINES_MAX", 2)
    assert code_of(town, lambda s: export.statement_between(
        s, account, first=NOVEMBER[0], last=NOVEMBER[1], city="demo"
    )) == "statement_too_long"  # fmt: skip


def test_movements_meanwhile_move_neither_opening_nor_closing(town: Database, resident_of_autumn: int):
    before = between(town, resident_of_autumn, *NOVEMBER)
    with town.begin() as session:
        mint_to(session, resident_of_autumn, 7)
    number = None
    with town.begin() as session:
        number = ledger.statement(session, resident_of_autumn, most=1).lines[0].transfer
    entered_at(town, number, "2027-01-02T09:00+08")
    assert between(town, resident_of_autumn, *NOVEMBER) == before


# On paper -----------------------------------------------------------------------------------------


def printed(town: Database, account: int, *, holder: str | None = "张伟", language: str = "zh", city: str = "guangzhou", demonstration: bool = False) -> bytes:
    with town.begin() as session:
        found = export.statement_between(session, account, first=date(2026, 9, 1), last=date(2026, 12, 31), city=city)
    return export.print_statement(found, holder=holder, number="019a", made_at=MADE, language=language, city=city, demonstration=demonstration)


def words_on(paper: bytes) -> str:
    with pypdfium2.PdfDocument(paper) as read:
        return "\n".join(page.get_textpage().get_text_bounded() for page in read)


def test_the_paper_says_whose_it_is_what_was_there_and_every_movement(town: Database, resident_of_autumn: int):
    chinese = words_on(printed(town, resident_of_autumn))
    for words in ("个人碳惠对账单", "张伟", "019a", "2026-09-01 至 2026-12-31", "2026-12-01 09:30", "您赠送一位用户 8 碳惠。", "期末 43"):
        assert words in chinese, words
    assert "期初 0 + 转入 53 − 转出 10 = 期末 43" in chinese
    english = words_on(printed(town, resident_of_autumn, language="en"))
    assert "You gave 8 credits to somebody." in english and "business date 2026-11-20" in english


def test_a_city_prints_its_own_name_of_the_credit(town: Database, resident_of_autumn: int):
    told = words_on(printed(town, resident_of_autumn, city="fuzhou"))
    assert "个人碳币对账单" in told and "碳惠" not in told


def test_a_demonstration_says_so_and_the_real_thing_does_not(town: Database, resident_of_autumn: int):
    said = chinese_marks("演示,非真实碳惠 · Demonstration, no real credits")
    assert said in words_on(printed(town, resident_of_autumn, demonstration=True))
    assert "演示" not in words_on(printed(town, resident_of_autumn))


def test_a_holder_without_a_proven_name_is_told_by_number_alone(town: Database, resident_of_autumn: int):
    assert "持有人" not in words_on(printed(town, resident_of_autumn, holder=None))


def test_a_rare_character_of_a_name_is_told_by_its_number(town: Database, resident_of_autumn: int):
    assert "U+20BB7" in words_on(printed(town, resident_of_autumn, holder="王𠮷"))


def test_the_same_statement_is_the_same_bytes(town: Database, resident_of_autumn: int):
    assert printed(town, resident_of_autumn) == printed(town, resident_of_autumn)


def test_hundreds_of_movements_go_on_over_pages(town: Database):
    with town.begin() as session:
        account, other = resident(session), resident(session, 300)
        numbers = [give(session, other, account, 1).id for _ in range(120)]
    for at, number in enumerate(numbers):
        entered_at(town, number, (datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=at)).isoformat())
    paper = printed(town, account)
    with pypdfium2.PdfDocument(paper) as read:
        assert len(read) > 2
    told = words_on(paper)
    assert told.count("您收到一位用户赠送的 1 碳惠。") == 120
