"""What was proposed stays readable for ever, whatever is installed later (Articles 14, 15)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.orm import Session

from carbonhui import approvals, methodology, policy
from carbonhui.core import embedded
from carbonhui.core.database import Database
from carbonhui.core.refusals import Refusal
from carbonhui.core.settings import Settings
from carbonhui.methodology import Methodology, load
from carbonhui.methodology.refusals import ArchiveDiffers, WorkedCaseWrong
from tests.ledger.books import opened_store

Write = Callable[..., Path]
MARCH, JULY = date(2019, 3, 1), date(2021, 7, 1)
DEMONSTRATION = {"demonstration = false": "demonstration = true"}


def propose(session: Session, found: Methodology, start: date = MARCH) -> int:
    return methodology.propose(session, found, start=start, source="minutes 7", proposed_by="Clerk Chen")


def put_in_force(session: Session, found: Methodology, start: date = MARCH) -> int:
    matter = propose(session, found, start)
    for body in approvals.BODIES:
        approvals.decide(
            session, matter, body=body, approved=True, decided_by=f"of-{body}", document_number=f"{body} 2019/3"
        )
    policy.come_into_force(session, matter)
    return matter


def test_a_proposed_text_is_read_back_byte_for_byte(database: Database, ferry: Write) -> None:
    folder = ferry()
    (folder / "paper.pdf").write_bytes(b"\x00\xff%PDF")
    found = load(folder)
    with database.begin() as session:
        propose(session, found)
    for file in folder.iterdir():
        file.unlink()
    with database.begin() as session:
        kept = methodology.archived(session, found.fingerprint)
    assert kept is not None
    assert (kept.fingerprint, kept.files, kept.folder) == (found.fingerprint, found.files, None)
    assert kept.files["paper.pdf"] == b"\x00\xff%PDF"
    assert kept.credited_mg(JULY, metres=10_000) == 1_029_000


def test_what_was_never_proposed_is_not_in_the_archive(database: Database, ferry: Write) -> None:
    found = load(ferry())
    with database.begin() as session:
        assert methodology.archived(session, found.fingerprint) is None
        assert methodology.changed_files(session, found.fingerprint, found) == []


def test_a_text_is_proposed_with_its_fingerprint_and_archived_once(database: Database, ferry: Write) -> None:
    found = load(ferry())
    with database.begin() as session:
        first, second = propose(session, found), propose(session, found, JULY)
        assert first != second
        rows = [tuple(row) for row in session.connection().exec_driver_sql(
            "SELECT fingerprint, name FROM methodology_file ORDER BY name"
        )]  # fmt: skip
        titles = [matter.title for matter in approvals.matters(session, kind="methodology")]
    assert rows == [(found.fingerprint, "formula.py"), (found.fingerprint, "methodology.toml")]
    assert titles[-1] == f"methodology:ferry {found.fingerprint[:12]} from 2021-07-01"


def test_what_does_not_load_is_not_proposed(database: Database, ferry: Write) -> None:
    found = load(ferry())
    toml = found.files["methodology.toml"].replace(b"1_029_000", b"1_029_001")
    with database.begin() as session, pytest.raises(WorkedCaseWrong):
        propose(session, replace(found, files={**found.files, "methodology.toml": toml}))
    with database.begin() as session:
        assert approvals.matters(session, kind="methodology") == []


def test_the_changed_files_are_named(database: Database, ferry: Write) -> None:
    first = ferry()
    (first / "minutes.txt").write_text("approved")
    approved = load(first)
    with database.begin() as session:
        propose(session, approved)
    second = ferry(toml={"[title]": "# a word\n[title]"}, name="second")
    (second / "letter.txt").write_text("new")
    with database.begin() as session:
        assert methodology.changed_files(session, approved.fingerprint, approved) == []
        changed = methodology.changed_files(session, approved.fingerprint, load(second))
    assert changed == ["letter.txt", "methodology.toml", "minutes.txt"]


def test_the_archive_is_never_rewritten(database: Database, ferry: Write) -> None:
    found = load(ferry())
    with database.begin() as session:
        propose(session, found)
    for statement in (
        "UPDATE methodology_file SET content = ''", "DELETE FROM methodology_file", "TRUNCATE methodology_file",
    ):  # fmt: skip
        with pytest.raises(psycopg.Error) as refused, database.connect_as_owner() as owner:
            owner.execute(statement)
        assert refused.value.sqlstate == "CH001"
        with pytest.raises(psycopg.Error) as refused, database.connect() as app:
            app.execute(statement)
        assert refused.value.sqlstate in ("42501", "CH001")


def test_a_file_smuggled_into_the_archive_is_noticed(database: Database, ferry: Write) -> None:
    found = load(ferry())
    smuggled = "INSERT INTO methodology_file VALUES (%s, 'more.txt', 'x')"
    with database.begin() as session:
        propose(session, found)
    with database.connect_as_owner() as owner:
        owner.execute(smuggled, (found.fingerprint,))
        owner.commit()
    with database.begin() as session:
        for ask in (
            lambda: methodology.archived(session, found.fingerprint),
            lambda: propose(session, found),
            lambda: methodology.changed_files(session, found.fingerprint, found),
        ):
            with pytest.raises(ArchiveDiffers) as told:
                ask()
            assert "more.txt" in str(told.value)


def test_a_demonstration_is_refused_in_real_books_before_anybody_decides(
    server: embedded.Server, server_settings: Settings, ferry: Write
) -> None:
    real, shown = load(ferry()), load(ferry(toml=DEMONSTRATION, name="shown"))
    with opened_store(server, server_settings, profile="guangzhou") as books:
        with books.begin() as session, pytest.raises(Refusal) as told:
            propose(session, shown)
        assert isinstance(told.value, policy.DemonstrationOnly)
        assert "methodology:ferry 1" in str(told.value) and "guangzhou" in str(told.value)
        with books.begin() as session:
            assert approvals.matters(session) == []
            assert methodology.archived(session, shown.fingerprint) is None
            put_in_force(session, real)
            assert methodology.archived(session, real.fingerprint) is not None


def test_a_demonstration_may_be_proposed_in_the_demonstration(database: Database, ferry: Write) -> None:
    with database.begin() as session:
        put_in_force(session, load(ferry(toml=DEMONSTRATION)))
        [value] = policy.values(session, "methodology:ferry")
    assert value.demonstration


def test_the_record_names_documents_days_and_what_changed_since(database: Database, ferry: Write) -> None:
    first = load(ferry())
    second = load(ferry(toml={'version       = "1"': 'version = "2"'}, name="second"))
    with database.begin() as session:
        put_in_force(session, first)
        put_in_force(session, second, JULY)
    edited = load(ferry(toml={"[title]": "# a word\n[title]"}, name="edited"))
    with database.begin() as session:
        old, new = methodology.approved_versions(session, "ferry", [edited, second])
        assert methodology.approved_versions(session, "metro", [edited, second]) == []
    assert (old.start, old.end, new.start, new.end) == (MARCH, JULY, JULY, None)
    assert [decision.document_number for decision in old.decisions] == [f"{body} 2019/3" for body in approvals.BODIES]
    assert (old.text and old.text.version, old.installed, old.changed) == ("1", edited, ("methodology.toml",))
    assert (new.text and new.text.version, new.installed, new.changed) == ("2", second, ())


def test_the_record_says_when_nothing_of_a_version_is_installed(database: Database, ferry: Write) -> None:
    first = load(ferry())
    with database.begin() as session:
        put_in_force(session, first)
        [one] = methodology.approved_versions(session, "ferry", [])
    assert (one.installed, one.changed) == (None, ())
    assert one.text is not None
