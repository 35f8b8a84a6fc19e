"""The jobs themselves: what they do a person can do by hand, and what they cannot do yet is no failure."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest

from carbonhui import (
    access,
    activity,
    circulation,
    issuance,
    ledger,
    merchants,
    notifications,
    participants,
    privacy,
    quantification,
    supervision,
)
from carbonhui.cli import carbonhui
from carbonhui.core.clock import CITY_TIME
from carbonhui.schedule import JOBS, Daily, Every, Works, last_runs, with_purge
from carbonhui.schedule.running import attempt
from tests.ledger.books import organisation, promise, resident
from tests.test_house_pages import commands

NAMED = {job.name: job for job in JOBS}
DUE = datetime(2026, 11, 20, 4, tzinfo=CITY_TIME)


@pytest.fixture
def works(database, settings, clock) -> Works:
    return Works(database, settings, privacy.open_vault(settings), clock)


def test_whatever_the_clock_does_a_person_can_do():
    assert {command for job in JOBS for command in job.command} <= set(commands(carbonhui))
    assert all(job.command for job in JOBS)


def test_the_jobs_are_due_when_the_design_says():
    assert {name: job.due for name, job in NAMED.items()} == {
        "quantify_and_mint": Daily(2, 30), "verify": Daily(4, 0), "expire": Every(60), "fold": Every(300), "purge": Every(3600),
        "come_of_age": Daily(0, 5), "relay": Every(3), "settle_day": Daily(3, 0), "lapse_gifts": Daily(0, 10),
        "expire_credits": Daily(0, 20), "conclude_pools": Every(3600), "close_charges": Every(60),
    }  # fmt: skip
    assert [name for name, job in NAMED.items() if not job.keyed] == ["relay"]


def test_every_job_takes_effect_on_empty_books(works):
    for job in JOBS:
        assert attempt(works, job, DUE) == 0.0
    with works.database.begin() as session:
        assert {run.job: (run.outcome, run.code) for run in last_runs(session).values()} == dict.fromkeys(NAMED, ("done", None))


def outcome(works: Works, name: str) -> tuple[str, str | None]:
    with works.database.begin() as session:
        run = last_runs(session)[name]
    return run.outcome, run.code


def test_what_no_approved_methodology_measures_waits_and_the_rest_is_minted(works, monkeypatch):
    minted: list[date] = []

    def quantify(*_, through, **__):
        raise quantification.MethodologyNotApproved(methodology="metro")

    monkeypatch.setattr(quantification, "quantify", quantify)
    monkeypatch.setattr(issuance, "mint", lambda database, through, *, clock: minted.append(through))
    assert attempt(works, NAMED["quantify_and_mint"], DUE) == 0.0
    assert outcome(works, "quantify_and_mint") == ("done", "methodology_not_approved")
    assert minted == [date(2026, 11, 19)], "through yesterday"


def test_who_mints_by_hand_meanwhile_is_waited_for(works, monkeypatch):
    def mint(*_, **__):
        raise issuance.MintRunning()

    monkeypatch.setattr(issuance, "mint", mint)
    assert attempt(works, NAMED["quantify_and_mint"], DUE) > 0
    assert outcome(works, "quantify_and_mint") == ("running", None)


def test_a_promise_that_ran_out_is_let_go_of_by_the_clock(works):
    with works.database.begin() as session:
        shopper, bakery = resident(session, 10), organisation(session, ledger.Kind.MERCHANT)
        hold = promise(session, shopper, bakery, 5)
        assert ledger.balance_of(session, shopper).held == 5
    with works.database.connect_as_owner() as connection:
        connection.execute("UPDATE hold SET expires_at = clock_timestamp() - interval '1 ms' WHERE id = %s", (hold,))
    attempt(works, NAMED["expire"], DUE)
    with works.database.begin() as session:
        assert ledger.balance_of(session, shopper).held == 0


def test_a_broken_check_is_told_to_the_staff_once_and_the_night_is_over(works, monkeypatch):
    check = supervision.CHECKS[0]
    verdict = SimpleNamespace(check=check, broken=[1, 2, 3], holds=False)
    monkeypatch.setattr(supervision, "verify", lambda session: [verdict])
    for _ in range(2):
        assert attempt(works, NAMED["verify"], DUE) == 0.0
    assert outcome(works, "verify") == ("broken", "I1")
    with works.database.begin() as session:
        (notice,) = notifications.staff_notices(session)
    assert (notice.code, notice.facts) == ("books.broken", {"rows": 3, "checks": ["I1"]})


def test_the_relay_of_the_clock_tells_the_endpoints(works, monkeypatch):
    told: list[object] = []
    monkeypatch.setattr(notifications, "relay", lambda database, vault, *, clock: told.append((database, vault, clock)))
    attempt(works, NAMED["relay"], DUE)
    assert told == [(works.database, works.vault, works.clock)]


def test_the_purge_forgets_what_the_rooms_say_has_expired_and_what_a_face_adds(works, monkeypatch):
    forgotten: list[str] = []
    monkeypatch.setattr(access, "purge", lambda session, clock: forgotten.append("access"))
    monkeypatch.setattr(activity, "forget_refused", lambda database, settings: forgotten.append("the erased"))
    monkeypatch.setattr(activity, "purge_files", lambda database, settings, *, clock: forgotten.append("files"))
    (purge,) = [job for job in with_purge(JOBS, lambda session, works: forgotten.append("face")) if job.name == "purge"]
    attempt(works, purge, DUE + timedelta(hours=1))
    assert forgotten == ["the erased", "files", "access", "face"]


def test_the_clock_settles_yesterday_and_says_who_was_refused(works, monkeypatch):
    with works.database.begin() as session:
        bakery, shopper = organisation(session, ledger.Kind.MERCHANT), resident(session, 10)
        for day, amount in ((date(2026, 11, 19), 3), (date(2026, 11, 20), 4)):
            ledger.post(
                session, purpose=ledger.Purpose.REDEEM, source=shopper, target=bakery, amount=amount, reference=f"tea-{day}",
                business_date=day,
            )  # fmt: skip
    works.clock.instant = DUE
    assert attempt(works, NAMED["settle_day"], DUE) == 0.0
    with works.database.begin() as session:
        assert ledger.balance_of(session, bakery).posted == 4
    assert outcome(works, "settle_day") == ("done", None)
    refused = merchants.Settled(0, 0, ((bakery, "reference_reused"),))
    monkeypatch.setattr(merchants, "settle_day", lambda database, *, on: refused)
    assert attempt(works, NAMED["settle_day"], DUE + timedelta(days=1)) == 0.0
    assert outcome(works, "settle_day") == ("done", "reference_reused")


@pytest.mark.parametrize(("job", "room", "verb"), [
    ("lapse_gifts", circulation, "lapse_gifts"), ("conclude_pools", circulation, "conclude_pools"),
    ("close_charges", merchants, "close_expired"),
])  # fmt: skip
def test_what_is_done_some_at_a_time_is_done_until_nothing_is_left(works, monkeypatch, job, room, verb):
    left = [2, 1, 0, 5]
    monkeypatch.setattr(room, verb, lambda session, **_: left.pop(0))
    assert attempt(works, NAMED[job], DUE) == 0.0
    assert left == [5]


def test_credits_past_their_years_end_by_the_clock(works, monkeypatch):
    told = []
    monkeypatch.setattr(circulation, "expire_all_credits", lambda database, *, on: told.append((database, on)))
    works.clock.instant = DUE
    assert attempt(works, NAMED["expire_credits"], DUE) == 0.0
    assert told == [(works.database, works.clock.today())]


def test_who_comes_of_age_is_written_down_until_nobody_is_left(works, monkeypatch):
    batches = [2, 1, 0]
    monkeypatch.setattr(participants, "free_grown_up", lambda session, *, on: batches.pop(0))
    assert attempt(works, NAMED["come_of_age"], DUE) == 0.0
    assert batches == []
