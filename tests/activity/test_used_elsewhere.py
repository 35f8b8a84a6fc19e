"""What another mechanism counts is not counted here again (Article 16)."""

import psycopg
import pytest

from carbonhui import activity
from tests.activity.conftest import quarantined, text, trip
from tests.activity.forms import (
    BILLS,
    BILLS_HEADER,
    METERS,
    METERS_HEADER,
    PICKUPS,
    PICKUPS_HEADER,
    STEPS,
    STEPS_HEADER,
    SWIPES,
    SWIPES_HEADER,
)


@pytest.fixture
def declare(database, clock, tmp_path):
    def declare_it(content: bytes, profile: str = "mibici", **more: str) -> activity.Declaration:
        path = tmp_path / "declared.csv"
        path.write_bytes(content)
        words = {"mechanism": "CCER", "declared_by": "the registry"} | more
        return activity.declare_elsewhere(database, database.settings, path, profile, clock=clock, **words)

    return declare_it


def test_a_declared_act_is_refused_and_the_others_are_not(load, declare):
    told = declare(text("1", "2", "2", header="trip_id"))
    assert (told.rows_in, told.acts, told.new, told.known, told.loaded_before) == (3, 2, 2, 0, 0)
    report = load(text(trip(1), trip(2, 2), trip(3, 3)))
    assert (report.accepted, report.refused_by) == (1, {"used_elsewhere": 2})
    assert quarantined(report)[0]["sentence"] == "The act is used in another mechanism (CCER) and is not counted again."


def test_what_was_loaded_before_is_told_and_stays_known(load, declare, database):
    load(text(trip(1), trip(2, 2)))
    told = declare(text("2", "9", header="trip_id"))
    assert (told.new, told.known, told.loaded_before) == (2, 0, 1)
    again = declare(text("2", "9", "8", header="trip_id"), mechanism="VCS")
    assert (again.new, again.known, again.loaded_before) == (1, 2, 1)
    with database.begin() as session:
        acts = activity.declared_acts(session, "mibici")
        assert (len(acts), activity.declared_acts(session, "sgsc")) == (3, [])
    assert {len(act) for act in acts} == {16}


def test_the_whole_form_of_the_profile_names_the_acts_too(load, declare):
    told = declare(text(trip(1), trip(2, 2, end="08:00:01")))
    assert (told.rows_in, told.acts) == (2, 2)
    assert load(text(trip(1), trip(3, 3))).refused_by == {"used_elsewhere": 1}


FORMS = [
    (BILLS, BILLS_HEADER, "7,2026-01-05,2026-02-04,30,home,,", "8,2026-01-05,2026-02-04,30,home,,"),
    (METERS, METERS_HEADER, "7,a,2026-03-01,5,96", "7,b,2026-03-01,5,96"),
    (STEPS, STEPS_HEADER, "p,2026-03-01,5", "p,2026-03-02,5"),
    (PICKUPS, PICKUPS_HEADER, "1,t,2026-03-01,5,", "2,t,2026-03-01,5,"),
]


@pytest.mark.parametrize(("form", "header", "used", "free"), FORMS)
def test_every_kind_of_act_can_be_declared(load, declare, institution, form, header, used, free):
    profile = institution(form)
    assert declare(text(used, header=header), profile).new == 1
    report = load(text(used, free, header=header), profile=profile)
    assert (report.accepted, report.refused_by) == (1, {"used_elsewhere": 1})


def test_a_declared_ride_of_two_swipes_is_refused_with_both(load, declare, institution, stations):
    profile = institution(SWIPES)
    ride = ("c,2026-03-02 08:00:00,in,1,g1", "c,2026-03-02 08:10:00,out,2,g2")
    told = declare(text(*ride, header=SWIPES_HEADER), profile)
    assert (told.rows_in, told.acts) == (2, 1)
    report = load(text(*ride, header=SWIPES_HEADER), profile=profile, stations=stations)
    assert report.refused_by == {"used_elsewhere": 2}


@pytest.mark.parametrize("content", [text("1", "", header="trip_id"), text("1", "two words", header="trip_id"), text(trip(1), "x,y", header="trip_id,user_id,start_local,end_local,origin_station,dest_station")])
def test_a_declaration_is_taken_whole_or_not_at_all(declare, database, content):
    with pytest.raises(activity.DeclarationUnreadable, match="row 3"):
        declare(content)
    with database.begin() as session:
        assert activity.declared_acts(session, "mibici") == []


def test_a_file_of_other_columns_declares_nothing(declare, institution):
    with pytest.raises(activity.ColumnsDiffer):
        declare(text("1", header="ride"))
    with pytest.raises(activity.ColumnsDiffer):
        declare(text("p", header="person"), institution(STEPS))


@pytest.mark.parametrize("missing", ["mechanism", "declared_by"])
def test_a_declaration_says_where_and_by_whom(declare, missing):
    with pytest.raises(activity.DeclarationIncomplete, match=missing):
        declare(text("1", header="trip_id"), **{missing: " "})


def test_a_declaration_is_never_rewritten(declare, database):
    declare(text("1", header="trip_id"))
    for statement in ("UPDATE used_elsewhere SET mechanism = 'x'", "DELETE FROM used_elsewhere", "TRUNCATE used_elsewhere"):
        with database.connect_as_owner() as owner, pytest.raises(psycopg.Error) as refused:
            owner.execute(statement)
        assert refused.value.sqlstate == "CH001"
