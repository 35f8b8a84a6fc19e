"""Rides become milligrams once, by the version of their own day (Article 16)."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import psycopg
import pytest

from carbonhui import activity, participants, quantification
from carbonhui.quantification import measuring

#: 1,111 m at 48.7 mg/m, rounded down.
ONE_RIDE_MG = 54_105


def test_each_ride_is_rounded_down_and_a_persons_day_is_one_reduction(city, ride):
    city.approve("cycling")
    batch = city.rides(ride(1, hour=8), ride(2, hour=9), ride(3, day="2015-03-03"), ride(4, user=2))
    city.enrol("mibici")
    report = city.quantify()
    [piece] = report.pieces
    assert piece == quantification.Measured("mibici", batch.batch_id, "bicycle", 4, 4, {}, 4 * ONE_RIDE_MG, 2)
    cycling = city.methodology("cycling")
    assert cycling.reduction_mg(date(2025, 3, 2), metres=1111) == ONE_RIDE_MG
    assert sorted((day, mg) for _, _, _, day, mg, _ in city.reductions()) == [
        (date(2025, 3, 2), ONE_RIDE_MG), (date(2025, 3, 2), 2 * ONE_RIDE_MG), (date(2025, 3, 3), ONE_RIDE_MG),
    ]
    assert {row[2] for row in city.reductions()} == {cycling.fingerprint}


def test_a_batch_is_measured_once_and_for_all(city, ride):
    city.approve("cycling")
    city.rides(ride(1))
    city.enrol("mibici")
    city.quantify()
    first = city.reductions()
    assert city.quantify().pieces == ()
    city.rides(ride(2, day="2015-03-05"))
    assert [piece.activities for piece in city.quantify().pieces] == [1]
    assert len(city.reductions()) == len(first) + 1


def test_every_ride_that_is_left_out_is_counted_with_the_reason(city, ride):
    city.approve("cycling", start=date(2025, 3, 2))
    city.rides(
        ride(1), ride(2, day="2015-03-01"), ride(3, user=2), ride(4, hour=10, way="1,3"),
        ride(5, hour=12, way="1,4").replace("12:10:00", "15:00:00"),
    )
    city.enrol("mibici", since=date(2025, 1, 1))
    with city.database.begin() as session:
        neighbour = next(link for link in participants.accounts_of(session, "mibici.user") if _rides_of(city, link.subject) == 1)
        participants.unlink(session, "mibici.user", neighbour.subject, on=date(2025, 3, 2))
    [piece] = city.quantify().pieces
    assert piece.left_out == {"no_version_on_day": 1, "out_of_range": 1, "unlinked": 1, "zero": 1}
    assert (piece.activities, piece.measured, piece.mg, piece.persons) == (5, 1, ONE_RIDE_MG, 1)


def _rides_of(city, subject: bytes) -> int:
    import pyarrow.parquet as parquet

    files = city.database.settings.lake.rglob("*.parquet")
    return sum(row["subject"] == subject for file in files for row in parquet.ParquetFile(file).read().to_pylist())


def test_a_day_before_the_first_number_has_no_version(city, ride):
    city.approve("cycling")
    first_day = city.methodology("cycling").first_day
    before = (first_day - timedelta(days=1)).replace(year=first_day.year - 10)
    city.rides(ride(1, day=str(before)))
    city.enrol("mibici")
    assert city.quantify().left_out == {"no_version_on_day": 1}
    assert city.reductions() == []


def test_a_card_that_changes_hands_credits_each_holder_their_own_days(city, ride):
    city.approve("cycling")
    city.rides(*(ride(day, day=f"2015-03-0{day}") for day in range(1, 6)))
    with city.database.begin() as session:
        [card] = activity.subjects(session, city.database.settings, "mibici")
        participants.enrol(session, "mibici.user", [card], date(2025, 3, 2))
        participants.enrol(session, "other", [card], date(2025, 3, 2))
        [first] = participants.accounts_of(session, "mibici.user")
        [second] = participants.accounts_of(session, "other")
        participants.unlink(session, "mibici.user", card, on=date(2025, 3, 4))
        participants.link(session, scheme="mibici.user", subject=card, account_id=second.account_id, valid_from=date(2025, 3, 5))
    city.consent("mibici")
    assert city.quantify().left_out == {"unlinked": 2}
    assert [(account, day.day) for account, _, _, day, _, _ in city.reductions()] == [
        (first.account_id, 2), (first.account_id, 3), (second.account_id, 5),
    ]


def test_without_approval_nothing_is_measured(city, ride):
    city.rides(ride(1))
    with pytest.raises(quantification.MethodologyNotApproved, match="cycling"):
        city.quantify()
    with city.database.begin():
        assert city.reductions() == []


def test_a_version_of_which_only_the_fingerprint_is_known_measures_nothing(city, ride):
    city.approve_fingerprint("cycling", "f" * 64, date(2020, 1, 1))
    city.rides(ride(1))
    city.enrol("mibici")
    with pytest.raises(quantification.MethodologyChanged) as refused:
        city.quantify()
    assert refused.value.code == "methodology_changed"
    assert "f" * 12 in str(refused.value)
    assert city.methodology("cycling").fingerprint[:12] in str(refused.value)
    assert city.reductions() == []


def test_a_methodology_that_is_missing_or_asks_too_much_is_refused(city, ride):
    city.rides(ride(1))
    cycling = city.methodology("cycling")
    city.versions = []
    with pytest.raises(quantification.MethodologyNotInstalled, match="cycling"):
        city.quantify()
    city.versions = [replace(cycling, activity="count")]
    city.approve("cycling")
    with pytest.raises(quantification.MethodologyUnsupported, match="count activity"):
        city.quantify()


def test_through_a_day_measures_whole_batches_up_to_it(city, ride):
    city.approve("cycling")
    city.rides(ride(1, day="2015-03-02"))
    city.rides(ride(2, day="2015-03-02", hour=9), ride(3, day="2015-03-03"))
    city.enrol("mibici")
    assert city.quantify(through=date(2025, 3, 1)).pieces == ()
    assert city.quantify(through=date(2025, 3, 2)).activities == 1
    assert city.quantify(through=date(2025, 3, 3)).activities == 2


@pytest.mark.parametrize("after_copy", [False, True])
def test_a_run_that_dies_leaves_the_batch_open(city, ride, monkeypatch, after_copy):
    city.approve("cycling")
    city.rides(ride(1))
    city.enrol("mibici")

    class Killed(BaseException):
        pass

    def die(*arguments: object) -> None:
        if after_copy:
            write(*arguments)
        raise Killed

    write = measuring.write_person_days
    with monkeypatch.context() as broken:
        broken.setattr(measuring, "write_person_days", die)
        with pytest.raises(Killed):
            city.quantify()
    assert city.reductions() == []
    assert city.quantify().measured == 1
    assert not any((city.database.settings.home / "measuring").iterdir())


def test_two_runs_at_once_measure_once(city, ride):
    city.approve("cycling")
    city.rides(*(ride(number, user=number) for number in range(50)))
    city.enrol("mibici")
    city.database.settings = replace(city.database.settings, lock_timeout_ms=600_000)  # as long as the other two take
    reports = []
    runs = [threading.Thread(target=lambda: reports.append(city.quantify())) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(report.measured for report in reports) == [0, 0, 50]
    assert len(city.reductions()) == 50


def test_who_waits_too_long_is_told_so(city):
    with city.database.connect(autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(440121, 0)")
        city.database.settings = replace(city.database.settings, lock_timeout_ms=200)
        with pytest.raises(quantification.QuantificationBusy):
            city.quantify()


def test_a_lake_file_that_somebody_changed_is_not_measured(city, ride):
    city.approve("cycling")
    city.rides(ride(1))
    city.enrol("mibici")
    [path] = city.database.settings.lake.rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(activity.LakeFileDiffers):
        city.quantify()
    assert city.reductions() == []


def test_a_reduction_changes_once_when_it_is_minted(city, ride):
    city.approve("cycling")
    city.rides(ride(1))
    city.enrol("mibici")
    city.quantify()
    with city.database.connect() as connection:
        connection.execute("UPDATE reduction SET mint_id = 7")
        connection.commit()
    for statement in (
        "UPDATE reduction SET mint_id = 8", "UPDATE reduction SET mint_id = NULL", "UPDATE reduction SET mg = mg + 1",
        "UPDATE reduction SET day = day + 1", "DELETE FROM reduction", "TRUNCATE reduction",
        "DELETE FROM measurement", "UPDATE measurement SET mg = 0", "TRUNCATE measured_period",
    ):
        with city.database.connect_as_owner() as owner, pytest.raises(psycopg.Error) as refused:
            owner.execute(statement)
        assert refused.value.sqlstate == "CH001", statement
    for statement in ("UPDATE reduction SET mg = 1", "DELETE FROM reduction"):
        with city.database.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)
    with city.database.connect() as connection, pytest.raises(psycopg.errors.CheckViolation, match="more_than_nothing"):
        connection.execute(
            "INSERT INTO reduction (account_id, batch_id, mg, day, methodology, fingerprint) VALUES (1, 1, 0, now(), '', '')"
        )


def test_an_unminted_reduction_cannot_be_edited_on_the_way(city, ride):
    city.approve("cycling")
    city.rides(ride(1))
    city.enrol("mibici")
    city.quantify()
    with city.database.connect_as_owner() as owner, pytest.raises(psycopg.Error) as refused:
        owner.execute("UPDATE reduction SET mint_id = 1, mg = mg + 1")
    assert refused.value.sqlstate == "CH001"
