"""What was refused does not stay: thirty days, and no longer than its person (Article 13; PIPL articles 19 and 47)."""

import csv
import gzip
import os
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from carbonhui import activity, ledger, participants, privacy
from carbonhui.activity import leftovers
from carbonhui.activity.batches import source_locked
from tests.activity.conftest import packed, text, trip

SCHEME, CARD, ANOTHER = "mibici.user", "62170042", "62170043"
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
#: A ride of one second is refused.
SHORT = {"end": "08:00:01"}


@pytest.fixture
def home(database) -> Path:
    return database.settings.home


@pytest.fixture
def forget(database):
    """Let the holder of these identifiers be erased, as far as their refused rows go; how many rows went."""

    def erase(*identifiers: str, scheme: str = SCHEME) -> int:
        key = privacy.load_or_make_key(database.settings.blind_key_file)
        with database.begin() as session:
            account = ledger.open_account(session, ledger.Kind.PERSON)
            for identifier in identifiers:
                subject = privacy.blind_index(key, scheme, identifier)
                participants.link(session, scheme=scheme, subject=subject, account_id=account, valid_from=date(2020, 1, 1))
            activity.owe_forgetting(session, account)
        return activity.forget_refused(database, database.settings)

    return erase


def owed(database) -> int:
    with database.connect() as connection:
        return connection.execute("SELECT count(*) FROM refused_to_forget").fetchone()[0]


