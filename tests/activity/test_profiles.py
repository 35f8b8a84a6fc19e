"""Profiles say everything about a source's files, and nothing unknown (Article 12)."""

from pathlib import Path

import pytest

from carbonhui import activity
from carbonhui.activity.profile_files import FOLDER
from tests.activity.forms import BILLS, METERS, PICKUPS, RIDES, STEPS, SWIPES

SAID = (FOLDER / "mibici.toml").read_text(encoding="utf-8")


SHIPPED = {
    "bayarea-2014": ("trip", 12), "clothes-pickup": ("count", 0), "green-building-demo": ("count", 0), "mibici": ("trip", 10),
    "nem12": ("reading", 0), "nem13": ("reading", 0), "rides-self-declared": ("trip", 0), "santamonica-water": ("reading", 10),
    "sgsc-halfhourly": ("reading", 12), "sgsc-monthly": ("reading", 12), "shenzhen-swipes": ("swipe", 5),
    "steps-self-declared": ("count", 0), "transit-trips": ("trip", 0), "utilities2-electricity": ("reading", 20),
    "utilities2-gas": ("reading", 20),
}  # fmt: skip
NUMBERS = {5: "five", 10: "ten", 12: "twelve", 20: "twenty"}


def test_every_shipped_profile_can_be_read_and_says_what_is_not_real():
    profiles = [activity.profile_named(name) for name in activity.profile_names()]
    assert {profile.name: (profile.kind, profile.moved_years) for profile in profiles} == SHIPPED
    for profile in profiles:
        assert not profile.moved_years or (profile.demonstration and NUMBERS[profile.moved_years] in profile.says)


def test_every_methodology_that_a_shipped_profile_names_is_shipped():
    from carbonhui import methodology

    named = {id for name in SHIPPED for ids in activity.profile_named(name).methodologies.values() for id in ids}
    assert named <= methodology.installed().keys()


def test_profiles_of_one_source_agree_on_who_and_how():
    half, month = activity.profile_named("sgsc-halfhourly"), activity.profile_named("sgsc-monthly")
    assert (half.source, half.scheme, half.methodologies) == (month.source, month.scheme, month.methodologies)


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(activity.ProfileUnknown, match="mibici"):
        activity.profile_named("../mibici")


def refused(tmp_path: Path, form: str, old: str, new: str, reason: str) -> None:
    assert old in form
    path = tmp_path / "mine.toml"
    path.write_text(form.replace(old, new), encoding="utf-8")
    with pytest.raises(activity.ProfileInvalid, match=reason):
        activity.read_profile(path)


