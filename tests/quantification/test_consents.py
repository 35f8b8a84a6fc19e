"""Nothing is measured outside consent, and nothing that is lawful is dropped (Articles 11-12)."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import psycopg
import pytest

from carbonhui import activity, consent, participants, privacy
from carbonhui.core.database import connection_of
from carbonhui.quantification import measuring
from tests.quantification.profiles import STEPS
from tests.waiting import comes_to_wait

STEP_MG = 20
HEADER = "phone,day,steps"
MAY = date(2025, 5, 1)
DAY = timedelta(days=1)


@pytest.fixture
def walkers(city):
    city.profile("steps", STEPS)
    city.approve("walking", start=city.methodology("walking").first_day)
    return city


def published(city, source: str = "steps", *, en: str = "I agree.", **more: object) -> consent.ConsentText:
    words = {"sensitive": False, "zh": "同意。", "on": city.clock.today(), "published_by": "office", **more}
    with city.database.begin() as session:
        return consent.publish_text(session, source=source, en=en, **words)


def given(city, account: int, source: str = "steps", covers_from: date = MAY, **more: object) -> None:
    with city.database.begin() as session:
        digest = consent.text_in_force(session, source, str(more.get("purpose", "quantification"))).digest
        consent.give(
            session, account=account, source=source, text_digest=digest, on=city.clock.today(), by="t", covers_from=covers_from, **more
        )


def withdrawn(city, account: int, source: str = "steps") -> None:
    with city.database.begin() as session:
        consent.withdraw(session, account=account, source=source, by="t", on=city.clock.today())


def walk(city, *people: int, days: int = 1, first: date = MAY, steps: int = 1_000) -> None:
    """Each person's telephone tells so many days."""
    city.receive("steps", HEADER, *(f"{person},{first + number * DAY},{steps}" for person in people for number in range(days)))


def holders(city) -> list[int]:
    """Link everybody who walked, without any consent; their accounts in the order of their telephones."""
    with city.database.begin() as session:
        found = activity.subjects(session, city.database.settings, "steps")
        participants.enrol(session, "steps.phone", found, date(2020, 1, 1))
        return sorted(link.account_id for link in participants.accounts_of(session, "steps.phone"))


def credited(city) -> set[int]:
    return {row[0] for row in city.reductions()}


def test_without_consent_an_act_is_left_out_and_told_apart_from_an_unlinked_one(walkers):
    walk(walkers, 1, 2)
    one, other = holders(walkers)
    walk(walkers, 3)
    published(walkers)
    given(walkers, one)
    assert walkers.quantify().left_out == {"no_consent": 1, "unlinked": 1}
    assert credited(walkers) == {one} != {other}


def test_a_consent_covers_from_its_first_day_on(walkers):
    walk(walkers, 1, days=3)
    [person] = holders(walkers)
    published(walkers)
    given(walkers, person, covers_from=MAY + DAY)
    assert walkers.quantify().left_out == {"no_consent": 1}
    assert [row[3] for row in walkers.reductions()] == [MAY + DAY, MAY + 2 * DAY]


def test_after_a_withdrawal_nothing_more_is_measured_and_what_was_measured_stays(walkers):
    walk(walkers, 1)
    [person] = holders(walkers)
    published(walkers)
    given(walkers, person)
    walkers.quantify()
    before = walkers.reductions()
    walk(walkers, 1, first=MAY + DAY)
    withdrawn(walkers, person)
    assert walkers.quantify().left_out == {"no_consent": 1}
    assert walkers.reductions() == before != []


def test_who_consents_again_begins_anew_and_what_was_left_out_stays_out(walkers):
    walk(walkers, 1)
    [person] = holders(walkers)
    published(walkers)
    walkers.quantify()
    given(walkers, person)
    walkers.quantify()
    assert walkers.reductions() == []
    withdrawn(walkers, person)
    given(walkers, person, covers_from=MAY + 2 * DAY)
    walk(walkers, 1, days=2, first=MAY + DAY)
    walkers.quantify()
    assert [row[3] for row in walkers.reductions()] == [MAY + 2 * DAY]


def test_a_material_version_of_the_text_stops_measuring_until_it_is_consented_to(walkers):
    walk(walkers, 1, 2)
    stopped, renewed = holders(walkers)
    published(walkers)
    given(walkers, stopped)
    given(walkers, renewed)
    published(walkers, en="More.", material=True)
    given(walkers, renewed, covers_from=walkers.clock.today())
    assert walkers.quantify().left_out == {"no_consent": 1}
    assert credited(walkers) == {renewed}


