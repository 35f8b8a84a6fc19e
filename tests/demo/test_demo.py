"""The demonstration plays a credit's whole life on real data, twice safely, and never in real books (Articles 11-22, 31)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.progress import Progress

from carbonhui import ledger, policy, supervision
from carbonhui.cli import carbonhui
from carbonhui.core import embedded
from carbonhui.core.database import Database
from carbonhui.core.settings import Settings
from carbonhui.demo import play
from tests.cli.conftest import environment
from tests.ledger.books import opened_store

__all__ = ["home", "store"]

from tests.cli.conftest import home, store


def told_by(home: Path, *words: str, code: int = 0) -> str:
    answer = CliRunner().invoke(carbonhui, list(words), env=environment(home))
    assert answer.exit_code == code, answer.output
    return answer.output


def books(store: Database) -> dict[str, Any]:
    """Who holds what, and how much was ever moved, measured and decided."""
    with store.connect() as connection:
        found = {"balances": connection.execute(
            """SELECT b.account_id, b.posted + coalesce((SELECT sum(amount) FROM incoming i WHERE i.account_id = b.account_id), 0), b.held
               FROM balance b ORDER BY b.account_id"""
        ).fetchall()}  # fmt: skip
        for table in (
            "transfer", "move", "account", "link", "reduction", "batch", "consent", "matter", "bill_offset", "par_purchase", "charge",
            "certificate", "pool", "bill", "organisation", "donation_gift", "settlement", "announcement",
        ):  # fmt: skip
            found[table] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return found


@pytest.fixture(scope="module")
def played(home: Path, store: Database) -> Iterator[tuple[str, str]]:
    """What the demonstration told the first time and the second."""
    first = told_by(home, "demo")
    after_first = books(store)
    second = told_by(home, "demo")
    assert books(store) == after_first
    yield first, second


def test_every_check_of_the_books_holds(store: Database, played: tuple[str, str]):
    with store.snapshot() as session:
        assert [verdict.check.name for verdict in supervision.verify(session) if not verdict.holds] == []
    for check in supervision.CHECKS:
        assert f"{check.name}  holds" in played[0]


def test_every_row_of_the_data_is_accounted_for(played: tuple[str, str]):
    rows = re.search(r"bayarea-bikeshare\W+([\d,]+)\W+([\d,]+)\W+([\d,]+)\W+([\d,]+)", played[0])
    assert rows
    rows_in, accepted, duplicate, refused = (int(number.replace(",", "")) for number in rows.groups())
    assert rows_in == accepted + duplicate + refused == 52_011
    assert accepted > 0 < refused


def test_everybody_consents_before_anything_is_measured(played: tuple[str, str]):
    told = re.findall(r"Art\. 11, 12  ([\w-]+): ([\d,]+) accounts opened, ([\d,]+) consents given", played[0])
    assert [source for source, *_ in told] == ["bayarea-bikeshare", "sgsc"]
    assert all(opened == given for _, opened, given in told)
    assert played[1].count("everybody consented before") == 2


def test_what_was_measured_became_credits(played: tuple[str, str]):
    made = re.search(r"([\d,]+) reductions, ([\d,]+) mg, became ([\d,]+) credits", played[0])
    assert made
    _, mg, credits = (int(number.replace(",", "")) for number in made.groups())
    assert 0 < credits * 100_000 <= mg


def test_the_offset_at_the_cap_is_made_and_the_one_above_it_is_told(played: tuple[str, str]):
    for told in played:
        assert "offset by 44 credits, exactly a tenth: transfer" in told
        assert "refused, offset_above_cap" in told
        assert "at most 880 fen of a 8800 fen bill" in told
        assert "最多可用碳惠抵用 880 分" in told


def test_every_article_on_the_way_is_named(played: tuple[str, str]):
    for article in (16, 17, 18, 19, 20, 21, 22, 31):
        assert f"Art. {article}" in played[0]


def test_the_life_of_one_credit_goes_from_its_mint_to_its_cancellation(home: Path, played: tuple[str, str]):
    life = played[0].split("The life of one credit")[1].split("The rider's statement")[0]
    purposes = re.findall(r"\d{4}-\d{2}-\d{2}  (\w+) ", life)
    assert purposes == ["mint", "offset", "par_purchase"]
    code = re.search(r"(?:\d{4} ){4}\d{4}", life)
    assert code
    history = told_by(home, "history", code[0])
    assert all(purpose in history for purpose in purposes)


def test_the_second_time_is_told_to_have_moved_nothing(played: tuple[str, str]):
    moved = [line for line in played[1].splitlines() if re.search(r": transfer \d+|are cancelled", line)]
    assert moved
    assert [line for line in moved if "done before; nothing moved now" not in line] == []
    assert "0 reductions, 0 mg, became 0 credits" in played[1]
    assert "everything was approved before" in played[1]


def test_the_last_words_open_the_statement_and_the_api(home: Path, played: tuple[str, str]):
    *_, statement, serving = played[0].splitlines()
    program, *words = statement.split()
    assert Path(program).name == "carbonhui"
    told = told_by(home, *words)
    assert all(purpose in told for purpose in ("earned", "gave", "paid", "put"))
    assert serving.split()[1:] == ["--profile", "demo", "serve", "#", "http://127.0.0.1:8080/v1/docs"]


def test_the_demonstration_does_not_play_in_real_books(server: embedded.Server, server_settings: Settings):
    with opened_store(server, server_settings, profile="guangzhou") as real:
        with pytest.raises(policy.DemonstrationOnly):
            play(real, Console(quiet=True), Progress(disable=True))
        with real.begin() as session:
            assert policy.values(session) == []
            assert ledger.largest_earners(session, most=1) == []


def test_the_demonstration_does_not_open_the_books_of_another_profile(server: embedded.Server, server_settings: Settings):
    with opened_store(server, server_settings, profile="guangzhou") as real:
        with real.connect() as connection:
            name = connection.info.dbname
        answer = CliRunner().invoke(
            carbonhui, ["demo"], env={**environment(server_settings.home), "DATABASE_URL": server.url(name)}
        )
    assert answer.exit_code == 3
    assert answer.output.startswith("profile_differs: ")
