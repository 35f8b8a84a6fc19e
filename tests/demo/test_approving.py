"""The demonstration city approves what is installed, version after version (Articles 14, 15)."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

import methodologies
from carbonhui import approvals, policy
from carbonhui.core.clock import SetClock
from carbonhui.core.database import Database
from carbonhui.demo import approve_what_is_installed, city
from carbonhui.methodology import Methodology, archived, installed_versions, load, propose

CYCLING = Path(methodologies.__file__).parent / "cycling"
FIRST_DAY = "2024-06-13"
TODAY, TOMORROW = date(2026, 11, 20), date(2026, 11, 21)
Text = Callable[..., Methodology]


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The city's clock stands, so that no test runs past midnight."""
    monkeypatch.setattr(city, "SystemClock", lambda: SetClock.on(TODAY))


@pytest.fixture
def cycling(tmp_path: Path) -> Text:
    """The shipped methodology with another version and first day, or with another word in a comment."""

    def write(version: str, start: str = FIRST_DAY, *, comment: str = "") -> Methodology:
        folder = tmp_path / f"{version}{comment}"
        shutil.copytree(CYCLING, folder)
        toml = (folder / "methodology.toml").read_text(encoding="utf-8").replace(FIRST_DAY, start)
        text = f"# {comment}\n" + toml.replace('version       = "1"', f'version = "{version}"')
        (folder / "methodology.toml").write_text(text, encoding="utf-8")
        found = load(folder)
        assert (found.version, found.first_day) == (version, date.fromisoformat(start))
        return found

    return write


def in_force(session: Session) -> list[tuple[str, date, date | None]]:
    found = policy.versions_in_force(session, "cycling")
    texts = [archived(session, one.fingerprint) for one in found]
    return [(text.version, one.start, one.end) for text, one in zip(texts, found, strict=True) if text]


def test_everything_that_is_installed_is_approved_from_its_own_first_day(database: Database):
    installed = installed_versions()
    with database.begin() as session:
        lines = approve_what_is_installed(session, installed)
        assert all(any(f"{found.id} {found.version} " in line for line in lines) for found in installed)
        for found in installed:
            version = [one for one in policy.versions_in_force(session, found.id) if one.fingerprint == found.fingerprint]
            assert [one.start for one in version] == [found.first_day]
        assert approve_what_is_installed(session, installed) == []


def test_versions_follow_one_another_in_the_order_of_their_first_days(database: Database, cycling: Text):
    old, new = cycling("2", "2024-01-01"), cycling("1")
    with database.begin() as session:
        approve_what_is_installed(session, [new, old])
        assert in_force(session) == [("2", date(2024, 1, 1), date(2024, 6, 13)), ("1", date(2024, 6, 13), None)]


def test_of_two_versions_from_one_day_the_newer_is_approved(database: Database, cycling: Text):
    both = [cycling("1"), cycling("2")]
    with database.begin() as session:
        approve_what_is_installed(session, both)
        assert in_force(session) == [("2", date(2024, 6, 13), None)]
        assert approve_what_is_installed(session, both) == []


def test_a_text_that_changed_since_follows_the_approved_one_from_tomorrow_on(database: Database, cycling: Text):
    approved, changed = cycling("1"), cycling("1", comment="changed")
    with database.begin() as session:
        approve_what_is_installed(session, [approved])
        assert len(approve_what_is_installed(session, [changed])) == 1
        assert in_force(session) == [("1", date(2024, 6, 13), TOMORROW), ("1", TOMORROW, None)]
        assert approve_what_is_installed(session, [changed]) == []


def test_versions_that_come_later_start_tomorrow_and_only_the_newest_of_them(database: Database, cycling: Text):
    first, second, third = cycling("1"), cycling("2"), cycling("3", "2024-07-01")
    with database.begin() as session:
        approve_what_is_installed(session, [first])
        approve_what_is_installed(session, [first, second, third])
        assert in_force(session) == [("1", date(2024, 6, 13), TOMORROW), ("3", TOMORROW, None)]


def test_an_old_version_that_changed_does_not_push_out_a_newer_one(database: Database, cycling: Text):
    old, new = cycling("1"), cycling("2", "2024-07-01")
    with database.begin() as session:
        approve_what_is_installed(session, [old, new])
        before = in_force(session)
        assert approve_what_is_installed(session, [cycling("1", comment="changed"), new]) == []
        assert in_force(session) == before


def test_nothing_is_put_before_a_version_that_is_still_to_come(database: Database, cycling: Text):
    with database.begin() as session:
        approve_what_is_installed(session, [cycling("1")])
        matter = propose(session, cycling("2"), start=date(2099, 1, 1), source="minutes 7", proposed_by="Clerk Chen")
        for body in approvals.BODIES:
            approvals.decide(session, matter, body=body, approved=True, decided_by=f"of-{body}", document_number="7")
        policy.come_into_force(session, matter)
        before = in_force(session)
        assert approve_what_is_installed(session, [cycling("1", comment="changed")]) == []
        assert in_force(session) == before