def test_consent_to_one_source_is_none_to_another(walkers):
    walk(walkers, 1)
    [person] = holders(walkers)
    published(walkers)
    published(walkers, "bracelet")
    published(walkers, purpose="research")
    given(walkers, person, "bracelet")
    given(walkers, person, purpose="research")
    assert walkers.quantify().left_out == {"no_consent": 1}


# One act counts once, whatever was withdrawn --------------------------------------------------------


@pytest.fixture
def two_devices(walkers):
    """One person's telephone was measured; then the bracelet tells of the same day."""
    walkers.profile("bracelet", STEPS.replace('"steps"', '"bracelet"', 1).replace("steps.phone", "bracelet.id"))
    walk(walkers, 1)
    [walkers.person] = holders(walkers)
    published(walkers)
    published(walkers, "bracelet")
    return walkers


def bracelet(city) -> dict[str, int]:
    city.receive("bracelet", HEADER, f"b,{MAY},1000")
    with city.database.begin() as session:
        for subject in activity.subjects(session, city.database.settings, "bracelet"):
            participants.link(session, scheme="bracelet.id", subject=subject, account_id=city.person, valid_from=date(2020, 1, 1))
    given(city, city.person, "bracelet")
    return city.quantify().left_out


def test_who_withdraws_is_not_credited_for_the_same_act_a_second_time(two_devices):
    given(two_devices, two_devices.person)
    two_devices.quantify()
    withdrawn(two_devices, two_devices.person)
    assert bracelet(two_devices) == {"claimed_before": 1}
    assert len(two_devices.reductions()) == 1


def test_an_act_that_was_left_out_for_want_of_consent_bars_no_other(two_devices):
    two_devices.quantify()
    given(two_devices, two_devices.person)
    assert bracelet(two_devices) == {}
    assert len(two_devices.reductions()) == 1


def test_an_act_that_was_withdrawn_before_it_was_measured_bars_no_other(two_devices):
    given(two_devices, two_devices.person)
    withdrawn(two_devices, two_devices.person)
    two_devices.quantify()
    assert bracelet(two_devices) == {}
    assert len(two_devices.reductions()) == 1


# Readings --------------------------------------------------------------------------------------------


def months(city) -> int:
    """A household with June of two years; its account."""
    city.approve("electricity")
    city.months("1,2012-06,300,1440,1440,1", "1,2013-06,200,1440,1440,1")
    with city.database.begin() as session:
        found = activity.subjects(session, city.database.settings, "sgsc")
        participants.enrol(session, "sgsc.customer", found, date(2020, 1, 1))
    published(city, "sgsc")
    return city.holder("sgsc.customer")


def test_last_years_readings_are_a_baseline_only_where_the_consent_covers_them(city):
    home = months(city)
    given(city, home, "sgsc", covers_from=date(2024, 6, 2))
    assert city.quantify().left_out == {"no_consent": 1, "no_history": 1}
    given(city, home, "sgsc", covers_from=date(2024, 6, 1))
    assert city.quantify().left_out == {"no_history": 1}
    assert [row[3] for row in city.reductions()] == [date(2025, 6, 30)]


def test_a_household_that_withdrew_is_not_measured(city):
    home = months(city)
    given(city, home, "sgsc", covers_from=date(2020, 1, 1))
    withdrawn(city, home, "sgsc")
    assert city.quantify().left_out == {"no_consent": 2}
    assert city.reductions() == []


# Withdrawals while measuring runs -----------------------------------------------------------------


def after(monkeypatch: pytest.MonkeyPatch, name: str, work: Callable[[], None]) -> None:
    """Do something once, right after a step of measuring."""
    step, done = getattr(measuring, name), []

    def then(*words: object, **more: object) -> object:
        found = step(*words, **more)
        if not done:
            done.append(True)
            work()
        return found

    monkeypatch.setattr(measuring, name, then)


@pytest.mark.parametrize("engine", ["duckdb", "python"])
def test_who_withdraws_in_the_middle_is_out_of_it_before_it_is_committed(walkers, monkeypatch, engine):
    walk(walkers, 1, 2, days=3)
    stays, goes = holders(walkers)
    published(walkers)
    for person in (stays, goes):
        given(walkers, person, covers_from=MAY + DAY)
    monkeypatch.setattr(measuring, "ACTS_AT_ONCE", 2)
    after(monkeypatch, "write_person_days", lambda: withdrawn(walkers, goes))
    [piece] = walkers.quantify(engine=engine).pieces
    assert credited(walkers) == {stays}
    assert (piece.measured, piece.left_out, piece.mg, piece.persons) == (2, {"no_consent": 4}, 2 * 1_000 * STEP_MG, 1)