@pytest.mark.parametrize("form", [SAID, RIDES, BILLS, METERS, SWIPES, STEPS, PICKUPS])
def test_as_it_stands_each_form_can_be_used(tmp_path: Path, form: str):
    (tmp_path / "mine.toml").write_text(form, encoding="utf-8")
    assert activity.read_profile(tmp_path / "mine.toml").name == "mine"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("moved_years   = 10", "moved_years = true", "moved_years"),
        ("moved_years   = 10", "moved_years = -1", "moved_years"),
        ("moved_years   = 10", "moved_years = 101", "moved_years"),
        ("demonstration = true", "demonstration = false", "only demonstration data"),
        ("demonstration = true", "demonstration = true\nsurprise = 1", "surprise"),
        ("demonstration = true", "demonstration = true\nname = 'x'", "name"),
        ("demonstration = true", "demonstration = true\ndigest = 'x'", "digest"),
        ("demonstration = true", "demonstration = true\nevidence = 'sure'", "evidence"),
        ("demonstration = true", "demonstration = true\nform = 'xml'", "form is"),
        ("demonstration = true", "demonstration = true\nform = 'nem12'", "bring readings"),
        ('says          = "', 'says = ""\n#', "says"),
        ("earliest_day  = 2010-01-01", "", "earliest_day"),
        ("earliest_day  = 2010-01-01", "earliest_day = '2010-01-01'", "a date"),
        ('source        = "mibici"', 'source = "../mibici"', "source is of"),
        ('scheme        = "mibici.user"', 'scheme = "MiBici"', "scheme is of"),
        ('times       = "local"', 'times = "utc"', "times"),
        ('key         = "trip_id"', 'key = "trip"', "named column"),
        ('key         = "trip_id"', 'key = 1', "a text"),
        ('datum     = "WGS84"', 'datum = "BD-09"', "WGS84"),
        ('kind          = "trip"', 'kind = "reading"', "kind and its table"),
        ('kind          = "trip"', 'kind = "flight"', "kind is"),
        ('"trip_id", "user_id"', '"trip_id", "trip_id"', "named twice"),
        ('"dest_station"]', '"dest_station", "code"]', "quarantine"),
        ("[stations]", "[stations", "cannot be used"),
        ("[stations]", "[elsewhere]\ncolumn = 'x'\n[stations]", "x is a named column"),
        ("[stations]", "[count]\nsubject = 'user_id'\nday='start_local'\nquantity='trip_id'\nmode='walking'\n[stations]", "exactly the table"),
        ('bicycle = ["cycling"]', "bicycle = []", "methodologies"),
        ('bicycle = ["cycling"]', 'bicycle = ["cycling", "cycling"]', "named twice for one mode"),
        ('bicycle = ["cycling"]', 'metro = ["metro"]', "exactly the modes bicycle"),
        ('mode        = "bicycle"', "", "mode_column"),
        ('mode        = "bicycle"', 'mode = "boat"', "modes of trips"),
        ('mode        = "bicycle"', 'mode = "bicycle"\nmode_column = "trip_id"', "mode_column"),
        ('mode        = "bicycle"', 'mode = "bicycle"\nmetres = "trip_id"', "not both"),
        ('end         = "end_local"', "", "needs an end"),
        ('origin      = "origin_station"', "", "an origin and a destination"),
        ('origin      = "origin_station"\ndestination = "dest_station"', "", "needs them"),
    ],
)
def test_a_profile_of_trips_that_is_not_right_is_refused(tmp_path: Path, old: str, new: str, reason: str):
    refused(tmp_path, SAID, old, new, reason)


@pytest.mark.parametrize(
    ("form", "old", "new", "reason"),
    [
        (RIDES, "[trip.modes]", "[trip.names]", "names"),
        (RIDES, 'Taxi = "ev"', 'Taxi = "taxi"', "modes of trips"),
        (RIDES, 'Taxi = "ev"', "", "exactly the modes bus, metro"),
        (SWIPES, "[stations]", "[elsewhere]\ncolumn = 'gate'\n[station]", "station"),
        (SWIPES, 'exit = "out"', 'exit = "in"', "different values"),
        (SWIPES, 'boarding_mode = "bus"\n', "", "come together"),
        (SWIPES, 'ride_mode = "metro"', 'ride_mode = "plane"', "modes of trips"),
        (SWIPES, '"gate"]\n\n', '"door"]\n\n', "door is a named column"),
        (BILLS, 'commodity = "gas"', 'commodity = "coal"', "commodity is"),
        (BILLS, 'unit = "m3"', 'unit = "kWh"', "units of gas"),
        (BILLS, 'unit = "m3"', "", "missing"),
        (BILLS, 'span = "bill"', 'span = "week"', "span is"),
        (BILLS, 'span = "bill"', 'span = "month"', "has at and no other"),
        (BILLS, 'end = "to"', "", "a bill has start and end"),
        (BILLS, 'end = "to"', 'end = "to"\nread_on = "to"', "a bill has start and end"),
        (BILLS, 'subject = "account"', "", "subject_constant"),
        (BILLS, 'subject = "account"', 'subject_constant = "x"', "demonstration data only"),
        (BILLS, 'subject = "account"', 'subject = "account"\nsubject_constant = "x"', "subject or subject_constant"),
        (BILLS, 'values = ["E"]\ncontains = ["estimat"]', "", "values or contains"),
        (BILLS, 'values = ["home", "flat"]', "values = []", "with something in it"),
        (BILLS, 'column = "class"', 'column = "klass"', "klass is a named column"),
        (BILLS, 'code = "tier_3"', 'code = "tier 3"', "flag's code"),
        (METERS, 'readings = "readings"\n', "", "come together"),
        (METERS, 'span = "day"', 'span = "hour"', "only a day or a month"),
        (METERS, "readings_per_day = 96", "readings_per_day = 95", "divides"),
        (METERS, "readings_per_day = 96", "readings_per_day = 0", "divides"),
        (METERS, 'meter = "meter"', 'meter = ["account", "number"]', "number is a named column"),
        (METERS, 'kind = "reading"', 'kind = "reading"\nform = "nem12"', "columns of the form nem12"),
        (STEPS, 'mode = "walking"', 'mode = "running"', "modes of counts"),
        (STEPS, "[count]", "[stations]\nid='a'\nlatitude='b'\nlongitude='c'\ndatum='WGS84'\n[count]", "do not come from stations"),
    ],
)
def test_a_profile_of_another_kind_that_is_not_right_is_refused(tmp_path: Path, form: str, old: str, new: str, reason: str):
    refused(tmp_path, form, old, new, reason)


