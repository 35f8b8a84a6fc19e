"""A due point takes effect once, late rather than never, and a job that fails is noted and tried again (design section 10)."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from carbonhui import notifications, privacy
from carbonhui.core.clock import CITY_TIME, SetClock
from carbonhui.core.database import Database, connection_of
from carbonhui.core.refusals import Refusal
from carbonhui.schedule import Daily, Ended, Every, Job, Works, last_runs, last_successes, start
from carbonhui.schedule.records import claim, trim
from carbonhui.schedule.running import REST_S_MAX, attempt, code_of, run_due

DUE = datetime(2026, 11, 20, 2, 30, tzinfo=CITY_TIME)


class StreetFlooded(Refusal):
    """A refusal of these tests only."""

    code = "street_flooded"
    sentence = "The street of {who} is flooded."
    sentence_zh = "{who} 的街道被淹。"


@pytest.fixture
def works(database, settings, clock) -> Works:
    return Works(database, settings, privacy.open_vault(settings), clock)


@pytest.fixture
def count(database: Database) -> Iterator["Count"]:
    with database.connect_as_owner() as connection:
        connection.execute("CREATE TABLE effect (number int); GRANT ALL ON effect TO carbonhui_app")
    yield Count(database)


class Count:
    """An effect that can be counted."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def effect(self, session, works, ended) -> None:
        connection_of(session).execute("INSERT INTO effect VALUES (1)")

    @property
    def effects(self) -> int:
        with self.database.connect() as connection:
            return connection.execute("SELECT count(*) FROM effect").fetchone()[0]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-20T02:29:59+08:00", "2026-11-19T02:30:00+08:00"),
        ("2026-11-20T02:30:00+08:00", "2026-11-20T02:30:00+08:00"),
        ("2026-11-20T02:30:01+08:00", "2026-11-20T02:30:00+08:00"),
        ("2026-11-19T18:30:00+00:00", "2026-11-20T02:30:00+08:00"),
        ("2026-12-31T23:59:59+08:00", "2026-12-31T02:30:00+08:00"),
        ("2027-01-01T00:00:00+08:00", "2026-12-31T02:30:00+08:00"),
        ("2028-02-29T02:30:00+08:00", "2028-02-29T02:30:00+08:00"),
        ("2028-03-01T02:29:00+08:00", "2028-02-29T02:30:00+08:00"),
    ],
)
def test_a_daily_job_is_due_by_the_citys_own_hour(now, due):
    assert Daily(2, 30).newest(datetime.fromisoformat(now)) == datetime.fromisoformat(due)


def test_points_every_so_often_are_the_same_for_every_process():
    start_of = datetime(2026, 11, 20, tzinfo=UTC)
    points = {Every(60).newest(start_of + timedelta(seconds=seconds)) for seconds in range(120)}
    assert points == {start_of, start_of + timedelta(seconds=60)}


def test_a_due_point_takes_effect_once_however_often_it_is_run(works, count):
    job = Job("daily", (), Daily(2, 30), effect=count.effect)
    for _ in range(3):
        run_due(works, job, DUE)
    run_due(works, job, DUE + timedelta(days=1))
    assert count.effects == 2


def test_a_scheduler_that_was_paused_before_its_effect_wakes_and_changes_nothing(works, count):
    """The other did it all meanwhile; who wakes finds the due point taken."""
    asleep, wake = threading.Event(), threading.Event()

    def pause(works: Works) -> Ended:
        asleep.set()
        assert wake.wait(120)
        return Ended()

    with ThreadPoolExecutor(1) as pool:
        paused = pool.submit(run_due, works, Job("daily", (), Daily(2, 30), work=pause, effect=count.effect), DUE)
        assert asleep.wait(120)
        run_due(works, Job("daily", (), Daily(2, 30), effect=count.effect), DUE)
        wake.set()
        paused.result()
    assert count.effects == 1