def test_what_a_cap_took_off_of_who_withdraws_in_the_middle_is_not_told(walkers, monkeypatch):
    walk(walkers, 1, 2, steps=14_900)
    stays, goes = holders(walkers)
    published(walkers)
    for person in (stays, goes):
        given(walkers, person)
    after(monkeypatch, "write_person_days", lambda: withdrawn(walkers, goes))
    [piece] = walkers.quantify().pieces
    assert (piece.mg, piece.capped_mg, piece.measured) == (296_000, 100 * STEP_MG, 1)


def test_who_withdraws_while_it_is_committed_waits_for_it(walkers, monkeypatch):
    walk(walkers, 1)
    [person] = holders(walkers)
    published(walkers)
    given(walkers, person)
    done: list[int] = []

    def work() -> None:
        withdrawn(walkers, person)
        done.append(len(walkers.reductions()))

    other = threading.Thread(target=work)

    def begin() -> None:
        other.start()
        assert comes_to_wait(walkers.database, other)

    after(monkeypatch, "record_measurement", begin)
    walkers.quantify()
    other.join()
    assert done == [1]
    walk(walkers, 1, first=MAY + DAY)
    assert walkers.quantify().left_out == {"no_consent": 1}


def test_a_household_that_withdraws_in_the_middle_is_taken_out_again(city, monkeypatch):
    home = months(city)
    given(city, home, "sgsc", covers_from=date(2020, 1, 1))
    after(monkeypatch, "write_periods", lambda: withdrawn(city, home, "sgsc"))
    report = city.quantify()
    assert (report.measured, report.left_out, report.mg) == (0, {"no_consent": 1, "no_history": 1}, 0)
    assert city.reductions() == []
    given(city, home, "sgsc", covers_from=date(2020, 1, 1))
    assert city.quantify().measured == 1


def test_nobody_can_take_back_what_others_can_see(walkers):
    walk(walkers, 1)
    [person] = holders(walkers)
    published(walkers)
    given(walkers, person)
    walkers.quantify()
    before = walkers.reductions()
    with walkers.database.begin() as session:
        taken = connection_of(session).execute("SELECT * FROM quantification_take_back(%s, 'water')", ([person],)).fetchone()
        assert taken == (0, 0, 0, 0)
    with walkers.database.connect_as_owner() as owner, pytest.raises(psycopg.Error) as refused:
        owner.execute("DELETE FROM reduction")
    assert refused.value.sqlstate == "CH001"
    assert walkers.reductions() == before


