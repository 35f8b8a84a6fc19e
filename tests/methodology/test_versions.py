"""Several versions of one methodology lie side by side (Article 15)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from carbonhui.methodology import installed, installed_versions
from carbonhui.methodology.refusals import MethodologyIdRepeated

Write = Callable[..., Path]
VERSION = 'version       = "1"'
FIRST = "from   = 2019-03-01"


def version(ferry: Write, name: str, start: str = "2019-03-01") -> Path:
    return ferry(toml={VERSION: f'version = "{name}"', FIRST: f"from = {start}"}, name=name)


def test_the_newest_version_is_the_one_whose_numbers_begin_last(ferry: Write) -> None:
    later, earlier = version(ferry, "1", "2020-05-01"), version(ferry, "9", "2019-05-01")
    assert installed([later, earlier])["ferry"].version == installed([earlier, later])["ferry"].version == "1"
    assert [found.version for found in installed_versions([later, earlier])] == ["9", "1"]


def test_of_one_first_day_the_highest_version_is_the_newest(ferry: Write) -> None:
    folders = [version(ferry, name) for name in ("10", "9", "2", "9.1", "9-rc")]
    assert [found.version for found in installed_versions(folders)] == ["2", "9", "9-rc", "9.1", "10"]
    assert installed(folders)["ferry"].version == "10"


def test_one_version_in_two_folders_is_refused(ferry: Write) -> None:
    first, second = ferry(name="first"), ferry(toml={"[title]": "# a word\n[title]"}, name="second")
    with pytest.raises(MethodologyIdRepeated) as told:
        installed_versions([first, second])
    assert "ferry 1" in str(told.value)
    assert str(first) in str(told.value) and str(second) in str(told.value)


def test_the_versions_are_told_by_name_and_then_by_age(ferry: Write, household: Write) -> None:
    found = installed_versions([household(), version(ferry, "2", "2020-05-01"), version(ferry, "1")])
    assert [(one.id, one.version) for one in found] == [("ferry", "1"), ("ferry", "2"), ("household", "1")]