def test_two_in_the_middle_of_the_same_effect_end_as_one(works, count):
    inside = threading.Barrier(2, timeout=120)

    def meet(works: Works) -> Ended:
        inside.wait()
        return Ended()

    job = Job("daily", (), Daily(2, 30), work=meet, effect=count.effect)
    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(run_due, works, job, DUE) for _ in range(2)]:
            each.result()
    assert count.effects == 1


def test_an_effect_that_fails_leaves_its_due_point_open(works, count):
    def half(session, works, ended) -> None:
        count.effect(session, works, ended)
        raise StreetFlooded(who="王女士")

    job = Job("daily", (), Daily(2, 30), effect=half)
    assert attempt(works, job, DUE) == job.rest_s
    assert count.effects == 0
    run_due(works, Job("daily", (), Daily(2, 30), effect=count.effect), DUE)
    assert count.effects == 1
    with works.database.begin() as session:
        run = last_runs(session)["daily"]
    assert (run.outcome, run.code, run.attempts, run.took_effect) == ("done", None, 2, True)


def test_a_failure_is_noted_by_its_code_without_its_words_and_told_to_the_staff_once(works, caplog):
    def fail(works: Works) -> Ended:
        raise StreetFlooded(who="王女士")

    job = Job("daily", (), Daily(2, 30), work=fail)
    with caplog.at_level(logging.INFO):
        rests = [attempt(works, job, DUE) for _ in range(9)]
    assert rests == [min(15.0 * 2**made, REST_S_MAX) for made in range(9)], "each failure rests twice as long, up to a quarter of an hour"
    attempt(works, job, DUE + timedelta(days=1))
    with works.database.begin() as session:
        run = last_runs(session)["daily"]
        assert (run.outcome, run.code, run.took_effect) == ("failed", "street_flooded", False)
        (notice,) = notifications.staff_notices(session)
        assert "daily" not in last_successes(session)
    assert (notice.code, notice.facts) == ("job.failed", {"job": "daily", "reason": "street_flooded"})
    assert "street_flooded" in caplog.text and "王女士" not in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StreetFlooded(who="13800138000"), "street_flooded"),
        (ValueError("13800138000"), "unexpected_ValueError"),
        (psycopg.errors.DivisionByZero("13800138000"), "database_22012"),
        (psycopg.OperationalError("no route"), "database_unreachable"),
    ],
)
def test_whatever_goes_wrong_has_a_code_and_nobodys_data(error, code):
    assert code_of(error) == code


def test_who_finds_another_at_the_same_work_waits_and_tells_nobody(works):
    def busy(works: Works) -> Ended:
        raise StreetFlooded(who="-")

    job = Job("daily", (), Daily(2, 30), work=busy, busy=(StreetFlooded,))
    assert attempt(works, job, DUE) == job.rest_s
    with works.database.begin() as session:
        assert last_runs(session)["daily"].outcome == "running"
        assert notifications.staff_notices(session) == []


def test_what_took_effect_stays_so_even_for_the_owner(database):
    due = datetime.now(UTC)
    with database.begin() as session:
        assert claim(session, "daily", due) and not claim(session, "daily", due)
    with database.connect_as_owner(autocommit=True) as connection:
        for statement in ("UPDATE job_run SET outcome = 'failed', code = 'x'", "DELETE FROM job_run", "TRUNCATE job_run"):
            with pytest.raises(psycopg.Error) as told:
                connection.execute(statement)
            assert told.value.sqlstate == "CH001"


def test_due_points_of_long_ago_are_forgotten_but_the_newest_is_kept(database):
    now = datetime.now(UTC)
    with database.begin() as session:
        for days in (400, 200, 91):
            claim(session, "daily", now - timedelta(days=days))
        claim(session, "verify", now - timedelta(days=400))
        assert trim(session) == 2
        assert {job: run.due for job, run in last_runs(session).items()} == {
            "daily": now - timedelta(days=91), "verify": now - timedelta(days=400),
        }  # fmt: skip