def test_many_come_and_go_while_a_city_is_measured(walkers, monkeypatch):
    """One of each thread goes in the midst of the first acts, the rest as it comes; I12 is tested on the whole at the end."""
    people = range(1, 161)
    walk(walkers, *people, days=4)
    accounts = holders(walkers)
    published(walkers)
    for account in accounts:
        given(walkers, account)
    monkeypatch.setattr(measuring, "ACTS_AT_ONCE", 100)
    begun, gone, stop = threading.Event(), threading.Barrier(5, timeout=120), threading.Event()

    def come_and_go(mine: list[int], seed: int) -> None:
        moods = random.Random(seed)
        assert begun.wait(120)
        withdrawn(walkers, mine[seed])
        gone.wait()
        given(walkers, mine[seed])
        while not stop.is_set():
            account = moods.choice(mine)
            withdrawn(walkers, account)
            time.sleep(0.005)
            given(walkers, account)
            time.sleep(0.005)

    def one_of_each_goes() -> None:
        begun.set()
        gone.wait()

    after(monkeypatch, "write_person_days", one_of_each_goes)
    threads = [threading.Thread(target=come_and_go, args=(accounts[number:40:4], number)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        reports = [walkers.quantify()]
        for number in range(2):
            walk(walkers, *people, days=4, first=MAY + (number + 1) * 4 * DAY)
            reports.append(walkers.quantify())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert credited(walkers) >= set(accounts[40:])
    assert sum(report.left_out["no_consent"] for report in reports) > 0
    assert sum(report.activities for report in reports) == 3 * 640
    assert sum(report.mg for report in reports) == sum(row[4] for row in walkers.reductions()) > 0
    assert sum(report.measured for report in reports) == len(walkers.reductions())


# I12 ---------------------------------------------------------------------------------------------


BREAKS = (
    "UPDATE consent SET covers_from = '2025-05-02'",
    "UPDATE consent SET ended_on = '2025-04-30', ended_at = clock_timestamp()",
    "UPDATE consent SET ended_on = '2026-11-20', ended_at = '2026-01-01'",
    "UPDATE consent SET given_at = clock_timestamp() + interval '1 hour'",
    "UPDATE consent SET purpose = 'research'",
    "UPDATE consent SET source = 'bracelet'",
    "DELETE FROM consent",
    "UPDATE reduction SET account_id = account_id + 1",
    "UPDATE batch SET source = 'bracelet'",
)


def test_a_reduction_outside_consent_is_named(walkers):
    walk(walkers, 1)
    [person] = holders(walkers)
    published(walkers)
    given(walkers, person)
    walkers.quantify()
    [check] = consent.CHECKS
    for statement in BREAKS:
        with walkers.database.connect_as_owner() as owner:
            owner.execute("SET LOCAL session_replication_role = replica")
            for name in ("consent_ends_after_it_is_given", "an_end_says_when_why_and_by_whom"):
                owner.execute(f"ALTER TABLE consent DROP CONSTRAINT {name}")
            owner.execute(statement)
            assert [row[0] for row in owner.execute(check.query)] == ["processed outside consent"], statement
            # What was measured before consents were asked for is not complained about.
            owner.execute("UPDATE consent_since SET reduction = (SELECT max(id) FROM reduction)")
            assert owner.execute(check.query).fetchall() == []
            owner.rollback()


# 100,000 acts against a plain reading of the rules -------------------------------------------------


@dataclass
class Diary:
    """What one person said of the source, in order; read slowly."""

    #: (what, version of the text, first day covered)
    said: list[tuple[str, int, date]] = field(default_factory=list)

    def allows(self, day: date, material: int) -> bool:
        """Whether an act of a day may be processed now, when this is the newest material version."""
        covers, agreed_to = None, 0
        for what, version, first in self.said:
            if what == "withdraws":
                covers = None
            elif covers is None:
                covers, agreed_to = first, version
            else:
                covers, agreed_to = min(covers, first), version
        return covers is not None and agreed_to >= material and covers <= day


class Town:
    """People who change their minds between four deliveries of their steps."""

    PEOPLE, DAYS, ROUNDS = 250, 100, 4

    def __init__(self, city, seed: int) -> None:
        self.city, self.random = city, random.Random(seed)
        self.diaries: dict[int, Diary] = defaultdict(Diary)
        self.version = self.material = 1
        self.lawful: dict[tuple[int, date], int] = {}
        published(city)
        published(city, purpose="research")

    def deliver(self, number: int) -> dict[tuple[int, date], int]:
        """A quarter of all acts; each person's steps by day."""
        first = MAY + number * self.DAYS * DAY
        told = {
            (person, first + day * DAY): self.random.randrange(1, 14_800) for person in range(self.PEOPLE) for day in range(self.DAYS)
        }
        self.city.receive("steps", HEADER, *(f"{person},{day},{steps}" for (person, day), steps in told.items()))
        return told

    def change(self, account: int) -> None:
        what = self.random.choice(["gives", "gives", "withdraws", "research", "nothing"])
        standing = self._stands(account)
        if what == "gives":
            first = MAY + self.random.randrange(-50, self.DAYS * self.ROUNDS) * DAY
            given(self.city, account, covers_from=first, channel=self.random.choice(["app", "guardian"]))
            self.diaries[account].said.append(("gives", self.version, first))
        elif what == "withdraws" and standing:
            withdrawn(self.city, account)
            self.diaries[account].said.append(("withdraws", 0, MAY))
        elif what == "research":
            given(self.city, account, purpose="research")

    def _stands(self, account: int) -> bool:
        said = self.diaries[account].said
        return bool(said) and said[-1][0] == "gives"

    def publish(self) -> None:
        material = self.random.random() < 0.5
        self.version = published(self.city, en=f"Version {self.version + 1}.", material=material).version
        self.material = self.version if material else self.material


def test_of_100_000_acts_none_is_processed_outside_consent_and_no_lawful_one_is_dropped(walkers):
    town = Town(walkers, 4)
    found_out = 0
    for number in range(Town.ROUNDS):
        told = town.deliver(number)
        accounts = holders(walkers)
        persons = _phones(walkers)
        for account in accounts:
            town.change(account)
        if number in (1, 2):
            town.publish()
            for account in accounts[::3]:
                town.change(account)
        report = walkers.quantify()
        for (phone, day), steps in told.items():
            account = persons[phone]
            if town.diaries[account].allows(day, town.material):
                town.lawful[account, day] = steps * STEP_MG
            else:
                found_out += 1
        assert report.activities == len(told)
    measured = {(row[0], row[3]): row[4] for row in walkers.reductions()}
    assert measured == town.lawful
    assert len(measured) + found_out == 100_000
    assert min(len(measured), found_out) > 20_000


def _phones(city) -> dict[int, int]:
    """Whose telephone each number is."""
    key = privacy.load_or_make_key(city.database.settings.blind_key_file)
    with city.database.begin() as session:
        accounts = {link.subject: link.account_id for link in participants.accounts_of(session, "steps.phone")}
    return {phone: accounts[privacy.blind_index(key, "steps.phone", str(phone))] for phone in range(Town.PEOPLE)}
