"""A person reads their own accepted acts back, and nobody else's (Article 12)."""

from dataclasses import asdict
from datetime import date, datetime

import pytest

from carbonhui import activity, ledger, participants, privacy
from tests.activity.conftest import text, trip
from tests.quantification.profiles import STEPS, WATER

MARCH = {"first": date(2025, 3, 1), "last": date(2025, 3, 31)}


@pytest.fixture
def rider(database, load):
    """Somebody whose card rode on five days, beside a neighbour; the account."""
    load(text(*(trip(day, 1, day=f"2015-03-0{day}") for day in range(1, 6)), *(trip(10 + day, 2, day=f"2015-03-0{day}") for day in (1, 2))))
    with database.begin() as session:
        return ledger.open_account(session, ledger.Kind.PERSON)


def held(database, account: int, identifier: object = 1, *, scheme: str = "mibici.user", since: date = date(2025, 1, 1), until=None) -> None:
    key = privacy.load_or_make_key(database.settings.blind_key_file)
    subject = privacy.blind_index(key, scheme, str(identifier))
    with database.begin() as session:
        participants.link(session, scheme=scheme, subject=subject, account_id=account, valid_from=since)
        if until is not None:
            participants.unlink(session, scheme, subject, on=until)


def acts(database, account: int, **more: object) -> list[activity.Act]:
    with database.begin() as session:
        subjects = activity.subjects_of(session, account)
        return activity.acts_of(database.settings, session, subjects=subjects, **(MARCH | more))


def test_the_newest_of_my_own_acts_come_first(database, rider):
    held(database, rider)
    found = acts(database, rider)
    assert [act.day.day for act in found] == [5, 4, 3, 2, 1]
    assert found[0] == activity.Act(
        "mibici", "trip", "bicycle", date(2025, 3, 5), 1, "verified", datetime(2025, 3, 5, 8), datetime(2025, 3, 5, 8, 10),
        metres=1111, trips=1, seconds=600,
    )  # fmt: skip
    assert acts(database, rider, limit=2) == found[:2]


def test_only_the_days_on_which_the_link_held_are_told(database, rider):
    held(database, rider, since=date(2025, 3, 2), until=date(2025, 3, 4))
    held(database, rider, 2, since=date(2025, 3, 2))
    assert [act.day.day for act in acts(database, rider)] == [3, 2, 2]
    assert acts(database, rider, first=date(2025, 3, 3), last=date(2025, 3, 3))[0].day == date(2025, 3, 3)


def test_who_holds_nothing_sees_nothing(database, rider):
    assert acts(database, rider) == []


def test_no_identifier_is_told(database, rider):
    held(database, rider)
    with database.begin() as session:
        [link] = activity.subjects_of(session, rider)["mibici.user"]
    told = repr([asdict(act) for act in acts(database, rider)])
    assert repr(link.subject) not in told
    assert link.subject.hex() not in told
    assert "subject" not in told


def test_acts_of_every_kind_stand_side_by_side(database, rider, load, institution):
    institution(STEPS, "steps")
    institution(WATER, "water-works")
    load(text("1,2025-03-05,4000", header="phone,day,steps"), profile="steps")
    load(text("7,2025-03,12", header="customer,month,m3"), profile="water-works")
    held(database, rider)
    held(database, rider, scheme="steps.phone")
    held(database, rider, 7, scheme="water-works.customer")
    found = acts(database, rider)
    assert {(act.source, act.kind, act.mode) for act in found} == {
        ("mibici", "trip", "bicycle"), ("steps", "count", "walking"), ("water-works", "reading", "water"),
    }  # fmt: skip
    assert [act.quantity for act in found if act.kind == "count"] == [4_000]
    assert [(act.used, act.span) for act in found if act.kind == "reading"] == [(12_000, "billed_month")]
    assert [act.day for act in found] == sorted((act.day for act in found), reverse=True)


@pytest.mark.parametrize(("first", "last"), [(date(2025, 3, 1), date(2025, 4, 1)), (date(2025, 3, 2), date(2025, 3, 1))])
def test_more_than_31_days_or_none_are_refused(database, rider, first, last):
    with pytest.raises(activity.ActsRangeTooLong):
        acts(database, rider, first=first, last=last)
