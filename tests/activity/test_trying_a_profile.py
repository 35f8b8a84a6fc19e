"""An institution sees what would become of its file before anything is recorded (Article 12)."""

import pytest

from carbonhui import activity
from tests.activity.conftest import HEADER, text, trip
from tests.activity.forms import RIDES, RIDES_HEADER


@pytest.fixture
def try_out(database, clock, tmp_path, stations):
    def try_it(content: bytes, profile: activity.Profile) -> activity.Trial:
        path = tmp_path / "tried.csv"
        path.write_bytes(content)
        places = stations if profile.stations else None
        return activity.try_out(database, database.settings, path, profile, stations=places, clock=clock)

    return try_it


def left(database) -> set[str]:
    return {path.name for path in database.settings.home.rglob("*") if path.is_file()} - {"tried.csv", "stations.csv", "blind-index.key"}


def test_a_trial_counts_as_the_loading_would_and_keeps_nothing(try_out, load, database):
    rows = text(trip(1), trip(1), trip(2, "resident-2", end="08:00:01"))
    trial = try_out(rows, activity.profile_named("mibici"))
    assert (trial.rows_in, trial.accepted, trial.duplicate, trial.refused_by, trial.acts) == (3, 1, 1, {"too_short": 1}, 1)
    assert trial.first_refused == (
        (4, "too_short", "The trip took 1 s; a trip takes at least 60 s.", "行程用时 1 秒;至少应为 60 秒。"),
    )
    assert left(database) == set()
    with database.begin() as session:
        assert activity.batches(session) == []
    report = load(rows)
    assert (report.accepted, report.duplicate, report.refused_by) == (trial.accepted, trial.duplicate, trial.refused_by)
    assert try_out(rows, activity.profile_named("mibici")).duplicate == 2


def test_a_profile_that_is_installed_nowhere_can_be_tried(try_out, tmp_path):
    (tmp_path / "draft.toml").write_text(RIDES)
    profile = activity.check_profile(tmp_path / "draft.toml")
    assert try_out(text("1,c,Bus,2026-03-02 08:00:00,2026-03-02 08:10:00,900", header=RIDES_HEADER), profile).accepted == 1


def test_only_the_first_refused_rows_are_told_and_never_their_subject(try_out, tmp_path):
    # The profile takes the rider's number for the station.
    from carbonhui.activity.profile_files import FOLDER

    wrong = (FOLDER / "mibici.toml").read_text(encoding="utf-8").replace('origin      = "origin_station"', 'origin = "user_id"')
    (tmp_path / "wrong.toml").write_text(wrong.replace('"mibici"', '"other"'), encoding="utf-8")
    profile = activity.check_profile(tmp_path / "wrong.toml")
    trial = try_out(text(*(trip(number, f"resident-{number}") for number in range(30)), header=HEADER), profile)
    assert trial.refused_by == {"unknown_station": 30}
    assert len(trial.first_refused) == 10
    assert "***" in trial.first_refused[0][2]
    assert not any("resident" in sentence for told in trial.first_refused for sentence in told[2:])
