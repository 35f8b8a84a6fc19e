"""Profiles and files of activity by the words of the command line (Articles 12, 16)."""

from pathlib import Path

from tests.activity.forms import RIDES, RIDES_HEADER
from tests.cli.conftest import Riders, Run

GOOD, FAST = "1,c,Bus,2026-03-02 08:00:00,2026-03-02 08:10:00,900", "2,card-2,Bus,2026-03-02 08:00:00,2026-03-02 08:10:00,90000"


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_a_shipped_profile_is_shown_as_a_form_to_start_from(run: Run, riders: Riders, tmp_path: Path):
    shown = run("activity", "profile", "show", "transit-trips").out
    own = write(tmp_path, "our-trips.toml", shown.replace('source        = "transit-trips"', 'source = "ours"'))
    assert run("activity", "profile", "check", own).out.startswith("our-trips: trip of ours, verified; bus by ")
    assert "profile_unknown" in run("activity", "profile", "show", "nobody", code=3).err


def test_what_is_wrong_with_a_profile_is_told_in_a_sentence(run: Run, tmp_path: Path):
    wrong = write(tmp_path, "wrong.toml", RIDES.replace('mode_column = "mode"\n', ""))
    told = run("activity", "profile", "check", wrong, code=1)
    assert told.out == "profile_invalid: The profile wrong cannot be used: a trip has mode, or mode_column and [trip.modes].\n"


def test_a_profile_is_tried_on_a_file_and_nothing_is_recorded(run: Run, riders: Riders, tmp_path: Path):
    form = write(tmp_path, "tried.toml", RIDES)
    file = write(tmp_path, "tried.csv", "\n".join([RIDES_HEADER, GOOD, FAST]) + "\n")
    before = run("activity", "batches").out
    told = run("activity", "profile", "check", form, "--file", file).out.splitlines()
    assert told[1] == "2 rows: 1 accepted (1 acts), 0 duplicate, 1 refused. Nothing was recorded."
    assert told[2:] == ["  too_fast 1", "row 3: too_fast: 90000 m in a straight line in 600 s is faster than 100 km/h."]
    assert run("activity", "batches").out == before


def test_an_institutions_profile_is_listed_loaded_and_declared_by(run: Run, riders: Riders, home: Path, tmp_path: Path):
    folder = home / "profiles"
    folder.mkdir(exist_ok=True)
    # It stays: the store holds a batch of it from here on.
    write(folder, "own-rides.toml", RIDES)
    broken = write(folder, "broken.toml", "source = 1")
    try:
        listed = run("activity", "profile", "list").out
        assert "own-rides: an institution's own\n" in listed
        assert "broken: The profile broken cannot be used: " in listed
        acts = write(tmp_path, "acts.csv", "id\n1\n")
        declared = run(
            "activity", "declare-elsewhere", acts, "--as", "own-rides", "--mechanism", "CCER", "--by", "the registry"
        ).out
        assert declared == (
            "1 rows name 1 acts used in CCER: 1 new, 0 known before; 0 of them were loaded here before.\n"
        )
        file = write(tmp_path, "rides.csv", "\n".join([RIDES_HEADER, GOOD]) + "\n")
        assert "used_elsewhere 1" in run("activity", "load", file, "--as", "own-rides").out
    finally:
        broken.unlink()
