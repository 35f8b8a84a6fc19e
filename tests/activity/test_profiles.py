"""Profiles say everything about a source's files, and nothing unknown (Article 12)."""

from pathlib import Path

import pytest

from carbonhui import activity
from carbonhui.activity.profile import FOLDER, read_profile

SAID = (FOLDER / "mibici.toml").read_text(encoding="utf-8")


def test_every_shipped_profile_can_be_read():
    assert activity.profile_names() == ["bayarea-2014", "mibici", "sgsc-halfhourly", "sgsc-monthly"]
    for name in activity.profile_names():
        profile = activity.profile_named(name)
        assert profile.demonstration
        assert str({10: "ten", 12: "twelve"}[profile.moved_years]) in profile.says


def test_profiles_of_one_source_agree_on_who_and_how():
    half, month = activity.profile_named("sgsc-halfhourly"), activity.profile_named("sgsc-monthly")
    assert (half.source, half.scheme, half.methodologies) == (month.source, month.scheme, month.methodologies)


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(activity.ProfileUnknown, match="mibici"):
        activity.profile_named("../mibici")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("moved_years   = 10", "moved_years = true", "moved_years"),
        ("moved_years   = 10", "moved_years = -1", "moved_years"),
        ("demonstration = true", "demonstration = false", "only demonstration data"),
        ("demonstration = true", "demonstration = true\nsurprise = 1", "surprise"),
        ("demonstration = true", "demonstration = true\nname = 'x'", "name"),
        ("shortest_s       = 60", "shortest = 60", "shortest"),
        ("earliest_day     = 2010-01-01", "", "earliest_day"),
        ('times       = "local"', 'times = "utc"', "times"),
        ('key         = "trip_id"', 'key = "trip"', "named column"),
        ('datum     = "WGS84"', 'datum = "GCJ-02"', "WGS84"),
        ('kind          = "trip"', 'kind = "reading"', "kind"),
        ('"trip_id", "user_id"', '"trip_id", "trip_id"', "named column"),
        ('"dest_station"]', '"dest_station", "code"]', "quarantine"),
        ("[limits]", "[limits", "cannot be used"),
        ('methodologies = ["cycling"]', "methodologies = []", "methodologies"),
    ],
)
def test_a_profile_that_is_not_right_is_refused(tmp_path: Path, old: str, new: str, reason: str):
    assert old in SAID
    path = tmp_path / "mine.toml"
    path.write_text(SAID.replace(old, new), encoding="utf-8")
    with pytest.raises(activity.ProfileInvalid, match=reason):
        read_profile(path)