def told(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# For thirty days ----------------------------------------------------------------------------------


def test_refused_rows_are_kept_for_thirty_days_from_their_reception(load, database, clock, home):
    path = load(text(trip(1, **SHORT))).quarantine
    for passed, gone in ((timedelta(0), 0), (30 * DAY, 0), (30 * DAY + SECOND, 1), (31 * DAY, 0)):
        later = replace(clock, instant=clock.now() + passed)
        assert activity.purge_files(database, database.settings, clock=later) == gone
        if passed <= 30 * DAY:
            assert activity.quarantine_file(home, path.name) == path
    with pytest.raises(activity.RefusedRowsGone) as refused:
        activity.quarantine_file(home, path.name)
    assert refused.value.facts == {"days": 30}


# No longer than their person ----------------------------------------------------------------------


def test_rows_of_who_was_erased_go_and_all_others_stay_to_the_byte(load, forget, database):
    second = load(text(trip(8, CARD, **SHORT), trip(9, ANOTHER, **SHORT))).quarantine
    strange = ('"a ""quoted"", =1+1"', '"two\nlines"', "=cmd", "全角")
    rows = [trip(1, CARD, **SHORT), trip(2, ANOTHER, **SHORT), f"3,{CARD},half", *(trip(7, user, **SHORT) for user in strange)]
    path = load(text(*rows, trip(4, f" {CARD}", **SHORT))).quarantine
    before, facts = packed(path), path.stat()
    assert forget(CARD) == 4
    lines = before.splitlines(keepends=True)
    assert packed(path) == b"".join(line for line in lines if CARD.encode() not in line)
    assert len(lines) == 10
    assert [row["trip_id"] for row in told(second)] == ["9"]
    assert (path.stat().st_mtime_ns, path.stat().st_mode) == (facts.st_mtime_ns, facts.st_mode)
    assert owed(database) == 0
    assert sorted(path.parent.iterdir()) == sorted([path, second])


def test_a_row_that_could_not_be_split_stays_until_its_file_goes(load, forget):
    path = load(text(f'3,"{CARD},half')).quarantine
    assert forget(CARD) == 0
    assert CARD in told(path)[0]["as_received"]


def test_files_of_other_kinds_of_identifiers_are_not_touched(load, forget):
    path = load(text(trip(1, CARD, **SHORT))).quarantine
    before = path.stat()
    assert forget(CARD, scheme="phone") == 0
    assert path.stat() == before


def test_a_file_whose_profile_has_other_columns_by_now_goes_empty(load, forget, monkeypatch):
    path = load(text(trip(1, CARD, **SHORT), trip(2, ANOTHER, **SHORT))).quarantine
    named = leftovers.profile_named

    def renamed(name: str, folder: Path) -> activity.Profile:
        found = named(name, folder)
        return replace(found, trip=replace(found.trip, subject="rider")) if name == "mibici" else found

    monkeypatch.setattr(leftovers, "profile_named", renamed)
    assert forget(CARD) == 2
    assert told(path) == []


def test_a_file_whose_profile_is_gone_goes_whole(load, forget):
    path = load(text(trip(1, CARD, **SHORT))).quarantine
    orphan = path.rename(path.with_name("taken-away-batch-7.csv.gz"))
    kept = load(text(trip(2, ANOTHER, **SHORT))).quarantine
    assert forget() == 0 and orphan.exists()
    assert forget(CARD) == 0 and not orphan.exists() and kept.exists()


def test_who_is_killed_between_two_files_does_both_the_next_time(load, forget, database, monkeypatch):
    paths = [load(text(trip(number, CARD, **SHORT), trip(9, ANOTHER, **SHORT))).quarantine for number in (1, 2)]
    put = leftovers.put_in_place

    def killed(path: Path, *, modified_ns: int) -> None:
        if path == paths[1]:
            raise KeyboardInterrupt
        put(path, modified_ns=modified_ns)

    monkeypatch.setattr(leftovers, "put_in_place", killed)
    with pytest.raises(KeyboardInterrupt):
        forget(CARD)
    assert owed(database) == 1
    monkeypatch.setattr(leftovers, "put_in_place", put)
    assert activity.forget_refused(database, database.settings) == 1
    assert owed(database) == 0
    assert [[row["user_id"] for row in told(path)] for path in paths] == [[ANOTHER], [ANOTHER]]


def test_a_source_that_is_being_loaded_is_left_for_the_next_time(load, forget, database):
    path = load(text(trip(1, CARD, **SHORT))).quarantine
    with source_locked(database, "mibici"):
        assert forget(CARD) == 0
        assert (owed(database), len(told(path))) == (1, 1)
    assert activity.forget_refused(database, database.settings) == 1
    assert (owed(database), told(path)) == (0, [])


def test_an_erasure_that_is_undone_owes_nothing(database):
    with pytest.raises(KeyError), database.begin() as session:
        activity.owe_forgetting(session, ledger.open_account(session, ledger.Kind.PERSON))
        raise KeyError
    assert owed(database) == 0


# What died while it worked ------------------------------------------------------------------------


def test_the_rows_of_a_loader_that_died_go_and_those_of_one_at_work_stay(database, clock, home):
    for source in ("dead", "busy"):
        (home / "intake" / source).mkdir(parents=True)
        (home / "intake" / source / "received.parquet").write_bytes(CARD.encode())
    with source_locked(database, "busy"):
        assert activity.purge_files(database, database.settings, clock=clock) == 1
        assert [path.name for path in (home / "intake").iterdir()] == ["busy"]
    assert activity.purge_files(database, database.settings, clock=clock) == 1


def test_a_draft_and_an_upload_of_yesterday_go_and_todays_stay(database, clock, home):
    (home / "quarantine").mkdir()
    (home / "uploads").mkdir()
    for age in (23, 25):
        draft, upload = home / "quarantine" / f".mibici-batch-{age}.csv.gz.draft", home / "uploads" / f"u{age}"
        draft.write_bytes(b"")
        upload.mkdir()
        (upload / "rides.csv").write_bytes(CARD.encode())
        for path in (draft, upload):
            os.utime(path, (time.time() - age * 3600,) * 2)
    assert activity.purge_files(database, database.settings, clock=clock) == 2
    assert {path.name for path in home.glob("*/*")} == {".mibici-batch-23.csv.gz.draft", "u23"}


def test_an_upload_lies_in_the_home_for_the_time_of_its_reading(database, home):
    with activity.upload_folder(database.settings) as folder:
        assert folder.parent == home / "uploads"
        assert folder.stat().st_mode & 0o077 == 0
    assert list((home / "uploads").iterdir()) == []


# What people say of themselves ---------------------------------------------------------------------


def test_what_persons_declare_has_no_quarantine_file_and_the_report_names_what_was_refused(database, clock, home):
    rows = [
        {"person": "0b8f", "day": "2026-11-19", "steps": steps} for steps in ("8000", "many")
    ]
    report = activity.load_rows(database, database.settings, rows, "steps-self-declared", received_by="person:1", clock=clock)
    assert (report.accepted, report.refused, report.quarantine) == (1, 1, None)
    [(row, code, en, zh)] = report.refused_rows
    assert (row, code) == (2, "value_not_a_number")
    assert en != zh
    assert not (home / "quarantine").exists()


def test_an_institutions_rows_and_a_file_of_declarations_have_one(load, database, clock, stations):
    rows = [dict(zip(("trip_id", "user_id", "start_local", "end_local", "origin_station", "dest_station"), trip(1, **SHORT).split(","), strict=True))]
    report = activity.load_rows(database, database.settings, rows, "mibici", received_by="depot", stations=stations, clock=clock)
    assert report.quarantine is not None and report.refused_rows == ()
    declared = load(text("0b8f,2026-11-19,many", header="person,day,steps"), profile="steps-self-declared")
    assert declared.quarantine is not None and declared.refused_rows == ()