def test_an_institutions_own_profile_is_found_and_keeps_its_own_name(tmp_path: Path):
    (tmp_path / "ours.toml").write_text(RIDES, encoding="utf-8")
    assert "ours" in activity.profile_names(tmp_path)
    assert activity.profile_named("ours", tmp_path).source == "own"
    assert "ours" not in activity.profile_names()
    (tmp_path / "mibici.toml").write_text(RIDES, encoding="utf-8")
    with pytest.raises(activity.ProfileInvalid, match="a shipped profile has this name"):
        activity.profile_named("mibici", tmp_path)
    with pytest.raises(activity.ProfileInvalid, match="a shipped profile has this name"):
        activity.check_profile(tmp_path / "mibici.toml")
    (tmp_path / "Our Own.toml").write_text(RIDES, encoding="utf-8")
    with pytest.raises(activity.ProfileInvalid, match="file name"):
        activity.profile_named("Our Own", tmp_path)


def test_two_profiles_of_one_source_say_the_same_of_its_acts(tmp_path: Path):
    (tmp_path / "first.toml").write_text(RIDES, encoding="utf-8")
    (tmp_path / "broken.toml").write_text("source = 'own'", encoding="utf-8")
    second = tmp_path / "second.toml"
    for old, new, field in (
        ('scheme = "own.subject"', 'scheme = "own.other"', "scheme"),
        ('bus = ["bus_wuhan"]', 'bus = ["bus_hubei"]', "methodologies"),
        ("demonstration = false", "demonstration = true", "demonstration"),
    ):
        second.write_text(RIDES.replace(old, new), encoding="utf-8")
        with pytest.raises(activity.ProfileInvalid, match=f"the profile first and another {field}"):
            activity.profile_named("second", tmp_path)
    second.write_text(STEPS, encoding="utf-8")
    with pytest.raises(activity.ProfileInvalid, match="another lake_kind"):
        activity.check_profile(second, tmp_path)
    second.write_text(RIDES.replace('key = "id"', 'key = "card"'), encoding="utf-8")
    assert activity.profile_named("second", tmp_path).kind == "trip"


def test_a_profile_that_is_no_file_is_refused(tmp_path: Path):
    with pytest.raises(activity.ProfileInvalid):
        activity.read_profile(tmp_path / "nowhere.toml")
    (tmp_path / "gbk.toml").write_bytes("says = '居民'".encode("gbk"))
    with pytest.raises(activity.ProfileInvalid):
        activity.read_profile(tmp_path / "gbk.toml")
