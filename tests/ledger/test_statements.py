"""Reading one's own account: every movement, and what was held after each (Articles 17, 18; design section 4)."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from carbonhui import ledger
from carbonhui.core.database import Database
from carbonhui.ledger import Kind
from tests.ledger.books import code_of, give, holds, mint_to, organisation, promise, resident


def _all_pages(database: Database, account: int, most: int) -> list[ledger.Line]:
    lines: list[ledger.Line] = []
    cursor: str | None = None
    while True:
        with database.begin() as session:
            page = ledger.statement(session, account, cursor=cursor, most=most)
        assert len(page.lines) <= most
        lines += page.lines
        cursor = page.cursor
        if cursor is None:
            return lines


def _busy_resident(database: Database) -> int:
    with database.begin() as session:
        busy, friend, bakery = resident(session, 40), resident(session, 40), organisation(session, Kind.MERCHANT)
        for number in range(1, 6):
            give(session, busy, friend, number)
            give(session, friend, busy, 2 * number)
            give(session, busy, bakery, 1)
            mint_to(session, busy, 3)
    return busy


@pytest.mark.parametrize("most", [1, 2, 5, 20, 21, 22, 1000])
def test_the_pages_of_a_statement_make_the_whole(town: Database, most: int) -> None:
    busy = _busy_resident(town)
    lines = _all_pages(town, busy, most)
    assert len(lines) == 21
    assert [line.transfer for line in lines] == sorted({line.transfer for line in lines}, reverse=True)


def test_the_balance_after_each_line_is_the_sum_of_all_before_it(town: Database) -> None:
    busy = _busy_resident(town)
    running = 0
    for line in reversed(_all_pages(town, busy, 4)):
        running += line.amount
        assert line.balance == running
    assert running == holds(town, busy)


def test_the_next_page_is_right_although_something_moved_meanwhile(town: Database) -> None:
    busy = _busy_resident(town)
    whole = _all_pages(town, busy, 1000)
    with town.begin() as session:
        page = ledger.statement(session, busy, most=5)
    with town.begin() as session:
        give(session, busy, resident(session), 1)
    with town.begin() as session:
        rest = ledger.statement(session, busy, cursor=page.cursor, most=100)
    assert page.lines + rest.lines == whole


def test_a_line_names_what_moved_to_whom_and_under_which_reference(town: Database) -> None:
    with town.begin() as session:
        giver, bakery = resident(session, 5), organisation(session, Kind.MERCHANT)
        give(session, giver, bakery, 2, "bread-1")
        name = ledger.balance_of(session, bakery).name
        [given, minted] = ledger.statement(session, giver).lines
        [received] = ledger.statement(session, bakery).lines
    assert (given.amount, given.counterpart, given.counterpart_name, given.reference) == (-2, bakery, name, "bread-1")
    assert (minted.amount, minted.reference, minted.purpose, minted.counterpart_name) == (5, None, ledger.Purpose.MINT, "issuance")
    assert (received.amount, received.counterpart, received.counterpart_name, received.balance) == (2, giver, None, 2)


def test_a_promise_is_no_movement(town: Database) -> None:
    with town.begin() as session:
        giver = resident(session, 5)
        promise(session, giver, resident(session), 2)
        assert len(ledger.statement(session, giver).lines) == 1


def test_an_account_that_never_moved_has_an_empty_statement(town: Database) -> None:
    with town.begin() as session:
        page = ledger.statement(session, resident(session))
    assert (page.lines, page.cursor) == ([], None)


def test_a_statement_of_nobody_is_refused(town: Database) -> None:
    assert code_of(town, lambda session: ledger.statement(session, 999_999_999)) == "account_unknown"


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "????", "中文", _encoded("5"), _encoded("5.6.7"), _encoded("a.b"), _encoded("0.5"), _encoded("-1.5"), _encoded("1.5\n2"),
     _encoded(f"{2**63}.5"), _encoded("."), _encoded("１.２"), "A" * 10_000, base64.b64encode(b"\xff\xff.5").decode()],
)  # fmt: skip
def test_a_made_up_cursor_is_refused(town: Database, cursor: str) -> None:
    with town.begin() as session:
        owner = resident(session, 5)
    assert code_of(town, lambda session: ledger.statement(session, owner, cursor=cursor)) == "cursor_invalid"


def test_a_cursor_of_another_statement_is_refused(town: Database) -> None:
    busy = _busy_resident(town)
    with town.begin() as session:
        rich = resident(session, 900)
        give(session, rich, busy, 1)
        cursor = ledger.statement(session, busy, most=1).cursor
    assert code_of(town, lambda session: ledger.statement(session, rich, cursor=cursor)) == "cursor_invalid"


def test_what_was_held_at_an_instant_can_be_read_for_ever(town: Database) -> None:
    with town.begin() as session:
        owner, friend = resident(session, 10), resident(session)
    moments = []
    for amount in (1, 2, 3):
        with town.begin() as session:
            give(session, owner, friend, amount)
            moments.append(ledger.statement(session, owner, most=1).lines[0].at)
    with town.begin() as session:
        assert [ledger.balance_at(session, owner, moment) for moment in moments] == [9, 7, 4]
        assert [ledger.balance_at(session, friend, moment) for moment in moments] == [1, 3, 6]
        just_before = [moment - timedelta(microseconds=1) for moment in moments]
        assert [ledger.balance_at(session, owner, moment) for moment in just_before] == [10, 9, 7]
        assert ledger.balance_at(session, owner, datetime(2020, 1, 1, tzinfo=UTC)) == 0
        assert ledger.balance_at(session, owner, datetime(2100, 1, 1, tzinfo=UTC)) == 4


def test_what_a_big_receiver_held_at_an_instant_does_not_depend_on_folding(town: Database) -> None:
    with town.begin() as session:
        shopper, bakery = resident(session, 10), organisation(session, Kind.MERCHANT)
        give(session, shopper, bakery, 4)
        then = ledger.statement(session, bakery).lines[0].at
    with town.begin() as session:
        give(session, shopper, bakery, 3)
    for _ in range(2):
        with town.begin() as session:
            assert ledger.balance_at(session, bakery, then) == 4
            assert [line.balance for line in ledger.statement(session, bakery).lines] == [7, 4]
            ledger.fold(session)
