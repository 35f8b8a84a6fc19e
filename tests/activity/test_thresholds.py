"""What is believed of an act is approved, dated and recorded, like every other number (Articles 12, 14, 16)."""

from datetime import date

import pytest

from carbonhui import activity, policy
from carbonhui.core.clock import SetClock
from carbonhui.core.database import connection_of
from carbonhui.demo.city import BELIEVED
from tests.activity.conftest import text, trip
from tests.activity.forms import RIDES, RIDES_HEADER, STEPS, STEPS_HEADER
from tests.conftest import approve_number

LONG = "plausible:bicycle:longest_s"


class TestWithoutApproval:
    @pytest.fixture
    def template(self) -> str:
        return "template_books"

    @pytest.mark.parametrize("missing", ["shortest_s", "longest_s", "fastest_km_per_h"])
    def test_a_file_whose_threshold_nobody_approved_is_refused_whole(self, load, database, missing):
        with database.begin() as session:
            for what in {"shortest_s", "longest_s", "fastest_km_per_h"} - {missing}:
                approve_number(session, policy.plausible_name("bicycle", what), 60)
        with pytest.raises(activity.ThresholdNotApproved, match=f"plausible:bicycle:{missing}"):
            load(text(trip(1)))
        with database.begin() as session:
            assert activity.batches(session) == []

    def test_a_value_of_tomorrow_judges_no_file_of_today(self, load, database, clock):
        with database.begin() as session:
            for name, number in BELIEVED:
                approve_number(session, name, number, date(2026, 11, 21))
        with pytest.raises(activity.ThresholdNotApproved, match="2026-11-20"):
            load(text(trip(1)))
        clock.instant = SetClock.on(date(2026, 11, 21)).instant
        assert load(text(trip(1))).accepted == 1

    def test_each_mode_needs_its_own(self, load, database, institution):
        with database.begin() as session:
            for name, number in BELIEVED:
                if not name.startswith("plausible:ev:"):
                    approve_number(session, name, number)
        with pytest.raises(activity.ThresholdNotApproved, match="plausible:ev:"):
            load(text("1,c,Bus,2026-03-01 08:00:00,2026-03-01 08:10:00,900", header=RIDES_HEADER), profile=institution(RIDES))


def test_every_governed_threshold_has_a_value_in_the_demonstration_city(database):
    with database.begin() as session:
        names = connection_of(session).execute(
            "SELECT name FROM policy_name WHERE name LIKE 'plausible:%' OR name = 'one_act_tolerance_s'"
        )
        assert {name for (name,) in names} == {name for name, _ in BELIEVED}


def test_the_thresholds_stand_in_the_batch_and_the_evidence_too(load, database):
    load(text(trip(1)))
    with database.begin() as session:
        [batch] = activity.batches(session)
    assert batch.limits == {
        "plausible:bicycle:fastest_km_per_h": 35, LONG: 10_800, "plausible:bicycle:shortest_s": 60,
    }  # fmt: skip
    assert (batch.evidence, batch.acts, batch.lake_form, batch.kind) == ("verified", 1, activity.LAKE_FORM, "trip")


def test_another_value_judges_the_same_file_again_and_the_sentence_says_it(load, database, clock):
    rows = text(trip(1), trip(2, 2, end="11:00:01"))
    assert load(rows).refused_by == {"too_long": 1}
    with database.begin() as session:
        approve_number(session, LONG, 10_801, date(2026, 11, 21))
    assert load(rows).already_loaded_as is not None
    clock.instant = SetClock.on(date(2026, 11, 21)).instant
    again = load(rows)
    assert (again.accepted, again.duplicate, again.refused) == (1, 1, 0)
    assert again.limits[LONG] == 10_801


def test_what_a_file_was_judged_by_cannot_become_another_afterwards(load, database):
    load(text(trip(1)))
    with pytest.raises(policy.ValueOfThePast), database.begin() as session:
        approve_number(session, LONG, 9_000, date(2026, 11, 20))
    with database.begin() as session:
        approve_number(session, LONG, 9_000, date(2026, 11, 21))
        # The steps' value judged nothing yet.
        approve_number(session, "plausible:walking:most_per_day", 50_000, date(2026, 1, 1))


def test_a_threshold_that_changes_while_the_file_is_read_refuses_the_file(load, database):
    def change(step: str, rows: int) -> None:
        if step == "settling":
            with database.begin() as session:
                approve_number(session, LONG, 9_000, date(2026, 11, 20))

    with pytest.raises(activity.ThresholdsChanged):
        load(text(trip(1)), progress=change)
    with database.begin() as session:
        assert activity.batches(session) == []
    assert load(text(trip(1))).accepted == 1


def test_bounds_of_a_threshold_cannot_be_passed_by_any_decision(database):
    with pytest.raises(policy.ValueOutOfRange), database.begin() as session:
        approve_number(session, LONG, 86_401, date(2026, 11, 21))


@pytest.mark.parametrize(("steps", "accepted"), [(99_999, 1), (100_000, 1), (100_001, 0)])
def test_the_limit_itself_is_believed(load, institution, steps, accepted):
    report = load(text(f"p,2026-03-01,{steps}", header=STEPS_HEADER), profile=institution(STEPS))
    assert report.accepted == accepted
