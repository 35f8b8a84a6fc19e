"""One act counts once, however often and however it is delivered (Article 16)."""

import threading
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from carbonhui import activity
from carbonhui.activity import loading
from tests.activity.conftest import STATIONS, quarantined, text, trip

DAY = text(*(trip(number, number) for number in range(1, 21)), trip(21, 21, end="08:00:05"))


def counts(report: activity.BatchReport) -> tuple[int, int, int]:
    return report.accepted, report.duplicate, report.refused


def test_the_same_file_again_changes_nothing(load, database, lake_rows):
    first = load(DAY, name="monday.csv")
    before = lake_rows()
    again = load(DAY, name="monday-again.csv")
    assert again.already_loaded_as == first.batch_id
    assert counts(again) == (0, 21, 0)
    assert lake_rows() == before
    with database.begin() as session:
        assert len(activity.batches(session)) == 1


def test_a_ride_that_came_before_is_a_duplicate_in_any_file(load):
    load(text(trip(1), trip(2, 2)), name="first.csv")
    assert counts(load(text(trip(2, 2), trip(3, 3), trip(3, 3)), name="second.csv")) == (1, 2, 0)


def test_the_same_number_with_another_content_is_refused_and_the_first_stays(load, lake_rows):
    load(text(trip(1), trip(2, 2), trip(2, 2, start="07:00:00")), name="first.csv")
    report = load(text(trip(1, end="08:20:00"), trip(2, 9)), name="second.csv")
    assert report.refused_by == {"key_reused": 2}
    assert len(quarantined(report)) == 2
    assert [row["seconds"] for row in lake_rows()] == [600, 600]


def test_a_corrected_station_list_gives_the_refused_rows_another_chance(load, tmp_path: Path):
    content = text(trip(1), "2,2,2015-03-02 08:00:00,2015-03-02 08:10:00,1,4")
    assert counts(load(content)) == (1, 0, 1)
    better = tmp_path / "better.csv"
    better.write_text(STATIONS.replace("4,Nowhere,,", "4,Nowhere,20.671,-103.35"))
    assert counts(load(content, stations=better)) == (1, 1, 0)


@pytest.mark.parametrize("step", ["write_quarantine", "write_lake", "record"])
def test_a_loader_that_dies_before_the_record_leaves_nothing_that_counts(load, lake_rows, database, monkeypatch, step: str):
    class Killed(BaseException):
        pass

    real = getattr(loading, step)

    def die(*arguments: object, **more: object) -> None:
        if step != "record":
            real(*arguments, **more)
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(loading, step, die)
        with pytest.raises(Killed):
            load(DAY)
    assert lake_rows() == []
    again = load(DAY)
    assert counts(again) == (20, 0, 1)
    assert len(lake_rows()) == 20


def test_one_file_of_a_source_is_loaded_at_a_time(database, clock, stations, tmp_path: Path):
    for number in range(4):
        (tmp_path / f"{number}.csv").write_bytes(DAY + text(trip(100 + number, 100 + number)).split(b"\n", 1)[1])
    reports: list[activity.BatchReport] = []
    database.settings = replace(database.settings, lock_timeout_ms=300_000)

    def load_one(number: int) -> None:
        path = tmp_path / f"{number}.csv"
        reports.append(
            activity.load(database, database.settings, path, "mibici", received_by="t", stations=stations, clock=clock)
        )

    loaders = [threading.Thread(target=load_one, args=(number,)) for number in range(4)]
    for loader in loaders:
        loader.start()
    for loader in loaders:
        loader.join()
    assert len(reports) == 4
    assert sum(report.accepted for report in reports) == 20 + 4
    assert sum(report.duplicate for report in reports) == 3 * 20


def test_who_waits_too_long_is_told_so(load, database):
    with database.connect(autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(440120, hashtext('mibici'))")
        database.settings = replace(database.settings, lock_timeout_ms=200)
        with pytest.raises(activity.SourceBusy, match="mibici"):
            load(DAY)


def test_the_store_refuses_counts_that_do_not_add_up_and_rewriting(load, database):
    load(DAY)
    with database.connect() as connection, pytest.raises(psycopg.errors.CheckViolation, match="every_row_ends"):
        connection.execute(
            "INSERT INTO batch (source, profile, kind, file_name, digest, moved_years, received_by, rows_in, accepted,"
            " duplicate, refused, refused_by, evidence, acts, lake_form)"
            " VALUES ('s', 'p', 'trip', 'f', %s, 0, 'x', 10, 0, 4, 5, '{}', 'verified', 0, 2)",
            (bytes(32),),
        )
    for statement in ("UPDATE batch SET rows_in = 1", "DELETE FROM batch_file", "TRUNCATE batch CASCADE"):
        with database.connect_as_owner() as owner, pytest.raises(psycopg.Error) as refused:
            owner.execute(statement)
        assert refused.value.sqlstate == "CH001", statement
    with database.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM batch")


def test_a_lake_file_that_somebody_changed_is_noticed(load, lake_rows, database):
    load(DAY)
    [path] = (path for path in database.settings.lake.rglob("*.parquet"))
    path.write_bytes(path.read_bytes().replace(b"metres", b"meters"))
    with pytest.raises(activity.LakeFileDiffers, match=r"2025-03\.parquet"):
        lake_rows()
    path.unlink()
    with pytest.raises(activity.LakeFileDiffers):
        lake_rows()


def test_demonstration_data_stays_out_of_a_real_store(load, database):
    real = replace(database.settings, profile="guangzhou")
    with pytest.raises(activity.ProfileForDemoOnly, match="guangzhou"):
        activity.load(database, real, Path("any.csv"), "mibici", received_by="x")


def test_who_appears_in_a_source_is_told_once(load, database):
    load(text(trip(1, 1), trip(2, 1, start="09:00:00", end="09:10:00"), trip(3, 2)))
    with database.begin() as session:
        assert len(activity.subjects(session, database.settings, "mibici")) == 2
        assert activity.subjects(session, database.settings, "unheard-of") == []