def wait_for(condition, seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited too long"
        time.sleep(0.02)


def running(works: Works, *jobs: Job):
    return start(works.database, works.settings, works.vault, works.clock, jobs=jobs, tick_s=0.05, lease_s=600)


class Looked(SetClock):
    """A clock that knows how often it was looked at."""

    looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return super().now()

    def several_times(self) -> None:
        """Wait until a scheduler has looked and acted upon it."""
        looks = self.looks
        wait_for(lambda: self.looks >= looks + 3)


def dues(database: Database) -> list[datetime]:
    with database.begin() as session:
        return [row[0] for row in connection_of(session).execute("SELECT due FROM job_run WHERE outcome = 'done' ORDER BY due")]


def test_a_missed_day_is_run_late_and_of_several_the_newest(works, count, clock: SetClock):
    """Nobody ran for three days: the newest point covers what the others would have done."""
    job = Job("daily", (), Daily(2, 30), effect=count.effect)
    scheduler = running(works, job)
    wait_for(lambda: count.effects == 1)
    assert scheduler.stop()
    clock.instant += timedelta(days=3)
    scheduler = running(works, job)
    wait_for(lambda: count.effects == 2)
    assert scheduler.stop()
    assert dues(works.database) == [DUE, DUE + timedelta(days=3)]


def test_a_clock_that_goes_back_does_nothing_twice(works, count, clock: SetClock):
    job, looked = Job("minutely", (), Every(60), effect=count.effect), Looked(clock.instant)
    works = replace(works, clock=looked)
    scheduler = running(works, job)
    for minutes in (1, -1, 1, 1, 0):
        looked.several_times()
        wait_for(lambda: job.due.newest(looked.instant) in dues(works.database))
        looked.instant += timedelta(minutes=minutes)
    looked.several_times()
    assert scheduler.stop()
    assert count.effects == 3


def test_a_failed_job_is_tried_again_after_its_rest_until_it_takes_effect(works, count):
    tries: list[float] = []

    def twice(works: Works) -> Ended:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise StreetFlooded(who="-")
        return Ended()

    scheduler = running(works, Job("daily", (), Daily(2, 30), work=twice, effect=count.effect, rest_s=0.2))
    wait_for(lambda: count.effects == 1)
    time.sleep(0.3)
    assert scheduler.stop(patience_s=120)
    assert len(tries) == 3 and tries[1] - tries[0] >= 0.2 and tries[2] - tries[1] >= 0.4


def test_stopping_waits_for_what_is_under_way_begins_nothing_new_and_leaves_no_thread(works, count):
    before = set(threading.enumerate())
    begun = threading.Event()

    def slow(session, works, ended) -> None:
        begun.set()
        time.sleep(0.3)
        count.effect(session, works, ended)

    scheduler = running(works, Job("one", (), Every(1), effect=slow))
    assert begun.wait(120)
    assert scheduler.leads
    assert scheduler.stop(patience_s=120)
    assert not scheduler.leads and count.effects == 1
    wait_for(lambda: set(threading.enumerate()) <= before)
    time.sleep(0.3)
    assert count.effects == 1


def test_stopping_tells_when_a_job_does_not_come_to_its_end(works):
    begun, release = threading.Event(), threading.Event()

    def stuck(works: Works) -> Ended:
        begun.set()
        release.wait(120)
        return Ended()

    scheduler = running(works, Job("one", (), Daily(2, 30), work=stuck))
    assert begun.wait(120)
    assert not scheduler.stop(patience_s=0.1)
    release.set()
    wait_for(lambda: bool(dues(works.database)))


def test_a_job_that_is_not_keyed_works_again_and_again_and_says_that_it_is_well(works, clock: SetClock):
    worked: list[int] = []

    def work(works: Works) -> Ended:
        worked.append(1)
        return Ended()

    scheduler = running(works, Job("relay", (), Every(3), work=work, keyed=False))
    for times in range(1, 4):
        wait_for(lambda times=times: len(worked) == times)
        clock.instant += timedelta(seconds=3)
    wait_for(lambda: len(worked) == 4)
    assert scheduler.stop()
    with works.database.begin() as session:
        assert last_successes(session).keys() == {"relay"}
        assert last_runs(session)["relay"].due.minute == 0
