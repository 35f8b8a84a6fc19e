"""Every shipped folder can go on the committee's table as it lies (Articles 14-16)."""

import shutil
import tomllib
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from datetime import timedelta
from pathlib import Path

import pytest

import methodologies
from carbonhui import methodology

SHIPPED = Path(methodologies.__file__).parent
FOLDERS = sorted(path.parent for path in SHIPPED.glob("*/methodology.toml"))
NAMES = [folder.name for folder in FOLDERS]
Copy = Callable[..., Path]

#: Folders whose every number, with its meaning and its day, stands in what an official text or the press says of it.
NOT_DEMONSTRATIONS = {
    "bus_shenzhen", "bus_wuhan_v1", "cycling_wuhan_v1", "ev_ride", "metro_shenzhen", "metro_wuhan_v1",
}  # fmt: skip

every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)


@pytest.fixture
def copied(tmp_path: Path) -> Copy:
    """A copy of a shipped folder, with words of its methodology.toml exchanged for others."""

    def copy(name: str, **words: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(SHIPPED / name, folder)
        toml = folder / "methodology.toml"
        text = toml.read_text(encoding="utf-8")
        for old, new in words.items():
            assert text.count(old) == 1
            text = text.replace(old, new)
        toml.write_text(text, encoding="utf-8")
        return folder

    return copy


def test_there_are_folders_to_look_at() -> None:
    assert len(FOLDERS) >= 22


@every_folder
def test_a_shipped_folder_passes_its_check(folder: Path) -> None:
    assert methodology.check(folder) == []


def test_every_folder_is_announced_in_alphabetical_order() -> None:
    packaging = ConfigParser()
    packaging.read(SHIPPED.parent / "setup.cfg", encoding="utf-8")
    announced = packaging["options.entry_points"]["carbonhui.methodologies"].split("\n")[1:]
    assert announced == [f"{name} = methodologies.{name}" for name in NAMES]


@every_folder
def test_a_folder_is_named_after_its_methodology(folder: Path) -> None:
    found = methodology.load(folder)
    assert folder.name in (found.id, f"{found.id}_v{found.version}")


@every_folder
def test_a_folder_speaks_both_languages_throughout(folder: Path) -> None:
    toml = tomllib.loads((folder / "methodology.toml").read_text(encoding="utf-8"))
    assert set(toml["title"]) == {"en", "zh"}
    said = list(tables_that_say(toml))
    assert said
    for table in said:
        assert any("\u4e00" <= letter <= "\u9fff" for letter in table["says_zh"]), table["says"]


def tables_that_say(value: object) -> Iterator[dict[str, str]]:
    if isinstance(value, dict):
        if "says" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from tables_that_say(part)


# Demonstrations ----------------------------------------------------------------------------------


@every_folder
def test_a_number_that_nobody_confirmed_makes_a_demonstration(folder: Path) -> None:
    found = methodology.load(folder)
    classes = {value.provenance_class for one in found.parameters.values() for value in one.values}
    if classes & {"S4", "U"}:
        assert found.demonstration


def test_only_the_folders_whose_numbers_and_days_are_known_are_no_demonstrations() -> None:
    assert {folder.name for folder in FOLDERS if not methodology.load(folder).demonstration} == NOT_DEMONSTRATIONS


@every_folder
def test_a_demonstration_says_why_in_its_first_words(folder: Path) -> None:
    opening = (folder / "methodology.toml").read_text(encoding="utf-8").split("\nid ")[0]
    told = " ".join(opening.replace("\n#", "").split())
    assert ("for demonstration only" in told) == methodology.load(folder).demonstration


@pytest.mark.parametrize("name", ["clothes", "electricity", "gas", "green_building", "water"])
def test_such_a_number_outside_a_demonstration_is_refused(name: str, copied: Copy) -> None:
    folder = copied(name, **{"demonstration = true": "demonstration = false"})
    assert [problem.code for problem in methodology.check(folder)] == ["value_unconfirmed"]


# Worked cases ------------------------------------------------------------------------------------


@every_folder
def test_there_are_worked_cases_enough_to_check_a_folder_on_paper(folder: Path) -> None:
    assert len(methodology.load(folder).cases) >= 4


@every_folder
def test_every_number_is_worked_on_its_first_day_and_on_the_day_before_it_changes(folder: Path) -> None:
    found = methodology.load(folder)
    worked = {case.on for case in found.cases}
    starts = [period.start for period in found.periods()]
    assert set(starts) <= worked
    assert {start - timedelta(days=1) for start in starts[1:]} <= worked


@every_folder
def test_the_largest_record_is_worked(folder: Path) -> None:
    found = methodology.load(folder)
    measured = found.fields | found.lookback_fields
    highest = {name for case in found.cases for name, value in case.quantities.items() if value == measured[name].high}
    assert highest


@every_folder
def test_where_nothing_may_be_reported_nothing_is_credited(folder: Path) -> None:
    found = methodology.load(folder)
    if any(field.low == 0 for field in found.fields.values()):
        assert any(case.mg == 0 for case in found.cases)


# Gas ---------------------------------------------------------------------------------------------


def test_the_wrong_factor_of_gas_on_many_lists_is_refused(copied: Copy) -> None:
    folder = copied("gas", **{"value  = 2_162_200": "value  = 190_000"})
    problems = methodology.check(folder)
    assert {problem.code for problem in problems} == {"worked_case_wrong"}
    assert "One cubic metre saved" in str(problems[0])
    assert "190000" in str(problems[0]) and "2162200" in str(problems[0])


def test_the_half_of_a_bus_ride_not_rounded_to_the_gram_is_refused(copied: Copy) -> None:
    folder = copied("bus_hubei", **{"unit_mg     = 1_000\n": ""})
    assert [problem.code for problem in methodology.check(folder)] == ["worked_case_wrong"]
